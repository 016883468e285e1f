//! The user's own files: whole integrations, and changes to built-in ones.
//!
//! The folder is read whole when it is loaded; one bad file is an error for all, because an integration that silently is
//! not there makes rules about it mean something else.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_saphyr::Spanned;

use crate::compile::{Origin, Owner, compile};
use crate::file::{AuthEntry, File, LimitsEntry, OperationEntry, ProgramEntry, SecretEntry};
use crate::{Error, Integration, embedded, nearest, yaml};

mod laid;
mod whole;

pub(crate) use laid::Layer;

/// The integration of one of the user's files.
pub(crate) fn integration(text: &str, file: &str, stem: &str) -> Result<Integration, Error> {
    let own: File = yaml::read(text, file)?;
    let wrong = |problem: String| Error::Invalid { file: file.to_owned(), line: 0, problem };
    if own.name.as_str() != stem {
        return Err(wrong(format!("the file of `{}` is called `{}.yaml`", own.name, own.name)));
    }
    let extends_house = own.extends.as_ref().is_some_and(|base| HOUSE.contains(&base.as_str()));
    if HOUSE.contains(&own.name.as_str()) || extends_house {
        return Err(wrong(format!("`{}` is Doorward itself and cannot be changed", HOUSE.join("` and `"))));
    }
    let kind = own.extends.clone().unwrap_or_else(|| own.name.clone());
    let origin = Origin { file: file.to_owned(), kind, owner: Owner::User };
    match &own.extends {
        None => compile(&own, &origin),
        Some(extended) => {
            let Some((place, entry)) = embedded::find(extended.as_str()) else {
                let near =
                    nearest::suffix(extended.as_str(), embedded::ENTRIES.iter().map(|entry| entry.name));
                return Err(wrong(format!("there is no built-in integration `{extended}` to extend{near}")));
            };
            let mut base = base(place, entry)?;
            if own.whole_paths {
                whole::moved(&mut base, own.base_url.as_ref()).map_err(wrong)?;
            }
            compile(&merge(base, own, &wrong)?, &origin)
        }
    }
}

/// A built-in file as it is written. It is read once, however many files extend it.
fn base(place: usize, entry: &embedded::Entry) -> Result<File, Error> {
    let kept = BASES.get_or_init(|| embedded::ENTRIES.iter().map(|_| OnceLock::new()).collect()).get(place);
    if let Some(read) = kept.and_then(OnceLock::get) {
        return Ok(read.clone());
    }
    let read: File = yaml::read(entry.text, &built_in(entry.name))?;
    if let Some(kept) = kept {
        let _ = kept.set(read.clone());
    }
    Ok(read)
}

/// The name of a built-in file in errors.
pub(crate) fn built_in(name: &str) -> String {
    format!("built-in {name}.yaml")
}

/// The built-in file with the user's changes. Every field of the user's file is taken apart here, so that a new one
/// cannot be forgotten.
#[expect(clippy::too_many_lines, reason = "one line for each key, twice")]
fn merge(base: File, own: File, wrong: &dyn Fn(String) -> Error) -> Result<File, Error> {
    let File {
        name,
        extends,
        title,
        docs,
        internal,
        base_url,
        whole_paths: _,
        domain,
        hosts,
        aliases,
        query,
        headers,
        on_behalf,
        undescribed,
        operation_in,
        words_like,
        secrets,
        auth,
        incoming,
        anonymous,
        limits,
        tls,
        proxy,
        reaches,
        connections,
        retries,
        breaker,
        probe,
        trials,
        permissions,
        cli,
        operations,
        enable,
        capabilities,
        dangerous_allow_private,
        tls_insecure_skip_verify,
    } = own;
    // The hosts of the service are not those of another address.
    let base_hosts = if base_url.is_some() { None } else { base.hosts };
    let base_domain = if base_url.is_some() { None } else { base.domain };
    let (base_cli, base_operations) = match base_url.as_ref().filter(|_| cli.is_none()) {
        Some(own) => {
            let built_in = base.base_url.as_ref().map(|url| url.value.as_str());
            told_where(base.cli, base.operations, (built_in, &own.value))
        }
        None => (base.cli, base.operations),
    };
    let secrets = in_use(merge_secrets(base.secrets, secrets), auth.as_deref());
    let headers = base.headers.into_iter().chain(headers).collect();
    Ok(File {
        title: title.or(base.title),
        docs: docs.or(base.docs),
        internal: internal || base.internal,
        domain: domain.or(base_domain),
        base_url: base_url.or(base.base_url),
        // Done by now: the paths are those behind the user's address.
        whole_paths: false,
        hosts: hosts.or(base_hosts),
        aliases,
        query,
        headers,
        on_behalf: base.on_behalf.into_iter().chain(on_behalf).collect(),
        undescribed: base.undescribed.into_iter().chain(undescribed).collect(),
        operation_in: base.operation_in.into_iter().chain(operation_in).collect(),
        words_like: base.words_like.into_iter().chain(words_like).collect(),
        secrets,
        auth: auth.or(base.auth),
        // Who may call is never said by a built-in file.
        incoming,
        anonymous,
        limits: merge_limits(base.limits, limits),
        tls: tls.or(base.tls),
        proxy: proxy.or(base.proxy),
        reaches,
        connections: connections.or(base.connections),
        retries: retries.or(base.retries),
        breaker: breaker.or(base.breaker),
        probe: probe.or(base.probe),
        permissions: base.permissions.into_iter().chain(permissions).collect(),
        trials: base.trials.into_iter().chain(trials).collect(),
        cli: cli.or(base_cli),
        operations: union(base_operations, operations)
            .map_err(|name| wrong(format!("operation `{name}` is built in; give yours another name")))?,
        enable,
        capabilities: union(base.capabilities, capabilities)
            .map_err(|name| wrong(format!("capability `{name}` is built in; give yours another name")))?,
        name,
        extends,
        dangerous_allow_private,
        tls_insecure_skip_verify,
    })
}

