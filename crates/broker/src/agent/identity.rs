//! What the agent calls a caller, from what the kernel says about it.

use model::{Code, Holder, Refusal};

use super::{Config, Mode};

/// A name for callers of whom all these facts hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IdentityRule {
    /// The name.
    pub name: String,
    /// The user.
    pub uid: Option<u32>,
    /// The control group, or one above it.
    pub cgroup: Option<String>,
}

/// A rule that fits everybody, and would give its name away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unnamed;

impl IdentityRule {
    /// Refuses a rule without a fact.
    ///
    /// # Errors
    /// [`Unnamed`].
    pub fn checked(self) -> Result<Self, Unnamed> {
        if self.uid.is_none() && self.cgroup.is_none() { Err(Unnamed) } else { Ok(self) }
    }

    fn fits(&self, holder: &Holder) -> bool {
        let Self { name: _, uid, cgroup } = self;
        let below = |wanted: &String| {
            holder.cgroup.as_ref().is_some_and(|path| {
                path.strip_prefix(wanted.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || wanted == "/")
            })
        };
        (uid.is_some() || cgroup.is_some())
            && uid.is_none_or(|uid| holder.uid == Some(uid))
            && cgroup.as_ref().is_none_or(below)
    }
}

/// A name, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Called {
    pub(crate) name: String,
    pub(crate) source: Source,
}

/// Where a name comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The user that the kernel named.
    Kernel,
    /// The configuration, for what the kernel said.
    Mapped,
    /// The caller, in development mode; nothing proves it.
    Asked,
}

impl Source {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Mapped => "mapped",
            Self::Asked => "asked",
        }
    }
}

impl Called {
    /// The name of a caller. One that is asked for is a wish, which the configuration may allow.
    pub(crate) fn of(config: &Config, holder: &Holder, asked: Option<&str>) -> Result<Self, Refusal> {
        let uid = holder.uid.ok_or_else(|| {
            Refusal::new(
                Code::Unauthenticated,
                "the kernel did not say who is at the other end of the socket",
            )
        })?;
        let mapped = |wanted: Option<&str>| {
            let mut rules = config.identities.iter().filter(|rule| rule.fits(holder));
            rules.find(|rule| wanted.is_none_or(|wanted| rule.name == wanted)).map(|rule| rule.name.clone())
        };
        let kernel = format!("uid:{uid}");
        let Some(asked) = asked.filter(|asked| !asked.is_empty()) else {
            return Ok(match mapped(None) {
                Some(name) => Self { name, source: Source::Mapped },
                None => Self { name: kernel, source: Source::Kernel },
            });
        };
        if asked.len() > LONGEST || asked.chars().any(char::is_control) {
            return Err(Refusal::new(
                Code::BadRequest,
                "the identity is longer than 256 bytes or holds control characters",
            ));
        }
        if let Some(name) = mapped(Some(asked)) {
            return Ok(Self { name, source: Source::Mapped });
        }
        if asked == kernel {
            return Ok(Self { name: kernel, source: Source::Kernel });
        }
        if config.mode == Mode::Development {
            return Ok(Self { name: asked.to_owned(), source: Source::Asked });
        }
        let message = format!("the identity `{asked}` is not one that this process may use");
        Err(Refusal::new(Code::Denied, message)
            .hint("`identities:` in the agent's configuration says who is called what"))
    }
}

const LONGEST: usize = 256;

#[cfg(test)]
mod tests;
