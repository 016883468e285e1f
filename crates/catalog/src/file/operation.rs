//! An operation and a ready-made narrowing, as they are written.

use std::collections::BTreeMap;

use model::{Access, Risk};
use schemars::JsonSchema;
use serde::Deserialize;

use super::auth::OneOrMore;
use super::cli::CliEntry;

/// What holds an operation back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GuardWord {
    /// Only who breaks the glass does it.
    BreakGlass,
    /// Nobody does it where it was not enabled.
    Disabled,
}

/// One named read or write.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OperationEntry {
    /// What it does, for people.
    pub(crate) title: String,
    /// Whether it changes anything.
    #[schemars(with = "String", extend("enum" = ["read", "write"]))]
    pub(crate) access: Access,
    /// How much harm it can do.
    #[schemars(with = "String", extend("enum" = ["low", "medium", "high"]))]
    pub(crate) risk: Risk,
    /// What an operation of Doorward itself does with secrets; `manage` where it is absent. Only in built-in files.
    pub(crate) effect: Option<crate::Effect>,
    /// What holds it back: `break_glass` lets only whoever breaks the glass do it, `disabled` nobody where the user's file does not `enable` it.
    pub(crate) guard: Option<GuardWord>,
    /// The requests that are this operation; absent for Doorward's own.
    #[serde(rename = "match")]
    pub(crate) matches: Option<MatchEntry>,
    /// How the body is written: `none` for a GET, else `any`, where it is absent. A call by name says as the input `body`, a JSON object or list, what
    /// no other input says of it; with `body: any`, text of the `content_type`, or nothing where there is none.
    pub(crate) body: Option<crate::Body>,
    /// What it takes.
    #[serde(default)]
    pub(crate) inputs: BTreeMap<String, InputEntry>,
    /// Names in the query that are allowed besides the inputs. With any other, a request is not this operation.
    #[serde(default)]
    pub(crate) query: Vec<String>,
    /// What it works on, such as `channel:{channel}`.
    pub(crate) resource: Option<String>,
    /// Fields of the reply that are kept as evidence: a dotted path, or `header:NAME`.
    #[serde(default)]
    pub(crate) evidence: BTreeMap<String, String>,
    /// The same as a command.
    pub(crate) cli: Option<CliEntry>,
    /// `none` where there are no requests for it, and only a program can do it; `why` says the reason.
    pub(crate) http: Option<HttpWord>,
    /// Why there are no requests for it.
    pub(crate) why: Option<String>,
    /// The host of its requests, below that of a `base_url` with `*`, such as `sts.{region}.amazonaws.com`. Then it is done by
    /// its name only.
    pub(crate) host: Option<String>,
    /// Headers that its requests have. Then it is done by its name only.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// Whether it is done by its name only: a request that looks like it is not taken for it.
    #[serde(default)]
    pub(crate) by_name: bool,
    /// The content type of the bodies that are written for it, where it is not the usual one.
    pub(crate) content_type: Option<String>,
    /// Fields that its body has to have: dotted path to value. A request with others is not this operation.
    #[serde(default)]
    pub(crate) fixed: BTreeMap<String, serde_json::Value>,
    /// What the JSON of the reply has to have where it was done: dotted path to value, `null` for what must not be there; `*` is
    /// each item. For services that answer with a good status in any case.
    #[serde(default)]
    pub(crate) expect: BTreeMap<String, serde_json::Value>,
    /// Fields of the reply that are secret: dotted paths. Their texts are taken out of the answer to a call by name.
    #[serde(default)]
    pub(crate) hides: Vec<String>,
    /// All of the reply that is given to whoever calls by name: dotted paths, in which `*` is each. What none of them leads to is left out, so that
    /// nothing comes along that a later version of the service or the program adds.
    #[serde(default)]
    pub(crate) shows: Vec<String>,
    /// How the reply is written: `json` where it is absent, `lines` for one JSON value behind another.
    pub(crate) output: Option<crate::Output>,
    /// When a read by name is asked again: it waits for something. A program waits by itself.
    pub(crate) poll: Option<PollEntry>,
    /// What the service has to have granted to the credential, in the service's words.
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    /// Inputs with which a read of low risk tells little and shows that what it needs is granted: `doorward doctor` asks with them.
    #[serde(default)]
    pub(crate) tried_with: BTreeMap<String, String>,
    /// Reads of this file that are made before it is done by name, for its evidence.
    #[serde(default)]
    pub(crate) before: Vec<AroundEntry>,
    /// The same when it was done.
    #[serde(default)]
    pub(crate) after: Vec<AroundEntry>,
    /// Where the service documents it.
    pub(crate) docs: Option<String>,
}

/// What a read waits for.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PollEntry {
    /// How long is waited between two looks, such as `2s`.
    pub(crate) every: String,
    /// The input that says for how many seconds it is asked again at most.
    pub(crate) within: String,
    /// It is there where all of one of these lists holds of the reply. Each is `PATH >= PATH`, `PATH == WHAT` or `PATH != WHAT`, where what is a path, a
    /// number, `null` or a text in `"`. Behind `>=` and before it may stand several with `+` between them, and what is not there counts as 0. In a
    /// path of `==` and `!=`, `*` is any item.
    pub(crate) until: Vec<Vec<String>>,
    /// It will never be there where all of one of these lists holds.
    #[serde(default)]
    pub(crate) never: Vec<Vec<String>>,
}

