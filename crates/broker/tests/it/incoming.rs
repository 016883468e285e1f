//! Callers without a capability, proven by what comes with their request. The secrets of signatures are known to both sides, so the
//! tests sign; what was signed elsewhere are the vectors of the vendors' documents.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use crypto::MacKey;
use evidence::What;
use model::{Certificate, Clock, Code, Proof};
use net::Body;
use testkit::canary;

use crate::asking::{Ask, What as Wanted};
use crate::house::{House, is};
use crate::service::{Service, Step, reply};

/// A secret of 32 bytes, so that the tests can sign with it.
const KEY: [u8; 32] = *b"CANARY-incoming-key-0123456789ab";

/// The integration `house` with these secrets and schemes, and a policy that lets everybody in who is proven.
fn file(url: &str, secrets: &str, incoming: &str) -> String {
    let text = crate::house::described(url, secrets, "", "");
    format!("{text}incoming:\n{incoming}")
}

async fn start(url: &str, secrets: &[&str], incoming: &str) -> House {
    let declared: Vec<String> = secrets.iter().map(|name| format!("{name}: {{title: T}}")).collect();
    let house = House::start(&[("house", file(url, &declared.join(", "), incoming))]).await;
    open(&house).await;
    house
}

/// Lets every caller of the integration that is proven do everything with it.
async fn open(house: &House) {
    let text = "permit (principal, action, resource) when { principal.name like \"in.house.*\" };";
    house.answer(Ask::named("doorward", "policy.put", &[("name", "open")]).payload(text)).await.unwrap();
}

fn key() -> &'static str {
    std::str::from_utf8(&KEY).unwrap()
}

fn signed(parts: &[&[u8]]) -> String {
    crypto::to_hex(&MacKey::new(KEY).tag(parts))
}

/// Refused as everybody is who proves nothing, with one text for every reason.
async fn unproven(house: &House, ask: Ask) {
    let refusal = house.refused(ask).await;
    is(&refusal, Code::Unauthenticated);
    assert_eq!(refusal.message, "what came with the request does not prove who calls `house`");
}

/// The name and the subject under which a call is on record.
async fn recorded(house: &House, ask: Ask) -> (String, Option<String>) {
    let got = house.got(ask).await.unwrap();
    let entry = house.settled(got.id).await;
    let What::Call(intent) = &entry.what else { panic!("not a call: {entry:?}") };
    assert_eq!(intent.proof, Proof::Incoming);
    let fields = entry.outcome.as_ref().unwrap().fields.clone();
    let subject = fields.iter().find(|(name, _)| name == "caller").map(|(_, value)| value.clone());
    (intent.principal.to_string(), subject)
}

#[tokio::test]
async fn a_token_names_its_caller_and_is_taken_off() {
    let service = Service::saying("{}");
    let keys = "  - {scheme: token, header: X-Api-Key, keys: [{id: billing, secret: a}, {id: Ann B@x, secret: b}]}\n";
    let keys = keys.replace("Ann B@x", "Ann@x");
    let house = start(&service.url(), &["a", "b"], &keys).await;
    let (a, b) = (canary::plant("token-a"), canary::plant("token-b"));
    house.put("house/a", &a).await;
    house.put("house/b", &b).await;
    let ask = |token: &str| Ask::get("/a").header("x-api-key", token);
    assert_eq!(recorded(&house, ask(&a)).await, ("in.house.billing".to_owned(), Some("billing".to_owned())));
    let (name, subject) = recorded(&house, ask(&b)).await;
    assert!(name.starts_with("in.house.ann-x-") && name.len() == "in.house.ann-x-".len() + 16, "{name}");
    assert_eq!(subject.as_deref(), Some("Ann@x"));
    assert!(service.seen().iter().all(|seen| seen.all("x-api-key").is_empty()));
    for wrong in ["", "x", &a[1..], &format!("{a}x"), &format!("{a},{b}")] {
        unproven(&house, ask(wrong)).await;
    }
    unproven(&house, Ask::get("/a")).await;
    unproven(&house, ask(&a).header("x-api-key", &a)).await;
    unproven(&house, Ask::get("/a").header("authorization", &format!("Bearer {a}"))).await;
    assert_eq!(service.seen().len(), 2);
    house.spotless();
}

