//! Webhooks: told what happens, signed, at least once, also by a broker that is killed; and given up where nobody takes them.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::vendor::{Heard, Receiver};
use testkit::{Demand, Upstream};

use super::client::{Api, Session};

/// Receivers of these tests are on this machine. A test that waits for a try waits for about so long.
fn settings(retry: &str) -> String {
    format!("[api.webhooks]\nretry = \"{retry}\"\ndangerous_allow_private = true\n")
}

/// Waits until it is so.
#[track_caller]
pub(super) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let limit = Instant::now() + Duration::from_secs(120);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < limit, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn made(api: &Api, session: &Session, url: &str, events: &Value) -> Value {
    let mut body = json!({"url": url, "events": events});
    if events.is_null() {
        body = json!({"url": url});
    }
    let said = api.write(session, "POST", "/v1/webhooks", &body);
    assert_eq!(said.status, 201, "{}", said.value);
    said.value
}

fn key_of(made: &Value) -> Vec<u8> {
    crypto::from_base64(made["secret"].as_str().unwrap().strip_prefix("whsec_").unwrap()).unwrap()
}

/// How many of the signatures of a call are of this key.
fn signatures(heard: &Heard, key: &[u8]) -> usize {
    let header = |name| heard.header(name).unwrap();
    let (id, seconds) = (header("webhook-id"), header("webhook-timestamp"));
    let parts = [id.as_bytes(), b".", seconds.as_bytes(), b".", &heard.body];
    let tag = crypto::to_base64(&crypto::hmac(crypto::HmacHash::Sha256, key, &parts));
    header("webhook-signature").split(' ').filter(|one| *one == format!("v1,{tag}")).count()
}

/// Somebody who takes connections and says nothing.
struct Stuck(TcpListener);

impl Stuck {
    fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    fn url(&self) -> String {
        format!("http://{}/", self.0.local_addr().unwrap())
    }
}

fn tenant(api: &Api, session: &Session, name: &str) {
    assert_eq!(api.write(session, "POST", "/v1/tenants", &json!({"name": name})).status, 201);
}

fn told(receiver: &Receiver, resource: &str) -> Option<Heard> {
    receiver.calls().into_iter().find(|heard| heard.json()["data"]["resource"] == resource)
}

