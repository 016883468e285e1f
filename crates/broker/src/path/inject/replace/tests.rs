//! Where a placeholder is found, and how the credential is written there.

use super::*;

fn swap(put: &str) -> Swap<'static> {
    let encoded =
        percent_encoding::percent_encode(put.as_bytes(), percent_encoding::NON_ALPHANUMERIC).to_string();
    let within = &[Within::Path, Within::Query, Within::Header, Within::Body];
    Swap { find: b"{{TOKEN}}".to_vec(), put: Zeroizing::new(put.as_bytes().to_vec()), encoded, within }
}

fn body(kind: &str, text: &str) -> Result<String, Refusal> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_str(kind).unwrap());
    let changed = Swaps(vec![swap("CANARY\"&/<é")]).body(&headers, text.as_bytes(), 200)?;
    Ok(String::from_utf8(changed.unwrap_or_else(|| text.as_bytes().to_vec())).unwrap())
}

#[test]
fn each_form_of_a_body_has_its_encoding() {
    assert_eq!(
        body("application/json; charset=utf-8", r#"{"a":"{{TOKEN}}"}"#).unwrap(),
        r#"{"a":"CANARY\"&/<é"}"#
    );
    let form = "a=1&b=%7B%7BTOKEN%7d%7d&c={{TOKEN}}";
    let encoded = "CANARY%22%26%2F%3C%C3%A9";
    assert_eq!(
        body("application/x-www-form-urlencoded", form).unwrap(),
        format!("a=1&b={encoded}&c={encoded}")
    );
    assert_eq!(body("application/soap+xml", "<a>{{TOKEN}}</a>").unwrap(), "<a>CANARY&quot;&amp;/&lt;é</a>");
    assert_eq!(body("text/plain", "x {{TOKEN}} y").unwrap(), "x CANARY\"&/<é y");
    assert_eq!(body("text/plain", "nothing").unwrap(), "nothing");
}

#[test]
fn a_body_that_would_grow_too_large_is_refused() {
    let refusal = body("text/plain", &"{{TOKEN}}".repeat(20)).unwrap_err();
    assert_eq!(refusal.code, Code::TooLarge);
}

#[test]
fn a_compressed_body_is_refused() {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    let swaps = Swaps(vec![swap("CANARY-1")]);
    assert_eq!(swaps.body(&headers, b"x", 100).unwrap_err().code, Code::BadRequest);
    assert!(swaps.body(&headers, b"", 100).unwrap().is_none());
}

#[test]
fn basic_credentials_are_looked_into_and_a_cookie_is_taken_alone() {
    let header = |name: &'static str, value: &str| {
        let name = HeaderName::from_static(name);
        let changed = swap("CANARY-1").header(&name, &HeaderValue::from_str(value).unwrap()).unwrap();
        changed.map(|value| value.to_str().unwrap().to_owned())
    };
    let basic = format!("Basic {}", crypto::to_base64(b"x-token:{{TOKEN}}"));
    assert_eq!(
        header("authorization", &basic),
        Some(format!("Basic {}", crypto::to_base64(b"x-token:CANARY-1")))
    );
    assert_eq!(header("authorization", "Bearer {{TOKEN}}").as_deref(), Some("Bearer CANARY-1"));
    assert_eq!(header("authorization", "Bearer other"), None);
    assert_eq!(header("cookie", "a=own; b={{TOKEN}}; c=own").as_deref(), Some("b=CANARY-1"));
    assert!(swap("CAN\r\nARY").header(&COOKIE, &HeaderValue::from_static("b={{TOKEN}}")).is_err());
}

#[test]
fn a_placeholder_is_found_in_every_spelling_of_an_address() {
    let find = |text: &str| spelled(text, b"{{TOKEN}}", 0);
    assert_eq!(find("/a/%7B%7BTOKEN%7D%7D/b"), Some((3, 17)));
    assert_eq!(find("/a/%7b{T%4FKEN%7d}"), Some((3, 15)));
    assert_eq!(find("/a/{{TOKEN}"), None);
    assert_eq!(find("/a/{{TOKE%4"), None);
}