#[tokio::test]
async fn an_empty_or_missing_secret_lets_nobody_in() {
    let service = Service::saying("{}");
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    let text = |reference: &str, scheme: &str| {
        file(&service.url(), &format!("a: \"{reference}\""), &format!("  - {scheme}\n"))
    };
    let schemes = [
        "{scheme: token, header: x-api-key, secret: a}",
        "{scheme: url_path, secret: a}",
        "{scheme: hmac, secret: a}",
        "{scheme: basic, secret: a}",
        "{scheme: github_signature, secret: a}",
    ];
    for content in ["", " \n", "\n"] {
        crate::house::write(&empty, content);
        for scheme in schemes {
            let house = House::start(&[("house", text(&format!("file:{}", empty.display()), scheme))]).await;
            open(&house).await;
            // What an empty secret would fit: nothing at all, an empty segment, an HMAC with an empty key.
            let empty_tag = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
            let asks = [
                Ask::get("/a/"),
                Ask::get("/a").header("x-api-key", ""),
                Ask::get("/a").header("x-signature", empty_tag),
                Ask::get("/a").header("x-hub-signature-256", &format!("sha256={empty_tag}")),
                Ask::get("/a").header("authorization", "Basic Og=="),
            ];
            for ask in asks {
                let refusal = house.refused(ask).await;
                let codes = [Code::Unauthenticated, Code::SecretMissing, Code::SourceUnavailable];
                assert!(codes.contains(&refusal.code), "{scheme}: {refusal:?}");
            }
        }
    }
    let missing = House::start(&[("house", text("store:house/none", schemes[0]))]).await;
    open(&missing).await;
    let refusal = missing.refused(Ask::get("/a").header("x-api-key", "CANARY-anything")).await;
    is(&refusal, Code::SecretMissing);
    assert!(!refusal.message.contains("store:"), "{refusal:?}");
    assert!(service.seen().is_empty());
}

#[tokio::test]
async fn a_user_with_a_password_is_known_by_the_name() {
    let service = Service::saying("{}");
    let scheme = "  - {scheme: basic, keys: [{secret: a}, {user: bob, secret: b}]}\n";
    let house = start(&service.url(), &["a", "b"], scheme).await;
    house.put("house/a", "ann:CANARY-of:ann").await;
    house.put("house/b", "CANARY-of-bob").await;
    let ask = |pair: &str, scheme: &str| {
        Ask::get("/a").header("authorization", &format!("{scheme} {}", crypto::to_base64(pair.as_bytes())))
    };
    let name = |name: &str| (format!("in.house.{name}"), Some(name.to_owned()));
    assert_eq!(recorded(&house, ask("ann:CANARY-of:ann", "Basic")).await, name("ann"));
    assert_eq!(recorded(&house, ask("bob:CANARY-of-bob", "basic")).await, name("bob"));
    for wrong in
        ["ann:CANARY-of-bob", "bob:CANARY-of:ann", "bob:", ":CANARY-of-bob", "ann", "eve:CANARY-of-bob"]
    {
        unproven(&house, ask(wrong, "Basic")).await;
    }
    unproven(&house, Ask::get("/a").header("authorization", "Basic ****")).await;
}

