//! The API for tenants at its bounds: who may, how many, how often, how large, and what never gets out.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use store::{Batch, Storage, Table};
use testkit::vendor::Anthropic;
use testkit::{Demand, Upstream};

use crate::credential_api::{Api, Said, ask, moved};

const CALLS: [(&str, &str); 6] = [
    ("POST", "integrations/acme_inc/openai/setup"),
    ("POST", "integrations/acme_inc/openai/validate"),
    ("GET", "integrations/acme_inc"),
    ("GET", "integrations/acme_inc/openai"),
    ("PUT", "integrations/acme_inc/openai"),
    ("DELETE", "integrations/acme_inc/openai"),
];

fn skipping(credential: &str) -> Value {
    json!({"credential": credential, "skip_validation": true})
}

#[test]
fn a_key_that_was_revoked_or_is_over_proves_nothing_on_any_route() {
    let api = Api::with(&[]);
    let made = |more: &[&str]| {
        let words = [&["key", "create", "--tenant", "acme_inc", "--json"], more].concat();
        api.doorward.run(&words, "").json()
    };
    let (revoked, brief) = (made(&[]), made(&["--expires", "1s"]));
    let id = revoked["id"].as_str().unwrap();
    let _ = api.doorward.run(&["key", "revoke", id, "--tenant", "acme_inc"], "").succeeded();
    let key = |made: &Value| made["key"].as_str().unwrap().to_owned();
    let until = Instant::now() + crate::HANG;
    while api.ask(Some(&key(&brief)), "GET", "integrations/acme_inc", &Value::Null).0 == 200 {
        assert!(Instant::now() < until, "a key of a second never ends");
        std::thread::sleep(Duration::from_millis(20));
    }
    for (method, path) in CALLS {
        let body = skipping("sk-0123456789");
        let Said(status, head, said) = api.ask(Some(&key(&revoked)), method, path, &body);
        assert_eq!(
            (status, said["detail"].as_str()),
            (401, Some("Invalid or inactive API key")),
            "{method} {path}"
        );
        assert!(head.contains("www-authenticate: apikey"), "{head}");
        let Said(status, _, said) = api.ask(Some(&key(&brief)), method, path, &body);
        assert_eq!((status, said["detail"].as_str()), (401, Some("API key has expired")), "{method} {path}");
    }
    let read = made(&["--scopes", "credentials:read"]);
    assert_eq!(api.ask(Some(&key(&read)), "GET", "integrations/acme_inc", &Value::Null).0, 200);
    assert_eq!(api.ask(Some(&key(&read)), CALLS[0].0, CALLS[0].1, &skipping("sk-0123456789")).0, 403);
}

#[test]
fn a_plan_has_room_for_so_many_providers_however_many_ask_at_once() {
    let api = Api::with(&[]);
    let key = api.tenant("small_inc", "starter");
    let place = api.place();
    let (place, key) = (place.as_str(), key.as_str());
    let setup = |provider: &str, credential: Value| {
        let body = json!({"credential": credential, "skip_validation": true});
        let path = format!("integrations/small_inc/{provider}/setup");
        let Said(status, _, said) = ask(place, Some(key), ("POST", &path), &body);
        (status, said["detail"].clone())
    };
    let credentials = [
        ("openai", json!("sk-0123456789")),
        ("anthropic", json!("sk-ant-0123456789")),
        ("gemini", json!("AIza0123456789")),
        ("deepseek", json!("sk-0123456789")),
        (
            "gcp",
            json!({"type": "service_account", "project_id": "acme-prod", "private_key": "k", "client_email": "a@b.c"}),
        ),
        ("aws", json!({"access_key_id": "AKIACANARYCANARY0001", "secret_access_key": "s"})),
    ];
    let kept = std::thread::scope(|scope| {
        let asked: Vec<_> =
            credentials.iter().map(|(name, value)| scope.spawn(|| setup(name, value.clone()).0)).collect();
        asked.into_iter().map(|one| one.join().unwrap()).filter(|status| *status == 200).count()
    });
    assert_eq!(kept, 3, "never more than the plan has room for");
    let listed = api.doorward.run(&["integration", "status", "small_inc", "--json"], "").json();
    let configured: Vec<&str> =
        listed["providers_configured"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(configured.len(), 3, "{configured:?}");
    for (name, value) in &credentials {
        let code = api.doorward.run(&["integration", "status", "small_inc", "--json"], "").json();
        let there = code["integrations"].as_object().unwrap().iter().any(|(code, shown)| {
            shown["status"] != "NOT_CONFIGURED" && code.to_lowercase().starts_with(*name)
        });
        if ["openai", "deepseek"].contains(name) {
            let (status, detail) = setup(name, value.clone());
            let wanted = "Integration limit reached. Your plan allows 3 integrations. Upgrade to add more.";
            match there {
                true => assert_eq!(status, 200, "one that is there may change: {detail}"),
                false => assert_eq!((status, detail), (429, wanted.into())),
            }
        }
    }
}

#[test]
fn two_at_once_for_one_provider_leave_one_in_use() {
    let api = Api::with(&[]);
    let place = api.place();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (place, key) = (place.as_str(), api.key.as_str());
            let body = skipping(&format!("sk-{number}-0123456789"));
            scope.spawn(move || ask(place, Some(key), CALLS[0], &body));
        }
    });
    let debug = api.doorward.run(&["integration", "debug", "acme_inc", "--json"], "").json();
    let rows = debug["credentials"].as_array().unwrap();
    assert_eq!(rows.len(), 8);
    assert_eq!(rows.iter().filter(|row| row["is_active"] == true).count(), 1, "{rows:?}");
    assert_eq!(debug["several_in_use"], json!([]));
}

