//! Command lines as scripts write them, and what they leave in a file.

use serde_json::{Value, json};

use super::*;

fn more() -> More<'static> {
    More {
        names: vec!["notion".to_owned(), "telegram".to_owned()],
        find: &|name| match name {
            "notion" => Ok(Service {
                name: name.to_owned(),
                title: "Notion".to_owned(),
                destination: "https://api.notion.com".to_owned(),
                domain: Domain::Fixed,
                outgoing: vec![Auth::token("Authorization", "Bearer ", "token", "the token")],
                incoming: Vec::new(),
            }),
            _ => Err("the credential of `telegram` goes into the path".to_owned()),
        },
    }
}

fn typed(words: &str) -> Result<Typed, Error> {
    let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
    read(&words, "integrations", &more())
}

fn done(text: &str, words: &str) -> Result<(String, Done), Error> {
    let typed = typed(words)?;
    let mut document = Document::read(text, &typed.file)?;
    let done = typed.command.apply(&mut document, &typed.file)?;
    Ok((document.text().to_owned(), done))
}

fn block(text: &str, index: usize) -> Value {
    Document::read(text, "x").unwrap().value()["integrations"][index].clone()
}

#[test]
fn every_service_writes_its_block() {
    let expected: Value = serde_json::from_str(include_str!("tests/blocks.json")).unwrap();
    let expected = expected.as_object().unwrap();
    assert_eq!(
        known().iter().map(|service| &service.name).collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>()
    );
    for service in known() {
        let mut words = service.name.clone();
        for secret in service.secrets() {
            words.push_str(&format!(
                " -{} env:{}",
                secret.flag,
                secret.flag.to_uppercase().replace('-', "_")
            ));
        }
        if service.domain == Domain::Yours {
            words.push_str(" -domain corp.example.com");
        }
        let (text, _) = done("", &words).unwrap_or_else(|error| panic!("{words}: {error}"));
        assert_eq!(block(&text, 0), expected[&service.name], "{words}");
    }
}

#[test]
fn the_same_command_twice_leaves_the_same_bytes() {
    let words = "-file c.yaml slack -token env:T -signing-secret env:S --timeout=5s";
    let (once, added) = done("# mine\n", words).unwrap();
    let (twice, unchanged) = done(&once, words).unwrap();
    assert_eq!((&once, added), (&twice, Done::Added("slack".to_owned())));
    assert_eq!(unchanged, Done::Unchanged("slack".to_owned()));
    assert_eq!(
        once,
        "# mine\nintegrations:\n  - name: slack\n    destination: https://slack.com/api\n    in_rate_limit: 100\n    \
         out_rate_limit: 100\n    response_header_timeout: \"5s\"\n    incoming_auth:\n      - type: slack_signature\n        \
         params:\n          secrets:\n            - env:S\n    outgoing_auth:\n      - type: token\n        params:\n          \
         secrets:\n            - env:T\n          header: Authorization\n          prefix: \"Bearer \"\n"
    );
}

#[test]
fn a_block_that_says_something_else_is_left_to_update() {
    let (text, _) = done("", "openai -token env:T").unwrap();
    let said = done(&text, "openai -token env:U").unwrap_err();
    assert!(said.to_string().contains("says something else in `outgoing_auth`"), "{said}");
    assert!(said.hint().unwrap().contains("update openai"));
}

#[test]
fn update_changes_what_was_said_and_nothing_else() {
    let (text, _) = done("", "openai -token env:T -in-rate-limit 7").unwrap();
    let text = text.replace("in_rate_limit: 7", "in_rate_limit: 7 # few");
    let (text, changed) = done(&text, "update openai -token file:/run/t -token env:OLD -timeout 2s").unwrap();
    let keys = ["response_header_timeout", "outgoing_auth[0].params.secrets"].map(str::to_owned).to_vec();
    assert_eq!(changed, Done::Updated("openai".to_owned(), keys));
    let written = block(&text, 0);
    assert_eq!(written["outgoing_auth"][0]["params"]["secrets"], json!(["file:/run/t", "env:OLD"]));
    assert_eq!(written["outgoing_auth"][0]["params"]["prefix"], "Bearer ");
    assert!(text.contains("in_rate_limit: 7 # few\n"), "{text}");
    let (same, unchanged) = done(&text, "update openai -timeout 2s").unwrap();
    assert_eq!((same, unchanged), (text, Done::Unchanged("openai".to_owned())));
}

