//! What makes two requests for tokens the same.

use super::*;

fn key(account: &str, want: Want) -> String {
    TokenAsk { endpoint: Endpoint::Gcp, account: account.to_owned(), want, facts: Fact::default() }.key()
}

#[test]
fn no_two_different_requests_have_one_key() {
    let scopes =
        |scopes: &[&str]| Want::Access { scopes: scopes.iter().map(|&scope| scope.to_owned()).collect() };
    let keys = [
        key("a", scopes(&[])),
        key("a", scopes(&[""])),
        key("a", scopes(&["x", "y"])),
        key("a", scopes(&["x;1:y"])),
        key("a", scopes(&["x"])),
        key("a", Want::Identity { audience: "x".to_owned() }),
        key("a", Want::Resource { resource: "x".to_owned() }),
        key("b", scopes(&["x"])),
    ];
    for (place, one) in keys.iter().enumerate() {
        assert!(keys.iter().skip(place + 1).all(|other| other != one), "{one}");
    }
}
