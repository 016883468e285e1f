//! What the program `security` prints, and what it reads.

use super::*;

#[test]
fn a_dump_gives_the_accounts_of_our_service_only() {
    let dump = r#"keychain: "/Users/a/Library/Keychains/aws-vault.keychain-db"
version: 512
class: "genp"
attributes:
    0x00000007 <blob>="aws-vault (work)"
    "acct"<blob>="work"
    "svce"<blob>="aws-vault"
keychain: "/Users/a/Library/Keychains/aws-vault.keychain-db"
class: "genp"
attributes:
    "acct"<blob>=0xC3BC  "\303\274"
    "svce"<blob>="aws-vault"
keychain: "/Users/a/Library/Keychains/aws-vault.keychain-db"
class: "genp"
attributes:
    "acct"<blob>="other"
    "svce"<blob>="another program"
keychain: "/Users/a/Library/Keychains/aws-vault.keychain-db"
class: "inet"
attributes:
    "acct"<blob>="web"
    "svce"<blob>="aws-vault"
"#;
    assert_eq!(accounts(dump), ["work", "ü"]);
}

#[test]
fn both_ways_of_showing_bytes_are_read() {
    assert_eq!(shown("\"a \"quoted\" text\"").unwrap().as_slice(), b"a \"quoted\" text");
    assert_eq!(shown("0x0AFF  \"\\012\\377\"").unwrap().as_slice(), [0x0a, 0xff]);
    assert!(shown("").unwrap().is_empty());
    assert!(shown("0xZZ").is_none());
    assert!(shown("bare").is_none());
}

#[test]
fn quotes_and_backslashes_stay_inside_an_argument() {
    assert_eq!(quoted(r#"a" -w "b\"#), r#""a\" -w \"b\\""#);
    assert_eq!(quoted("a\nb"), "\"ab\"");
}