#[test]
fn update_writes_a_block_that_is_not_there_if_all_of_it_was_said() {
    let (text, added) = done("", "update openai -token env:T").unwrap();
    assert_eq!((added, block(&text, 0)["name"].as_str()), (Done::Added("openai".to_owned()), Some("openai")));
    let said = done("", "update openai -timeout 2s").unwrap_err();
    assert!(said.to_string().contains("there is no `openai`"), "{said}");
}

#[test]
fn a_block_of_another_name_is_known_by_its_address() {
    let (text, _) = done("", "github -name gh-prod -token env:T -webhook-secret env:W").unwrap();
    let (text, _) = done(&text, "update GH-prod -webhook-secret env:NEW").unwrap();
    assert_eq!(block(&text, 0)["incoming_auth"][0]["params"]["secrets"], json!(["env:NEW"]));
    let (text, _) = done("", "okta -domain a.okta.com -name sso -token env:T").unwrap();
    let said = done(&text, "update sso -token env:NEW").unwrap_err();
    assert!(said.hint().unwrap().contains("-service"), "{said}");
    let (text, _) = done(&text, "update sso -service okta -token env:NEW -domain b.okta.com").unwrap();
    assert_eq!(block(&text, 0)["destination"], "https://b.okta.com/api/v1");
}

#[test]
fn a_domain_replaces_the_host_and_keeps_scheme_port_and_path() {
    for (words, expected) in [
        ("jira -token env:T", "https://api.atlassian.com"),
        ("jira -token env:T -domain corp.atlassian.net", "https://corp.atlassian.net"),
        (
            "ghe -token env:T -webhook-secret env:W -domain https://git.corp:8443/",
            "https://git.corp:8443/api/v3",
        ),
        ("gitlab -token env:T -domain http://127.0.0.1:9000", "http://127.0.0.1:9000/api/v4"),
        ("zendesk -token env:T", "https://api.zendesk.com"),
        ("openai -token env:T -destination https://proxy.corp/openai?x=1", "https://proxy.corp/openai?x=1"),
    ] {
        let (text, _) = done("", words).unwrap();
        assert_eq!(block(&text, 0)["destination"], expected, "{words}");
    }
    for domain in ["a/b", "a@b", "", "a:b", "a:0", "https://", "a b", "*.a"] {
        let words = ["jira", "-token", "env:T", "-domain", domain].map(str::to_owned);
        let typed = read(&words, "integrations", &more()).unwrap();
        let said = typed.command.apply(&mut Document::read("", "x").unwrap(), "x").unwrap_err();
        assert!(matches!(said, Error::Usage(_)), "{domain}: {said}");
    }
}

#[test]
fn a_secret_instead_of_a_reference_is_refused_and_not_repeated() {
    for secret in [
        "xoxb-CANARY",
        "env:xoxb-CANARY",
        "dangerousLiteral:CANARY",
        "sk:CANARY",
        "env:",
        "file:",
        "https://CANARY",
    ] {
        let said = done("", &format!("openai -token {secret}")).unwrap_err();
        assert!(
            matches!(said, Error::Usage(_)) && !format!("{said} {:?}", said.hint()).contains("CANARY"),
            "{said}"
        );
    }
    let said = typed("openai xoxb-CANARY1 -token env:T").unwrap_err();
    assert!(!said.to_string().contains("CANARY"), "{said}");
    for good in [
        "env:T",
        "file:/a:KEY",
        "file:/a#KEY",
        "vault:secret/data/x",
        "k8s:ns/name#key",
        "keychain:a#b",
        "store:a/b",
    ] {
        let (text, _) = done("", &format!("openai -token {good}")).unwrap();
        assert_eq!(block(&text, 0)["outgoing_auth"][0]["params"]["secrets"][0], good);
    }
}

