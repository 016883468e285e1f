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
fn it_keeps_what_every_member_keeps_of_evidence() {
    let folder = tempfile::tempdir().unwrap();
    crate::tests::of_evidence(&Journal::with_segments_of(folder.path(), 500).unwrap());
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
            // As the log does it: of three checkpoints the last one stays.
            batch = batch.put(Table::Checkpoints, &local(), &(n / 30).to_be_bytes(), vec![n as u8; 20]);
            batch = batch.put(Table::Meta, &local(), b"resume", n.to_be_bytes().to_vec());
        }
        journal.commit(&batch).unwrap();
        database.commit(&batch).unwrap();
    }
    for table in [Table::Evidence, Table::Checkpoints, Table::Meta, Table::Uses] {
        assert_eq!(journal.tenants(table).unwrap(), database.tenants(table).unwrap());
        for tenant in [&local(), &other] {
            assert_eq!(journal.last(table, tenant).unwrap(), database.last(table, tenant).unwrap());
            for after in [None].into_iter().chain((0..302_u64).map(Some)) {
                let after = after.map(u64::to_be_bytes);
                let after = after.as_ref().map(<[u8; 8]>::as_slice);
                if let Some(after) = after {
                    assert_eq!(
                        journal.get(table, tenant, after).unwrap(),
                        database.get(table, tenant, after).unwrap()
                    );
                }
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
    assert_eq!(again.set_aside().len(), 1);
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

#[test]
fn only_the_last_checkpoint_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    let put = |n: u64, value: &[u8]| {
        Batch::new().put(Table::Checkpoints, &local(), &n.to_be_bytes(), value.to_vec())
    };
    for (n, value) in [(0, b"a"), (0, b"b"), (1, b"c"), (1, b"d")] {
        journal.commit(&put(n, value)).unwrap();
    }
    assert!(matches!(journal.commit(&put(0, b"x")), Err(Error::Conflict)));
    let insert = Batch::new().insert(Table::Checkpoints, &local(), &1_u64.to_be_bytes(), b"x".to_vec());
    assert!(matches!(journal.commit(&insert), Err(Error::Conflict)));
    let twice = Batch::new().insert(Table::Evidence, &local(), b"1", vec![1]).insert(
        Table::Evidence,
        &local(),
        b"1",
        vec![1],
    );
    assert!(matches!(journal.commit(&twice), Err(Error::Conflict)));
    let foreign = Batch::new().put(Table::Grants, &local(), b"1", vec![1]);
    assert!(matches!(journal.commit(&foreign), Err(Error::Conflict)));
    drop(journal);
    let again = Journal::open(folder.path()).unwrap();
    let rows = again.scan(Table::Checkpoints, &local(), b"", None, 10).unwrap();
    assert_eq!(rows.iter().map(|row| row.value.as_slice()).collect::<Vec<_>>(), [b"b", b"d"]);
}

#[test]
fn a_file_that_somebody_else_has_cut_or_written_to_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    journal.commit(&group(0, b"x")).unwrap();
    let path = open::listed(folder.path(), open::ENDING).unwrap().remove(0);
    let file = File::options().write(true).open(&path).unwrap();
    let length = file.metadata().unwrap().len();
    for other in [length - 1, length + 1] {
        file.set_len(other).unwrap();
        assert!(matches!(journal.commit(&group(1, b"y")), Err(Error::Damaged { .. })));
        assert_eq!(file.metadata().unwrap().len(), other);
    }
}

#[test]
fn a_torn_end_is_cut_before_a_new_segment_begins() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::with_segments_of(folder.path(), 300).unwrap();
    journal.commit(&group(0, &[1; 400])).unwrap();
    drop(journal);
    let path = open::listed(folder.path(), open::ENDING).unwrap().remove(0);
    let file = File::options().write(true).open(&path).unwrap();
    file.write_all_at(&[9; 20], file.metadata().unwrap().len()).unwrap();
    let journal = Journal::with_segments_of(folder.path(), 300).unwrap();
    journal.commit(&group(1, &[1; 400])).unwrap();
    drop(journal);
    let again = Journal::with_segments_of(folder.path(), 300).unwrap();
    assert_eq!(keys(&again.scan(Table::Evidence, &local(), b"", None, 10).unwrap()), [0, 1]);
}

#[test]
fn the_head_of_a_segment_says_what_the_frames_before_it_said() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::with_segments_of(folder.path(), 500).unwrap();
    for first in 0..30 {
        journal.commit(&group(first, &[1; 50])).unwrap();
    }
    drop(journal);
    let path = open::listed(folder.path(), open::ENDING).unwrap().remove(2);
    let mut bytes = std::fs::read(&path).unwrap();
    // The count in the head, changed by somebody who knows how to make the sum right.
    let length = 8 + u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
    let at = bytes[..length].windows(5).position(|at| at == b"grant").unwrap() + 5 + 4 + 7;
    bytes[at] ^= 1;
    let sum = crc32fast::hash(&bytes[8..length]);
    bytes[4..8].copy_from_slice(&sum.to_be_bytes());
    #[expect(clippy::disallowed_methods, reason = "a test damages a file")]
    std::fs::write(&path, &bytes).unwrap();
    let journal = Journal::with_segments_of(folder.path(), 500).unwrap();
    assert!(journal.scan(Table::Evidence, &local(), b"", None, 1_000).is_err());
}
