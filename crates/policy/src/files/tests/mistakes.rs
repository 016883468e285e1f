//! Files that are not read, and what is said about them.

use super::*;

fn error(text: &str, format: Format) -> String {
    let error = read::policy(text, format, "p.yaml").map(|_| ()).unwrap_err();
    match error.hint() {
        Some(hint) if hint.starts_with("did you mean") => format!("{error}; {hint}"),
        _ => error.to_string(),
    }
}

fn of_yaml(text: &str) -> String {
    error(text, Format::Yaml)
}

/// A file with one rule in flow style, on line 3.
fn of_rule(rule: &str) -> String {
    of_yaml(&format!("id: a\nrules:\n  - {{id: r, {rule}}}\n"))
}

const GOOD: &str = "effect: allow, resources: ['*'], actions: [read], identities: ['*']";

fn of_condition(condition: &str) -> String {
    let said = of_rule(&format!("{GOOD}, conditions: [{{{condition}}}]"));
    said.strip_prefix("p.yaml:3: rule `r`: ").unwrap_or(&said).to_owned()
}

#[test]
fn unknown_keys_and_words_are_named_with_the_nearest_known_one() {
    assert!(of_yaml("id: a\nruels: []\n").starts_with("p.yaml:2: the key `ruels` is unknown"));
    assert!(of_yaml("id: a\nruels: []\n").ends_with("did you mean `rules`?"));
    let said = of_rule("efect: allow, resources: ['*'], actions: [read], identities: ['*']");
    assert!(said.starts_with("p.yaml:3: rule `number 1`: the key `efect` is unknown"), "{said}");
    assert!(said.ends_with("did you mean `effect`?"), "{said}");
    let said = of_rule("effect: alow, resources: ['*'], actions: [read], identities: ['*']");
    assert_eq!(
        said,
        "p.yaml:3: rule `r`: `effect` `alow` is unknown; it is one of `allow`, `deny`; did you mean `allow`?"
    );
    let said = of_rule("effect: allow, resources: ['*'], actions: [raed], identities: ['*']");
    assert!(said.contains("`actions` `raed` is unknown") && said.ends_with("did you mean `read`?"), "{said}");
    let said = of_rule("effect: allow, resources: ['sceret:/a'], actions: [read], identities: ['*']");
    assert!(
        said.contains("the kind of resource `sceret` is unknown") && said.contains("`secret`?"),
        "{said}"
    );
    let said = of_yaml("id: a\nstatus: actve\nrules: []\n");
    assert!(
        said.starts_with("p.yaml:2: `status` `actve` is unknown") && said.contains("`active`?"),
        "{said}"
    );
    assert!(of_condition("type: tiem, operator: in, value: [9]").contains("did you mean `time`?"));
    assert!(
        of_condition("type: time, key: hors, operator: in, value: [9]").contains("did you mean `hours`?")
    );
    assert!(
        of_condition("type: time, key: hours, operator: not_inn, value: [9]")
            .contains("did you mean `not_in`?")
    );
    assert!(
        of_condition("type: identity, key: uuid, operator: eq, value: 9").contains("did you mean `uid`?")
    );
    assert!(of_condition("type: action, operator: eq, value: exekute").contains("did you mean `execute`?"));
    assert!(
        of_condition("type: ip, key: adress, operator: eq, value: 10.0.0.1")
            .contains("did you mean `address`?")
    );
}

