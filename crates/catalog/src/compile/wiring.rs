//! Secrets and fixed headers.

use std::collections::BTreeMap;

use model::SecretRef;

use super::Origin;
pub(super) use super::auth::is_framing;
use super::auth::place;
use crate::file::File;
use crate::{AuthScheme, Error, Incoming, Program, SecretField, Slot, Text, nearest, path, reply};

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

pub(super) fn check_field(field: &str, secrets: &BTreeMap<String, SecretField>) -> Result<(), String> {
    if secrets.contains_key(field) {
        return Ok(());
    }
    let near = nearest::suffix(field, secrets.keys().map(String::as_str));
    Err(format!("there is no secret {} in `secrets`{near}", nearest::shown(field)))
}

/// A secret that nothing uses is a slip: the one that was meant has another name.
pub(super) fn check_used(
    file: &File,
    origin: &Origin,
    (auth, incoming, program): (&[AuthScheme], &[Incoming], Option<&Program>),
) -> Result<(), Error> {
    let written = program.into_iter().flat_map(|program| program.files.values()).flat_map(Text::slots);
    let used: Vec<&str> = auth
        .iter()
        .flat_map(AuthScheme::fields)
        .chain(incoming.iter().flat_map(Incoming::fields))
        .chain(written.filter_map(|slot| match slot {
            Slot::Secret(name) => Some(name.as_str()),
            _ => None,
        }))
        .collect();
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

const SECRETIVE: &[&str] =
    &["auth", "token", "secret", "api-key", "apikey", "password", "cookie", "credential"];
