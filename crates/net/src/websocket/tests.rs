//! What asks for a WebSocket in one reading, and what agrees to one.

use super::*;
use crate::drain;

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

fn request(change: impl FnOnce(&mut http::Request<()>)) -> Parts {
    let mut request = http::Request::builder()
        .uri("/")
        .header("host", "x")
        .header("connection", "keep-alive, Upgrade")
        .header("upgrade", "WebSocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", KEY)
        .body(())
        .unwrap();
    change(&mut request);
    request.into_parts().0
}

/// A change to a whole handshake, and the header that is wrong then; none where the request as such is.
type Broken = (&'static str, fn(&mut http::Request<()>));

fn read(change: impl FnOnce(&mut http::Request<()>)) -> Result<Option<Asked>, Malformed> {
    let (_drain, draining) = drain::channel();
    asked(&mut request(change), &draining)
}

#[test]
fn only_a_handshake_with_one_reading_is_one() {
    // Without the library's own part there is nothing to switch, so a whole one ends with that.
    assert_eq!(read(|_| {}).unwrap_err(), Malformed::Request);
    let broken: [Broken; 9] = [
        ("upgrade", |r| {
            r.headers_mut().append("upgrade", "h2c".parse().unwrap());
        }),
        ("upgrade", |r| {
            r.headers_mut().insert("upgrade", "h2c, websocket".parse().unwrap());
        }),
        ("connection", |r| {
            r.headers_mut().insert("connection", "keep-alive".parse().unwrap());
        }),
        ("sec-websocket-key", |r| {
            r.headers_mut().append("sec-websocket-key", KEY.parse().unwrap());
        }),
        ("sec-websocket-key", |r| {
            r.headers_mut().insert("sec-websocket-key", "short==".parse().unwrap());
        }),
        ("sec-websocket-version", |r| {
            r.headers_mut().insert("sec-websocket-version", "8".parse().unwrap());
        }),
        ("", |r| *r.method_mut() = Method::POST),
        ("", |r| *r.version_mut() = Version::HTTP_2),
        ("", |r| {
            r.headers_mut().insert("content-length", "3".parse().unwrap());
        }),
    ];
    for (name, change) in broken {
        let wanted = if name.is_empty() { Malformed::Request } else { Malformed::Header(name) };
        assert_eq!(read(change).unwrap_err(), wanted, "{name}");
    }
}

#[test]
fn any_other_wish_for_another_protocol_is_none() {
    for other in ["h2c", "TLS/1.0", "websocket2", "IRC/6.9"] {
        let read = read(|r| {
            r.headers_mut().insert("upgrade", other.parse().unwrap());
        });
        assert!(read.unwrap().is_none(), "{other}");
    }
}

#[test]
fn a_reply_agrees_to_what_was_asked_for_and_to_nothing_else() {
    let reply = |pairs: &[(&'static str, &str)]| {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        wrong_with(&headers)
    };
    let whole = [("upgrade", "websocket"), ("connection", "Upgrade"), ("sec-websocket-accept", "x")];
    assert_eq!(reply(&whole), None);
    for left_out in 0..whole.len() {
        let mut some = whole.to_vec();
        some.remove(left_out);
        assert!(reply(&some).is_some(), "{some:?}");
    }
    for more in [
        ("upgrade", "h2c"),
        ("sec-websocket-accept", "y"),
        ("sec-websocket-extensions", "permessage-deflate"),
    ] {
        assert!(reply(&[&whole[..], &[more]].concat()).is_some(), "{more:?}");
    }
}
