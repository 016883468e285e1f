//! What a case is: a profile file, stored keys, command lines, and what has to come of them.
//!
//! `cases.json`, `cases_more.json` and `cases_own.json` hold them. `{WORK}` is the home of the case, `{ENDPOINT}` the fake of AWS, `{BIN}` (in
//! `shell`) the binary. `verdict: keep` is behaviour that people rely on; `improve` differs on purpose, and `note` says how
//! and why. An unknown key is an error.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// A data file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Book {
    #[serde(rename = "about")]
    _about: String,
    #[serde(rename = "placeholders", default)]
    _placeholders: BTreeMap<String, String>,
    pub(crate) cases: Vec<Case>,
}

/// One case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// `GROUP/NAME`.
    pub(crate) id: String,
    pub(crate) title: String,
    /// Where the expectation comes from.
    #[serde(rename = "origin")]
    _origin: String,
    pub(crate) verdict: Verdict,
    pub(crate) note: Option<String>,
    /// The profile file; `None`: there is none.
    pub(crate) config: Option<String>,
    /// More files by path in the home; one that begins with `#!` can be run.
    #[serde(default)]
    pub(crate) files: BTreeMap<String, String>,
    /// Variables of all steps; `null` takes one away.
    #[serde(default)]
    pub(crate) env: Environment,
    /// Keys that are stored before the first step: name to access key id.
    #[serde(default)]
    pub(crate) vault: BTreeMap<String, String>,
    /// Options of the fake of AWS (`testkit::aws::Options`).
    #[serde(default)]
    pub(crate) server: Map<String, Value>,
    /// Whether https goes through the proxy of the fake.
    #[serde(default)]
    pub(crate) tls_proxy: bool,
    /// What the machine has to have.
    #[serde(default)]
    pub(crate) needs: Vec<Need>,
    pub(crate) steps: Vec<Step>,
}

/// Variables; `None` takes one away.
pub(crate) type Environment = BTreeMap<String, Option<String>>;

/// Whether the behaviour is that of the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    Keep,
    Improve,
}

/// What a machine may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Need {
    /// A network namespace of its own, which root may make.
    OwnNetwork,
}

/// One command.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// The arguments of the binary.
    #[serde(default)]
    pub(crate) argv: Vec<String>,
    /// A line for `sh`, instead.
    pub(crate) shell: Option<String>,
    /// A conversation: the command runs on a terminal, and its output is `stdout`.
    pub(crate) tty: Option<Vec<Turn>>,
    #[serde(default)]
    pub(crate) env: Environment,
    /// Options of the fake that change before this step.
    pub(crate) server: Option<Value>,
    /// Seconds until it is ended; 60 where nothing is said.
    pub(crate) timeout: Option<u64>,
    #[serde(default)]
    pub(crate) expect: Expect,
}

/// One turn of a conversation on a terminal.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Turn {
    /// What has to be shown first, as a regular expression.
    pub(crate) wait: String,
    /// What is typed then.
    pub(crate) say: String,
}

/// What has to come of a step. What is not said is not looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Expect {
    /// The exit status; the negative number of the signal that ended it.
    pub(crate) rc: Option<i32>,
    pub(crate) stdout: Option<String>,
    pub(crate) stdout_contains: Vec<String>,
    pub(crate) stdout_lacks: Vec<String>,
    pub(crate) stdout_match: Option<String>,
    pub(crate) stderr: Option<String>,
    pub(crate) stderr_contains: Vec<String>,
    pub(crate) stderr_lacks: Vec<String>,
    pub(crate) stderr_match: Option<String>,
    /// All calls of AWS, in order.
    pub(crate) calls: Option<Vec<Expected>>,
    /// Patterns that the names in the folder of keys have to match.
    pub(crate) keys_match: Vec<String>,
    /// How many files are in the folder of keys.
    pub(crate) keys_count: Option<usize>,
    /// The profile file, byte for byte.
    pub(crate) config_after: Option<String>,
    /// Patterns for the contents of files in the home.
    pub(crate) files_match: BTreeMap<String, String>,
    /// Files that must not be there.
    pub(crate) files_absent: Vec<String>,
}

/// One expected call.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expected {
    pub(crate) api: String,
    /// Whether the call may be missing.
    #[serde(default)]
    pub(crate) optional: bool,
    #[serde(default)]
    pub(crate) params: Map<String, Value>,
    #[serde(default)]
    pub(crate) params_match: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) absent: Vec<String>,
    pub(crate) tags: Option<BTreeMap<String, String>>,
    pub(crate) transitive: Option<Vec<String>>,
    /// `null`: it must not be signed.
    #[serde(default, deserialize_with = "even_null")]
    pub(crate) signed_by: Option<Option<String>>,
    #[serde(default, deserialize_with = "even_null")]
    pub(crate) region: Option<Option<String>>,
}

impl Case {
    /// The part of the id before the slash.
    pub(crate) fn group(&self) -> &str {
        self.id.split('/').next().unwrap_or_default()
    }
}

impl Step {
    /// Every regular expression in it.
    pub(crate) fn patterns(&self) -> Vec<&str> {
        let Expect { stdout_match, stderr_match, keys_match, files_match, calls, .. } = &self.expect;
        let mut all: Vec<&str> =
            stdout_match.iter().chain(stderr_match).chain(keys_match).map(String::as_str).collect();
        all.extend(files_match.values().map(String::as_str));
        all.extend(calls.iter().flatten().flat_map(|call| call.params_match.values()).map(String::as_str));
        all.extend(self.tty.iter().flatten().map(|turn| turn.wait.as_str()));
        all
    }
}

/// Every case of all files.
pub(crate) fn all() -> Vec<Case> {
    let read = |name: &str, text: &str| -> Vec<Case> {
        let book: Book = serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        book.cases
    };
    let mut cases = read("cases.json", include_str!("cases.json"));
    cases.extend(read("cases_more.json", include_str!("cases_more.json")));
    cases.extend(read("cases_own.json", include_str!("cases_own.json")));
    cases
}

/// Tells `null` from nothing.
fn even_null<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(from).map(Some)
}
