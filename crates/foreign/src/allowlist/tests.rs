//! Grants go in and come out, and taking back never opens anything.

use serde_json::{Value, json};

use super::*;

fn known() -> Known<'static> {
    Known {
        of: &|name| match name {
            "slack" => Some(vec![
                ("post_as".to_owned(), vec!["username".to_owned()]),
                ("post_channels".to_owned(), vec!["channels".to_owned()]),
            ]),
            _ => None,
        },
        problem: &|grant| match &grant.params {
            Node::Map(entries) => {
                let strange = entries.iter().find(|(name, _)| name == "user");
                strange.map(|(name, _)| format!("the parameter `{name}` is unknown"))
            }
            _ => None,
        },
        integrations: vec!["slack".to_owned()],
    }
}

fn done(text: &str, words: &[&str]) -> Result<(String, Done), Error> {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let typed = read(&words, "allowlist", &known())?;
    let mut document = Document::read(text, &typed.file)?;
    let done = typed.command.apply(&mut document, &typed.file)?;
    Ok((document.text().to_owned(), done))
}

fn grant<'a>(command: &'a str, caller: &'a str, capability: &'a str) -> Vec<&'a str> {
    vec![command, "-integration", "Slack", "-caller", caller, "-capability", capability]
}

fn with<'a>(mut words: Vec<&'a str>, params: &'a str) -> Vec<&'a str> {
    words.extend(["-params", params]);
    words
}

fn value(text: &str) -> Value {
    Document::read(text, "x").unwrap().value().clone()
}

#[test]
fn a_grant_is_added_once_and_beside_others() {
    let (text, added) = done("# who may\n", &with(grant("add", "bot", "post_as"), "username=bot")).unwrap();
    assert_eq!(added, Done::Added);
    assert_eq!(
        text,
        "# who may\n- integration: slack\n  callers:\n    - id: bot\n      capabilities:\n        - name: post_as\n          \
         params:\n            username: bot\n"
    );
    let again = done(&text, &with(grant("add", "bot", "post_as"), "username=bot")).unwrap();
    assert_eq!(again, (text.clone(), Done::Unchanged));
    let (text, _) =
        done(&text, &with(grant("add", "bot", "post_channels"), "channels=[\"C1\",\"C2, a\"]")).unwrap();
    let (text, _) = done(&text, &grant("add", "*", "dangerously_allow_full_access")).unwrap();
    assert_eq!(
        value(&text),
        json!([{"integration": "slack", "callers": [
            {"id": "bot", "capabilities": [
                {"name": "post_as", "params": {"username": "bot"}},
                {"name": "post_channels", "params": {"channels": ["C1", "C2, a"]}},
            ]},
            {"id": "*", "capabilities": [{"name": "dangerously_allow_full_access"}]},
        ]}])
    );
}

#[test]
fn whose_last_grant_goes_may_do_nothing_and_not_what_everybody_may() {
    let text = "- integration: slack\n  callers:\n    - id: bot # the bot\n      capabilities:\n        - name: post_as\n    - id: '*'\n      capabilities: [{name: dangerously_allow_full_access}]\n";
    let (left, removed) = done(text, &grant("remove", "bot", "post_as")).unwrap();
    assert_eq!(removed, Done::RemovedAll(1));
    let bot = &value(&left)[0]["callers"][0];
    assert_eq!(bot["id"], "bot");
    assert_eq!(bot["rules"][0]["methods"]["GET"]["headers"]["X-Nothing-Is-Allowed"], json!(["\n"]));
    assert!(bot.get("capabilities").is_none() && left.contains("# the bot"), "{left}");
    // A new grant takes the place of that rule.
    let (again, _) = done(&left, &with(grant("add", "bot", "post_as"), "username=b")).unwrap();
    assert!(value(&again)[0]["callers"][0].get("rules").is_none(), "{again}");
}

#[test]
fn rules_written_by_hand_stay() {
    let text = "- integration: slack\n  callers:\n    - id: bot\n      # mine\n      rules:\n        - path: /x\n          methods: {GET: {}}\n      capabilities:\n        - name: post_as\n        - name: post_channels\n        - name: post_as\n          params: {username: b}\n";
    let (left, removed) = done(text, &grant("remove", "bot", "post_as")).unwrap();
    assert_eq!(
        (removed, value(&left)[0]["callers"][0]["capabilities"].clone()),
        (Done::Removed(2), json!([{"name": "post_channels"}]))
    );
    let (left, removed) = done(&left, &grant("remove", "bot", "post_channels")).unwrap();
    assert_eq!(removed, Done::Removed(1));
    assert_eq!(value(&left)[0]["callers"][0]["rules"], json!([{"path": "/x", "methods": {"GET": {}}}]));
    assert!(left.contains("# mine"), "{left}");
    let only = with(grant("remove", "bot", "post_as"), "username=b");
    assert_eq!(done(text, &only).unwrap().1, Done::Removed(1));
}

#[test]
fn what_is_misspelt_or_not_there_is_refused() {
    for (words, said) in [
        (grant("add", "bot", "post_sa"), "did you mean `post_as`?"),
        (with(grant("add", "bot", "post_as"), "user=b"), "it takes `username`"),
        (vec!["ad"], "did you mean `add`?"),
        (
            vec!["add", "-integration", "own", "-caller", "a", "-capability", "post_az"],
            "did you mean `post_as`?",
        ),
    ] {
        let error = done("", &words).unwrap_err();
        assert!(
            matches!(error, Error::Usage(_)) && error.hint().unwrap().contains(said),
            "{error} {:?}",
            error.hint()
        );
    }
    for params in ["x", "=x", "a=1,a=2", "a=[1"] {
        assert!(
            matches!(done("", &with(grant("add", "b", "post_as"), params)), Err(Error::Usage(_))),
            "{params}"
        );
    }
    assert!(matches!(done("", &grant("remove", "bot", "post_as")), Err(Error::Failed { .. })));
    for text in [
        "a: 1\n",
        "- x\n",
        "- integration: slack\n  callers: {a: b}\n",
        "- {integration: slack}\n- {integration: Slack}\n",
    ] {
        assert!(done(text, &grant("add", "bot", "post_as")).is_err(), "{text}");
    }
}

#[test]
fn the_list_tells_grants_from_rules_and_from_nothing() {
    let text = "- integration: slack\n  callers:\n    - capabilities: [{name: post_as}]\n      rules: [{path: /x, methods: {GET: {}}}]\n    - id: bot\n";
    let lines = list(&Document::read(text, "x").unwrap(), "x").unwrap();
    let short: Vec<_> =
        lines.iter().map(|line| (line.caller.as_str(), line.capability.as_deref(), line.rules)).collect();
    assert_eq!(short, [("*", Some("post_as"), 0), ("*", None, 1), ("bot", None, 0)]);
}
