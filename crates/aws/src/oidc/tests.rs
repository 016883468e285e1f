//! Registration, device code, refresh and exchange as they are sent, and the rhythm of the questions.

use super::pkce::{Pkce, State, authorization_url};
use super::*;
use crate::wire::fake::{Answer, Fake, open, pairs, secret, wire};

const TOKEN_ANSWER: &str = r#"{"accessToken":"CANARY-access","tokenType":"Bearer","expiresIn":28800,"refreshToken":"CANARY-refresh"}"#;

fn registration() -> Registration {
    Registration {
        client_id: "cid".to_owned(),
        client_secret: secret("CANARY-client"),
        expires: Timestamp::from_millis(u64::MAX),
    }
}

fn refused(kind: &'static str, error: &str) -> Answer {
    Answer::status(400, format!(r#"{{"error":"{error}","error_description":"words"}}"#))
        .with("x-amzn-errortype", kind)
}

fn pending() -> Answer {
    refused("AuthorizationPendingException", "authorization_pending")
}

fn device(interval: u64) -> Device {
    Device {
        device_code: secret("CANARY-device"),
        user_code: "ABCD-EFGH".to_owned(),
        verification_uri: "https://device.sso.example/".to_owned(),
        verification_uri_complete: None,
        expires: "2026-11-22T09:10:00Z".parse().unwrap(),
        interval: Duration::from_secs(interval),
    }
}

#[tokio::test]
async fn registering_for_the_device_code_says_no_more_than_a_name() {
    let answer = r#"{"clientId":"cid","clientSecret":"CANARY","clientIdIssuedAt":1,"clientSecretExpiresAt":1795340000}"#;
    let fake = Fake::start([Answer::ok(answer), Answer::ok(answer)]);
    let (wire, _) = wire();
    let endpoint = fake.endpoint();
    let oidc = Oidc::new(&wire, &endpoint);
    let plain = RegisterAs { name: "doorward", scopes: &[], grants: &[], redirect: None, issuer: None };
    let registered = oidc.register(&plain).await.unwrap();
    assert_eq!(registered.client_id, "cid");
    assert_eq!(open(&registered.client_secret), "CANARY");
    assert_eq!(registered.expires, Timestamp::from_millis(1_795_340_000_000));
    let seen = fake.only();
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/client/register"));
    assert_eq!(seen.json(), serde_json::json!({"clientName": "doorward", "clientType": "public"}));
    let full = RegisterAs {
        scopes: &["sso:account:access".to_owned()],
        grants: &[Grant::AuthorizationCode, Grant::RefreshToken],
        redirect: Some(redirect::REGISTERED),
        issuer: Some("https://x.awsapps.com/start"),
        ..plain
    };
    oidc.register(&full).await.unwrap();
    assert_eq!(
        fake.seen()[1].json(),
        serde_json::json!({
            "clientName": "doorward", "clientType": "public", "scopes": ["sso:account:access"],
            "grantTypes": ["authorization_code", "refresh_token"],
            "redirectUris": ["http://127.0.0.1/oauth/callback"], "issuerUrl": "https://x.awsapps.com/start",
        })
    );
}

#[tokio::test]
async fn a_device_sign_in_says_page_code_end_and_rhythm() {
    let answer = |interval: &str, page: &str| {
        Answer::ok(format!(
            r#"{{"deviceCode":"d","userCode":"ABCD-EFGH","verificationUri":"https://a/","verificationUriComplete":"{page}","expiresIn":600{interval}}}"#
        ))
    };
    let page = "https://a/?user_code=ABCD-EFGH";
    let fake =
        Fake::start([answer(r#","interval":1"#, page), answer("", page), answer("", "file:///etc/passwd")]);
    let (wire, _) = wire();
    let endpoint = fake.endpoint();
    let oidc = Oidc::new(&wire, &endpoint);
    let device = oidc.start_device(&registration(), "https://x.awsapps.com/start").await.unwrap();
    assert_eq!(device.user_code, "ABCD-EFGH");
    assert_eq!(device.verification_uri_complete.as_deref(), Some(page));
    assert_eq!(device.expires, "2026-11-22T09:10:00Z".parse().unwrap());
    assert_eq!(device.interval, Duration::from_secs(1));
    assert_eq!(
        fake.only().json(),
        serde_json::json!({"clientId": "cid", "clientSecret": "CANARY-client", "startUrl": "https://x.awsapps.com/start"})
    );
    let silent = oidc.start_device(&registration(), "u").await.unwrap();
    assert_eq!(silent.interval, Duration::from_secs(5));
    assert!(oidc.start_device(&registration(), "u").await.is_err(), "a page that is no web page");
}

#[tokio::test]
async fn questions_go_on_while_nobody_has_confirmed() {
    let fake = Fake::start([pending(), pending(), Answer::ok(TOKEN_ANSWER)]);
    let (wire, time) = wire();
    let endpoint = fake.endpoint();
    let token = Oidc::new(&wire, &endpoint).wait_for(&registration(), &device(3)).await.unwrap();
    assert_eq!(open(&token.access), "CANARY-access");
    assert_eq!(open(token.refresh.as_ref().unwrap()), "CANARY-refresh");
    assert_eq!(token.expires, "2026-11-22T17:00:06Z".parse().unwrap());
    assert_eq!(time.waits(), [Duration::from_secs(3); 2]);
    assert_eq!(
        fake.seen()[0].json(),
        serde_json::json!({
            "clientId": "cid", "clientSecret": "CANARY-client", "deviceCode": "CANARY-device",
            "grantType": "urn:ietf:params:oauth:grant-type:device_code",
        })
    );
}

#[tokio::test]
async fn being_told_to_slow_down_adds_five_seconds_each_time_and_goes_on() {
    let slow = || refused("SlowDownException", "slow_down");
    let fake = Fake::start([slow(), pending(), slow(), Answer::ok(TOKEN_ANSWER)]);
    let (wire, time) = wire();
    let endpoint = fake.endpoint();
    assert!(Oidc::new(&wire, &endpoint).wait_for(&registration(), &device(1)).await.is_ok());
    assert_eq!(time.waits(), [6, 6, 11].map(Duration::from_secs));
}

#[tokio::test]
async fn a_sign_in_ends_when_it_was_declined_or_is_over() {
    for (answer, declined) in [
        (refused("ExpiredTokenException", "expired_token"), false),
        (refused("AccessDeniedException", "access_denied"), true),
        (Answer::status(400, r#"{"error":"expired_token"}"#), false),
    ] {
        let fake = Fake::start([pending(), answer]);
        let (wire, _) = wire();
        let endpoint = fake.endpoint();
        let error = Oidc::new(&wire, &endpoint).wait_for(&registration(), &device(1)).await.err().unwrap();
        assert_eq!(matches!(error, Error::Declined), declined, "{error}");
        assert_eq!(matches!(error, Error::Expired), !declined, "{error}");
        assert!(error.hint().is_some());
    }
}

#[tokio::test]
async fn nobody_is_asked_about_a_device_code_that_has_ended() {
    let fake = Fake::start((0..100).map(|_| pending()).collect::<Vec<_>>());
    let (wire, _) = wire();
    let endpoint = fake.endpoint();
    let error = Oidc::new(&wire, &endpoint).wait_for(&registration(), &device(60)).await.err().unwrap();
    assert!(matches!(error, Error::Expired), "{error}");
    assert_eq!(fake.seen().len(), 10);
}

#[tokio::test]
async fn another_error_ends_the_sign_in_with_its_words() {
    let fake = Fake::start([refused("InvalidClientException", "invalid_client")]);
    let (wire, _) = wire();
    let endpoint = fake.endpoint();
    let error = Oidc::new(&wire, &endpoint).wait_for(&registration(), &device(1)).await.err().unwrap();
    assert!(error.to_string().contains("InvalidClientException: words"), "{error}");
}

#[tokio::test]
async fn a_token_is_refreshed_or_the_person_asked_again() {
    let fake = Fake::start([
        Answer::ok(r#"{"accessToken":"CANARY-2","expiresIn":60}"#),
        refused("InvalidGrantException", "invalid_grant"),
        Answer::fault(500, "x", ""),
    ]);
    let (wire, _) = wire();
    let endpoint = fake.endpoint();
    let oidc = Oidc::new(&wire, &endpoint);
    let refresh = secret("CANARY-refresh");
    let token = oidc.refresh(&registration(), &refresh).await.unwrap();
    assert!(token.refresh.is_none());
    let body = fake.only().json();
    assert_eq!(
        (&body["grantType"], &body["refreshToken"]),
        (&"refresh_token".into(), &"CANARY-refresh".into())
    );
    let error = oidc.refresh(&registration(), &refresh).await.err().unwrap();
    assert!(matches!(error, Error::SignInAgain(_)), "{error}");
    // What may have been performed is not asked for twice: the refresh token may be spent.
    let error = oidc.refresh(&registration(), &refresh).await.err().unwrap();
    assert!(matches!(error, Error::Wire(_)), "{error}");
    assert_eq!(fake.seen().len(), 3);
}

#[tokio::test]
async fn a_code_is_exchanged_with_the_proof() {
    let fake = Fake::start([Answer::ok(TOKEN_ANSWER)]);
    let (wire, _) = wire();
    let endpoint = fake.endpoint();
    let pkce = Pkce::of("CANARY-verifier".to_owned()).unwrap();
    let uri = "http://127.0.0.1:49152/oauth/callback";
    let oidc = Oidc::new(&wire, &endpoint);
    oidc.exchange(&registration(), &secret("CANARY-code"), uri, &pkce).await.unwrap();
    assert_eq!(
        fake.only().json(),
        serde_json::json!({
            "clientId": "cid", "clientSecret": "CANARY-client", "grantType": "authorization_code",
            "redirectUri": uri, "code": "CANARY-code", "codeVerifier": "CANARY-verifier",
        })
    );
}

#[test]
fn the_challenge_is_the_one_of_the_standard() {
    // RFC 7636, appendix B.
    let pkce = Pkce::of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned()).unwrap();
    assert_eq!(pkce.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    let (one, two) = (Pkce::generate().unwrap(), Pkce::generate().unwrap());
    assert_ne!(one.challenge(), two.challenge());
    assert_eq!(one.verifier().len(), 64);
}

#[test]
fn the_page_is_asked_for_with_state_and_challenge() {
    let endpoint = Endpoint::at("https://oidc.eu-central-1.amazonaws.com", "eu-central-1").unwrap();
    let (state, pkce) = (State::generate().unwrap(), Pkce::of("v".to_owned()).unwrap());
    let scopes = ["sso:account:access".to_owned(), "codewhisperer:analysis".to_owned()];
    let uri = "http://127.0.0.1:49152/oauth/callback";
    let url = authorization_url(&endpoint, "c&id", uri, &scopes, (&state, &pkce)).unwrap();
    let (page, query) = url.split_once('?').unwrap();
    assert_eq!(page, "https://oidc.eu-central-1.amazonaws.com/authorize");
    let expected = [
        ("response_type", "code"),
        ("client_id", "c&id"),
        ("redirect_uri", uri),
        ("state", &open(state.secret())),
        ("code_challenge_method", "S256"),
        ("scopes", "sso:account:access codewhisperer:analysis"),
        ("code_challenge", pkce.challenge()),
    ];
    assert_eq!(pairs(query), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let url = authorization_url(&endpoint, "c", uri, &[], (&state, &pkce)).unwrap();
    assert!(url.contains("scopes=sso%3Aaccount%3Aaccess&"), "{url}");
}