#[test]
fn looking_uses_up_nothing_of_what_setting_up_may_do_and_nobody_uses_up_anothers() {
    let api = Api::with(&[]);
    for _ in 0..20 {
        let _ = api.mine("GET", "integrations/acme_inc", &Value::Null);
        // A stranger who asks for it is refused before anything is counted.
        assert_eq!(api.ask(Some(&api.other), CALLS[0].0, CALLS[0].1, &skipping("sk-0123456789")).0, 403);
    }
    for number in 1..=11 {
        let Said(status, head, said) =
            api.ask(Some(&api.key), CALLS[0].0, CALLS[0].1, &skipping("sk-0123456789"));
        if number <= 10 {
            assert_eq!(status, 200, "{number}: {said}");
        } else {
            let wait: u64 =
                head.lines().find_map(|line| line.strip_prefix("retry-after: ")).unwrap().parse().unwrap();
            assert_eq!((status, (1..=120).contains(&wait)), (429, true), "{said}");
            assert_eq!(said["detail"]["message"], "Too many requests for org acme_inc");
        }
    }
    let path = CALLS[0].1.replace("acme_inc", "other_inc");
    assert_eq!(api.ask(Some(&api.other), "POST", &path, &skipping("sk-0123456789")).0, 200);
    let _ = api.mine("GET", "integrations/acme_inc", &Value::Null);
}

#[test]
fn a_name_that_no_tenant_can_have_is_refused_and_so_is_what_breaks_a_header() {
    let api = Api::with(&[]);
    let long = "x".repeat(51);
    for slug in
        ["..%2Fx", "ACME_INC", "ab", &long, "acme%00inc", "acme%27%20OR%201=1--", "acme-inc", "acme%0d%0ainc"]
    {
        let Said(status, _, said) =
            api.ask(Some(&api.key), "GET", &format!("integrations/{slug}"), &Value::Null);
        assert_eq!((status, said["detail"]["field"].as_str()), (400, Some("org_slug")), "{slug}: {said}");
    }
    let fold = format!("X-API-Key: {}\r\n x: y\r\n", api.key);
    assert_eq!(api.raw("GET", "integrations/acme_inc", &fold, "").0, 400, "a folded header");
    let twice = format!("X-API-Key: {0}\r\nX-API-Key: {0}\r\n", api.key);
    assert_eq!(api.raw("GET", "integrations/acme_inc", &twice, "").0, 401, "two keys");
    let Said(status, _, said) = api.ask(Some(&api.key), "GET", "integrations/acme_inc/cohere", &Value::Null);
    let wanted = "Invalid provider specified. Please check the supported providers list.";
    assert_eq!((status, said["detail"].as_str()), (400, Some(wanted)));
}

