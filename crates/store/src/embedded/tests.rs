//! Tests of the module `embedded`.

use super::*;

fn local() -> TenantName {
    TenantName::local()
}

#[test]
fn it_keeps_what_every_member_keeps() {
    let storage = Embedded::in_memory().unwrap();
    crate::tests::of_all_tables(&storage);
    crate::tests::of_evidence(&storage);
    let folder = tempfile::tempdir().unwrap();
    crate::tests::of_all_tables(&Embedded::open(&folder.path().join("home.db")).unwrap());
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
fn a_ciphertext_that_was_deleted_is_in_the_log_no_more_also_where_somebody_read_it_then() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("home.db");
    let storage = Embedded::open(&path).unwrap();
    let holds = || {
        ["home.db", "home.db-wal"].iter().any(|name| {
            let bytes = std::fs::read(folder.path().join(name)).unwrap_or_default();
            bytes.windows(6).any(|seen| seen == b"CIPHER")
        })
    };
    let put = |key: &[u8]| Batch::new().put(Table::Versions, &local(), key, b"CIPHER".to_vec());
    storage.commit(&put(b"a")).unwrap();
    assert!(holds());
    storage.commit(&Batch::new().delete(Table::Versions, &local(), b"a")).unwrap();
    assert!(!holds());
    storage.commit(&put(b"b")).unwrap();
    let reading = Connection::open(&path).unwrap();
    reading.execute_batch("BEGIN; SELECT count(*) FROM versions;").unwrap();
    let began = std::time::Instant::now();
    storage.commit(&Batch::new().delete(Table::Versions, &local(), b"b")).unwrap();
    assert!(holds() && began.elapsed() < PATIENCE, "nobody is waited for");
    reading.execute_batch("COMMIT").unwrap();
    storage.commit(&Batch::new().put(Table::Meta, &local(), b"k", b"v".to_vec())).unwrap();
    assert!(!holds());
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

/// A table of a million rows is read page by page at each start.
#[test]
fn a_page_costs_the_same_wherever_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Embedded::open(&folder.path().join("home.db")).unwrap();
    let key = |n: u32| [b"cap_".as_slice(), &n.to_be_bytes()].concat();
    let batch = (0..20_000)
        .fold(Batch::new(), |batch, n| batch.put(Table::Grants, &local(), &key(n), b"row".to_vec()));
    storage.commit(&batch).unwrap();
    let steps = |after: Option<&[u8]>| {
        let Range { from, until, limit } = Range::of(b"cap_", after, 100);
        let connection = storage.read().unwrap();
        let mut statement = connection.prepare(&scanning(Table::Grants, true)).unwrap();
        let rows = statement.query_map(params!["local", from, limit, until], |_| Ok(())).unwrap();
        assert_eq!(rows.count(), 100);
        statement.get_status(rusqlite::StatementStatus::VmStep)
    };
    let (first, late) = (steps(None), steps(Some(&key(19_000))));
    assert!(late <= first + 10, "{first} steps for the first page, {late} for a late one");
}
