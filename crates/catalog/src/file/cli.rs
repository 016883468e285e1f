//! How an operation is done by a program, as it is written.

use std::collections::BTreeMap;
use std::fmt;

use model::IntegrationName;
use schemars::JsonSchema;
use serde::de::{self, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};

use super::auth::OneOrMore;

/// How the program of an integration is run.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProgramEntry {
    /// The program, by its name on the PATH.
    pub(crate) program: String,
    /// Arguments that make it print its version, and do nothing else.
    #[serde(default)]
    pub(crate) version: Vec<String>,
    /// What the first line of its version begins with, one of these, where other programs have the same name. One that says something else is not used.
    #[serde(default)]
    pub(crate) says: Vec<String>,
    /// Its environment besides the usual: text with `{folder}`, `{files}`, `{file:NAME}`, `{base_url}`, `{host}`, `{ca}` or
    /// `{lease:FIELD}`. One that names what is not there is left out.
    #[serde(default)]
    pub(crate) environment: BTreeMap<String, String>,
    /// Files that are written for one run and wiped after it, by name: text with `{secret:NAME}`, `{credential}`, `{base_url}`
    /// or `{host}`. `{{` and `}}` are braces.
    #[serde(default)]
    pub(crate) files: BTreeMap<String, String>,
    /// It speaks with a helper of its own over a Unix socket. Only bubblewrap runs it, in which no socket of the machine can be seen; where
    /// there is none, requests are sent.
    #[serde(default)]
    pub(crate) unix_sockets: bool,
    /// The integration that lends what `{lease:FIELD}` stands for.
    #[schemars(with = "Option<String>")]
    pub(crate) lease: Option<IntegrationName>,
}

impl ProgramEntry {
    /// Whether the program learns where the service is, whose address the built-in file has so and the user's own so. One that is told the host
    /// only takes scheme and path from its own manual.
    pub(crate) fn is_told_where(&self, built_in: Option<&str>, own: &str) -> bool {
        let says =
            |what: &str| self.environment.values().chain(self.files.values()).any(|text| text.contains(what));
        let same =
            own.starts_with("https://") && built_in.is_some_and(|built_in| path_of(built_in) == path_of(own));
        says("{base_url}") || same && says("{host}")
    }
}

/// What stands behind the host.
fn path_of(url: &str) -> &str {
    let behind = url.split_once("://").map_or(url, |(_, rest)| rest);
    behind.find('/').and_then(|at| behind.get(at..)).unwrap_or_default().trim_end_matches('/')
}

/// An operation as a command.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CliEntry {
    /// The program, where it is not the integration's.
    pub(crate) program: Option<String>,
    /// Its arguments. `{input}` is replaced within one argument; one that names an input that is not there is left out.
    pub(crate) args: Vec<ArgEntry>,
    /// What the program reads from standard input, such as `{request_body}`.
    pub(crate) stdin: Option<String>,
    /// Files that are written for this run, by name, such as `{patch}`; `{file:NAME}` in an argument is the path.
    #[serde(default)]
    pub(crate) files: BTreeMap<String, String>,
    /// A folder of the caller in which the program works, such as `{repository}`.
    pub(crate) folder: Option<String>,
    /// It only looks at that folder: nothing in there can be written.
    #[serde(default)]
    pub(crate) looks: bool,
    /// How standard output is written; `json` where it is absent.
    pub(crate) output: Option<crate::Output>,
    /// Fields of standard output that are kept as evidence: a dotted path, or `line:NUMBER`.
    #[serde(default)]
    pub(crate) evidence: BTreeMap<String, String>,
    /// Where in its JSON a Kubernetes manifest stands. Evidence of a write tells line by line what differs between the one that a read
    /// before it printed, and the one that it printed itself or a read behind it; what is secret in them stands there as digests.
    pub(crate) outline: Option<String>,
    /// Exit statuses that mean that it was done; 0 where it is absent.
    #[serde(default)]
    pub(crate) exits: Vec<u8>,
    /// For how long it may run, such as `10m`; as long as the integration's `total` where it is absent.
    pub(crate) timeout: Option<String>,
    /// It does its work without the service: files with a secret are not written for it, so whatever else runs beside it has none to find.
    #[serde(default)]
    pub(crate) keyless: bool,
    /// With which inputs the program does it. With others the request is sent.
    #[serde(default)]
    pub(crate) only: Vec<OnlyEntry>,
    /// Inputs that the program has no need of. Any other input that the command does not name is refused when it is given.
    #[serde(default)]
    pub(crate) ignores: Vec<String>,
}

/// What has to hold for a program to do an operation, because with other inputs it would do something else than the request.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OnlyEntry {
    /// The input with which this counts; always where it is absent.
    pub(crate) when: Option<String>,
    /// A text with `{input}`s in it; one that is not there is nothing.
    pub(crate) text: String,
    /// A regular expression that the whole text has to match.
    pub(crate) pattern: String,
}

/// One argument, or several that come and go together.
#[derive(Debug, Clone)]
pub(crate) enum ArgEntry {
    /// One.
    One(String),
    /// Several, left out together.
    Several(Vec<String>),
    /// Several under a condition.
    If(Condition),
}

/// Arguments that are there only with, or only without, an input.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Condition {
    /// The inputs that have to be there, and not `false`.
    pub(crate) when: Option<OneOrMore>,
    /// The inputs of which none may be there.
    pub(crate) unless: Option<OneOrMore>,
    /// The arguments.
    pub(crate) args: Vec<String>,
}

impl JsonSchema for ArgEntry {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ArgEntry".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let condition = generator.subschema_for::<Condition>();
        schemars::json_schema!({ "anyOf": [
            { "type": "string" },
            { "type": "array", "items": { "type": "string" }, "minItems": 1 },
            condition,
        ] })
    }
}

impl<'de> Deserialize<'de> for ArgEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ArgVisitor)
    }
}

struct ArgVisitor;

impl<'de> Visitor<'de> for ArgVisitor {
    type Value = ArgEntry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an argument, a list of arguments, or `when` or `unless` with `args`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<ArgEntry, E> {
        Ok(ArgEntry::One(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<ArgEntry, A::Error> {
        let mut all = Vec::new();
        while let Some(one) = list.next_element()? {
            all.push(one);
        }
        Ok(ArgEntry::Several(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ArgEntry, A::Error> {
        Condition::deserialize(MapAccessDeserializer::new(map)).map(ArgEntry::If)
    }
}
