//! Requests that are signed, against services that check as theirs do.

use bytes::Bytes;
use model::Code;
use net::Body;

use crate::asking::Ask;
use crate::house::{House, is};
use crate::outgoing::{UNRESERVED, house, json};
use crate::service::{Service, Step, reply};

/// What AWS checks: the signature by the key that it knows, over the request as it came.
fn aws(url_service: &'static str) -> Service {
    Service::start(move |seen| {
        let claim = crypto::sigv4::Claim::from_header(seen.all("authorization")[0]).unwrap();
        assert_eq!(
            (claim.access_key_id(), claim.region(), claim.service()),
            ("AKIDCANARY", "eu-west-1", url_service)
        );
        let headers: Vec<(&str, &str)> =
            seen.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let (path, query) = seen.target.split_once('?').unwrap_or((&seen.target, ""));
        let rules =
            if url_service == "s3" { crypto::sigv4::Rules::S3 } else { crypto::sigv4::Rules::STANDARD };
        let payload = match seen.all("x-amz-content-sha256").first() {
            Some(&"UNSIGNED-PAYLOAD") => crypto::sigv4::Payload::Unsigned,
            Some(&"STREAMING-UNSIGNED-PAYLOAD-TRAILER") => crypto::sigv4::Payload::UnsignedTrailer,
            _ => crypto::sigv4::Payload::Bytes(&seen.body),
        };
        let request =
            crypto::sigv4::Request { method: &seen.method, path, query, headers: &headers, payload };
        let secret = memory::Secret::new(b"CANARY/secret+access+key".to_vec()).unwrap();
        assert_eq!(seen.all("x-amz-security-token"), ["CANARY-session-token"]);
        let window = crypto::sigv4::Window {
            now: model::Clock::now(&broker::SystemClock::default()),
            skew: std::time::Duration::from_secs(300),
        };
        let verified = claim.verify(&request, &secret, rules, window);
        match verified {
            Ok(_) => json(200, "{\"said\": \"hello\"}"),
            Err(error) => json(403, &format!("{{\"said\": \"{error}\"}}")),
        }
    })
}

async fn signing(service: &Service, more: &str) -> (House, String) {
    let auth =
        format!("{{scheme: sigv4, access_key_id: id, secret_access_key: key, session_token: token{more}}}");
    let secrets =
        [("id", "AKIDCANARY"), ("key", "CANARY/secret+access+key"), ("token", "CANARY-session-token")];
    house(&service.url(), &auth, &secrets).await
}

#[tokio::test]
async fn a_request_is_signed_for_aws_as_it_is_sent() {
    for (name, more) in
        [("s3", ", region: eu-west-1, service: s3"), ("sqs", ", region: eu-west-1, service: sqs")]
    {
        let service = aws(name);
        let (house, pass) = signing(&service, more).await;
        for ask in [
            Ask::get("/bucket/a%20b/c?list-type=2&prefix=x%2Fy"),
            Ask::get("/bucket?prefix=a+b%2Bc&x=+"),
            Ask::post("/?Action=x", "Action=SendMessage&MessageBody=hello")
                .header("content-type", "application/x-www-form-urlencoded"),
            Ask::get("/plain")
                .header("x-amz-meta-own", "a  b")
                .header("x-amz-security-token", "forged")
                .header("x-amz-date", "20200101T000000Z"),
        ] {
            let got = house.got(ask.with(&pass)).await.unwrap();
            assert_eq!((got.status, got.text()), (200, "{\"said\": \"hello\"}"), "{name}");
        }
        let spaces = &service.seen()[1].target;
        assert_eq!(
            spaces, "/bucket?prefix=a%20b%2Bc&x=%20",
            "one reading for those who read `+` as a space, and those who don't"
        );
        house.spotless();
    }
}

