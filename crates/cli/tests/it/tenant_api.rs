//! The API for tenants on its own door: what a program of a service does with a key of its tenant.

use serde_json::{Value, json};
use testkit::{Demand, Upstream};

use crate::credential_api::{Api, Said};

/// An OpenAI that knows one key.
fn openai(key: &str) -> Upstream {
    let upstream = Upstream::demanding(Demand::Bearer(key.to_owned()));
    upstream.answer_with("/v1/models", 200, json!({"object": "list", "data": []}));
    upstream
}

#[test]
fn a_key_is_set_up_tried_at_its_provider_shown_tried_again_and_deleted() {
    let secret = testkit::canary::plant("sk-tenant");
    let good = format!("sk-{secret}");
    let upstream = openai(&good);
    let api = Api::with(&[("openai", &upstream)]);
    api.doorward.watch(&secret);

    let body = json!({"credential": format!(" {good}\n"), "credential_name": "OpenAI Production Key"});
    let said = api.mine("POST", "integrations/acme_inc/openai/setup", &body);
    assert_eq!(said["success"], true, "{said}");
    assert_eq!(said["validation_status"], "VALID");
    assert_eq!(said["message"], "OPENAI integration configured and validated successfully");
    assert_eq!(upstream.requests().len(), 1, "one call, which was accepted");

    let listed = api.mine("GET", "integrations/acme_inc", &Value::Null);
    assert_eq!(listed["integrations"].as_object().unwrap().len(), 8);
    assert_eq!(listed["integrations"]["OPENAI"]["credential_name"], "OpenAI Production Key");
    assert_eq!(listed["integrations"]["GEMINI"]["status"], "NOT_CONFIGURED");
    assert_eq!(
        (listed["all_valid"].as_bool(), listed["providers_configured"][0].as_str()),
        (Some(true), Some("OPENAI"))
    );
    let at = listed["integrations"]["OPENAI"]["last_validated_at"].as_str().unwrap();
    assert!(at.len() == "2026-01-22T03:33:08Z".len() && at.ends_with('Z'), "{at}");
    for name in ["openai", "OpenAI", "OPENAI"] {
        let shown = api.mine("GET", &format!("integrations/acme_inc/{name}"), &Value::Null);
        assert_eq!(shown["status"], "VALID");
    }

    let deleted = api.mine("DELETE", "integrations/acme_inc/openai", &Value::Null);
    assert_eq!(
        deleted,
        json!({"success": true, "message": "OPENAI integration deleted", "provider": "OPENAI"})
    );
    let _ = api.mine("DELETE", "integrations/acme_inc/openai", &Value::Null);
    let shown = api.mine("GET", "integrations/acme_inc/openai", &Value::Null);
    assert_eq!(shown["status"], "NOT_CONFIGURED");
    let said = api.mine("POST", "integrations/acme_inc/openai/validate", &Value::Null);
    assert_eq!(
        (said["success"].as_bool(), said["validation_status"].as_str()),
        (Some(false), Some("NOT_CONFIGURED"))
    );
    let _ = api.doorward.run(&["evidence", "verify"], "").succeeded();
    let evidence = api.doorward.run(&["evidence", "list", "--json"], "").succeeded();
    assert!(evidence.contains("key.create"), "{evidence}");
    api.doorward.assert_no_canary();
}

