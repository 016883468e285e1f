//! Tests of the module `embedded`.

use super::*;

fn local() -> TenantName {
    TenantName::local()
}

#[test]
fn a_batch_is_whole_or_not_at_all() {
    let storage = Embedded::in_memory().unwrap();
    storage.commit(&Batch::new().insert(Table::Grants, &local(), b"a", b"1".to_vec())).unwrap();
    let clash = Batch::new().put(Table::Grants, &local(), b"b", b"2".to_vec()).insert(
        Table::Grants,
        &local(),
        b"a",
        b"3".to_vec(),
    );
    assert!(matches!(storage.commit(&clash), Err(Error::Conflict)));
    assert_eq!(storage.get(Table::Grants, &local(), b"b").unwrap(), None);
    assert_eq!(storage.get(Table::Grants, &local(), b"a").unwrap().unwrap(), b"1");
}

#[test]
fn a_swap_needs_the_old_value() {
    let storage = Embedded::in_memory().unwrap();
    storage.commit(&Batch::new().put(Table::Uses, &local(), b"a", b"1".to_vec())).unwrap();
    let row = |value: &[u8]| Row { key: b"a".to_vec(), value: value.to_vec() };
    assert!(storage.commit(&Batch::new().swap(Table::Uses, &local(), b"0".to_vec(), row(b"9"))).is_err());
    storage.commit(&Batch::new().swap(Table::Uses, &local(), b"1".to_vec(), row(b"2"))).unwrap();
    assert_eq!(storage.get(Table::Uses, &local(), b"a").unwrap().unwrap(), b"2");
}

#[test]
fn a_scan_stays_with_its_tenant_and_prefix() {
    let storage = Embedded::in_memory().unwrap();
    let other: TenantName = "other".parse().unwrap();
    let mut batch = Batch::new();
    for key in ["a/1", "a/2", "a/3", "b/1"] {
        batch = batch.put(Table::Versions, &local(), key.as_bytes(), b"x".to_vec());
        batch = batch.put(Table::Versions, &other, key.as_bytes(), b"y".to_vec());
    }
    storage.commit(&batch).unwrap();
    let rows = storage.scan(Table::Versions, &local(), b"a/", Some(b"a/1"), 10).unwrap();
    assert_eq!(rows.iter().map(|r| r.key.as_slice()).collect::<Vec<_>>(), [b"a/2", b"a/3"]);
    assert!(rows.iter().all(|row| row.value == b"x"));
    assert_eq!(storage.scan(Table::Versions, &local(), b"", None, 2).unwrap().len(), 2);
    assert_eq!(storage.last(Table::Versions, &local()).unwrap().unwrap().key, b"b/1");
    assert_eq!(storage.tenants(Table::Versions).unwrap().len(), 2);
}

#[test]
fn what_was_committed_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("home.db");
    let storage = Embedded::open(&path).unwrap();
    storage.commit(&Batch::new().put(Table::Meta, &local(), b"k", b"v".to_vec())).unwrap();
    storage.copy_to(&folder.path().join("copy.db")).unwrap();
    drop(storage);
    for name in ["home.db", "copy.db"] {
        let again = Embedded::open(&folder.path().join(name)).unwrap();
        assert_eq!(again.get(Table::Meta, &local(), b"k").unwrap().unwrap(), b"v");
    }
}

#[test]
fn a_removed_file_is_noticed_and_a_returned_one_too() {
    let folder = tempfile::tempdir().unwrap();
    let (path, away) = (folder.path().join("home.db"), folder.path().join("away"));
    let storage = Embedded::open(&path).unwrap();
    let batch = Batch::new().put(Table::Meta, &local(), b"k", b"v".to_vec());
    std::fs::rename(&path, &away).unwrap();
    assert!(matches!(storage.commit(&batch), Err(Error::Gone(_))));
    std::fs::rename(&away, &path).unwrap();
    storage.commit(&batch).unwrap();
}

#[test]
fn a_later_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("home.db");
    drop(Embedded::open(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(Embedded::open(&path), Err(Error::Newer { found: 99, .. })));
}

#[test]
fn a_home_is_locked_once() {
    let folder = tempfile::tempdir().unwrap();
    let held = crate::HomeLock::take(folder.path()).unwrap();
    assert!(matches!(crate::HomeLock::take(folder.path()), Err(Error::Locked(_))));
    drop(held);
    crate::HomeLock::take(folder.path()).unwrap();
}