#[tokio::test]
async fn the_scope_that_a_client_signed_for_is_taken_over_and_its_signature_dropped() {
    let service = aws("s3");
    let (house, pass) = signing(&service, "").await;
    let own = "AWS4-HMAC-SHA256 Credential=AKIDOTHER/20260101/eu-west-1/s3/aws4_request, SignedHeaders=host;x-amz-date, \
               Signature=fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024";
    let signed = |ask: Ask| ask.with(&pass).header("authorization", own);
    for ask in [
        Ask::get("/b/k"),
        Ask::post("/b/k", "5;chunk-signature=00\r\nhello\r\n0;chunk-signature=00\r\n\r\n")
            .header("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
            .header("x-amz-decoded-content-length", "5")
            .header("content-encoding", "aws-chunked"),
    ] {
        let got = house.got(signed(ask)).await.unwrap();
        assert_eq!((got.status, got.text()), (200, "{\"said\": \"hello\"}"));
    }
    let seen = service.seen();
    assert_eq!(seen[1].body, b"hello");
    assert_eq!(seen[1].all("content-encoding"), Vec::<&str>::new());
    assert!(!format!("{seen:?}").contains("AKIDOTHER"));
    // What the signature does not cover is safe behind TLS only, and this service speaks plain HTTP.
    for unsigned in ["UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"] {
        let ask = signed(Ask::post("/b/k", "body")).header("x-amz-content-sha256", unsigned);
        let refusal = house.refused(ask).await;
        is(&refusal, Code::BadRequest);
        assert!(refusal.message.contains("over https"), "{refusal:?}");
    }
    let refusal = house.refused(Ask::get("/b/k").with(&pass)).await;
    is(&refusal, Code::BadRequest);
    assert!(refusal.message.contains("region"), "without a scope there is none to be guessed: {refusal:?}");
    is(&house.refused(signed(Ask::get("/b/k?X-Amz-Signature=00"))).await, Code::BadRequest);
    house.spotless();
}

#[tokio::test]
async fn a_presigned_query_is_signed_again_in_the_head_for_the_same_scope() {
    let service = aws("s3");
    let (house, pass) = signing(&service, "").await;
    let now = model::Clock::now(&broker::SystemClock::default());
    let query = |algorithm: &str, at: model::Timestamp, lasts: u64| {
        let date = crypto::sigv4::amz_date(at);
        format!(
            "/b/k?x-id=GetObject&X-Amz-Algorithm={algorithm}&X-Amz-Credential=AKIDOTHER%2F{}%2Feu-west-1%2Fs3%2Faws4_request\
             &X-Amz-Date={date}&X-Amz-Expires={lasts}&X-Amz-SignedHeaders=host&X-Amz-Signature={}&partNumber=2",
            &date[..8],
            "0f".repeat(32)
        )
    };
    let got = house.got(Ask::get(&query("AWS4-HMAC-SHA256", now, 600)).with(&pass)).await.unwrap();
    assert_eq!((got.status, got.text()), (200, "{\"said\": \"hello\"}"));
    assert_eq!(service.seen()[0].target, "/b/k?x-id=GetObject&partNumber=2");
    assert!(!format!("{:?}", service.seen()).contains("AKIDOTHER"));
    let over = model::Timestamp::from_millis(now.millis() - 700_000);
    for (target, wanted) in [
        (query("AWS4-ECDSA-P256-SHA256", now, 600), "SigV4A"),
        (query("AWS4-HMAC-SHA256", over, 600), "its time is over"),
        (query("AWS4-HMAC-SHA256", now, 0), "X-Amz-Expires"),
    ] {
        let refusal = house.refused(Ask::get(&target).with(&pass)).await;
        is(&refusal, Code::BadRequest);
        assert!(refusal.message.contains(wanted), "{wanted}: {refusal:?}");
    }
    assert_eq!(service.seen().len(), 1);
    house.spotless();
}

#[tokio::test]
async fn the_hash_that_a_client_made_is_signed_and_its_body_streams() {
    let service = aws("sqs");
    let (house, pass) = signing(&service, ", region: eu-west-1, service: sqs").await;
    let hash = crypto::to_hex(&crypto::sha256(&[b"hello"]));
    let (sender, body) = Body::channel(4);
    sender.send(Bytes::from("hello")).await.unwrap();
    sender.finish(None).await.unwrap();
    let ask = Ask::request("POST", "/q").body(body).with(&pass).header("x-amz-content-sha256", &hash);
    assert_eq!(house.got(ask).await.unwrap().status, 200);
    let unsigned = Ask::post("/q", "hello").with(&pass).header("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    is(&house.refused(unsigned).await, Code::BadRequest);
}

#[tokio::test]
async fn a_request_is_signed_with_oauth_1() {
    let service = Service::saying("{}");
    let auth = "{scheme: oauth1, consumer_key: a, consumer_secret: b, token: c, token_secret: d, realm: R}";
    let secrets = [
        ("a", "CANARY-consumer"),
        ("b", "CANARY-consumer-secret"),
        ("c", "CANARY-token-1"),
        ("d", "CANARY-token-secret"),
    ];
    let (house, pass) = house(&service.url(), auth, &secrets).await;
    let ask =
        Ask::post("/a?x=1", "status=hello+world").header("content-type", "application/x-www-form-urlencoded");
    house.got(ask.with(&pass).header("authorization", "OAuth forged")).await.unwrap();
    is(&house.refused(Ask::get("/a?oauth_token=own").with(&pass)).await, Code::BadRequest);
    let seen = &service.seen()[0];
    let header = seen.all("authorization")[0].to_owned();
    assert!(header.starts_with("OAuth realm=\"R\", oauth_consumer_key=\"CANARY-consumer\""), "{header}");
    let part = |name: &str| {
        let (_, rest) = header.split_once(&format!("{name}=\"")).unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    let escaped = |text: &str| percent_encoding::utf8_percent_encode(text, UNRESERVED).to_string();
    let parameters = format!(
        "oauth_consumer_key=CANARY-consumer&oauth_nonce={}&oauth_signature_method=HMAC-SHA1&oauth_timestamp={}&\
         oauth_token=CANARY-token-1&oauth_version=1.0&status=hello%20world&x=1",
        part("oauth_nonce"),
        part("oauth_timestamp")
    );
    let base = format!("POST&{}&{}", escaped(&format!("{}/a", service.url())), escaped(&parameters));
    let tag = crypto::hmac(
        crypto::HmacHash::Sha1,
        b"CANARY-consumer-secret&CANARY-token-secret",
        &[base.as_bytes()],
    );
    assert_eq!(part("oauth_signature"), escaped(&crypto::to_base64(&tag)));
    house.spotless();
}

#[tokio::test]
async fn a_digest_challenge_is_answered_once_and_remembered() {
    let service = Service::start(|seen| {
        let nonce = if seen.target == "/stale" { "n2" } else { "n1" };
        let answer = seen.all("authorization").first().map(|value| (*value).to_owned()).unwrap_or_default();
        let part = |name: &str| {
            answer.split_once(&format!("{name}=")).map(|(_, rest)| {
                rest.trim_start_matches('"').split(['"', ',']).next().unwrap_or_default().to_owned()
            })
        };
        let hash = |text: &str| crypto::to_hex(&crypto::sha256(&[text.as_bytes()]));
        let a1 = hash("user:realm:CANARY-password");
        let a2 = hash(&format!("{}:{}", seen.method, seen.target));
        let (nc, cnonce) = (part("nc").unwrap_or_default(), part("cnonce").unwrap_or_default());
        let wanted = hash(&format!("{a1}:{nonce}:{nc}:{cnonce}:auth:{a2}"));
        if part("response") == Some(wanted) {
            return json(200, "{\"said\": \"hello\"}");
        }
        let stale = if answer.is_empty() { "" } else { ", stale=true" };
        let challenge =
            format!("Digest realm=\"realm\", qop=\"auth\", nonce=\"{nonce}\", algorithm=SHA-256{stale}");
        vec![Step::Send(reply(401, &[("www-authenticate", &challenge)], ""))]
    });
    let auth = "{scheme: digest, username: user, password_secret: password}";
    let (house, pass) = house(&service.url(), auth, &[("password", "CANARY-password")]).await;
    for (ask, sent) in [
        (Ask::post("/a?x=1", "the body"), 2),
        (Ask::post("/a?x=1", "the body"), 3),
        (Ask::get("/b"), 4),
        (Ask::get("/stale"), 6),
    ] {
        assert_eq!(house.got(ask.with(&pass)).await.unwrap().status, 200);
        assert_eq!(service.seen().len(), sent);
    }
    assert_eq!(service.seen()[1].body, b"the body");
    assert!(service.seen()[2].all("authorization")[0].contains("nc=00000002"));
    house.spotless();
}

#[tokio::test]
async fn a_wrong_password_of_digest_is_not_tried_over_and_over() {
    let service = Service::start(|_| {
        let challenge = "Digest realm=\"r\", qop=\"auth\", nonce=\"n\"";
        vec![Step::Send(reply(401, &[("www-authenticate", challenge)], ""))]
    });
    let auth = "{scheme: digest, username: user, password_secret: password}";
    let (house, pass) = house(&service.url(), auth, &[("password", "CANARY-password")]).await;
    assert_eq!(house.got(Ask::get("/a").with(&pass)).await.unwrap().status, 401);
    assert_eq!(service.seen().len(), 2);
    assert_eq!(house.got(Ask::get("/a").with(&pass)).await.unwrap().status, 401);
    assert_eq!(service.seen().len(), 3);
}
