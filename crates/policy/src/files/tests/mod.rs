//! Tests of the policy files.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use model::Timestamp;

use super::*;

mod conditions;
mod corpus;
mod folders;
mod guide;
mod kept;
mod mistakes;
mod reference;
mod semantics;

/// Wednesday, 2026-11-25, 12:00 UTC.
pub(super) const NOON: u64 = 1_795_608_000_000;

/// A set of the files with these texts.
pub(super) fn set(files: &[&str]) -> Set {
    let read = |(at, text): (usize, &&str)| read::policy(text, Format::Yaml, &format!("{at}.yaml")).unwrap();
    Set::of(files.iter().enumerate().map(read).collect()).unwrap()
}

/// One rule as a file, with the rest of its keys.
pub(super) fn rule(id: &str, effect: &str, rest: &str) -> String {
    format!("id: p-{id}\nrules:\n  - {{id: {id}, effect: {effect}, {rest}}}\n")
}

/// What is asked, with everything in plain sight.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) resource: String,
    pub(super) actions: Vec<Action>,
    pub(super) identity: String,
    pub(super) facts: Facts,
    pub(super) now: u64,
}

impl Ask {
    pub(super) fn of(actions: &str, resource: &str) -> Self {
        Self {
            resource: resource.to_owned(),
            actions: actions.split(',').map(|word| word.parse().unwrap()).collect(),
            identity: "app".to_owned(),
            facts: Facts::default(),
            now: NOON,
        }
    }

    pub(super) fn by(self, identity: &str) -> Self {
        Self { identity: identity.to_owned(), ..self }
    }

    pub(super) fn decide(&self, set: &Set) -> Decision {
        let resource: ResourceName = self.resource.parse().unwrap();
        set.decide(&Question {
            resource: &resource,
            actions: &self.actions,
            identity: &self.identity,
            facts: &self.facts,
            now: Timestamp::from_millis(self.now),
        })
    }

    pub(super) fn allowed(&self, set: &Set) -> bool {
        self.decide(set).allowed.is_some()
    }
}

/// The built-in set of development mode, and the empty one.
#[test]
fn development_allows_everything_and_an_empty_set_nothing() {
    let (development, empty) = (Set::built_in_development().unwrap(), Set::empty().unwrap());
    for (actions, resource) in
        [("execute", "secret:/deploy/production"), ("read,write", "secret:/build/main"), ("*", "op:/slack/*")]
    {
        let ask = Ask::of(actions, resource);
        let decision = ask.decide(&development);
        assert_eq!(decision.applied_rules, ["allow-local".into()]);
        assert_eq!(decision.decision, Answer::Allow);
        let allowed = decision.allowed.unwrap();
        assert_eq!((allowed.identity(), allowed.resource().as_str()), ("app", resource));
        let decision = ask.decide(&empty);
        assert_eq!(decision.decision, Answer::Deny);
        assert!(decision.allowed.is_none() && decision.reasoning.contains("no policies are loaded"));
    }
    assert_eq!((development.len(), empty.len()), (1, 0));
    assert!(empty.is_empty());
}