#[test]
fn what_makes_no_sense_is_met_with_what_was_probably_meant() {
    for (words, hint) in [
        ("slak -token env:T", "did you mean `slack`?"),
        ("lst", "did you mean `list`?"),
        ("openai -tokn env:T", "did you mean `-token`?"),
        ("noton -token env:T", "did you mean `notion`?"),
    ] {
        let said = typed(words).unwrap_err();
        assert_eq!(said.hint().as_deref(), Some(hint), "{words}");
    }
    for words in [
        "slack -signing-secret env:T",
        "delete",
        "update",
        "list extra",
        "openai -token",
        "openai -token env:T -timeout -5s",
    ] {
        let said = done("", words).unwrap_err();
        assert!(matches!(said, Error::Usage(_)), "{words}: {said}");
    }
}

#[test]
fn services_of_the_catalogue_are_written_where_such_a_file_can_say_them() {
    let (text, _) = done("", "add notion -token env:T").unwrap();
    assert_eq!(block(&text, 0)["destination"], "https://api.notion.com");
    let said = typed("telegram -token env:T").unwrap_err();
    assert!(
        said.to_string().contains("goes into the path") && matches!(said, Error::Failed { .. }),
        "{said}"
    );
}

#[test]
fn a_file_that_is_something_else_is_never_touched() {
    for text in [
        "- a\n",
        "integrations: 5\n",
        "integrations:\n  - destination: x\n",
        "integrations: {a: b}\n",
        "a: [\n",
    ] {
        for words in ["openai -token env:T", "update openai -timeout 1s", "delete openai"] {
            assert!(done(text, words).is_err(), "{text:?} {words}");
        }
    }
    let twice = "integrations:\n  - name: A\n  - name: a\n";
    assert!(done(twice, "delete a").unwrap_err().to_string().contains("twice"));
}

#[test]
fn keys_that_nobody_here_knows_are_no_reason_to_refuse_a_file() {
    let text = "integrations:\n  - name: a\n    destination: https://a\n    rate_limit_window: 1m\n    idle_conn_timeout: 5s\n";
    let (text, _) = done(text, "openai -token env:T").unwrap();
    let (text, deleted) = done(&text, "delete OpenAI").unwrap();
    assert_eq!(deleted, Done::Deleted("openai".to_owned()));
    assert_eq!(list(&Document::read(&text, "x").unwrap(), "x").unwrap().len(), 1);
    assert!(done(&text, "delete openai").is_err());
}

#[test]
fn what_is_merged_into_a_block_is_listed_with_it() {
    let text = "integrations:\n  - &a\n    name: a\n    destination: https://a\n    outgoing_auth: [{type: token}]\n  - <<: *a\n    name: b\n";
    let listed = list(&Document::read(text, "x").unwrap(), "x").unwrap();
    assert_eq!((&*listed[1].name, &*listed[1].destination), ("b", "https://a"));
    assert_eq!(listed[1].outgoing, ["token"]);
}

#[test]
fn the_secret_of_webhooks_need_not_be_said_and_then_callers_prove_nothing() {
    for words in [
        "slack -token env:T",
        "github -token env:T",
        "ghe -token env:T -domain git.corp",
        "update slack -token env:T",
    ] {
        let (text, _) = done("", words).unwrap();
        assert_eq!(block(&text, 0).get("incoming_auth"), None, "{words}");
    }
    assert!(done("", "slack -signing-secret env:S").unwrap_err().to_string().contains("`-token"));
}

#[test]
fn help_lists_the_flags_of_a_service() {
    for (words, flag) in [
        ("slack --help", "-signing-secret REFERENCE"),
        ("help", "services:"),
        ("update ghe -h", "-service"),
        ("notion -help", "-token"),
    ] {
        let Command::Help(text) = typed(words).unwrap().command else { panic!("{words}") };
        assert!(text.contains(flag), "{text}");
    }
}
