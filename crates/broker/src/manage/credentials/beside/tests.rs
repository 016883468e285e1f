//! What may not stand beside a credential.

use serde_json::json;

use super::*;

const KEY: &str = "sk-proj-abcdefghijklmnop0001";

fn looked(credential: &str, name: &str, metadata: &Value) -> Result<Apart, &'static str> {
    let facts = BTreeMap::from([("project_id".to_owned(), "my-project".to_owned())]);
    let beside = Beside { name: Some(name), metadata: metadata.as_object() };
    beside.without(credential, &facts).map_err(|wrong| {
        let told = wrong.into_done().value.to_string();
        assert!(!told.contains(KEY), "{told}");
        if told.contains("credential_name") { "name" } else { "metadata" }
    })
}

#[test]
fn a_credential_stands_neither_in_the_name_nor_in_the_metadata() {
    assert!(looked(KEY, "Production", &json!({"notes": "of the team"})).is_ok());
    assert_eq!(looked(KEY, &format!("key {KEY}"), &json!({})).err(), Some("name"));
    assert_eq!(looked(KEY, "Production", &json!({"notes": format!("it is {KEY}")})).err(), Some("metadata"));
    assert_eq!(looked(KEY, "Production", &json!({"more": [{"deep": KEY}]})).err(), Some("metadata"));
    assert_eq!(looked(KEY, "Production", &json!({KEY: "x"})).err(), Some("metadata"));
    let wrapped = "c2stcHJvai1hYmNkZWZnaGlqa2xtbm9wMDAwMQ==";
    assert_eq!(looked(KEY, "Production", &json!({"notes": wrapped})).err(), Some("metadata"));
}

#[test]
fn neither_does_a_secret_part_of_a_document_while_what_is_no_secret_may() {
    let document = json!({
        "type": "service_account", "project_id": "my-project", "client_email": "a@my-project.example",
        "private_key_id": "0123456789abcdef", "private_key": "-----BEGIN PRIVATE KEY-----\nMIIabcdefgh\n-----END PRIVATE KEY-----\n",
    });
    let (text, key) = (document.to_string(), document["private_key"].clone());
    assert!(looked(&text, "a service_account of my-project", &json!({"project_id": "my-project"})).is_ok());
    assert!(looked(&text, "Production", &json!({"notes": "0123456789abcdef a@my-project.example"})).is_ok());
    assert_eq!(looked(&text, "Production", &json!({"notes": key})).err(), Some("metadata"));
    let aws =
        json!({"access_key_id": "AKIA0000000000000001", "secret_access_key": "abcdefghijklmnopqrstuvwxyz"})
            .to_string();
    assert_eq!(looked(&aws, "abcdefghijklmnopqrstuvwxyz", &json!({})).err(), Some("name"));
}

#[test]
fn one_that_is_kept_already_is_known_by_its_fingerprint() {
    let print = super::super::fingerprint(KEY);
    let beside = |name| Beside { name: Some(name), metadata: None };
    assert!(beside("Production").without_that_of(&print).is_ok());
    assert!(beside(KEY).without_that_of(&print).is_err());
    assert!(beside(&format!("it is \"{KEY}\", I think")).without_that_of(&print).is_err());
}
