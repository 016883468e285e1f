//! Access tokens of an issuer, exchanged for capabilities: what one gives, what it does not, and which ones are not believed.

use broker::people::{Given, Issuer as Settings};
use catalog::incoming::JwsAlgorithm;
use crypto::SigningKey;
use model::{Clock, Code, Inputs};
use serde_json::{Value, json};

use crate::asking::Ask;
use crate::house::{House, described};
use crate::incoming_tokens::{Issuer, eddsa, hs256, jwk, with};

pub(crate) const RESOURCE: &str = "https://mcp.example.com/mcp";

fn given(scope: Option<&str>, groups: &[&str], limits: &[(&str, &str)]) -> Given {
    let limits: Inputs =
        limits.iter().map(|(word, value)| ((*word).to_owned(), (*value).to_owned())).collect();
    let groups = groups.iter().map(|group| (*group).to_owned()).collect();
    Given { scope: scope.map(str::to_owned), groups, limits }
}

fn settings(issuer: &str, grants: Vec<Given>) -> Settings {
    Settings {
        issuer: issuer.to_owned(),
        audience: RESOURCE.to_owned(),
        algorithms: vec![JwsAlgorithm::RS256, JwsAlgorithm::EdDSA],
        grants,
        dangerous_allow_private: true,
    }
}

/// An issuer that a house believes, and its key.
pub(crate) fn believed(house: &House) -> (Issuer, SigningKey) {
    let key = SigningKey::from_seed([7; 32]).unwrap();
    let issuer = Issuer::start(json!({ "keys": [jwk("one", &key)] }));
    let grants = vec![
        given(Some("read"), &[], &[("integrations", "github"), ("access", "read")]),
        given(Some("all"), &["platform"], &[("integrations", "github,slack"), ("approval", "writes")]),
        given(None, &["auditors"], &[("operations", "slack/auth.test")]),
    ];
    house.broker.takes_tokens_of(settings(&issuer.service.url(), grants)).unwrap();
    (issuer, key)
}

/// What a good token says.
pub(crate) fn claims(house: &House, issuer: &Issuer) -> Value {
    let now = house.clock.now().millis() / 1_000;
    json!({
        "iss": issuer.service.url(), "aud": RESOURCE, "sub": "ann", "scope": "openid read", "client_id": "agent",
        "iat": now, "exp": now + 300,
    })
}

fn exchange(token: &str) -> Ask {
    Ask::named("doorward", "capability.exchange", &[]).payload(token)
}

#[tokio::test]
async fn scopes_and_groups_give_capabilities_that_end_with_the_token() {
    let house = House::start(&[]).await;
    let (issuer, key) = believed(&house);
    let good = claims(&house, &issuer);
    let (_, told) = house.answer(exchange(&eddsa("one", &good, &key))).await.unwrap();
    let capabilities = told["capabilities"].as_array().unwrap();
    assert_eq!((capabilities.len(), &capabilities[0]["scope"]), (1, &json!("read")), "{told}");
    let end = told["until"].as_u64().unwrap() / 1_000;
    assert_eq!(end, good["exp"].as_u64().unwrap());
    assert!(told["for"].as_str().unwrap().starts_with("oidc."), "{told}");

    let grants = house.manage("capability.list", &[]).await.unwrap();
    let grant = grants["grants"].as_array().unwrap().iter().find(|one| one["label"] == "mcp: read").unwrap();
    assert_eq!((&grant["for"], grant["giver"].as_str()), (&told["for"], Some("owner")), "{grant}");
    // Not before they say so, and not beyond an hour whatever the token says.
    let long = with(good.clone(), "exp", json!(good["exp"].as_u64().unwrap() + 86_400));
    let (_, told) = house.answer(exchange(&eddsa("one", &long, &key))).await.unwrap();
    assert!(told["until"].as_u64().unwrap() <= house.clock.now().millis() + 3_600_000, "{told}");

    let person = with(with(good.clone(), "scope", Value::Null), "groups", json!(["auditors", "platform"]));
    let (_, told) = house.answer(exchange(&eddsa("one", &person, &key))).await.unwrap();
    assert_eq!(
        told["capabilities"].as_array().unwrap().len(),
        1,
        "a scope and a group are both needed: {told}"
    );
    // Others write the scopes as a list.
    let listed = with(person, "scp", json!(["all"]));
    let (_, told) = house.answer(exchange(&eddsa("one", &listed, &key))).await.unwrap();
    assert_eq!(told["capabilities"].as_array().unwrap().len(), 2, "{told}");
    let nothing = with(good, "scope", json!("openid"));
    let refusal = house.refused(exchange(&eddsa("one", &nothing, &key))).await;
    assert_eq!(refusal.code, Code::Denied);
}

#[tokio::test]
async fn a_capability_of_a_token_is_whose_the_token_is_and_no_more_than_the_settings_say() {
    let house = House::start(&[("house", described("https://app.example.com", "", "", ""))]).await;
    let (issuer, key) = believed(&house);
    let (_, told) = house.answer(exchange(&eddsa("one", &claims(&house, &issuer), &key))).await.unwrap();
    let capability = told["capabilities"][0]["token"].as_str().unwrap();
    let written = house.refused(Ask::named("github", "issues.create", &[]).with(capability)).await;
    assert!(matches!(written.code, Code::Denied | Code::BadRequest), "{written:?}");
    let elsewhere = house.refused(Ask::named("slack", "auth.test", &[]).with(capability)).await;
    assert_eq!(elsewhere.code, Code::Denied);
    let token = eddsa("one", &claims(&house, &issuer), &key);
    let as_bearer = house.refused(Ask::named("github", "user.show", &[]).with(&token)).await;
    assert_eq!(as_bearer.code, Code::Unauthenticated, "a token itself opens nothing");
}