#[test]
fn what_is_missing_or_has_another_type_is_named_with_its_line() {
    assert_eq!(of_yaml("rules: []\n"), "p.yaml:1: the key `id` is missing");
    assert_eq!(of_yaml("id: a\n"), "p.yaml:1: the key `rules` is missing");
    assert_eq!(of_yaml("- id: a\n"), "p.yaml:1: a policy file is a map of keys and values");
    assert_eq!(of_yaml("id: a\nrules: {}\n"), "p.yaml:2: `rules` is a list");
    assert_eq!(
        of_yaml("id: 'a b'\nrules: []\n"),
        "p.yaml:1: `id` is 1 to 128 letters, digits, `-`, `_` and `.`"
    );
    assert!(
        of_rule("effect: allow, resources: ['*'], actions: [read]")
            .contains("the key `identities` is missing")
    );
    assert!(
        of_rule("effect: allow, resources: [], actions: [read], identities: ['*']")
            .contains("`resources` is empty")
    );
    assert!(
        of_rule("effect: allow, resources: 'secret:/a', actions: [read], identities: ['*']")
            .contains("`resources` is a list")
    );
    assert!(
        of_rule("effect: allow, resources: [7], actions: [read], identities: ['*']")
            .contains("`resources` is a text")
    );
    assert!(
        of_rule("effect: allow, resources: ['*'], actions: ['re*'], identities: ['*']")
            .contains("`re*` is unknown")
    );
    assert!(
        of_rule("effect: allow, resources: ['a*b'], actions: [read], identities: ['*']").contains("resource")
    );
    assert!(
        of_rule("effect: allow, resources: ['secret:/a/../b'], actions: [read], identities: ['*']")
            .contains("resource")
    );
    assert!(
        of_rule("effect: allow, resources: ['*'], actions: [read], identities: ['a*b']")
            .contains("only once, at the end")
    );
    assert!(
        of_rule("effect: allow, resources: ['*'], actions: [read], identities: ['']")
            .contains("an empty text")
    );
    assert!(of_rule(&format!("{GOOD}, priority: '1'")).contains("`priority` is a whole number"));
    assert!(of_rule(&format!("{GOOD}, priority: 1.5")).contains("`priority` is a whole number"));
    assert!(
        of_rule(&format!("{GOOD}, priority: 99999999999999999999")).contains("`priority` is a whole number")
    );
    assert!(of_rule(&format!("{GOOD}, conditions: {{}}")).contains("`conditions` is a list"));
    assert!(of_rule(&format!("{GOOD}, metadata: []")).contains("`metadata` is a map"));
    assert!(of_yaml("id: a\ncreated_at: []\nrules: []\n").starts_with("p.yaml:2: `created_at` is a text"));
}

#[test]
fn values_that_an_operator_can_not_use_are_refused() {
    for (condition, said) in [
        ("type: ip, operator: eq, value: 10.0.0.300", "is no address and no network"),
        ("type: ip, operator: in, value: 10.0.0.1", "`value` is a list"),
        (
            "type: ip, operator: eq, value: 10.0.0.1/8",
            "has bits behind its prefix; did you mean `10.0.0.0/8`",
        ),
        ("type: ip, operator: gt, value: 10.0.0.0/8", "is no address"),
        ("type: ip, operator: eq, value: '::ffff:10.0.0.0/104'", "is IPv4 inside IPv6"),
        ("type: ip, operator: eq", "the key `value` is missing"),
        ("type: ip, operator: eq, value: null", "the key `value` is missing"),
        ("type: time, operator: eq, value: 9", "the key `` is unknown"),
        ("type: time, key: hours, operator: in, value: [24]", "hours are numbers"),
        ("type: time, key: hours, operator: in, value: [-1]", "hours are numbers"),
        ("type: time, key: hours, operator: in, value: ['9-17']", "hours are numbers"),
        ("type: time, key: hours, operator: in, value: ['09:00-09:00']", "hours are numbers"),
        ("type: time, key: hours, operator: in, value: ['09:60-10:00']", "hours are numbers"),
        ("type: time, key: hours, operator: in, value: []", "`value` is empty"),
        ("type: time, key: days, operator: in, value: [8]", "days are words"),
        ("type: time, key: days, operator: in, value: [-7]", "days are words"),
        ("type: time, key: days, operator: in, value: [moon]", "days are words"),
        ("type: time, key: date, operator: eq, value: '2026-02-30'", "dates are texts"),
        ("type: time, key: date, operator: eq, value: '26-02-03'", "dates are texts"),
        ("type: time, key: date, operator: in, value: ['2026-12-24/2026-12-23']", "ends before it begins"),
        ("type: time, key: timestamp, operator: gt, value: noon", "times are texts"),
        ("type: time, key: timestamp, operator: gt, value: -5", "times are texts"),
        ("type: time, key: timestamp, operator: gt, value: 999999999999999999", "times are texts"),
        (
            "type: time, key: hours, operator: eq, value: 9, timezone: Mars/Olympus",
            "the time zone `Mars/Olympus` is unknown",
        ),
        (
            "type: ip, operator: eq, value: 10.0.0.1, timezone: UTC",
            "`timezone` belongs to conditions of type `time`",
        ),
        ("type: identity, operator: eq, value: a, negate: 'yes'", "`negate` is `true` or `false`"),
        ("type: identity, operator: eq, value: 'a*b'", "only once, at the end"),
        ("type: identity, operator: contains, value: ''", "an empty text"),
        ("type: identity, operator: regex, value: 'app'", "says where it begins and ends"),
        ("type: identity, operator: regex, value: '^app'", "says where it begins and ends"),
        ("type: identity, operator: regex, value: '^app\\$'", "says where it begins and ends"),
        ("type: identity, operator: regex, value: '^(app$'", "this is not a regular expression"),
        ("type: identity, operator: regex, value: '^(((\\w{50}){50}){50})$'", "is too large"),
        ("type: resource, operator: eq, value: db", "resource"),
        ("type: environment, operator: eq, value: a", "which fact of the environment"),
        ("type: geography, operator: eq, value: a", "`type` `geography` is unknown"),
    ] {
        let found = of_condition(condition);
        assert!(found.contains(said), "{condition}: {found}");
    }
}