#[tokio::test]
async fn all_schemes_have_to_accept_and_the_last_name_counts() {
    let service = Service::saying("{}");
    let both = "  - {scheme: token, header: x-a, keys: [{id: one, secret: a}]}\n  - {scheme: token, header: x-b, keys: [{id: two, secret: b}]}\n  - {scheme: url_path, secret: c}\n";
    let house = start(&service.url(), &["a", "b", "c"], both).await;
    for name in ["a", "b", "c"] {
        house.put(&format!("house/{name}"), &format!("CANARY-of-{name}")).await;
    }
    let ask = |path: &str| Ask::get(path).header("x-a", "CANARY-of-a").header("x-b", "CANARY-of-b");
    assert_eq!(recorded(&house, ask("/deep/CANARY-of-c?x=1")).await.0, "in.house.two");
    assert_eq!(recorded(&house, ask("/CANARY-of-c")).await.0, "in.house.two");
    let seen: Vec<_> = service.seen().into_iter().map(|seen| seen.target).collect();
    assert_eq!(seen, ["/deep?x=1", "/"]);
    unproven(&house, ask("/deep")).await;
    unproven(&house, ask("/CANARY-of-c/deep")).await;
    unproven(&house, Ask::get("/CANARY-of-c").header("x-b", "CANARY-of-b")).await;
    house.spotless();
}

#[tokio::test]
async fn a_caller_who_is_proven_may_nothing_without_a_policy() {
    let service = Service::saying("{}");
    let text = file(&service.url(), "a: {title: T}", "  - {scheme: token, header: x-a, secret: a}\n");
    let house = House::start(&[("house", text)]).await;
    house.put("house/a", "CANARY-of-a").await;
    let ask = || Ask::get("/a").header("x-a", "CANARY-of-a");
    let refusal = house.refused(ask()).await;
    is(&refusal, Code::Denied);
    let record = house.refusal(&refusal).await;
    assert_eq!(
        (record.proof, record.principal.unwrap().as_str()),
        (Some(Proof::Incoming), "in.house.caller")
    );
    // A capability proves its holder as ever.
    house.got(Ask::get("/a").with(&house.pass().await)).await.unwrap();
}

#[tokio::test]
async fn anonymous_callers_have_no_name_and_no_right_of_their_own() {
    let service = Service::saying("{}");
    let text = format!("{}anonymous: true\n", crate::house::described(&service.url(), "", "", ""));
    let house = House::start(&[("house", text)]).await;
    let refusal = house.refused(Ask::get("/a")).await;
    is(&refusal, Code::Denied);
    let record = house.refusal(&refusal).await;
    assert_eq!((record.proof, record.principal.unwrap().as_str()), (Some(Proof::Anonymous), "anonymous"));
}

#[tokio::test]
async fn development_lets_nobody_past_a_scheme() {
    let service = Service::saying("{}");
    let text = file(&service.url(), "a: {title: T}", "  - {scheme: token, header: x-a, secret: a}\n");
    let house = House::opened(vec![("house".to_owned(), text)], |settings| settings.development = true).await;
    house.put("house/a", "CANARY-of-a").await;
    let mut ask = Ask::get("/a");
    ask.facts.address = Some("127.0.0.1".parse().unwrap());
    unproven(&house, ask).await;
}

#[tokio::test]
async fn a_webhook_of_github_is_carried_once() {
    let failing = Arc::new(AtomicU16::new(200));
    let status = Arc::clone(&failing);
    let service = Service::start(move |_| vec![Step::Send(reply(status.load(Ordering::SeqCst), &[], "{}"))]);
    let house = start(&service.url(), &["a"], "  - {scheme: github_signature, secret: a}\n").await;
    house.put("house/a", "It's a Secret to Everybody").await;
    // The example of GitHub's documentation.
    let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let ask = |delivery: &str| {
        let ask = Ask::post("/hook", "Hello, World!").header("x-hub-signature-256", signature);
        if delivery.is_empty() { ask } else { ask.header("x-github-delivery", delivery) }
    };
    house.got(ask("one")).await.unwrap();
    let again = house.refused(ask("one")).await;
    is(&again, Code::Replayed);
    assert_eq!(again.code.http_status(), 409);
    house.got(ask("two")).await.unwrap();
    house.got(ask("")).await.unwrap();
    is(&house.refused(ask("")).await, Code::Replayed);
    // What did not arrive may come again.
    failing.store(500, Ordering::SeqCst);
    assert_eq!(house.got(ask("three")).await.unwrap().status, 500);
    failing.store(200, Ordering::SeqCst);
    house.got(ask("three")).await.unwrap();
    is(&house.refused(ask("three")).await, Code::Replayed);
    assert!(service.seen().iter().all(|seen| seen.body == b"Hello, World!"));
    let changed = Ask::post("/hook", "Hello, World?").header("x-hub-signature-256", signature);
    unproven(&house, changed).await;
    unproven(&house, Ask::post("/hook", "Hello, World!").header("x-hub-signature-256", &signature[7..]))
        .await;
    unproven(&house, Ask::post("/hook", "Hello, World!")).await;
}

