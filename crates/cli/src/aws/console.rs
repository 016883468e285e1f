//! `login`: the web console, signed in; and the token of a sign-in for the AWS CLI.

use std::process::ExitCode;
use std::time::Duration;

use aws::chain::Purpose;
use aws::mfa::Serving;
use aws::profile::Profile;
use broker::Lease;
use broker::mint::{self, What};

use super::desk::{self, Desk};
use super::speech::{self, Wrong};
use super::{exec, lent};
use crate::compat::aws_vault::command::{Global, Login};
use crate::compat::{environment, opener};

/// Opens the console, or prints its address.
pub(super) fn run(global: Global, login: Login) -> Result<ExitCode, Wrong> {
    let desk = Desk::open(global)?;
    let Login { profile, session, path, stdout, auto_logout } = login;
    let issuer = "aws-vault".to_owned();
    let console = mint::Console { path, auto_logout, issuer };
    let own = if profile.is_none() { from_environment()? } else { None };
    let outbound = match own {
        Some(lease) => {
            let profile = desk.profile("", &session)?;
            let what = What::ConsoleOf(lease, Box::new(profile.clone()), console);
            let tools = desk.tools(Some(&profile))?;
            let wish = mint::Wish { what, tools, given: std::sync::Arc::default() };
            let outbound = super::counter::call("console.open", desk::input("environment"), wish)?;
            (outbound, profile)
        }
        None => {
            let name = exec::chosen(&desk, profile)?;
            let profile = desk.known_profile(&name, &session)?;
            let want = lent::want(&desk, &session, Purpose::Login);
            aws::chain::plan(&profile, &|name| desk.stored(name), &want)
                .map_err(|error| lent::planless(&desk, &error))?;
            let what = || {
                let wanted =
                    mint::OfProfile { profile: Box::new(profile.clone()), want, refresh: session.refresh };
                What::Console(wanted, console.clone())
            };
            let asked = ("console.open", desk::inputs(&profile));
            let outbound = desk.get(asked, &profile, (&session, Serving::No), what)?;
            (outbound, profile)
        }
    };
    let (outbound, profile) = outbound;
    let lease = desk::lease(outbound)?;
    lent::shown(&lease, |url, _| shown(url, stdout || session.no_browser, &profile))?
}

fn shown(url: &str, printed: bool, profile: &Profile) -> Result<ExitCode, Wrong> {
    let told = || speech::told(&format!("{url}\n"), || serde_json::json!({ "opened": false, "url": url }));
    if printed {
        return told();
    }
    let variable = environment("BROWSER");
    let browsers =
        opener::Browsers { template: profile.login_command.as_deref(), variable: variable.as_deref() };
    match opener::open_within(url, browsers, AT_ONCE) {
        // The address signs in whoever has it, so it is not repeated.
        Ok(()) => speech::told("", || serde_json::json!({ "opened": true })),
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            speech::say(&format!("{error}{}; open it yourself:", cause.unwrap_or_default()));
            told()
        }
    }
}

/// Credentials that somebody put into the environment.
fn from_environment() -> Result<Option<Lease>, Wrong> {
    let (Some(id), Some(secret)) = (environment("AWS_ACCESS_KEY_ID"), environment("AWS_SECRET_ACCESS_KEY"))
    else {
        return Ok(None);
    };
    Ok(Some(Lease {
        access_key_id: id,
        secret_access_key: super::keys::guarded(secret)?,
        session_token: environment("AWS_SESSION_TOKEN").map(super::keys::guarded).transpose()?,
        expiration: None,
    }))
}

/// Writes the token of a sign-in where the AWS CLI looks for it. It is a convenience: a failure is said and no more.
pub(super) fn sync_token(desk: &Desk, profile: &Profile) -> Result<(), Wrong> {
    let Some(sso) = profile.line().find_map(|profile| profile.sso.as_ref()) else { return Ok(()) };
    let what = What::Token { start_url: sso.start_url.clone() };
    let wish = mint::Wish { what, tools: desk.tools(Some(profile))?, given: std::sync::Arc::default() };
    let given = super::counter::call("session.get", desk::inputs(profile), wish);
    let token = match given.map_err(Wrong).and_then(desk::lease) {
        Ok(token) => token,
        Err(wrong) => {
            speech::log(|| wrong.0.message.clone());
            return Ok(());
        }
    };
    let named = sso.session.as_deref().unwrap_or(&sso.start_url);
    let path =
        desk::home().join(".aws/sso/cache").join(format!("{}.json", aws::session::cli_cache_name(named)));
    let written = lent::shown(&token, |text, _| {
        store::files::private_folder(path.parent().unwrap_or(&path))
            .and_then(|()| store::files::replace(&path, text.as_bytes(), 0o600))
    })?;
    if let Err(error) = written {
        speech::log(|| error.to_string());
    }
    Ok(())
}

/// What opens pages fails within this time where it can't, even where it has to look for a browser first.
const AT_ONCE: Duration = Duration::from_secs(3);
