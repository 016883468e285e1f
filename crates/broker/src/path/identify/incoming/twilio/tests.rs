//! The example of Twilio's document, and what is signed of other requests.

use crypto::jws::hmac_signed;
use model::{Fact, Method, Target};

use super::*;

#[test]
fn the_example_of_twilio_fits() {
    let body =
        "Digits=1234&To=%2B18005551212&From=%2B14158675309&Caller=%2B14158675309&CallSid=CA1234567890ABCDE";
    let url = b"https://mycompany.com/myapp.php?foo=1&bar=2";
    let tag = base64(b"RSOYDt4T1cUTdK1PDd93/VVr8B8=").unwrap();
    let fields = form(body.as_bytes()).unwrap();
    assert!(hmac_signed(Hash::LegacySha1, b"12345", &[url, fields.as_bytes()], &tag).is_ok());
    let path = b"/myapp.php?foo=1&bar=2";
    assert!(hmac_signed(Hash::LegacySha1, b"12345", &[path, fields.as_bytes()], &tag).is_err());
}

#[test]
fn fields_are_sorted_and_the_same_one_counts_once() {
    assert_eq!(form(b"b=2&a=1&b=1&a=1&c=&d").unwrap(), "a1b1b2cd");
    assert_eq!(form(b"a=x+y%2B%C3%A9").unwrap(), "ax y+\u{e9}");
    assert!(form(b"a=%ff").is_err() && form(b"\xff=1").is_err());
}

#[test]
fn a_port_that_says_nothing_may_be_left_out() {
    assert_eq!(spellings("https://a.example/b"), ["https://a.example/b", "https://a.example:443/b"]);
    assert_eq!(spellings("https://a.example:443"), ["https://a.example:443", "https://a.example"]);
    assert_eq!(spellings("https://a.example:8443/b"), ["https://a.example:8443/b"]);
}

#[test]
fn a_body_that_nothing_signs_is_refused() {
    let signed = |target: &str, kind: Option<&'static str>, body: &'static str| {
        let mut headers = http::HeaderMap::new();
        if let Some(kind) = kind {
            headers.insert(CONTENT_TYPE, http::HeaderValue::from_static(kind));
        }
        let target: Target = target.parse().unwrap();
        let facts = Fact::default();
        let body = bytes::Bytes::from_static(body.as_bytes());
        let came = Came {
            method: Method::Post,
            target: &target,
            written: target.as_str(),
            headers: &headers,
            facts: &facts,
            body,
        };
        signed_body(&came)
    };
    assert_eq!(signed("/a", None, "").unwrap(), "");
    assert_eq!(signed("/a", Some("application/x-www-form-urlencoded"), "a=1").unwrap(), "a1");
    assert!(signed("/a", None, "a=1").is_err());
    assert!(signed("/a", Some("application/json"), "{}").is_err());
    let hash = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    assert_eq!(signed(&format!("/a?bodySHA256={hash}"), Some("application/json"), "{}").unwrap(), "");
    assert!(signed(&format!("/a?bodySHA256={hash}"), Some("application/json"), "{} ").is_err());
    assert!(signed(&format!("/a?bodySHA256={hash}&bodySHA256={hash}"), None, "{}").is_err());
}
