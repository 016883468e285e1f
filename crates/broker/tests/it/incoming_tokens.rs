//! Tokens: keys of the file and of issuers, what has to be true of a token, and what is refused whoever signed it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;

use crypto::{MacKey, SigningKey, to_base64url};
use evidence::What;
use model::{Clock, Code, Refusal};
use serde_json::{Value, json};

use crate::asking::Ask;
use crate::house::{House, described, is};
use crate::service::{Service, Step, reply};

const SECRET: [u8; 32] = *b"CANARY-symmetric-key-0123456789a";

async fn start(url: &str, secrets: &[&str], scheme: &str) -> House {
    let declared: Vec<String> = secrets.iter().map(|name| format!("{name}: {{title: T}}")).collect();
    let text = format!("{}incoming:\n  - {scheme}\n", described(url, &declared.join(", "), "", ""));
    let house = House::start(&[("house", text)]).await;
    let open = "permit (principal, action, resource) when { principal.name like \"in.house.*\" };";
    house.answer(Ask::named("doorward", "policy.put", &[("name", "open")]).payload(open)).await.unwrap();
    house
}

/// Everything that a good token says.
fn claims(house: &House) -> Value {
    let now = house.clock.now().millis() / 1_000;
    json!({ "iss": "https://id.example.com", "aud": "house", "sub": "ann", "exp": now + 300, "iat": now })
}

pub(crate) fn with(mut claims: Value, name: &str, value: Value) -> Value {
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    claims
}

pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", to_base64url(header.to_string().as_bytes()), to_base64url(claims.to_string().as_bytes()))
}

pub(crate) fn hs256(header: &Value, claims: &Value, key: [u8; 32]) -> String {
    let text = unsigned(header, claims);
    format!("{text}.{}", to_base64url(&MacKey::new(key).tag(&[text.as_bytes()])))
}

pub(crate) fn eddsa(kid: &str, claims: &Value, key: &SigningKey) -> String {
    let text = unsigned(&json!({ "alg": "EdDSA", "kid": kid, "typ": "JWT" }), claims);
    format!("{text}.{}", to_base64url(&key.sign(text.as_bytes())))
}

fn ask(token: &str) -> Ask {
    Ask::get("/a").header("authorization", &format!("Bearer {token}"))
}

async fn unproven(house: &House, token: &str) -> Refusal {
    let refusal = house.refused(ask(token)).await;
    is(&refusal, Code::Unauthenticated);
    refusal
}

#[tokio::test]
async fn a_token_has_to_say_for_whom_by_whom_and_until_when() {
    let service = Service::saying("{}");
    let scheme = "{scheme: jwt, issuer: \"https://id.example.com\", audience: house, keys: [{algorithm: HS256, secret: a}]}";
    let house = start(&service.url(), &["a"], scheme).await;
    house.put("house/a", std::str::from_utf8(&SECRET).unwrap()).await;
    let header = json!({ "alg": "HS256", "typ": "JWT" });
    let good = claims(&house);
    let now = house.clock.now().millis() / 1_000;
    let got = house.got(ask(&hs256(&header, &good, SECRET))).await.unwrap();
    let entry = house.settled(got.id).await;
    let What::Call(intent) = &entry.what else { panic!("not a call: {entry:?}") };
    assert_eq!(intent.principal.as_str(), "in.house.ann");
    let several = with(good.clone(), "aud", json!(["other", "house"]));
    house.got(ask(&hs256(&header, &several, SECRET))).await.unwrap();
    let bad = [
        ("exp", Value::Null),
        ("exp", json!(now - 60)),
        ("exp", json!("soon")),
        ("nbf", json!(now + 120)),
        ("iat", json!(now + 120)),
        ("aud", Value::Null),
        ("aud", json!("other")),
        ("aud", json!(["other"])),
        ("iss", Value::Null),
        ("iss", json!("https://id.example.com/")),
        ("sub", Value::Null),
        ("sub", json!("")),
        ("sub", json!(7)),
    ];
    for (name, value) in bad {
        unproven(&house, &hs256(&header, &with(good.clone(), name, value), SECRET)).await;
    }
    let headers = [
        json!({ "alg": "none" }),
        json!({ "alg": "HS512" }),
        json!({ "alg": "HS256", "crit": ["exp"], "exp": 1 }),
        json!({ "alg": "HS256", "b64": false }),
        json!({ "alg": "HS256", "typ": "logout+jwt" }),
        json!({ "alg": "HS256", "kid": 7 }),
        json!({}),
    ];
    for header in headers {
        unproven(&house, &hs256(&header, &good, SECRET)).await;
    }
    unproven(&house, &format!("{}.", unsigned(&json!({ "alg": "none" }), &good))).await;
    unproven(&house, &format!("{}.", unsigned(&header, &good))).await;
    unproven(&house, &hs256(&header, &good, [7; 32])).await;
    unproven(&house, &format!("{}.x", hs256(&header, &good, SECRET))).await;
    unproven(&house, &"a".repeat(20_000)).await;
    house.spotless();
}

