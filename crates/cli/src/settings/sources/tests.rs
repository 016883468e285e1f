//! What `sources.toml` may say, and how its mistakes are told.

use super::*;

fn refused(text: &str) -> String {
    parse(text, "sources.toml").unwrap_err().to_string()
}

#[test]
fn what_the_file_says_is_read() {
    let text = "refresh = \"1m\"\n[vault]\naddress = \"https://vault.example.com\"\n\
                auth = { method = \"approle\", role = \"r\", secret = \"file:/run/secrets/id\" }\n\
                [command.github]\nargv = [\"/usr/bin/token\", \"github\"]\n";
    let config = parse(text, "sources.toml").unwrap();
    assert_eq!(config.command.len(), 1);
    assert_eq!(config.vault.address.as_deref(), Some("https://vault.example.com"));
}

#[test]
fn a_mistake_is_named_with_its_line_and_nothing_of_it_is_repeated() {
    assert!(
        refused("[vault]\nadress = \"x\"\n").starts_with("sources.toml:2: there is no key `adress` here")
    );
    let pasted = refused("[vault]\nauth = { method = \"token\", token = \"hvs.CANARY-token\" }\n");
    assert!(pasted.contains("sources.toml:2") && !pasted.contains("CANARY"), "{pasted}");
    assert!(!refused("hvs-CANARY-1 = 1\n").contains("CANARY"));
    assert!(refused("[command.x]\nwithin = \"1s\"\n").contains("`argv` is missing"));
}
