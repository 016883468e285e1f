//! `auth.json` of the Codex command line, as it is written, and the flat form of it that other tools write.

use std::time::Duration;

use model::Timestamp;
use serde::Deserialize;

use super::text::{Lasts, Text, When, unmarked};
use super::{Error, Found, claims, is_name};

/// Reads a Codex file. `shown` is how it is called in errors.
///
/// # Errors
/// [`Error::CodexMissing`] without a token, [`Error::CodexKey`] where it has an API key instead, [`Error::Damaged`].
pub fn codex(bytes: &[u8], shown: &str, now: Timestamp) -> Result<Found, Error> {
    let damaged = |error: serde_json::Error| Error::Damaged {
        what: shown.to_owned(),
        why: format!("it is no Codex file (line {}, column {})", error.line(), error.column()),
    };
    let file: File = serde_json::from_slice(unmarked(bytes)).map_err(damaged)?;
    let has_key = file.key.0.is_some();
    let (last_refresh, expires_at, expires_in) = (file.last_refresh.0, file.expires_at.0, file.expires_in.0);
    let (tokens, flat) = match file.tokens {
        Some(tokens) => (tokens, false),
        None => {
            let File { id_token, access_token, refresh_token, account_id, .. } = file;
            (Tokens { id_token, access_token, refresh_token, account_id }, true)
        }
    };
    let Some(access) = tokens.access_token.0 else {
        return Err(if has_key { Error::CodexKey } else { Error::CodexMissing });
    };
    let own = claims::of(&access);
    let id = tokens.id_token.0.as_ref().map(claims::of).unwrap_or_default();
    let lasts = expires_in.filter(|_| flat).map(|seconds| {
        // It counts from when the file was renewed, where the file says when that was.
        last_refresh.unwrap_or(now).after(Duration::from_secs(seconds))
    });
    let said = expires_at.filter(|_| flat);
    let account = tokens.account_id.filter(|account| is_name(account));
    Ok(Found {
        account: account.or(id.account).or(own.account),
        ends: own.ends.or(said).or(lasts),
        access,
        refresh: tokens.refresh_token.0,
        source: "codex-auth",
    })
}

/// The file, in both forms: not flattened by the reader, which would keep tokens in plain memory meanwhile. Keys that it has
/// beside these are Codex's own business.
#[derive(Deserialize)]
struct File {
    #[serde(default, rename = "OPENAI_API_KEY")]
    key: Text,
    tokens: Option<Tokens>,
    #[serde(default)]
    last_refresh: When,
    #[serde(default)]
    expires_at: When,
    #[serde(default)]
    expires_in: Lasts,
    #[serde(default)]
    id_token: Text,
    #[serde(default)]
    access_token: Text,
    #[serde(default)]
    refresh_token: Text,
    account_id: Option<String>,
}

#[derive(Default, Deserialize)]
struct Tokens {
    #[serde(default)]
    id_token: Text,
    #[serde(default)]
    access_token: Text,
    #[serde(default)]
    refresh_token: Text,
    account_id: Option<String>,
}
