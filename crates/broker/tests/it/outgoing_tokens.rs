//! Tokens that are made on the way, by endpoints that refuse what theirs refuse.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use model::Code;
use testkit::canary;

use crate::asking::Ask;
use crate::house::is;
use crate::outgoing::{house, json};
use crate::service::{Seen, Service, Step, reply};

/// A token endpoint and a service in one: what it demands of a token request is `check`.
fn idp(check: impl Fn(&Seen) -> Vec<Step> + Send + Sync + 'static, token: &'static str) -> Service {
    Service::start(move |seen| {
        if seen.target.starts_with("/token") {
            return check(seen);
        }
        let good = seen
            .all("authorization")
            .first()
            .is_some_and(|value| value.starts_with(&format!("Bearer {token}")));
        if good { json(200, "{\"said\": \"hello\"}") } else { json(401, "{}") }
    })
}

fn asked(seen: &Seen) -> Vec<String> {
    let text = String::from_utf8(seen.body.clone()).unwrap();
    text.split('&').map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn client_credentials_are_exchanged_once_for_many_calls() {
    let service = idp(
        |seen| {
            let wanted = [
                "grant_type=client_credentials",
                "scope=read%20write",
                "audience=https%3A%2F%2Fapi",
                "tenant=x",
            ];
            let all = asked(seen);
            let basic = format!("Basic {}", crypto::to_base64(b"the%20client:CANARY-client%2Fsecret"));
            let good = wanted.iter().all(|one| all.iter().any(|other| other == one))
                && seen.all("authorization") == [basic]
                && seen.all("content-type") == ["application/x-www-form-urlencoded"];
            if good {
                json(200, r#"{"access_token":"CANARY-minted-1","token_type":"Bearer","expires_in":"3600"}"#)
            } else {
                json(400, r#"{"error":"invalid_request"}"#)
            }
        },
        "CANARY-minted-1",
    );
    let auth = format!(
        "{{scheme: oauth2, token_url: \"{}/token\", client_id: the client, client_secret: secret, client_auth: basic, \
         scope: read write, audience: \"https://api\", extra: {{tenant: x}}}}",
        service.url()
    );
    let (house, pass) = house(&service.url(), &auth, &[("secret", "CANARY-client/secret")]).await;
    let calls = (0..8).map(|_| house.got(Ask::get("/a").with(&pass)));
    let mut minted = 0;
    for got in futures_joined(calls.collect()).await {
        let got = got.unwrap();
        assert_eq!(got.status, 200);
        let fields = house.settled(got.id).await.outcome.unwrap().fields;
        minted += fields.iter().filter(|(name, _)| name == "minted").count();
    }
    assert_eq!(minted, 1, "one record says that a token was made");
    let exchanges = || service.seen().iter().filter(|seen| seen.target == "/token").count();
    assert_eq!(exchanges(), 1);
    house.clock.advance(std::time::Duration::from_secs(3541));
    house.got(Ask::get("/a").with(&pass)).await.unwrap();
    assert_eq!(exchanges(), 2, "made anew a minute before it ends");
    house.spotless();
}

async fn futures_joined<F: Future>(all: Vec<F>) -> Vec<F::Output> {
    let mut all: Vec<_> = all.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = all.iter().map(|_| None).collect();
    std::future::poll_fn(|cx| {
        for (future, done) in all.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(output) = future.as_mut().poll(cx)
            {
                *done = Some(output);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[tokio::test]
async fn an_endpoint_that_repeats_the_request_tells_nobody() {
    let service = idp(
        |seen| {
            let said = format!("{:?} {}", seen.all("authorization"), String::from_utf8_lossy(&seen.body));
            let said = serde_json::to_string(&format!("wrong: {said}")).unwrap();
            json(400, &format!(r#"{{"error":"invalid_client","error_description":{said}}}"#))
        },
        "never",
    );
    let secret = canary::plant("echoed/with a space");
    let document = format!(r#"{{"tenant":"t","appId":"a","password":"{secret}"}}"#);
    let ways = [
        ("oauth2", "client_id: c, client_secret: secret", "secret", &secret),
        ("oauth2", "client_id: c, client_secret: secret, client_auth: basic", "secret", &secret),
        ("oauth2", "client_id: c, refresh_token: refresh", "refresh", &secret),
        ("oauth2", "client_id: c, grant: jwt_bearer, algorithm: HS256, key: key", "key", &secret),
        ("azure_service_principal", "scope: \"https://x.example/.default\", key: key", "key", &document),
    ];
    for (scheme, more, field, stored) in ways {
        let before = service.seen().len();
        let auth = format!("{{scheme: {scheme}, token_url: \"{}/token\", {more}}}", service.url());
        let (house, pass) = house(&service.url(), &auth, &[(field, stored)]).await;
        let refusal = house.refused(Ask::get("/a").with(&pass)).await;
        is(&refusal, Code::SourceUnavailable);
        assert!(refusal.message.contains("invalid_client: wrong"), "{refusal:?}");
        let told = format!("{refusal:?}");
        canary::assert_absent(&told, "the refusal");
        let seen = &service.seen()[before];
        let proofs = ["client_secret=", "refresh_token=", "assertion="];
        let sent = asked(seen)
            .into_iter()
            .find_map(|one| proofs.iter().find_map(|proof| one.strip_prefix(proof).map(ToOwned::to_owned)));
        let basic =
            seen.all("authorization").first().and_then(|basic| Some(basic.split_once(' ')?.1.to_owned()));
        let sent = sent.or(basic).unwrap();
        assert!(!told.contains(&sent) && told.contains("[masked"), "{scheme}, {more}: {told}");
        // Nor a part of it: what is signed ends in its signature.
        assert!(!told.contains(&sent[sent.len() - 20..]), "{scheme}, {more}: {told}");
        house.spotless();
    }
}

#[tokio::test]
async fn a_token_endpoint_may_not_lead_elsewhere_or_be_without_an_end() {
    let elsewhere = Service::saying(r#"{"access_token":"CANARY-minted-1"}"#);
    let url = elsewhere.url();
    let service =
        idp(move |_| vec![Step::Send(reply(307, &[("location", &format!("{url}/token"))], ""))], "never");
    let endless = idp(
        |_| vec![Step::Send(reply(200, &[("content-type", "application/json")], vec![b' '; 300 * 1024]))],
        "never",
    );
    for service in [&service, &endless] {
        let auth = format!(
            "{{scheme: oauth2, token_url: \"{}/token\", client_id: c, client_secret: secret}}",
            service.url()
        );
        let (house, pass) = house(&service.url(), &auth, &[("secret", "CANARY-client-secret")]).await;
        is(&house.refused(Ask::get("/a").with(&pass)).await, Code::SourceUnavailable);
    }
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn a_token_that_the_service_took_back_is_made_anew_and_the_read_tried_again() {
    let made = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&made);
    let service = Service::start(move |seen| {
        if seen.target == "/token" {
            let n = counted.fetch_add(1, Ordering::SeqCst) + 1;
            return json(200, &format!(r#"{{"access_token":"CANARY-minted-{n}","expires_in":3600}}"#));
        }
        let newest = format!("Bearer CANARY-minted-{}", counted.load(Ordering::SeqCst));
        let revoked = seen.target == "/revoked" && newest == "Bearer CANARY-minted-1";
        if seen.all("authorization") == [newest] && !revoked { json(200, "{}") } else { json(401, "{}") }
    });
    let auth = format!(
        "{{scheme: oauth2, token_url: \"{}/token\", client_id: c, client_secret: secret}}",
        service.url()
    );
    let (house, pass) = house(&service.url(), &auth, &[("secret", "CANARY-client-secret")]).await;
    assert_eq!(house.got(Ask::get("/a").with(&pass)).await.unwrap().status, 200);
    house.clock.advance(std::time::Duration::from_secs(30));
    assert_eq!(house.got(Ask::get("/revoked").with(&pass)).await.unwrap().status, 200);
    assert_eq!(made.load(Ordering::SeqCst), 2);
}

/// A service that rotates refresh tokens and refuses one that was used, but for the one before the newest.
fn rotating(grace: usize) -> Service {
    let newest = Arc::new(AtomicUsize::new(0));
    Service::start(move |seen| {
        if seen.target != "/token" {
            return json(200, "{}");
        }
        let used = asked(seen)
            .iter()
            .find_map(|one| one.strip_prefix("refresh_token=CANARY-refresh-")?.parse::<usize>().ok());
        let now = newest.load(Ordering::SeqCst);
        if used.is_none_or(|used| used + grace < now || used > now) {
            return json(400, r#"{"error":"invalid_grant"}"#);
        }
        let next = newest.fetch_add(1, Ordering::SeqCst) + 1;
        json(
            200,
            &format!(
                r#"{{"access_token":"CANARY-access-{next}","refresh_token":"CANARY-refresh-{next}","expires_in":100}}"#
            ),
        )
    })
}

fn refreshing(service: &Service) -> String {
    format!(
        "{{scheme: oauth2, token_url: \"{}/token\", client_id: c, refresh_token: refresh}}",
        service.url()
    )
}

#[tokio::test]
async fn a_refresh_token_that_rotates_outlives_the_process() {
    let service = rotating(0);
    let (mut house, pass) =
        house(&service.url(), &refreshing(&service), &[("refresh", "CANARY-refresh-0")]).await;
    for _ in 0..3 {
        house.got(Ask::get("/a").with(&pass)).await.unwrap();
        house.clock.advance(std::time::Duration::from_secs(101));
    }
    house = house.restarted().await;
    house.got(Ask::get("/a").with(&pass)).await.unwrap();
    let used: Vec<_> = service.seen().iter().filter(|seen| seen.target == "/token").flat_map(asked).collect();
    assert!(used.contains(&"refresh_token=CANARY-refresh-3".to_owned()), "{used:?}");
    house.spotless();
}

#[tokio::test]
async fn a_refresh_token_whose_write_was_lost_is_tried_as_the_one_before() {
    let service = rotating(1);
    let (house, pass) =
        house(&service.url(), &refreshing(&service), &[("refresh", "CANARY-refresh-0")]).await;
    house.got(Ask::get("/a").with(&pass)).await.unwrap();
    // Another holder of the same token was killed behind the exchange: the service is one ahead of what is kept.
    let ahead = service.url();
    tokio::task::spawn_blocking(move || {
        use std::io::{Read as _, Write as _};
        let mut stream = std::net::TcpStream::connect(ahead.trim_start_matches("http://")).unwrap();
        let body = "grant_type=refresh_token&refresh_token=CANARY-refresh-1";
        write!(stream, "POST /token HTTP/1.1\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
        let _ = stream.read(&mut [0; 4096]).unwrap();
    })
    .await
    .unwrap();
    house.clock.advance(std::time::Duration::from_secs(101));
    assert_eq!(house.got(Ask::get("/a").with(&pass)).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_refresh_token_that_is_over_says_what_to_do() {
    let service = Service::start(|_| json(400, r#"{"error":"invalid_grant"}"#));
    let (house, pass) =
        house(&service.url(), &refreshing(&service), &[("refresh", "CANARY-refresh-0")]).await;
    let refusal = house.refused(Ask::get("/a").with(&pass)).await;
    is(&refusal, Code::SourceUnavailable);
    assert!(refusal.hint.as_deref().is_some_and(|hint| hint.contains("sign in")), "{refusal:?}");
    // The claim was given back: a new token that the user stores is used at once.
    assert_eq!(house.refused(Ask::get("/a").with(&pass)).await.code, Code::SourceUnavailable);
}

#[tokio::test]
async fn tokens_are_signed_here_and_renewed() {
    let service = Service::saying("{}");
    let auth = "{scheme: jwt_signed, algorithm: HS256, key: key, key_id: k1, issuer: us, audience: them, \
                claims: {role: reader}, ttl: 10m}";
    let key = "CANARY-a-key-of-at-least-32-bytes-";
    let (house, pass) = house(&service.url(), auth, &[("key", key)]).await;
    house.got(Ask::get("/a").with(&pass)).await.unwrap();
    house.got(Ask::get("/a").with(&pass)).await.unwrap();
    house.clock.advance(std::time::Duration::from_secs(541));
    house.got(Ask::get("/a").with(&pass)).await.unwrap();
    let seen = service.seen();
    let token = |at: usize| seen[at].all("authorization")[0].strip_prefix("Bearer ").unwrap().to_owned();
    assert_eq!(token(0), token(1));
    assert_ne!(token(0), token(2));
    let parts: Vec<String> = token(0).split('.').map(ToOwned::to_owned).collect();
    let tag = crypto::hmac(
        crypto::HmacHash::Sha256,
        key.as_bytes(),
        &[format!("{}.{}", parts[0], parts[1]).as_bytes()],
    );
    assert_eq!(parts[2], crypto::to_base64url(&tag));
    let claims: serde_json::Value =
        serde_json::from_slice(&crypto::from_base64url(&parts[1]).unwrap()).unwrap();
    assert_eq!(
        (&claims["iss"], &claims["aud"], &claims["role"]),
        (&"us".into(), &"them".into(), &"reader".into())
    );
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 600);
}

#[tokio::test]
async fn the_metadata_service_of_google_is_asked_and_known_by_its_header() {
    for flavour in [&[("metadata-flavor", "Google"), ("content-type", "application/json")][..], &[]] {
        let flavour = flavour.to_vec();
        let genuine = !flavour.is_empty();
        let service = Service::start(move |seen| {
            if seen.target == "/computeMetadata/v1/instance/service-accounts/default/token?scopes=a%2Cb" {
                assert_eq!(seen.all("metadata-flavor"), ["Google"]);
                let body = r#"{"access_token":"CANARY-gcp-token","expires_in":3599,"token_type":"Bearer"}"#;
                return vec![Step::Send(reply(200, &flavour, body))];
            }
            json(200, "{}")
        });
        let auth = format!("{{scheme: gcp_metadata, scope: a b, metadata_url: \"{}\"}}", service.url());
        let (house, pass) = house(&service.url(), &auth, &[]).await;
        let got = house.got(Ask::get("/a").with(&pass)).await;
        if genuine {
            got.unwrap();
            assert_eq!(service.seen()[1].all("authorization"), ["Bearer CANARY-gcp-token"]);
        } else {
            is(&got.unwrap_err(), Code::SourceUnavailable);
        }
    }
}

#[tokio::test]
async fn managed_identities_are_asked_in_each_of_their_three_ways() {
    let ways = [
        (
            "",
            "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net&client_id=me",
            "metadata",
        ),
        (
            "identity_endpoint: endpoint, identity_header: header, ",
            "/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fvault.azure.net&client_id=me",
            "x-identity-header",
        ),
        (
            "msi_endpoint: endpoint, msi_secret: header, ",
            "/msi/token?api-version=2017-09-01&resource=https%3A%2F%2Fvault.azure.net&clientid=me",
            "secret",
        ),
    ];
    for (keys, wanted, header) in ways {
        let service = Service::start(move |seen| {
            if seen.target == wanted && !seen.all(header).is_empty() {
                let body = r#"{"access_token":"CANARY-azure-token","expires_on":"4102444800","token_type":"Bearer"}"#;
                return json(200, body);
            }
            if seen.target == "/a" { json(200, "{}") } else { json(400, "{}") }
        });
        let url = format!("{}/msi/token", service.url());
        let machine = format!("metadata_url: \"{}\", ", service.url());
        let (more, secrets) = if keys.is_empty() {
            (machine.as_str(), vec![])
        } else {
            (keys, vec![("endpoint", url.as_str()), ("header", "CANARY-identity-header")])
        };
        let auth = format!(
            "{{scheme: azure_managed_identity, {more}resource: \"https://vault.azure.net\", client_id: me}}"
        );
        let (house, pass) = house(&service.url(), &auth, &secrets).await;
        house.got(Ask::get("/a").with(&pass)).await.unwrap();
        assert_eq!(service.seen()[1].all("authorization"), ["Bearer CANARY-azure-token"]);
        house.spotless();
    }
}
