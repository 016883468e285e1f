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
    pub(super) also: Vec<Arc<str>>,
    pub(super) facts: Facts,
    pub(super) now: u64,
}

impl Ask {
    pub(super) fn of(actions: &str, resource: &str) -> Self {
        Self {
            resource: resource.to_owned(),
            actions: actions.split(',').map(|word| word.parse().unwrap()).collect(),
            identity: "app".to_owned(),
            also: Vec::new(),
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
            also: &self.also,
            facts: &self.facts,
            now: Timestamp::from_millis(self.now),
        })
    }

    pub(super) fn allowed(&self, set: &Set) -> bool {
        self.decide(set).allowed.is_some()
    }
}

/// A name that the kernel proves binds its caller under every name that it may ask under.
#[test]
fn what_is_denied_to_one_name_of_a_caller_is_denied_to_all() {
    let everybody = rule("everybody", "allow", "resources: ['*'], actions: ['*'], identities: ['*']");
    let not_web = rule(
        "web",
        "deny",
        "resources: ['secret:/db/*'], actions: [write], identities: [Web], priority: 200",
    );
    let set = set(&[&everybody, &not_web]);
    let ask = |actions: &str, also: &[&str]| {
        let also = also.iter().map(|name| Arc::from(*name)).collect();
        Ask { also, ..Ask::of(actions, "secret:/db/a").by("uid:33") }
    };
    for _ in 0..2 {
        assert!(ask("write", &["uid:33"]).allowed(&set));
        assert!(ask("read", &["web", "uid:33"]).allowed(&set));
        for actions in ["write", "read,write", "admin"] {
            let decision = ask(actions, &["uid:33", "web"]).decide(&set);
            assert!(
                decision.allowed.is_none() && decision.reasoning.contains("for `web` is denied by"),
                "{decision:?}"
            );
            assert_eq!(*decision.applied_rules, ["web".into()]);
        }
    }
    // That nothing is allowed to another name takes nothing away.
    let one =
        self::set(&[&rule("app", "allow", "resources: ['secret:*'], actions: [read], identities: [app]")]);
    assert!(Ask { also: vec!["web".into()], ..Ask::of("read", "secret:/db/a") }.allowed(&one));
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
