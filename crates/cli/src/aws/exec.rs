//! `exec`: runs a program with credentials in its environment, or beside a server that gives them.

use std::ffi::OsString;
use std::process::ExitCode;

use aws::mfa::Serving;

use super::child::{self, Child};
use super::desk::Desk;
use super::speech::{Wrong, say};
use super::{export, lent, serve};
use crate::compat::aws_vault::command::{Exec, Export, ExportFormat, Global};
use crate::compat::{environment, picker};

/// Runs it.
pub(super) fn run(global: Global, mut exec: Exec) -> Result<ExitCode, Wrong> {
    nested()?;
    if let Some(text) = exec.contradiction() {
        return Err(Wrong::new(text));
    }
    let desk = Desk::open(global)?;
    words_of_a_command(&desk, &mut exec);
    let name = chosen(&desk, exec.profile.clone())?;
    if exec.json {
        let Exec { session, .. } = exec;
        return export::with(&desk, Export { profile: Some(name), session, format: ExportFormat::Json });
    }
    let profile = desk.known_profile(&name, &exec.session)?;
    let child = Child::new(&profile, exec.command.clone())?;
    if exec.serves() {
        return serve::run(desk, profile, exec, child);
    }
    let lease = lent::get(&desk, &profile, &exec.session, Serving::No)?;
    let child = if exec.profile_env {
        super::console::sync_token(&desk, &profile)?;
        child.with("AWS_PROFILE", &profile.name)
    } else {
        let end = lease.expiration.map(aws::session::rfc3339);
        lent::shown(&lease, |secret, token| {
            let child =
                child.with("AWS_ACCESS_KEY_ID", &lease.access_key_id).with("AWS_SECRET_ACCESS_KEY", secret);
            let child = child.maybe("AWS_SESSION_TOKEN", token);
            child.maybe("AWS_CREDENTIAL_EXPIRATION", end.as_deref())
        })?
    };
    drop(lease);
    if exec.command.is_empty() {
        announce(&child);
    }
    child.become_it()
}

/// `exec -- terraform plan` with `AWS_PROFILE`: a first word that names no profile is the command.
fn words_of_a_command(desk: &Desk, exec: &mut Exec) {
    let is_profile = |name: &str| aws::profile::known(&desk.file, &|name| desk.stored(name), name).is_ok();
    let (Some(word), Some(variable)) = (&exec.profile, environment("AWS_PROFILE")) else { return };
    if *word != variable && !is_profile(word) && is_profile(&variable) {
        exec.command.insert(0, word.into());
        exec.profile = Some(variable);
    }
}

/// A shell within a shell would show credentials of the outer one.
pub(super) fn nested() -> Result<(), Wrong> {
    match environment("AWS_VAULT") {
        Some(_) => Err(Wrong::new(
            "running in an existing aws-vault subshell; 'exit' from the subshell or unset AWS_VAULT to force",
        )),
        None => Ok(()),
    }
}

/// The profile that was named, or picked now.
pub(super) fn chosen(desk: &Desk, named: Option<String>) -> Result<String, Wrong> {
    match named {
        Some(name) => Ok(name),
        None => {
            let mut names: Vec<String> =
                aws::profile::names(&desk.file).into_iter().map(ToOwned::to_owned).collect();
            names.sort();
            picker::pick(&names).map_err(|error| Wrong(crate::failure::Failure::of(&error)))
        }
    }
}

fn announce(child: &Child) {
    use std::io::IsTerminal;
    let quiet = environment("AWS_VAULT_DISABLE_HELP_MESSAGE").as_deref() == Some("1");
    if !quiet && std::io::stdout().is_terminal() && std::io::stdin().is_terminal() {
        say(&format!("Starting subshell {}, use `exit` to exit the subshell", child.program().display()));
    }
}

/// The shell of the person.
pub(super) fn shell() -> OsString {
    let fallback = if cfg!(windows) { "cmd.exe" } else { "/bin/sh" };
    environment("SHELL").map_or_else(|| fallback.into(), Into::into)
}

pub(super) use child::exit_code;
