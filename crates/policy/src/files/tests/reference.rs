//! A second evaluator, written from the words of the guide. It knows the files as JSON, compares texts, and shares nothing
//! with the first but the questions.

use serde_json::{Value as Json, json};

use super::*;
use crate::tests::{Dice, rounds};

const RESOURCES: [&str; 11] = [
    "secret:/db/primary",
    "secret:/db/replica",
    "secret:/DB/primary",
    "secret:/db",
    "secret:/web/a",
    "op:/slack/chat.post",
    "secret:/db/*",
    "secret:/d*",
    "secret:/*",
    "log:/deploy",
    "op:/slack/*",
];
const PATTERNS: [&str; 11] = [
    "*",
    "secret:*",
    "secret:/db/*",
    "secret:/db/p*",
    "secret:/db/primary",
    "secret:/DB/*",
    "secret:/db",
    "op:/slack/*",
    "log:*",
    "secret:/web/a",
    "op:*",
];
const ACTIONS: [&str; 5] = ["read", "write", "delete", "execute", "admin"];
const WRITTEN: [&str; 9] = ["read", "write", "create", "update", "delete", "execute", "run", "admin", "*"];
const IDENTITIES: [&str; 6] = ["app", "App", "app-2", "web", "uid:1000", "ci"];

/// What a condition says: whether it holds, or `None`.
fn condition(written: &Json, ask: &Ask, action: &str) -> Option<bool> {
    let (operator, value) = (written["operator"].as_str().unwrap(), &written["value"]);
    let texts: Vec<String> = match value {
        Json::Array(entries) => entries.iter().map(plain).collect(),
        one => vec![plain(one)],
    };
    let key = written["key"].as_str().unwrap_or_default();
    let several = ask.resource.ends_with('*');
    let subject: Option<String> = match written["type"].as_str().unwrap() {
        "ip" => return address(operator, &texts, ask),
        "time" => return hours(operator, value, ask),
        "environment" => ask.facts.environment.get(key).cloned(),
        "identity" if key == "uid" => ask.facts.process.get(&ProcessFact::Uid).cloned(),
        "identity" => Some(ask.identity.clone()),
        "resource" => (!several).then(|| ask.resource.clone()),
        "action" if action == "admin" => texts.contains(&"admin".to_owned()).then(|| "admin".to_owned()),
        "action" => Some(action.to_owned()),
        other => panic!("{other}"),
    };
    let subject = subject?;
    let like = |text: &String| match text.strip_suffix('*') {
        Some(start) => subject.starts_with(start),
        None => *text == subject,
    };
    Some(match operator {
        "eq" | "in" => texts.iter().any(like),
        "ne" | "not_in" => !texts.iter().any(like),
        "contains" => texts.iter().any(|text| subject.contains(text.as_str())),
        // Only `^begin.*$` is rolled.
        "regex" => subject.starts_with(texts[0].trim_start_matches('^').trim_end_matches(".*$")),
        "gt" | "lt" => {
            let order = match value.as_i64() {
                Some(number) => subject.parse::<i64>().ok()?.cmp(&number),
                None => subject.as_bytes().cmp(texts[0].as_bytes()),
            };
            if operator == "gt" { order.is_gt() } else { order.is_lt() }
        }
        other => panic!("{other}"),
    })
}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Networks of whole bytes, as texts.
fn address(operator: &str, networks: &[String], ask: &Ask) -> Option<bool> {
    let text = ask.facts.address?.to_string();
    let inside = |network: &String| {
        let (start, length) = network.split_once('/').unwrap();
        let bytes = length.parse::<usize>().unwrap() / 8;
        let part = |text: &str| text.split('.').take(bytes).map(str::to_owned).collect::<Vec<_>>();
        part(&text) == part(start)
    };
    let found = networks.iter().any(inside);
    Some(if matches!(operator, "ne" | "not_in") { !found } else { found })
}

