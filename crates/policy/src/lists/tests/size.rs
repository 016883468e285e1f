//! How much a lookup costs, in steps.

use std::fmt::Write as _;

use super::*;

struct Many(usize);

impl Services for Many {
    fn names(&self) -> Vec<IntegrationName> {
        (0..self.0).map(|number| format!("s{number}").parse().unwrap()).collect()
    }

    fn kind(&self, integration: &IntegrationName) -> Option<IntegrationName> {
        Some(integration.clone())
    }

    fn capability(&self, _: &IntegrationName, _: &str, _: &Params) -> Result<Vec<Condition>, Unready> {
        Err(Unready::Unknown(Vec::new()))
    }
}

fn many(integrations: usize, callers: usize, rules: usize) -> Lists {
    let mut text = String::new();
    for integration in 0..integrations {
        writeln!(text, "- integration: s{integration}\n  callers:").unwrap();
        for caller in 0..callers {
            writeln!(text, "  - id: c{caller}\n    rules:").unwrap();
            for rule in 0..rules {
                writeln!(text, "    - {{path: /v1/r{rule}/*/x, methods: {{GET: {{}}}}}}").unwrap();
            }
        }
    }
    Lists::read(&[File { side: Side::Allow, name: "allowlist.yaml", text: &text }], &Many(integrations))
        .unwrap()
}

fn steps(lists: &Lists, path: &str) -> u64 {
    let sent = Sent { integration: "s0", ..asks(&format!("GET {path}")).by("c0") };
    let (name, mut steps) = ("s0".parse().unwrap(), 0);
    let verdict = lists.check_counting(&sent.request(&name), &sent.call(), None, &mut steps);
    assert_eq!(verdict.allowed_by().is_some(), path.ends_with("/x"));
    steps
}

#[test]
fn a_hundred_thousand_rules_cost_no_more_steps_than_one() {
    let (one, all) = (many(1, 1, 1), many(10_000, 1, 10));
    assert_eq!(all.counts(), (10_000, 100_000));
    assert_eq!(steps(&one, "/v1/r0/7/x"), steps(&all, "/v1/r0/7/x"));
    assert_eq!(steps(&one, "/v1/r0/7/y"), steps(&all, "/v1/r0/7/y"));
    assert_eq!(steps(&many(1, 100, 100), "/v1/r0/7/x"), steps(&one, "/v1/r0/7/x"));
}

#[test]
fn a_pattern_full_of_wildcards_costs_no_more_than_its_length_times_that_of_the_path() {
    let stars = "/**/a".repeat(20);
    let rules = allow(&format!("{{path: '{stars}/b', methods: {{GET: {{}}}}}}"));
    let path = "/a".repeat(200);
    let sent = asks(&format!("GET {path}"));
    let (name, mut steps) = ("slack".parse().unwrap(), 0);
    let verdict = rules.check_counting(&sent.request(&name), &sent.call(), None, &mut steps);
    assert_eq!(verdict.allowed_by(), None);
    assert!(steps < 200 * 45, "{steps}");
}
