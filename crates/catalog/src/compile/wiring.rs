//! Secrets, and where they are put: auth schemes, webhook signatures, fixed headers.

use std::collections::BTreeMap;

use model::SecretRef;

use super::Origin;
use crate::file::{AuthEntry, AuthWord, File};
use crate::{AuthScheme, Basic, Error, Incoming, SecretField, nearest, path, reply};

/// The secrets of the file, each with its place: the one that is written, else `store:NAME/FIELD`.
pub(super) fn secrets(file: &File, origin: &Origin) -> Result<BTreeMap<String, SecretField>, Error> {
    let mut fields = BTreeMap::new();
    for (name, entry) in &file.secrets {
        let line = entry.referenced.line();
        if !path::is_word(name) {
            return Err(origin.wrong(line, "a secret's name is made of lower-case letters, digits and `_`"));
        }
        let description = &entry.value.0;
        let reference: SecretRef = match &description.default {
            Some(reference) => reference.clone(),
            None => format!("store:{}/{name}", file.name)
                .parse()
                .map_err(|_| origin.wrong(line, format!("`{name}` cannot be a name in the store")))?,
        };
        let title = description.title.clone().unwrap_or_else(|| name.clone());
        fields.insert(name.clone(), SecretField { title, reference, prefixes: description.prefix.clone() });
    }
    Ok(fields)
}

/// The auth schemes. `auth: []` is a service without a credential; a file that says nothing is an error.
pub(super) fn auth(
    file: &File,
    origin: &Origin,
    secrets: &BTreeMap<String, SecretField>,
) -> Result<Vec<AuthScheme>, Error> {
    if file.internal {
        return Ok(Vec::new());
    }
    let Some(entries) = &file.auth else { return Err(origin.wrong(0, "the key `auth` is missing")) };
    let mut schemes: Vec<AuthScheme> = Vec::new();
    for entry in entries {
        let line = entry.referenced.line();
        let scheme = scheme(&entry.value).map_err(|problem| origin.wrong(line, problem))?;
        for field in scheme.fields() {
            check_field(field, secrets).map_err(|problem| origin.wrong(line, problem))?;
        }
        if schemes.iter().any(|other| place(other) == place(&scheme)) {
            return Err(origin.wrong(line, "two auth schemes write to the same place"));
        }
        schemes.push(scheme);
    }
    Ok(schemes)
}

fn place(scheme: &AuthScheme) -> (&'static str, String) {
    match scheme {
        AuthScheme::Bearer { .. } | AuthScheme::Basic(_) => ("header", "authorization".to_owned()),
        AuthScheme::Header { name, .. } => ("header", name.clone()),
        AuthScheme::Query { name, .. } => ("query", name.to_ascii_lowercase()),
        AuthScheme::Path { .. } => ("path", String::new()),
    }
}

pub(super) fn check_field(field: &str, secrets: &BTreeMap<String, SecretField>) -> Result<(), String> {
    if secrets.contains_key(field) {
        return Ok(());
    }
    let near = nearest::suffix(field, secrets.keys().map(String::as_str));
    Err(format!("there is no secret {} in `secrets`{near}", nearest::shown(field)))
}

fn scheme(entry: &AuthEntry) -> Result<AuthScheme, String> {
    let AuthEntry { scheme, secret, name, prefix, suffix, username, username_secret, password_secret } =
        entry;
    let given = [
        ("name", name.is_some()),
        ("prefix", prefix.is_some()),
        ("suffix", suffix.is_some()),
        ("username", username.is_some()),
        ("username_secret", username_secret.is_some()),
        ("password_secret", password_secret.is_some()),
    ];
    let allowed: &[&str] = match scheme {
        AuthWord::Bearer => &[],
        AuthWord::Header => &["name", "prefix"],
        AuthWord::Query => &["name"],
        AuthWord::Path => &["prefix", "suffix"],
        AuthWord::Basic => &["username", "username_secret", "password_secret"],
    };
    if let Some((key, _)) = given.iter().find(|(key, given)| *given && !allowed.contains(key)) {
        return Err(format!("this auth scheme has no `{key}`"));
    }
    let secret = || secret.clone().ok_or("the key `secret` is missing");
    let name = || name.clone().filter(|name| !name.is_empty()).ok_or("the key `name` is missing");
    match scheme {
        AuthWord::Bearer => Ok(AuthScheme::Bearer { secret: secret()? }),
        AuthWord::Header => {
            let name = name()?.to_ascii_lowercase();
            if !reply::is_header(&name) || is_framing(&name) {
                return Err("a credential cannot be put into this header".to_owned());
            }
            let prefix = checked_prefix(prefix.as_deref())?;
            Ok(AuthScheme::Header { name, prefix, secret: secret()? })
        }
        AuthWord::Query => Ok(AuthScheme::Query { name: name()?, secret: secret()? }),
        AuthWord::Path => {
            let (prefix, suffix) = (prefix.clone().unwrap_or_default(), suffix.clone().unwrap_or_default());
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            if (prefix.is_empty() && suffix.is_empty()) || !prefix.chars().chain(suffix.chars()).all(plain) {
                return Err("`path` has a `prefix` or a `suffix`, of letters, digits, `-` and `_`".to_owned());
            }
            Ok(AuthScheme::Path { prefix, suffix, secret: secret()? })
        }
        AuthWord::Basic => basic(entry).map(AuthScheme::Basic),
    }
}