/// Whole hours in UTC.
fn hours(operator: &str, value: &Json, ask: &Ask) -> Option<bool> {
    let hour = i64::try_from(ask.now / 3_600_000 % 24).unwrap();
    Some(match operator {
        "gt" => hour > value.as_i64().unwrap(),
        "lt" => hour < value.as_i64().unwrap(),
        _ => {
            let list = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
            let found = list.iter().any(|entry| entry.as_i64() == Some(hour));
            if matches!(operator, "ne" | "not_in") { !found } else { found }
        }
    })
}

fn matches(rule: &Json, ask: &Ask, action: &str) -> bool {
    let denies = rule["effect"] == "deny";
    let words = |key: &str| -> Vec<String> {
        rule[key].as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let fold = |text: &str| if denies { text.to_lowercase() } else { text.to_owned() };
    let asked = fold(&ask.resource);
    let resource = words("resources").iter().any(|pattern| {
        let pattern = fold(pattern);
        let covers = match pattern.strip_suffix('*') {
            Some(start) => asked.starts_with(start),
            None => asked == pattern,
        };
        // Something that begins like both: what is denied need not be all that is asked for.
        let touches =
            asked.strip_suffix('*').is_some_and(|start| pattern.trim_end_matches('*').starts_with(start));
        covers || (denies && touches)
    });
    let action_matches = words("actions").iter().any(|word| {
        let word = match word.as_str() {
            "create" | "update" => "write",
            "run" => "execute",
            other => other,
        };
        word == "*" || word == action || (word == "admin" && !denies) || (action == "admin" && denies)
    });
    let identity = words("identities").iter().any(|pattern| match fold(pattern).strip_suffix('*') {
        Some(start) => fold(&ask.identity).starts_with(start),
        None => fold(&ask.identity) == fold(pattern),
    });
    let conditions = rule["conditions"].as_array().unwrap().iter().all(|written| {
        let negate = written["negate"] == true;
        condition(written, ask, action).map_or(denies, |holds| holds != negate)
    });
    resource && action_matches && identity && conditions
}

fn allows(files: &[Json], ask: &Ask) -> bool {
    let rules: Vec<&Json> = files.iter().flat_map(|file| file["rules"].as_array().unwrap()).collect();
    ask.actions.iter().all(|action| {
        let matching: Vec<_> = rules.iter().filter(|rule| matches(rule, ask, action.as_str())).collect();
        let highest = matching.iter().map(|rule| rule["priority"].as_i64().unwrap()).max();
        let deciding = || matching.iter().filter(|rule| rule["priority"].as_i64() == highest);
        highest.is_some() && deciding().all(|rule| rule["effect"] == "allow")
    })
}

fn some(dice: &mut Dice, from: &[&str], most: usize) -> Json {
    let count = 1 + dice.roll(most);
    (0..count).map(|_| json!(dice.pick(from))).collect()
}

fn written(dice: &mut Dice) -> Json {
    let negate = dice.roll(3) == 0;
    let (kind, key, operator, value) = match dice.roll(9) {
        0 => (
            "ip",
            "",
            dice.pick(&["in", "not_in", "contains"]),
            some(dice, &["10.0.0.0/8", "10.1.0.0/16", "192.168.1.0/24"], 2),
        ),
        1 => ("time", "hours", dice.pick(&["in", "not_in"]), json!([dice.roll(24), dice.roll(24), 12])),
        2 => ("time", "hours", dice.pick(&["gt", "lt", "eq", "ne"]), json!(dice.roll(24))),
        3 => ("environment", "region", dice.pick(&["in", "not_in"]), some(dice, &["eu", "us*", "ap"], 2)),
        4 => ("identity", "uid", dice.pick(&["gt", "lt"]), json!(dice.pick(&[0, 999, 1000]))),
        5 => ("identity", "", dice.pick(&["eq", "ne"]), json!(dice.pick(&["app", "app*", "web"]))),
        6 => (
            "resource",
            "",
            dice.pick(&["in", "not_in"]),
            some(dice, &["secret:/db/*", "secret:/web/a", "op:/slack/chat.post"], 2),
        ),
        7 => ("action", "", dice.pick(&["in", "not_in"]), some(dice, &ACTIONS, 2)),
        _ => {
            let kind = dice.pick(&["identity", "resource"]);
            match dice.roll(3) {
                0 => (kind, "", "regex", json!(dice.pick(&["^app.*$", "^secret:/db.*$", "^.*$"]))),
                1 => (kind, "", "contains", some(dice, &["p", "db", "we"], 2)),
                _ => (kind, "", dice.pick(&["gt", "lt"]), json!(dice.pick(&["b", "secret:/db/q", "z"]))),
            }
        }
    };
    json!({"type": kind, "key": key, "operator": operator, "value": value, "negate": negate})
}

fn files(dice: &mut Dice) -> Vec<Json> {
    let file = |name: usize, dice: &mut Dice| {
        let rules: Vec<Json> = (0..1 + dice.roll(4))
            .map(|at| {
                let conditions: Vec<Json> = (0..dice.roll(3)).map(|_| written(dice)).collect();
                json!({
                    "id": format!("r{at}"),
                    "effect": dice.pick(&["allow", "allow", "deny"]),
                    "resources": some(dice, &PATTERNS, 3),
                    "actions": some(dice, &WRITTEN, 3),
                    "identities": some(dice, &["*", "app", "app*", "APP", "web", "uid:*"], 2),
                    "priority": dice.roll(4),
                    "conditions": conditions,
                })
            })
            .collect();
        json!({"id": format!("p{name}"), "rules": rules})
    };
    (0..1 + dice.roll(3)).map(|name| file(name, dice)).collect()
}

fn ask(dice: &mut Dice) -> Ask {
    let actions: Vec<Action> = (0..1 + dice.roll(2)).map(|_| dice.pick(&Action::ALL)).collect();
    let mut facts = Facts::default();
    if dice.roll(4) > 0 {
        facts.address =
            Some(dice.pick(&["10.1.2.3", "10.2.0.1", "192.168.1.9", "172.16.0.1"]).parse().unwrap());
    }
    if dice.roll(4) > 0 {
        facts.environment.insert("region".to_owned(), dice.pick(&["eu", "us-east", "ap"]).to_owned());
    }
    if dice.roll(4) > 0 {
        facts.process.insert(ProcessFact::Uid, dice.pick(&["0", "1000", "2000"]).to_owned());
    }
    Ask {
        also: Vec::new(),
        resource: dice.pick(&RESOURCES).to_owned(),
        actions,
        identity: dice.pick(&IDENTITIES).to_owned(),
        facts,
        now: NOON + 1_800_000 * dice.roll(48) as u64,
    }
}

#[test]
fn two_evaluators_agree_on_every_decision() {
    let (mut allowed, mut denied) = (0_u64, 0_u64);
    for seed in 0..(rounds() / 100).max(1) {
        let mut dice = Dice::new(seed + 5);
        let files = files(&mut dice);
        let texts: Vec<String> = files.iter().map(Json::to_string).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let set = set(&texts);
        for _ in 0..100 {
            let ask = ask(&mut dice);
            let decision = ask.decide(&set);
            let ours = decision.allowed.is_some();
            assert_eq!(
                ours,
                allows(&files, &ask),
                "seed {seed}: {ask:?}\n{texts:#?}\n{}",
                decision.reasoning
            );
            if ours { allowed += 1 } else { denied += 1 }
        }
    }
    let all = allowed + denied;
    assert!(
        allowed > all / 20 && denied > all / 20,
        "{allowed} allowed, {denied} denied: the dice are loaded"
    );
}

/// A rule that denies, added to any set, never gives anything.
#[test]
fn one_more_rule_that_denies_never_allows_more() {
    for seed in 0..(rounds() / 500).max(1) {
        let mut dice = Dice::new(seed + 77);
        let mut files = files(&mut dice);
        let of = |files: &[Json]| {
            let texts: Vec<String> = files.iter().map(Json::to_string).collect();
            set(&texts.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let before = of(&files);
        let mut denying = self::files(&mut dice).remove(0);
        denying["id"] = json!("more");
        for rule in denying["rules"].as_array_mut().unwrap() {
            rule["effect"] = json!("deny");
        }
        files.push(denying);
        let after = of(&files);
        for _ in 0..25 {
            let ask = ask(&mut dice);
            assert!(ask.allowed(&before) || !ask.allowed(&after), "seed {seed}: {ask:?}");
        }
    }
}
