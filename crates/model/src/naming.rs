//! From what the kernel says of a caller to a name: the list `identities` of the agent's settings.
//!
//! A pure function of facts: [`Naming::prove`]. What a caller calls itself is a wish, which the list may allow.
//!
//! # Invariants
//!
//! - Every entry names at least one strong fact. The program that runs (`exe`, `sha256`) only narrows: with the same uid it can
//!   be pretended.
//! - A fact that an entry asks for and that could not be found out refuses the caller, unless another fact of that entry rules it
//!   out anyway. It never falls through to the next entry.
//! - The first entry that fits names a caller without a wish. What belongs to a run is named after the run and nothing else.
//! - Whoever is not seen from near ([`Sight`]) fits only entries that say `foreign: true`.

mod check;

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;

use crate::{Code, Holder, Refusal, Sight};

pub use check::NamingError;

/// One entry of the list: a name, and the facts that together prove it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamingRule {
    /// The name.
    pub name: String,
    /// The user id is this one.
    pub uid: Option<u32>,
    /// The group id is this one.
    pub gid: Option<u32>,
    /// The control group (v2) is this one or below it.
    pub cgroup: Option<String>,
    /// The systemd unit: `web.service`, or `user@1000.service/app.service`.
    pub unit: Option<String>,
    /// The container: its id or 12 or more first digits of it, or `pod:` and the uid of a Kubernetes pod.
    pub container: Option<String>,
    /// The Kubernetes service account: `namespace/name`.
    pub service_account: Option<String>,
    /// The program that it runs; only narrows.
    pub exe: Option<String>,
    /// SHA-256 of that program, 64 hexadecimal digits; only narrows.
    pub sha256: Option<String>,
    /// Whether the caller may be in another container or user namespace, where little is known of it.
    #[serde(default)]
    pub foreign: bool,
}

/// The whole list.
#[derive(Debug, Clone, Default)]
pub struct Naming {
    rules: Arc<[NamingRule]>,
    wishes: Wishes,
}

/// What becomes of a name that the list does not prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wishes {
    /// It is refused.
    #[default]
    Proven,
    /// It is taken, and marked as not proven: development mode.
    Believed,
}

/// Which facts somebody has to find out for a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// The program that runs.
    pub exe: bool,
    /// SHA-256 of its bytes.
    pub sha256: bool,
}

impl Needs {
    /// What either asks for.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { exe: self.exe || other.exe, sha256: self.sha256 || other.sha256 }
    }
}

/// Proof that a caller may be called so. Only [`Naming::prove`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Named {
    name: Arc<str>,
    how: How,
}

/// How a name was proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// By an entry of the list, through strong facts.
    Mapped,
    /// By an entry of the list, and the program that runs was asked for as well: to be checked again before the answer.
    Narrowed,
    /// It is the kernel's word for the user id.
    Uid,
    /// It is the run that the caller belongs to.
    Run,
    /// Not at all: development mode.
    Unproven,
}

impl How {
    /// The word used in evidence.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mapped => "mapped",
            Self::Narrowed => "narrowed",
            Self::Uid => "uid",
            Self::Run => "run",
            Self::Unproven => "unproven",
        }
    }
}

