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
            let tried = |name: &str| found.trial(name).is_some();
            match (&provider.trial, &provider.role) {
                (None, None) => assert!(found.probe().is_some() && found.secrets().len() == 1, "{code}"),
                (trial, role) => {
                    let role = role.as_ref().map(|role| role.trial.as_str());
                    assert!(trial.as_deref().into_iter().chain(role).all(tried), "{code}");
                }
            }
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
    let whose = |credential: &str| aws.tried(&aws.shaped(credential).unwrap().facts);
    let keys = r#"{"access_key_id": "AKIACANARYCANARY0001", "secret_access_key": "s"}"#;
    assert_eq!(whose(keys), (Some("credential"), Whose::Candidate));
    let role = r#"{"role_arn": "arn:aws:iam::123456789012:role/ops", "external_id": "acme"}"#;
    assert_eq!(whose(role), (Some("role"), Whose::House), "it is assumed with the house's own keys");
    let both = format!("{},{}", keys.trim_end_matches('}'), role.trim_start_matches('{'));
    assert_eq!(whose(&both), (Some("role"), Whose::Candidate));
    assert_eq!(
        said("aws", r#"{"role_arn": "a"}"#),
        "Invalid credential: Missing required fields: external_id"
    );
}

#[test]
fn a_member_that_would_go_elsewhere_than_it_should_is_refused() {
    let oci = |region: &str| {
        format!(
            r#"{{"tenancy_ocid": "ocid1.tenancy.oc1..a", "user_ocid": "ocid1.user.oc1..a", "private_key": "k", "region": "{region}",
            "fingerprint": "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff"}}"#
        )
    };
    assert!(find("oci").1.shaped(&oci("eu-frankfurt-1")).is_ok());
    for wrong in ["evil.example/", "eu-frankfurt-1.evil.example", "EU"] {
        assert_eq!(said("oci", &oci(wrong)), "Invalid credential: 'region' does not look like one");
    }
    let role = r#"{"role_arn": "file:///etc/passwd", "external_id": "acme"}"#;
    assert_eq!(said("aws", role), "Invalid credential: 'role_arn' does not look like one");
    let azure = r#"{"tenant_id": "../x", "client_id": "c", "client_secret": "s", "subscription_id": "x"}"#;
    assert!(said("azure", azure).starts_with("Invalid credential: "), "{}", said("azure", azure));
}

#[test]
fn metadata_is_kept_within_the_bounds_of_each_field() {
    let providers = Providers::builtin().unwrap();
    let kept = |name: &str, metadata: Value| {
        let Value::Object(mut metadata) = metadata else { unreachable!() };
        providers.kept(find(name).1, &mut metadata).map_err(|error| error.to_string())
    };
    assert_eq!(kept("openai", json!({"anything": 1})), Ok(()));
    assert_eq!(
        kept("openai", json!({"notes": "x".repeat(501)})).unwrap_err(),
        "Metadata validation failed for 'notes': at most 500 characters"
    );
    assert_eq!(kept("gcp", json!({})), Ok(()));
    let mut written = json!({"project_id": "abcdef", "client_email": "a@b.c", "region": "Europe-West1"});
    providers.kept(find("gcp").1, written.as_object_mut().unwrap()).unwrap();
    assert_eq!(written["region"], "europe-west1");
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

#[test]
#[expect(clippy::disallowed_methods, reason = "a folder of the test's own")]
fn a_list_of_ones_own_lies_over_the_built_in_one_and_has_to_hold_together() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("providers.yaml");
    let read = |text: &str| {
        std::fs::write(&path, text).unwrap();
        Providers::load(&path, &Catalog::builtin()).map_err(|error| error.to_string())
    };
    let entry = |more: &str| {
        format!(
            "providers:\n  COHERE: {{title: Cohere API Key, label: Cohere, help: \"https://cohere.com\", kind: API_KEY, group: genai, metadata: GenAi, {more}}}\n"
        )
    };
    let laid = read(&entry("aliases: [cohere, google], integration: openai")).unwrap();
    assert_eq!(laid.find("Cohere").unwrap().0, "COHERE");
    assert_eq!(laid.find("google").unwrap().0, "COHERE", "an alias that is taken over");
    assert_eq!(laid.find("gemini").unwrap().0, "GEMINI");
    assert_eq!(laid.all().count(), 9);
    for (more, wanted) in [
        ("aliases: [genai], integration: openai", "`genai` is a group"),
        ("aliases: [openai_x], integration: nobody", "nobody"),
        ("aliases: [cohere], integration: bigquery", "has no probe"),
        ("aliases: [cohere], integration: openai, trial: other", "has no trial `other`"),
        ("aliases: [cohere], trial: other", "a trial needs an `integration`"),
        ("aliases: [Cohere], integration: openai", "aliases of lower-case"),
        ("aliases: [cohere], integration: doorward", "is Doorward itself"),
        ("aliases: [cohere], integration: openai, facts: [x]", "`facts` are members"),
        ("aliases: [cohere], integration: openai, prefix: x", "prefix"),
    ] {
        let error = read(&entry(more)).unwrap_err();
        assert!(error.contains(wanted), "{more}: {error}");
    }
    assert!(
        read("providers: {cohere: {title: T, label: L, help: H, kind: K, group: genai, aliases: [], metadata: GenAi}}").is_err()
    );
    std::fs::remove_file(&path).unwrap();
    assert_eq!(Providers::load(&path, &Catalog::builtin()).unwrap().all().count(), 8);
}
