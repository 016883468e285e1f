//! How callers and webhooks prove themselves. What could let somebody in by mistake is an error here: no key, no audience,
//! no name, a public key where a secret belongs.

mod certificates;
mod signatures;
mod tokens;

use std::collections::BTreeMap;
use std::time::Duration;

use model::parse_duration;

use super::wiring::{check_field, is_framing};
use super::{Origin, Owner};
use crate::file::{File, IncomingEntry, KeyEntry};
use crate::incoming::{Form, Key, Place, Shown};
use crate::{Error, Incoming, SecretField, reply};

/// The schemes of the file, all of which have to accept.
pub(super) fn schemes(
    file: &File,
    origin: &Origin,
    secrets: &BTreeMap<String, SecretField>,
) -> Result<Vec<Incoming>, Error> {
    let entries = file.incoming.as_deref().unwrap_or_default();
    let line = entries.first().map_or(0, |entry| entry.referenced.line());
    if origin.owner == Owner::House && (file.incoming.is_some() || file.anonymous) {
        return Err(origin.wrong(line, "who may call an integration is said in a file of the user's own"));
    }
    if file.anonymous && !entries.is_empty() {
        let problem =
            "`anonymous` lets everybody in, and `incoming` asks who it is: an integration has one of them";
        return Err(origin.wrong(line, problem));
    }
    let mut found = Vec::new();
    for entry in entries {
        let line = entry.referenced.line();
        let scheme = scheme(&entry.value, file.dangerous_allow_private)
            .map_err(|problem| origin.wrong(line, problem))?;
        for field in scheme.fields() {
            check_field(field, secrets).map_err(|problem| origin.wrong(line, problem))?;
        }
        if found.iter().any(|other: &Incoming| matches!(other, Incoming::UrlPath(_)))
            && matches!(scheme, Incoming::UrlPath(_))
        {
            return Err(origin.wrong(line, "`url_path` is there twice"));
        }
        found.push(scheme);
    }
    Ok(found)
}

fn scheme(entry: &IncomingEntry, private: bool) -> Result<Incoming, String> {
    match entry {
        IncomingEntry::Token(entry) => {
            let place = place(&entry.header, &entry.prefix)?;
            Ok(Incoming::Token(Shown { place, keys: keys(entry.secret.as_ref(), entry.keys.as_deref())? }))
        }
        IncomingEntry::Basic(entry) => {
            let place = place(
                entry.header.as_deref().unwrap_or(AUTHORIZATION),
                entry.prefix.as_deref().unwrap_or("Basic "),
            )?;
            basic(place, entry.secret.as_ref(), entry.keys.as_deref())
        }
        IncomingEntry::Jwt(entry) => tokens::jwt(entry, private),
        IncomingEntry::Oidc(entry) => tokens::oidc(entry, private),
        IncomingEntry::GoogleOidc(entry) => tokens::google(entry),
        IncomingEntry::ClientCertificate(entry) => certificates::client(entry),
        IncomingEntry::EnvoyXfcc(entry) => certificates::xfcc(entry),
        IncomingEntry::SlackSignature(entry) => signatures::slack(entry),
        IncomingEntry::GithubSignature(entry) => signatures::github(entry),
        IncomingEntry::StripeSignature(entry) => signatures::stripe(entry),
        IncomingEntry::TwilioSignature(entry) => signatures::twilio(entry),
        IncomingEntry::Hmac(entry) => signatures::hmac(entry),
        IncomingEntry::UrlPath(entry) => {
            Ok(Incoming::UrlPath(keys(entry.secret.as_ref(), entry.keys.as_deref())?))
        }
    }
}

/// The secrets of a scheme: one, or a list.
fn keys(secret: Option<&String>, keys: Option<&[KeyEntry]>) -> Result<Vec<Key>, String> {
    let found = all_keys(secret, keys)?;
    if found.iter().any(|key| key.user.is_some()) {
        return Err("only keys of `basic` have a `user`".to_owned());
    }
    Ok(found)
}

/// The same for signatures, whose secret has to be known as it is.
fn plain_keys(secret: Option<&String>, entries: Option<&[KeyEntry]>) -> Result<Vec<Key>, String> {
    let found = keys(secret, entries)?;
    if found.iter().any(|key| key.form == Form::Imprint) {
        return Err("a signature can't be checked with an imprint of its secret".to_owned());
    }
    Ok(found)
}

fn all_keys(secret: Option<&String>, keys: Option<&[KeyEntry]>) -> Result<Vec<Key>, String> {
    match (secret, keys) {
        (Some(secret), None) => {
            Ok(vec![Key { id: None, user: None, secret: secret.clone(), form: Form::Plain }])
        }
        (None, Some(keys)) if !keys.is_empty() => keys.iter().map(key).collect(),
        (Some(_), Some(_)) => Err("either `secret` or `keys` is given, not both".to_owned()),
        (None, _) => Err("the key `secret` is missing, or `keys` with at least one".to_owned()),
    }
}

fn key(entry: &KeyEntry) -> Result<Key, String> {
    let KeyEntry { id, user, secret, imprint } = entry;
    if id.as_deref().is_some_and(|id| !is_id(id)) {
        return Err("an `id` has 1 to 128 visible characters".to_owned());
    }
    let form = if *imprint { Form::Imprint } else { Form::Plain };
    Ok(Key { id: id.clone(), user: user.clone(), secret: secret.clone(), form })
}

fn basic(place: Place, secret: Option<&String>, entries: Option<&[KeyEntry]>) -> Result<Incoming, String> {
    let keys = all_keys(secret, entries)?;
    for key in &keys {
        if key.user.as_deref().is_some_and(|user| !is_id(user) || user.contains(':')) {
            return Err("a user name of Basic has 1 to 128 visible characters and no `:`".to_owned());
        }
        if key.form == Form::Imprint && key.user.is_none() {
            return Err("with an imprint, `user` says whose password it is".to_owned());
        }
    }
    Ok(Incoming::Basic(Shown { place, keys }))
}

fn is_id(text: &str) -> bool {
    let visible = |c: char| !c.is_control() && !c.is_whitespace();
    !text.is_empty() && text.len() <= LONGEST_ID && text.chars().all(visible)
}

fn place(header: &str, prefix: &str) -> Result<Place, String> {
    let plain = prefix.len() <= 32 && prefix.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
    if !plain {
        return Err("a prefix is at most 32 visible characters".to_owned());
    }
    Ok(Place { header: header_name(header)?, prefix: prefix.to_owned() })
}

/// The name of a header that can prove somebody, in lower case.
fn header_name(name: &str) -> Result<String, String> {
    let name = name.to_ascii_lowercase();
    if !reply::is_header(&name) || is_framing(&name) {
        return Err("nobody can be proven by this header".to_owned());
    }
    Ok(name)
}

fn duration(text: Option<&String>, otherwise: Duration, most: Duration) -> Result<Duration, String> {
    let Some(text) = text else { return Ok(otherwise) };
    let given = parse_duration(text).map_err(|error| error.to_string())?;
    if given > most {
        return Err(format!("a time is longer than the {} s that are allowed here", most.as_secs()));
    }
    Ok(given)
}

const AUTHORIZATION: &str = "authorization";
const LONGEST_ID: usize = 128;

#[cfg(test)]
mod tests;
