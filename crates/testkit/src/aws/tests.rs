//! The fake refuses what AWS refuses, and records all of it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{SystemTime, UNIX_EPOCH};

use crypto::sigv4::{Payload, Request, Rules, Signer};
use memory::Secret;
use model::Timestamp;
use serde_json::json;

use super::server::Heard;
use super::signature::Signed;
use super::*;

/// Who signs.
#[derive(Clone)]
struct Who {
    key: String,
    secret: String,
    token: Option<String>,
}

/// A user's own key, as the fake knows it.
fn user() -> Who {
    Who { key: KEY.to_owned(), secret: format!("secret-of-{KEY}"), token: None }
}

/// What the call with this number issued.
fn issued(n: u64) -> Who {
    Who { key: Fake::issued_id(n), secret: format!("secret-{n}"), token: Some(format!("token-{n}")) }
}

/// Calls STS or IAM, signed with the signer of the house. Gives status and body.
fn call(fake: &Fake, who: &Who, form: &str) -> (u16, String) {
    let service = if form.contains("AccessKey") || form.contains("GetUser") { "iam" } else { "sts" };
    let host = fake.addresses.endpoint.to_string();
    let mut headers = vec![("host", host.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let secret = Secret::new(who.secret.clone().into_bytes()).unwrap();
    let token = who.token.clone().map(|token| Secret::new(token.into_bytes()).unwrap());
    let signer = Signer {
        access_key_id: &who.key,
        secret: &secret,
        token: token.as_ref(),
        region: "eu-west-1",
        service,
        rules: Rules::STANDARD,
    };
    let payload = Payload::Bytes(form.as_bytes());
    let request = Request { method: "POST", path: "/", query: "", headers: &headers, payload };
    let signed = signer.sign(&request, now()).unwrap();
    headers.extend([("x-amz-date", signed.date.as_str()), ("authorization", signed.authorization.as_str())]);
    headers.extend(who.token.as_deref().map(|token| ("x-amz-security-token", token)));
    send(fake, "POST", "/", &headers, form)
}

fn send(fake: &Fake, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(fake.addresses.endpoint).unwrap();
    exchange(&mut stream, method, path, headers, body)
}

fn exchange(
    stream: &mut (impl Read + Write),
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String) {
    let mut text =
        format!("{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    if !headers.iter().any(|(name, _)| *name == "host") {
        text.push_str("host: localhost\r\n");
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{text}\r\n{body}").as_bytes()).unwrap();
    let mut answer = Vec::new();
    // A TLS peer that closes without saying so is an error behind the answer.
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).unwrap();
    let status = answer.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, answer)
}

fn json_call(fake: &Fake, path: &str, body: &Value) -> (u16, String) {
    send(fake, "POST", path, &[("content-type", "application/json")], &body.to_string())
}

#[expect(clippy::disallowed_methods, reason = "the fake takes only signatures of now")]
fn now() -> Timestamp {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    Timestamp::from_millis(u64::try_from(millis).unwrap())
}

fn with(options: &Value) -> Fake {
    Fake::start(Options::from_json(options))
}

#[track_caller]
fn refused(answer: &(u16, String), status: u16, code: &str) {
    assert!(answer.0 == status && answer.1.contains(code), "want {status} {code}: {answer:?}");
}

const KEY: &str = "AKIACANARY0000000001";
const SESSION: &str = "Action=GetSessionToken&Version=2011-06-15";
const ROLE: &str = "Action=AssumeRole&RoleArn=arn:aws:iam::111111111111:role/A&RoleSessionName=me";
const MFA: &str = "&SerialNumber=arn:aws:iam::111111111111:mfa/user&TokenCode=";

#[test]
fn a_published_signature_passes_and_a_changed_one_does_not() {
    // `get-vanilla` of the test suite that AWS publishes (Apache-2.0).
    let headers = |signature: &str| {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature={signature}"
        );
        let mut headers = http::HeaderMap::new();
        headers.insert("host", "example.amazonaws.com".parse().unwrap());
        headers.insert("x-amz-date", "20150830T123600Z".parse().unwrap());
        headers.insert("authorization", authorization.parse().unwrap());
        headers
    };
    let check = |signature: &str, secret: &str, now: &str| {
        let heard = Heard {
            method: "GET".to_owned(),
            host: "example.amazonaws.com".to_owned(),
            path: "/".to_owned(),
            query: String::new(),
            headers: headers(signature),
            body: bytes::Bytes::new(),
            signed: None,
            now: now.parse().unwrap(),
        };
        Signed::read(&heard.headers).unwrap().check(&heard, secret, heard.now)
    };
    let (right, secret) = (
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    );
    let time = "2015-08-30T12:36:00Z";
    assert!(check(right, secret, time).is_ok());
    assert!(check(&right.replace('5', "6"), secret, time).is_err());
    assert!(check(right, "another", time).is_err());
    assert!(check(right, secret, "2015-08-30T12:52:00Z").unwrap_err().message.contains("too far from now"));
}

