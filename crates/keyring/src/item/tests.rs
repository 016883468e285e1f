//! The JSON form of an entry.

use super::*;

fn item(bytes: &[u8]) -> Item {
    Item {
        name: "a\"b/ü".to_owned(),
        secret: Secret::new(bytes.to_vec()).unwrap(),
        label: "aws-vault (a)".to_owned(),
        description: String::new(),
        trust: Trust::Application,
    }
}

#[test]
fn an_entry_reads_back_as_it_was_written() {
    let text = encode(&item(&[0, 255, 10])).unwrap();
    let read = decode(Kind::File, "a\"b/ü", &text).unwrap();
    assert_eq!(with_bytes(&read.secret, <[u8]>::to_vec), [0, 255, 10]);
    assert_eq!((read.label.as_str(), read.trust), ("aws-vault (a)", Trust::Application));
}

#[test]
fn the_form_is_the_one_of_the_peer() {
    let text = encode(&item(b"AKIACANARY0000000001")).unwrap();
    assert_eq!(
        std::str::from_utf8(&text).unwrap(),
        r#"{"Key":"a\"b/ü","Data":"QUtJQUNBTkFSWTAwMDAwMDAwMDE=","Label":"aws-vault (a)","Description":"","KeychainNotTrustApplication":false,"KeychainNotSynchronizable":false}"#
    );
}

#[test]
fn no_bytes_are_read_as_the_peer_writes_them() {
    let read = decode(Kind::Pass, "x", br#"{"Key":"x","Data":null,"Label":"","Description":""}"#).unwrap();
    assert!(read.secret.is_empty());
}

#[test]
fn what_is_no_entry_is_refused() {
    for text in [
        "",
        "{}",
        r#"{"Key":"y","Data":"eA=="}"#,
        r#"{"Key":"x","Data":"not base 64"}"#,
        r#"{"Key":"x","Data":"eA==","More":1}"#,
        r#"{"Key":"x","Data":"eA=="} more"#,
    ] {
        assert!(matches!(decode(Kind::File, "x", text.as_bytes()), Err(Error::Malformed { .. })), "{text}");
    }
}
