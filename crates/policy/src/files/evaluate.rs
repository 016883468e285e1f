//! One question to the rules. Whatever can't be asked or answered is denied.

use std::collections::BTreeSet;
use std::sync::Arc;

use cedar_policy::{Authorizer, Context, Decision as Said, Entities, Entity, Request, RestrictedExpression};

use super::compile::{Compiled, Terms, Tier, wrong};
use super::condition::Known;
use super::rule::{Covered, Effect};
use super::{Action, Error, Question};
use crate::cedar::Answer;

/// What the rules say about all the actions of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) answer: Answer,
    /// The rules that decided, by their places.
    pub(super) rules: Vec<usize>,
    pub(super) reasoning: String,
    /// Whether it follows from identity, resource and actions alone.
    pub(super) lasts: bool,
}

/// What the rules say about one action.
struct One {
    allows: bool,
    rules: Vec<usize>,
    error: Option<String>,
    lasts: bool,
}

impl Compiled {
    /// Decides. Each action has to be allowed by itself.
    pub(super) fn verdict(&self, question: &Question<'_>) -> Verdict {
        let mut verdict =
            Verdict { answer: Answer::Deny, rules: Vec::new(), reasoning: String::new(), lasts: true };
        if let Some(problem) = unanswerable(question) {
            problem.clone_into(&mut verdict.reasoning);
            return verdict;
        }
        let actions: BTreeSet<Action> = question.actions.iter().copied().collect();
        let mut deciding = BTreeSet::new();
        for action in actions {
            let one = self.one(question, action);
            verdict.lasts &= one.lasts;
            if !one.allows {
                verdict.reasoning = self.denied(question, action, &one);
                verdict.rules = one.rules;
                return verdict;
            }
            deciding.extend(one.rules);
        }
        verdict.answer = Answer::Allow;
        verdict.rules = deciding.into_iter().collect();
        verdict.reasoning = format!("allowed by {}", self.named(&verdict.rules));
        verdict
    }

    /// The highest tier in which a rule matches decides.
    fn one(&self, question: &Question<'_>, action: Action) -> One {
        let mut one = One { allows: false, rules: Vec::new(), error: None, lasts: true };
        for tier in &self.tiers {
            one.lasts &= !tier.reads_context;
            let response = match self.ask(tier, question, action) {
                Ok(response) => response,
                Err(error) => {
                    (one.error, one.lasts) = (Some(error.to_string()), false);
                    return one;
                }
            };
            // Cedar skips a policy that fails, also a `forbid`. So any error denies, whatever else was said.
            if let Some(error) = response.diagnostics().errors().next() {
                (one.error, one.lasts) = (Some(error.to_string()), false);
                return one;
            }
            one.rules =
                response.diagnostics().reason().filter_map(|id| (id.as_ref() as &str).parse().ok()).collect();
            one.rules.sort_unstable();
            if !one.rules.is_empty() {
                one.allows = response.decision() == Said::Allow;
                return one;
            }
        }
        one
    }

    fn ask(
        &self,
        tier: &Tier,
        question: &Question<'_>,
        action: Action,
    ) -> Result<cedar_policy::Response, Error> {
        let (mut holds, mut fails) = (Vec::new(), Vec::new());
        for (fact, computed) in &tier.computed {
            match computed.test(question, action) {
                Some(Known::Holds) => holds.push(text(fact)),
                Some(Known::Fails) => fails.push(text(fact)),
                None => {}
            }
        }
        let context = context(question, action, [holds, fails, self.overlaps(tier, question)])?;
        let Terms { schema, asking, asked, ask } = &*tier.terms;
        let entity = Entity::new_with_tags(asking.clone(), [], [], tags(question)).map_err(wrong)?;
        let entities = Entities::from_entities([entity], None).map_err(wrong)?;
        let request = Request::new(asking.clone(), ask.clone(), asked.clone(), context, Some(schema));
        let request = request.map_err(wrong)?;
        Ok(Authorizer::new().is_authorized(&request, &tier.policies, &entities))
    }

    /// The rules that deny something of what is asked for, where that is more than one resource.
    fn overlaps(&self, tier: &Tier, question: &Question<'_>) -> Vec<RestrictedExpression> {
        let Some(prefix) = question.resource.prefix().map(str::to_lowercase) else { return Vec::new() };
        let within = |covered: &Covered| match covered {
            Covered::All => true,
            Covered::Named(name) => name.as_str().to_lowercase().starts_with(&prefix),
        };
        let touches =
            |at: &&usize| self.rules.get(**at).is_some_and(|rule| rule.resources.iter().any(within));
        tier.denying.iter().filter(touches).map(|at| text(&at.to_string())).collect()
    }

