//! OpenAI clients through the gateway: by the path of an integration, and under `/v1` with a provider of the settings. The client is OpenAI's own
//! library; the service is written from the vendor's documents.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use testkit::vendor::OpenAi;
use testkit::{Doorward, Running};

use crate::llm::{FAR, PAST};
use crate::network_wire::{Reply, answer, capability, gateway, operate};
use crate::place;
use crate::{home, write, write_integration};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The Python with OpenAI's library. `None` when it isn't installed, on a kind of machine for which that is listed.
fn python() -> Option<PathBuf> {
    let folder = place::OPENAI.folder(&root()).unwrap().expect("HOME is set");
    if folder.is_dir() {
        return Some(folder.join("venv/bin/python"));
    }
    let listed = std::fs::read_to_string(root().join("docs/checks/not-here.toml")).unwrap();
    assert!(
        listed.contains("check = \"sdk-openai\""),
        "OpenAI's library is not installed: run `cargo xtask setup`"
    );
    crate::skip("sdk-openai", "the library is not installed");
    None
}

/// A home whose two integrations lead to the vendor here.
fn house(vendor: &OpenAi, doorward: Doorward) -> Doorward {
    let url = vendor.url();
    write_integration(
        &doorward,
        &format!(
            "name: openai\nextends: openai\nbase_url: {url}\ndangerous_allow_private: true\nsecrets: {{token: {{default: \"llm:openai\"}}}}\n"
        ),
    );
    write_integration(
        &doorward,
        &format!(
            "name: openai-codex\nextends: openai-codex\nbase_url: {url}/backend-api/codex\ndangerous_allow_private: true\nauth:\n\
         \x20 - {{scheme: signed_in, key: profile, token_url: \"{url}/oauth/token\", client_id: app_EMoamEEZ73f0CkXaXp7hrann}}\n\
         \x20 - {{scheme: header, name: chatgpt-account-id, prefix: \"\", secret: account}}\n"
        ),
    );
    doorward
}

/// Stores a sign-in by the running broker.
#[track_caller]
fn sign_in(running: &Running, id: &str, (access, refresh): &(String, String), renews: bool) {
    let document = json!({
        "id": id, "provider": "openai-codex", "access_token": access, "refresh_token": refresh, "account_id": "account-of-the-vendor",
        "expires_at": null, "source": "codex-auth", "auto_refresh": renews,
    });
    // The end is what the token says of itself.
    let mut document = document;
    document["expires_at"] = json!(if renews { "2020-01-01T00:00:00Z" } else { "2100-01-01T00:00:00Z" });
    let _ = answer(
        running,
        &format!("llm.import?id={id}&provider=openai-codex"),
        document.to_string().as_bytes(),
    );
}

/// One request with a JSON body.
fn post(running: &Running, path: &str, token: &str, body: &Value) -> Reply {
    post_to(&running.gateway_url, path, token, body)
}

fn post_to(url: &str, path: &str, token: &str, body: &Value) -> Reply {
    let (host, body) = (url.trim_start_matches("http://"), body.to_string());
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    gateway(url).unwrap().ask(request.as_bytes()).unwrap()
}

fn wanted() -> Value {
    json!({ "model": "gpt-5-codex", "instructions": "Be brief.", "input": [], "stream": true, "store": false })
}

/// What OpenAI's library printed.
#[track_caller]
fn client(python: &Path, (url, key): (&str, &str), what: &str, model: &str) -> Value {
    let mut command = Command::new(python);
    command.env_clear().env("OPENAI_API_KEY", key).arg(root().join("tests/sdk/openai/client.py"));
    let output = command.args([url, what, model]).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{what}: {}", text(&output.stderr));
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error} in {}", text(&output.stdout)))
}

fn record(running: &Running, id: &str) -> String {
    let shown = format!("evidence.show?id={id}");
    let mut record = answer(running, &shown, b"").to_string();
    // The end of a stream is in the chain a moment behind its last byte.
    for _ in 0..2_400 {
        if record.contains("\"kind\":\"outcome\"") || record.contains("\"outcome\":{") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
        record = answer(running, &shown, b"").to_string();
    }
    record
}

