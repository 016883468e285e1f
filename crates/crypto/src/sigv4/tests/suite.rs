//! Every case of the published suite, in headers and in the query.

use serde_json::Value;

use super::super::canonical::{More, canonical};
use super::*;

/// Cases whose context the suite does not say, so that there is only the canonical request to compare.
const WITHOUT_SIGNATURE: &[&str] = &["double-encode-path", "double-url-encode"];
/// The one case that expects the path of its request to be encoded no second time.
const ENCODED_ONCE: &[&str] = &["get-space-normalized"];

struct Case {
    value: Value,
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: String,
}

fn cases() -> Vec<Case> {
    let suite: Vec<Value> = serde_json::from_str(include_str!("../fixtures/suite.json")).unwrap();
    suite.into_iter().map(Case::new).collect()
}

impl Case {
    fn new(value: Value) -> Self {
        let text = value["request"].as_str().unwrap();
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let line = lines.next().unwrap();
        let (method, rest) = line.split_once(' ').unwrap();
        let (target, _) = rest.rsplit_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in lines {
            if line.starts_with(' ') {
                // A folded line: RFC 9112, section 5.2, reads the fold as a space.
                headers.last_mut().unwrap().1.push_str(line);
            } else {
                let (name, value) = line.split_once(':').unwrap();
                headers.push((name.into(), value.into()));
            }
        }
        headers.retain(|(name, _)| !name.eq_ignore_ascii_case("x-amz-date"));
        let (method, path, query) = (method.to_owned(), path.to_owned(), query.to_owned());
        Self { method, path, query, headers, body: body.to_owned(), value }
    }

    fn name(&self) -> &str {
        self.value["name"].as_str().unwrap()
    }

    fn rules(&self) -> Rules {
        let mut rules = Rules::STANDARD;
        if self.value["normalize"] == false {
            rules.path = PathForm::AsSent;
        }
        if ENCODED_ONCE.contains(&self.name()) {
            rules.encoding = Encoding::Once;
        }
        if self.value["sign_body"] == true {
            rules.content = ContentHash::Header;
        }
        if self.value["omit_session_token"] == true {
            rules.token = TokenPlace::Unsigned;
        }
        rules
    }

    fn with<R>(&self, use_it: impl FnOnce(&Signer<'_>, &Request<'_>) -> R) -> R {
        let secret = secret(EXAMPLE_SECRET);
        let token = self.value["token"].as_str().map(super::secret);
        let headers: Vec<(&str, &str)> = self.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let signer = Signer {
            access_key_id: "AKIDEXAMPLE",
            secret: &secret,
            token: token.as_ref(),
            region: "us-east-1",
            service: "service",
            rules: self.rules(),
        };
        // The suite leaves some bodies out of the signature; what stands for them is the hash of nothing.
        let body = if self.value["sign_body"] == true { self.body.as_bytes() } else { b"" };
        let request = Request {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &headers,
            payload: Payload::Bytes(body),
        };
        use_it(&signer, &request)
    }

    fn text(&self, field: &str) -> &str {
        self.value[field].as_str().unwrap_or_else(|| panic!("{} has no {field}", self.name()))
    }
}

fn when() -> Timestamp {
    at("20150830T123600Z")
}

#[test]
fn every_case_of_the_published_suite_is_signed_in_its_headers() {
    let mut signed = 0;
    for case in cases().iter().filter(|case| !WITHOUT_SIGNATURE.contains(&case.name())) {
        let result = case.with(|signer, request| signer.sign(request, when()).unwrap());
        assert!(
            result.authorization.ends_with(&format!("Signature={}", case.text("header_signature"))),
            "{}: {}",
            case.name(),
            result.authorization
        );
        let names = case.text("header_canonical").rsplit('\n').nth(1).unwrap();
        assert!(result.authorization.contains(&format!("SignedHeaders={names}, ")), "{}", case.name());
        signed += 1;
    }
    assert_eq!(signed, 38);
}

#[test]
fn every_case_of_the_published_suite_is_presigned_in_its_query() {
    let mut signed = 0;
    for case in cases().iter().filter(|case| !WITHOUT_SIGNATURE.contains(&case.name())) {
        let hour = Duration::from_secs(3600);
        let query = case.with(|signer, request| signer.presign(request, when(), hour).unwrap());
        let expected = format!("&X-Amz-Signature={}", case.text("query_signature"));
        assert!(query.ends_with(&expected), "{}: {}", case.name(), *query);
        assert_eq!(
            query.contains("X-Amz-Security-Token="),
            case.value["token"].is_string(),
            "{}",
            case.name()
        );
        signed += 1;
    }
    assert_eq!(signed, 38);
}

#[test]
fn every_canonical_request_of_the_published_suite_is_made_byte_by_byte() {
    for case in cases() {
        let date =
            if WITHOUT_SIGNATURE.contains(&case.name()) { "20210511T154045Z" } else { "20150830T123600Z" };
        let hash =
            Payload::Bytes(if case.value["sign_body"] == true { case.body.as_bytes() } else { b"" }).text();
        let mut added = vec![("x-amz-date", date)];
        if case.value["sign_body"] == true {
            added.push(("x-amz-content-sha256", &hash));
        }
        if let (Some(token), TokenPlace::Signed) = (case.value["token"].as_str(), case.rules().token) {
            added.push(("x-amz-security-token", token));
        }
        let more = More { headers: &added, query: &[], payload: &hash };
        let made = case.with(|signer, request| canonical(request, &more, signer.rules).unwrap());
        assert_eq!(*made.text, case.text("header_canonical"), "{}", case.name());
    }
}

#[test]
fn what_the_suite_signs_is_accepted_when_it_comes_in() {
    let window = Window { now: when(), skew: Duration::from_secs(300) };
    for case in cases().iter().filter(|case| !WITHOUT_SIGNATURE.contains(&case.name())) {
        case.with(|signer, request| {
            let signed = signer.sign(request, when()).unwrap();
            let mut headers = request.headers.to_vec();
            headers.push(("X-Amz-Date", &signed.date));
            headers.extend(signed.content_sha256.as_deref().map(|hash| ("X-Amz-Content-Sha256", hash)));
            headers.extend(case.value["token"].as_str().map(|token| ("X-Amz-Security-Token", token)));
            let incoming = Request { headers: &headers, ..*request };
            let claim = Claim::from_header(&signed.authorization).unwrap();
            assert_eq!(claim.access_key_id(), "AKIDEXAMPLE");
            let proof = claim.verify(&incoming, signer.secret, signer.rules, window);
            assert_eq!(proof.map(|genuine| genuine.at()), Ok(when()), "{}", case.name());
        });
    }
}
