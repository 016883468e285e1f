//! The conditions of the guide, each asked for with the facts that stand beside it.

use super::*;

const GUIDE: &str = include_str!("../../../../../docs/guide/agent-policies.md");

/// The question of a cell such as `address=10.1.2.3`.
fn asked(cell: &str) -> Ask {
    let (name, value) = cell.split_once('=').unwrap_or_else(|| panic!("{cell}"));
    let mut ask = Ask::of("read", "secret:/db/primary");
    match name {
        "address" => ask.facts.address = Some(value.parse().unwrap()),
        "at" => ask.now = value.parse::<Timestamp>().unwrap().millis(),
        "as" => value.clone_into(&mut ask.identity),
        "resource" => value.clone_into(&mut ask.resource),
        "action" => ask.actions = vec![value.parse().unwrap()],
        "environment" => drop(ask.facts.environment.insert(name.to_owned(), value.to_owned())),
        _ => {
            let fact = ProcessFact::ALL.into_iter().find(|fact| fact.as_str() == name);
            drop(ask.facts.process.insert(fact.unwrap_or_else(|| panic!("{cell}")), value.to_owned()));
        }
    }
    ask
}

#[test]
fn every_condition_of_the_guide_holds_and_fails_as_it_says() {
    let (mut lines, mut said) = (0, String::new());
    for line in GUIDE.lines().filter(|line| line.starts_with("| `{type: ")) {
        // A `|` inside a cell is written `\|`.
        let hidden = line.replace("\\|", "\u{1}");
        let cells: Vec<String> =
            hidden.split('|').map(|cell| cell.trim().trim_matches('`').replace('\u{1}', "|")).collect();
        let [_, condition, holds, fails, _] = cells.as_slice() else { panic!("{line}") };
        // What runs a program is nobody by that alone.
        let who = if condition.contains("key: exe") { "app" } else { "*" };
        let rest =
            format!(r#"resources: ["*"], actions: ["*"], identities: ["{who}"], conditions: [{condition}]"#);
        let set = set(&[&rule("one", "allow", &rest)]);
        assert!(asked(holds).allowed(&set), "{condition}: {holds}");
        assert!(!asked(fails).allowed(&set), "{condition}: {fails}");
        said.push_str(condition);
        lines += 1;
    }
    assert!(lines >= 36, "{lines} conditions");
    for word in ["eq", "ne", "in", "not_in", "regex", "gt", "lt", "contains"] {
        assert!(said.contains(&format!("operator: {word},")), "no example of `{word}`");
    }
    for word in ["ip", "time", "environment", "identity", "resource", "action"] {
        assert!(said.contains(&format!("type: {word},")), "no example of `{word}`");
    }
}
