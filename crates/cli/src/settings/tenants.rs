//! `[tenants]`: how often the credentials of tenants are looked after.

use std::time::Duration;

use broker::Often;
use model::parse_duration;
use serde::Deserialize;

use crate::failure::{Failure, Outcome};

/// What the file says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Written {
    validate: Option<String>,
    pending: Option<String>,
    grace: Option<String>,
}

impl Written {
    /// What a broker is told.
    pub(crate) fn read(self) -> Outcome<Often> {
        let Self { validate, pending, grace } = self;
        let usual = Often::default();
        let time = |key: &str, text: &str| {
            parse_duration(text).map_err(|error| Failure::usage(format!("`tenants.{key}`: {error}")))
        };
        let maybe = |key: &str, text: Option<String>, usual: Option<Duration>| match text.as_deref() {
            None => Ok(usual),
            Some("never") => Ok(None),
            Some(text) => time(key, text).map(Some),
        };
        let grace = grace.map(|text| time("grace", &text)).transpose()?;
        Ok(Often {
            validate: maybe("validate", validate, usual.validate)?,
            pending: maybe("pending", pending, usual.pending)?,
            grace: grace.unwrap_or(usual.grace),
        })
    }
}
