//! What Cedar has no words for, found in plain Rust.

use std::borrow::Cow;
use std::net::IpAddr;

use super::{Computed, Subject};
use crate::files::{Action, Question};

/// A test that could be made, and what it said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::files) enum Known {
    /// It holds.
    Holds,
    /// It fails.
    Fails,
}

impl Computed {
    /// What the test says; `None` where what it reads is absent or has no such form.
    pub(in crate::files) fn test(&self, question: &Question<'_>, action: Action) -> Option<Known> {
        let holds = match self {
            Self::Regex(subject, regex) => regex.is_match(&subject.text(question, action)?),
            Self::Number(subject, compared, than) => {
                let number: i64 = subject.text(question, action)?.parse().ok()?;
                compared.holds(number.cmp(than))
            }
            Self::Bytes(subject, compared, than) => {
                compared.holds((*subject.text(question, action)?).cmp(than.as_str()))
            }
            Self::AddressRegex(regex) => regex.is_match(&question.facts.address?.to_canonical().to_string()),
            Self::Address(compared, than) => match (question.facts.address?.to_canonical(), than) {
                (IpAddr::V4(address), IpAddr::V4(than)) => compared.holds(address.cmp(than)),
                (IpAddr::V6(address), IpAddr::V6(than)) => compared.holds(address.cmp(than)),
                _ => return None,
            },
            Self::Clock(clock) => clock.holds(question.now)?,
        };
        Some(if holds { Known::Holds } else { Known::Fails })
    }
}

impl Subject {
    /// The text; `None` where it is absent, or stands for several.
    pub(in crate::files) fn text<'a>(&self, question: &Question<'a>, action: Action) -> Option<Cow<'a, str>> {
        let resource = question.resource;
        let one = || resource.prefix().is_none();
        Some(Cow::Borrowed(match self {
            Self::Resource => one().then(|| resource.as_str())?,
            Self::ResourcePath => one().then(|| resource.path())?,
            Self::ResourceKind => resource.kind().as_str(),
            Self::Action => (action != Action::Admin).then(|| action.as_str())?,
            Self::Identity => question.identity,
            Self::Process(fact) => question.facts.process.get(fact)?,
            Self::Environment(key) => question.facts.environment.get(key)?,
        }))
    }
}
