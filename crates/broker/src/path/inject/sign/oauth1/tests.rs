//! The examples of RFC 5849.

use super::*;
use crypto::HmacHash;

/// Section 3.4.1.1.
#[test]
fn the_base_string_of_the_rfc_holds() {
    let own = [
        ("oauth_consumer_key", "9djdj82h48djs9d2"),
        ("oauth_token", "kkk9d7dh3k39sjv7"),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", "137131201"),
        ("oauth_nonce", "7d8f3e4a"),
    ];
    let query = "b5=%3D%253D&a3=a&c%40=&a2=r%20b";
    let base = base("POST", "http://example.com/request", &[query, "c2&a3=2+q"], &own);
    assert_eq!(
        *base,
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26\
         c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26\
         oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
    );
}

/// Section 1.2.
#[test]
fn the_signature_of_the_rfc_holds() {
    let own = [
        ("oauth_consumer_key", "dpf43f3p2l4k3l03"),
        ("oauth_token", "nnch734d00sl2jdk"),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", "137131202"),
        ("oauth_nonce", "chapoH"),
    ];
    let base =
        base("GET", "http://photos.example.net/photos", &["file=vacation.jpg&size=original", ""], &own);
    let tag = crypto::hmac(HmacHash::Sha1, b"kd94hf93k423kf44&pfkkdhi9sl3r4s00", &[base.as_bytes()]);
    assert_eq!(escaped(&crypto::to_base64(&tag)), "MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D");
}
