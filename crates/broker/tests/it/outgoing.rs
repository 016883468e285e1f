//! Every way in which a credential goes on a request, against services that refuse what theirs refuse.

use bytes::Bytes;
use model::Code;
use net::Body;
use testkit::canary;

use crate::asking::Ask;
use crate::house::{House, described, is};
use crate::service::{Seen, Service, Step, reply};

/// A house whose only integration has this auth, and these secrets stored.
pub(crate) async fn house(url: &str, auth: &str, secrets: &[(&str, &str)]) -> (House, String) {
    let fields: Vec<String> = secrets.iter().map(|(field, _)| format!("{field}: {{title: T}}")).collect();
    let house = House::start(&[("house", described(url, &fields.join(", "), auth, ""))]).await;
    for (field, secret) in secrets {
        if !secret.is_empty() {
            house.put(&format!("house/{field}"), secret).await;
        }
    }
    let pass = house.pass().await;
    (house, pass)
}

pub(crate) fn json(status: u16, body: &str) -> Vec<Step> {
    vec![Step::Send(reply(status, &[("content-type", "application/json")], body))]
}

#[tokio::test]
async fn a_cookie_and_the_end_of_the_path_carry_the_credential() {
    let service = Service::saying("{\"said\": \"hello\"}");
    let auth = "{scheme: cookie, name: session, secret: a}, {scheme: cookie, name: other, secret: b}, \
                {scheme: path_end, secret: c}";
    let (a, b, c) = (canary::plant("a"), canary::plant("b"), canary::plant("c/x"));
    let (house, pass) = house(&service.url(), auth, &[("a", &a), ("b", &b), ("c", &c)]).await;
    let own = || Ask::get("/hooks/x?y=1").with(&pass).header("cookie", "session=own");
    house.got(own()).await.unwrap();
    house.got(Ask::get("/hooks/").with(&pass)).await.unwrap();
    let seen = service.seen();
    let end = percent_encoding::utf8_percent_encode(&c, UNRESERVED).to_string();
    assert_eq!(seen[0].all("cookie"), [format!("session={a}; other={b}")]);
    assert_eq!(seen[0].target, format!("/hooks/x/{end}?y=1"));
    assert_eq!(seen[1].target, format!("/hooks/{end}"));
    house.spotless();
}

#[tokio::test]
async fn a_credential_that_a_cookie_can_not_carry_is_refused() {
    let service = Service::saying("{}");
    let auth = "{scheme: cookie, name: session, secret: a}";
    let (house, pass) = house(&service.url(), auth, &[("a", "CANARY; admin=1")]).await;
    is(&house.refused(Ask::get("/a").with(&pass)).await, Code::SecretMissing);
    assert!(service.seen().is_empty());
}

