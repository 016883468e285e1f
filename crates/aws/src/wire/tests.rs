//! What is sent, what is sent again, and what a refusal says.

use super::*;
use crate::iam::Iam;
use crate::sts::{Mfa, Sts};
use fake::{Answer, Fake, key, session, wire};

pub(crate) mod fake;

const WHO: &str =
    "<UserId>AIDA</UserId><Account>111111111111</Account><Arn>arn:aws:iam::111111111111:user/alice</Arn>";

fn who() -> Answer {
    Answer::result("GetCallerIdentity", WHO)
}

async fn ask(answers: Vec<Answer>) -> (Result<crate::sts::CallerIdentity, Error>, Fake, Vec<Duration>) {
    let fake = Fake::start(answers);
    let (wire, time) = wire();
    let endpoint = fake.endpoint();
    let lease = session();
    let result = Sts::new(&wire, &endpoint).caller_identity(&lease).await;
    (result, fake, time.waits())
}

#[tokio::test]
async fn a_request_is_signed_with_the_session_and_its_token() {
    let (result, fake, _) = ask(vec![who()]).await;
    assert_eq!(result.unwrap().arn, "arn:aws:iam::111111111111:user/alice");
    let seen = fake.only();
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/"));
    assert_eq!(seen.header("x-amz-security-token"), Some("CANARY-session-token"));
    assert_eq!(seen.header("x-amz-date"), Some("20261122T090000Z"));
    let headers: Vec<(&str, &str)> =
        seen.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    let request = crypto::sigv4::Request {
        method: "POST",
        path: "/",
        query: "",
        headers: &headers,
        payload: Payload::Bytes(seen.body.as_bytes()),
    };
    let claim = crypto::sigv4::Claim::from_header(seen.header("authorization").unwrap()).unwrap();
    assert_eq!(
        (claim.access_key_id(), claim.region(), claim.service()),
        ("ASIACANARY0000000002", "eu-central-1", "sts")
    );
    let now = fake::NOW.parse().unwrap();
    let window = crypto::sigv4::Window { now, skew: Duration::from_secs(1) };
    let secret = fake::secret("CANARY-session-secret");
    assert!(claim.verify(&request, &secret, Rules::STANDARD, window).is_ok());
}

#[tokio::test]
async fn being_asked_to_slow_down_and_passing_failures_are_waited_out() {
    for first in [
        Answer::fault(400, "Throttling", "Rate exceeded"),
        Answer::fault(503, "ServiceUnavailable", "later"),
        Answer::status(502, "<html>bad gateway</html>"),
        Answer::status(429, ""),
    ] {
        let (result, fake, waits) = ask(vec![first.clone(), first.clone(), who()]).await;
        assert!(result.is_ok(), "{first:?}");
        assert_eq!(fake.seen().len(), 3);
        assert_eq!(waits.len(), 2);
        assert!(waits.iter().all(|wait| *wait <= Duration::from_millis(800)), "{waits:?}");
    }
    let (_, _, waits) = ask(vec![Answer::status(429, "").with("retry-after", "7"), who()]).await;
    assert_eq!(waits, [Duration::from_secs(7)]);
}

#[tokio::test]
async fn three_attempts_are_all_and_a_refusal_is_final() {
    let busy = Answer::fault(500, "InternalFailure", "sorry");
    let (result, fake, _) = ask(vec![busy.clone(), busy.clone(), busy, who()]).await;
    assert_eq!(result.unwrap_err().code(), Some("InternalFailure"));
    assert_eq!(fake.seen().len(), 3);
    let (result, fake, waits) = ask(vec![Answer::fault(403, "AccessDenied", "no"), who()]).await;
    assert_eq!(result.unwrap_err().code(), Some("AccessDenied"));
    assert_eq!((fake.seen().len(), waits.len()), (1, 0));
}

#[tokio::test]
async fn what_creates_something_or_spends_a_code_is_not_sent_again_when_it_may_have_been_performed() {
    let (wire, _) = wire();
    let lease = key();
    let busy = || Answer::fault(500, "InternalFailure", "sorry");
    let fake = Fake::start([busy(), busy()]);
    let endpoint = fake.endpoint();
    assert!(Iam::new(&wire, &endpoint, &lease).create_access_key(None).await.is_err());
    assert_eq!(fake.seen().len(), 1);
    let mfa = Some(Mfa { serial: "arn:aws:iam::111111111111:mfa/alice", code: "123456" });
    assert!(Sts::new(&wire, &endpoint).session_token(&lease, None, mfa).await.is_err());
    assert_eq!(fake.seen().len(), 2);
    // Who was told to slow down was not served.
    let fake = Fake::start([Answer::fault(400, "Throttling", "slow"), busy()]);
    let endpoint = fake.endpoint();
    assert!(Iam::new(&wire, &endpoint, &lease).create_access_key(None).await.is_err());
    assert_eq!(fake.seen().len(), 2);
}

