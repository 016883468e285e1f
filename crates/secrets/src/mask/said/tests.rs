//! Refusals that repeat the request.

use super::*;

const SECRET: &str = "Entra+CANARY/0123456789=";

fn sent(secrets: &[&str]) -> Sent {
    let mut sent = Sent::default();
    for secret in secrets {
        sent.push(secret.as_bytes());
    }
    sent
}

#[test]
fn what_was_sent_is_masked_in_its_forms_and_the_rest_is_told() {
    for form in [SECRET, "Entra%2BCANARY%2F0123456789%3D", "RW50cmErQ0FOQVJZLzAxMjM0NTY3ODk9"] {
        let told = said_without(&format!("bad key: client_secret={form}&scope=x"), &sent(&[SECRET]));
        assert!(told.starts_with("bad key: client_secret=[masked"), "{told}");
        assert!(told.ends_with("&scope=x") && !told.contains("CANARY"), "{told}");
    }
    assert_eq!(said_without("AADSTS7000215", &sent(&[SECRET])), "AADSTS7000215");
}

#[test]
fn of_secrets_that_overlap_nothing_is_left() {
    // `Basic` of `c1:SECRET`, whose middle is the secret in base 64.
    let basic = "YzE6RW50cmErQ0FOQVJZLzAxMjM0NTY3ODk9";
    let told = said_without(&format!("no client `{basic}`"), &sent(&[SECRET, basic]));
    assert_eq!(told, format!("no client `[masked{}`", "*".repeat(basic.len() - "[masked".len())));
}

#[test]
fn where_a_secret_is_too_short_to_be_searched_for_the_whole_text_is_hidden() {
    assert_eq!(said_without("client_secret=pin", &sent(&["pin"])), "[masked]");
    assert_eq!(said_without("invalid_grant", &sent(&["pin"])), "invalid_grant");
}
