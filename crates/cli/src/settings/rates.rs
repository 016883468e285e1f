//! `[rates]`: a Redis in which several processes count their rates together.

use std::path::PathBuf;
use std::time::Duration;

use broker::{OnFailure, SharedRates};
use memory::Secret;
use model::SecretRef;
use net::redis::RedisConfig;
use net::tls::{Base, Outbound, Trust};
use serde::Deserialize;

use super::Lookup;
use crate::failure::{Failure, Outcome};

/// As it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    redis: String,
    password: Option<String>,
    ca: Option<PathBuf>,
    prefix: Option<String>,
    timeout: Option<String>,
    on_failure: Option<Word>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Local,
    Refuse,
    Allow,
}

/// Where rates are counted together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rates {
    /// Where the server is.
    pub(crate) place: Place,
    /// Where its password is.
    pub(crate) password: Option<SecretRef>,
    /// Authorities besides those of the system; with some, only those count.
    pub(crate) ca: Option<PathBuf>,
    /// What stands before every key.
    pub(crate) prefix: String,
    /// How long one question may take.
    pub(crate) timeout: Duration,
    /// What holds while the server can't be asked.
    pub(crate) on_failure: OnFailure,
}

/// A server and a database on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    host: String,
    port: u16,
    tls: bool,
    user: Option<String>,
    database: u32,
}

impl Rates {
    /// What was written.
    pub(super) fn read(written: Written) -> Outcome<Self> {
        let Written { redis, password, ca, prefix, timeout, on_failure } = written;
        let place = Place::parse(&redis)?;
        if ca.is_some() && !place.tls {
            return Err(Failure::usage("`rates.ca` is for `rediss://`: without TLS there is no certificate"));
        }
        let timeout = match timeout {
            Some(text) => model::parse_duration(&text)?,
            None => USUAL_TIMEOUT,
        };
        Ok(Self {
            place,
            password: password.map(|text| text.parse::<SecretRef>()).transpose()?,
            ca,
            prefix: prefix.unwrap_or_else(|| USUAL_PREFIX.to_owned()),
            timeout,
            on_failure: match on_failure {
                None | Some(Word::Local) => OnFailure::Local,
                Some(Word::Refuse) => OnFailure::Refuse,
                Some(Word::Allow) => OnFailure::Allow,
            },
        })
    }

    /// What another command line says: an address, and the rest as it is usually.
    pub(crate) fn at(address: &str, timeout: Option<Duration>, ca: Option<PathBuf>) -> Outcome<Self> {
        let written = Written {
            redis: address.to_owned(),
            password: None,
            ca,
            prefix: None,
            timeout: None,
            on_failure: None,
        };
        Ok(Self { timeout: timeout.unwrap_or(USUAL_TIMEOUT), ..Self::read(written)? })
    }

    /// The counters. The server is not asked yet, and the password is read once.
    pub(crate) fn counters(&self, lookup: Lookup<'_>) -> Outcome<SharedRates> {
        let Self { place, password, ca, prefix, timeout, on_failure } = self;
        let trust = match ca {
            Some(path) => Trust { base: Base::Nobody, extra: net::tls::read_bundle(path)? },
            None => Trust::default(),
        };
        let config = RedisConfig {
            host: place.host.clone(),
            port: place.port,
            tls: place.tls.then(|| Outbound::on_demand(trust)),
            user: place.user.clone(),
            password: password.as_ref().map(|reference| secret(reference, lookup)).transpose()?,
            database: place.database,
            within: *timeout,
        };
        Ok(SharedRates::new(config, prefix.clone(), *on_failure))
    }
}

impl Place {
    /// Reads `redis://[USER@]HOST[:PORT][/DATABASE]`, the same with `rediss://`, or `HOST:PORT`. What was written is not repeated:
    /// a password may stand in it.
    pub(crate) fn parse(text: &str) -> Outcome<Self> {
        let wrong = || {
            Failure::usage("this is not an address of Redis (it is not shown)")
                .hint("write `redis://HOST:PORT/DATABASE`, or `rediss://` for TLS")
        };
        let (tls, rest) = match text.split_once("://") {
            None => (false, text),
            Some(("redis", rest)) => (false, rest),
            Some(("rediss", rest)) => (true, rest),
            Some(_) => return Err(wrong()),
        };
        let (user, rest) = match rest.rsplit_once('@') {
            Some((user, _)) if user.contains(':') => {
                return Err(Failure::usage("a password stands in the address of Redis, where everybody sees it")
                    .hint(
                        "in `settings.toml` of the home, below `[rates]`: `redis = \"redis://USER@HOST:PORT\"` and `password = \"env:REDIS_PASSWORD\"`, \
                         and no `--redis-addr`; replace the password if it was real",
                    ));
            }
            Some((user, rest)) => (Some(user.to_owned()).filter(|user| !user.is_empty()), rest),
            None => (None, rest),
        };
        let (place, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':')),
            None => place.rsplit_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
        };
        let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        if host.is_empty() || !host.chars().all(named) {
            return Err(wrong());
        }
        Ok(Self {
            host: host.to_owned(),
            port: port.map_or(Ok(6379), str::parse).map_err(|_| wrong())?,
            tls,
            user,
            database: if database.is_empty() { 0 } else { database.parse().map_err(|_| wrong())? },
        })
    }
}

/// The password. It belongs to the house and to no call, so it can't be in the store, which is lent to calls only.
fn secret(reference: &SecretRef, lookup: Lookup<'_>) -> Outcome<Secret> {
    use std::os::unix::ffi::OsStringExt;

    let bytes = match (reference.scheme(), reference.field()) {
        ("env", None) => lookup(reference.path())
            .ok_or_else(|| Failure::new(format!("`{reference}` for `rates.password` is not set")))?
            .into_vec(),
        ("file", None) => {
            let mut file = std::fs::File::open(reference.path()).map_err(|error| {
                Failure::doing(format!("could not read `{reference}` for `rates.password`"), &error)
            })?;
            crate::typed::piped(&mut file)?
        }
        _ => {
            return Err(Failure::usage("`rates.password` is `env:VARIABLE` or `file:PATH`"));
        }
    };
    Secret::new(bytes).map_err(|error| Failure::of(&error))
}

const USUAL_TIMEOUT: Duration = Duration::from_millis(250);
const USUAL_PREFIX: &str = "doorward:";

#[cfg(test)]
mod tests;
