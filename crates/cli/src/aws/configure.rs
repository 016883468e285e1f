//! `configure`: edits one profile of the profile file in place.

use std::process::ExitCode;

use aws::file::File;

use super::desk;
use super::speech::{self, Wrong};
use crate::compat::aws_vault::command::Configure;
use crate::failure::Failure;

/// Writes and takes out settings of a profile, and touches nothing else.
pub(super) fn run(configure: &Configure) -> Result<ExitCode, Wrong> {
    no_keys(configure)?;
    let wrong = |error: aws::file::Error| Wrong(Failure::of(&error).maybe_hint(error.hint()));
    let path = desk::config_path();
    let name = &configure.profile;
    let edited = |before: &File| {
        let mut text = before.text().to_owned();
        if before.section(name).is_none() {
            text = before.with_profile(name, &[])?;
        }
        for (key, value) in &configure.set {
            text = File::parse(&text, &path)?.with_setting(name, key, value)?;
        }
        for key in &configure.unset {
            text = File::parse(&text, &path)?.without_setting(name, key);
        }
        Ok(Some(text))
    };
    File::edit(&path, edited).map_err(wrong)?;
    let said = format!("Wrote profile `{name}` to `{}`.\n", path.display());
    speech::told(&said, || serde_json::json!({ "profile": name, "file": crate::print::path(&path) }))
}

/// A key belongs into a keyring. What was typed is not repeated.
fn no_keys(configure: &Configure) -> Result<(), Wrong> {
    let is_key = |name: &&String| KEYS.iter().any(|key| name.trim().eq_ignore_ascii_case(key));
    let Some(key) = configure.set.iter().map(|(name, _)| name).find(is_key) else { return Ok(()) };
    let (key, profile) = (key.trim().to_ascii_lowercase(), &configure.profile);
    let (message, more) = match key.as_str() {
        ID => {
            (format!("`{ID}` is a part of a key, and the profile file holds none: nothing was written"), "")
        }
        _ => (
            format!("`{key}` is a secret, and the profile file is plain text: nothing was written"),
            "; what stood on a command line was seen by others and is in the history of the shell, so make a new key",
        ),
    };
    Err(Wrong::new(message)
        .hint(format!("`doorward aws add {profile}` asks for the key and keeps it in the keyring{more}")))
}

const ID: &str = "aws_access_key_id";
/// What makes a key; the last one is the old name of a token.
const KEYS: [&str; 4] = [ID, "aws_secret_access_key", "aws_session_token", "aws_security_token"];