#[test]
fn ids_are_taken_once() {
    let twice = format!("id: a\nrules:\n  - {{id: r, {GOOD}}}\n  - {{id: r, {GOOD}}}\n");
    assert_eq!(of_yaml(&twice), "p.yaml:4: rule `r`: the id is taken by the rule at p.yaml:3");
    let read = |file: &str| read::policy("id: a\nrules: []\n", Format::Yaml, file).unwrap();
    let error = Set::of(vec![read("one.yaml"), read("two.yaml")]).map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "two.yaml:1: the id `a` is taken by the policy at one.yaml:1");
}

#[test]
fn json_is_read_strictly_and_with_lines() {
    let json = |text: &str| error(text, Format::Json);
    assert!(json("id: a\nrules: []\n").starts_with("p.yaml:1: this is not JSON"));
    assert!(json("{\"id\": \"a\",\n \"rules\": [],}").starts_with("p.yaml:2: this is not JSON"));
    assert!(json("{\"id\": \"a\",\n\"id\": \"b\",\n\"rules\": []}").contains("twice"));
    assert!(
        json("{\"id\": \"a\",\n \"rules\": [\n  {\"id\": \"r\",\n   \"effect\": \"alow\"}]}")
            .starts_with("p.yaml:4: rule `r`:")
    );
    assert!(json("// no\n{}").contains("this is not JSON"));
    assert!(json("").contains("this is not JSON"));
    let tabs = "{\n\t\"id\":\t\"a\",\n\t\"name\": \"a \\u00e9 \\/ \\\"b\\\" \\ud83d\\ude00\",\n\t\"rules\":\t[]\n}\n";
    assert_eq!(&*read::policy(tabs, Format::Json, "p.json").unwrap().id, "a");
}

#[test]
fn yaml_that_could_be_read_in_two_ways_is_refused() {
    for text in [
        "id: a\nid: b\nrules: []\n",
        "id: a\nrules: []\n---\nid: b\nrules: []\n",
        "base: &b {id: a}\n<<: *b\nrules: []\n",
        "id: a\nrules: *none\n",
        "id: !!python/object a\nrules: []\n",
        "",
        "id: a\n\trules: []\n",
    ] {
        assert!(read::policy(text, Format::Yaml, "p.yaml").is_err(), "{text:?}");
    }
}

#[test]
fn a_program_alone_allows_nothing() {
    let digest = "ab".repeat(32);
    let everybody = |effect: &str, conditions: &str| {
        format!(
            "effect: {effect}, resources: ['*'], actions: [read], identities: ['*'], conditions: [{conditions}]"
        )
    };
    let exe = "{type: identity, key: exe, operator: eq, value: /usr/bin/psql}";
    let hash = format!("{{type: identity, key: sha256, operator: in, value: [{digest}]}}");
    let uid = "{type: identity, key: uid, operator: eq, value: 7}";
    let not_uid = "{type: identity, key: uid, operator: ne, value: 7}";
    for conditions in [exe, &hash, &format!("{exe}, {not_uid}")] {
        assert!(of_rule(&everybody("allow", conditions)).contains("only narrow"), "{conditions}");
    }
    let named = everybody("allow", exe).replace("'*'], conditions", "app], conditions");
    for rule in [everybody("allow", &format!("{exe}, {hash}, {uid}")), everybody("deny", exe), named] {
        let text = format!("id: a\nrules:\n  - {{id: r, {rule}}}\n");
        let set = Set::of(vec![read::policy(&text, Format::Yaml, "a.yaml").unwrap()]).unwrap();
        let needs = model::Needs { exe: true, sha256: rule.contains("sha256") };
        assert_eq!(set.needs(), needs, "{rule}");
    }
    let of = |condition: &str| of_rule(&everybody("deny", condition));
    assert!(of("{type: identity, key: exe, operator: eq, value: psql}").contains("begins with `/`"));
    assert!(of("{type: identity, key: sha256, operator: eq, value: abc}").contains("64 hexadecimal digits"));
}
