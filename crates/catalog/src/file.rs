//! What a file may hold, as it is written. Nothing here is checked beyond its form; `compile` gives it a meaning.
//!
//! Every structure refuses unknown keys. The doc comments are the descriptions of the JSON Schema that editors use.

use std::collections::BTreeMap;
use std::fmt;

use model::{IntegrationName, SecretRef};
use schemars::JsonSchema;
use serde::de::{self, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

use crate::limits::Strategy;

mod auth;
mod cli;
mod connection;
mod incoming;
mod operation;

pub(crate) use auth::{AlgorithmWord, AuthEntry, AuthWord, ClientAuthWord, GrantWord, OneOrMore};
pub(crate) use cli::{ArgEntry, CliEntry, OnlyEntry, ProgramEntry};
pub(crate) use connection::{BreakerEntry, ConnectionsEntry, RetriesEntry, TlsEntry};
pub(crate) use incoming::{
    CertificateEntry, GithubEntry, GoogleEntry, HmacEntry, IncomingEntry, JwtEntry, JwtKeyEntry, KeyEntry,
    OidcEntry, SlackEntry, StripeEntry, Texts, TwilioEntry, XfccEntry,
};
pub(crate) use operation::{
    AllowEntry, AroundEntry, GuardWord, InputEntry, NarrowingEntry, OperationEntry, PlaceWord, PollEntry,
};

/// One integration: a whole one, or one that extends a built-in one.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// The name, equal to the name of the file without `.yaml`.
    #[schemars(with = "String")]
    pub(crate) name: IntegrationName,
    /// The built-in integration that this file changes.
    #[schemars(with = "Option<String>")]
    pub(crate) extends: Option<IntegrationName>,
    /// The name for people.
    pub(crate) title: Option<String>,
    /// Where the service documents its API.
    pub(crate) docs: Option<String>,
    /// Doorward's own operations: no address, no credential.
    #[serde(default)]
    pub(crate) internal: bool,
    /// Scheme, host, optional port, optional base path; may contain `{domain}`. A `*` in the host is named by each call.
    #[schemars(with = "Option<String>")]
    pub(crate) base_url: Option<Spanned<String>>,
    /// The built-in operations stay where they are at the service, although `base_url` holds more or less of their paths than the
    /// built-in one. Only with `extends`.
    #[serde(default)]
    pub(crate) whole_paths: bool,
    /// What stands for `{domain}`.
    #[schemars(with = "Option<String>")]
    pub(crate) domain: Option<Spanned<String>>,
    /// Every host that the credential may go to; the one of `base_url` where it is absent.
    #[schemars(with = "Option<Vec<String>>")]
    pub(crate) hosts: Option<Vec<Spanned<String>>>,
    /// Pairs that stand in front of every query, such as `api-version=2024-10-21`. Only in files of your own.
    #[schemars(with = "Option<String>")]
    pub(crate) query: Option<Spanned<String>>,
    /// Names under which callers ask for it at the gateway besides its own, in lower case. Only in files of your own.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(crate) aliases: Vec<Spanned<String>>,
    /// Headers that are set where the caller set none.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub(crate) headers: BTreeMap<String, Spanned<String>>,
    /// What has a request done on behalf of somebody else than whose the credential is, or elsewhere: fields of a body as dotted paths,
    /// and `header:NAME`, where a `*` at the end of a name is any rest. A request with one of them is none of the operations.
    #[serde(default)]
    pub(crate) on_behalf: Vec<String>,
    /// The operations that a request which nobody described may amount to, where it is no plain read. What holds one of them back (a
    /// `guard`, a policy) holds such requests back too.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(crate) undescribed: Vec<Spanned<String>>,
    /// What says at the service which operation is asked for, whatever method and path are: names of fields of a query or a form, and
    /// `header:NAME`. A request that says one of the operations there, and can't be read as it, is held back by what holds that back.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(crate) operation_in: Vec<Spanned<String>>,
    /// What else a request may say at the places of `operation_in` and amounts to one of the operations: the operation's name with a regular
    /// expression that the whole word has to match, letter case apart, or what stands behind its last dot. What holds the operation back holds such
    /// requests back too.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub(crate) words_like: BTreeMap<String, Spanned<String>>,
    /// The secrets that it needs: a reference, or a description.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, SecretEntry>")]
    pub(crate) secrets: BTreeMap<String, Spanned<SecretEntry>>,
    /// How the credential is put on a request.
    #[schemars(with = "Option<Vec<AuthEntry>>")]
    pub(crate) auth: Option<Vec<Spanned<AuthEntry>>>,
    /// How callers without a capability prove who they are; all of these have to accept. Only in files of your own.
    #[schemars(with = "Option<Vec<IncomingEntry>>")]
    pub(crate) incoming: Option<Vec<Spanned<IncomingEntry>>>,
    /// Callers without any proof are let to the lists, which say what anybody may do. Only in files of your own.
    #[serde(default)]
    pub(crate) anonymous: bool,
    /// Time-outs, sizes and rates.
    #[schemars(with = "Option<LimitsEntry>")]
    pub(crate) limits: Option<Spanned<LimitsEntry>>,
    /// Who is believed to be the service. Only in files of your own.
    #[schemars(with = "Option<TlsEntry>")]
    pub(crate) tls: Option<Spanned<TlsEntry>>,
    /// The proxy through which the service is reached: `http://HOST:PORT`. Only in files of your own.
    #[schemars(with = "Option<String>")]
    pub(crate) proxy: Option<Spanned<String>>,
    /// Further places that the program may reach, such as `https://charts.example.com`; the credential is not for them. Only in
    /// files of your own.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(crate) reaches: Vec<Spanned<String>>,
    /// How many connections, and for how long.
    #[schemars(with = "Option<ConnectionsEntry>")]
    pub(crate) connections: Option<Spanned<ConnectionsEntry>>,
    /// How often a call that may be repeated is repeated; never where it is absent.
    #[schemars(with = "Option<RetriesEntry>")]
    pub(crate) retries: Option<Spanned<RetriesEntry>>,
    /// When a service that fails is left alone; never where it is absent.
    #[schemars(with = "Option<BreakerEntry>")]
    pub(crate) breaker: Option<Spanned<BreakerEntry>>,
    /// A read that tells whether the credential works.
    #[schemars(with = "Option<ProbeEntry>")]
    pub(crate) probe: Option<Spanned<ProbeEntry>>,
    /// Reads by name that tell whether a credential works, by what they are called.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, TrialEntry>")]
    pub(crate) trials: BTreeMap<String, Spanned<TrialEntry>>,
    /// Harmless questions at the service about what the credential may do, for `doorward doctor`.
    #[serde(default)]
    #[schemars(with = "Vec<RightEntry>")]
    pub(crate) permissions: Vec<Spanned<RightEntry>>,
    /// How the program that does the operations is run.
    #[schemars(with = "Option<ProgramEntry>")]
    pub(crate) cli: Option<Spanned<ProgramEntry>>,
    /// The named reads and writes.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, OperationEntry>")]
    pub(crate) operations: BTreeMap<String, Spanned<OperationEntry>>,
    /// Built-in operations that are off until they stand here; `*` for all of them. Only with `extends`.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(crate) enable: Vec<Spanned<String>>,
    /// Ready-made narrowings.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, NarrowingEntry>")]
    pub(crate) capabilities: BTreeMap<String, Spanned<NarrowingEntry>>,
    /// Lets the credential go to private and loopback addresses, and over plain http. Only in files of your own.
    #[serde(default)]
    pub(crate) dangerous_allow_private: bool,
    /// Takes the word of anybody who answers. Only in files of your own.
    #[serde(default)]
    pub(crate) tls_insecure_skip_verify: bool,
}