#[test]
fn what_is_handed_out_is_named_after_the_call() {
    let fake = with(&json!({}));
    let (status, body) = call(&fake, &user(), SESSION);
    assert_eq!(status, 200);
    assert!(body.contains("<AccessKeyId>ASIAFAKE000000000001</AccessKeyId>"), "{body}");
    assert!(call(&fake, &issued(1), ROLE).1.contains("<SessionToken>token-2</SessionToken>"));
    assert!(call(&fake, &issued(2), "Action=GetCallerIdentity").1.contains(":user/alice</Arn>"));
    let calls = fake.calls();
    assert_eq!(calls[1].api, "sts.AssumeRole");
    assert_eq!(calls[1].signed_by.as_deref(), Some("ASIAFAKE000000000001"));
    assert_eq!(calls[1].region.as_deref(), Some("eu-west-1"));
    assert_eq!(calls[1].session_token.as_deref(), Some("token-1"));
    assert_eq!(calls[1].param("RoleSessionName").as_deref(), Some("me"));
    assert_eq!(calls[0].param("Version"), None);
}

#[test]
fn who_is_not_who_they_say_is_refused() {
    let fake = with(&json!({}));
    refused(
        &call(&fake, &Who { secret: "another".to_owned(), ..user() }, SESSION),
        403,
        "SignatureDoesNotMatch",
    );
    let stranger = Who { key: "ASIASTRANGER".to_owned(), ..user() };
    refused(&call(&fake, &stranger, SESSION), 403, "InvalidClientTokenId");
    call(&fake, &user(), SESSION);
    refused(&call(&fake, &Who { token: None, ..issued(3) }, ROLE), 403, "InvalidClientTokenId");
    refused(&send(&fake, "POST", "/", &[], SESSION), 403, "MissingAuthenticationToken");
    assert_eq!(call(&fake, &issued(3), ROLE).0, 200);
    let lenient = with(&json!({"lenient": ["signature"]}));
    assert_eq!(send(&lenient, "POST", "/", &[], SESSION).0, 200);
    assert_eq!(lenient.calls()[0].signed_by, None);
}

#[test]
fn sessions_can_do_no_more_than_sessions_of_aws() {
    let fake = with(&json!({"lifetime": 3600}));
    call(&fake, &user(), SESSION);
    refused(&call(&fake, &issued(1), SESSION), 403, "Cannot call GetSessionToken with session credentials");
    let federation = "Action=GetFederationToken&Name=alice";
    refused(&call(&fake, &issued(1), federation), 403, "Cannot call GetFederationToken with session");
    refused(&call(&fake, &issued(1), "Action=GetUser"), 403, "InvalidClientTokenId");
    refused(&call(&fake, &issued(1), &format!("{ROLE}{MFA}111111")), 403, "MultiFactorAuthentication");
    call(&fake, &user(), &format!("{SESSION}{MFA}111111"));
    assert_eq!(call(&fake, &issued(6), "Action=GetUser").0, 200);
    call(&fake, &user(), ROLE);
    refused(&call(&fake, &issued(8), &format!("{ROLE}&DurationSeconds=3601")), 400, "role chaining");
    refused(&call(&fake, &issued(8), "Action=GetUser"), 400, "Must specify userName");
    let lenient = with(&json!({"lenient": ["session-from-session", "chaining"]}));
    call(&lenient, &user(), ROLE);
    assert_eq!(call(&lenient, &issued(1), SESSION).0, 200);
    assert_eq!(call(&lenient, &issued(1), &format!("{ROLE}&DurationSeconds=7200")).0, 200);
}

#[test]
fn credentials_that_have_ended_are_refused() {
    let fake = with(&json!({"lifetime": -1}));
    call(&fake, &user(), SESSION);
    refused(&call(&fake, &issued(1), ROLE), 403, "ExpiredToken");
    fake.set(&json!({"lenient": ["expired"]}));
    assert_eq!(call(&fake, &issued(1), ROLE).0, 200);
}

