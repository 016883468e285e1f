//! A configuration as integrations of ours.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use catalog::{Error, Written};
use model::{IntegrationName, SecretRef};
use serde_json::{Value, json};
use serde_saphyr::Spanned;

use crate::assemble::Draft;
use crate::config::{Config, Entry, Switch, Way};
use crate::params::Params;
use crate::{destination, duration, home, name, plugin, text};

/// What is said besides the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Credentials may go to private and loopback addresses, and there over plain http.
    pub dangerous_allow_private: bool,
    /// Largest body of a request, in bytes; as good as none where it is absent.
    pub body: Option<u64>,
    /// Who hands out tokens of managed identities.
    pub managed_identity: ManagedIdentity,
    /// Whether the door asks callers for certificates.
    pub asks_for_certificates: bool,
}

/// Who hands out tokens of a managed identity of Azure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ManagedIdentity {
    /// The metadata service of the machine.
    #[default]
    Machine,
    /// What `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` of the environment name.
    App,
    /// What `MSI_ENDPOINT` and `MSI_SECRET` of the environment name.
    OldApp,
}

/// Keeps a secret that stands in the file itself, and gives a reference to it; the first text is a name for it in the store. Its
/// error is shown.
pub type Keep<'a> = dyn FnMut(&str, &str) -> Result<SecretRef, String> + 'a;

/// A configuration as integrations of ours, in the order of the file.
#[derive(Debug)]
pub struct Translated {
    /// The integrations.
    pub integrations: Vec<Integration>,
}

/// An entry that has no counterpart.
#[derive(Debug)]
pub struct Untaken {
    /// Its name in the file.
    pub theirs: String,
    /// Its line.
    pub line: u64,
    /// Why it has none.
    pub why: Error,
}

/// The names that are given, each with the entry that has it and its line.
type Taken = HashMap<IntegrationName, (String, u64)>;

/// One entry, translated.
#[derive(Debug, Clone)]
pub struct Integration {
    /// Its name in the file.
    pub theirs: String,
    /// The text of our file.
    pub written: Written,
    /// The built-in integration that it extends.
    pub extends: Option<IntegrationName>,
    /// Where requests go.
    pub destination: String,
    /// What is not quite the same.
    pub notes: Vec<Note>,
    /// Secrets that stand in the file itself.
    pub literals: usize,
}

impl Integration {
    /// The text of our file, with the place that it was translated from.
    #[must_use]
    pub fn document(&self) -> String {
        let Written { text, file, line, .. } = &self.written;
        format!("# `{}` of {file}, line {line}.\n{text}", self.theirs)
    }
}

/// What became of something that has no exact counterpart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note(pub String);

impl Config {
    /// Translates every entry. `keep` is asked for each secret that stands in the file itself.
    ///
    /// # Errors
    /// The line of the first entry that has no counterpart.
    pub fn translate(&self, options: &Options, keep: &mut Keep<'_>) -> Result<Translated, Error> {
        let (mut taken, file) = (Taken::new(), Arc::from(self.file.as_str()));
        let each = self.integrations.iter().map(|entry| self.next(entry, &file, options, keep, &mut taken));
        Ok(Translated { integrations: each.collect::<Result<_, _>>()? })
    }

    /// Translates every entry that has a counterpart, and says of each other one why it has none: its name and its line there.
    pub fn translate_each(&self, options: &Options, keep: &mut Keep<'_>) -> (Translated, Vec<Untaken>) {
        let (mut taken, file) = (Taken::new(), Arc::from(self.file.as_str()));
        let (mut integrations, mut untaken) = (Vec::new(), Vec::new());
        for entry in &self.integrations {
            let next = self.next(entry, &file, options, keep, &mut taken);
            match next.and_then(|integration| integration.written.check().map(|()| integration)) {
                Ok(integration) => integrations.push(integration),
                Err(why) => {
                    let name = &entry.value.name;
                    untaken.push(Untaken { theirs: name.value.clone(), line: name.referenced.line(), why });
                }
            }
        }
        (Translated { integrations }, untaken)
    }

