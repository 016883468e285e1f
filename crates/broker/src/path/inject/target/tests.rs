//! What the last look lets pass, and what not.

use super::*;

fn target(text: &str) -> Target {
    text.parse().unwrap()
}

#[test]
fn credentials_in_their_places_pass() {
    let permitted = target("/base/a/PLACEHOLDER?q=1");
    let mut written = Written::new(&permitted);
    written.put((8, 11), "", "CANARY-1", "");
    written.put((5, 0), "/bot", "CANARY%2F2", "");
    let end = written.path_end();
    written.put((end, 0), "/", "CANARY-3", "");
    let end = written.as_str().len();
    written.put((end, 0), "&key=", "CANARY-4", "");
    let sent = "/base/botCANARY%2F2/a/CANARY-1/CANARY-3?q=1&key=CANARY-4";
    assert_eq!(written.as_str(), sent);
    assert!(written.checked(sent).is_ok());
}

#[test]
fn anything_else_that_changed_is_refused() {
    let permitted = target("/base/a?q=1");
    let mut written = Written::new(&permitted);
    let end = written.as_str().len();
    written.put((end, 0), "&key=", "CANARY-4", "");
    for sent in [
        "/base/b?q=1&key=CANARY-4",
        "/base/a?q=2&key=CANARY-4",
        "/base/a?q=1&kez=CANARY-4",
        "/base/a?q=1&key=CANARY-4&more=1",
        "/base/a?q=1&key=CANARY",
        "/base/a?q=1",
        "",
    ] {
        assert!(written.checked(sent).is_err(), "{sent}");
    }
    assert!(Written::new(&permitted).checked("/base/a?q=1&").is_err());
}

#[test]
fn a_credential_that_reaches_out_of_its_place_is_refused() {
    for credential in ["a/b", "a?b", "a#b", "a&b=c", "a=b", "a%2", "a%zz", "..", ".", "", "a b"] {
        let permitted = target("/base/a");
        let mut written = Written::new(&permitted);
        written.put((7, 0), "/", credential, "");
        let sent = written.as_str().to_owned();
        assert!(written.checked(&sent).is_err(), "{credential}");
    }
}
