//! `add`, `remove`, `clear`, `migrate-backend`: what is stored.

use std::process::ExitCode;

use aws::file::{File, Section};
use broker::Lease;
use broker::mint::{Shelf, What};
use memory::Secret;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::desk::{self, Desk};
use super::speech::{self, Wrong};
use crate::compat::aws_vault::command::{Add, Clear, Global, Migrate, Remove, Wanted};
use crate::compat::environment;
use crate::failure::Failure;
use crate::typed::{asking, seen, unseen};

/// Stores a key, and adds a section to the profile file where there is none.
pub(super) fn add(desk: &Desk, add: &Add) -> Result<ExitCode, Wrong> {
    let name = &add.profile;
    if add.mfa_seed {
        return super::seed::add(desk, name);
    }
    desk.file.nameable(name).map_err(unwritten)?;
    let own = desk.file.section(name);
    let source = own.as_ref().and_then(|section: &Section<'_>| section.get("source_profile"));
    if let Some(source) = source.filter(|source| source != name) {
        return Err(Wrong::new(format!(
            "Your profile has a source_profile of {source}, adding credentials to {name} won't have any effect"
        )));
    }
    let (key, serial) = if add.env { (from_environment()?, None) } else { typed()? };
    let settings: Vec<(&str, &str)> = serial.iter().map(|serial| ("mfa_serial", serial.as_str())).collect();
    // Written out first: a name that the file can't hold must not leave a key behind.
    let section = |file: &File| match file.section(name) {
        None => file.with_profile(name, &settings).map(Some),
        Some(_) => Ok(None),
    };
    if add.add_config {
        section(&desk.file).map_err(unwritten)?;
    }
    let what = What::Add { profile: name.clone(), key };
    let answer = desk.ask("key.add", desk::input(name), what, desk.tools(None)?)?;
    let mut said = format!("Added credentials to profile \"{name}\" in vault\n");
    let sessions = count(&answer.value);
    if sessions > 0 {
        said.push_str(&format!("Deleted {sessions} existing sessions.\n"));
    }
    if add.add_config {
        // Read again: others may have added theirs meanwhile.
        File::edit(desk.file.path(), section).map_err(unwritten)?;
    }
    speech::told(&said, || json!({ "profile": name, "sessions_deleted": sessions }))
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` gives it away")]
fn unwritten(error: aws::file::Error) -> Wrong {
    Wrong(Failure::of(&error).maybe_hint(error.hint()))
}

fn from_environment() -> Result<Lease, Wrong> {
    let needed = |name: &str| {
        let value = environment(name).ok_or_else(|| Wrong::new(format!("Missing value for {name}")))?;
        one_word(name, value)
    };
    let access_key_id = needed("AWS_ACCESS_KEY_ID")?;
    let secret = needed("AWS_SECRET_ACCESS_KEY")?;
    let token =
        environment("AWS_SESSION_TOKEN").map(|token| one_word("AWS_SESSION_TOKEN", token)).transpose()?;
    let end = environment("AWS_CREDENTIAL_EXPIRATION").map(|text| {
        text.parse()
            .map_err(|_| Wrong::new("`AWS_CREDENTIAL_EXPIRATION` is no time, such as 2026-01-31T12:00:00Z"))
    });
    Ok(Lease {
        access_key_id,
        secret_access_key: guarded(secret)?,
        session_token: token.map(guarded).transpose()?,
        expiration: end.transpose()?,
    })
}

/// A part of a key without the white space that came along when it was copied. One with more of it inside would be refused by
/// AWS with a word about signatures.
pub(super) fn one_word(name: &str, value: String) -> Result<String, Wrong> {
    let value = Zeroizing::new(value);
    let word = value.trim();
    if word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Wrong::new(format!(
            "{name} is no part of a key: it has white space or other signs in it"
        ))
        .hint("copy it again; nothing was stored"));
    }
    Ok(word.to_owned())
}

/// Asks on the terminal: the id, the secret without showing it, the device.
fn typed() -> Result<(Lease, Option<String>), Wrong> {
    let failed = |error: std::io::Error| Wrong(Failure::doing("could not ask on the terminal", &error));
    let asked =
        |prompt: &str| asking(|| seen(prompt)).map(|mut line| std::mem::take(&mut *line)).map_err(failed);
    if !crate::print::somebody_types() {
        return Err(
            Wrong::new("there is no terminal to ask on").hint("`--env` takes the key from the environment")
        );
    }
    let access_key_id = asked("Enter Access Key ID")?;
    let mut secret = asking(|| unseen("Enter Secret Access Key")).map_err(failed)?;
    let serial = asked("Enter MFA Device ARN (If MFA is not enabled, leave this blank)")?;
    if access_key_id.trim().is_empty() || secret.trim().is_empty() {
        return Err(Wrong::new("a key has an id and a secret; nothing was stored"));
    }
    let lease = Lease {
        access_key_id: one_word("the access key id", access_key_id)?,
        secret_access_key: guarded(one_word("the secret access key", std::mem::take(&mut *secret))?)?,
        session_token: None,
        expiration: None,
    };
    Ok((lease, Some(serial.trim().to_owned()).filter(|serial| !serial.is_empty())))
}

/// A text that is secret from here on.
pub(super) fn guarded(text: String) -> Result<Secret, Wrong> {
    let mut text = Zeroizing::new(text);
    let bytes = std::mem::take(&mut *text).into_bytes();
    Secret::new(bytes).map_err(|error| Wrong(Failure::of(&error)))
}

/// Forgets the key of a profile, or its sessions alone.
pub(super) fn remove(desk: &Desk, remove: &Remove) -> Result<ExitCode, Wrong> {
    let name = &remove.profile;
    if remove.mfa_seed {
        return super::seed::remove(desk, name, remove.force);
    }
    if remove.sessions_only {
        speech::say("Specifying --sessions-only is deprecated; use `clear`.");
        let what = What::Clear { of: Some((name.clone(), None)) };
        let answer = desk.ask("session.clear", desk::input(name), what, desk.tools(None)?)?;
        let deleted = count(&answer.value);
        let said = format!("Deleted {deleted} sessions.\n");
        return speech::told(&said, || json!({ "profile": name, "sessions_deleted": deleted }));
    }
    if !remove.force && !confirmed(&format!("Delete credentials for profile \"{name}\"? (y|N) "))? {
        return speech::told("", || json!({ "profile": name, "removed": false }));
    }
    let what = What::Remove { profile: name.clone() };
    desk.ask("key.remove", desk::input(name), what, desk.tools(None)?)?;
    speech::told("Deleted credentials.\n", || json!({ "profile": name, "removed": true }))
}

/// Asks on the terminal, whatever stdin is.
pub(super) fn confirmed(question: &str) -> Result<bool, Wrong> {
    use std::io::{BufRead, BufReader, Write};
    let terminal = std::fs::OpenOptions::new().read(true).write(true).open("/dev/tty");
    let mut terminal = terminal.map_err(|error| {
        Wrong(Failure::doing("open /dev/tty", &error)).hint("`--force` deletes without asking")
    })?;
    let failed = |error: std::io::Error| Wrong(Failure::doing("could not ask on the terminal", &error));
    terminal.write_all(question.as_bytes()).map_err(failed)?;
    let mut answer = String::new();
    BufReader::new(terminal).read_line(&mut answer).map_err(failed)?;
    Ok(answer.trim() == "y" || answer.trim() == "Y")
}

/// Forgets sessions.
pub(super) fn clear(desk: &Desk, clear: &Clear) -> Result<ExitCode, Wrong> {
    let session = Wanted::default();
    let of = match &clear.profile {
        Some(name) => {
            let profile = desk.quiet_profile(name, &session)?;
            Some((name.clone(), profile.sso.map(|sso| sso.start_url)))
        }
        None => None,
    };
    let inputs = clear.profile.as_deref().map(desk::input).unwrap_or_default();
    let answer = desk.ask("session.clear", inputs, What::Clear { of }, desk.tools(None)?)?;
    let cleared = count(&answer.value);
    speech::told(&format!("Cleared {cleared} sessions.\n"), || json!({ "sessions_cleared": cleared }))
}

fn count(value: &Value) -> u64 {
    value.get("sessions").and_then(Value::as_u64).unwrap_or(0)
}

/// A profile whose key was to be copied, and what became of it.
pub(super) type Moved = (String, String);

/// Copies keys to another keyring, and says what became of each.
pub(super) fn migrate(global: Global, migrate: &Migrate) -> Result<ExitCode, Wrong> {
    let moved = moved(global, migrate)?;
    summary(migrate.dry_run, &moved)
}

/// Says how many keys were copied, or would be.
pub(super) fn summary(dry_run: bool, moved: &[Moved]) -> Result<ExitCode, Wrong> {
    let skipped = moved.iter().filter(|(_, state)| state == SKIPPED).count();
    let (all, copied) = (moved.len(), moved.len() - skipped);
    let said = match dry_run {
        true => format!("{all} credentials would be migrated\n"),
        false => format!("Migration summary:\n  Migrated: {copied}\n  Skipped: {skipped}\n"),
    };
    speech::told(&said, || {
        let each = moved.iter().map(|(profile, state)| json!({ "profile": profile, "state": state }));
        json!({ "dry_run": dry_run, "profiles": each.collect::<Vec<Value>>() })
    })
}

/// Copies keys to another keyring, one after the other; stops at the first that fails.
pub(super) fn moved(global: Global, migrate: &Migrate) -> Result<Vec<Moved>, Wrong> {
    if migrate.from == migrate.to {
        return Err(Wrong::new("source and destination backends must differ"));
    }
    let global = Global { backend: Some(migrate.from.clone()), session_backend: None, ..global };
    let desk = Desk::open(global)?;
    let mut names: Vec<String> = desk
        .entries
        .iter()
        .filter(|name| matches!(aws::session::Entry::of(name), aws::session::Entry::Keys { .. }))
        .filter(|name| migrate.profile.as_ref().is_none_or(|only| only == *name))
        .cloned()
        .collect();
    names.sort();
    if let (Some(only), true) = (&migrate.profile, names.is_empty()) {
        return Err(Wrong::new(format!(
            "no credentials are stored for profile '{only}' in {}",
            migrate.from
        )));
    }
    if migrate.dry_run {
        for name in &names {
            speech::progress(&format!("Would migrate {name}"));
        }
        return Ok(names.into_iter().map(|name| (name, "would be copied".to_owned())).collect());
    }
    let other = desk::other(&migrate.to, &desk.global)?;
    let one = |name: String| one(&desk, &other, migrate, &name).map(|state| (name, state));
    names.into_iter().map(one).collect()
}

fn one(desk: &Desk, other: &Shelf, migrate: &Migrate, name: &str) -> Result<String, Wrong> {
    let mut tools = desk.tools(None)?;
    tools.other = Some(other.clone());
    let mut inputs = desk::input(name);
    inputs.insert("from".to_owned(), migrate.from.clone());
    inputs.insert("to".to_owned(), migrate.to.clone());
    let what = What::Migrate {
        profile: name.to_owned(),
        overwrite: migrate.overwrite,
        delete_source: migrate.delete_source,
    };
    let answer = desk.ask("key.migrate", inputs, what, tools)?;
    let state = answer.value.get("state").and_then(Value::as_str).unwrap_or("copied").to_owned();
    let mut said = match state.as_str() {
        SKIPPED => format!("Migrating {name}... skipped, already exists in destination"),
        state => format!("Migrating {name}... {state}, verified"),
    };
    if migrate.delete_source && state != SKIPPED {
        said.push_str(", deleted source");
    }
    speech::progress(&said);
    Ok(state)
}

/// What is said of a key that is there already.
const SKIPPED: &str = "skipped";
