//! What aws-vault prints and scripts read byte for byte: the forms of `export`, and the table of `list`.
//!
//! # Invariants
//!
//! - What holds a secret is a wiped buffer that was reserved whole, so that no growing leaves a part behind.
//! - A value that would be read as something else is quoted or refused; AWS's own values never need it.

use model::Timestamp;
use zeroize::Zeroizing;

use super::command::ExportFormat;
use crate::clean;

/// Credentials as `export` prints them, lent for the moment.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// The name of the profile, for the section of the form `ini`.
    pub profile: &'a str,
    /// The id of the key.
    pub access_key_id: &'a str,
    /// The secret key.
    pub secret_access_key: &'a str,
    /// The session token; a long-lived key has none.
    pub session_token: Option<&'a str>,
    /// When they end; a long-lived key has no end.
    pub expiration: Option<Timestamp>,
    /// The region, where one is known.
    pub region: Option<&'a str>,
}

/// Why credentials can't be printed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {0} holds a line end or another control character, which this form can't say")]
pub struct Unprintable(&'static str);

/// A line of the table: a profile, a stored key, its sessions. What is not there is shown as `-`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// The profile.
    pub profile: Option<String>,
    /// The name of the stored key.
    pub credentials: Option<String>,
    /// Labels of sessions.
    pub sessions: Vec<String>,
}

/// Credentials in one of the forms, with a line end.
///
/// # Errors
/// When a value has control characters; only the form `json` can say them.
pub fn export(shown: &Shown<'_>, format: ExportFormat) -> Result<Zeroizing<String>, Unprintable> {
    let mut text = Zeroizing::new(String::with_capacity(reserve(shown)));
    match format {
        ExportFormat::Env => variables(shown, "", &mut text)?,
        ExportFormat::ExportEnv => variables(shown, "export ", &mut text)?,
        ExportFormat::Json => json(shown, &mut text),
        ExportFormat::Ini => ini(shown, &mut text)?,
    }
    Ok(text)
}

/// The table of `list`: columns as wide as their longest cell and two more, at least 25, the last one as well.
pub fn table(rows: &[Row]) -> String {
    let mut lines = vec![
        ["Profile", "Credentials", "Sessions"].map(str::to_owned),
        ["=======", "===========", "========"].map(str::to_owned),
    ];
    lines.extend(rows.iter().map(|Row { profile, credentials, sessions }| {
        [or_dash(profile.as_deref()), or_dash(credentials.as_deref()), or_dash(Some(&sessions.join(", ")))]
    }));
    let mut widths = [NARROWEST; 3];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count() + 2);
        }
    }
    let mut text = String::new();
    for line in &lines {
        for (cell, width) in line.iter().zip(widths) {
            text.push_str(&format!("{cell:width$}"));
        }
        text.push('\n');
    }
    text
}

/// A moment as AWS's tools write it: UTC, whole seconds (RFC 3339).
pub fn moment(time: Timestamp) -> String {
    let text = time.to_string();
    text.get(..19).map_or_else(|| text.clone(), |seconds| format!("{seconds}Z"))
}

fn variables(shown: &Shown<'_>, before: &str, text: &mut String) -> Result<(), Unprintable> {
    let expiration = shown.expiration.map(moment);
    let lines = [
        ("AWS_ACCESS_KEY_ID", Some(shown.access_key_id)),
        ("AWS_SECRET_ACCESS_KEY", Some(shown.secret_access_key)),
        ("AWS_SESSION_TOKEN", shown.session_token),
        ("AWS_CREDENTIAL_EXPIRATION", expiration.as_deref()),
        ("AWS_REGION", shown.region),
        ("AWS_DEFAULT_REGION", shown.region),
    ];
    for (name, value) in lines {
        let Some(value) = value else { continue };
        text.push_str(before);
        text.push_str(name);
        text.push('=');
        quoted(plain(name, value)?, text);
        text.push('\n');
    }
    Ok(())
}

fn json(shown: &Shown<'_>, text: &mut String) {
    let expiration = shown.expiration.map(moment);
    let lines = [
        ("AccessKeyId", Some(shown.access_key_id)),
        ("SecretAccessKey", Some(shown.secret_access_key)),
        ("SessionToken", shown.session_token),
        ("Expiration", expiration.as_deref()),
    ];
    text.push_str("{\n  \"Version\": 1");
    for (name, value) in lines {
        let Some(value) = value else { continue };
        text.push_str(",\n  \"");
        text.push_str(name);
        text.push_str("\": \"");
        escaped(value, text);
        text.push('"');
    }
    text.push_str("\n}\n");
}

fn ini(shown: &Shown<'_>, text: &mut String) -> Result<(), Unprintable> {
    let expiration = shown.expiration.map(moment);
    let lines = [
        ("aws_access_key_id", Some(shown.access_key_id)),
        ("aws_secret_access_key", Some(shown.secret_access_key)),
        ("aws_session_token", shown.session_token),
        ("aws_credential_expiration", expiration.as_deref()),
        ("region", shown.region),
    ];
    text.push('[');
    text.push_str(plain("profile", shown.profile)?);
    text.push_str("]\n");
    for (name, value) in lines {
        let Some(value) = value else { continue };
        text.push_str(name);
        text.push('=');
        text.push_str(plain(name, value)?);
        text.push('\n');
    }
    Ok(())
}

/// A value that stands on one line.
fn plain<'a>(name: &'static str, value: &'a str) -> Result<&'a str, Unprintable> {
    if value.chars().any(char::is_control) { Err(Unprintable(name)) } else { Ok(value) }
}

/// A value for a shell: as it stands where a shell reads it so, in single quotes else.
fn quoted(value: &str, text: &mut String) {
    let safe = |c: char| c.is_ascii_alphanumeric() || "_-+=/.:,@%".contains(c);
    // A shell knows `~` at the beginning of a value only, or behind `:`.
    let home = value.starts_with('~') || value.contains(":~");
    if !home && value.chars().all(|c| safe(c) || c == '~') {
        text.push_str(value);
        return;
    }
    text.push('\'');
    for c in value.chars() {
        if c == '\'' { text.push_str("'\\''") } else { text.push(c) }
    }
    text.push('\'');
}

/// A value for JSON (RFC 8259, section 7). Not through a library, whose buffers would not be wiped.
fn escaped(value: &str, text: &mut String) {
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            c if c.is_control() => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => text.push(c),
        }
    }
}

/// More than any form needs: a character grows to six bytes at most, and names and punctuation stand around it.
fn reserve(shown: &Shown<'_>) -> usize {
    let Shown { profile, access_key_id, secret_access_key, session_token, expiration: _, region } = shown;
    let optional = |value: &Option<&str>| value.map_or(0, str::len);
    let held = profile.len() + access_key_id.len() + secret_access_key.len();
    (held + optional(session_token) + 2 * optional(region)) * 6 + 1024
}

/// Names come from files of others, and must not steer a terminal.
fn or_dash(cell: Option<&str>) -> String {
    let cell = clean(cell.unwrap_or_default()).replace(['\n', '\t'], "\u{fffd}");
    if cell.is_empty() { "-".to_owned() } else { cell }
}

const NARROWEST: usize = 25;

#[cfg(test)]
mod tests;
