//! Doorward's own API: sessions, shapes, refusals, and that it does what its document says, and nothing else.

mod client;
mod document;
mod names;
mod root_key;
mod schema;
mod seen;
mod sign_in;
mod webhooks;

use serde_json::{Value, json};
use testkit::{Demand, Upstream};

use client::{Api, Said};

#[expect(clippy::too_many_lines, reason = "one story, from the link to the sign-out")]
#[test]
fn somebody_signs_in_with_a_link_once_looks_writes_with_the_token_and_signs_out() {
    let api = Api::open();
    let link = api.doorward.run(&["console", "--no-open", "--json"], "").json();
    let (place, code) = link["url"].as_str().unwrap().split_once("/console/#code=").unwrap();
    assert_eq!(place, api.running.ready["api"].as_str().unwrap());
    let Said { status, head, value, .. } = api.ask("POST", "/v1/session", "", &json!({"code": code}));
    assert_eq!(status, 201, "{value}");
    assert_eq!(
        (value["principal"].as_str(), value["tenant"].as_str(), value["how"].as_str()),
        (Some("owner"), Some("local"), Some("link"))
    );
    assert_eq!((value["roles"][0].as_str(), value["house"].as_bool()), (Some("owner"), Some(true)));
    let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    assert!(cookie.contains("; path=/; httponly; samesite=strict"), "{cookie}");
    assert!(value.get("session").is_none() && !value.to_string().contains("dws1."), "{value}");
    let again = api.ask("POST", "/v1/session", "", &json!({"code": code}));
    assert_eq!((again.status, again.value["code"].as_str()), (401, Some("unauthenticated")));

    let session = api.session();
    let csrf = session.csrf.clone();
    let cookie = format!("Cookie: doorward_session={}\r\n", session.cookie);
    let own = "Sec-Fetch-Site: same-origin\r\n";
    let body = json!({"name": "acme_inc"});
    // A browser sends the cookie to every server on this host: whoever has it alone reads nothing, and gets no word.
    let strange = api.session().csrf;
    for lacks in ["".to_owned(), format!("X-CSRF-Token: {strange}\r\n"), "X-CSRF-Token: \r\n".to_owned()] {
        let one = format!("{cookie}{lacks}{own}");
        for (method, path) in [
            ("GET", "/v1/session"),
            ("GET", "/v1/evidence"),
            ("POST", "/v1/tenants"),
            ("DELETE", "/v1/session"),
        ] {
            let body = if method == "POST" { &body } else { &Value::Null };
            let without = api.ask(method, path, &one, body);
            assert_eq!(
                (without.status, without.value["code"].as_str()),
                (401, Some("unauthenticated")),
                "{path}"
            );
            assert!(!without.raw.contains(&csrf) && without.value["hint"].is_string(), "{}", without.raw);
        }
    }
    let shown = api.read(&session, "/v1/session");
    assert_eq!((shown.status, &shown.value["csrf"]), (200, &Value::Null), "{}", shown.value);
    let token = format!("X-CSRF-Token: {csrf}\r\n");
    let foreign =
        api.ask("POST", "/v1/tenants", &format!("{cookie}{token}Sec-Fetch-Site: cross-site\r\n"), &body);
    assert_eq!(foreign.status, 403, "{}", foreign.value);
    let made = api.ask("POST", "/v1/tenants", &format!("{cookie}{token}{own}"), &body);
    assert_eq!((made.status, made.value["name"].as_str()), (201, Some("acme_inc")), "{}", made.value);

    let out = api.ask("DELETE", "/v1/session", &format!("{cookie}{token}{own}"), &Value::Null);
    assert_eq!(out.status, 204);
    assert!(
        out.head.contains("doorward_session=; path=/; httponly; samesite=strict; max-age=0"),
        "{}",
        out.head
    );
    assert_eq!(api.read(&session, "/v1/session").status, 401);
    let evidence = api.doorward.run(&["evidence", "list", "--json"], "").succeeded();
    for operation in ["session.link", "session.open", "session.close"] {
        assert!(evidence.contains(operation), "{operation}: {evidence}");
    }
    let _ = api.doorward.run(&["evidence", "verify"], "").succeeded();
}

