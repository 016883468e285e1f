//! What a root key may do over HTTP: make tenants and their keys, and nothing else.

use serde_json::{Value, json};

use super::client::Api;
use super::document::body_of;

/// The routes that it may ask; for every other one it is refused.
const ALLOWED: [&str; 2] = ["createTenant", "createKey"];

#[test]
fn a_root_key_makes_tenants_and_keys_and_is_refused_everything_else() {
    let api = Api::open();
    let run = |args: &[&str]| api.doorward.run(args, "").json();
    let root = run(&["key", "create", "--root", "--json"]);
    let _ = run(&["tenant", "create", "acme_inc", "--json"]);
    let key = run(&["key", "create", "--tenant", "acme_inc", "--json"]);
    let document = api.ask("GET", "/v1/openapi.json", "", &Value::Null).value;
    let headers = format!("X-API-Key: {}\r\n", root["key"].as_str().unwrap());
    let (mut refused, mut made) = (0, 0);
    for (template, methods) in document["paths"].as_object().unwrap() {
        for (method, route) in methods.as_object().unwrap() {
            let id = route["operationId"].as_str().unwrap();
            if route["security"] == json!([]) {
                continue;
            }
            let path = template
                .replace("{tenant}", "acme_inc")
                .replace("{provider}", "openai")
                .replace("{id}", key["id"].as_str().unwrap())
                .replace("{delivery}", "msg_00000000000000000000000000")
                .replace("{name}", "slack")
                .replace("{principal}", "ada")
                .replace("{role}", "auditor");
            let path = if id == "eraseTenant" { format!("{path}?confirm=acme_inc") } else { path };
            let body = if id == "createTenant" { json!({"name": "other_inc"}) } else { body_of(route) };
            let said = api.ask(&method.to_ascii_uppercase(), &path, &headers, &body);
            let wanted = if ALLOWED.contains(&id) { 201 } else { 403 };
            assert_eq!(said.status, wanted, "{id} {path}: {}", said.value);
            if wanted == 201 { made += 1 } else { refused += 1 }
        }
    }
    assert!(made == ALLOWED.len() && refused > 60, "{made} {refused}");
    let said = api.ask("POST", "/v1/session", "", &json!({"key": root["key"]}));
    assert_eq!(said.status, 403, "it begins no session: {}", said.value);
    let again = api.ask("POST", "/v1/tenants/local/keys", &headers, &json!({"scopes": ["root"]}));
    assert_eq!(again.status, 403, "it makes no other one like it: {}", again.value);
    let twice = api.ask("POST", "/v1/tenants", &headers, &json!({"name": "other_inc"}));
    assert_eq!(twice.status, 409, "whoever makes one learns that it is there: {}", twice.value);
    let old = headers.replace("X-API-Key", "X-CA-Root-Key");
    let said = api.ask("POST", "/api/v1/organizations/onboard", &old, &json!({"org_slug": "third_inc"}));
    assert_eq!((said.status, said.value["org_slug"].as_str()), (200, Some("third_inc")), "{}", said.value);
    let key = format!("X-API-Key: {}\r\n", key["key"].as_str().unwrap());
    assert_eq!(api.ask("GET", "/v1/tenants/acme_inc/credentials", &key, &Value::Null).status, 200);
}
