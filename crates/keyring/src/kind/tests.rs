//! The names of the kinds.

use super::*;

#[test]
fn every_kind_reads_its_own_name() {
    for kind in Kind::ALL {
        assert_eq!(kind.to_string().parse(), Ok(kind));
        for alias in kind.aliases() {
            assert_eq!(alias.parse(), Ok(kind));
        }
    }
}

#[test]
fn another_name_is_refused_with_the_names_that_there_are() {
    let unknown = "keyring".parse::<Kind>().unwrap_err();
    assert_eq!(unknown.to_string(), "`keyring` is no kind of keyring");
    assert!(unknown.hint().contains("secret-service"));
    assert!("File".parse::<Kind>().is_err());
    assert!("".parse::<Kind>().is_err());
}

#[test]
fn the_names_of_both_peers_are_there() {
    for name in [
        "keychain",
        "wincred",
        "secret-service",
        "kwallet",
        "pass",
        "file",
        "op-connect",
        "op-service-account",
        "passage",
        "keyctl",
        "op",
        "op-desktop",
        "proton-pass",
        "winhello",
    ] {
        assert!(name.parse::<Kind>().is_ok(), "{name}");
    }
}