#[test]
fn a_code_is_taken_once_and_only_the_right_one() {
    let fake = with(&json!({"mfa_code": "123456"}));
    let session = |code: &str| call(&fake, &user(), &format!("{SESSION}{MFA}{code}"));
    refused(&session("12345"), 400, "ValidationError");
    refused(&session("111111"), 403, "invalid MFA one time pass code");
    assert_eq!(session("123456").0, 200);
    refused(&session("123456"), 403, "invalid MFA one time pass code");
    fake.set(&json!({"lenient": ["code-reuse"]}));
    assert_eq!(session("123456").0, 200);
    let half = call(&fake, &user(), &format!("{SESSION}&TokenCode=123456"));
    refused(&half, 403, "must provide both");
}

#[test]
fn parameters_outside_their_limits_are_refused() {
    let fake = with(&json!({"role_max": 7200}));
    for (form, status, code) in [
        (format!("{SESSION}&DurationSeconds=899"), 400, "ValidationError"),
        (format!("{SESSION}&DurationSeconds=129601"), 400, "ValidationError"),
        (format!("{ROLE}&DurationSeconds=7201"), 400, "MaxSessionDuration"),
        (ROLE.replace("=me", "=m"), 400, "roleSessionName"),
        (ROLE.replace("&RoleSessionName=me", ""), 400, "RoleSessionName"),
        (ROLE.replace("role/", "user/"), 400, "is invalid"),
        ("Action=GetFederationToken&Name=a".to_owned(), 400, "ValidationError"),
        ("Action=Unheard".to_owned(), 400, "InvalidAction"),
    ] {
        let (got, body) = call(&fake, &user(), &form);
        assert!(got == status && body.to_lowercase().contains(&code.to_lowercase()), "{form}: {got} {body}");
    }
    let token = "Action=AssumeRoleWithWebIdentity&RoleArn=arn:aws:iam::111111111111:role/A&RoleSessionName=me\
                 &WebIdentityToken=jwt";
    assert_eq!(send(&fake, "POST", "/", &[], token).0, 200);
    refused(&send(&fake, "POST", "/", &[], &format!("{token}%0A")), 400, "InvalidIdentityToken");
}

#[test]
fn a_key_can_be_rotated_and_the_old_one_is_gone() {
    let fake = with(&json!({"new_key_refusals": 1}));
    assert!(call(&fake, &user(), "Action=CreateAccessKey").1.contains("AKIANEW0000000000001"));
    refused(&call(&fake, &user(), "Action=CreateAccessKey"), 409, "LimitExceeded");
    let new = Who { key: "AKIANEW0000000000001".to_owned(), secret: "newsecret-1".to_owned(), token: None };
    let delete = format!("Action=DeleteAccessKey&AccessKeyId={KEY}");
    refused(&call(&fake, &new, &delete), 403, "InvalidClientTokenId");
    assert_eq!(call(&fake, &new, &delete).0, 200);
    refused(&call(&fake, &new, &delete), 404, "NoSuchEntity");
    refused(&call(&fake, &user(), SESSION), 403, "InvalidClientTokenId");
    let listed = call(&fake, &new, "Action=ListAccessKeys").1;
    assert!(listed.contains(&new.key) && !listed.contains(KEY), "{listed}");
}

#[test]
fn a_refusal_can_be_asked_for_so_many_times() {
    let fake =
        with(&json!({"fail": {"sts.GetSessionToken": {"code": "Throttling", "status": 400, "times": 1}}}));
    refused(&call(&fake, &user(), SESSION), 400, "<Code>Throttling</Code>");
    assert_eq!(call(&fake, &user(), SESSION).0, 200);
    fake.set(&json!({"fail": {"sts.GetSessionToken": {"lose": true}}}));
    assert_eq!(call(&fake, &user(), SESSION), (0, String::new()));
    assert_eq!(fake.calls().len(), 3);
}

#[test]
fn an_answer_is_held_back_until_it_is_let_go() {
    let fake = with(&json!({"hold": ["sts.GetSessionToken"]}));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| call(&fake, &user(), SESSION).0);
        assert_eq!(fake.wait_for(1)[0].api, "sts.GetSessionToken");
        assert_eq!(call(&fake, &user(), "Action=GetCallerIdentity").0, 200);
        assert!(!waiting.is_finished());
        fake.set(&json!({"hold": []}));
        assert_eq!(waiting.join().unwrap(), 200);
    });
}