#[test]
fn a_session_ends_with_the_roles_that_it_began_with_and_with_its_key() {
    let api = Api::open();
    let session = api.session();
    assert_eq!(api.read(&session, "/v1/status").status, 200);
    let _ = api.doorward.run(&["role", "grant", "owner", "auditor"], "").succeeded();
    assert_eq!(api.read(&session, "/v1/status").status, 401, "its roles are others now");

    let _ = api.doorward.run(&["tenant", "create", "acme_inc"], "").succeeded();
    let key = api.doorward.run(&["key", "create", "--tenant", "acme_inc", "--json"], "").json();
    let begun = api.ask("POST", "/v1/session", "", &json!({"key": key["key"]}));
    assert_eq!((begun.status, begun.value["how"].as_str()), (201, Some("key")), "{}", begun.value);
    assert_eq!(
        (begun.value["tenant"].as_str(), begun.value["house"].as_bool()),
        (Some("acme_inc"), Some(false))
    );
    let session = begun.session();
    assert_eq!(api.read(&session, "/v1/tenants/acme_inc/credentials").status, 200);
    assert_eq!(api.read(&session, "/v1/tenants").status, 403, "a tenant looks after no tenants");
    let id = key["id"].as_str().unwrap();
    let _ = api.doorward.run(&["key", "revoke", "--tenant", "acme_inc", id], "").succeeded();
    assert_eq!(api.read(&session, "/v1/tenants/acme_inc/credentials").status, 401);
}

#[test]
fn a_credential_is_set_up_in_a_form_tried_changed_and_deleted_and_never_shown() {
    let secret = testkit::canary::plant("sk-v1");
    let good = format!("sk-{secret}");
    let upstream = Upstream::demanding(Demand::Bearer(good.clone()));
    upstream.answer_with("/v1/models", 200, json!({"object": "list", "data": []}));
    let api = Api::with(&[("openai", &upstream)]);
    api.doorward.watch(&secret);
    let _ = api.doorward.run(&["tenant", "create", "acme_inc"], "").succeeded();
    let session = api.session();

    let providers = api.read(&session, "/v1/providers").value;
    assert_eq!(providers["total"], 8);
    let field = &providers["items"][7]["forms"][0]["fields"][0];
    assert_eq!((field["name"].as_str(), field["kind"].as_str()), (Some("credential"), Some("secret")));
    let place = "/v1/tenants/acme_inc/credentials/openai";
    let before = api.read(&session, place).value;
    assert_eq!(before["status"], "NOT_CONFIGURED");
    let wrong = api.write(&session, "PUT", place, &json!({"credential": "sk-wrong-0123456789"}));
    assert_eq!((wrong.status, wrong.value["valid"].as_bool()), (200, Some(false)), "{}", wrong.value);
    let done = api.write(&session, "PUT", place, &json!({"credential": good, "name": "Production"}));
    assert_eq!((done.value["valid"].as_bool(), done.value["status"].as_str()), (Some(true), Some("VALID")));
    let listed = api.read(&session, "/v1/tenants/acme_inc/credentials").value;
    assert_eq!((listed["total"].as_u64(), &listed["configured"]), (Some(8), &json!(["OPENAI"])));
    let changed = api.write(&session, "PATCH", place, &json!({"name": "Production EU"}));
    assert_eq!(changed.status, 200, "{}", changed.value);
    assert_eq!(api.read(&session, place).value["name"], "Production EU");
    let again = api.write(&session, "POST", &format!("{place}:validate"), &Value::Null);
    assert_eq!((again.status, again.value["valid"].as_bool()), (200, Some(true)));
    let gone = api.write(&session, "DELETE", place, &Value::Null);
    assert_eq!((gone.status, gone.value["provider"].as_str()), (200, Some("OPENAI")));
    api.doorward.assert_no_canary();
}