/// A secret that an integration needs.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretDescription {
    /// The name for people.
    pub(crate) title: Option<String>,
    /// How such a secret begins, to catch a wrong one early.
    #[serde(default)]
    pub(crate) prefix: Vec<String>,
    /// Where it is; `store:NAME/FIELD` where it is absent. Only in files of your own.
    #[serde(default, deserialize_with = "reference")]
    #[schemars(with = "Option<String>")]
    pub(crate) default: Option<SecretRef>,
}

/// A reference alone, or a description.
#[derive(Debug, Clone)]
pub(crate) struct SecretEntry(pub(crate) SecretDescription);

impl JsonSchema for SecretEntry {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SecretEntry".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let description = generator.subschema_for::<SecretDescription>();
        schemars::json_schema!({ "anyOf": [{ "type": "string", "description": reference_forms() }, description] })
    }
}

impl<'de> Deserialize<'de> for SecretEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SecretVisitor)
    }
}

struct SecretVisitor;

impl<'de> Visitor<'de> for SecretVisitor {
    type Value = SecretEntry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(reference_forms())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<SecretEntry, E> {
        let default = Some(text.parse::<SecretRef>().map_err(|_| E::custom(not_a_reference()))?);
        Ok(SecretEntry(SecretDescription { default, ..SecretDescription::default() }))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SecretEntry, A::Error> {
        SecretDescription::deserialize(MapAccessDeserializer::new(map)).map(SecretEntry)
    }
}

fn reference<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretRef>, D::Error> {
    SecretRef::deserialize(deserializer).map(Some).map_err(|_| de::Error::custom(not_a_reference()))
}

fn not_a_reference() -> String {
    format!("expected a secret reference: {} (what stands here is not shown)", reference_forms())
}

fn reference_forms() -> &'static str {
    // The forms are kept in one place, the parser; an empty text is never a reference.
    "".parse::<SecretRef>().map_or_else(|error| error.expected(), |_| "a secret reference")
}

