//! From rules to Cedar policies, in tiers of equal priority.
//!
//! Cedar has no priorities; a `forbid` always wins. So the rules of one priority are a policy set of their own, and the
//! highest set in which a policy applies decides: within it Cedar's own rule is the one that is wanted.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use cedar_policy::{
    EntityTypeName, EntityUid, Policy as Cedar, PolicyId, PolicySet, Schema, ValidationMode, Validator,
};
use serde_json::json;

use super::condition::{Computed, Condition, Subject, Test};
use super::expression::Expression;
use super::rule::{Covered, Effect, Policy, Rule, Status, Wildcard};
use super::{Action, Error};
use crate::cedar::Version;

/// Rules that can decide.
pub(super) struct Compiled {
    /// From the highest priority.
    pub(super) tiers: Vec<Tier>,
    /// Every rule; its place in this list is its id in Cedar.
    pub(super) rules: Vec<Rule>,
    pub(super) version: Version,
}

/// The rules of one priority.
pub(super) struct Tier {
    pub(super) policies: PolicySet,
    /// What has to be found in plain Rust before Cedar is asked.
    pub(super) computed: Vec<(String, Computed)>,
    /// Its rules that deny, by their places in the list.
    pub(super) denying: Vec<usize>,
    /// Whether an answer depends on more than identity, resource and action.
    pub(super) reads_context: bool,
    /// What its questions are made of.
    pub(super) terms: Arc<Terms>,
}

/// The schema, and names of Cedar, parsed once for all tiers.
pub(super) struct Terms {
    pub(super) schema: Schema,
    pub(super) asking: EntityUid,
    pub(super) asked: EntityUid,
    pub(super) ask: EntityUid,
}

/// Compiles the rules of all policies that hold.
pub(super) fn compile(policies: Vec<Policy>) -> Result<Compiled, Error> {
    let holding = policies.into_iter().filter(|policy| policy.status != Status::Inactive);
    let rules: Vec<Rule> = holding.flat_map(|policy| policy.rules).collect();
    let mut by_priority: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for (at, rule) in rules.iter().enumerate() {
        by_priority.entry(rule.priority).or_default().push(at);
    }
    let mut hasher = crypto::Hasher::new();
    if by_priority.is_empty() {
        // Cedar is asked nothing then, and to read a schema is half of what a process costs that lives for one call.
        return Ok(Compiled { tiers: Vec::new(), rules, version: Version::of(hasher.finish()) });
    }
    let terms = Arc::new(Terms::new()?);
    let mut tiers = Vec::new();
    for (priority, members) in by_priority.into_iter().rev() {
        hasher.update(&priority.to_be_bytes());
        tiers.push(tier(&terms, &rules, &members, &mut hasher)?);
    }
    let validator = Validator::new(terms.schema.clone());
    for tier in &tiers {
        let result = validator.validate(&tier.policies, ValidationMode::Strict);
        if let Some(error) = result.validation_errors().next() {
            let rule = error.policy_id().as_ref() as &str;
            return Err(wrong(format!("rule {}: {error}", place(&rules, rule))));
        }
        if !result.validation_passed() {
            return Err(wrong("a rule did not pass validation"));
        }
    }
    Ok(Compiled { tiers, rules, version: Version::of(hasher.finish()) })
}