    fn next(
        &self,
        entry: &Spanned<Entry>,
        file: &Arc<str>,
        options: &Options,
        keep: &mut Keep<'_>,
        taken: &mut Taken,
    ) -> Result<Integration, Error> {
        let line = entry.value.name.referenced.line();
        let integration = self.entry(&entry.value, (file, line), options, keep)?;
        let name = &integration.written.name;
        if let Some((theirs, at)) = taken.insert(name.clone(), (integration.theirs.clone(), line)) {
            let problem = if theirs.eq_ignore_ascii_case(&integration.theirs) {
                format!("the integration `{theirs}` is described already in line {at}")
            } else {
                format!(
                    "`{}` and `{theirs}` (line {at}) would both be called `{name}`; give one another name",
                    integration.theirs
                )
            };
            return Err(Error::Invalid { file: self.file.clone(), line, problem });
        }
        Ok(integration)
    }

    /// The only entry, without a look at others. `None` where there is another number of them, or something is wrong.
    pub(crate) fn only(
        &self,
        file: &Arc<str>,
        options: &Options,
        keep: &mut Keep<'_>,
    ) -> Option<Integration> {
        let [entry] = self.integrations.as_slice() else { return None };
        let line = entry.value.name.referenced.line();
        self.entry(&entry.value, (file, line), options, keep).ok()
    }

    fn entry(
        &self,
        entry: &Entry,
        (file, line): (&Arc<str>, u64),
        options: &Options,
        keep: &mut Keep<'_>,
    ) -> Result<Integration, Error> {
        let wrong = |line: u64, problem: String| Error::Invalid { file: self.file.clone(), line, problem };
        let named = name::named(&entry.name.value).map_err(|problem| wrong(line, problem.to_owned()))?;
        let at = entry.destination.referenced.line();
        let destination =
            destination::read(&entry.destination.value).map_err(|problem| wrong(at, problem))?;
        if destination.base_url.starts_with("http://") && !options.dangerous_allow_private {
            return Err(wrong(at, PLAIN.to_owned()));
        }
        let extends = home::kind(&named.name, &destination.host, &destination.base_path);
        let mut draft = Draft::new(&self.file, named.name.clone(), options, keep);
        let mut sends = false;
        for plugin in entry.outgoing_auth.iter().flatten() {
            let (kind, params) = self.params(plugin);
            sends |= kind.0 != "passthrough";
            plugin::outgoing::add(&mut draft, kind, params)?;
        }
        for plugin in entry.incoming_auth.iter().flatten() {
            let (kind, params) = self.params(plugin);
            plugin::incoming::add(&mut draft, kind, params)?;
        }
        draft.notes.extend((!sends).then(|| UNSENT.to_owned()));
        draft.notes.extend(noted_times(entry));
        let limits = self.limits(entry, options)?;
        let connections = self.connections(entry)?;
        let mut keys = whose(&entry.name.value, &named, extends.as_ref(), &destination);
        let secrets = draft.secrets();
        if secrets.as_object().is_some_and(|fields| !fields.is_empty()) {
            keys.push(("secrets", secrets));
        }
        keys.push(("auth", json!(draft.auth)));
        let anonymous = draft.incoming.is_empty();
        keys.push(("incoming", json!(draft.incoming)));
        if anonymous {
            keys.push(("anonymous", json!(true)));
        }
        keys.push(("limits", limits));
        keys.extend(connections.map(|connections| ("connections", connections)));
        if options.dangerous_allow_private {
            keys.push(("dangerous_allow_private", json!(true)));
        }
        if entry.tls_insecure_skip_verify == Some(Switch(true)) {
            keys.push(("tls_insecure_skip_verify", json!(true)));
            draft.notes.push("`tls_insecure_skip_verify`: whoever answers gets the credential".to_owned());
        }
        if let Some(alias) = &named.alias {
            draft.notes.push(format!(
                "`{alias}` is called `{}` here; callers may go on using the former name",
                named.name
            ));
        }
        let text = text::document(&keys).into();
        Ok(Integration {
            theirs: entry.name.value.clone(),
            written: Written { name: named.name, text, file: Arc::clone(file), line },
            extends: extends.map(|kind| kind.name),
            destination: destination.base_url,
            literals: draft.literals,
            notes: draft.notes.into_iter().map(Note).collect(),
        })
    }