#[test]
fn openais_own_library_works_with_a_capability_as_its_key() {
    let Some(python) = python() else { return };
    let doorward = home();
    let vendor = OpenAi::start(&doorward.plant("library"));
    let doorward = house(&vendor, doorward);
    let mut up = doorward.command();
    up.args(["up", "--json", "--gateway", "127.0.0.1:0", "--llm", "openai"])
        .env("OPENAI_API_KEY", vendor.key());
    let running = doorward.start(up);
    let token = capability(&running, "&integrations=openai");
    for base in [format!("{}/v1", running.gateway_url), format!("{}/openai/v1", running.gateway_url)] {
        let asked = |what: &str, model: &str| client(&python, (&base, &token), what, model);
        assert_eq!(asked("models", "-"), json!(["gpt-4o"]));
        assert_eq!(
            asked("completion", "gpt-4o"),
            json!({ "text": "Hello from here.", "reason": "stop", "tokens": 9 })
        );
        let streamed = json!({ "text": "Hello from here.", "pieces": 3, "reason": "stop", "tokens": 9 });
        assert_eq!(asked("stream", "gpt-4o"), streamed);
        let call = json!({ "id": "call_1", "name": "look", "arguments": { "at": "door" } });
        assert_eq!(asked("tools", "gpt-4o"), call);
        assert_eq!(
            asked("response", "gpt-4o"),
            json!({ "text": "Hello from here.", "id": "resp_1", "tokens": 9 })
        );
        assert_eq!(
            asked("response_stream", "gpt-4o"),
            json!({ "text": "Hello from here.", "last": "response.completed" })
        );
        assert_eq!(
            asked("embedding", "text-embedding-3-small"),
            json!({ "vector": [0.5, -0.25], "tokens": 2 })
        );
        let refused = asked("refused", "nobody");
        assert_eq!(
            (&refused["kind"], &refused["code"]),
            (&json!("NotFoundError"), &json!("model_not_found")),
            "{refused}"
        );
    }
    // Ours are told in the vendor's words, and are not repeated.
    let before = vendor.calls().len();
    let base = format!("{}/v1", running.gateway_url);
    let forged = client(&python, (&base, "cap1_forged"), "refused", "gpt-4o");
    assert_eq!(
        (&forged["kind"], &forged["code"]),
        (&json!("AuthenticationError"), &json!("unauthenticated")),
        "{forged}"
    );
    let narrow = capability(&running, "&operations=openai/models.list");
    let denied = client(&python, (&base, &narrow), "refused", "gpt-4o");
    assert_eq!(
        (&denied["kind"], &denied["code"]),
        (&json!("PermissionDeniedError"), &json!("denied")),
        "{denied}"
    );
    assert_eq!(vendor.calls().len(), before, "nothing of that reached the vendor");
    assert!(vendor.calls().iter().all(|call| call.bearer() == Some(vendor.key().as_str())));
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[test]
fn openais_own_library_works_with_a_subscription_whose_service_speaks_one_api_only() {
    let Some(python) = python() else { return };
    let doorward = home();
    let vendor = OpenAi::start(&doorward.plant("subscription"));
    let doorward = house(&vendor, doorward);
    let running = doorward.start_up(&["--llm", "openai-codex"]);
    let token = capability(&running, "&integrations=openai-codex");
    sign_in(&running, "openai-codex:ada", &vendor.signed_in(FAR), false);
    let base = format!("{}/v1", running.gateway_url);
    let asked = |what: &str| client(&python, (&base, &token), what, "gpt-5-codex");
    assert_eq!(asked("completion"), json!({ "text": "Hello from here.", "reason": "stop", "tokens": 9 }));
    assert_eq!(
        asked("stream"),
        json!({ "text": "Hello from here.", "pieces": 3, "reason": "stop", "tokens": 9 })
    );
    assert_eq!(asked("tools"), json!({ "id": "call_1", "name": "look", "arguments": { "at": "door" } }));
    assert_eq!(
        asked("tools_stream"),
        json!({ "name": "look", "arguments": { "at": "door" }, "reason": "tool_calls" })
    );
    assert_eq!(asked("response"), json!({ "text": "Hello from here.", "id": "resp_1", "tokens": 9 }));
    assert_eq!(asked("response_stream"), json!({ "text": "Hello from here.", "last": "response.completed" }));
    let before = vendor.calls().len();
    let limited = asked("limited");
    assert_eq!((&limited["kind"], &limited["status"]), (&json!("BadRequestError"), &json!(400)), "{limited}");
    assert!(limited["message"].as_str().unwrap().contains("does not take `max_tokens`"), "{limited}");
    assert_eq!(vendor.calls().len(), before);
    let sent = vendor.calls().pop().unwrap();
    assert_eq!(sent.header("chatgpt-account-id"), Some("account-of-the-vendor"));
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[test]
fn a_sign_in_is_used_as_it_is_and_its_end_says_what_to_type() {
    let doorward = home();
    let vendor = OpenAi::start(&doorward.plant("as-it-is"));
    let doorward = house(&vendor, doorward);
    let running = doorward.start_up(&[]);
    let token = capability(&running, "&integrations=openai-codex");
    let nobody = post(&running, "/openai-codex/responses", &token, &wanted());
    assert!(nobody.text().contains("codex access token required"), "{}", nobody.text());
    sign_in(&running, "openai-codex:ada", &vendor.signed_in(FAR), false);
    let good = post(&running, "/openai-codex/responses", &token, &wanted());
    assert_eq!(good.status, 200, "{}", good.text());
    assert!(good.text().contains("response.completed"));
    let shown = record(&running, &good.evidence().unwrap());
    assert!(shown.contains("openai-codex:ada") && shown.contains("responses.create"), "{shown}");
    // What was used is told by the last event of the stream.
    let mut ended = shown;
    for _ in 0..2_400 {
        if ended.contains("resp_1") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
        ended = answer(&running, &format!("evidence.show?id={}", good.evidence().unwrap()), b"").to_string();
    }
    assert!(ended.contains("tokens=9") && ended.contains("model=gpt-5-codex"), "{ended}");
    // Another one takes its place at once, and one that is over is not sent.
    let over = json!({ "id": "openai-codex:bob", "provider": "openai-codex", "access_token": vendor.signed_in(PAST).0,
                       "account_id": "account-of-the-vendor", "expires_at": "2020-01-01T00:00:00Z", "source": "manual" });
    let _ =
        answer(&running, "llm.import?id=openai-codex:bob&provider=openai-codex", over.to_string().as_bytes());
    let before = vendor.calls().len();
    let expired = post(&running, "/openai-codex/responses", &token, &wanted());
    assert!(
        expired.text().contains("codex access token expired")
            && expired.text().contains("doorward llm auth login"),
        "{}",
        expired.text()
    );
    assert_eq!(vendor.calls().len(), before);
    let _ = answer(&running, "llm.use?id=openai-codex:ada", b"");
    assert_eq!(post(&running, "/openai-codex/responses", &token, &wanted()).status, 200);
    // Somebody who may use it can't manage it, and what comes has to be what is named.
    let other = json!({ "id": "x", "provider": "openai-codex", "access_token": "CANARY-access" });
    let mismatch =
        operate(&running.socket, "llm.import?id=y&provider=openai-codex", other.to_string().as_bytes())
            .unwrap();
    assert_eq!((mismatch.status, mismatch.text().contains("CANARY")), (400, false));
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[test]
fn a_sign_in_is_renewed_once_for_all_who_wait_and_the_new_one_outlives_the_process() {
    let doorward = home();
    let vendor = OpenAi::start(&doorward.plant("renewed"));
    let doorward = house(&vendor, doorward);
    let running = doorward.start_up(&[]);
    let token = capability(&running, "&integrations=openai-codex");
    let pair = vendor.signed_in(PAST);
    sign_in(&running, "openai-codex:ada", &pair, true);
    let url = running.gateway_url.clone();
    std::thread::scope(|scope| {
        let ask = || post_to(&url, "/openai-codex/responses", &token, &wanted()).status;
        let asked: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        for one in asked {
            assert_eq!(one.join().unwrap(), 200);
        }
    });
    assert_eq!(vendor.renewals(), 1);
    // Killed, so that nothing but what was durable before its first use is there.
    assert!(!running.kill9().success());
    let running = doorward.start_up(&[]);
    let reply = post(&running, "/openai-codex/responses", &token, &wanted());
    assert_eq!((reply.status, vendor.renewals()), (200, 1), "{}", reply.text());
    // What is told of it is the one that serves.
    let listed = answer(&running, "llm.list", b"");
    let ada = &listed["profiles"][0];
    assert_eq!((&ada["id"], &ada["expired"]), (&json!("openai-codex:ada"), &json!(false)), "{listed}");
    assert_ne!(ada["expires_at"], "2020-01-01T00:00:00Z", "{listed}");
    // Choosing another one and this one again loses nothing; nor does another integration over the same sign-in.
    sign_in(&running, "openai-codex:bob", &vendor.signed_in(FAR), false);
    assert_eq!(post(&running, "/openai-codex/responses", &token, &wanted()).status, 200);
    let _ = answer(&running, "llm.use?id=openai-codex:ada", b"");
    assert_eq!(post(&running, "/openai-codex/responses", &token, &wanted()).status, 200);
    assert_eq!(vendor.renewals(), 1);
    // The stored refresh token was spent by somebody else: that is said, without the token that the issuer repeats.
    sign_in(&running, "openai-codex:eve", &pair, true);
    let spent = post(&running, "/openai-codex/responses", &token, &wanted());
    assert!(
        spent.text().contains("refresh_token_reused") && spent.text().contains("llm auth login"),
        "{}",
        spent.text()
    );
    // The issuer is not asked with it again.
    let exchanges = || vendor.calls().iter().filter(|call| call.path == "/oauth/token").count();
    let before = exchanges();
    let spent = post(&running, "/openai-codex/responses", &token, &wanted());
    assert!(spent.text().contains("is not asked with it again"), "{}", spent.text());
    assert_eq!(exchanges(), before);
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[test]
fn an_issuer_that_is_away_costs_no_token() {
    let doorward = home();
    let vendor = OpenAi::start(&doorward.plant("away"));
    let doorward = house(&vendor, doorward);
    let running = doorward.start_up(&[]);
    let token = capability(&running, "&integrations=openai-codex");
    sign_in(&running, "openai-codex:ada", &vendor.signed_in(PAST), true);
    vendor.answer_instead(503, None);
    let away = post(&running, "/openai-codex/responses", &token, &wanted());
    assert!(away.status >= 500 && away.refusal().is_some(), "{}", away.text());
    vendor.recover();
    assert_eq!(post(&running, "/openai-codex/responses", &token, &wanted()).status, 200);
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[test]
fn without_a_provider_there_is_no_such_door_and_the_settings_take_none_that_is_not_known() {
    let doorward = home();
    let running = doorward.start_up(&[]);
    let token = capability(&running, "&integrations=openai");
    let none = post(&running, "/v1/chat/completions", &token, &json!({}));
    assert_eq!(none.status, 404, "{}", none.text());
    assert!(running.stop().success());
    let wrong = doorward.run(&["up", "--llm", "anthropic"], "").failed_with(2);
    assert!(wrong.contains("write `openai` or `openai-codex`"), "{wrong}");
    write(doorward.data().join("settings.toml"), "llm = { provider = \"anthropic\" }\n");
    let wrong = doorward.run(&["up", "--gateway", "127.0.0.1:0"], "").failed_with(2);
    assert!(wrong.contains("settings.toml:1"), "{wrong}");
}

#[test]
fn an_account_may_have_a_short_name_and_what_is_refused_has_the_vendors_shape() {
    let doorward = home();
    let vendor = OpenAi::start(&doorward.plant("short"));
    let doorward = house(&vendor, doorward);
    // An empty variable is none.
    let mut up = doorward.command();
    up.args(["up", "--json", "--gateway", "127.0.0.1:0", "--llm", "openai-codex"])
        .env("OPENAI_ACCESS_TOKEN", "");
    let running = doorward.start(up);
    let token = capability(&running, "&integrations=openai-codex");
    let (access, refresh) = vendor.signed_in(FAR);
    let file =
        json!({ "tokens": { "access_token": access, "refresh_token": refresh, "account_id": "acc-1" } });
    write(doorward.folder().join("auth.json"), &file.to_string());
    let _ = doorward.run(&["llm", "auth", "import", "--codex-auth", "auth.json"], "").succeeded();
    std::fs::remove_file(doorward.folder().join("auth.json")).unwrap();
    let done = post(&running, "/v1/responses", &token, &wanted());
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(vendor.calls().pop().unwrap().header("chatgpt-account-id"), Some("acc-1"));
    let host = running.gateway_url.trim_start_matches("http://").to_owned();
    let request = format!(
        "GET /v1/models HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    );
    let models = gateway(&running.gateway_url).unwrap().ask(request.as_bytes()).unwrap();
    let embedded = post(&running, "/v1/embeddings", &token, &json!({ "model": "m", "input": "x" }));
    for (reply, what) in [(models, "GET /v1/models"), (embedded, "POST /v1/embeddings")] {
        let error = reply.json()["error"].clone();
        assert_eq!((reply.status, &error["code"]), (404, &json!("not_found")), "{}", reply.text());
        assert!(error["message"].as_str().unwrap().contains(what), "{error}");
    }
    assert!(running.stop().success());
    doorward.assert_no_canary();
}
