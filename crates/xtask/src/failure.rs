//! Why a task could not be done, in words for the person who ran it.

use std::fmt;

/// A task that failed: what was attempted, and how to try it again.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
}

/// What a task answers.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// A failure that says `message`.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }

    /// A failure to do `what`, because of `cause`.
    pub(crate) fn doing(what: &str, cause: &dyn fmt::Display) -> Self {
        Self { message: format!("could not {what}: {cause}") }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

/// `Ok` if there are no problems; otherwise prints them one per line and says how many there are.
pub(crate) fn none_of(problems: &[String]) -> Outcome {
    for problem in problems {
        println!("{problem}");
    }
    match problems.len() {
        0 => Ok(()),
        1 => Err(Failure::new("1 problem")),
        many => Err(Failure::new(format!("{many} problems"))),
    }
}
