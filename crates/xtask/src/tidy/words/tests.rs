//! Names, as the list judges them.

use super::*;

fn said(line: &str) -> Vec<String> {
    let words = Words::parse(include_str!("../../../words.toml")).unwrap();
    words
        .problems(&File { path: "crates/net/src/dial.rs".to_owned(), text: format!("//! Header.\n{line}\n") })
}

#[test]
fn an_unwanted_name_is_answered_with_what_to_say() {
    assert_eq!(
        said("pub struct SlackConnector;"),
        ["crates/net/src/dial.rs:2: `SlackConnector`: say Integration"]
    );
    for line in [
        "pub(crate) struct KeyManager {",
        "    pub trait AuthPlugin: Send {",
        "pub enum User {",
        "pub struct Manager;",
        "pub type StoreImpl = u8;",
        "pub async fn get_secret(&self) {",
        "pub const fn do_it() {",
    ] {
        assert_eq!(said(line).len(), 1, "{line}");
    }
}

#[test]
fn names_that_only_resemble_one_are_fine() {
    for line in [
        "struct KeyManager;",
        "pub struct Managers;",
        "pub struct HttpClient;",
        "pub enum Base {",
        "pub(super) struct KeyManager;",
        "pub struct UserAgent;",
        "pub fn get(&self) {",
        "pub fn getting_started() {",
        "pub use plugin::Plugin;",
        "// pub struct KeyManager;",
        "pub const GET_SECRET: u8 = 1;",
    ] {
        assert_eq!(said(line), Vec::<String>::new(), "{line}");
    }
}

#[test]
fn names_are_split_into_their_words() {
    assert_eq!(parts("AuthPluginList"), ["Auth", "Plugin", "List"]);
    assert_eq!(parts("get_all__now"), ["get", "all", "now"]);
}

#[test]
fn a_list_with_an_unknown_key_is_refused() {
    assert!(
        Words::parse("[[word]]\nof = \"type\"\nat = \"part\"\nword = \"A\"\nsay = \"B\"\nwhy = \"C\"\n")
            .is_err()
    );
    assert!(Words::parse("[[word]]\nof = \"macro\"\nat = \"part\"\nword = \"A\"\nsay = \"B\"\n").is_err());
}