#[test]
fn metadata_is_merged_and_what_names_the_credential_is_not_changed() {
    let api = Api::with(&[]);
    let document = json!({"type": "service_account", "project_id": "acme-prod", "private_key": "k", "client_email": "a@b.c"});
    let body = json!({"credential": document, "metadata": {"region": "us-central1", "notes": "n"}, "skip_validation": true});
    let Said(status, _, said) = api.ask(Some(&api.key), "POST", "integrations/acme_inc/gcp/setup", &body);
    assert_eq!(status, 200, "{said}");
    let put = |metadata: Value| {
        let Said(status, _, said) =
            api.ask(Some(&api.key), "PUT", "integrations/acme_inc/gcp", &json!({"metadata": metadata}));
        (status, said)
    };
    let (status, said) =
        put(json!({"region": "europe-west1", "project_id": "somebody-elses", "client_email": "x@y.z"}));
    assert_eq!((status, said["message"].as_str()), (200, Some("GCP_SA integration updated successfully")));
    let shown = api.mine("GET", "integrations/acme_inc/gcp", &Value::Null);
    assert_eq!(
        shown["metadata"],
        json!({"project_id": "acme-prod", "client_email": "a@b.c", "region": "europe-west1", "notes": "n"})
    );
    for wrong in [json!({"region": "Bad Region"}), json!({"notes": "x".repeat(501)}), json!({"unknown": "x"})]
    {
        let (status, said) = put(wrong);
        assert_eq!(status, 400);
        assert!(said["detail"].as_str().unwrap().starts_with("Invalid metadata structure: "), "{said}");
    }
    let large = json!({"notes": "x".repeat(60_000)});
    assert_eq!(put(large).0, 413);
    let Said(status, _, _) =
        api.ask(Some(&api.key), "PUT", "integrations/acme_inc/openai", &json!({"metadata": {}}));
    assert_eq!(status, 404);
}

#[test]
fn a_credential_goes_to_its_provider_and_nowhere_else() {
    let elsewhere = Upstream::start();
    let service = Anthropic::start("sk-ant-0123456789", &["claude-haiku-4-5"]);
    service.answer_instead(307, Some(&elsewhere.url()));
    let files = [
        "name: openai\nextends: openai\nbase_url: https://127.0.0.1:9\n".to_owned(),
        moved("anthropic", &service.url(), ""),
    ];
    let api = Api::laid(&files, "", &[]);
    let (status, why, _) = api.set_up("openai", &"sk-0123456789abcdef".into());
    assert_eq!(status, "PENDING", "a private address without leave is not asked: {why}");
    assert!(why.contains("127.0.0.1"), "{why}");
    let (status, why, _) = api.set_up("anthropic", &"sk-ant-0123456789".into());
    assert_eq!((status.as_str(), why.as_str()), ("INVALID", "API validation failed - unexpected redirect"));
    assert!(elsewhere.requests().is_empty());
}

#[test]
fn every_request_is_on_record_with_the_key_and_the_callers_own_name_for_it() {
    let service = Upstream::demanding(Demand::Bearer("sk-0123456789abcdef".to_owned()));
    service.answer_with("/v1/models", 200, json!({"object": "list"}));
    let api = Api::with(&[("openai", &service)]);
    let made = api.doorward.run(&["key", "create", "--tenant", "acme_inc", "--json"], "").json();
    let (key, id) = (made["key"].as_str().unwrap(), made["id"].as_str().unwrap());
    let body = json!({"credential": "sk-0123456789abcdef"}).to_string();
    let calls = [
        ("POST", "integrations/acme_inc/openai/setup", body.as_str(), "req-setup-1"),
        ("PUT", "integrations/acme_inc/openai", "{\"credential_name\": \"Other\"}", "req-update-1"),
        ("POST", "integrations/acme_inc/openai/validate", "", "req-validate-1"),
        ("DELETE", "integrations/acme_inc/openai", "", "req-delete-1"),
    ];
    for (method, path, body, request) in calls {
        let headers = format!("X-API-Key: {key}\r\nX-Request-ID: {request}\r\n");
        let Said(status, head, said) = api.raw(method, path, &headers, body);
        assert_eq!(status, 200, "{said}");
        assert!(head.contains(&format!("x-request-id: {request}")), "{head}");
    }
    let mut evidence = Vec::new();
    for entry in std::fs::read_dir(api.doorward.data().join("evidence")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            evidence.extend(std::fs::read(path).unwrap());
        }
    }
    let has = |part: &str| evidence.windows(part.len()).any(|window| window == part.as_bytes());
    let operations = ["credential.setup", "credential.update", "credential.validate", "credential.delete"];
    let fingerprint = crypto::to_hex(&crypto::sha256(&[b"sk-0123456789abcdef"])[..4]);
    for part in
        calls.iter().map(|call| call.3).chain(operations).chain([id, fingerprint.as_str(), "models.list"])
    {
        assert!(has(part), "`{part}` is not in the evidence");
    }
    assert!(!has("sk-0123456789abcdef"));
    let _ = api.doorward.run(&["evidence", "verify"], "").succeeded();
}

