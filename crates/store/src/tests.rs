//! What every member of [`Storage`] keeps: one suite, which each of them passes. The storage that is given must be empty.

use model::TenantName;

use crate::{Batch, Error, Row, Storage, Table};

/// The suite over all tables.
pub(crate) fn of_all_tables(storage: &dyn Storage) {
    nothing_is_there_before_it_is_written(storage);
    a_batch_is_whole_or_not_at_all(storage);
    a_swap_needs_the_old_value(storage);
    steps_of_a_batch_see_those_before_them(storage);
    a_scan_stays_with_its_tenant_and_prefix(storage);
    every_table_keeps_its_own_rows_of_any_bytes(storage);
    two_that_swap_at_once_are_not_both_heard(storage);
}

/// The suite over the tables of evidence, as its writer uses them.
pub(crate) fn of_evidence(storage: &dyn Storage) {
    let (one, two) = (tenant("chain_one"), tenant("chain_two"));
    for n in 0..60_u64 {
        let whose = if n % 3 == 0 { &two } else { &one };
        let batch = Batch::new()
            .insert(Table::Evidence, whose, &n.to_be_bytes(), vec![n as u8; 40])
            .put(Table::Uses, whose, b"grant", n.to_be_bytes().to_vec())
            .put(Table::Checkpoints, &one, &(n / 30).to_be_bytes(), n.to_be_bytes().to_vec())
            .put(Table::Meta, &one, b"resume", n.to_be_bytes().to_vec());
        storage.commit(&batch).unwrap();
    }
    let again = Batch::new().insert(Table::Evidence, &one, &59_u64.to_be_bytes(), vec![1]).put(
        Table::Uses,
        &one,
        b"grant",
        vec![9],
    );
    assert!(matches!(storage.commit(&again), Err(Error::Conflict)));
    assert_eq!(storage.get(Table::Uses, &one, b"grant").unwrap().unwrap(), 59_u64.to_be_bytes());
    assert_eq!(storage.last(Table::Evidence, &two).unwrap().unwrap().key, 57_u64.to_be_bytes());
    assert_eq!(storage.last(Table::Checkpoints, &one).unwrap().unwrap().value, 59_u64.to_be_bytes());
    assert_eq!(storage.scan(Table::Checkpoints, &one, b"", None, 9).unwrap().len(), 2);
    let after = 50_u64.to_be_bytes();
    let rows = storage.scan(Table::Evidence, &one, b"", Some(&after), 3).unwrap();
    assert_eq!(rows.iter().map(|row| row.value[0]).collect::<Vec<_>>(), [52, 53, 55]);
    assert_eq!(storage.tenants(Table::Evidence).unwrap(), [one.clone(), two]);
    assert_eq!(storage.tenants(Table::Checkpoints).unwrap(), [one]);
}

fn nothing_is_there_before_it_is_written(storage: &dyn Storage) {
    let name = tenant("nobody");
    for table in Table::ALL {
        assert_eq!(storage.get(table, &name, b"a").unwrap(), None, "{table:?}");
        assert_eq!(storage.last(table, &name).unwrap(), None, "{table:?}");
        assert!(storage.scan(table, &name, b"", None, 10).unwrap().is_empty(), "{table:?}");
        assert!(storage.tenants(table).unwrap().is_empty(), "{table:?}");
    }
    storage.commit(&Batch::new()).unwrap();
    storage.commit(&Batch::new().delete(Table::Grants, &name, b"a")).unwrap();
}

fn a_batch_is_whole_or_not_at_all(storage: &dyn Storage) {
    let (name, other) = (tenant("whole"), tenant("whole_too"));
    storage.commit(&Batch::new().insert(Table::Grants, &name, b"a", b"1".to_vec())).unwrap();
    let clash = Batch::new()
        .put(Table::Grants, &name, b"b", b"2".to_vec())
        .put(Table::Secrets, &other, b"c", b"2".to_vec())
        .delete(Table::Grants, &name, b"a")
        .insert(Table::Grants, &name, b"b", b"3".to_vec());
    assert!(matches!(storage.commit(&clash), Err(Error::Conflict)));
    assert_eq!(storage.get(Table::Grants, &name, b"b").unwrap(), None);
    assert_eq!(storage.get(Table::Secrets, &other, b"c").unwrap(), None);
    assert_eq!(storage.get(Table::Grants, &name, b"a").unwrap().unwrap(), b"1");
    // The refused one was the batch's fault, not the storage's.
    storage.commit(&Batch::new().put(Table::Grants, &name, b"b", b"4".to_vec())).unwrap();
    assert_eq!(storage.get(Table::Grants, &name, b"b").unwrap().unwrap(), b"4");
}

fn a_swap_needs_the_old_value(storage: &dyn Storage) {
    let name = tenant("swap");
    let row = |value: &[u8]| Row { key: b"a".to_vec(), value: value.to_vec() };
    let swap =
        |old: &[u8], new| storage.commit(&Batch::new().swap(Table::Uses, &name, old.to_vec(), row(new)));
    assert!(matches!(swap(b"", b"9"), Err(Error::Conflict)), "there is no row");
    storage.commit(&Batch::new().put(Table::Uses, &name, b"a", b"1".to_vec())).unwrap();
    assert!(matches!(swap(b"0", b"9"), Err(Error::Conflict)));
    swap(b"1", b"2").unwrap();
    swap(b"2", b"2").unwrap();
    assert_eq!(storage.get(Table::Uses, &name, b"a").unwrap().unwrap(), b"2");
    // The row of another tenant is another row.
    let other = tenant("swap_other");
    let foreign = Batch::new().swap(Table::Uses, &other, b"2".to_vec(), row(b"3"));
    assert!(matches!(storage.commit(&foreign), Err(Error::Conflict)));
}