#[test]
fn a_webhook_is_told_what_it_asked_for_signed_and_its_key_is_shown_once() {
    let receiver = Receiver::start();
    let api = Api::told(&settings("1s"), &[]);
    let session = api.session();
    tenant(&api, &session, "before");
    let hook = made(
        &api,
        &session,
        &format!("{}/in?a=b", receiver.url()),
        &json!(["tenant.created", "approval.waiting"]),
    );
    let (key, place) = (key_of(&hook), format!("/v1/webhooks/{}", hook["id"].as_str().unwrap()));
    tenant(&api, &session, "acme_inc");
    let _ = api.write(&session, "POST", "/v1/capabilities", &json!({"for": "ada"}));
    tenant(&api, &session, "other_inc");
    let heard = until("the second tenant is told", || told(&receiver, "tenant:other_inc"));
    assert_eq!((heard.path.as_str(), heard.query.as_str()), ("/in", "a=b"));
    assert_eq!(signatures(&heard, &key), 1);
    assert_eq!(heard.header("content-type"), Some("application/json"));
    let said = heard.json();
    assert_eq!(
        (said["type"].as_str(), said["data"]["principal"].as_str(), said["data"]["tenant"].as_str()),
        (Some("tenant.created"), Some("owner"), Some("other_inc"))
    );
    assert!(said["data"]["evidence"].as_str().unwrap().starts_with("evd_"), "{said}");
    let types: BTreeSet<String> =
        receiver.calls().iter().map(|one| one.json()["data"]["resource"].to_string()).collect();
    assert_eq!(types, ["\"tenant:acme_inc\"", "\"tenant:other_inc\""].map(str::to_owned).into());

    let log = until("the log says that it was taken", || {
        let log = api.read(&session, &format!("{place}/deliveries?state=delivered")).value;
        (log["total"] == 2).then_some(log)
    });
    assert_eq!(log["items"][0]["tries"][0]["status"], 200, "{log}");
    for shown in [&api.read(&session, "/v1/webhooks").value, &api.read(&session, &place).value, &log] {
        assert!(!shown.to_string().contains("whsec_") && shown["secret"].is_null(), "{shown}");
    }
    let rotated = api.write(&session, "POST", &format!("{place}:rotate"), &Value::Null).value;
    let tried = api.write(&session, "POST", &format!("{place}:test"), &Value::Null);
    assert_eq!((tried.status, tried.value["state"].as_str()), (200, Some("delivered")), "{}", tried.value);
    let heard = receiver.calls().into_iter().find(|one| one.json()["type"] == "webhook.test").unwrap();
    assert_eq!((signatures(&heard, &key), signatures(&heard, &key_of(&rotated))), (1, 1), "both for a day");
    let next = api.write(&session, "POST", &format!("{place}:rotate"), &json!({"overlap": "0s"})).value;
    let _ = api.write(&session, "POST", &format!("{place}:test"), &Value::Null);
    let heard = receiver.calls().into_iter().rev().find(|one| one.json()["type"] == "webhook.test").unwrap();
    assert_eq!((signatures(&heard, &key_of(&rotated)), signatures(&heard, &key_of(&next))), (0, 1));
    let long = api.write(&session, "POST", &format!("{place}:rotate"), &json!({"overlap": "30d"}));
    assert_eq!(long.status, 400, "{}", long.value);
    let evidence = api.read(&session, "/v1/evidence?operation=webhook.deliver").value;
    assert_eq!(evidence["items"][0]["fields"]["status"], "200", "{evidence}");
    let gone = api.write(&session, "DELETE", &place, &Value::Null);
    assert_eq!((gone.status, api.read(&session, &place).status), (200, 404), "{}", gone.value);
    let _ = api.doorward.run(&["evidence", "verify"], "").succeeded();
}

#[test]
fn what_was_not_told_before_a_kill_is_told_after_it_with_the_same_id() {
    let receiver = Receiver::start();
    let api = Api::told(&settings("200ms"), &[]);
    let session = api.session();
    let hook = made(&api, &session, &receiver.url(), &json!(["tenant.created"]));
    receiver.answer_instead(503, None);
    let stuck = Stuck::start();
    let slow = made(&api, &session, &stuck.url(), &json!(["tenant.created"]));
    let names: Vec<String> = (0..6).map(|n| format!("tenant_{n}")).collect();
    for name in &names {
        tenant(&api, &session, name);
    }
    let first = until("something was tried", || receiver.calls().into_iter().next());
    let api = api.restarted();
    receiver.recover();
    for name in &names {
        let _ = until(name, || {
            receiver
                .calls()
                .into_iter()
                .rev()
                .find(|one| one.json()["data"]["resource"] == format!("tenant:{name}"))
        });
    }
    let session = api.session();
    let place = format!("/v1/webhooks/{}/deliveries?state=delivered", hook["id"].as_str().unwrap());
    let log = until("all of it was taken", || {
        let log = api.read(&session, &place).value;
        (log["total"] == names.len()).then_some(log)
    });
    let ids: BTreeSet<&str> =
        log["items"].as_array().unwrap().iter().filter_map(|one| one["id"].as_str()).collect();
    let sent: BTreeSet<String> =
        receiver.calls().iter().map(|one| one.header("webhook-id").unwrap().to_owned()).collect();
    assert_eq!(sent.iter().map(String::as_str).collect::<BTreeSet<_>>(), ids, "one id for each event");
    assert!(sent.contains(first.header("webhook-id").unwrap()));
    let slow = format!("/v1/webhooks/{}/deliveries?state=delivered", slow["id"].as_str().unwrap());
    assert_eq!(api.read(&session, &slow).value["total"], 0, "whoever takes nothing keeps nobody waiting");
    let _ = api.doorward.run(&["evidence", "verify"], "").succeeded();
}

