//! Case files: a request, the call that it is, what goes out, what comes back. `doorward integration test` and this crate's
//! own tests run them.
//!
//! A case is either a request (`request: POST /path`, relative to the service root) or a named operation (`named:
//! secret.put`). Credentials are canaries: the text of the secret `token` is `CANARY-token`. What goes out is written by a
//! function that the runner is given, so that the broker can run the same files through its own injection.

mod command;
mod run;

use std::collections::{BTreeMap, BTreeSet};

use model::{Call, OperationName};
use serde::Deserialize;

use crate::auth::Rendered;
use crate::{Error, Integration, embedded, yaml};

pub use run::{Outcome, run};

/// What goes out: the whole URL, and the headers that we set, names in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sent {
    /// Scheme, authority, path and query.
    pub url: String,
    /// Names and values.
    pub headers: BTreeMap<String, String>,
}

/// Writes what goes out for a call.
pub type Inject<'a> = &'a dyn Fn(&Integration, &Call) -> Sent;

/// One case of a case file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    title: Option<String>,
    request: Option<String>,
    named: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, HeaderLines>,
    body: Option<serde_json::Value>,
    operation: Option<String>,
    access: Option<model::Access>,
    resource: Option<String>,
    inputs: Option<BTreeMap<String, String>>,
    sends: Option<SentEntry>,
    reply: Option<ReplyEntry>,
    evidence: Option<BTreeMap<String, String>>,
    /// What in the reply says that it was not done.
    unmet: Option<String>,
    /// What the reply says of what is waited for, where it is not there.
    waits: Option<String>,
    /// The reply without what is secret in it.
    shown: Option<serde_json::Value>,
    cli: Option<CommandEntry>,
    refused: Option<String>,
}

/// One header line, or several of the same name.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum HeaderLines {
    One(String),
    Several(Vec<String>),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct SentEntry {
    #[serde(default)]
    url: String,
    headers: Option<BTreeMap<String, String>>,
    /// Headers that belong to the operation, with the content type.
    with: Option<BTreeMap<String, String>>,
    /// The body that is written for a named operation.
    body: Option<serde_json::Value>,
    /// Nothing is sent: an input can only be said to a program, or one is missing that only requests need.
    refused: Option<String>,
}

/// The same operation as a command.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct CommandEntry {
    /// The program and its arguments; places that are filled later stand in braces.
    #[serde(default)]
    argv: Vec<String>,
    /// Text, or JSON.
    stdin: Option<serde_json::Value>,
    files: Option<BTreeMap<String, String>>,
    folder: Option<String>,
    /// What the program prints.
    prints: Option<serde_json::Value>,
    evidence: Option<BTreeMap<String, String>>,
    /// What it prints without what is secret in it.
    shown: Option<serde_json::Value>,
    refused: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplyEntry {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<serde_json::Value>,
}

impl Case {
    /// What it is called in a report: its title, or its request.
    #[must_use]
    pub fn name(&self) -> &str {
        self.title.as_deref().or(self.request.as_deref()).or(self.named.as_deref()).unwrap_or("(no request)")
    }
}

/// Reads a case file.
///
/// # Errors
/// When it is not a list of cases.
pub fn load(text: &str, file: &str) -> Result<Vec<Case>, Error> {
    yaml::read(text, file)
}

/// The case file of a built-in integration.
#[must_use]
pub fn built_in(name: &str) -> Option<&'static str> {
    embedded::find(name).map(|(_, entry)| entry.cases)
}

/// A built-in integration for its cases. One that lives at an address of the user's own gets `domain.example.com`.
///
/// # Errors
/// When there is none of this name, or its file is wrong.
pub fn integration(name: &model::IntegrationName) -> Result<Integration, Error> {
    let Some((_, entry)) = embedded::find(name.as_str()) else {
        return Err(Error::Unknown { name: name.clone(), nearest: None });
    };
    let mut integration = crate::catalog::built_in(entry, Some("domain.example.com"))?;
    integration.operations.values_mut().for_each(|operation| operation.enabled = true);
    Ok(integration)
}

/// The operations that no case is about.
#[must_use]
pub fn uncovered(integration: &Integration, cases: &[Case]) -> Vec<OperationName> {
    let covered: BTreeSet<&str> = cases
        .iter()
        .filter(|case| case.refused.is_none())
        .filter_map(|case| case.operation.as_deref().or(case.named.as_deref()))
        .collect();
    integration.operations().keys().filter(|name| !covered.contains(name.as_str())).cloned().collect()
}

/// The operations that a program does and whose command no case shows.
#[must_use]
pub fn without_command(integration: &Integration, cases: &[Case]) -> Vec<OperationName> {
    let shown: BTreeSet<&str> = cases
        .iter()
        .filter(|case| case.cli.as_ref().is_some_and(|cli| !cli.argv.is_empty()))
        .filter_map(|case| case.named.as_deref())
        .collect();
    let commands = integration.operations().values().filter(|operation| operation.cli().is_some());
    commands.map(crate::Operation::name).filter(|name| !shown.contains(name.as_str())).cloned().collect()
}

/// What goes out with canaries for credentials.
#[must_use]
pub fn canary(integration: &Integration, call: &Call) -> Sent {
    let Some((_, authority, target)) = call.request() else { return Sent::default() };
    let mut sent = Sent { url: String::new(), headers: integration.headers().clone() };
    let mut path = target.path().strip_prefix(integration.base_path()).unwrap_or_default().to_owned();
    let mut query = target.query().map(str::to_owned);
    for scheme in integration.auth() {
        match scheme.render(&|field| format!("CANARY-{field}")) {
            Rendered::Header(name, value) => {
                sent.headers.insert(name, value);
            }
            Rendered::Query(name, value) => {
                query = Some(
                    query.map_or_else(String::new, |query| format!("{query}&")) + &format!("{name}={value}"),
                );
            }
            Rendered::Path(segment) => path = format!("/{segment}{path}"),
            Rendered::PathEnd(segment) => path = format!("{}/{segment}", path.trim_end_matches('/')),
            Rendered::Cookie(name, value) => {
                let cookies = sent.headers.entry("cookie".to_owned()).or_default();
                let mark = if cookies.is_empty() { "" } else { "; " };
                cookies.push_str(&format!("{mark}{name}={value}"));
            }
            Rendered::Untold => {}
        }
    }
    let query = query.map_or_else(String::new, |query| format!("?{query}"));
    sent.url = format!("{authority}{}{path}{query}", integration.base_path());
    sent
}