#[tokio::test]
async fn a_placeholder_is_replaced_everywhere_but_in_names_and_what_comes_back_is_masked() {
    let service = Service::start(|seen| {
        let echo = format!("{} {:?} {}", seen.target, seen.headers, String::from_utf8_lossy(&seen.body));
        vec![Step::Send(reply(200, &[("content-type", "text/plain")], echo))]
    });
    let secret = canary::plant("swap");
    let auth = "{scheme: replace, find: \"{{ACCESS_TOKEN}}\", secret: token}";
    let (house, pass) = house(&service.url(), auth, &[("token", &secret)]).await;
    let basic = format!("Basic {}", crypto::to_base64(b"x-token:{{ACCESS_TOKEN}}"));
    let ask =
        Ask::post("/a/%7B%7BACCESS_TOKEN%7D%7D/b?k=%7B%7BACCESS_TOKEN%7D%7D", r#"{"t":"{{ACCESS_TOKEN}}"}"#)
            .with(&pass)
            .header("authorization", &basic)
            .header("x-own", "a {{ACCESS_TOKEN}} b")
            .header("x-api-key", "own key")
            .header("content-type", "application/json");
    let got = house.got(ask).await.unwrap();
    canary::assert_absent(&got.body, "the reply");
    let seen = &service.seen()[0];
    let escaped = percent_encoding::utf8_percent_encode(&secret, UNRESERVED).to_string();
    assert_eq!(seen.target, format!("/a/{escaped}/b?k={escaped}"));
    assert_eq!(
        seen.all("authorization"),
        [format!("Basic {}", crypto::to_base64(format!("x-token:{secret}").as_bytes()))]
    );
    assert_eq!(seen.all("x-own"), [format!("a {secret} b")]);
    assert_eq!(seen.all("x-api-key"), Vec::<&str>::new());
    assert_eq!(seen.body, format!("{{\"t\":\"{secret}\"}}").as_bytes());
    house.spotless();
}

#[tokio::test]
async fn a_placeholder_is_replaced_only_where_the_file_says() {
    let service = Service::saying("{}");
    let auth = "{scheme: replace, find_secret: find, secret: token, within: [header]}";
    let secret = canary::plant("only");
    let (house, pass) = house(&service.url(), auth, &[("find", "PLACEHOLDER-1"), ("token", &secret)]).await;
    let ask = Ask::post("/a", "PLACEHOLDER-1").with(&pass);
    house.got(ask.header("authorization", "Bearer PLACEHOLDER-1")).await.unwrap();
    let seen = &service.seen()[0];
    assert_eq!(seen.body, b"PLACEHOLDER-1");
    assert_eq!(seen.all("authorization"), [format!("Bearer {secret}")]);
}

#[tokio::test]
async fn an_hmac_of_the_body_is_signed_and_the_callers_own_is_dropped() {
    let service = Service::saying("{}");
    let auth = "{scheme: hmac, name: x-signature, prefix: \"sha256=\", secret: key}";
    let (house, pass) = house(&service.url(), auth, &[("key", "CANARY-hmac-key")]).await;
    let ask = Ask::post("/a", "the body").with(&pass);
    house.got(ask.header("x-signature", "forged").header("x_signature", "forged")).await.unwrap();
    let (sender, body) = Body::channel(4);
    sender.send(Bytes::from("the ")).await.unwrap();
    sender.send(Bytes::from("body")).await.unwrap();
    sender.finish(None).await.unwrap();
    house.got(Ask::request("POST", "/a").body(body).with(&pass)).await.unwrap();
    let tag = crypto::hmac(crypto::HmacHash::Sha256, b"CANARY-hmac-key", &[b"the body"]);
    for seen in service.seen() {
        assert_eq!(seen.all("x-signature"), [format!("sha256={}", crypto::to_hex(&tag))]);
        assert_eq!(seen.all("x_signature"), Vec::<&str>::new());
        assert_eq!(seen.body, b"the body");
    }
    house.spotless();
}

#[tokio::test]
async fn basic_goes_into_another_header_with_another_prefix() {
    let service = Service::saying("{}");
    let auth = "{scheme: basic, name: x-proxy, prefix: \"Token \", secret: pair}";
    let (house, pass) = house(&service.url(), auth, &[("pair", "user:CANARY-pair")]).await;
    house.got(Ask::get("/a").with(&pass).header("x-proxy", "own")).await.unwrap();
    let wanted = format!("Token {}", crypto::to_base64(b"user:CANARY-pair"));
    assert_eq!(service.seen()[0].all("x-proxy"), [wanted]);
    house.spotless();
}

/// A service that refuses one of the credentials.
fn choosy(refused: &'static str, status: u16) -> Service {
    Service::start(move |seen| {
        let bad = seen.all("authorization") == [format!("Bearer {refused}")];
        if bad { json(status, "{}") } else { json(200, "{\"said\": \"hello\"}") }
    })
}

#[tokio::test]
async fn several_credentials_take_turns_and_the_evidence_says_which_served() {
    let service = Service::saying("{}");
    let auth = "{scheme: bearer, secret: [a, b, c]}";
    let (house, pass) =
        house(&service.url(), auth, &[("a", "CANARY-turn-a"), ("b", ""), ("c", "CANARY-turn-c")]).await;
    let mut served = Vec::new();
    for _ in 0..6 {
        let got = house.got(Ask::get("/a").with(&pass)).await.unwrap();
        let fields = house.settled(got.id).await.outcome.unwrap().fields;
        served.extend(fields.into_iter().filter(|(name, _)| name == "credential").map(|(_, value)| value));
    }
    assert_eq!(served.len(), 6);
    assert!(served.contains(&"a".to_owned()) && served.contains(&"c".to_owned()), "{served:?}");
    assert!(!served.contains(&"b".to_owned()), "one that can't be loaded is skipped: {served:?}");
    house.spotless();
}

#[tokio::test]
async fn a_read_is_tried_once_more_with_the_next_credential_and_the_refused_one_rests() {
    for status in [401, 429] {
        let service = choosy("CANARY-turn-a", status);
        let auth = "{scheme: bearer, secret: [a, b], rest: 1m}";
        let (house, pass) =
            house(&service.url(), auth, &[("a", "CANARY-turn-a"), ("b", "CANARY-turn-b")]).await;
        for _ in 0..4 {
            assert_eq!(
                house.got(Ask::get("/a").with(&pass).header("x-kept", "1")).await.unwrap().status,
                200
            );
        }
        let refused = |seen: &Seen| seen.all("authorization") == ["Bearer CANARY-turn-a"];
        let seen = service.seen();
        assert_eq!(seen.iter().filter(|seen| refused(seen)).count(), 1, "it rests after the first refusal");
        assert!(seen.iter().all(|seen| seen.all("x-kept") == ["1"]));
        house.clock.advance(std::time::Duration::from_secs(61));
        for _ in 0..2 {
            house.got(Ask::get("/a").with(&pass)).await.unwrap();
        }
        assert_eq!(service.seen().iter().filter(|seen| refused(seen)).count(), 2, "its rest is over");
        house.spotless();
    }
}

#[tokio::test]
async fn a_write_is_never_sent_twice() {
    let service = Service::start(|_| json(401, "{}"));
    let auth = "{scheme: bearer, secret: [a, b]}";
    let (house, pass) = house(&service.url(), auth, &[("a", "CANARY-turn-a"), ("b", "CANARY-turn-b")]).await;
    assert_eq!(house.got(Ask::post("/a", "x").with(&pass)).await.unwrap().status, 401);
    assert_eq!(service.seen().len(), 1);
    assert_eq!(house.got(Ask::get("/a").with(&pass)).await.unwrap().status, 401);
    assert!(service.seen().len() <= 3, "a read is tried once more at most");
}

/// RFC 3986, section 2.3.
pub(crate) const UNRESERVED: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