    fn params<'a>(&'a self, plugin: &'a Spanned<Way>) -> ((&'a str, u64), Params<'a>) {
        let kind = (plugin.value.kind.value.as_str(), plugin.value.kind.referenced.line());
        (kind, Params::new(&self.file, kind, plugin.value.params.as_ref()))
    }

    fn duration(&self, key: &str, entry: Option<&Spanned<Value>>) -> Result<Option<Duration>, Error> {
        let Some(entry) = entry.filter(|entry| !entry.value.is_null()) else { return Ok(None) };
        let wrong = || Error::Invalid {
            file: self.file.clone(),
            line: entry.referenced.line(),
            problem: format!("`{key}` is a duration such as `90s` or `1m30s`"),
        };
        duration::read(&entry.value).map(Some).ok_or_else(wrong)
    }

    /// Their defaults, as far as they have one. What they leave without an end has a far one here.
    fn limits(&self, entry: &Entry, options: &Options) -> Result<Value, Error> {
        let handshake = self.duration("tls_handshake_timeout", entry.tls_handshake_timeout.as_ref())?;
        let connect =
            (DIAL + handshake.filter(|time| !time.is_zero()).unwrap_or(HANDSHAKE)).min(LONGEST_CONNECT);
        let head = self.duration("response_header_timeout", entry.response_header_timeout.as_ref())?;
        let head = head.filter(|time| !time.is_zero()).unwrap_or(LONG);
        let body = options.body.map_or_else(|| ENDLESS.to_owned(), |bytes| format!("{bytes}B"));
        let mut limits = json!({
            "connect": duration::ours(connect), "head": duration::ours(head), "total": duration::ours(DAY),
            "idle": duration::ours(LONG), "body": body,
        });
        let window = self.duration("rate_limit_window", entry.rate_limit_window.as_ref())?;
        if let (Some(window), Some(written)) = (window, &entry.rate_limit_window)
            && window.is_zero()
        {
            let problem = "`rate_limit_window` is longer than nothing".to_owned();
            return Err(Error::Invalid { file: self.file.clone(), line: written.referenced.line(), problem });
        }
        let window = window.unwrap_or(MINUTE);
        let strategy = self.strategy(entry)?;
        let Some(fields) = limits.as_object_mut() else { return Ok(limits) };
        for (ours, theirs, limit) in [
            ("caller_rate", "in_rate_limit", &entry.in_rate_limit),
            ("rate", "out_rate_limit", &entry.out_rate_limit),
        ] {
            let Some(limit) = limit.as_ref().filter(|limit| limit.value > 0) else { continue };
            let wrong = |_| Error::Invalid {
                file: self.file.clone(),
                line: limit.referenced.line(),
                problem: format!("`{theirs}` is at most {}", u32::MAX),
            };
            let calls = u32::try_from(limit.value).map_err(wrong)?;
            let rate = json!({ "calls": calls, "per": duration::ours(window), "strategy": strategy });
            fields.insert(ours.to_owned(), rate);
        }
        Ok(limits)
    }

    fn strategy<'a>(&self, entry: &'a Entry) -> Result<&'a str, Error> {
        let Some(written) = &entry.rate_limit_strategy else { return Ok("fixed_window") };
        match written.value.as_str() {
            "" => Ok("fixed_window"),
            known @ ("fixed_window" | "token_bucket" | "leaky_bucket" | "sliding_window") => Ok(known),
            _ => Err(Error::Invalid {
                file: self.file.clone(),
                line: written.referenced.line(),
                problem: "`rate_limit_strategy` is `fixed_window`, `sliding_window`, `token_bucket` or `leaky_bucket`"
                    .to_owned(),
            }),
        }
    }

    /// The pool, where the file says anything about it.
    fn connections(&self, entry: &Entry) -> Result<Option<Value>, Error> {
        let mut fields = serde_json::Map::new();
        let number = |key: &str, entry: &Option<Spanned<i64>>| -> Result<Option<u64>, Error> {
            let Some(entry) = entry else { return Ok(None) };
            let wrong = |_| Error::Invalid {
                file: self.file.clone(),
                line: entry.referenced.line(),
                problem: format!("`{key}` is not below zero"),
            };
            u64::try_from(entry.value).map(|number| (number > 0).then_some(number)).map_err(wrong)
        };
        let all = number("max_idle_conns", &entry.max_idle_conns)?;
        let per_host = number("max_idle_conns_per_host", &entry.max_idle_conns_per_host)?;
        // One integration has one host, so the narrower of the two is what counted.
        if let Some(idle) = [all, per_host].into_iter().flatten().min() {
            fields.insert("idle".to_owned(), json!(idle));
        }
        let idle_for = self.duration("idle_conn_timeout", entry.idle_conn_timeout.as_ref())?;
        if let Some(idle_for) = idle_for.filter(|time| !time.is_zero()) {
            fields.insert("idle_for".to_owned(), json!(duration::ours(idle_for.min(LONG))));
        }
        let handshake = self.duration("tls_handshake_timeout", entry.tls_handshake_timeout.as_ref())?;
        if let Some(handshake) = handshake.filter(|time| !time.is_zero()) {
            fields.insert("handshake".to_owned(), json!(duration::ours(handshake.min(LONG))));
        }
        if entry.disable_keep_alives == Some(Switch(true)) {
            fields.insert("keep_alive".to_owned(), json!(false));
        }
        Ok((!fields.is_empty()).then_some(Value::Object(fields)))
    }
}

