//! What stands beside the credentials of a tenant: never the credential, and nothing that nobody can see or delete.

use serde_json::{Value, json};

use crate::credential_api::{Api, Said};

#[test]
fn a_credential_in_its_name_or_metadata_is_refused_and_kept_nowhere() {
    let api = Api::with(&[]);
    let secret = testkit::canary::plant("sk-beside");
    let key = format!("sk-{secret}");
    api.doorward.watch(&secret);
    let asked = |method: &str, path: &str, body: Value| {
        let Said(status, _, said) = api.ask(Some(&api.key), method, path, &body);
        (status, said["detail"][0]["loc"][1].as_str().map(str::to_owned))
    };
    let (setup, place) = ("integrations/acme_inc/openai/setup", "integrations/acme_inc/openai");
    let named = json!({"credential": key, "skip_validation": true, "credential_name": format!("key {key}")});
    assert_eq!(asked("POST", setup, named.clone()), (422, Some("credential_name".to_owned())));
    let noted = json!({"credential": key, "skip_validation": true, "metadata": {"notes": key}});
    assert_eq!(asked("POST", setup, noted), (422, Some("metadata".to_owned())));
    let document = json!({"access_key_id": "AKIACANARYCANARY0001", "secret_access_key": secret});
    let part = json!({"credential": document, "skip_validation": true, "metadata": {"notes": secret}});
    assert_eq!(asked("POST", "integrations/acme_inc/aws/setup", part), (422, Some("metadata".to_owned())));
    assert_eq!(asked("POST", setup, json!({"credential": key, "skip_validation": true})).0, 200);
    assert_eq!(asked("PUT", place, named), (422, Some("credential_name".to_owned())));
    // Also where only the one that is kept already says which it is.
    assert_eq!(
        asked("PUT", place, json!({"credential_name": key})),
        (422, Some("credential_name".to_owned()))
    );
    assert_eq!(asked("PUT", place, json!({"metadata": {"notes": format!("is {key}.")}})).0, 422);
    assert_eq!(asked("PUT", place, json!({"credential_name": "Production"})).0, 200);
    let database = std::fs::read(api.doorward.data().join("home.db")).unwrap();
    testkit::canary::assert_free_of(&database, &secret, "the database");
    api.doorward.assert_no_canary();
}

#[test]
fn what_is_kept_for_a_provider_that_went_out_of_the_list_is_seen_deleted_and_counts_nothing() {
    let cohere = "providers:\n  COHERE: {title: Cohere API Key, label: Cohere, help: \"https://dashboard.cohere.com/\", kind: API_KEY, \
                  group: genai, aliases: [cohere], integration: cohere, metadata: GenAi}\n";
    let api =
        Api::with(&[]).restarted(|doorward| crate::write(doorward.data().join("providers.yaml"), cohere));
    let key = api.tenant("small_inc", "starter");
    let asked = |api: &Api, method: &str, path: &str, credential: &str| {
        let body = json!({"credential": credential, "skip_validation": true});
        let body = if credential.is_empty() { Value::Null } else { body };
        let Said(status, _, said) =
            api.ask(Some(&key), method, &format!("integrations/small_inc{path}"), &body);
        (status, said)
    };
    assert_eq!(asked(&api, "POST", "/cohere/setup", "co-abcdefghijklmnop").0, 200);
    let api = api.restarted(|doorward| std::fs::remove_file(doorward.data().join("providers.yaml")).unwrap());
    let ask = |method: &str, path: &str, credential: &str| asked(&api, method, path, credential);
    let (_, listed) = ask("GET", "", "");
    assert_eq!(listed["integrations"]["COHERE"]["status"], "PENDING", "{listed}");
    assert_eq!((&listed["providers_configured"], &listed["all_valid"]), (&json!(["COHERE"]), &json!(false)));
    assert_eq!(ask("GET", "/cohere", "").1["status"], "PENDING");
    for (provider, credential) in
        [("openai", "sk-0123456789"), ("gemini", "AIza0123456789"), ("deepseek", "sk-0123456789")]
    {
        let (status, said) = ask("POST", &format!("/{provider}/setup"), credential);
        assert_eq!(status, 200, "{said}");
    }
    assert_eq!(ask("POST", "/anthropic/setup", "sk-ant-0123456789").0, 429);
    assert_eq!(ask("DELETE", "/cohere", "").0, 200);
    assert_eq!(ask("GET", "/cohere", "").0, 400);
    assert!(ask("GET", "", "").1["integrations"].get("COHERE").is_none());
}
