//! Keys are proven, scopes are words, rows are read again.

use store::{Batch, Embedded};

use super::*;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn acme() -> TenantName {
    "acme_inc".parse().unwrap()
}

/// A key of `acme_inc` that was made at 1000, its text, and who knows it.
fn made(scopes: &str) -> (Tenancy, Principals, MacKey, String, KeyRow) {
    let (tenancy, principals, hashing) = (Tenancy::default(), Principals::new(), MacKey::new([7; 32]));
    let fresh = Fresh::make(&acme(), &hashing).unwrap();
    let id = KeyId::new(at(1000), [1; 10]);
    let row = fresh.row(id, Scope::list(scopes).unwrap(), "owner".parse().unwrap(), at(1000));
    tenancy.put_key(&acme(), row.clone(), &principals).unwrap();
    let text = fresh.text.to_string();
    (tenancy, principals, hashing, text, row)
}

fn code(result: Result<Held, Refusal>) -> Code {
    result.err().unwrap().code
}

#[test]
fn a_key_begins_with_its_tenant_and_proves_it_and_is_not_in_its_row() {
    let (tenancy, _, hashing, text, row) = made("credentials:read");
    assert!(text.starts_with("acme_inc_api_") && text.len() >= "acme_inc_api_".len() + 43, "{text}");
    let held = tenancy.proven(&hashing, text.as_bytes(), at(2000)).unwrap();
    assert_eq!((held.tenant(), held.id()), (&acme(), row.id));
    assert_eq!(KeyRow::tenant_of(text.as_bytes()), Some(acme()));
    let written = serde_json::to_string(&row).unwrap();
    assert!(!written.contains(text.rsplit("_api_").next().unwrap()), "{written}");
}

#[test]
fn a_wrong_key_a_revoked_one_and_one_under_another_hashing_key_are_refused_alike() {
    let (tenancy, principals, hashing, text, mut row) = made("credentials:read");
    assert_eq!(code(tenancy.proven(&hashing, b"acme_inc_api_wrong", at(2000))), Code::Unauthenticated);
    assert_eq!(code(tenancy.proven(&hashing, b"", at(2000))), Code::Unauthenticated);
    let other = MacKey::new([8; 32]);
    assert_eq!(code(tenancy.proven(&other, text.as_bytes(), at(2000))), Code::Unauthenticated);
    row.revoked = Some(at(1500));
    tenancy.put_key(&acme(), row, &principals).unwrap();
    assert_eq!(code(tenancy.proven(&hashing, text.as_bytes(), at(2000))), Code::Unauthenticated);
}

#[test]
fn a_key_ends_when_it_expires() {
    let (tenancy, principals, hashing, text, mut row) = made("credentials:read");
    row.expires = Some(at(2000));
    tenancy.put_key(&acme(), row, &principals).unwrap();
    assert!(tenancy.proven(&hashing, text.as_bytes(), at(1999)).is_ok());
    assert_eq!(code(tenancy.proven(&hashing, text.as_bytes(), at(2000))), Code::Expired);
}

#[test]
fn a_scope_is_two_words_so_that_none_is_a_role_that_says_more() {
    for wrong in ["manager", "owner", "registrar", "a:b:c", "a:", ":b", "A:b", "", "led", "holder"] {
        assert!(Scope::list(wrong).is_err(), "{wrong}");
    }
    let roles: Vec<_> =
        Scope::list("credentials:read, pipelines:run").unwrap().iter().map(Scope::role).collect();
    assert_eq!(roles, ["credentials-read", "pipelines-run"]);
}

#[test]
fn what_was_written_is_read_again() {
    let (_, _, hashing, text, row) = made("credentials:write");
    let storage = Embedded::in_memory().unwrap();
    let tenant = TenantRow { plan: Plan::Scale, created: at(1), erased: None };
    let batch = store::put(Batch::new(), &acme(), &row.id.to_string(), &row).unwrap();
    storage.commit(&store::put(batch, &acme(), TenantRow::KEY, &tenant).unwrap()).unwrap();
    let (tenancy, principals) = (Tenancy::default(), Principals::new());
    assert!(tenancy.proven(&hashing, text.as_bytes(), at(2000)).is_err());
    tenancy.read(&storage, &acme(), &principals).unwrap();
    // What is known is not read again: whoever changes it says so.
    storage.commit(&Batch::new().delete(store::Table::Tenants, &acme(), TenantRow::KEY.as_bytes())).unwrap();
    tenancy.read(&storage, &acme(), &principals).unwrap();
    assert_eq!(tenancy.keys_of(&acme()).len(), 1);
    // Names of which there is nothing fill no memory.
    tenancy.read(&storage, &"nobody".parse().unwrap(), &principals).unwrap();
    assert!(!tenancy.knows(&"nobody".parse().unwrap()));
    assert!(tenancy.proven(&hashing, text.as_bytes(), at(2000)).is_ok());
    assert_eq!(*tenancy.active(&acme()).unwrap(), tenant);
    assert_eq!(tenancy.active(&"other".parse().unwrap()).unwrap_err().code, Code::NotFound);
}

#[test]
fn a_tenants_name_has_one_shape() {
    for wrong in ["ab", "Acme", "a-b", "a.b", "../x", &"a".repeat(51), "a b", "ab\0c"] {
        assert!(TenantRow::name(wrong).is_err(), "{wrong:?}");
    }
    assert!(TenantRow::name("acme_inc").is_ok() && TenantRow::name("_ab").is_ok());
    assert!(TenantRow::name(&"a".repeat(50)).is_ok());
}