/// What is not quite the same about times.
fn noted_times(entry: &Entry) -> Vec<String> {
    let times = [
        ("rate_limit_window", &entry.rate_limit_window, false),
        ("idle_conn_timeout", &entry.idle_conn_timeout, true),
        ("tls_handshake_timeout", &entry.tls_handshake_timeout, true),
        ("response_header_timeout", &entry.response_header_timeout, false),
    ];
    let mut notes = Vec::new();
    for (key, written, an_hour) in times {
        let Some(written) = written else { continue };
        if written.value.as_u64().is_some_and(|nanos| nanos > 0) {
            notes.push(format!(
                "`{key}` is a number without a unit, which counts nanoseconds: write `60s` for a minute"
            ));
        }
        if an_hour && duration::read(&written.value).is_some_and(|time| time > LONG) {
            notes.push(format!("`{key}` is an hour here, which is the longest"));
        }
    }
    notes
}

/// Who it is, what it is made from, and where it is.
fn whose(
    theirs: &str,
    named: &name::Named,
    extends: Option<&home::Kind>,
    destination: &destination::Destination,
) -> Vec<(&'static str, Value)> {
    let mut keys = vec![("name", json!(named.name.as_str()))];
    match extends {
        Some(kind) => keys.push(("extends", json!(kind.name.as_str()))),
        None => keys.push(("title", json!(theirs))),
    }
    keys.push(("base_url", json!(destination.base_url)));
    if extends.is_some_and(|kind| kind.holds_back) {
        // There, rules alone say what may be done.
        keys.push(("enable", json!(["*"])));
    }
    if extends.is_some_and(|kind| kind.whole_paths) {
        keys.push(("whole_paths", json!(true)));
    }
    keys.extend(destination.query.as_ref().map(|query| ("query", json!(query))));
    keys.extend(named.alias.as_ref().map(|alias| ("aliases", json!([alias]))));
    keys
}

/// Of an integration that puts nothing on a call.
const UNSENT: &str = "nothing is put on its calls, and what a caller sends as a credential (`Authorization`, `X-API-Key` and the like) is not passed on";
const PLAIN: &str = "`destination` is plain http, which a credential goes over only to a private address, and there with \
                     `--dangerous-allow-private`";
const DIAL: Duration = Duration::from_secs(30);
const HANDSHAKE: Duration = Duration::from_secs(10);
/// What a connection may take here at most.
const LONGEST_CONNECT: Duration = Duration::from_secs(60);
const MINUTE: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
/// They stream bodies of every size.
const ENDLESS: &str = "1048576GiB";