/// The commands, where the program is told the address. One that is not would take the credential to the service's own.
fn told_where(
    cli: Option<Spanned<ProgramEntry>>,
    mut operations: BTreeMap<String, Spanned<OperationEntry>>,
    (built_in, own): (Option<&str>, &str),
) -> (Option<Spanned<ProgramEntry>>, BTreeMap<String, Spanned<OperationEntry>>) {
    if cli.as_ref().is_none_or(|cli| cli.value.is_told_where(built_in, own)) {
        return (cli, operations);
    }
    // What only the program does can't be done there.
    operations.retain(|_, entry| entry.value.http.is_none());
    for entry in operations.values_mut() {
        entry.value.cli = None;
    }
    (None, operations)
}

/// The secrets that schemes of the user's own leave. What those no longer use was the built-in schemes' own.
fn in_use(secrets: Secrets, own: Option<&[Spanned<AuthEntry>]>) -> BTreeMap<String, Spanned<SecretEntry>> {
    let used: Option<Vec<String>> = own.map(|own| own.iter().flat_map(named).collect());
    let kept = |name: &String, whose: Owner| {
        whose == Owner::User || used.as_ref().is_none_or(|used| used.contains(name))
    };
    let kept = secrets.into_iter().filter(|(name, (whose, _))| kept(name, *whose));
    kept.map(|(name, (_, entry))| (name, entry)).collect()
}

type Secrets = BTreeMap<String, (Owner, Spanned<SecretEntry>)>;

/// The built-in secrets with the user's places, and the user's own.
fn merge_secrets(
    base: BTreeMap<String, Spanned<SecretEntry>>,
    own: BTreeMap<String, Spanned<SecretEntry>>,
) -> Secrets {
    let mut merged: Secrets = base.into_iter().map(|(name, entry)| (name, (Owner::House, entry))).collect();
    for (name, mut entry) in own {
        if let Some((_, described)) = merged.get(&name) {
            let own = &mut entry.value.0;
            own.title = own.title.take().or_else(|| described.value.0.title.clone());
            if own.prefix.is_empty() {
                own.prefix.clone_from(&described.value.0.prefix);
            }
        }
        merged.insert(name, (Owner::User, entry));
    }
    merged
}

/// Both; the error is a name that is in both.
fn union<T>(mut base: BTreeMap<String, T>, own: BTreeMap<String, T>) -> Result<BTreeMap<String, T>, String> {
    for (name, entry) in own {
        if base.contains_key(&name) {
            return Err(name);
        }
        base.insert(name, entry);
    }
    Ok(base)
}

fn named(entry: &Spanned<AuthEntry>) -> Vec<String> {
    entry.value.named().into_iter().map(ToOwned::to_owned).collect()
}

fn merge_limits(
    base: Option<Spanned<LimitsEntry>>,
    own: Option<Spanned<LimitsEntry>>,
) -> Option<Spanned<LimitsEntry>> {
    let (Some(base), Some(own)) = (&base, &own) else { return own.or(base) };
    let LimitsEntry { connect, head, total, idle, body, rate, caller_rate } = own.value.clone();
    let base = base.value.clone();
    let value = LimitsEntry {
        connect: connect.or(base.connect),
        head: head.or(base.head),
        total: total.or(base.total),
        idle: idle.or(base.idle),
        body: body.or(base.body),
        rate: rate.or(base.rate),
        caller_rate: caller_rate.or(base.caller_rate),
    };
    Some(Spanned { value, ..own.clone() })
}

/// Doorward itself, as an integration.
pub(crate) const HOUSE: [&str; 4] = ["aws-credentials", "azure-credentials", "doorward", "gcp-credentials"];
static BASES: OnceLock<Vec<OnceLock<File>>> = OnceLock::new();

#[cfg(test)]
mod tests;