#[test]
fn the_credentials_of_all_tenants_are_surveyed_at_once_and_only_by_the_house() {
    let upstream = Upstream::demanding(Demand::Bearer("sk-good-0123456789".to_owned()));
    upstream.answer_with("/v1/models", 200, json!({"object": "list", "data": []}));
    let api = Api::with(&[("openai", &upstream)]);
    let session = api.session();
    for n in 1..=14 {
        let name = format!("a{n:02}");
        assert_eq!(api.write(&session, "POST", "/v1/tenants", &json!({"name": name})).status, 201);
        let key = if n == 14 { "sk-wrong-0123456789" } else { "sk-good-0123456789" };
        let place = format!("/v1/tenants/{name}/credentials/openai");
        assert_eq!(api.write(&session, "PUT", &place, &json!({"credential": key})).status, 200);
    }
    let waits = json!({"credential": "sk-later-0123456789", "skip_validation": true});
    assert_eq!(api.write(&session, "PUT", "/v1/tenants/a13/credentials/openai", &waits).status, 200);
    let _ = api.write(&session, "DELETE", "/v1/tenants/a01?confirm=a01", &Value::Null);
    let looked = api.read(&session, "/v1/credentials?connected=false&limit=1").value;
    let counts = ["tenants", "configured", "connected", "total"].map(|name| looked[name].as_u64().unwrap());
    assert_eq!(counts, [13, 13, 11, 2], "{looked}");
    let next = format!("/v1/credentials?connected=false&cursor={}", looked["next"].as_str().unwrap());
    let rest = api.read(&session, &next).value;
    let shown = |one: &Value| (one["at"].clone(), one["status"].clone());
    assert_eq!(shown(&looked["items"][0]), (json!("a13/OPENAI"), json!("PENDING")));
    assert_eq!(shown(&rest["items"][0]), (json!("a14/OPENAI"), json!("INVALID")));
    let key = api.doorward.run(&["key", "create", "--tenant", "a02"], "").succeeded();
    let bearer = format!("X-API-Key: {}\r\n", key.trim());
    let refused = api.ask("GET", "/v1/credentials", &bearer, &Value::Null);
    assert!([403, 404].contains(&refused.status), "{}", refused.value);
}

#[test]
fn what_is_wrong_is_said_where_it_is_wrong_but_to_nobody_who_is_unproven() {
    let api = Api::open();
    let session = api.session();
    let said = |body: Value| {
        let said = api.write(&session, "POST", "/v1/tenants", &body);
        assert_eq!((said.status, said.value["code"].as_str()), (400, Some("bad_request")), "{}", said.value);
        assert!(said.head.contains("content-type: application/problem+json"), "{}", said.head);
        said.value["errors"].clone()
    };
    let errors = said(json!({"nam": "acme_inc", "plan": "FREE"}));
    assert_eq!(errors, json!([{"field": "nam", "message": "is not known here; did you mean `name`?"}]));
    let errors = said(json!({"plan": "FREE"}));
    assert_eq!((errors[0]["field"].as_str(), errors[1]["field"].as_str()), (Some("name"), Some("plan")));
    let _ = said(json!({"name": 7}));
    let unproven = api.ask("POST", "/v1/tenants", "", &json!({"nam": "x"}));
    assert_eq!((unproven.status, unproven.value.get("errors")), (401, None));
    assert!(unproven.head.contains("www-authenticate: bearer"), "{}", unproven.head);
    for (path, field) in [("/v1/tenants?stat=active", "stat"), ("/v1/tenants?limit=5&limit=6", "limit")] {
        let said = api.read(&session, path);
        assert_eq!((said.status, said.value["errors"][0]["field"].as_str()), (400, Some(field)));
    }
    assert_eq!(api.read(&session, "/v1/tenants?limit=0").status, 400);
    assert_eq!(api.read(&session, "/v1/tenants?cursor=zz").status, 400);
    let method = api.ask("PATCH", "/v1/tenants", "", &Value::Null);
    assert_eq!(method.status, 405);
    assert!(method.head.contains("allow: get, head, post, options"), "{}", method.head);
    let options = api.ask("OPTIONS", "/v1/tenants", "Origin: https://evil.example\r\n", &Value::Null);
    assert_eq!(options.status, 204);
    assert!(!options.head.contains("access-control"), "{}", options.head);
    assert_eq!(api.ask("GET", "/v1/nothing", "", &Value::Null).status, 404);
    let form = api.raw(
        "POST",
        "/v1/session",
        "Content-Type: application/x-www-form-urlencoded\r\n",
        r#"{"code": "dwc1.x"}"#,
    );
    assert_eq!(form.status, 415, "what a form can send is not read");
    let large = api.write(&session, "POST", "/v1/tenants", &json!({"name": "x".repeat(2 << 20)}));
    assert_eq!(large.status, 413);
    let twice =
        api.raw("POST", "/v1/session", "Content-Type: application/json\r\n", r#"{"code": "a", "code": "b"}"#);
    assert!(twice.value["detail"].as_str().unwrap().contains("a key twice"), "{}", twice.value);
    let missing = api.write(&session, "DELETE", "/v1/secrets/nobody", &Value::Null);
    assert_eq!(
        (missing.status, missing.value["code"].as_str()),
        (404, Some("not_found")),
        "{}",
        missing.value
    );
    let erase = api.write(&session, "DELETE", "/v1/tenants/acme_inc", &Value::Null);
    assert_eq!((erase.status, erase.value["errors"][0]["field"].as_str()), (400, Some("confirm")));
}

#[test]
fn lists_have_pages_and_what_has_not_changed_is_not_sent_again() {
    let api = Api::open();
    let session = api.session();
    for name in ["delta", "alpha", "charlie", "bravo"] {
        assert_eq!(api.write(&session, "POST", "/v1/tenants", &json!({"name": name})).status, 201);
    }
    let first = api.read(&session, "/v1/tenants?limit=3").value;
    let names = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        (names(&first).join(","), first["total"].as_u64()),
        ("alpha,bravo,charlie".to_owned(), Some(4))
    );
    let rest =
        api.read(&session, &format!("/v1/tenants?limit=3&cursor={}", first["next"].as_str().unwrap())).value;
    assert_eq!((names(&rest).join(","), rest["next"].is_null()), ("delta".to_owned(), true));
    let gone = api.write(&session, "DELETE", "/v1/tenants/alpha?confirm=alpha", &Value::Null);
    assert_eq!((gone.status, gone.value["status"].as_str()), (200, Some("erased")), "{}", gone.value);
    assert_eq!(api.read(&session, "/v1/tenants?status=erased").value["total"], 1);

    let one = api.read(&session, "/v1/tenants/bravo");
    let tag = one.head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned();
    let own = session.headers();
    let same = api.ask("GET", "/v1/tenants/bravo", &format!("{own}If-None-Match: {tag}\r\n"), &Value::Null);
    assert_eq!((same.status, same.value.is_null()), (304, true));
    assert!(
        one.head.contains("ratelimit: ") && one.head.contains("x-doorward-evidence: evd_"),
        "{}",
        one.head
    );

    let evidence = api.read(&session, "/v1/evidence?operation=tenant.create&limit=3").value;
    assert_eq!(evidence["items"].as_array().unwrap().len(), 3);
    let rest = api.read(
        &session,
        &format!(
            "/v1/evidence?operation=tenant.create&limit=3&cursor={}",
            evidence["next"].as_str().unwrap()
        ),
    );
    assert_eq!(rest.value["items"].as_array().unwrap().len(), 1, "{}", rest.value);
    let found = api.read(&session, "/v1/evidence?q=TENANT:charlie&door=server&result=done").value;
    assert_eq!(found["items"].as_array().unwrap().len(), 1, "{found}");
    assert_eq!(found["items"][0]["proof"], "session");
    let proof = api.read(&session, &format!("/v1/evidence/{}", found["items"][0]["id"].as_str().unwrap()));
    assert_eq!(proof.value["records"].as_array().unwrap().len(), 2);
    let verified = api.write(&session, "POST", "/v1/evidence:verify", &Value::Null);
    assert_eq!(verified.value["verified"], true, "{}", verified.value);
}

