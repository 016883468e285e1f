//! What a caller is called: a name that the configuration gives for what the kernel proves ([`model::Naming`]), or its user.

use model::{Code, Holder, How, Refusal, Sight, Wishes};

use super::{Config, Mode};

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
    /// The run that the caller belongs to.
    Run,
    /// The caller, in development mode; nothing proves it.
    Asked,
}

impl Source {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Mapped => "mapped",
            Self::Run => "run",
            Self::Asked => "asked",
        }
    }
}

impl Called {
    /// The name of a caller. One that is asked for is a wish, which the configuration may allow.
    pub(crate) fn of(config: &Config, holder: &Holder, asked: Option<&str>) -> Result<Self, Refusal> {
        if holder.uid.is_none() {
            let message = "the kernel did not say who is at the other end of the socket";
            return Err(Refusal::new(Code::Unauthenticated, message));
        }
        let asked = asked.filter(|asked| !asked.is_empty());
        if asked.is_some_and(|asked| asked.len() > LONGEST || asked.chars().any(char::is_control)) {
            return Err(Refusal::new(
                Code::BadRequest,
                "the identity is longer than 256 bytes or holds control characters",
            ));
        }
        // The mode alone says what becomes of a wish, so that the two can't disagree.
        let wishes = match config.mode {
            // Of a caller outside of our namespaces not even the user is certain.
            Mode::Development if holder.sight == Sight::Near => Wishes::Believed,
            Mode::Standard | Mode::Hardened | Mode::Development => Wishes::Proven,
        };
        let named = config.identities.clone().wishing(wishes).prove(holder, asked)?;
        let source = match named.how() {
            How::Mapped | How::Narrowed => Source::Mapped,
            How::Uid => Source::Kernel,
            How::Run => Source::Run,
            How::Unproven => Source::Asked,
        };
        Ok(Self { name: named.name().to_owned(), source })
    }
}

const LONGEST: usize = 256;

#[cfg(test)]
mod tests;
