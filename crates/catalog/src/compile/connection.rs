//! How a service is reached: certificate authorities, proxy, connections, repetitions, and when it is left alone.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::Path;
use std::time::Duration;

use model::{Authority, ParseError, Scheme, parse_duration};
use serde_saphyr::Spanned;

use super::{Origin, Owner};
use crate::file::{AuthWord, BreakerEntry, ConnectionsEntry, File, RetriesEntry};
use crate::{Breaker, Connection, Error, Retries};

/// How the service is reached; `None` where the file says nothing of it.
pub(super) fn compile(file: &File, origin: &Origin) -> Result<Option<Connection>, Error> {
    let mut made = Connection::default();
    if let Some(entry) = &file.tls
        && let Some(path) = &entry.value.ca
    {
        let read = authorities(path).map_err(|problem| origin.wrong(entry.referenced.line(), problem))?;
        (made.authorities, made.authorities_from) = (Some(read), Some(path.into()));
    }
    if let Some(entry) = &file.proxy {
        let read = proxy(&entry.value).map_err(|problem| origin.wrong(entry.referenced.line(), problem))?;
        made.proxy = Some(read);
    }
    if let Some(entry) = &file.connections {
        connections(&entry.value, &mut made)
            .map_err(|problem| origin.wrong(entry.referenced.line(), problem))?;
    }
    if let Some(entry) = &file.retries {
        let read = retries(&entry.value).map_err(|problem| origin.wrong(entry.referenced.line(), problem))?;
        made.retries = Some(read);
    }
    if let Some(entry) = &file.breaker {
        let read = breaker(&entry.value).map_err(|problem| origin.wrong(entry.referenced.line(), problem))?;
        made.breaker = Some(read);
    }
    check_proxy_basic(file, origin, made.proxy.as_ref())?;
    Ok((made != Connection::default()).then_some(made))
}

/// User name and password are for a proxy that the file names, and go over plain http only where private addresses are allowed.
fn check_proxy_basic(file: &File, origin: &Origin, proxy: Option<&Authority>) -> Result<(), Error> {
    let entry = file.auth.iter().flatten().find(|entry| matches!(entry.value.scheme, AuthWord::ProxyBasic));
    let Some(entry) = entry else { return Ok(()) };
    let wrong = |problem: &str| Err(origin.wrong(entry.referenced.line(), problem));
    match proxy.map(Authority::scheme) {
        None => wrong("`proxy_basic` is for the proxy that `proxy` names, and there is none"),
        Some(Scheme::Http) if !file.dangerous_allow_private => wrong(
            "over `http://` anybody on the way reads the password for the proxy; a proxy with `https://` keeps it, \
             `dangerous_allow_private` allows it",
        ),
        Some(_) => Ok(()),
    }
}

/// The further places that a program may reach.
pub(super) fn reaches(file: &File, origin: &Origin) -> Result<Vec<Authority>, Error> {
    let read = |entry: &Spanned<String>| {
        let wrong = |problem: &str| origin.wrong(entry.referenced.line(), problem);
        let authority: Authority = entry.value.parse().map_err(|_| {
            wrong("`reaches` lists places such as `https://charts.example.com`, without a path")
        })?;
        if authority.scheme() == Scheme::Http && !file.dangerous_allow_private {
            return Err(wrong("a place over plain http needs `dangerous_allow_private`"));
        }
        Ok(authority)
    };
    file.reaches.iter().map(read).collect()
}

/// What a built-in file leaves to whoever runs it.
pub(super) fn check_owner(file: &File, origin: &Origin) -> Result<(), Error> {
    if let Some(entry) = file.reaches.first().filter(|_| origin.owner == Owner::House || file.internal) {
        return Err(origin.wrong(entry.referenced.line(), "`reaches` is for files of your own"));
    }
    match (&file.tls, &file.proxy, origin.owner) {
        (None, None, _) | (_, _, Owner::User) => Ok(()),
        (Some(_), ..) | (_, Some(_), _) => {
            Err(origin.wrong(0, "a built-in file says nothing of certificate authorities and proxies"))
        }
    }
}

