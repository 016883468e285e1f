//! Gives a file its meaning, or says why it has none. What is doubtful is an error here, not a surprise later.

mod address;
mod auth;
mod cli;
mod connection;
mod incoming;
mod operations;
mod order;
mod right;
mod telling;
mod trial;
mod wiring;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::{IntegrationName, OperationName, parse_duration};

use crate::file::{AuthWord, File, LimitsEntry, RateEntry};
use crate::limits::{DEFAULT_BODY, parse_size};
use crate::{Error, Integration, Limits, Operation, Rate, nearest};

/// Where a file comes from.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// The file as errors name it.
    pub(crate) file: String,
    /// The built-in integration behind it, or its own name.
    pub(crate) kind: IntegrationName,
    /// Whose file it is.
    pub(crate) owner: Owner,
}

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Built in: it cannot loosen anything.
    House,
    /// The user's own.
    User,
}

impl Origin {
    fn wrong(&self, line: u64, problem: impl Into<String>) -> Error {
        Error::Invalid { file: self.file.clone(), line, problem: problem.into() }
    }
}

/// The integration that a file describes.
pub(crate) fn compile(file: &File, origin: &Origin) -> Result<Integration, Error> {
    check_owner(file, origin)?;
    let address = address::compile(file, origin)?;
    let secrets = wiring::secrets(file, origin)?;
    let auth = auth::schemes(file, origin, &secrets)?;
    let incoming = incoming::schemes(file, origin, &secrets)?;
    let program = cli::program(file, origin, &secrets)?;
    wiring::check_used(file, origin, (&auth, &incoming, program.as_ref()))?;
    let headers = wiring::headers(file, origin, &auth)?;
    let mut operations = operations::compile(file, origin, program.as_ref())?;
    let on_behalf = operations::on_behalf(file, origin, &mut operations)?;
    let undescribed = operations::undescribed(file, origin, &operations)?;
    let telling = telling::telling(file, origin, &operations)?;
    let order = order::order(file, origin, &mut operations)?;
    let capabilities = operations::narrowings(file, origin, &operations)?;
    let unknown = UNKNOWN.parse().map_err(|_| origin.wrong(0, "`unknown` is not a name"))?;
    let fields = auth.iter().flat_map(crate::AuthScheme::fields);
    let lent = fields.filter_map(|field| secrets.get(field).map(|secret| secret.reference.clone())).collect();
    let conceals = operations.values().any(crate::Operation::conceals);
    let takes_secrets =
        operations.values().any(|operation| operation.inputs.values().any(|field| field.secret));
    let plain = auth.iter().all(crate::AuthScheme::is_plain);
    let integration = Integration {
        name: file.name.clone(),
        kind: origin.kind.clone(),
        title: file.title.clone().unwrap_or_else(|| file.name.to_string()),
        docs: file.docs.clone().unwrap_or_default(),
        internal: file.internal,
        authority: address.authority,
        base_path: address.base_path,
        hosts: address.hosts,
        reaches: connection::reaches(file, origin)?,
        wildcard: address.wildcard,
        query: address::query(file, origin)?,
        aliases: address::aliases(file, origin)?,
        headers,
        on_behalf,
        undescribed,
        telling,
        secrets,
        auth,
        lent,
        plain,
        incoming,
        anonymous: file.anonymous,
        limits: limits(file, origin)?,
        connection: connection::compile(file, origin)?.map(Arc::new),
        probe: None,
        rights: Vec::new(),
        trials: std::collections::BTreeMap::new(),
        program,
        operations,
        order,
        capabilities,
        dangerous_allow_private: file.dangerous_allow_private,
        tls_insecure_skip_verify: skips(file),
        unknown,
        conceals,
        takes_secrets,
    };
    tried(integration, file, origin)
}

/// The integration with the reads that tell whether its credential works.
fn tried(mut integration: Integration, file: &File, origin: &Origin) -> Result<Integration, Error> {
    if let Some(entry) = &file.probe {
        let line = entry.referenced.line();
        let probe =
            trial::probe(&entry.value, &integration).map_err(|problem| origin.wrong(line, problem))?;
        integration.probe = Some(probe);
    }
    for (name, entry) in &file.trials {
        let line = entry.referenced.line();
        let trial =
            trial::trial(name, &entry.value, &integration).map_err(|problem| origin.wrong(line, problem))?;
        integration.trials.insert(name.clone(), trial);
    }
    for entry in &file.permissions {
        let wrong =
            |problem: String| origin.wrong(entry.referenced.line(), format!("`permissions`: {problem}"));
        let one = right::right(&entry.value, &integration).map_err(wrong)?;
        integration.rights.push(one);
    }
    Ok(integration)
}