#[tokio::test]
async fn a_service_that_is_not_there_is_asked_three_times() {
    let (wire, time) = wire();
    let gone =
        net::bind_tcp("127.0.0.1:0".parse().unwrap(), std::num::NonZeroUsize::MIN).unwrap().pop().unwrap();
    let endpoint = Endpoint::at(&format!("http://{}", gone.address().unwrap()), "r").unwrap();
    drop(gone);
    let lease = key();
    let error = Sts::new(&wire, &endpoint).caller_identity(&lease).await.unwrap_err();
    assert_eq!(error.to_string(), "no answer to `sts:GetCallerIdentity`");
    assert_eq!(time.waits().len(), 2);
}

#[tokio::test]
async fn a_wrong_clock_is_corrected_once_by_the_clock_of_aws() {
    let skewed = Answer::fault(403, "SignatureDoesNotMatch", "Signature expired")
        .with("date", "Sun, 22 Nov 2026 11:00:00 GMT");
    let (result, fake, _) = ask(vec![skewed.clone(), who()]).await;
    assert!(result.is_ok());
    assert_eq!(fake.seen()[1].header("x-amz-date"), Some("20261122T110000Z"));
    let (result, fake, _) = ask(vec![skewed.clone(), skewed, who()]).await;
    assert!(result.unwrap_err().hint().unwrap().contains("clock"));
    assert_eq!(fake.seen().len(), 2);
    let in_time = Answer::fault(403, "SignatureDoesNotMatch", "wrong key")
        .with("date", "Sun, 22 Nov 2026 09:00:30 GMT");
    let (_, fake, _) = ask(vec![in_time, who()]).await;
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test]
async fn a_refusal_says_code_message_status_and_request() {
    let (result, _, _) =
        ask(vec![Answer::fault(403, "AccessDenied", "User: x is not\n authorized\u{202e}")]).await;
    let error = result.unwrap_err();
    assert_eq!(
        error.to_string(),
        "AWS refused `sts:GetCallerIdentity`: AccessDenied: User: x is not  authorized (status 403, request req-1)"
    );
    let json = Answer::status(401, r#"{"message":"Session token not found"}"#)
        .with("x-amzn-errortype", "UnauthorizedException:http://internal.amazon.com/")
        .with("x-amzn-requestid", "abc");
    let (result, _, _) = ask(vec![json]).await;
    assert!(
        result
            .unwrap_err()
            .to_string()
            .contains("UnauthorizedException: Session token not found (status 401, request abc)")
    );
    let typed = Answer::status(400, r#"{"__type":"com.amazon#ExpiredTokenException","Message":"old"}"#);
    let (result, _, _) = ask(vec![typed]).await;
    assert_eq!(result.unwrap_err().code(), Some("ExpiredTokenException"));
    let (result, _, _) = ask(vec![Answer::status(404, "not found")]).await;
    assert_eq!(result.unwrap_err().to_string(), "AWS refused `sts:GetCallerIdentity`: (status 404)");
}

#[tokio::test]
async fn credentials_that_are_empty_are_not_sent() {
    let fake = Fake::start([]);
    let (wire, _) = wire();
    let endpoint = fake.endpoint();
    let lease = Lease { access_key_id: String::new(), ..key() };
    let error = Sts::new(&wire, &endpoint).caller_identity(&lease).await.unwrap_err();
    assert!(matches!(error, Error::Input { .. }), "{error}");
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn a_prefix_of_the_endpoint_stands_in_front_of_the_path_and_is_signed() {
    let fake = Fake::start([who()]);
    let (wire, _) = wire();
    let endpoint = Endpoint::at(&format!("{}/sts/v1/", fake.url()), "").unwrap();
    let lease = key();
    Sts::new(&wire, &endpoint).caller_identity(&lease).await.unwrap();
    let seen = fake.only();
    assert_eq!(seen.target, "/sts/v1/");
    assert!(
        seen.header("authorization")
            .unwrap()
            .contains("Credential=AKIACANARY0000000001/20261122//sts/aws4_request")
    );
}
