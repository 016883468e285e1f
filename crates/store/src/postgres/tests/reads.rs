//! What a session sees, what a fence does, and how a schema of the version before is brought up to date.

use super::*;

#[test]
fn between_two_reads_a_session_sees_nobody() {
    let Some(server) = server() else { return };
    let storage = opened(&Setup { connections: 1, ..setup(&server, "doorward") });
    storage.commit(&put(1)).unwrap();
    let local = TenantName::local();
    assert!(storage.get(Table::Grants, &local, b"a").unwrap().is_some());
    assert_eq!(storage.scan(Table::Grants, &local, b"", None, 10).unwrap().len(), 1);
    assert!(storage.last(Table::Grants, &local).unwrap().is_some());
    // On the same connection, as there is one.
    let seen = storage.read(storage.timeout, |link| {
        let row = link.client().query_one("SELECT count(*) FROM doorward.grants", &[]);
        row.and_then(|row| row.try_get::<_, i64>(0)).map_err(link::trouble)
    });
    assert_eq!(seen.unwrap(), 0);
}

#[test]
fn a_fence_holds_a_row_as_it_is_and_does_not_write_it() {
    let Some(server) = server() else { return };
    let storage = opened(&setup(&server, "doorward"));
    let local = TenantName::local();
    let fence = |value: u64| {
        let row = Row { key: b"a".to_vec(), value: value.to_be_bytes().to_vec() };
        let batch = Batch::new().swap(Table::Grants, &local, value.to_be_bytes().to_vec(), row);
        batch.put(Table::Grants, &local, b"b", value.to_be_bytes().to_vec())
    };
    let place = || server.sql("doorward", "SELECT ctid, xmin FROM doorward.grants WHERE key = 'a'");
    assert!(matches!(storage.commit(&fence(1)), Err(crate::Error::Conflict)), "no row is there");
    storage.commit(&put(1)).unwrap();
    let before = place();
    storage.commit(&fence(1)).unwrap();
    assert_eq!(place(), before);
    assert!(matches!(storage.commit(&fence(2)), Err(crate::Error::Conflict)), "it is another one");
    assert_eq!(storage.get(Table::Grants, &local, b"b").unwrap().unwrap(), 1_u64.to_be_bytes());
}

#[test]
fn a_schema_of_the_version_before_is_brought_up_to_date_by_its_owner_only() {
    let Some(server) = server() else { return };
    let good = setup(&server, "doorward");
    let storage = opened(&good);
    storage.commit(&put(7)).unwrap();
    drop(storage);
    // What version 1 had not.
    let names: Vec<String> = Table::ALL
        .iter()
        .map(|table| table.as_str())
        .map(|table| {
            format!(
                "DROP FUNCTION doorward.get_{table}, doorward.scan_{table}, doorward.last_{table}, doorward.step_{table};
                 CREATE FUNCTION doorward.step_{table}(smallint, text, bytea, bytea, bytea) RETURNS void LANGUAGE sql AS '';"
            )
        })
        .collect();
    let former = format!("{} UPDATE doorward.schema SET version = 1", names.concat());
    let _ = server.sql("doorward", &format!("SET ROLE doorward_owner; {former}"));
    let said = refused(&Setup { owner: None, ..good.clone() });
    assert!(said.contains("has version 1, this program needs 2"), "{said}");
    let storage = opened(&good);
    assert_eq!(storage.get(Table::Grants, &TenantName::local(), b"a").unwrap().unwrap(), 7_u64.to_be_bytes());
    storage.commit(&put(8)).unwrap();
}
