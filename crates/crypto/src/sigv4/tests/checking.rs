//! What is refused: on the way out, and when a signature comes in.

use super::*;

const DATE: &str = "20261122T090000Z";

fn signer(secret: &Secret) -> Signer<'_> {
    Signer {
        access_key_id: "AKIACANARY0000000001",
        secret,
        token: None,
        region: "eu-central-1",
        service: "execute-api",
        rules: Rules::STANDARD,
    }
}

fn window(now: &str) -> Window {
    Window { now: at(now), skew: Duration::from_secs(300) }
}

const PLAIN: Request<'_> = Request {
    method: "POST",
    path: "/orders",
    query: "b=2&a=1",
    headers: &[("host", "api.example.com"), ("x-amz-target", "Orders.Put")],
    payload: Payload::Bytes(b"{}"),
};

/// The claim of a signed request, and all of its headers.
fn signed(secret: &Secret) -> (Claim, Vec<(&'static str, String)>) {
    let signed = signer(secret).sign(&PLAIN, at(DATE)).unwrap();
    let mut headers: Vec<_> =
        PLAIN.headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    headers.push(("x-amz-date", signed.date.clone()));
    headers.push(("accept", "*/*".to_owned()));
    (Claim::from_header(&signed.authorization).unwrap(), headers)
}

fn check(
    claim: &Claim,
    request: &Request<'_>,
    headers: &[(&str, String)],
    now: &str,
) -> Result<(), Unproven> {
    let secret = secret(EXAMPLE_SECRET);
    let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let request = Request { headers: &headers, ..*request };
    claim.verify(&request, &secret, Rules::STANDARD, window(now)).map(|_| ())
}

#[test]
fn a_signed_request_is_genuine_and_a_changed_one_is_not() {
    let (claim, headers) = signed(&secret(EXAMPLE_SECRET));
    assert_eq!(claim.region(), "eu-central-1");
    assert_eq!(claim.service(), "execute-api");
    assert_eq!(check(&claim, &PLAIN, &headers, DATE), Ok(()));
    for changed in [
        Request { method: "PUT", ..PLAIN },
        Request { path: "/orders/1", ..PLAIN },
        Request { query: "a=1&b=3", ..PLAIN },
        Request { payload: Payload::Bytes(b"[]"), ..PLAIN },
    ] {
        assert_eq!(check(&claim, &changed, &headers, DATE), Err(Unproven::Forged));
    }
    let mut other = headers.clone();
    other[0].1 = "api.example.org".to_owned();
    assert_eq!(check(&claim, &PLAIN, &other, DATE), Err(Unproven::Forged));
    // The order of a query, and headers that are not signed, change nothing.
    assert_eq!(check(&claim, &Request { query: "a=1&b=2", ..PLAIN }, &headers, DATE), Ok(()));
}

#[test]
fn a_signature_of_another_key_is_forged() {
    let (claim, headers) = signed(&secret("another secret"));
    assert_eq!(check(&claim, &PLAIN, &headers, DATE), Err(Unproven::Forged));
}

#[test]
fn a_signature_is_good_for_five_minutes_around_its_date_only() {
    let (claim, headers) = signed(&secret(EXAMPLE_SECRET));
    assert_eq!(check(&claim, &PLAIN, &headers, "20261122T090500Z"), Ok(()));
    assert_eq!(check(&claim, &PLAIN, &headers, "20261122T085500Z"), Ok(()));
    assert_eq!(check(&claim, &PLAIN, &headers, "20261122T090501Z"), Err(Unproven::Time));
    assert_eq!(check(&claim, &PLAIN, &headers, "20261122T085459Z"), Err(Unproven::Time));
}

#[test]
fn a_header_that_has_to_be_covered_and_is_not_is_refused() {
    let (claim, mut headers) = signed(&secret(EXAMPLE_SECRET));
    headers.push(("X-Amz-Acl", "public-read".to_owned()));
    assert_eq!(check(&claim, &PLAIN, &headers, DATE), Err(Unproven::Uncovered("x-amz-acl".into())));
    headers.pop();
    headers.remove(1);
    assert_eq!(check(&claim, &PLAIN, &headers, DATE), Err(Unproven::Uncovered("x-amz-target".into())));
    let bare =
        "AWS4-HMAC-SHA256 Credential=A/20261122/r/s/aws4_request, SignedHeaders=x-amz-date, Signature=";
    let claim = Claim::from_header(&format!("{bare}{}", "0".repeat(64))).unwrap();
    assert_eq!(check(&claim, &PLAIN, &headers, DATE), Err(Unproven::Uncovered("host".into())));
}

#[test]
fn a_second_date_or_a_body_that_the_headers_do_not_name_is_refused() {
    let (claim, headers) = signed(&secret(EXAMPLE_SECRET));
    let mut twice = headers.clone();
    twice.push(("X-AMZ-DATE", DATE.to_owned()));
    assert_eq!(check(&claim, &PLAIN, &twice, DATE), Err(Unproven::Malformed("x-amz-date")));
    let secret = secret(EXAMPLE_SECRET);
    let signer = Signer { rules: Rules::S3, ..signer(&secret) };
    let unsigned = signer.sign(&Request { payload: Payload::Unsigned, ..PLAIN }, at(DATE)).unwrap();
    let mut all = PLAIN.headers.to_vec();
    all.push(("x-amz-date", &unsigned.date));
    all.push(("x-amz-content-sha256", unsigned.content_sha256.as_deref().unwrap()));
    let claim = Claim::from_header(&unsigned.authorization).unwrap();
    let request = Request { headers: &all, ..PLAIN };
    let result = claim.verify(&request, &secret, Rules::S3, window(DATE));
    assert_eq!(
        result.err(),
        Some(Unproven::Payload),
        "an unsigned body is accepted only where that was asked for"
    );
    let request = Request { payload: Payload::Unsigned, ..request };
    assert!(claim.verify(&request, &secret, Rules::S3, window(DATE)).is_ok());
}

#[test]
fn a_presigned_request_is_good_until_it_expires() {
    let secret = secret(EXAMPLE_SECRET);
    let token = super::secret("FwoGZXIvYXdzEXAMPLE//token==");
    let signer = Signer { token: Some(&token), ..signer(&secret) };
    let request = Request { headers: &[("host", "api.example.com")], ..PLAIN };
    let query = signer.presign(&request, at(DATE), Duration::from_secs(60)).unwrap();
    let decoded: Vec<(String, String)> = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| {
            (name.to_owned(), value.replace("%2F", "/").replace("%3B", ";").replace("%3D", "="))
        })
        .collect();
    let pairs: Vec<(&str, &str)> = decoded.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let claim = Claim::from_query(&pairs).unwrap();
    assert_eq!(claim.token(), Some("FwoGZXIvYXdzEXAMPLE//token=="));
    let incoming = Request { query: &query, ..request };
    let verify =
        |request: &Request<'_>, now| claim.verify(request, &secret, Rules::STANDARD, window(now)).err();
    assert_eq!(verify(&incoming, DATE), None);
    assert_eq!(verify(&incoming, "20261122T090100Z"), None);
    assert_eq!(verify(&incoming, "20261122T090101Z"), Some(Unproven::Time));
    let changed = query.replace("a=1", "a=2");
    assert_eq!(verify(&Request { query: &changed, ..incoming }, DATE), Some(Unproven::Forged));
    let (without, _): (Vec<_>, Vec<_>) =
        pairs.iter().copied().partition(|(name, _)| *name != "X-Amz-Expires");
    assert!(matches!(Claim::from_query(&without), Err(Unproven::Malformed("X-Amz-Expires"))));
}