/// Whether the file asks for anything that has no meaning for Doorward's own operations.
pub(super) const fn is_said(file: &File) -> bool {
    file.tls.is_some()
        || file.proxy.is_some()
        || file.connections.is_some()
        || file.retries.is_some()
        || file.breaker.is_some()
}

/// The text of a bundle. Read with the file that names it, so that one that is not there stops a reload and not a call.
fn authorities(path: &str) -> Result<String, String> {
    if !Path::new(path).is_absolute() {
        return Err("`tls: ca:` is the absolute path of a PEM file".to_owned());
    }
    let size = std::fs::metadata(path).map_err(|error| format!("could not read `{path}`: {error}"))?.len();
    if size > LARGEST {
        return Err(format!("`{path}` is larger than 1 MiB"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| format!("could not read `{path}`: {error}"))?;
    if text.contains("PRIVATE KEY") {
        return Err(format!("`{path}` holds a private key; a bundle of authorities has certificates only"));
    }
    if !text.contains("-----BEGIN CERTIFICATE-----") {
        return Err(format!("`{path}` holds no certificate in PEM"));
    }
    Ok(text)
}

/// What was written is not repeated: a user name and password may stand in it.
fn proxy(text: &str) -> Result<Authority, String> {
    const FORM: &str = "`proxy` is `http://HOST:PORT` or `https://HOST:PORT`, without a name and a password";
    text.trim_end_matches('/').parse().map_err(|_: ParseError| FORM.to_owned())
}

fn connections(entry: &ConnectionsEntry, made: &mut Connection) -> Result<(), String> {
    let ConnectionsEntry { idle, idle_for, most, keep_alive, handshake } = entry;
    if idle.is_some_and(|idle| idle > MOST_CONNECTIONS) || most.is_some_and(|most| most > MOST_CONNECTIONS) {
        return Err(format!("`idle` and `most` are at most {MOST_CONNECTIONS}"));
    }
    made.idle = *idle;
    made.idle_for = idle_for.as_deref().map(|text| time("idle_for", text)).transpose()?;
    made.most = match most {
        Some(most) => Some(NonZeroUsize::new(*most).ok_or("`most: 0` would refuse every call")?),
        None => None,
    };
    made.keep_alive = keep_alive.unwrap_or(true);
    made.handshake = handshake.as_deref().map(|text| time("handshake", text)).transpose()?;
    Ok(())
}

fn retries(entry: &RetriesEntry) -> Result<Retries, String> {
    let RetriesEntry { most, budget } = entry;
    let most = NonZeroU32::new(*most).filter(|most| most.get() <= MOST_RETRIES);
    let most = most.ok_or_else(|| format!("`most` is 1 to {MOST_RETRIES}"))?;
    let percent = match budget {
        None => USUAL_PERCENT,
        Some(text) => text
            .strip_suffix('%')
            .and_then(|number| number.parse::<NonZeroU32>().ok())
            .filter(|percent| percent.get() <= 100)
            .ok_or("`budget` is a share of all calls from `1%` to `100%`")?,
    };
    Ok(Retries { most, percent })
}

fn breaker(entry: &BreakerEntry) -> Result<Breaker, String> {
    let BreakerEntry { failures, rest } = entry;
    let failures = NonZeroU32::new(*failures).ok_or("`failures: 0` would refuse every call")?;
    Ok(Breaker { failures, rest: time("rest", rest)? })
}

fn time(name: &str, text: &str) -> Result<Duration, String> {
    let time = parse_duration(text).map_err(|error| error.to_string())?;
    if time.is_zero() || time > LONGEST {
        return Err(format!("`{name}` is more than nothing and at most an hour"));
    }
    Ok(time)
}

/// Largest bundle of certificate authorities, in bytes.
const LARGEST: u64 = 1 << 20;
const MOST_CONNECTIONS: usize = 10_000;
const MOST_RETRIES: u32 = 5;
const USUAL_PERCENT: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);
const LONGEST: Duration = Duration::from_secs(3_600);

#[cfg(test)]
mod tests;