#[test]
fn a_provider_that_refuses_leaves_the_key_that_works_and_one_that_is_busy_leaves_it_pending() {
    let upstream = openai("sk-good-0123456789");
    let api = Api::with(&[("openai", &upstream)]);
    let setup =
        |key: &str| api.mine("POST", "integrations/acme_inc/openai/setup", &json!({"credential": key}));
    let bad = setup("sk-wrong-0123456789");
    assert_eq!(bad["validation_status"], "INVALID");
    assert_eq!(bad["message"], "OPENAI credential validation failed: Invalid API key");
    let status = || {
        api.mine("GET", "integrations/acme_inc/openai", &Value::Null)["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status(), "INVALID", "there was none before");
    assert_eq!(setup("sk-good-0123456789")["validation_status"], "VALID");
    assert_eq!(setup("sk-wrong-0123456789")["validation_status"], "INVALID");
    assert_eq!(status(), "VALID", "a failed replacement leaves the one before");
    upstream.answer_with("/v1/models", 429, json!({"error": {"message": "slow down"}}));
    let busy = api.mine("POST", "integrations/acme_inc/openai/validate", &Value::Null);
    assert_eq!(
        (busy["validation_status"].as_str(), busy["validation_error"].as_str()),
        (Some("VALID"), Some("API error: 429"))
    );
    let fresh = setup("sk-good-0123456789");
    assert_eq!(fresh["validation_status"], "PENDING");
    upstream.answer_with("/v1/models", 200, json!({"object": "list"}));
    let again = api.mine("POST", "integrations/acme_inc/openai/validate", &Value::Null);
    assert_eq!(again["validation_status"], "VALID");
    assert_eq!(again["credential_id"], fresh["credential_id"], "the one that waited");
}

#[test]
fn nobody_reaches_another_tenant_by_any_method_and_no_key_is_none() {
    let api = Api::with(&[]);
    let calls = [
        ("POST", "integrations/acme_inc/openai/setup", "configure"),
        ("POST", "integrations/acme_inc/openai/validate", "validate"),
        ("GET", "integrations/acme_inc", "view"),
        ("GET", "integrations/acme_inc/openai", "view"),
        ("PUT", "integrations/acme_inc/openai", "update"),
        ("DELETE", "integrations/acme_inc/openai", "delete"),
    ];
    let body = json!({"credential": "sk-0123456789", "skip_validation": true});
    for (method, path, verb) in calls {
        let Said(status, _, value) = api.ask(Some(&api.other), method, path, &body);
        let wanted = format!("Cannot {verb} integrations for another organization");
        assert_eq!((status, value["detail"].as_str()), (403, Some(wanted.as_str())), "{method} {path}");
        let nobody = path.replace("acme_inc", "nobody_inc");
        let Said(status, _, same) = api.ask(Some(&api.other), method, &nobody, &body);
        assert_eq!(
            (status, &same["detail"]),
            (403, &value["detail"]),
            "one that is not there looks the same"
        );
        let Said(status, _, value) = api.ask(None, method, path, &body);
        assert_eq!((status, value["detail"].as_str()), (401, Some("X-API-Key header is required")));
        let Said(status, head, value) = api.ask(Some("acme_inc_api_wrong"), method, path, &body);
        assert_eq!((status, value["detail"].as_str()), (401, Some("Invalid or inactive API key")));
        assert!(head.contains("www-authenticate: apikey"), "{head}");
        let root = format!("X-CA-Root-Key: {}\r\n", api.key);
        assert_eq!(api.raw(method, path, &root, &body.to_string()).0, 401, "the root's header is none here");
    }
    let listed = api.mine("GET", "integrations/acme_inc", &Value::Null);
    assert_eq!(listed["providers_configured"], json!([]), "none of it did anything");
}

#[test]
fn what_is_wrong_with_a_request_is_said_in_the_words_that_programs_know() {
    let api = Api::with(&[]);
    let setup = |provider: &str, body: Value| {
        let Said(status, _, value) =
            api.ask(Some(&api.key), "POST", &format!("integrations/acme_inc/{provider}/setup"), &body);
        (status, value["detail"].clone())
    };
    let skip = |credential: &str| json!({"credential": credential, "skip_validation": true});
    assert_eq!(setup("cohere", skip("sk-0123456789")).0, 400);
    assert_eq!(setup("openai", skip("short")).0, 422);
    assert_eq!(setup("openai", json!({"credential": "sk-0123456789", "api_key": "x"})).0, 422);
    for name in ["ab", "   ", " ab "] {
        assert_eq!(setup("openai", json!({"credential": "sk-0123456789", "credential_name": name})).0, 422);
    }
    let (status, detail) = setup("gcp", json!({"credential": {"type": "authorized_user"}}));
    assert_eq!(status, 400);
    assert!(
        detail.as_str().unwrap().starts_with("Invalid credential type: Expected 'service_account'"),
        "{detail}"
    );
    let (status, detail) = setup("openai", json!({"credential": "x".repeat(100_001)}));
    assert_eq!(status, 413, "{detail}");
    let Said(status, _, value) = api.ask(Some(&api.key), "GET", "integrations/ACME", &Value::Null);
    assert_eq!((status, value["detail"]["field"].as_str()), (400, Some("org_slug")), "{value}");
    // Eight so far were counted; two more are within the limit, and the next is not.
    let document = json!({"type": "service_account", "project_id": "acme-prod", "private_key": "k", "client_email": "a@b.c"});
    // As large as a credential may be: 100,000 bytes, of which a key is most.
    let bare = document.to_string().len() - 1;
    let mut document = document;
    document["private_key"] = json!("k".repeat(100_000 - bare));
    assert_eq!(document.to_string().len(), 100_000);
    let body = json!({"credential": document, "credential_name": "GCP Production SA", "skip_validation": true,
        "default_x_hierarchy_path": "a/b"});
    let (status, _) = setup("gcp", body);
    assert_eq!(status, 200);
    let shown = api.mine("GET", "integrations/acme_inc/gcp", &Value::Null);
    assert_eq!(
        (shown["status"].as_str(), shown["metadata"]["project_id"].as_str()),
        (Some("PENDING"), Some("acme-prod"))
    );
    assert_eq!(setup("openai", skip("sk-0123456789")).0, 200);
    let Said(status, head, value) =
        api.ask(Some(&api.key), "POST", "integrations/acme_inc/openai/setup", &skip("sk-0123456789"));
    assert_eq!((status, value["detail"]["error"].as_str()), (429, Some("Rate limit exceeded")), "{value}");
    assert!(head.contains("retry-after: "), "{head}");
    let _ = api.mine("GET", "integrations/acme_inc", &Value::Null);
}

#[test]
fn a_body_says_each_thing_once_a_name_can_be_seen_and_a_path_has_its_methods() {
    let api = Api::with(&[]);
    let key = format!("X-API-Key: {}\r\n", api.key);
    let setup = |body: &str| {
        let Said(status, _, value) = api.raw("POST", "integrations/acme_inc/openai/setup", &key, body);
        assert_eq!(status, 422, "{body}: {value}");
        (value["detail"][0]["loc"].clone(), value["detail"][0]["msg"].as_str().unwrap().to_owned())
    };
    for (body, place, why) in [
        (
            r#"{"credential": "sk-0123456789", "credential": "sk-9876543210", "skip_validation": true}"#,
            json!(["body"]),
            "a key is written twice",
        ),
        ("[]", json!(["body"]), "a JSON object is expected"),
        ("", json!(["body"]), "Field required"),
        (
            r#"{"credential": "sk-0123456789", "credential_name": "red \u001b[31m", "skip_validation": true}"#,
            json!(["body", "credential_name"]),
            "String should have no control characters",
        ),
    ] {
        assert_eq!(setup(body), (place, why.to_owned()), "{body}");
    }
    assert_eq!(api.mine("GET", "integrations/acme_inc", &Value::Null)["providers_configured"], json!([]));
    for (method, path, methods) in [
        ("PATCH", "integrations/acme_inc/openai", "delete, get, put"),
        ("GET", "integrations/acme_inc/openai/setup", "post"),
    ] {
        let Said(status, head, value) = api.raw(method, path, &key, "");
        assert_eq!((status, value["detail"].as_str()), (405, Some("Method Not Allowed")), "{method} {path}");
        assert!(head.contains(&format!("allow: {methods}\r\n")), "{head}");
    }
    for path in ["integrations/acme_inc/", "integrations/", "integrations/acme_inc//setup"] {
        let Said(status, _, value) = api.raw("GET", path, &key, "");
        assert_eq!((status, value["detail"].as_str()), (404, Some("Not Found")), "{path}");
    }
}

#[test]
fn the_root_key_makes_tenants_and_reaches_none_of_their_credentials() {
    let api = Api::with(&[]);
    let root = api.doorward.run(&["key", "create", "--root"], "").succeeded().trim().to_owned();
    let onboard = |headers: &str, slug: &str| {
        api.raw(
            "POST",
            "organizations/onboard",
            headers,
            &json!({"org_slug": slug, "plan": "SCALE"}).to_string(),
        )
    };
    let Said(status, _, value) = onboard("", "third_inc");
    assert_eq!(
        (status, value["detail"].as_str()),
        (401, Some("Root API key required. Provide X-CA-Root-Key header."))
    );
    let Said(status, _, value) = onboard(&format!("X-CA-Root-Key: {}\r\n", api.key), "third_inc");
    assert_eq!((status, value["detail"].as_str()), (403, Some("Invalid root API key")));
    let header = format!("X-CA-Root-Key: {root}\r\n");
    let Said(status, _, value) = onboard(&header, "third_inc");
    assert_eq!(status, 200, "{value}");
    let key = value["api_key"].as_str().unwrap();
    assert_eq!(api.ask(Some(key), "GET", "integrations/third_inc", &Value::Null).0, 200);
    assert_eq!(onboard(&header, "third_inc").0, 409);
    assert_eq!(onboard(&header, "../x").0, 400);
    assert_eq!(api.ask(Some(&root), "GET", "integrations/third_inc", &Value::Null).0, 403);
}