#[test]
fn what_becomes_of_credentials_approvals_capabilities_and_plans_is_told() {
    let (receiver, openai) = (Receiver::start(), Upstream::demanding(Demand::Bearer(KEY.to_owned())));
    openai.answer_with("/v1/models", 200, json!({"object": "list"}));
    let api = Api::told(&settings("1s"), &[("openai", &openai)]);
    let session = api.session();
    let _ = made(&api, &session, &receiver.url(), &Value::Null);
    let write = |method: &str, path: &str, body: Value| {
        let said = api.write(&session, method, path, &body);
        assert!((200..300).contains(&said.status), "{method} {path}: {}", said.value);
        said.value
    };
    tenant(&api, &session, "acme_inc");
    let place = "/v1/tenants/acme_inc/credentials/openai";
    let _ = write("PUT", place, json!({"credential": KEY}));
    let _ = write("PUT", place, json!({"credential": KEY}));
    openai.answer_with("/v1/models", 401, json!({"error": {"message": "revoked"}}));
    let _ = write("POST", &format!("{place}:validate"), Value::Null);
    let _ = write("DELETE", place, Value::Null);
    let wish = json!({"for": "eve", "operations": ["doorward/secret.forget"], "approval": "writes"});
    let _ = api.doorward.run(&["role", "grant", "eve", "manager"], "").succeeded();
    let eve = write("POST", "/v1/capabilities", wish);
    let bearer = format!("Authorization: Bearer {}\r\n", eve["token"].as_str().unwrap());
    let asked = api.ask("DELETE", "/v1/secrets/one", &bearer, &Value::Null);
    let approval = format!("/v1/approvals/{}", asked.value["approval"].as_str().unwrap());
    let shown = api.read(&session, &approval).value;
    let _ = write("POST", &format!("{approval}:deny"), json!({"digest": shown["digest"]}));
    let _ = write("DELETE", &format!("/v1/capabilities/{}", eve["grant"].as_str().unwrap()), Value::Null);
    let wanted = [
        ("credential.validated", "credential:acme_inc/openai"),
        ("credential.rotated", "credential:acme_inc/openai"),
        ("credential.failed", "credential:acme_inc/openai"),
        ("credential.deleted", "credential:acme_inc/openai"),
        ("approval.waiting", "secret:/one"),
        ("approval.decided", "approval:"),
        ("capability.revoked", ""),
        ("role.changed", ""),
    ];
    for (name, resource) in wanted {
        let heard = until(name, || receiver.calls().into_iter().find(|one| one.json()["type"] == name));
        let data = &heard.json()["data"];
        assert!(data["resource"].as_str().unwrap().starts_with(resource), "{name}: {data}");
        if name.starts_with("credential.") {
            assert_eq!(data["tenant"], "acme_inc", "{data}");
            assert_eq!(data["fields"]["provider"], "OPENAI", "{name}: {data}");
        }
    }
    for heard in receiver.calls() {
        let said = String::from_utf8_lossy(&heard.body).into_owned();
        assert!(!said.contains(KEY) && !said.contains("cap1_") && !said.contains("webhook."), "{said}");
    }
}

#[test]
fn a_receiver_that_is_gone_is_told_nothing_more_at_once() {
    let receiver = Receiver::start();
    let api = Api::told(&settings("1ms"), &[]);
    let session = api.session();
    let hook = made(&api, &session, &receiver.url(), &json!(["tenant.created"]));
    let place = format!("/v1/webhooks/{}", hook["id"].as_str().unwrap());
    receiver.answer_instead(410, None);
    tenant(&api, &session, "acme_inc");
    until("it is switched off", || (api.read(&session, &place).value["state"] == "disabled").then_some(()));
    assert_eq!(receiver.calls().len(), 1, "it is not tried again");
    tenant(&api, &session, "other_inc");
    receiver.recover();
    let _ = api.write(&session, "POST", &format!("{place}:enable"), &Value::Null);
    until("it goes on where it was", || told(&receiver, "tenant:other_inc"));
}

