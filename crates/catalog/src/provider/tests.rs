//! What a credential looks like, and what may be noted beside it.

use serde_json::json;

use super::*;
use crate::Catalog;

fn find(name: &str) -> (&'static str, &'static Provider) {
    Providers::builtin().unwrap().find(name).unwrap()
}

fn said(provider: &str, credential: &str) -> String {
    find(provider).1.shaped(credential).unwrap_err().to_string()
}

#[test]
fn a_provider_goes_by_its_code_and_its_aliases_in_any_case() {
    for (name, code) in [
        ("openai", "OPENAI"),
        ("OpenAI", "OPENAI"),
        ("claude", "ANTHROPIC"),
        ("google", "GEMINI"),
        ("GCP_SA", "GCP_SA"),
        ("aws_keys", "AWS_IAM"),
        ("oci", "OCI"),
    ] {
        assert_eq!(find(name).0, code);
    }
    assert!(Providers::builtin().unwrap().find("cohere").is_none());
    assert_eq!(Providers::builtin().unwrap().all().count(), 8);
}

#[test]
fn every_provider_has_a_schema_and_an_integration_that_is_there_and_has_a_probe() {
    let providers = Providers::builtin().unwrap();
    for (code, provider) in providers.all() {
        assert!(providers.schemas.contains_key(&provider.metadata), "{code}");
        if let Some(name) = &provider.integration {
            let found = Catalog::builtin().get(name).unwrap();
            assert!(found.probe().is_some() && found.secrets().len() == 1, "{code}");
        }
    }
    for schema in providers.schemas.values() {
        for field in schema.fields.values().chain(schema.lists.values().flat_map(|list| list.fields.values()))
        {
            if let Some(pattern) = &field.pattern {
                Regex::new(pattern).unwrap();
            }
        }
    }
}

#[test]
fn a_key_that_begins_otherwise_is_told_how_it_should_and_is_not_repeated() {
    assert_eq!(said("openai", "pk-0123456789"), "OpenAI API Key should start with '['sk-', 'keisk-']'");
    assert_eq!(said("gemini", "sk-0123456789"), "Gemini API Key should start with 'AIza'");
    assert_eq!(said("deepseek", "sk-1"), "DeepSeek API Key is too short");
    assert!(find("openai").1.shaped("keisk-0123456789").is_ok());
}

#[test]
fn a_service_account_is_refused_in_the_exact_words() {
    assert_eq!(
        said("gcp", "not json at all"),
        "Invalid JSON format: The credential must be valid JSON. Please copy the entire contents of your Service Account JSON file."
    );
    assert_eq!(
        said("gcp", "[1, 2, 3, 4, 5]"),
        "Invalid credential format: Expected a JSON object, not an array or primitive value."
    );
    let wrong = |found| {
        format!(
            "Invalid credential type: Expected 'service_account' but got '{found}'. Please ensure you're using a Service Account JSON key file."
        )
    };
    assert_eq!(said("gcp", r#"{"type": "authorized_user"}"#), wrong("authorized_user"));
    assert_eq!(said("gcp", r#"{"private_key": "x"}"#), wrong("missing"));
    assert_eq!(
        said("gcp", r#"{"type": "service_account", "project_id": "p"}"#),
        "Invalid Service Account JSON: Missing required fields: private_key, client_email"
    );
    let whole = r#"{"type": "service_account", "project_id": "p", "private_key": "k", "client_email": "e"}"#;
    let facts = find("gcp").1.shaped(whole).unwrap().facts;
    assert_eq!(
        facts.into_iter().collect::<Vec<_>>(),
        [("client_email".to_owned(), "e".to_owned()), ("project_id".to_owned(), "p".to_owned())]
    );
}

#[test]
fn a_credential_for_aws_is_keys_or_a_role() {
    let aws = find("aws").1;
    assert!(aws.shaped(r#"{"access_key_id": "a", "secret_access_key": "s"}"#).is_ok());
    assert!(aws.shaped(r#"{"role_arn": "a", "external_id": "s"}"#).is_ok());
    assert_eq!(
        said("aws", r#"{"role_arn": "a"}"#),
        "Invalid credential: Missing required fields: external_id"
    );
}

#[test]
fn metadata_is_kept_within_the_bounds_of_each_field() {
    let providers = Providers::builtin().unwrap();
    let kept = |name: &str, metadata: Value| {
        let Value::Object(metadata) = metadata else { unreachable!() };
        providers.kept(find(name).1, &metadata).map_err(|error| error.to_string())
    };
    assert_eq!(kept("openai", json!({"anything": 1})), Ok(()));
    assert_eq!(
        kept("openai", json!({"notes": "x".repeat(501)})).unwrap_err(),
        "Metadata validation failed for 'notes': at most 500 characters"
    );
    assert_eq!(kept("gcp", json!({})), Ok(()));
    assert_eq!(
        kept("gcp", json!({"project_id": "abcdef"})).unwrap_err(),
        "Metadata validation failed for 'client_email': Field required"
    );
    let gcp = |field: &str, value: Value| {
        let mut all = json!({"project_id": "abcdef", "client_email": "a@b.c"});
        all[field] = value;
        kept("gcp", all)
    };
    assert_eq!(gcp("billing_export_table", json!("p.d.t")), Ok(()));
    for wrong in ["p.d", "p..d.t", "/p.d.t", ""] {
        assert!(gcp("billing_export_table", json!(wrong)).is_err(), "{wrong}");
    }
    assert!(gcp("project_id", json!("short")).is_err());
    assert!(gcp("unknown", json!("x")).is_err());
    let account = json!({"name": "n", "billing_export_table": "p.d.t"});
    assert_eq!(gcp("additional_billing_accounts", json!([account])), Ok(()));
    assert!(gcp("additional_billing_accounts", json!(vec![account; 11])).is_err());
    assert!(gcp("additional_billing_accounts", json!([{"name": "n"}])).is_err());
    assert!(kept("azure", json!({"subscription_id": "short"})).is_err());
    assert!(kept("oci", json!({"notes": "x"})).is_err());
}

#[test]
fn a_list_with_an_unknown_key_is_refused_with_its_line() {
    let error = Providers::read("schemas: {}\nproviders:\n  X: {titel: x}\n", "p.yaml").unwrap_err();
    assert!(error.to_string().contains("p.yaml") && error.to_string().contains('3'), "{error}");
}