#[tokio::test]
async fn public_keys_are_never_the_secret_of_an_hmac() {
    let service = Service::saying("{}");
    let scheme = "{scheme: jwt, issuer: any, audience: any, keys: [{algorithm: HS256, secret: a}]}";
    let house = start(&service.url(), &["a"], scheme).await;
    // 32 bytes, so that the test can sign with it as whoever confuses the two would.
    for (nth, public) in
        [*b"-----BEGIN PUBLIC KEY-----\nMFkwE", *b"-----BEGIN CERTIFICATE-----\nMIIB"].iter().enumerate()
    {
        let verb = if nth == 0 { "secret.put" } else { "secret.rotate" };
        house
            .answer(Ask::named("doorward", verb, &[("name", "house/a")]).payload(public.to_vec()))
            .await
            .unwrap();
        let token = hs256(&json!({ "alg": "HS256" }), &claims(&house), *public);
        let refusal = house.refused(ask(&token)).await;
        is(&refusal, Code::SecretMissing);
    }
    assert!(service.seen().is_empty());
}

#[tokio::test]
async fn a_key_verifies_its_own_algorithm_and_its_own_id() {
    let service = Service::saying("{}");
    let (one, two) = (SigningKey::from_seed([1; 32]).unwrap(), SigningKey::from_seed([2; 32]).unwrap());
    let set = json!({ "keys": [jwk("one", &one), jwk("two", &two)] });
    let scheme = format!("{{scheme: jwt, issuer: any, audience: any, jwks: {set}}}");
    let house = start(&service.url(), &[], &scheme).await;
    let good = claims(&house);
    house.got(ask(&eddsa("one", &good, &one))).await.unwrap();
    house.got(ask(&eddsa("two", &good, &two))).await.unwrap();
    unproven(&house, &eddsa("one", &good, &two)).await;
    unproven(&house, &eddsa("three", &good, &one)).await;
    // Its public half is known, so it must not sign as an HMAC.
    let token = hs256(&json!({ "alg": "HS256", "kid": "one" }), &good, *one.public().as_bytes());
    unproven(&house, &token).await;
}

pub(crate) fn jwk(kid: &str, key: &SigningKey) -> Value {
    let x = to_base64url(key.public().as_bytes());
    json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "alg": "EdDSA", "use": "sig", "x": x })
}

/// An issuer whose keys, status and lifetime a test can change.
pub(crate) struct Issuer {
    pub(crate) service: Service,
    pub(crate) status: Arc<AtomicU16>,
    keys: Arc<std::sync::Mutex<Value>>,
    fetches: Arc<AtomicUsize>,
}

impl Issuer {
    pub(crate) fn start(keys: Value) -> Self {
        let (status, fetches) = (Arc::new(AtomicU16::new(200)), Arc::<AtomicUsize>::default());
        let keys = Arc::new(std::sync::Mutex::new(keys));
        let (told, kept, counted) = (Arc::clone(&status), Arc::clone(&keys), Arc::clone(&fetches));
        let service = Service::start(move |seen| {
            let status = told.load(Ordering::SeqCst);
            let host = seen.all("host").first().copied().unwrap_or_default().to_owned();
            let body = match seen.target.as_str() {
                "/.well-known/openid-configuration" => {
                    json!({ "issuer": format!("http://{host}"), "jwks_uri": format!("http://{host}/keys") })
                }
                "/strange/.well-known/openid-configuration" => {
                    json!({ "issuer": "https://elsewhere.example.com", "jwks_uri": format!("http://{host}/keys") })
                }
                "/keys" => {
                    counted.fetch_add(1, Ordering::SeqCst);
                    kept.lock().unwrap().clone()
                }
                _ => json!({}),
            };
            vec![Step::Send(reply(status, &[("cache-control", "public, max-age=600")], body.to_string()))]
        });
        Self { service, status, keys, fetches }
    }

