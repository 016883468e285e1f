//! Texts in UTF-16.

use super::*;

#[test]
fn a_text_in_utf_16_is_read_without_its_mark_and_its_end() {
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    assert_eq!(narrow(&wide("\u{feff}CANARY-é🔑\0")).unwrap().as_slice(), "CANARY-é🔑".as_bytes());
    assert!(narrow(b"odd").is_none());
    assert!(narrow(&0xd800_u16.to_le_bytes()).is_none());
}