/// One switch under two names.
fn skips(file: &File) -> bool {
    file.tls_insecure_skip_verify || file.tls.as_ref().is_some_and(|tls| tls.value.insecure_skip_verify)
}

/// Whether nothing but signatures goes out, each for one host: then it does no harm that calls name their hosts.
fn is_signed(file: &File) -> bool {
    file.auth.as_ref().is_some_and(|schemes| {
        !schemes.is_empty()
            && schemes.iter().all(|entry| matches!(entry.value.scheme, AuthWord::Sigv4 | AuthWord::Oci))
    })
}

/// What only some files may say.
fn check_owner(file: &File, origin: &Origin) -> Result<(), Error> {
    connection::check_owner(file, origin)?;
    if file.whole_paths {
        return Err(origin.wrong(0, "`whole_paths` is for files that extend a built-in integration"));
    }
    match origin.owner {
        Owner::House => {
            // The one exception chooses among places that the user fills.
            let elsewhere = |reference: &model::SecretRef| reference.scheme() != "llm";
            let places =
                file.secrets.values().find(|entry| entry.value.0.default.as_ref().is_some_and(elsewhere));
            if let Some(entry) = places {
                return Err(
                    origin.wrong(entry.referenced.line(), "a built-in file does not say where a secret is")
                );
            }
            let loosens = file.dangerous_allow_private
                || skips(file)
                || !file.aliases.is_empty()
                || file.query.is_some()
                || (file.base_url.as_ref().is_some_and(|url| url.value.contains('*')) && !is_signed(file));
            if loosens {
                return Err(origin.wrong(0, "a built-in file cannot loosen anything"));
            }
            if file.title.is_none() || file.docs.is_none() {
                return Err(origin.wrong(0, "a built-in file has a `title` and `docs`"));
            }
        }
        Owner::User if file.internal => {
            return Err(origin.wrong(0, "`internal` is for Doorward's own operations"));
        }
        Owner::User => {}
    }
    let outward = file.base_url.is_some()
        || file.domain.is_some()
        || file.hosts.is_some()
        || file.limits.is_some()
        || file.probe.is_some()
        || !file.trials.is_empty()
        || !file.secrets.is_empty()
        || !file.headers.is_empty()
        || file.auth.is_some()
        || file.cli.is_some()
        || file.incoming.is_some()
        || connection::is_said(file)
        || file.anonymous;
    if file.internal && outward {
        return Err(origin.wrong(0, "an internal integration has operations and nothing else"));
    }
    Ok(())
}

fn limits(file: &File, origin: &Origin) -> Result<Limits, Error> {
    if file.internal {
        return Ok(Limits::INTERNAL);
    }
    let Some(entry) = &file.limits else {
        return Err(
            origin.wrong(0, "`limits` is missing: `connect`, `head`, `total` and `idle` have no default")
        );
    };
    read_limits(&entry.value).map_err(|problem| origin.wrong(entry.referenced.line(), problem))
}

fn read_limits(entry: &LimitsEntry) -> Result<Limits, String> {
    let LimitsEntry { connect, head, total, idle, body, rate, caller_rate } = entry;
    let time = |name: &str, text: &Option<String>| -> Result<Duration, String> {
        let text = text.as_ref().ok_or_else(|| format!("the time-out `{name}` is missing"))?;
        parse_duration(text).map_err(|error| error.to_string())
    };
    let every = |entry: &Option<RateEntry>| -> Result<Option<Rate>, String> {
        let Some(RateEntry { calls, per, strategy }) = entry else { return Ok(None) };
        if *calls == 0 {
            return Err("a rate of zero calls refuses everything".to_owned());
        }
        let per = parse_duration(per).map_err(|error| error.to_string())?;
        Ok(Some(Rate { calls: *calls, per, strategy: strategy.unwrap_or_default() }))
    };
    let body = match body {
        Some(text) => parse_size(text).ok_or("a size has a unit, such as `512KiB` or `1MiB`")?,
        None => DEFAULT_BODY,
    };
    Ok(Limits {
        connect: time("connect", connect)?,
        head: time("head", head)?,
        total: time("total", total)?,
        idle: time("idle", idle)?,
        body,
        rate: every(rate)?,
        caller_rate: every(caller_rate)?,
    })
}

/// The operation of everything that no operation describes.
pub(crate) const UNKNOWN: &str = "unknown";

/// That there is no such operation, and which is near.
fn unknown(operation: &str, all: &BTreeMap<OperationName, Operation>) -> String {
    let near = nearest::suffix(operation, all.keys().map(OperationName::as_str));
    format!("there is no operation {}{near}", nearest::shown(operation))
}

#[cfg(test)]
mod tests;