    fn fetched(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn the_keys_of_an_issuer_are_found_kept_and_fetched_anew() {
    let (one, two) = (SigningKey::from_seed([1; 32]).unwrap(), SigningKey::from_seed([2; 32]).unwrap());
    let issuer = Issuer::start(json!({ "keys": [jwk("one", &one)] }));
    let url = issuer.service.url();
    let scheme = format!("{{scheme: oidc, issuer: \"{url}\", audience: house}}");
    let house = start(&url, &[], &scheme).await;
    let good = |house: &House| with(claims(house), "iss", json!(url));
    let token = eddsa("one", &good(&house), &one);
    let asks = (0..8).map(|_| house.got(ask(&token)));
    for got in futures(asks).await {
        got.unwrap();
    }
    assert_eq!(issuer.fetched(), 1, "once for all who wait");
    unproven(&house, &eddsa("one", &claims(&house), &one)).await;

    // Another key: fetched at once when it is asked for, but not by each who makes up an id.
    *issuer.keys.lock().unwrap() = json!({ "keys": [jwk("one", &one), jwk("two", &two)] });
    house.got(ask(&eddsa("two", &good(&house), &two))).await.unwrap();
    for _ in 0..5 {
        unproven(&house, &eddsa("made-up", &good(&house), &one)).await;
    }
    assert_eq!(issuer.fetched(), 2);
    house.clock.advance(Duration::from_secs(31));
    for _ in 0..5 {
        unproven(&house, &eddsa("made-up", &good(&house), &one)).await;
    }
    assert_eq!(issuer.fetched(), 3);

    // Gone for a while: what is kept counts for an hour beyond its time, and no longer.
    issuer.status.store(500, Ordering::SeqCst);
    house.clock.advance(Duration::from_secs(700));
    house.got(ask(&eddsa("two", &good(&house), &two))).await.unwrap();
    house.clock.advance(Duration::from_secs(3_700));
    let refusal = house.refused(ask(&eddsa("two", &good(&house), &two))).await;
    is(&refusal, Code::SourceUnavailable);

    // A page of an error that is JSON is not an empty set of keys.
    issuer.status.store(200, Ordering::SeqCst);
    *issuer.keys.lock().unwrap() = json!({ "error": "try later" });
    house.clock.advance(Duration::from_secs(6));
    is(&house.refused(ask(&eddsa("two", &good(&house), &two))).await, Code::SourceUnavailable);
    *issuer.keys.lock().unwrap() = json!({ "keys": [jwk("two", &two)] });
    house.clock.advance(Duration::from_secs(6));
    house.got(ask(&eddsa("two", &good(&house), &two))).await.unwrap();
    unproven(&house, &eddsa("one", &good(&house), &one)).await;
}

/// Waits for all at once.
async fn futures<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = all.map(Box::pin).collect();
    let mut done: Vec<Option<T>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(|cx| {
        for (one, done) in waiting.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(value) = one.as_mut().poll(cx)
            {
                *done = Some(value);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[tokio::test]
async fn a_discovery_document_of_another_issuer_is_not_believed() {
    let one = SigningKey::from_seed([1; 32]).unwrap();
    let issuer = Issuer::start(json!({ "keys": [jwk("one", &one)] }));
    let url = format!("{}/strange", issuer.service.url());
    let house = start(&url, &[], &format!("{{scheme: oidc, issuer: \"{url}\", audience: house}}")).await;
    let token = eddsa("one", &with(claims(&house), "iss", json!(url)), &one);
    is(&house.refused(ask(&token)).await, Code::SourceUnavailable);
    assert_eq!(issuer.fetched(), 0);
}

#[tokio::test]
async fn claims_have_to_be_as_the_file_says_and_one_of_them_is_the_name() {
    let one = SigningKey::from_seed([1; 32]).unwrap();
    let service = Service::saying("{}");
    let set = json!({ "keys": [jwk("one", &one)] });
    let scheme = format!(
        "{{scheme: jwt, issuer: any, audience: any, jwks: {set}, id: email, claims: {{hd: [example.com], email_verified: \"true\"}}}}"
    );
    let house = start(&service.url(), &[], &scheme).await;
    let good = with(with(claims(&house), "hd", json!("example.com")), "email_verified", json!(true));
    let good = with(good, "email", json!("ann@example.com"));
    let got = house.got(ask(&eddsa("one", &good, &one))).await.unwrap();
    let fields = house.settled(got.id).await.outcome.unwrap().fields;
    assert!(fields.contains(&("caller".to_owned(), "ann@example.com".to_owned())), "{fields:?}");
    for (name, value) in [("hd", json!("example.org")), ("email_verified", json!(false)), ("hd", Value::Null)]
    {
        unproven(&house, &eddsa("one", &with(good.clone(), name, value), &one)).await;
    }
}