#[tokio::test]
async fn a_webhook_of_slack_counts_while_it_is_fresh() {
    let service = Service::saying("{}");
    let house = start(&service.url(), &["a"], "  - {scheme: slack_signature, secret: a}\n").await;
    house.put("house/a", key()).await;
    let now = house.clock.now().millis() / 1_000;
    let ask = |time: u64, body: &'static str| {
        let time = time.to_string();
        let tag = signed(&[b"v0:", time.as_bytes(), b":", body.as_bytes()]);
        let ask = Ask::post("/hook", body).header("x-slack-request-timestamp", &time);
        ask.header("x-slack-signature", &format!("v0={tag}"))
    };
    house.got(ask(now, "token=x")).await.unwrap();
    is(&house.refused(ask(now, "token=x")).await, Code::Replayed);
    house.got(ask(now - 290, "token=x")).await.unwrap();
    unproven(&house, ask(now - 310, "token=y")).await;
    unproven(&house, ask(now + 310, "token=y")).await;
    // Slack sends an event again with another time, and so another signature.
    let event = r#"{"type": "event_callback", "event_id": "Ev1"}"#;
    house.got(ask(now, event)).await.unwrap();
    is(&house.refused(ask(now + 1, event)).await, Code::Replayed);
    let tag = signed(&[b"v0:", b"x", b":", b"token=z"]);
    let strange = Ask::post("/hook", "token=z").header("x-slack-request-timestamp", "x");
    unproven(&house, strange.header("x-slack-signature", &format!("v0={tag}"))).await;
    assert!(service.seen().iter().all(|seen| seen.all("x-slack-signature").is_empty()));
}

#[tokio::test]
async fn a_webhook_of_stripe_may_have_several_signatures() {
    let service = Service::saying("{}");
    let house = start(&service.url(), &["a"], "  - {scheme: stripe_signature, secret: a}\n").await;
    house.put("house/a", key()).await;
    let now = house.clock.now().millis() / 1_000;
    let ask = |time: u64, body: &'static str, form: &str| {
        let tag = signed(&[time.to_string().as_bytes(), b".", body.as_bytes()]);
        let header = form.replace("TIME", &time.to_string()).replace("TAG", &tag);
        Ask::post("/hook", body).header("stripe-signature", &header)
    };
    let other = "00".repeat(32);
    house.got(ask(now, "{}", "t=TIME,v1=TAG,v0=6ffbb59b")).await.unwrap();
    house.got(ask(now - 1, "{}", &format!("t=TIME,v1={other},v1=TAG"))).await.unwrap();
    is(&house.refused(ask(now - 1, "{}", "t=TIME,v1=TAG")).await, Code::Replayed);
    for form in
        ["t=TIME,v0=TAG", "v1=TAG", "t=TIME", "t=TIME,t=TIME,v1=TAG", "TAG", &format!("t=TIME,v1={other}")]
    {
        unproven(&house, ask(now, "{}", form)).await;
    }
    unproven(&house, ask(now - 400, "{}", "t=TIME,v1=TAG")).await;
    let event = r#"{"id": "evt_1", "object": "event"}"#;
    house.got(ask(now, event, "t=TIME,v1=TAG")).await.unwrap();
    is(&house.refused(ask(now + 2, event, "t=TIME,v1=TAG")).await, Code::Replayed);
}

