//! `list`: what there is, without opening any of it.

use std::process::ExitCode;

use aws::session::{Entry, sso_label};
use model::Clock;

use super::desk::Desk;
use super::speech::{self, Wrong};
use crate::compat::aws_vault::command::{List, Wanted};
use crate::compat::aws_vault::print::{self, Row};

/// Prints the table, or one column of it.
pub(super) fn run(desk: &Desk, list: &List) -> Result<ExitCode, Wrong> {
    let profiles: Vec<String> = aws::profile::names(&desk.file).into_iter().map(ToOwned::to_owned).collect();
    let stored: Vec<&str> = keys(&desk.entries);
    if let Some(printer) = speech::for_programs() {
        printer.json(&document(&profiles, &stored, &sessions(desk, &profiles)))?;
        return Ok(ExitCode::SUCCESS);
    }
    if list.profiles {
        return Ok(lines(profiles.iter().map(String::as_str)));
    }
    if list.credentials {
        return Ok(lines(stored.into_iter()));
    }
    let sessions = sessions(desk, &profiles);
    if list.sessions {
        // A sign-in serves several profiles, and is one all the same.
        let mut labels: Vec<&str> = Vec::new();
        for (_, label) in &sessions {
            if !label.starts_with("oidc:") || !labels.contains(&label.as_str()) {
                labels.push(label);
            }
        }
        return Ok(lines(labels.into_iter()));
    }
    let mut rows = Vec::new();
    let mut shown = Vec::new();
    let mut row = |profile: Option<&str>, name: &str, credentials: bool| {
        let mine =
            sessions.iter().filter(|(owner, _)| owner == name).map(|(_, label)| label.clone()).collect();
        rows.push(Row {
            profile: profile.map(ToOwned::to_owned),
            credentials: credentials.then(|| name.to_owned()),
            sessions: mine,
        });
        shown.push(name.to_owned());
    };
    for name in &profiles {
        row(Some(name), name, stored.contains(&name.as_str()));
    }
    for name in &stored {
        if !profiles.iter().any(|profile| profile == name) {
            row(None, name, true);
        }
    }
    for (owner, label) in &sessions {
        if !shown.contains(owner) {
            rows.push(Row { profile: None, credentials: None, sessions: vec![label.clone()] });
        }
    }
    Ok(speech::out(print::table(&rows).as_bytes()))
}

/// All of it, for programs.
fn document(profiles: &[String], stored: &[&str], sessions: &[(String, String)]) -> serde_json::Value {
    let sessions: Vec<_> = sessions
        .iter()
        .map(|(profile, session)| serde_json::json!({ "profile": profile, "session": session }))
        .collect();
    serde_json::json!({ "profiles": profiles, "credentials": stored, "sessions": sessions })
}

fn lines<'a>(lines: impl Iterator<Item = &'a str>) -> ExitCode {
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    speech::out(text.as_bytes())
}

fn keys(entries: &[String]) -> Vec<&str> {
    entries.iter().filter(|name| matches!(Entry::of(name), Entry::Keys { .. })).map(String::as_str).collect()
}

/// Whose session each is, and how it is shown.
fn sessions(desk: &Desk, profiles: &[String]) -> Vec<(String, String)> {
    let now = broker::SystemClock::default().now();
    let mut found = Vec::new();
    for entry in &desk.session_entries {
        match Entry::of(entry) {
            Entry::Session(name) if name.expires > now => found.push((name.profile.clone(), name.label(now))),
            Entry::SsoToken { start_url } => {
                let owners = signed_in(desk, profiles, &start_url);
                if owners.is_empty() {
                    found.push((String::new(), sso_label(&start_url, None)));
                }
                found.extend(owners);
            }
            _ => {}
        }
    }
    found
}

/// The profiles that sign in at this address.
fn signed_in(desk: &Desk, profiles: &[String], start_url: &str) -> Vec<(String, String)> {
    let mut owners = Vec::new();
    for name in profiles {
        let Ok(profile) = desk.quiet_profile(name, &Wanted::default()) else { continue };
        if let Some(sso) = profile.sso.filter(|sso| sso.start_url == start_url) {
            owners.push((name.clone(), sso_label(start_url, sso.session.as_deref())));
        }
    }
    owners
}