#[test]
fn a_ciphertext_that_is_moved_to_another_tenant_does_not_open_there() {
    let service = Upstream::demanding(Demand::Bearer("sk-0123456789abcdef".to_owned()));
    service.answer_with("/v1/models", 200, json!({"object": "list"}));
    let api = Api::with(&[("openai", &service)]);
    assert_eq!(api.set_up("openai", &"sk-0123456789abcdef".into()).0, "VALID");
    let asked = service.requests().len();
    let api = api.restarted(|doorward| {
        let storage = store::Embedded::open(&doorward.data().join("home.db")).unwrap();
        let (from, to): (model::TenantName, model::TenantName) =
            ("acme_inc".parse().unwrap(), "other_inc".parse().unwrap());
        let mut batch = Batch::new();
        for table in [Table::Secrets, Table::Credentials] {
            for row in storage.scan(table, &from, b"", None, 100).unwrap() {
                batch = batch.put(table, &to, &row.key, row.value);
            }
        }
        storage.commit(&batch).unwrap();
    });
    let Said(status, _, said) =
        api.ask(Some(&api.other), "POST", "integrations/other_inc/openai/validate", &Value::Null);
    assert_eq!(status, 200, "{said}");
    assert!(!said["validation_error"].is_null(), "{said}");
    assert_eq!(service.requests().len(), asked, "nothing was sent anywhere");
}

#[test]
fn the_root_key_of_an_environment_makes_tenants_and_one_that_is_short_stops_the_start() {
    let root = "root-CANARY-0123456789abcdefghijklmnop";
    let api = Api::laid(&[], "", &[("CA_ROOT_API_KEY", root)]);
    api.doorward.watch(root);
    let onboard = |key: &str, slug: &str| {
        let body = json!({"org_slug": slug, "plan": "SCALE"}).to_string();
        api.raw("POST", "organizations/onboard", &format!("X-CA-Root-Key: {key}\r\n"), &body)
    };
    let Said(status, _, said) = onboard(root, "third_inc");
    assert_eq!(status, 200, "{said}");
    let key = said["api_key"].as_str().unwrap();
    assert_eq!(api.ask(Some(key), "GET", "integrations/third_inc", &Value::Null).0, 200);
    assert_eq!(api.ask(Some(root), "GET", "integrations/third_inc", &Value::Null).0, 403);
    assert_eq!(onboard("root-CANARY-0123456789abcdefghijklmnoq", "fourth_inc").0, 403);
    let listed = api.doorward.run(&["key", "list", "--tenant", "local"], "").succeeded();
    assert!(listed.contains("CA_ROOT_API_KEY") && !listed.contains(root), "{listed}");
    api.doorward.assert_no_canary();
    let api = api.restarted(|_| {});
    let body = json!({"org_slug": "fifth_inc"}).to_string();
    let header = format!("X-CA-Root-Key: {root}\r\n");
    assert_eq!(api.raw("POST", "organizations/onboard", &header, &body).0, 403, "it is nowhere but there");
    assert!(api.running.stop().success());
    let mut command = api.doorward.command();
    command.args(["serve", "--addr", "127.0.0.1:0"]).env("CA_ROOT_API_KEY", "short");
    let said = api.doorward.run_command(command, "").failed_with(2);
    assert!(said.contains("CA_ROOT_API_KEY") && !said.contains("`short`"), "{said}");
}