fn basic(entry: &AuthEntry) -> Result<Basic, String> {
    let AuthEntry { secret, username, username_secret, password_secret, .. } = entry;
    match (secret, username, username_secret, password_secret) {
        (Some(secret), None, None, None) => Ok(Basic::Joined { secret: secret.clone() }),
        (None, Some(username), None, Some(password)) => {
            if username.is_empty() || username.contains(':') || username.chars().any(char::is_control) {
                return Err("a user name of Basic is not empty and has no `:`".to_owned());
            }
            Ok(Basic::Named { username: username.clone(), password: password.clone() })
        }
        (None, None, Some(username), password) => {
            Ok(Basic::Fields { username: username.clone(), password: password.clone() })
        }
        _ => Err("`basic` has either `secret`, or `username` and `password_secret`, or `username_secret`"
            .to_owned()),
    }
}

fn checked_prefix(prefix: Option<&str>) -> Result<String, String> {
    let prefix = prefix.unwrap_or_default();
    let plain = prefix.len() <= 32 && prefix.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
    if plain { Ok(prefix.to_owned()) } else { Err("a prefix is at most 32 visible characters".to_owned()) }
}

/// A secret that nothing uses is a slip: the one that was meant has another name.
pub(super) fn check_used(
    file: &File,
    origin: &Origin,
    auth: &[AuthScheme],
    incoming: &[Incoming],
) -> Result<(), Error> {
    let used: Vec<&str> =
        auth.iter().flat_map(AuthScheme::fields).chain(incoming.iter().flat_map(Incoming::fields)).collect();
    match file.secrets.iter().find(|(name, _)| !used.contains(&name.as_str())) {
        Some((name, entry)) => {
            let near = nearest::suffix(name, used.iter().copied());
            let problem = format!("nothing uses the secret {}{near}", nearest::shown(name));
            Err(origin.wrong(entry.referenced.line(), problem))
        }
        None => Ok(()),
    }
}

/// The fixed headers. A credential is never one of them: it would be a secret in a file that people share.
pub(super) fn headers(
    file: &File,
    origin: &Origin,
    auth: &[AuthScheme],
) -> Result<BTreeMap<String, String>, Error> {
    let mut headers = BTreeMap::new();
    for (name, entry) in &file.headers {
        let line = entry.referenced.line();
        let lower = name.to_ascii_lowercase();
        let secret = SECRETIVE.iter().any(|word| lower.contains(word))
            || auth.iter().any(|scheme| place(scheme) == ("header", lower.clone()));
        if secret {
            return Err(origin.wrong(line, "this header carries a credential; describe it under `auth`"));
        }
        let plain = !entry.value.is_empty() && entry.value.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
        if !reply::is_header(&lower) || is_framing(&lower) || !plain || entry.value.trim() != entry.value {
            return Err(origin.wrong(line, "this header cannot be set, or not to this"));
        }
        if headers.insert(lower, entry.value.clone()).is_some() {
            return Err(origin.wrong(line, "the same header is written twice"));
        }
    }
    Ok(headers)
}

/// Headers that say where a request goes and where it ends; they are the broker's alone.
pub(super) fn is_framing(name: &str) -> bool {
    name.starts_with("proxy-") || name.starts_with("x-http-method") || FRAMING.contains(&name)
}

const FRAMING: &[&str] = &[
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-method-override",
];
const SECRETIVE: &[&str] =
    &["auth", "token", "secret", "api-key", "apikey", "password", "cookie", "credential"];