/// A read beside a write, for its evidence.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AroundEntry {
    /// The read: another operation of this file, or of the integration that is named beside it.
    pub(crate) operation: String,
    /// The integration that the read belongs to, where it is another one. Where a home has no credential for that, the fields are missing.
    pub(crate) integration: Option<String>,
    /// Its inputs: text with `{input}` of the write, `{got_NAME}` for a field of the write's evidence, or `{began}` for the second since 1970
    /// at which the write began; `{{` and `}}` are braces. An input that names what is not there is left out; without a field of
    /// the evidence that it names the read is not made.
    #[serde(default)]
    pub(crate) inputs: BTreeMap<String, String>,
    /// What is kept: names in the write's evidence, each with the name of a field of the read's evidence.
    pub(crate) fields: BTreeMap<String, String>,
    /// For how long the read is made again where it has not all of them yet, at most `15s`: some services show late what was done.
    pub(crate) waits: Option<String>,
}

/// The requests that are an operation.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MatchEntry {
    /// The method; GET stands for HEAD too.
    pub(crate) method: String,
    /// The path behind the service root: `{name}` is one segment, `{name...}` the rest. Of several, a call by name has the first
    /// with the inputs that are given.
    pub(crate) path: OneOrMore,
}

/// One input of an operation.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InputEntry {
    /// Where it stands; absent for Doorward's own operations.
    #[serde(rename = "in")]
    pub(crate) place: Option<PlaceWord>,
    /// Its name there, a dotted path in a body; the input's own name where it is absent.
    pub(crate) field: Option<String>,
    /// Whether it has to be there. A path input always has.
    pub(crate) required: Option<bool>,
    /// Text, whole number, boolean, list of texts, or JSON.
    #[serde(rename = "type", default)]
    pub(crate) kind: crate::Kind,
    /// A regular expression that the whole text has to match.
    pub(crate) pattern: Option<String>,
    /// Most characters; of a list, in each item.
    pub(crate) max: Option<usize>,
    /// What it is where a call by name does not say.
    pub(crate) default: Option<String>,
    /// Whether it is the time of the call where a call by name does not say it: the time at which its request is written.
    #[serde(default)]
    pub(crate) clock: bool,
    /// What it must not be.
    #[serde(default)]
    pub(crate) except: Vec<String>,
    /// What other inputs are where it is this and a call by name says none of them.
    #[serde(default)]
    pub(crate) implies: BTreeMap<String, BTreeMap<String, String>>,
    /// Whether it may have several lines.
    #[serde(default)]
    pub(crate) multiline: bool,
    /// Whether `%2F` may stand in the segment.
    #[serde(default)]
    pub(crate) encoded_slash: bool,
    /// Whether the service reads it without regard to case; then it is kept in lower case.
    #[serde(default)]
    pub(crate) ignore_case: bool,
    /// Other fields of the body that say the same, or make the service ignore it: dotted paths, `*` is each item. A request that has
    /// one of them beside the input can't be read. Of an input `in: command`: other inputs, with which it is refused.
    #[serde(default)]
    pub(crate) rivals: Vec<String>,
    /// What it is, for people.
    pub(crate) title: Option<String>,
    /// Whether it is a secret: whoever is shown the call, to approve it or elsewhere, sees its SHA-256, and its text is masked in the answer.
    #[serde(default)]
    pub(crate) secret: bool,
    /// The input that it is in the place of. Then it says where the text of that one lies and which SHA-256 it has, as
    /// `https://HOST/PATH#sha256=HEX`, `git+https://HOST/REPOSITORY.git//PATH?ref=COMMIT#sha256=HEX` or `s3://BUCKET/KEY#sha256=HEX`, and it is
    /// read by an integration that has that place, as a call of its own. For operations without requests.
    pub(crate) stands_for: Option<String>,
}

/// Where an input stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PlaceWord {
    /// A segment of the path.
    Path,
    /// A pair of the query.
    Query,
    /// A field of the body; the whole body with `field: "."`.
    Body,
    /// In no request: it is for the program, or for the host.
    Command,
}

/// Whether there are requests for an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HttpWord {
    /// There are none.
    None,
}

/// A ready-made narrowing.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NarrowingEntry {
    /// What it lets a caller do, for people.
    pub(crate) title: String,
    /// What it has to be told.
    #[serde(default)]
    pub(crate) params: BTreeMap<String, crate::Param>,
    /// The operations that it leaves.
    pub(crate) allow: Vec<AllowEntry>,
}

/// One operation that a narrowing leaves.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AllowEntry {
    /// The operation.
    pub(crate) operation: String,
    /// Inputs that have to have these values; may contain `{param}`.
    #[serde(rename = "where", default)]
    pub(crate) inputs: BTreeMap<String, String>,
    /// The resource that it has to work on; may contain `{param}`.
    pub(crate) resource: Option<String>,
}
