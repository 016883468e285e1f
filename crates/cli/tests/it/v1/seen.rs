//! What changed since somebody looked is not changed again by them; plans run, and checkpoints are read, over the API.

use serde_json::{Value, json};
use testkit::{Demand, Upstream};

use super::client::{Api, Said, Session};

/// The tag of a thing, as it is shown now.
fn tag(api: &Api, session: &Session, path: &str) -> String {
    let said = api.read(session, path);
    assert_eq!(said.status, 200, "{path}: {}", said.value);
    let line = said.head.lines().find(|line| line.starts_with("etag: ")).unwrap().to_owned();
    line.trim_start_matches("etag: ").to_owned()
}

fn seen(api: &Api, session: &Session, (method, path): (&str, &str), tag: &str, body: &Value) -> Said {
    let headers = format!("{}Sec-Fetch-Site: same-origin\r\nIf-Match: {tag}\r\n", session.headers());
    api.ask(method, path, &headers, body)
}

#[test]
fn what_somebody_else_changed_meanwhile_is_not_changed() {
    let api = Api::open();
    let session = api.session();
    let write = |method: &str, path: &str, body: Value| {
        let said = api.write(&session, method, path, &body);
        assert!((200..300).contains(&said.status), "{method} {path}: {}", said.value);
        said.value
    };
    let hook = write("POST", "/v1/webhooks", json!({"url": "https://hooks.example/"}));
    let hook = format!("/v1/webhooks/{}", hook["id"].as_str().unwrap());
    let before = tag(&api, &session, &hook);
    let _ = write("POST", &format!("{hook}:rotate"), Value::Null);
    let refused = |said: Said| {
        assert_eq!((said.status, said.value["code"].as_str()), (412, Some("conflict")), "{}", said.value);
    };
    refused(seen(&api, &session, ("DELETE", &hook), &before, &Value::Null));
    refused(seen(&api, &session, ("POST", &format!("{hook}:enable")), &before, &Value::Null));
    let now = tag(&api, &session, &hook);
    assert_eq!(seen(&api, &session, ("DELETE", &hook), &now, &Value::Null).status, 200);

    let _ = write("POST", "/v1/tenants", json!({"name": "acme_inc"}));
    let before = tag(&api, &session, "/v1/tenants/acme_inc");
    let _ = write("POST", "/v1/tenants/acme_inc/keys", json!({}));
    let erase = ("DELETE", "/v1/tenants/acme_inc?confirm=acme_inc");
    refused(seen(&api, &session, erase, &before, &Value::Null));
    let unheeded = ("POST", "/v1/tenants/acme_inc/keys");
    let said = seen(&api, &session, unheeded, &before, &json!({}));
    assert_eq!((said.status, said.value["errors"][0]["field"].as_str()), (400, Some("If-Match")));
    let now = tag(&api, &session, "/v1/tenants/acme_inc");
    assert_eq!(seen(&api, &session, erase, &now, &Value::Null).status, 200);

    let plan = json!({"plan": "summary: Look\nsteps:\n  - {id: look, operation: github/user.show}\n"});
    let plan = write("POST", "/v1/plans", plan)["id"].as_str().unwrap().to_owned();
    let plan = format!("/v1/plans/{plan}");
    refused(seen(&api, &session, ("POST", &format!("{plan}:cancel")), &now, &Value::Null));
    let now = tag(&api, &session, &plan);
    assert_eq!(seen(&api, &session, ("POST", &format!("{plan}:cancel")), &now, &Value::Null).status, 200);
}

#[test]
fn a_credential_is_changed_as_it_was_seen_or_not_at_all() {
    let api = Api::open();
    let session = api.session();
    let tenant = api.write(&session, "POST", "/v1/tenants", &json!({"name": "acme_inc"}));
    assert_eq!(tenant.status, 201, "{}", tenant.value);
    let place = "/v1/tenants/acme_inc/credentials/openai";
    let key =
        |digit: u8| json!({"credential": format!("sk-{digit}123456789abcdef"), "skip_validation": true});
    let refused = |said: Said| {
        assert_eq!((said.status, said.value["code"].as_str()), (412, Some("conflict")), "{}", said.value);
    };
    let changed = |said: Said| assert_eq!(said.status, 200, "{}", said.value);
    // That nothing is there can be seen as well.
    let nothing = tag(&api, &session, place);
    changed(seen(&api, &session, ("PUT", place), &nothing, &key(0)));
    refused(seen(&api, &session, ("PUT", place), &nothing, &key(1)));
    let first = tag(&api, &session, place);
    let renamed = json!({"name": "Other name"});
    changed(seen(&api, &session, ("PATCH", place), &first, &renamed));
    for (method, path, body) in [
        ("PATCH", place.to_owned(), renamed),
        ("PUT", place.to_owned(), key(2)),
        ("POST", format!("{place}:validate"), Value::Null),
        ("DELETE", place.to_owned(), Value::Null),
    ] {
        refused(seen(&api, &session, (method, &path), &first, &body));
    }
    let now = tag(&api, &session, place);
    assert_eq!(api.read(&session, place).value["name"], "Other name");
    changed(seen(&api, &session, ("DELETE", place), &now, &Value::Null));
    assert_eq!(tag(&api, &session, place), nothing);
}