#[tokio::test]
async fn a_webhook_of_twilio_is_signed_over_its_whole_url() {
    let service = Service::saying("{}");
    let scheme = "  - {scheme: twilio_signature, secret: a, base: \"https://hooks.example.com/twilio\"}\n";
    let house = start(&service.url(), &["a"], scheme).await;
    house.put("house/a", "CANARY-twilio-token").await;
    // Made with another implementation of HMAC over the same URLs and fields.
    let ask = |target: &str, body: &'static str, tag: &str| {
        let ask = Ask::request("POST", target).body(Body::full(body)).header("x-twilio-signature", tag);
        ask.header("content-type", "application/x-www-form-urlencoded; charset=UTF-8")
    };
    let form = "To=%2B18005551212&CallSid=CA1234567890ABCDE&From=%2B14158675309&Digits=1+2";
    house.got(ask("/voice?foo=1&bar=2", form, TWILIO_FORM)).await.unwrap();
    // Signed over path and query alone.
    unproven(&house, ask("/voice?foo=1&bar=2", form, TWILIO_PATH)).await;
    unproven(&house, ask("/voice?foo=1&bar=3", form, TWILIO_FORM)).await;
    unproven(&house, ask("/voice?foo=1&bar=2", "To=1", TWILIO_FORM)).await;
    let hash = crypto::to_hex(&crypto::sha256(&[b"{\"a\": 1}"]));
    let json = |body: &'static str| {
        let ask = Ask::request("POST", &format!("/sms?bodySHA256={hash}")).body(Body::full(body));
        ask.header("x-twilio-signature", TWILIO_JSON).header("content-type", "application/json")
    };
    house.got(json("{\"a\": 1}")).await.unwrap();
    unproven(&house, json("{\"a\": 2}")).await;
    let unsigned = Ask::request("POST", "/voice?foo=1&bar=2").body(Body::full("{}"));
    unproven(
        &house,
        unsigned.header("x-twilio-signature", TWILIO_FORM).header("content-type", "application/json"),
    )
    .await;
}

#[tokio::test]
async fn an_hmac_covers_method_target_and_time_where_the_file_says_so() {
    let service = Service::saying("{}");
    let scheme = "  - {scheme: hmac, secret: a, over: \"{method} {target} {timestamp}.{body}\", timestamp_header: x-time, once: signature}\n";
    let house = start(&service.url(), &["a"], scheme).await;
    house.put("house/a", key()).await;
    let now = (house.clock.now().millis() / 1_000).to_string();
    let tag = signed(&[b"POST /a?b=1 ", now.as_bytes(), b".", b"x"]);
    let ask = |target: &str, body: &'static str, time: &str| {
        let ask = Ask::request("POST", target).body(Body::full(body)).header("x-time", time);
        ask.header("x-signature", &tag.to_uppercase())
    };
    house.got(ask("/a?b=1", "x", &now)).await.unwrap();
    is(&house.refused(ask("/a?b=1", "x", &now)).await, Code::Replayed);
    unproven(&house, ask("/a?b=2", "x", &now)).await;
    unproven(&house, ask("/a?b=1", "y", &now)).await;
    unproven(&house, ask("/a?b=1", "x", "1")).await;
    assert!(service.seen().iter().all(|seen| seen.all("x-time").is_empty()));
}

#[tokio::test]
async fn the_same_request_may_come_again_where_nothing_says_otherwise() {
    let service = Service::saying("{}");
    let house = start(&service.url(), &["a"], "  - {scheme: hmac, secret: a}\n").await;
    house.put("house/a", key()).await;
    let ask = || Ask::get("/a").header("x-signature", &signed(&[b""]));
    house.got(ask()).await.unwrap();
    house.got(ask()).await.unwrap();
}

