//! Which name is which command line.

use super::*;

fn read(typed: &[&str]) -> Option<Vec<String>> {
    let words = words(typed.iter().map(OsString::from).collect())?;
    Some(words.iter().skip(1).map(|word| word.to_str().unwrap().to_owned()).collect())
}

#[test]
fn an_image_may_name_the_agent_in_every_way_that_its_files_do() {
    let expected =
        Some(vec!["agent".to_owned(), "start".to_owned(), "--socket-path".to_owned(), "/s".to_owned()]);
    for typed in [
        &["/usr/local/bin/vault", "agent", "start", "--socket-path", "/s"][..],
        &["vault-agent", "start", "--socket-path", "/s"],
        &["vault-agent", "agent", "start", "--socket-path", "/s"],
        &["/bin/aether-vault-agent", "vault", "agent", "start", "--socket-path", "/s"],
    ] {
        assert_eq!(read(typed), expected, "{typed:?}");
    }
    assert_eq!(
        read(&["vault-agent", "capability", "list"]),
        Some(vec!["capability".to_owned(), "list".to_owned()])
    );
    assert_eq!(read(&["doorward", "agent", "start"]), None);
    assert_eq!(read(&["aws-vault", "exec"]), None);
    assert_eq!(read(&[]), None);
}

#[test]
fn flags_of_every_command_stand_anywhere() {
    for typed in [
        &["vault", "--socket-path", "/s", "capability", "status"][..],
        &["vault", "capability", "--socket-path", "/s", "status"],
        &["vault", "capability", "status", "--socket-path", "/s"],
        &[
            "vault",
            "capability",
            "request",
            "--resource",
            "secret:/a",
            "--action",
            "read",
            "--socket-path=/s",
        ],
        &["vault", "agent", "start", "--mode", "development", "--socket-path", "/s"],
    ] {
        let vault = Vault::try_parse_from(typed).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(vault.global.socket_path.as_deref(), Some(Path::new("/s")), "{typed:?}");
    }
}

#[test]
fn actions_are_repeated_or_separated_by_commas() {
    let read = |typed: &[&str]| {
        let base = ["vault", "capability", "request", "--resource", "secret:/a"];
        let vault = Vault::try_parse_from(base.iter().chain(typed)).unwrap();
        let Command::Capability(capability) = vault.command else { panic!("another command") };
        let Capability::Request(request) = *capability else { panic!("another command") };
        request.actions
    };
    assert_eq!(read(&["--action", "read,write"]), ["read", "write"]);
    assert_eq!(read(&["--action", "read", "--action", "write"]), ["read", "write"]);
}
