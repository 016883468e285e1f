//! What may be said about a store, and where its password is found.

use super::*;

fn said(text: &str) -> Outcome<Option<Store>> {
    let folder = tempfile::tempdir().unwrap();
    store::files::replace(&folder.path().join("settings.toml"), text.as_bytes(), 0o600).unwrap();
    of(&Home::at(folder.path().to_owned(), None), &|_| None)
}

#[test]
fn a_home_keeps_its_rows_itself_unless_it_says_otherwise() {
    assert_eq!(said("").unwrap(), None);
    let store = said("[store]\nurl = \"postgres://app@/doorward?host=/run/postgresql\"\nwait = \"30s\"\n");
    let store = store.unwrap().unwrap();
    assert_eq!((store.connections, store.wait), (8, Duration::from_secs(30)));
    assert!(said("[store]\nconnections = 4\n").unwrap_err().message.contains("does not say where"));
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path().to_owned(), None);
    let variable = |name: &str| (name == "DOORWARD_STORE").then(|| "postgres://a@localhost/b".into());
    assert_eq!(of(&home, &variable).unwrap().unwrap().url.origin, Origin::Environment("DOORWARD_STORE"));
}

#[test]
fn a_password_is_never_in_the_settings_and_never_repeated() {
    for text in [
        "[store]\nurl = \"postgres://app:CANARY@db.example/doorward\"\n",
        "[store]\nurl = \"postgres://app@localhost/b\"\npassword = \"CANARY\"\n",
        "[store]\nurl = \"postgres://app@localhost/b\"\npassword = \"store:CANARY\"\n",
        "[store]\nurl = \"postgres://app@localhost/b\"\nowner = \"postgres://owner:CANARY@localhost/b\"\n",
        "[store]\nurl = \"postgres://app@localhost/b\"\nconnections = 0\n",
        "[store]\nurl = \"postgres://app@localhost/b\"\npasword = \"file:/x\"\n",
    ] {
        let failure = said(text).unwrap_err();
        let shown = format!("{} {:?} {:?}", failure.message, failure.causes, failure.hint);
        assert!(!shown.contains("CANARY"), "{shown}");
    }
}

#[test]
fn a_line_of_pgpass_is_about_its_host_port_database_and_role() {
    let whom = |host: &str| Whom {
        host: host.to_owned(),
        port: 5432,
        database: "doorward".to_owned(),
        role: "app".to_owned(),
    };
    let found = |line, host| of_line(line, &whom(host)).map(|found| String::from_utf8(found).unwrap());
    assert_eq!(found("db:5432:doorward:app:se:cret", "db").as_deref(), Some("se:cret"));
    assert_eq!(found("*:*:*:app:pass\\:\\\\word", "db").as_deref(), Some("pass:\\word"));
    assert_eq!(found("localhost:5432:*:*:x", "/run/postgresql").as_deref(), Some("x"));
    for line in
        ["# db:5432:doorward:app:x", "db:5433:doorward:app:x", "db:5432:doorward:owner:x", "db:5432:x", ""]
    {
        assert_eq!(found(line, "db"), None, "{line}");
    }
}
