//! `export`: prints credentials in a form that something else reads.

use std::process::ExitCode;

use aws::mfa::Serving;

use super::desk::Desk;
use super::speech::{self, Wrong};
use super::{exec, lent};
use crate::compat::aws_vault::command::{Export, Global};
use crate::compat::aws_vault::print::{self, Shown};

/// Prints them.
pub(super) fn run(global: Global, export: Export) -> Result<ExitCode, Wrong> {
    exec::nested()?;
    let desk = Desk::open(global)?;
    with(&desk, export)
}

/// The same with a desk that is open.
pub(super) fn with(desk: &Desk, export: Export) -> Result<ExitCode, Wrong> {
    let Export { profile, session, format } = export;
    let name = exec::chosen(desk, profile)?;
    let profile = desk.known_profile(&name, &session)?;
    let lease = lent::get(desk, &profile, &session, Serving::No)?;
    let text = lent::shown(&lease, |secret, token| {
        let shown = Shown {
            profile: &profile.name,
            access_key_id: &lease.access_key_id,
            secret_access_key: secret,
            session_token: token,
            expiration: lease.expiration,
            region: profile.region.as_deref(),
        };
        print::export(&shown, format)
    })?;
    let text =
        text.map_err(|error| Wrong::new(error.to_string()).hint("`--format json` can say everything"))?;
    Ok(speech::out(text.as_bytes()))
}
