//! The limits of the API references: lengths, ranges and forms of parameters.
//!
//! Sources: API reference of STS (`AssumeRole`, `GetSessionToken`, `GetFederationToken`, `AssumeRoleWithWebIdentity`).

use super::answer::Refused;
use super::options::{Options, Rule};
use super::server::Asked;

/// How long something may live, in seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) usual: u64,
    pub(super) most: u64,
}

/// The duration that was asked for.
///
/// # Errors
/// When it is no number, shorter than 15 minutes or longer than the operation allows.
pub(super) fn duration(asked: &Asked<'_>, span: Span, options: &Options) -> Result<u64, Refused> {
    let Some(text) = asked.text("DurationSeconds") else { return Ok(span.usual) };
    let seconds: u64 = text
        .parse()
        .map_err(|_| Refused::new(400, "MalformedInput", "DurationSeconds is not a whole number"))?;
    if options.demands(Rule::Limits) {
        if seconds < LEAST {
            return Err(limit("durationSeconds", text, &format!("value greater than or equal to {LEAST}")));
        }
        if seconds > span.most {
            return Err(limit(
                "durationSeconds",
                text,
                &format!("value less than or equal to {}", span.most),
            ));
        }
    }
    Ok(seconds)
}

/// Names of sessions and sources: 2 to 64 of `[\w+=,.@-]`.
///
/// # Errors
/// When the name is missing where it has to be there, or has another form.
pub(super) fn name(asked: &Asked<'_>, field: &str, needed: Needed, options: &Options) -> Result<(), Refused> {
    let Some(text) = asked.text(field) else {
        return match needed {
            Needed::Yes => missing(field, options),
            Needed::No => Ok(()),
        };
    };
    let fits = (2..=64).contains(&text.chars().count())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c));
    if fits || !options.demands(Rule::Limits) {
        return Ok(());
    }
    Err(limit(field, text, "length between 2 and 64, and satisfy regular expression pattern: [\\w+=,.@-]*"))
}

/// A role's name: at least 20 characters that begin with `arn:`.
///
/// # Errors
/// When it is missing or has another form.
pub(super) fn role(asked: &Asked<'_>, options: &Options) -> Result<(), Refused> {
    let Some(text) = asked.text("RoleArn") else { return missing("RoleArn", options) };
    if !options.demands(Rule::Limits)
        || (text.starts_with("arn:") && text.len() >= 20 && text.contains(":role/"))
    {
        return Ok(());
    }
    Err(Refused::new(400, "ValidationError", format!("{text} is invalid")))
}

/// Whether a field has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needed {
    Yes,
    No,
}

/// The error for a value outside its limits.
pub(super) fn limit(field: &str, value: &str, must: &str) -> Refused {
    let message = format!(
        "1 validation error detected: Value '{value}' at '{field}' failed to satisfy constraint: Member must have {must}"
    );
    Refused::new(400, "ValidationError", message)
}

fn missing(field: &str, options: &Options) -> Result<(), Refused> {
    if !options.demands(Rule::Limits) {
        return Ok(());
    }
    let message = format!(
        "1 validation error detected: Value null at '{field}' failed to satisfy constraint: Member must not be null"
    );
    Err(Refused::new(400, "ValidationError", message))
}

/// The shortest session: 15 minutes.
const LEAST: u64 = 900;
