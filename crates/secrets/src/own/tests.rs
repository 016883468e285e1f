//! What every keyring holds to, and what this one does beyond.

use store::Row;

use super::*;
use crate::tests::fixture::{self, CANARY, canary, shown, tenant};

fn place(kept: Kept) -> Own {
    let (storage, keyring, _) = fixture::home();
    Own::new(storage, Arc::new(keyring), TenantName::local(), kept)
}

fn item(name: &str) -> Item {
    Item {
        name: name.to_owned(),
        secret: canary(),
        label: "l".into(),
        description: "d".into(),
        trust: Trust::Nobody,
    }
}

#[test]
fn entries_come_back_whole_under_any_name() {
    let own = place(Kept::Credentials);
    let names = ["dev", "with space", "ä/ö%2F", "sts.AssumeRole,cA,YQ,123", "oidc:https://x/start#/"];
    for name in names {
        own.set(item(name)).unwrap();
    }
    let mut sorted = names.map(str::to_owned).to_vec();
    sorted.sort();
    assert_eq!(own.names().unwrap(), sorted);
    for name in names {
        assert_eq!(shown(&own.get(name).unwrap().secret), CANARY.as_bytes(), "{name}");
    }
    own.remove("dev").unwrap();
    assert!(matches!(own.get("dev"), Err(Error::NotFound { .. })));
    assert!(matches!(own.remove("dev"), Err(Error::NotFound { .. })));
}

#[test]
fn an_entry_is_replaced() {
    let own = place(Kept::Credentials);
    own.set(item("dev")).unwrap();
    own.set(Item { secret: fixture::secret("CANARY-second"), ..item("dev") }).unwrap();
    assert_eq!(shown(&own.get("dev").unwrap().secret), b"CANARY-second");
    assert_eq!(own.names().unwrap().len(), 1);
}

#[test]
fn names_and_bytes_that_can_not_be_kept_are_refused() {
    let own = place(Kept::Credentials);
    for name in ["", "a\0b", &"n".repeat(LONGEST_NAME + 1)] {
        assert!(matches!(own.set(item(name)), Err(Error::Name { .. })), "{name:?}");
        assert!(matches!(own.get(name), Err(Error::Name { .. })), "{name:?}");
    }
    let long = Item { secret: fixture::secret(&"x".repeat(LONGEST + 1)), ..item("long") };
    assert!(matches!(own.set(long), Err(Error::TooLong { .. })));
    assert!(own.names().unwrap().is_empty());
}

#[test]
fn an_entry_that_was_moved_does_not_open() {
    let own = place(Kept::Credentials);
    let seeds = Own {
        storage: Arc::clone(&own.storage),
        keyring: Arc::clone(&own.keyring),
        tenant: own.tenant.clone(),
        kept: Kept::Seeds,
    };
    own.set(item("dev")).unwrap();
    let sealed = own.storage.get(Table::Meta, &own.tenant, &own.row("dev").unwrap()).unwrap().unwrap();
    for row in [own.row("prod").unwrap(), seeds.row("dev").unwrap()] {
        own.commit(&Batch::new().put(Table::Meta, &own.tenant, &row, sealed.clone())).unwrap();
    }
    for moved in [own.get("prod"), seeds.get("dev")] {
        assert!(matches!(moved, Err(Error::Malformed { .. })));
    }
    assert_eq!(seeds.names().unwrap(), ["dev"]);
}

#[test]
fn nothing_is_stored_in_the_clear_and_no_text_shows_it() {
    let own = place(Kept::Seeds);
    own.set(item("dev")).unwrap();
    let rows = own.storage.scan(Table::Meta, &own.tenant, b"aws/", None, usize::MAX).unwrap();
    let clear = |row: &Row| row.value.windows(6).any(|part| part == b"CANARY");
    assert_eq!((rows.len(), rows.iter().any(clear)), (1, false));
}

#[test]
fn a_tenant_without_keys_keeps_nothing() {
    let (storage, keyring, _) = fixture::home();
    let own = Own::new(storage, Arc::new(keyring), tenant("other"), Kept::Credentials);
    assert!(matches!(own.set(item("dev")), Err(Error::Refused { .. })));
    assert!(own.names().unwrap().is_empty());
}
