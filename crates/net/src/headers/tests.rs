//! Tables of what crosses and what does not.

use super::*;

fn map(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
    }
    map
}

fn names(map: &HeaderMap) -> Vec<&str> {
    let mut names: Vec<_> = map.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    names
}

fn head(version: Version, uri: &str, pairs: &[(&str, &str)]) -> Parts {
    let mut request = http::Request::builder().version(version).uri(uri).body(()).unwrap();
    *request.headers_mut() = map(pairs);
    request.into_parts().0
}

#[test]
fn nothing_of_the_hop_the_origin_or_the_callers_credential_goes_out() {
    let stripped = [
        "authorization",
        "proxy-authorization",
        "x-api-key",
        "api-key",
        "private-token",
        "x-doorward-capability",
        "x-at-key",
        "cookie",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "http2-settings",
        "expect",
        "x-forwarded-for",
        "x-forwarded-host",
        "forwarded",
        "via",
        "x-real-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "x-envoy-original-path",
        "x-client-ip",
        "x-http-method-override",
        "x-original-url",
        "x-original-uri",
        "x-original-method",
        "http-method-override",
        "x-http-override",
        "x-rest-method",
        "_method",
        "x_forwarded_for",
        "x_http_method_override",
        "x_api_key",
    ];
    for name in stripped {
        let mut headers = map(&[(name, "x"), ("accept", "*/*")]);
        outgoing(&mut headers, Cookies::Dropped);
        assert_eq!(names(&headers), ["accept"], "{name} went out");
    }
}

#[test]
fn what_belongs_to_the_message_goes_out() {
    let kept = ["accept", "content-type", "content-length", "user-agent", "x-github-api-version", "x_custom"];
    for name in kept {
        let mut headers = map(&[(name, "1")]);
        outgoing(&mut headers, Cookies::Dropped);
        assert_eq!(names(&headers), [name]);
    }
    let mut headers = map(&[("cookie", "a=b"), ("connection", "close")]);
    outgoing(&mut headers, Cookies::Kept);
    assert_eq!(names(&headers), ["cookie"]);
}

#[test]
fn everything_that_connection_names_is_stripped_in_both_directions() {
    let pairs = [("connection", "close, X-Foo"), ("connection", "x-bar"), ("x-foo", "1"), ("x-bar", "2")];
    let mut request = map(&pairs);
    outgoing(&mut request, Cookies::Kept);
    assert!(request.is_empty());
    let mut reply = map(&pairs);
    incoming(&mut reply, Cookies::Kept);
    assert!(reply.is_empty());
}

#[test]
fn a_reply_cannot_bind_the_callers_agent_or_speak_as_the_house() {
    let mut reply = map(&[
        ("alt-svc", "h3"),
        ("strict-transport-security", "max-age=1"),
        ("public-key-pins", "x"),
        ("x-doorward-evidence", "evd_forged"),
        ("set-cookie", "a=b"),
        ("content-type", "text/plain"),
        ("connection", "content-type"),
    ]);
    incoming(&mut reply, Cookies::Dropped);
    assert_eq!(names(&reply), ["content-type"]);
    let mut reply = map(&[("set-cookie", "a=b"), ("set-cookie", "c=d")]);
    incoming(&mut reply, Cookies::Kept);
    assert_eq!(reply.len(), 2);
}

#[test]
fn a_head_with_two_readings_is_refused() {
    let cases: &[(&[(&str, &str)], Malformed)] = &[
        (&[("host", "a"), ("host", "a")], Malformed::Twice("host")),
        (
            &[("host", "a"), ("content-length", "1"), ("content-length", "1")],
            Malformed::Twice("content-length"),
        ),
        (
            &[("host", "a"), ("content-type", "a/b"), ("content-type", "a/b")],
            Malformed::Twice("content-type"),
        ),
        (&[("host", "a"), ("authorization", "a"), ("authorization", "b")], Malformed::Twice("authorization")),
        (&[("host", "a"), ("content-length", "1"), ("transfer-encoding", "chunked")], Malformed::TwoFramings),
        (&[("host", "a"), ("transfer-encoding", "gzip, chunked")], Malformed::Coding),
        (&[("host", "a"), ("content-length", "+1")], Malformed::Length),
        (&[("host", "a"), ("connection", "Content-Type")], Malformed::Nominated),
        (&[], Malformed::Host),
        (&[("host", "")], Malformed::Host),
        (&[("host", "user@a")], Malformed::Host),
        (&[("host", "a,b")], Malformed::Host),
        (&[("host", "a/b")], Malformed::Host),
    ];
    for (pairs, expected) in cases {
        let parts = head(Version::HTTP_11, "/", pairs);
        assert_eq!(well_formed(&parts).unwrap_err(), *expected, "{pairs:?}");
    }
}

#[test]
fn the_target_and_the_host_header_have_to_agree() {
    let parts = head(Version::HTTP_11, "http://a.example/x", &[("host", "b.example")]);
    assert_eq!(well_formed(&parts).unwrap_err(), Malformed::Host);
    let parts = head(Version::HTTP_2, "https://a.example/x", &[("host", "A.example")]);
    assert_eq!(well_formed(&parts).unwrap().host(), Some("a.example"));
    let parts = head(Version::HTTP_11, "/x", &[("host", "[::1]:8080")]);
    assert_eq!(well_formed(&parts).unwrap().host(), Some("[::1]:8080"));
    let parts = head(Version::HTTP_10, "/x", &[]);
    assert_eq!(well_formed(&parts).unwrap().host(), None);
}

#[test]
fn a_header_value_cannot_hold_a_line_break_or_a_nul() {
    for bytes in [&b"a\rb"[..], b"a\nb", b"a\0b", b"a\r\nx: y"] {
        assert!(HeaderValue::from_bytes(bytes).is_err());
    }
}

#[test]
fn a_header_is_found_by_comparing_names_as_it_is_by_hashing() {
    let mut headers = HeaderMap::new();
    headers.append("x-one", HeaderValue::from_static("1"));
    headers.append(header::HOST, HeaderValue::from_static("a"));
    headers.append("x-one", HeaderValue::from_static("2"));
    for name in [&HeaderName::from_static("x-one"), &header::HOST, &header::ORIGIN] {
        assert!(all(&headers, name).eq(headers.get_all(name)), "{name}");
        assert_eq!(has(&headers, name), headers.contains_key(name), "{name}");
    }
    remove(&mut headers, &HeaderName::from_static("x-one"));
    remove(&mut headers, &header::ORIGIN);
    assert_eq!(headers.keys().collect::<Vec<_>>(), [&header::HOST]);
}

#[test]
fn what_connection_names_beside_the_usual_words_is_stripped_as_well() {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Keep-Alive, close, X-Hop"));
    headers.insert("keep-alive", HeaderValue::from_static("timeout=5"));
    headers.insert("x-hop", HeaderValue::from_static("1"));
    headers.insert("x-stays", HeaderValue::from_static("1"));
    incoming(&mut headers, Cookies::Dropped);
    assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-stays"]);
}