fn steps_of_a_batch_see_those_before_them(storage: &dyn Storage) {
    let (name, other) = (tenant("steps"), tenant("steps_other"));
    let row = Row { key: b"a".to_vec(), value: b"3".to_vec() };
    let batch = Batch::new()
        .insert(Table::Policies, &name, b"a", b"1".to_vec())
        .insert(Table::Policies, &other, b"a", b"x".to_vec())
        .delete(Table::Policies, &name, b"a")
        .insert(Table::Policies, &name, b"a", b"2".to_vec())
        .swap(Table::Policies, &name, b"2".to_vec(), row);
    storage.commit(&batch).unwrap();
    assert_eq!(storage.get(Table::Policies, &name, b"a").unwrap().unwrap(), b"3");
    assert_eq!(storage.get(Table::Policies, &other, b"a").unwrap().unwrap(), b"x");
}

fn a_scan_stays_with_its_tenant_and_prefix(storage: &dyn Storage) {
    let (name, other) = (tenant("scan"), tenant("scan_other"));
    let mut batch = Batch::new();
    for key in ["a/1", "a/2", "a/3", "b/1"] {
        batch = batch.put(Table::Versions, &name, key.as_bytes(), b"x".to_vec());
        batch = batch.put(Table::Versions, &other, key.as_bytes(), b"y".to_vec());
    }
    batch = batch.put(Table::Versions, &name, b"a/\xff\xff", b"x".to_vec());
    storage.commit(&batch).unwrap();
    let keys = |prefix: &[u8], after: Option<&[u8]>, limit| -> Vec<Vec<u8>> {
        let rows = storage.scan(Table::Versions, &name, prefix, after, limit).unwrap();
        assert!(rows.iter().all(|row| row.value == b"x"));
        rows.into_iter().map(|row| row.key).collect()
    };
    assert_eq!(keys(b"a/", Some(b"a/1"), 10), [b"a/2".as_slice(), b"a/3", b"a/\xff\xff"]);
    assert_eq!(keys(b"a/\xff", None, 10), [b"a/\xff\xff"]);
    assert_eq!(keys(b"", None, 2), [b"a/1", b"a/2"]);
    assert_eq!(keys(b"", None, usize::MAX).len(), 5);
    assert_eq!(keys(b"a/", Some(b"b"), 10).len(), 0, "behind the prefix");
    assert_eq!(keys(b"b", Some(b"a"), 10), [b"b/1"], "before the prefix");
    assert_eq!(keys(b"\xff\xff", None, 10).len(), 0);
    assert_eq!(storage.last(Table::Versions, &name).unwrap().unwrap().key, b"b/1");
    assert_eq!(storage.tenants(Table::Versions).unwrap(), [name, other]);
}

fn every_table_keeps_its_own_rows_of_any_bytes(storage: &dyn Storage) {
    let name = tenant("bytes");
    let all: Vec<u8> = (0..=255).collect();
    for (nth, table) in Table::ALL.into_iter().enumerate() {
        let value = vec![nth as u8; nth * 9_000];
        storage.commit(&Batch::new().insert(table, &name, &all, value)).unwrap();
    }
    for (nth, table) in Table::ALL.into_iter().enumerate() {
        assert_eq!(
            storage.get(table, &name, &all).unwrap().unwrap(),
            vec![nth as u8; nth * 9_000],
            "{table:?}"
        );
        assert!(storage.tenants(table).unwrap().contains(&name));
        storage.commit(&Batch::new().delete(table, &name, &all)).unwrap();
        assert!(!storage.tenants(table).unwrap().contains(&name));
    }
}

fn two_that_swap_at_once_are_not_both_heard(storage: &dyn Storage) {
    let name = tenant("race");
    let row = |value: u64| Row { key: b"count".to_vec(), value: value.to_be_bytes().to_vec() };
    storage.commit(&Batch::new().put(Table::Uses, &name, b"count", row(0).value)).unwrap();
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                for _ in 0..25 {
                    while let Err(error) = add_one(storage, &name, &row) {
                        assert!(matches!(error, Error::Conflict | Error::Busy), "{error:?}");
                    }
                }
            });
        }
    });
    assert_eq!(storage.get(Table::Uses, &name, b"count").unwrap().unwrap(), 100_u64.to_be_bytes());
}

fn add_one(storage: &dyn Storage, name: &TenantName, row: &dyn Fn(u64) -> Row) -> Result<(), Error> {
    let old = storage.get(Table::Uses, name, b"count")?.unwrap();
    let count = u64::from_be_bytes(old.as_slice().try_into().unwrap());
    storage.commit(&Batch::new().swap(Table::Uses, name, old, row(count + 1)))
}

fn tenant(name: &str) -> TenantName {
    name.parse().unwrap()
}