    fn denied(&self, question: &Question<'_>, action: Action, one: &One) -> String {
        let asked = format!("`{action}` on `{}` for `{}`", question.resource, question.identity);
        match &one.error {
            Some(error) => format!("{asked} is denied, because a rule could not be evaluated: {error}"),
            None if self.rules.is_empty() => format!("{asked} is denied: no policies are loaded"),
            None if one.rules.is_empty() => format!("{asked} is denied: no rule allows it"),
            None => {
                let denying =
                    |at: &&usize| self.rules.get(**at).is_some_and(|rule| rule.effect == Effect::Deny);
                let rules: Vec<usize> = one.rules.iter().filter(denying).copied().collect();
                format!("{asked} is denied by {}", self.named(&rules))
            }
        }
    }

    /// The rules with their places, for people.
    fn named(&self, rules: &[usize]) -> String {
        let named = rules.iter().filter_map(|at| self.rules.get(*at));
        let shown: Vec<String> = named
            .map(|rule| format!("`{}/{}` ({}, priority {})", rule.policy, rule.id, rule.place, rule.priority))
            .collect();
        shown.join(", ")
    }
}

/// What no rule may be asked about.
fn unanswerable(question: &Question<'_>) -> Option<&'static str> {
    let identity = question.identity;
    let plain = !identity.is_empty()
        && identity.len() <= LONGEST_IDENTITY
        && identity.bytes().all(|b| b.is_ascii_graphic() && b != b'*');
    if question.actions.is_empty() {
        return Some("no action was asked for");
    }
    (!plain).then_some("the identity is not a name of 1 to 256 visible ASCII characters without `*`")
}

fn context(
    question: &Question<'_>,
    action: Action,
    [holds, fails, overlaps]: [Vec<RestrictedExpression>; 3],
) -> Result<Context, Error> {
    let resource = question.resource;
    let mut pairs = vec![
        ("resource", text(resource.as_str())),
        ("folded_resource", text(&resource.as_str().to_lowercase())),
        ("kind", text(resource.kind().as_str())),
        ("action", text(action.as_str())),
        ("identity", text(question.identity)),
        ("folded_identity", text(&question.identity.to_lowercase())),
        ("now", RestrictedExpression::new_datetime(question.now.to_string())),
        ("holds", RestrictedExpression::new_set(holds)),
        ("fails", RestrictedExpression::new_set(fails)),
        ("overlaps", RestrictedExpression::new_set(overlaps)),
    ];
    if resource.prefix().is_none() {
        pairs.push(("name", text(resource.as_str())));
        pairs.push(("path", text(resource.path())));
    }
    if action != Action::Admin {
        pairs.push(("one_action", text(action.as_str())));
    }
    if let Some(address) = question.facts.address {
        pairs.push(("address", RestrictedExpression::new_ip(address.to_canonical().to_string())));
    }
    Context::from_pairs(pairs.into_iter().map(|(name, value)| (name.to_owned(), value))).map_err(wrong)
}

fn tags(question: &Question<'_>) -> Vec<(String, RestrictedExpression)> {
    let facts = question.facts;
    let process =
        facts.process.iter().map(|(fact, value)| (format!("process.{}", fact.as_str()), text(value)));
    let environment =
        facts.environment.iter().map(|(key, value)| (format!("environment.{key}"), text(value)));
    process.chain(environment).collect()
}

fn text(value: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(value.to_owned())
}

impl Compiled {
    /// The names of the policies and rules that decided, and the conditions of those rules.
    pub(super) fn applied(&self, rules: &[usize]) -> (Vec<Arc<str>>, Vec<Arc<str>>, Vec<String>) {
        let rules = || rules.iter().filter_map(|at| self.rules.get(*at));
        let policies: BTreeSet<Arc<str>> = rules().map(|rule| Arc::clone(&rule.policy)).collect();
        let names: BTreeSet<Arc<str>> = rules().map(|rule| Arc::clone(&rule.id)).collect();
        let conditions = rules().flat_map(|rule| rule.conditions.iter().map(|one| one.shown.clone()));
        (policies.into_iter().collect(), names.into_iter().collect(), conditions.collect())
    }
}

const LONGEST_IDENTITY: usize = 256;