#[test]
fn the_device_flow_says_what_it_was_told_to_say() {
    let fake = with(&json!({"oidc_sequence": ["pending", "slow_down"], "oidc_refresh": true}));
    let client = json!({"clientId": "cid", "clientSecret": "csec"});
    assert!(json_call(&fake, "/client/register", &json!({})).1.contains("\"clientId\":\"cid\""));
    assert!(json_call(&fake, "/device_authorization", &client).1.contains("ABCD-EFGH"));
    let mut poll = client;
    poll["grantType"] = json!("urn:ietf:params:oauth:grant-type:device_code");
    refused(&json_call(&fake, "/token", &poll), 400, "invalid_grant");
    poll["deviceCode"] = json!("dev-code");
    refused(&json_call(&fake, "/token", &poll), 400, "authorization_pending");
    let slow = json_call(&fake, "/token", &poll);
    refused(&slow, 400, "x-amzn-errortype: SlowDownException");
    let token = json_call(&fake, "/token", &poll).1;
    assert!(token.contains("oidc-6") && token.contains("refresh-1"), "{token}");
    let role = "/federation/credentials?account_id=1&role_name=R";
    refused(&send(&fake, "GET", role, &[], ""), 401, "UnauthorizedException");
    let held = [("x-amz-sso_bearer_token", "oidc-6")];
    assert!(send(&fake, "GET", role, &held, "").1.contains("ASIAFAKE000000000008"));
    assert_eq!(fake.calls()[7].param("bearer").as_deref(), Some("oidc-6"));
    assert_eq!(send(&fake, "POST", "/logout", &held, "").0, 200);
    refused(&send(&fake, "GET", role, &held, ""), 401, "UnauthorizedException");
}

#[test]
fn an_authorization_code_needs_the_verifier_of_its_challenge() {
    let fake = with(&json!({}));
    let challenge = crypto::to_base64url(&crypto::sha256(&[b"verifier"]));
    let page = format!("/authorize?redirect_uri=http://127.0.0.1:1/cb&state=st&code_challenge={challenge}");
    let (status, head) = send(&fake, "GET", &page, &[], "");
    assert!(status == 302 && head.contains("location: http://127.0.0.1:1/cb?code=auth-1&state=st"), "{head}");
    let ask = |verifier: &str| {
        json_call(
            &fake,
            "/token",
            &json!({"clientId": "cid", "clientSecret": "csec", "grantType": "authorization_code",
            "code": "auth-1", "codeVerifier": verifier}),
        )
    };
    assert!(ask("verifier").1.contains("oidc-2"));
    refused(&ask("verifier"), 400, "invalid_grant");
}

#[test]
fn sign_in_answers_behind_the_proxy_for_roles_only() {
    let fake = with(&json!({}));
    call(&fake, &user(), ROLE);
    let ask = |session: &str| {
        let path = format!("/federation?Action=getSigninToken&Session={session}");
        let mut stream = through_proxy(&fake, "signin.amazonaws.cn");
        exchange(&mut stream, "GET", &path, &[("host", "signin.amazonaws.cn")], "")
    };
    let session = |secret: &str| {
        format!(
            "%7B%22sessionId%22:%22ASIAFAKE000000000001%22,%22sessionKey%22:%22{secret}%22,%22sessionToken%22:%22token-1%22%7D"
        )
    };
    assert!(ask(&session("secret-1")).1.contains("tok+en/=="));
    assert_eq!(ask(&session("secret-2")).0, 400);
    assert_eq!(fake.tunnels(), ["signin.amazonaws.cn:443", "signin.amazonaws.cn:443"]);
    assert_eq!(fake.calls()[1].api, "signin.getSigninToken");
    assert_eq!(fake.calls()[1].param("host").as_deref(), Some("signin.amazonaws.cn"));
}

/// TLS to a host, through the proxy, with trust in the authority of the fake.
fn through_proxy(
    fake: &Fake,
    host: &'static str,
) -> rustls::StreamOwned<rustls::ClientConnection, TcpStream> {
    use rustls::pki_types::pem::PemObject;
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(rustls::pki_types::CertificateDer::from_pem_slice(fake.authority().as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut stream = TcpStream::connect(fake.addresses.proxy).unwrap();
    stream.write_all(format!("CONNECT {host}:443 HTTP/1.1\r\nhost: {host}:443\r\n\r\n").as_bytes()).unwrap();
    let mut said = Vec::new();
    while !said.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        said.push(byte[0]);
    }
    assert!(said.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&said));
    let connection = rustls::ClientConnection::new(Arc::new(config), host.try_into().unwrap()).unwrap();
    rustls::StreamOwned::new(connection, stream)
}

#[test]
fn an_option_that_nobody_knows_is_refused() {
    assert!(std::panic::catch_unwind(|| Options::from_json(&json!({"liftime": 1}))).is_err());
    assert!(
        std::panic::catch_unwind(|| Options::default().with(&json!({"lenient": ["everything"]}))).is_err()
    );
}