#[test]
fn an_authorization_header_with_more_than_one_reading_is_refused() {
    let good = "AWS4-HMAC-SHA256 Credential=AKIA/20261122/r/s/aws4_request, SignedHeaders=host;x-amz-date, Signature=";
    let zeros = "0".repeat(64);
    assert!(Claim::from_header(&format!("{good}{zeros}")).is_ok());
    for bad in [
        String::new(),
        format!("{good}00"),
        format!("{good}{}", "G".repeat(64)),
        format!("{good}{zeros}, Signature={zeros}"),
        format!("{good}{zeros}, Extra=1"),
        format!("{good}{zeros}").replace("HMAC", "ECDSA"),
        format!("{good}{zeros}").replace("host;x-amz-date", "x-amz-date;host"),
        format!("{good}{zeros}").replace("host;x-amz-date", "host;host"),
        format!("{good}{zeros}").replace("host;x-amz-date", "Host"),
        format!("{good}{zeros}").replace("/s/", "/s/t/"),
        format!("{good}{zeros}").replace("aws4_request", "aws5_request"),
        format!("{good}{zeros}").replace("20261122", "2026"),
        format!("{good}{zeros}").replace("AKIA/", "/"),
    ] {
        assert!(matches!(Claim::from_header(&bad), Err(Unproven::Malformed(_))), "{bad}");
    }
}

#[test]
fn what_the_signature_adds_itself_cannot_be_given() {
    let secret = secret(EXAMPLE_SECRET);
    for name in ["Authorization", "X-Amz-Date", "x-amz-security-token", "x-amz-content-sha256"] {
        let request = Request { headers: &[("host", "h"), (name, "v")], ..PLAIN };
        assert!(signer(&secret).sign(&request, at(DATE)).is_err(), "{name}");
    }
    let minute = Duration::from_secs(60);
    let twice = Request { query: "X-Amz-Date=1", ..PLAIN };
    assert!(signer(&secret).presign(&twice, at(DATE), minute).is_err());
    assert!(signer(&secret).presign(&PLAIN, at(DATE), Duration::ZERO).is_err());
    assert!(signer(&secret).presign(&PLAIN, at(DATE), Duration::from_secs(604_801)).is_err());
}

#[test]
fn what_is_not_one_line_is_not_signed() {
    let secret = secret(EXAMPLE_SECRET);
    let split = Request { headers: &[("host", "h"), ("x-a", "1\r\nx-b: 2")], ..PLAIN };
    assert!(signer(&secret).sign(&split, at(DATE)).is_err());
    assert!(signer(&secret).sign(&Request { headers: &[], ..PLAIN }, at(DATE)).is_err());
    let token = super::secret("two\nlines");
    let with_token = Signer { token: Some(&token), ..signer(&secret) };
    assert!(with_token.sign(&PLAIN, at(DATE)).is_err());
    let slash = Signer { access_key_id: "AKIA/x", ..signer(&secret) };
    assert!(slash.sign(&PLAIN, at(DATE)).is_err());
}

#[test]
fn a_date_has_one_form() {
    assert_eq!(amz_date(at(DATE)), DATE);
    for bad in ["", "2026-11-22T09:00:00Z", "20261122T090000", "20261322T090000Z", "20261122T0900+0Z"] {
        assert!(parse_amz_date(bad).is_err(), "{bad}");
    }
}