#[test]
fn a_plan_is_proposed_approved_and_run_over_the_api() {
    let github = Upstream::demanding(Demand::Bearer("ghp_0123456789abcdef".to_owned()));
    github.answer_with("/user", 200, json!({"login": "octo"}));
    let api = Api::with(&[("github", &github)]);
    let session = api.session();
    let write = |path: &str, body: Value| api.write(&session, "POST", path, &body);
    let put =
        api.write(&session, "PUT", "/v1/secrets/github%2Ftoken", &json!({"value": "ghp_0123456789abcdef"}));
    assert_eq!(put.status, 200, "{}", put.value);
    let _ = api.doorward.run(&["role", "grant", "eve", "manager"], "").succeeded();
    let eve = write("/v1/capabilities", json!({"for": "eve", "operations": ["doorward/plan.*"]})).value;
    let bearer = format!("Authorization: Bearer {}\r\n", eve["token"].as_str().unwrap());
    let text = "summary: Look as ${who}\nparameters:\n  who: {default: octo}\nsteps:\n  - {id: look, operation: github/user.show}\n";
    let checked = write("/v1/plans:check", json!({"plan": text, "parameters": {"who": "octo"}}));
    assert_eq!(checked.status, 200, "{}", checked.value);
    let wrong = write("/v1/plans:check", json!({"plan": text, "parameters": {"whom": "octo"}}));
    assert_eq!(wrong.status, 400, "{}", wrong.value);
    let made = api.ask("POST", "/v1/plans", &bearer, &json!({"plan": text}));
    assert_eq!((made.status, made.value["state"].as_str()), (201, Some("proposed")), "{}", made.value);
    let place = format!("/v1/plans/{}", made.value["id"].as_str().unwrap());
    let early = write(&format!("{place}:run"), Value::Null);
    assert_eq!((early.status, early.value["code"].as_str()), (403, Some("approval_required")));
    let digest = json!({"digest": made.value["digest"]});
    assert_eq!(write(&format!("{place}:approve"), digest.clone()).status, 200);
    let other = write(&format!("{place}:run"), json!({"digest": "other"}));
    assert_eq!(other.status, 403, "{}", other.value);
    let ran = write(&format!("{place}:run"), digest);
    assert_eq!((ran.status, ran.value["state"].as_str()), (200, Some("succeeded")), "{}", ran.value);
    assert!(ran.value["steps"][0]["evidence"].as_str().unwrap().starts_with("evd_"), "{}", ran.value);
    assert_eq!(write(&format!("{place}:run"), Value::Null).status, 409, "a plan runs once");
    assert_eq!(write(&format!("{place}:resume"), Value::Null).value["state"], "succeeded");
}

#[test]
fn checkpoints_are_listed_and_the_latest_proves_the_head_of_whoever_asks() {
    let api = Api::open();
    let session = api.session();
    let listed = super::webhooks::until("there is a checkpoint", || {
        let listed = api.read(&session, "/v1/checkpoints?limit=5").value;
        listed["items"][0]["note"].is_string().then_some(listed)
    });
    let first = &listed["items"][0];
    assert!(first["note"].as_str().unwrap().starts_with(first["origin"].as_str().unwrap()), "{first}");
    let latest = super::webhooks::until("the latest has the proof", || {
        let latest = api.read(&session, "/v1/checkpoints/latest").value;
        latest["head"].is_object().then_some(latest)
    });
    assert_eq!(latest["head"]["head"]["tenant"], "local", "{latest}");
    assert_eq!(latest["head"]["note"], latest["note"]);
    assert_eq!(api.read(&session, "/v1/checkpoints/0").value["number"], 0);
    assert_eq!(api.read(&session, "/v1/checkpoints/999999").status, 404);
    assert_eq!(api.read(&session, "/v1/checkpoints/first").status, 400);
}

#[test]
fn a_condition_is_held_as_http_means_it_or_refused_and_never_skipped() {
    let api = Api::open();
    let session = api.session();
    let _ = api.write(&session, "POST", "/v1/tenants", &json!({"name": "acme_inc"}));
    let place = "/v1/tenants/acme_inc/credentials/deepseek";
    let with = |method: &str, path: &str, header: &str, body: &Value| {
        let headers = format!("{}Sec-Fetch-Site: same-origin\r\n{header}\r\n", session.headers());
        api.ask(method, path, &headers, body)
    };
    let key = json!({"credential": "sk-0123456789", "skip_validation": true});
    let name = json!({"name": "Production"});
    assert_eq!(with("PUT", place, "If-Match: *", &key).status, 412, "there is none yet");
    assert_eq!(with("PUT", place, "If-None-Match: *", &key).status, 200);
    let again = with("PUT", place, "If-None-Match: *", &key);
    assert_eq!((again.status, again.value["code"].as_str()), (412, Some("conflict")), "{}", again.value);
    let now = tag(&api, &session, place);
    assert_eq!(with("PATCH", place, &format!("If-Match: \"x\", {now}"), &name).status, 200);
    assert_eq!(with("PATCH", place, "If-Match: \"x\"\r\nIf-Match: \"y\"", &name).status, 412);
    assert_eq!(with("PATCH", place, "If-Match: *", &name).status, 200);
    for (method, path, header, body) in [
        ("PUT", place, "If-None-Match: \"x\"", &key),
        ("PATCH", place, "If-None-Match: *", &name),
        ("PUT", place, "Idempotency-Key: once", &key),
        ("DELETE", place, "Idempotency-Key: once", &Value::Null),
        ("POST", "/v1/tenants", "If-None-Match: *", &json!({"name": "other_inc"})),
    ] {
        let said = with(method, path, header, body);
        let named = header.split(':').next().unwrap();
        assert_eq!(
            (said.status, said.value["errors"][0]["field"].as_str()),
            (400, Some(named)),
            "{}",
            said.value
        );
    }
}
