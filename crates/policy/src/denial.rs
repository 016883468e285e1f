//! Why a call was not allowed, and what decided.

use model::{Call, Code, Refusal};

/// A call was not allowed. Carries the call back, so that the refusal can be recorded.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Denial {
    code: Code,
    message: String,
    hint: Option<String>,
    rule: Option<String>,
    reason: Option<Box<str>>,
    call: Option<Box<Call>>,
}

impl Denial {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, rule: None, reason: None, call: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn rule(mut self, rule: impl Into<String>) -> Self {
        self.rule = Some(rule.into());
        self
    }

    pub(crate) fn reason(mut self, reason: impl Into<Box<str>>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    pub(crate) fn of(mut self, call: Call) -> Self {
        self.call = Some(Box::new(call));
        self
    }

    /// Why, as a code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// Why, in words.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The grant, capability or policy that decided; `None` where nothing allowed the call.
    #[must_use]
    pub fn decided_by(&self) -> Option<&str> {
        self.rule.as_deref()
    }

    /// The call that was denied, where there was one.
    #[must_use]
    pub fn call(&self) -> Option<&Call> {
        self.call.as_deref()
    }
}

impl From<Denial> for Refusal {
    fn from(denial: Denial) -> Self {
        let Denial { code, message, hint, rule: _, reason, call: _ } = denial;
        let mut refusal = Self::new(code, message);
        refusal.reason = reason;
        match hint {
            Some(hint) => refusal.hint(hint),
            None => refusal,
        }
    }
}