impl Named {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it was proven.
    #[must_use]
    pub const fn how(&self) -> How {
        self.how
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Naming {
    /// A list, checked.
    ///
    /// # Errors
    /// [`NamingError`] naming the entry and what is wrong with it.
    pub fn new(rules: Vec<NamingRule>, wishes: Wishes) -> Result<Self, NamingError> {
        rules.iter().try_for_each(check::rule)?;
        Ok(Self { rules: rules.into(), wishes })
    }

    /// The same list with another answer to names that it does not prove.
    #[must_use]
    pub fn wishing(self, wishes: Wishes) -> Self {
        Self { wishes, ..self }
    }

    /// Which facts the list asks for beyond those that are always found out.
    #[must_use]
    pub fn needs(&self) -> Needs {
        Needs {
            exe: self.rules.iter().any(NamingRule::asks_program),
            sha256: self.rules.iter().any(|rule| rule.sha256.is_some()),
        }
    }

    /// The name of a caller: the one that it wishes for, or the first that fits.
    ///
    /// # Errors
    /// `denied` when the wish is not proven, `unauthenticated` when a fact that was asked for could not be found out, or too
    /// little is known of the caller to name it.
    pub fn prove(&self, holder: &Holder, wish: Option<&str>) -> Result<Named, Refusal> {
        let own = own_name(holder);
        match (self.proven(holder, wish, own.as_ref()), self.wishes) {
            (Err(_), Wishes::Believed) if holder.run.is_none() => {
                let name = wish.map(Arc::from).or_else(|| own.map(|own| own.name));
                Ok(Named { name: name.unwrap_or_else(|| NOBODY.into()), how: How::Unproven })
            }
            (result, _) => result,
        }
    }

    /// Every name that may be that of a caller: its own, and each whose entry fits, or can't be told not to.
    #[must_use]
    pub fn names(&self, holder: &Holder) -> Vec<Arc<str>> {
        let fitting = self.rules.iter().filter(|rule| rule.fits(holder) != Fit::No);
        let fitting = fitting.map(|rule| Arc::from(rule.name.as_str()));
        own_name(holder).map(|own| own.name).into_iter().chain(fitting).collect()
    }

    fn proven(&self, holder: &Holder, wish: Option<&str>, own: Option<&Named>) -> Result<Named, Refusal> {
        if let Some(own) = own.filter(|own| wish.is_none_or(|wish| wish == own.name()) || own.how == How::Run)
        {
            // A run never gets another name, and nobody needs an entry for its own one.
            if own.how == How::Run || wish.is_some() {
                return if wish.is_none_or(|wish| wish == own.name()) {
                    Ok(own.clone())
                } else {
                    Err(not_so(own))
                };
            }
        }
        for rule in self.rules.iter().filter(|rule| wish.is_none_or(|wish| wish == rule.name)) {
            match rule.fits(holder) {
                Fit::Yes => {
                    let how = if rule.asks_program() { How::Narrowed } else { How::Mapped };
                    return Ok(Named { name: rule.name.as_str().into(), how });
                }
                Fit::No => {}
                Fit::Unknown(fact) => return Err(unknown(&rule.name, fact)),
            }
        }
        match (wish, own) {
            (None, Some(own)) => Ok(own.clone()),
            (Some(_), Some(own)) => Err(not_so(own)),
            (_, None) => Err(unseen(holder)),
        }
    }
}

/// Whether an entry fits. An unknown fact is neither yes nor no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Yes,
    No,
    Unknown(&'static str),
}

impl Fit {
    /// What is asked for beside what was found. `found` is absent where it could not be found out.
    fn of<T, W: ?Sized>(
        asked: Option<&W>,
        found: Option<T>,
        fact: &'static str,
        is: impl Fn(&W, T) -> bool,
    ) -> Self {
        let Some(asked) = asked else { return Self::Yes };
        match found.map(|found| is(asked, found)) {
            None => Self::Unknown(fact),
            Some(true) => Self::Yes,
            Some(false) => Self::No,
        }
    }
}

impl NamingRule {
    fn asks_program(&self) -> bool {
        self.exe.is_some() || self.sha256.is_some()
    }

    fn fits(&self, holder: &Holder) -> Fit {
        if holder.sight != Sight::Near && !self.foreign {
            return Fit::No;
        }
        // A process without a unit has a control group all the same; without that, nothing is known of either.
        let grouped = holder.cgroup.as_deref();
        let exe = holder.exe.as_ref();
        let all = [
            Fit::of(self.uid.as_ref(), holder.uid, "uid", |asked, found| *asked == found),
            Fit::of(self.gid.as_ref(), holder.gid, "gid", |asked, found| *asked == found),
            Fit::of(self.cgroup.as_deref(), grouped, "cgroup", is_at_or_below),
            Fit::of(self.unit.as_deref(), grouped.map(|_| holder.unit.as_deref()), "unit", |asked, found| {
                found == Some(asked)
            }),
            Fit::of(self.container.as_deref(), grouped.map(|_| holder), "container", |asked, found| {
                self.is_container(asked, found)
            }),
            Fit::of(
                self.service_account.as_deref(),
                Some(holder.service_account.as_deref()),
                "service_account",
                |asked, found| found == Some(asked),
            ),
            Fit::of(self.exe.as_deref(), exe.map(|exe| exe.path.as_str()), "exe", |asked, found| {
                asked == found
            }),
            Fit::of(self.sha256.as_deref(), exe.and_then(|exe| exe.sha256), "sha256", |asked, found| {
                check::hash(asked) == Some(found)
            }),
        ];
        if all.contains(&Fit::No) {
            return Fit::No;
        }
        all.into_iter().find(|fit| *fit != Fit::Yes).unwrap_or(Fit::Yes)
    }

    fn is_container(&self, asked: &str, holder: &Holder) -> bool {
        let Some(found) = &holder.container else { return false };
        // The owner of a rootless one could have made up its path, so the entry has to name the user as well.
        if found.rootless.is_some() && self.uid.is_none() {
            return false;
        }
        match asked.strip_prefix("pod:") {
            Some(pod) => found.pod.as_deref() == Some(pod),
            None => found.id.starts_with(asked),
        }
    }
}

/// The name that needs no entry: of the run, or of the user id.
fn own_name(holder: &Holder) -> Option<Named> {
    if let Some(run) = holder.run {
        return Some(Named { name: format!("run:{run}").into(), how: How::Run });
    }
    let uid = holder.uid.filter(|_| holder.sight == Sight::Near)?;
    Some(Named { name: format!("{UID}{uid}").into(), how: How::Uid })
}

fn is_at_or_below(wanted: &str, path: &str) -> bool {
    path.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

// The name that was wished for is not repeated: it is the caller's text, and goes into logs.
fn not_so(own: &Named) -> Refusal {
    Refusal::new(Code::Denied, format!("the caller is proven as `{own}` and as nobody of that name"))
        .hint("leave `identity` out, or give that name to what proves this caller in `identities` of the agent's settings")
}

fn unknown(name: &str, fact: &str) -> Refusal {
    let message =
        format!("whether the caller is `{name}` depends on its `{fact}`, which could not be found out");
    Refusal::new(Code::Unauthenticated, message)
        .hint("see `docs/concepts/who-calls.md` for what each fact needs on this machine")
}

fn unseen(holder: &Holder) -> Refusal {
    Refusal::new(Code::Unauthenticated, format!("the caller is {}", holder.sight.says())).hint(
        "an entry of `identities` with `foreign: true` names callers of which only uid and gid are known",
    )
}

/// How the name of a user id begins; no entry begins so.
const UID: &str = "uid:";
/// The name of somebody of whom nothing is known, in development mode.
const NOBODY: &str = "nobody";

#[cfg(test)]
mod tests;