#[test]
fn a_request_with_a_key_is_performed_once_also_behind_a_restart() {
    let api = Api::open();
    let root = api.doorward.run(&["key", "create", "--root"], "").succeeded().trim().to_owned();
    let another = api.doorward.run(&["key", "create", "--root"], "").succeeded().trim().to_owned();
    let ask = |api: &Api, key: &str, once: &str, path: &str, body: &Value| {
        api.ask("POST", path, &format!("X-API-Key: {key}\r\nIdempotency-Key: {once}\r\n"), body)
    };
    let wanted = json!({"name": "once_inc"});
    let first = ask(&api, &root, "one", "/v1/tenants", &wanted);
    assert_eq!((first.status, first.head.contains("idempotency-replayed")), (201, false), "{}", first.value);
    let again = ask(&api, &root, "one", "/v1/tenants", &wanted);
    assert_eq!((again.status, &again.value), (201, &first.value));
    assert!(again.head.contains("idempotency-replayed: true"), "{}", again.head);
    let other = ask(&api, &root, "one", "/v1/tenants", &json!({"name": "other_inc"}));
    assert_eq!((other.status, other.value["code"].as_str()), (422, Some("bad_request")), "{}", other.value);
    let theirs = ask(&api, &another, "one", "/v1/tenants", &json!({"name": "other_inc"}));
    assert_eq!(theirs.status, 201, "somebody else's key is another one: {}", theirs.value);
    let refused = ask(&api, &root, "two", "/v1/tenants", &wanted);
    assert_eq!(refused.status, 409, "the tenant is there: {}", refused.value);
    let freed = ask(&api, &root, "two", "/v1/tenants", &json!({"name": "free_inc"}));
    assert_eq!(freed.status, 201, "what was refused leaves no row: {}", freed.value);
    let quoted = ask(&api, &root, "\"one\"", "/v1/tenants", &wanted);
    assert_eq!((quoted.status, &quoted.value), (201, &first.value), "the same key in quotes");
    let long = ask(&api, &root, &"k:".repeat(127), "/v1/tenants", &json!({"name": "long_inc"}));
    assert_eq!(long.status, 201, "{}", long.value);
    for wrong in ["a key".to_owned(), "\"\"".to_owned(), "k".repeat(256)] {
        assert_eq!(ask(&api, &root, &wrong, "/v1/tenants", &wanted).status, 400, "{wrong}");
    }
    let wrong = ask(&api, &root, "a key", "/v1/tenants", &wanted);
    assert_eq!((wrong.status, wrong.value["errors"][0]["field"].as_str()), (400, Some("Idempotency-Key")));
    let key = ask(&api, &root, "three", "/v1/tenants/once_inc/keys", &json!({"label": "ci"}));
    assert_eq!(key.status, 201, "{}", key.value);
    let stored = ["home.db", "home.db-wal"]
        .map(|name| std::fs::read(api.doorward.data().join(name)).unwrap_or_default());
    let stored = stored.concat();
    assert!(stored.len() > 10_000);
    let shown = key.value["key"].as_str().unwrap().as_bytes();
    assert!(!stored.windows(shown.len()).any(|part| part == shown), "what was shown once is sealed");
    let api = api.restarted();
    let same = ask(&api, &root, "three", "/v1/tenants/once_inc/keys", &json!({"label": "ci"}));
    assert_eq!(same.value, key.value);
    // Whoever makes keys looks at none.
    let keys = api.doorward.run(&["key", "list", "--tenant", "once_inc", "--json"], "").json();
    assert_eq!(keys["keys"].as_array().map(Vec::len), Some(1), "{keys}");
}