#[tokio::test]
async fn a_token_that_does_not_hold_gives_nothing_and_is_told_nothing() {
    let house = House::start(&[]).await;
    let (issuer, key) = believed(&house);
    let good = claims(&house, &issuer);
    let now = house.clock.now().millis() / 1_000;
    let wrong = [
        ("aud", json!("https://other.example.com/mcp")),
        ("aud", json!([])),
        ("aud", Value::Null),
        ("aud", json!("https://mcp.example.com/mcp/")),
        ("iss", json!("https://login.evil.example")),
        ("iss", Value::Null),
        ("exp", json!(now - 120)),
        ("exp", Value::Null),
        ("exp", json!("never")),
        ("nbf", json!(now + 600)),
        ("iat", json!(now + 600)),
        ("sub", Value::Null),
        ("sub", json!("")),
        ("cnf", json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" })),
    ];
    let mut said = std::collections::BTreeSet::new();
    for (name, value) in wrong {
        let token = eddsa("one", &with(good.clone(), name, value.clone()), &key);
        let refusal = house.refused(exchange(&token)).await;
        assert_eq!(refusal.code, Code::Unauthenticated, "{name}: {value}");
        said.insert(refusal.message.to_string());
    }
    let stranger = SigningKey::from_seed([8; 32]).unwrap();
    let head = json!({ "alg": "HS256", "kid": "one", "typ": "JWT" });
    let none = crate::incoming_tokens::unsigned(&json!({ "alg": "none", "kid": "one" }), &good);
    let mut changed = eddsa("one", &good, &key);
    changed.replace_range(changed.len() - 4.., "AAAA");
    for (about, token) in [
        ("somebody else's key", eddsa("one", &good, &stranger)),
        ("the public key as the secret of an HMAC", hs256(&head, &good, *key.public().as_bytes())),
        ("no algorithm", format!("{none}.")),
        ("a changed signature", changed),
        ("no token", "eyJ.eyJ.eyJ".to_owned()),
        ("a capability", "cap1_abc".to_owned()),
    ] {
        let refusal = house.refused(exchange(&token)).await;
        assert_eq!(refusal.code, Code::Unauthenticated, "{about}");
        said.insert(refusal.message.to_string());
    }
    assert!(said.len() <= 2, "whoever tries learns nothing of the reason: {said:?}");
    let listed = house.manage("capability.list", &[]).await.unwrap();
    assert_eq!(listed["grants"], json!([]));

    // Where nobody can say, nobody gets in, and that is nobody's fault but the issuer's.
    issuer.status.store(500, std::sync::atomic::Ordering::SeqCst);
    house.clock.advance(std::time::Duration::from_secs(3 * 3_600));
    let later = with(good, "exp", json!(now + 4 * 3_600));
    let refusal = house.refused(exchange(&eddsa("one", &later, &key))).await;
    assert_eq!(refusal.code, Code::SourceUnavailable);
}

#[tokio::test]
async fn what_was_taken_back_is_not_had_again_by_asking() {
    let house = House::start(&[]).await;
    let (issuer, key) = believed(&house);
    let token = eddsa("one", &claims(&house, &issuer), &key);
    let (_, told) = house.answer(exchange(&token)).await.unwrap();
    let grant = told["capabilities"][0]["grant"].as_str().unwrap();
    house.manage("capability.revoke", &[("id", grant)]).await.unwrap();
    let refusal = house.refused(exchange(&token)).await;
    assert_eq!(refusal.code, Code::Revoked);
    let other = with(claims(&house, &issuer), "sub", json!("bob"));
    house.answer(exchange(&eddsa("one", &other, &key))).await.unwrap();
}

#[tokio::test]
async fn settings_that_would_give_everything_or_believe_anybody_are_refused() {
    let house = House::start(&[]).await;
    let refused = |grants: Vec<Given>| {
        house.broker.takes_tokens_of(settings("https://login.example.com", grants)).unwrap_err().message
    };
    let everybody = refused(vec![given(None, &[], &[("integrations", "github")])]);
    assert!(everybody.contains("everybody's"), "{everybody}");
    assert!(refused(vec![given(Some("read"), &[], &[("access", "read")])]).contains("integrations"));
    let misread = refused(vec![given(Some("read"), &[], &[("integrations", "github"), ("acces", "read")])]);
    assert!(misread.contains("`acces`"), "{misread}");
    let mut symmetric = settings("https://login.example.com", Vec::new());
    symmetric.algorithms = vec![JwsAlgorithm::HS256];
    assert!(house.broker.takes_tokens_of(symmetric).unwrap_err().message.contains("public keys"));
    let mut plain = settings("http://login.example.com", Vec::new());
    plain.dangerous_allow_private = false;
    assert!(house.broker.takes_tokens_of(plain).unwrap_err().message.contains("https://"));
    let refusal = house.refused(exchange("a.b.c")).await;
    assert_eq!(refusal.code, Code::Unauthenticated, "where no issuer is set up");
}