#[tokio::test]
async fn a_certificate_that_the_door_verified_names_its_holder() {
    let service = Service::saying("{}");
    let scheme =
        "  - {scheme: client_certificate, uris: [\"spiffe://example.org/billing\"], common_names: [ann]}\n";
    let house = start(&service.url(), &[], scheme).await;
    let ask = |certificate: Option<Certificate>| {
        let mut ask = Ask::get("/a");
        ask.facts.certificate = certificate.map(Arc::new);
        ask
    };
    let shown = |common: &str, uris: &[&str]| {
        let uris = uris.iter().map(|uri| (*uri).to_owned()).collect();
        Some(Certificate { common_name: Some(common.to_owned()), uris, ..Certificate::default() })
    };
    let (_, subject) = recorded(&house, ask(shown("x", &["spiffe://example.org/billing"]))).await;
    assert_eq!(subject.as_deref(), Some("spiffe://example.org/billing"));
    assert_eq!(recorded(&house, ask(shown("ann", &[]))).await.0, "in.house.ann");
    unproven(&house, ask(shown("eve", &["spiffe://example.org/billing/x"]))).await;
    unproven(&house, ask(None)).await;
}

#[tokio::test]
async fn a_proxy_is_believed_about_certificates_only_where_it_is_known() {
    let service = Service::saying("{}");
    let scheme = "  - {scheme: envoy_xfcc, from: [10.1.0.0/16], allowed_uri_prefixes: [\"spiffe://example.org/ns/\"]}\n";
    let house = start(&service.url(), &[], scheme).await;
    let ask = |from: &str, header: &str| {
        let mut ask = Ask::get("/a").header("x-forwarded-client-cert", header);
        ask.facts.address = Some(from.parse().unwrap());
        ask
    };
    let header = "By=spiffe://example.org/proxy;Hash=ab;URI=spiffe://example.org/ns/billing";
    let (_, subject) = recorded(&house, ask("10.1.2.3", header)).await;
    assert_eq!(subject.as_deref(), Some("spiffe://example.org/ns/billing"));
    unproven(&house, ask("10.2.2.3", header)).await;
    unproven(&house, ask("127.0.0.1", header)).await;
    unproven(&house, ask("10.1.2.3", "URI=spiffe://example.org/other")).await;
    unproven(&house, Ask::get("/a")).await;
    let Wanted::Forward { .. } = Ask::get("/a").what else { panic!("not a request") };
}

#[tokio::test]
async fn whoever_tries_too_often_waits_and_nobody_else_does() {
    let service = Service::saying("{}");
    let house = start(&service.url(), &["a"], "  - {scheme: token, header: x-a, secret: a}\n").await;
    house.put("house/a", "CANARY-of-a").await;
    let ask = |from: &str, token: &str| {
        let mut ask = Ask::get("/a").header("x-a", token);
        ask.facts.address = Some(from.parse().unwrap());
        ask
    };
    for _ in 0..300 {
        let refusal = house.refused(ask("198.51.100.7", "wrong")).await;
        assert_eq!(refusal.code, Code::Unauthenticated);
    }
    let refusal = house.refused(ask("198.51.100.7", "CANARY-of-a")).await;
    assert_eq!(refusal.code, Code::RateLimited, "also with the right one: nothing was checked");
    house.got(ask("198.51.100.8", "CANARY-of-a")).await.unwrap();
    house.clock.advance(std::time::Duration::from_secs(61));
    house.got(ask("198.51.100.7", "CANARY-of-a")).await.unwrap();
}

#[tokio::test]
async fn a_sealed_broker_proves_nobody() {
    let service = Service::saying("{}");
    let house = start(&service.url(), &["a"], "  - {scheme: token, header: x-a, secret: a}\n").await;
    house.put("house/a", "CANARY-of-a").await;
    house.broker.seal();
    assert_eq!(house.refused(Ask::get("/a").header("x-a", "CANARY-of-a")).await.code, Code::Sealed);
    assert!(service.seen().is_empty());
}

const TWILIO_FORM: &str = "JsyMatWFNi4mz7+J2fqKskQOe3c=";
const TWILIO_PATH: &str = "LNun1pJFWP0edADTwfSE3z0VRjI=";
const TWILIO_JSON: &str = "x9DMlQJB5PwU3pyz33AAsMDZN+8=";