#[test]
fn what_somebody_else_wrote_meanwhile_is_not_written_over() {
    let api = Api::open();
    let session = api.session();
    let policy = |role: &str| json!({"text": format!("forbid (principal in Doorward::Role::\"{role}\", action, resource);")});
    assert_eq!(api.write(&session, "PUT", "/v1/policies/house", &policy("one")).status, 200);
    let seen = api.read(&session, "/v1/policies/house");
    let tag = seen.head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned();
    let write = |tag: &str, method: &str, body: &Value| {
        let headers = format!("{}Sec-Fetch-Site: same-origin\r\nIf-Match: {tag}\r\n", session.headers());
        api.ask(method, "/v1/policies/house", &headers, body)
    };
    assert_eq!(write(&tag, "PUT", &policy("two")).status, 200);
    let late = write(&tag, "PUT", &policy("three"));
    assert_eq!((late.status, late.value["code"].as_str()), (412, Some("conflict")), "{}", late.value);
    assert_eq!(write(&tag, "DELETE", &Value::Null).status, 412);
    let wrong = api.write(&session, "PUT", "/v1/policies/house", &json!({"text": "\nforbid (principal"}));
    assert_eq!(
        (wrong.status, wrong.value["errors"][0]["field"].as_str()),
        (400, Some("text")),
        "{}",
        wrong.value
    );
    assert!(wrong.value["errors"][0]["line"].is_u64(), "{}", wrong.value);
}

#[test]
fn a_key_is_known_to_the_first_request_behind_a_start() {
    let mut api = Api::open();
    let _ = api.doorward.run(&["tenant", "create", "acme_inc"], "").succeeded();
    let key = api.doorward.run(&["key", "create", "--tenant", "acme_inc", "--json"], "").json();
    let key = format!("X-API-Key: {}\r\n", key["key"].as_str().unwrap());
    for place in ["/v1/tenants/acme_inc/credentials", "/api/v1/integrations/acme_inc"] {
        api = api.restarted();
        let first = api.ask("GET", place, &key, &Value::Null);
        assert_eq!(first.status, 200, "{place}: {}", first.value);
    }
    api = api.restarted();
    let strange = key.replace("acme_inc", "acme_ink");
    assert_eq!(api.ask("GET", "/v1/tenants/acme_inc/credentials", &strange, &Value::Null).status, 401);
}
