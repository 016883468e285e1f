//! Credentials of a profile, for the commands that hand them on.

use aws::chain::{Base, Caching, Gives, Purpose, Want};
use aws::mfa::Serving;
use aws::profile::Profile;
use broker::Lease;
use broker::mint::{self, What};

use super::desk::{self, Desk};
use super::speech::{Wrong, log, masked};
use crate::compat::aws_vault::command::Wanted;

/// What the caller allows.
pub(super) fn want(desk: &Desk, session: &Wanted, purpose: Purpose) -> Want {
    Want {
        no_session: session.no_session,
        purpose,
        caching: if desk.global.compatible() { Caching::WithMfa } else { Caching::Every },
        ..Want::default()
    }
}

/// Credentials of a profile for a program. `named` is how the failure begins.
pub(super) fn get(
    desk: &Desk,
    profile: &Profile,
    session: &Wanted,
    serving: Serving,
) -> Result<Box<Lease>, Wrong> {
    let want = want(desk, session, Purpose::Exec);
    let plan = aws::chain::plan(profile, &|name| desk.stored(name), &want)
        .map_err(|error| planless(desk, &error))?;
    for note in &plan.notes {
        log(|| note.to_string());
    }
    traced(&plan);
    let operation = match plan.gives {
        Gives::Lease => "session.get",
        Gives::StoredKeys => "session.disclose",
    };
    let what = || {
        What::Lease(mint::OfProfile { profile: Box::new(profile.clone()), want, refresh: session.refresh })
    };
    let mut inputs = desk::inputs(profile);
    if operation == "session.disclose" {
        inputs.retain(|name, _| name == "profile");
    }
    let got = desk.get((operation, inputs), profile, (session, serving), what).and_then(desk::lease);
    let lease =
        got.map_err(|wrong| wrong.after(&format!("Failed to get credentials for {}: ", profile.name)))?;
    log(|| {
        let by = plan.steps.last().map_or_else(|| base(&plan.base).1, step);
        format!("Generated credentials {} using {by}", masked(&lease.access_key_id))
    });
    Ok(lease)
}

/// Why there is no way to the credentials.
pub(super) fn planless(desk: &Desk, error: &aws::chain::Error) -> Wrong {
    let wrong = if desk.global.compatible() {
        Wrong::new(error.compatible()).after("Error getting temporary credentials: ")
    } else {
        Wrong::new(error.to_string())
    };
    wrong.maybe_hint(error.hint())
}

fn traced(plan: &aws::chain::Plan) {
    let (profile, source) = base(&plan.base);
    log(|| format!("profile {profile}: using {source}"));
    for one in &plan.steps {
        log(|| format!("profile {}: using {}", of(one), step(one)));
    }
}

/// Whose settings say what a chain begins with, and what that is.
fn base(base: &Base) -> (&str, &'static str) {
    match base {
        Base::Keys { profile } => (profile, "stored credentials"),
        Base::Sso { profile, .. } => (profile, "SSO role credentials"),
        Base::WebIdentity { role, .. } => (&role.profile, "AssumeRoleWithWebIdentity"),
        Base::Machine { profile, .. } => (profile, "the credentials of this machine"),
        Base::Process { profile, .. } => (profile, "credential_process"),
    }
}

fn of(step: &aws::chain::Step) -> &str {
    match step {
        aws::chain::Step::SessionToken { profile, .. } => profile,
        aws::chain::Step::AssumeRole { role, .. } => &role.profile,
    }
}

const fn step(step: &aws::chain::Step) -> &'static str {
    match step {
        aws::chain::Step::SessionToken { .. } => "GetSessionToken",
        aws::chain::Step::AssumeRole { .. } => "AssumeRole",
    }
}

/// Credentials as text, lent for the moment.
#[expect(
    clippy::disallowed_methods,
    reason = "a lease goes to the child, to stdout or into a form that was asked for"
)]
pub(super) fn shown<R>(lease: &Lease, use_it: impl FnOnce(&str, Option<&str>) -> R) -> Result<R, Wrong> {
    let unwritten = || Wrong::new("the credentials are not text");
    lease.secret_access_key.expose(|secret| {
        let secret = str::from_utf8(secret).map_err(|_| unwritten())?;
        match &lease.session_token {
            None => Ok(use_it(secret, None)),
            Some(token) => token.expose(|token| {
                let token = str::from_utf8(token).map_err(|_| unwritten())?;
                Ok(use_it(secret, Some(token)))
            }),
        }
    })
}
