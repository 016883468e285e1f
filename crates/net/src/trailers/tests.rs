//! Which fields pass behind a body.

use super::*;

fn head(lines: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(header::TRAILER, HeaderValue::from_str(line).unwrap());
    }
    headers
}

fn names(lines: &[&str], of: Of) -> Vec<String> {
    announced(&head(lines), of).iter().map(ToString::to_string).collect()
}

#[test]
fn of_a_reply_everything_passes_but_what_would_change_the_message() {
    let lines = [
        "Server-Timing, X-Sum , content-length",
        "Set-Cookie,  x-sum, bad name, transfer-encoding,,If-Match",
    ];
    assert_eq!(names(&lines, Of::Reply), ["server-timing", "x-sum"]);
    let mut trailers = HeaderMap::new();
    for name in [
        "x-sum",
        "set-cookie",
        "content-type",
        "location",
        "x-doorward-refusal",
        "proxy-status",
        "grpc-status",
    ] {
        trailers.insert(HeaderName::from_static(name), HeaderValue::from_static("1"));
    }
    incoming(&mut trailers);
    let left: Vec<&str> = trailers.keys().map(HeaderName::as_str).collect();
    assert_eq!(left, ["x-sum", "grpc-status"]);
}

#[test]
fn of_a_request_only_what_is_said_about_the_bytes_passes() {
    let lines = [
        "x-amz-checksum-crc32, Content-Digest, X-Http-Method-Override, x-amz-target, impersonate-user, grpc-status",
    ];
    assert_eq!(names(&lines, Of::Request), ["x-amz-checksum-crc32", "content-digest"]);
}

#[test]
fn what_is_announced_is_bounded() {
    let many: Vec<String> = (0..100).map(|n| format!("x-{n}")).collect();
    assert_eq!(names(&[&many.join(",")], Of::Reply).len(), MOST);
    let mut headers = HeaderMap::new();
    announce(&mut headers, &[]);
    assert!(headers.is_empty());
    announce(&mut headers, &announced(&head(&["a, b"]), Of::Reply));
    assert_eq!(headers[header::TRAILER], "a, b");
}