#[test]
fn a_receiver_that_takes_nothing_is_given_up_and_can_be_told_again() {
    let receiver = Receiver::start();
    let api = Api::told(&settings("1ms"), &[]);
    let session = api.session();
    let hook = made(&api, &session, &receiver.url(), &json!(["tenant.created"]));
    let place = format!("/v1/webhooks/{}", hook["id"].as_str().unwrap());
    // Where it leads is not followed.
    receiver.answer_instead(307, Some("http://127.0.0.1:1/elsewhere"));
    for n in 0..10 {
        tenant(&api, &session, &format!("tenant_{n}"));
    }
    until("it is switched off", || (api.read(&session, &place).value["state"] == "disabled").then_some(()));
    let dead = api.read(&session, &format!("{place}/deliveries?state=dead")).value;
    assert_eq!(dead["total"], 10, "{dead}");
    let tries = dead["items"][0]["tries"].as_array().unwrap();
    assert_eq!((tries.len(), tries[0]["status"].as_u64()), (9, Some(307)));
    receiver.recover();
    let delivery = dead["items"][0]["id"].as_str().unwrap();
    let again =
        api.write(&session, "POST", &format!("{place}/deliveries/{delivery}:redeliver"), &Value::Null);
    assert_eq!((again.status, again.value["state"].as_str()), (200, Some("waiting")), "{}", again.value);
    let on = api.write(&session, "POST", &format!("{place}:enable"), &Value::Null);
    assert_eq!(on.value["state"], "active", "{}", on.value);
    until("it is told again", || {
        let log = api.read(&session, &format!("{place}/deliveries?state=delivered")).value;
        (log["items"][0]["id"] == delivery).then_some(())
    });
}

#[test]
fn nobody_is_told_at_an_address_of_this_machine_and_no_tenant_asks_to_be_told() {
    let receiver = Receiver::start();
    let api = Api::open();
    let session = api.session();
    let refused = |body: Value, why: &str| {
        let said = api.write(&session, "POST", "/v1/webhooks", &body);
        assert_eq!(said.status, 400, "{}", said.value);
        assert!(said.value["detail"].as_str().unwrap().contains(why), "{}", said.value);
    };
    refused(json!({"url": receiver.url()}), "`https://`");
    refused(json!({"url": "https://user:word@hooks.example/"}), "no plain host");
    refused(json!({"url": "hooks.example"}), "`https://`");
    refused(json!({"url": "https://hooks.example/", "events": ["tenant.mad"]}), "no event `tenant.mad`");
    let near = receiver.url().replace("http://", "https://");
    refused(json!({"url": near}), "is a loopback or private address");
    // What a name stands for is seen when it is told.
    let near = near.replace("127.0.0.1", "localhost");
    let hook = made(&api, &session, &near, &json!(["tenant.created"]));
    let tried = api.write(
        &session,
        "POST",
        &format!("/v1/webhooks/{}:test", hook["id"].as_str().unwrap()),
        &Value::Null,
    );
    assert_eq!((tried.status, tried.value["state"].as_str()), (200, Some("dead")), "{}", tried.value);
    assert!(tried.value["tries"][0]["status"].is_null(), "{}", tried.value);
    assert!(receiver.calls().is_empty(), "nothing was sent");
    tenant(&api, &session, "acme_inc");
    let key = api.doorward.run(&["key", "create", "--tenant", "acme_inc"], "").succeeded();
    let own = format!("X-API-Key: {}\r\n", key.trim());
    let said = api.ask("POST", "/v1/webhooks", &own, &json!({"url": "https://hooks.example/"}));
    assert_eq!(said.status, 403, "{}", said.value);
    assert_eq!(api.ask("GET", "/v1/webhooks", &own, &Value::Null).status, 403);
}

const KEY: &str = "sk-0123456789abcdef";