/// Time-outs, sizes and rates.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitsEntry {
    /// Until the connection stands, such as `5s`.
    pub(crate) connect: Option<String>,
    /// Until the head of the reply.
    pub(crate) head: Option<String>,
    /// The whole exchange.
    pub(crate) total: Option<String>,
    /// Between two pieces of a body.
    pub(crate) idle: Option<String>,
    /// Largest body of a request, such as `1MiB`.
    pub(crate) body: Option<String>,
    /// All calls together.
    pub(crate) rate: Option<RateEntry>,
    /// The calls of one caller.
    pub(crate) caller_rate: Option<RateEntry>,
}

/// So many calls in so much time.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RateEntry {
    /// How many.
    pub(crate) calls: u32,
    /// In how much time, such as `1m`.
    pub(crate) per: String,
    /// How they are counted; `token_bucket` where it is absent.
    pub(crate) strategy: Option<Strategy>,
}

/// A read that tells whether the credential works.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProbeEntry {
    /// Method and path, such as `GET /api/auth.test`.
    pub(crate) request: String,
    /// What the reply has to be.
    pub(crate) expect: ExpectEntry,
}

/// A question whether the credential has a permission.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RightEntry {
    /// The permission, in the words of `scopes`.
    pub(crate) permission: String,
    /// The read of low risk that tells.
    pub(crate) operation: String,
    /// Its inputs.
    #[serde(default)]
    pub(crate) inputs: BTreeMap<String, String>,
    /// Where the answer stands: a JSON pointer into the output, such as `/status/allowed`, or `evidence:NAME`. The texts of a list stand there one
    /// behind another, with spaces between. Where evidence is absent, the answer says nothing.
    pub(crate) at: String,
    /// A regular expression that matches the whole answer where the permission is granted.
    pub(crate) granted: String,
}

/// A read by name that tells whether a credential works.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrialEntry {
    /// The operation.
    pub(crate) operation: String,
    /// Its inputs; `{NAME}` is a fact of the credential, `{NAME|TEXT}` one that may be absent.
    #[serde(default)]
    pub(crate) inputs: BTreeMap<String, String>,
    /// What the reply has to be.
    pub(crate) expect: ExpectEntry,
    /// The statuses after which the `probe` of the file is asked instead, because they say nothing about the credential.
    #[serde(default)]
    pub(crate) otherwise: Vec<u16>,
}

/// What a reply has to be.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectEntry {
    /// The status.
    pub(crate) status: u16,
    /// Fields of the JSON body: dotted path to text, number or boolean.
    #[serde(default)]
    pub(crate) body: BTreeMap<String, serde_json::Value>,
    /// Fields of the JSON body that have to be there: dotted paths.
    #[serde(default)]
    pub(crate) has: Vec<String>,
}