fn tier(
    terms: &Arc<Terms>,
    rules: &[Rule],
    members: &[usize],
    hasher: &mut crypto::Hasher,
) -> Result<Tier, Error> {
    let mut tier = Tier {
        policies: PolicySet::new(),
        computed: Vec::new(),
        denying: Vec::new(),
        reads_context: false,
        terms: Arc::clone(terms),
    };
    for at in members {
        let Some(rule) = rules.get(*at) else { continue };
        let written = cedar(rule, *at);
        let text = written.to_string();
        for part in [&*rule.policy, &*rule.id, &text] {
            hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        for (number, condition) in rule.conditions.iter().enumerate() {
            tier.reads_context |= condition.reads_context();
            if let Test::Computed(computed) = &condition.test {
                // What is computed in Rust isn't in the Cedar text; the version has to know it too.
                hasher.update(format!("{computed:?}").as_bytes());
                tier.computed.push((fact(*at, number), computed.clone()));
            }
        }
        if rule.effect == Effect::Deny {
            tier.denying.push(*at);
        }
        let policy = Cedar::from_json(Some(PolicyId::new(at.to_string())), written).map_err(wrong)?;
        tier.policies.add(policy).map_err(wrong)?;
    }
    Ok(tier)
}

/// One rule in Cedar's JSON form.
fn cedar(rule: &Rule, at: usize) -> serde_json::Value {
    let conditions = rule.conditions.iter().enumerate();
    let conditions = conditions.map(|(number, condition)| when(condition, rule.effect, &fact(at, number)));
    let clauses =
        [resources(rule, at), actions(rule), identities(rule), Expression::all(conditions.collect())];
    let clauses = clauses.map(|clause| json!({ "kind": "when", "body": clause.into_json() }));
    let effect = match rule.effect {
        Effect::Allow => "permit",
        Effect::Deny => "forbid",
    };
    json!({
        "effect": effect,
        "principal": { "op": "All" },
        "action": { "op": "==", "entity": { "type": "Files::Action", "id": "ask" } },
        "resource": { "op": "All" },
        "conditions": clauses,
    })
}

/// A rule that allows has to cover all that is asked for; one that denies, any of it. Letters in upper case don't lead past
/// a rule that denies.
fn resources(rule: &Rule, at: usize) -> Expression {
    let wildcard = |covered: &Covered| match covered {
        Covered::All => Wildcard::Prefix(String::new()),
        Covered::Named(name) => match name.prefix() {
            Some(prefix) => Wildcard::Prefix(prefix.to_owned()),
            None => Wildcard::Exact(name.as_str().to_owned()),
        },
    };
    let wildcards = rule.resources.iter().map(wildcard);
    match rule.effect {
        Effect::Allow => {
            Expression::matches(|| Expression::context("resource"), &wildcards.collect::<Vec<_>>())
        }
        Effect::Deny => {
            let folded: Vec<Wildcard> = wildcards.map(|wildcard| wildcard.folded()).collect();
            let matches = Expression::matches(|| Expression::context("folded_resource"), &folded);
            matches.or(Expression::context("overlaps").holds(&at.to_string()))
        }
    }
}

/// `admin` is every action: it allows each, and a rule that denies one denies `admin` too.
fn actions(rule: &Rule) -> Expression {
    let words = rule.actions.iter().map(|action| action.as_str());
    match rule.effect {
        Effect::Allow if rule.actions.contains(&Action::Admin) => Expression::constant(true),
        Effect::Deny if rule.every_action => Expression::constant(true),
        Effect::Allow => Expression::context("action").one_of(words),
        Effect::Deny => Expression::context("action").one_of(words.chain(["admin"])),
    }
}

fn identities(rule: &Rule) -> Expression {
    match rule.effect {
        Effect::Allow => Expression::matches(|| Expression::context("identity"), &rule.identities),
        Effect::Deny => {
            let folded: Vec<Wildcard> = rule.identities.iter().map(Wildcard::folded).collect();
            Expression::matches(|| Expression::context("folded_identity"), &folded)
        }
    }
}

/// A condition as a rule of this effect needs it: unknown never lets a rule allow, and never keeps one from denying.
fn when(condition: &Condition, effect: Effect, fact: &str) -> Expression {
    let turned = |expression: Expression| if condition.inverted { expression.not() } else { expression };
    if matches!(condition.test, Test::Computed(_)) {
        let (holds, fails) =
            (Expression::context("holds").holds(fact), Expression::context("fails").holds(fact));
        return match (effect, condition.inverted) {
            (Effect::Allow, false) => holds,
            (Effect::Allow, true) => fails,
            (Effect::Deny, false) => fails.not(),
            (Effect::Deny, true) => holds.not(),
        };
    }
    let (known, holds) = native(&condition.test);
    match effect {
        Effect::Allow => known.and(turned(holds)),
        Effect::Deny => known.clone().not().or(known.and(turned(holds))),
    }
}

/// Whether what is tested is known, and whether the test holds.
fn native(test: &Test) -> (Expression, Expression) {
    match test {
        Test::Texts(Subject::Action, wildcards) => {
            let names_all = wildcards.iter().any(|one| *one == Wildcard::Exact("admin".to_owned()));
            let known = Expression::context_has("one_action");
            let known = if names_all { Expression::constant(true) } else { known };
            (known, Expression::matches(|| Expression::context("action"), wildcards))
        }
        Test::Texts(subject, wildcards) => (known(subject), Expression::matches(|| text(subject), wildcards)),
        Test::Contains(subject, parts) => {
            (known(subject), Expression::any(parts.iter().map(|part| text(subject).has_part(part)).collect()))
        }
        Test::Networks(networks) => {
            let inside =
                |network: &ipnet::IpNet| Expression::context("address").in_network(&network.to_string());
            (Expression::context_has("address"), Expression::any(networks.iter().map(inside).collect()))
        }
        Test::Instants(spans) => {
            let now = || Expression::context("now");
            let inside = spans
                .iter()
                .map(|(from, to)| now().at_or_after(&from.to_string()).and(now().before(&to.to_string())));
            (Expression::constant(true), Expression::any(inside.collect()))
        }
        Test::Computed(_) => (Expression::constant(false), Expression::constant(false)),
    }
}

fn known(subject: &Subject) -> Expression {
    match subject {
        Subject::Resource => Expression::context_has("name"),
        Subject::ResourcePath => Expression::context_has("path"),
        Subject::Action => Expression::context_has("one_action"),
        Subject::ResourceKind | Subject::Identity => Expression::constant(true),
        Subject::Process(_) | Subject::Environment(_) => Expression::has_tag(&tag(subject)),
    }
}

fn text(subject: &Subject) -> Expression {
    match subject {
        Subject::Resource => Expression::context("name"),
        Subject::ResourcePath => Expression::context("path"),
        Subject::ResourceKind => Expression::context("kind"),
        Subject::Action => Expression::context("one_action"),
        Subject::Identity => Expression::context("identity"),
        Subject::Process(_) | Subject::Environment(_) => Expression::tag(&tag(subject)),
    }
}

/// The name of a fact among the tags.
pub(super) fn tag(subject: &Subject) -> String {
    match subject {
        Subject::Process(fact) => format!("process.{}", fact.as_str()),
        Subject::Environment(key) => format!("environment.{key}"),
        _ => String::new(),
    }
}

/// The id of one condition of one rule.
fn fact(rule: usize, condition: usize) -> String {
    format!("{rule}.{condition}")
}

fn place(rules: &[Rule], id: &str) -> String {
    let rule = id.parse().ok().and_then(|at: usize| rules.get(at));
    rule.map_or_else(|| id.to_owned(), |rule| format!("`{}` ({})", rule.id, rule.place))
}

impl Terms {
    fn new() -> Result<Self, Error> {
        let uid = |kind: &str, id: &str| -> Result<EntityUid, Error> {
            let kind: EntityTypeName = kind.parse().map_err(wrong)?;
            Ok(crate::cedar::uid(&kind, id))
        };
        Ok(Self {
            schema: Schema::from_str(SCHEMA).map_err(wrong)?,
            asking: uid("Files::Asking", "")?,
            asked: uid("Files::Asked", "")?,
            ask: uid("Files::Action", "ask")?,
        })
    }
}

pub(super) fn wrong(source: impl std::fmt::Display) -> Error {
    Error::Compile(source.to_string())
}

const SCHEMA: &str = include_str!("schema.cedarschema");
