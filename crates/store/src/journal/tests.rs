//! Tests of the journal.

#![expect(clippy::disallowed_methods, reason = "damages files on purpose")]

use super::*;
use crate::Embedded;

fn local() -> TenantName {
    TenantName::local()
}

fn group(first: u64, value: &[u8]) -> Batch {
    Batch::new().insert(Table::Evidence, &local(), &first.to_be_bytes(), value.to_vec()).put(
        Table::Uses,
        &local(),
        b"grant",
        first.to_be_bytes().to_vec(),
    )
}

fn keys(rows: &[Row]) -> Vec<u64> {
    rows.iter().map(|row| u64::from_be_bytes(row.key.as_slice().try_into().unwrap())).collect()
}

#[test]
fn what_was_committed_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::with_segments_of(folder.path(), 2_000).unwrap();
    for first in 0..200 {
        journal.commit(&group(first, &[7; 100])).unwrap();
    }
    drop(journal);
    let again = Journal::with_segments_of(folder.path(), 2_000).unwrap();
    assert!(open::listed(folder.path(), open::ENDING).unwrap().len() > 5);
    assert_eq!(
        keys(&again.scan(Table::Evidence, &local(), b"", None, 1_000).unwrap()),
        (0..200).collect::<Vec<_>>()
    );
    assert_eq!(again.get(Table::Uses, &local(), b"grant").unwrap().unwrap(), 199_u64.to_be_bytes());
    assert_eq!(again.last(Table::Evidence, &local()).unwrap().unwrap().value, [7; 100]);
    again.commit(&group(200, b"next")).unwrap();
    assert_eq!(again.get(Table::Evidence, &local(), &200_u64.to_be_bytes()).unwrap().unwrap(), b"next");
    assert_eq!(again.get(Table::Evidence, &local(), &17_u64.to_be_bytes()).unwrap().unwrap(), [7; 100]);
}

#[test]
fn it_answers_as_the_embedded_database_does() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::with_segments_of(folder.path(), 500).unwrap();
    let database = Embedded::in_memory().unwrap();
    let other: TenantName = "other".parse().unwrap();
    for n in 0..300_u64 {
        let tenant = if n % 3 == 0 { &other } else { &local() };
        let mut batch = Batch::new().insert(Table::Evidence, tenant, &n.to_be_bytes(), vec![1; 30]);
        if n % 10 == 0 {
            batch = batch.put(Table::Checkpoints, &local(), &(n / 10).to_be_bytes(), vec![2; 20]);
            batch = batch.put(Table::Meta, &local(), b"resume", n.to_be_bytes().to_vec());
        }
        journal.commit(&batch).unwrap();
        database.commit(&batch).unwrap();
    }
    for table in [Table::Evidence, Table::Checkpoints, Table::Meta, Table::Uses] {
        assert_eq!(journal.tenants(table).unwrap(), database.tenants(table).unwrap());
        for tenant in [&local(), &other] {
            assert_eq!(journal.last(table, tenant).unwrap(), database.last(table, tenant).unwrap());
            for after in [None, Some(5_u64), Some(150), Some(298), Some(400)] {
                let after = after.map(u64::to_be_bytes);
                let after = after.as_ref().map(<[u8; 8]>::as_slice);
                for limit in [1, 7, 1_000] {
                    let (a, b) = (
                        journal.scan(table, tenant, b"", after, limit),
                        database.scan(table, tenant, b"", after, limit),
                    );
                    assert_eq!(a.unwrap(), b.unwrap(), "{table:?} {tenant} {after:?} {limit}");
                }
            }
        }
    }
}

#[test]
fn half_a_frame_at_the_end_is_set_aside_and_the_rest_stays() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    journal.commit(&group(0, b"kept")).unwrap();
    journal.commit(&group(1, b"torn")).unwrap();
    drop(journal);
    let path = open::listed(folder.path(), open::ENDING).unwrap().remove(0);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
    let again = Journal::open(folder.path()).unwrap();
    assert_eq!(keys(&again.scan(Table::Evidence, &local(), b"", None, 10).unwrap()), [0]);
    assert_eq!(again.set_aside().unwrap().len(), 1);
    again.commit(&group(1, b"again")).unwrap();
    drop(again);
    assert_eq!(
        keys(&Journal::open(folder.path()).unwrap().scan(Table::Evidence, &local(), b"", None, 10).unwrap()),
        [0, 1]
    );
}

#[test]
fn damage_before_the_end_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    for first in 0..20 {
        journal.commit(&group(first, b"value")).unwrap();
    }
    drop(journal);
    let path = open::listed(folder.path(), open::ENDING).unwrap().remove(0);
    let bytes = std::fs::read(&path).unwrap();
    for place in (0..bytes.len() - 200).step_by(7) {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        std::fs::write(&path, &changed).unwrap();
        assert!(Journal::open(folder.path()).is_err(), "byte {place}");
    }
}

#[test]
fn keys_of_long_tables_only_ascend() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    journal.commit(&group(5, b"x")).unwrap();
    for first in [0, 5] {
        assert!(matches!(journal.commit(&group(first, b"y")), Err(Error::Conflict)));
    }
    journal.commit(&group(6, b"z")).unwrap();
}

#[test]
fn a_removed_or_replaced_file_refuses_and_a_returned_one_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    let path = open::listed(folder.path(), open::ENDING).unwrap().remove(0);
    let away = folder.path().join("away");
    std::fs::rename(&path, &away).unwrap();
    assert!(matches!(journal.commit(&group(0, b"x")), Err(Error::Gone(_))));
    std::fs::write(&path, b"other").unwrap();
    assert!(matches!(journal.commit(&group(0, b"x")), Err(Error::Gone(_))));
    std::fs::rename(&away, &path).unwrap();
    journal.commit(&group(0, b"x")).unwrap();
}

#[test]
fn a_missing_segment_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::with_segments_of(folder.path(), 500).unwrap();
    for first in 0..60 {
        journal.commit(&group(first, &[1; 50])).unwrap();
    }
    drop(journal);
    let paths = open::listed(folder.path(), open::ENDING).unwrap();
    std::fs::remove_file(&paths[paths.len() / 2]).unwrap();
    let read = Journal::with_segments_of(folder.path(), 500)
        .and_then(|journal| journal.scan(Table::Evidence, &local(), b"", None, 1_000));
    assert!(read.is_err());
}
