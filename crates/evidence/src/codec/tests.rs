//! Tests of the module `codec`.

use super::*;

#[test]
fn a_text_is_escaped_and_cut() {
    let mut bytes = Vec::new();
    let mut encoder = Encoder(&mut bytes);
    encoder.text("a\nb\u{202e}c", 64);
    encoder.text(&"ä".repeat(40), 10);
    encoder.text("plain text", 64);
    let mut decoder = Decoder(&bytes);
    assert_eq!(decoder.text(64).unwrap(), "a\\u{a}b\\u{202e}c");
    assert_eq!(decoder.text(10).unwrap(), "äää…");
    assert_eq!(decoder.text(64).unwrap(), "plain text");
    decoder.end().unwrap();
}

#[test]
fn a_decoder_takes_one_spelling_only() {
    assert!(Decoder(&[2]).maybe(Decoder::byte).is_err());
    assert!(Decoder(&[0, 3, b'a']).text(9).is_err());
    assert!(Decoder(&[0, 2, b'a', b'\n']).text(9).is_err());
    assert!(Decoder(&[0, 2, b'a', b'b']).text(1).is_err());
    assert!(Decoder(&[0]).end().is_err());
    assert!(Decoder(&[3, b'A', b'b', b'c']).name::<model::TenantName>().is_err());
}
