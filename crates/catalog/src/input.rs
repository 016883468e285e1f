//! One input of an operation: where it stands and what it may be.

use std::collections::BTreeMap;

use model::{Code, Refusal};
use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::body::json::{self, Json};

/// Where an input stands in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The segment of the path that has the input's name.
    Path,
    /// A pair of the query, by its name.
    Query(String),
    /// A field of the body, by its path of keys; the whole body where there are none.
    Body(Vec<String>),
    /// The body of a request that is made by name, or what of it no other input says. At the gateway it is not read.
    Whole,
    /// In no request: an operation of Doorward itself, or one that a program does.
    Named,
}

/// What an input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Text.
    #[default]
    String,
    /// A whole number, written without leading zeros.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// A list of texts, given as JSON: `["a", "b"]`.
    List,
    /// A JSON object or list.
    Json,
}

impl Kind {
    /// Its word, as in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::List => "list",
            Self::Json => "json",
        }
    }
}

/// One input of an operation.
#[derive(Debug, Clone)]
pub struct InputField {
    pub(crate) place: Place,
    pub(crate) required: bool,
    pub(crate) kind: Kind,
    pub(crate) pattern: Option<Regex>,
    pub(crate) max: usize,
    pub(crate) encoded_slash: bool,
    pub(crate) ignore_case: bool,
    pub(crate) title: Option<String>,
    pub(crate) default: Option<String>,
    /// It is the time of the call where a call by name does not say it.
    pub(crate) clock: bool,
    pub(crate) except: Vec<String>,
    /// Other inputs that follow from what it is.
    pub(crate) implies: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) multiline: bool,
    /// Other fields of the body that say the same.
    pub(crate) rivals: Vec<Vec<String>>,
    /// The input that it is in the place of: it says where the text of that one lies.
    pub(crate) stands_for: Option<String>,
    /// Nobody but the service is shown it.
    pub(crate) secret: bool,
}

impl InputField {
    /// Where it stands.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// Whether it has to be there.
    #[must_use]
    pub const fn required(&self) -> bool {
        self.required
    }

    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// What it is, for people.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// What it is where a call by name does not say.
    #[must_use]
    pub fn default(&self) -> Option<&str> {
        self.default.as_deref()
    }

    /// Whether it is the time of the call where a call by name does not say it.
    #[must_use]
    pub const fn is_clock(&self) -> bool {
        self.clock
    }

    /// The pattern that the whole text, or each item of a list, has to match, as its file says it.
    #[must_use]
    pub fn pattern(&self) -> Option<&str> {
        self.pattern.as_ref().map(shown)
    }

    /// Most characters; of a list, in each item.
    #[must_use]
    pub const fn max(&self) -> usize {
        self.max
    }

    /// Whether it is a secret, which nobody is shown.
    #[must_use]
    pub const fn is_secret(&self) -> bool {
        self.secret
    }

    /// The input whose text lies elsewhere and is fetched, where this one says from where: a [`crate::Reference`].
    #[must_use]
    pub fn stands_for(&self) -> Option<&str> {
        self.stands_for.as_deref()
    }

    /// The text as it is kept, where it is what the input may be. The refusal does not repeat the text.
    pub(crate) fn accept(&self, name: &str, text: &str) -> Result<String, Refusal> {
        match self.kind {
            Kind::String | Kind::Integer | Kind::Boolean => self.accept_one(name, text),
            Kind::List => self.accept_list(name, text),
            Kind::Json => self.accept_json(name, text),
        }
    }

    fn accept_one(&self, name: &str, text: &str) -> Result<String, Refusal> {
        self.check_length(name, text)?;
        let breaks = |c: char| self.multiline && matches!(c, '\n' | '\r' | '\t');
        if text.chars().any(|c| c.is_control() && !breaks(c)) {
            return Err(wrong(name, "holds control characters"));
        }
        let fits = match self.kind {
            Kind::String | Kind::List | Kind::Json => true,
            Kind::Integer => text.parse::<i128>().is_ok_and(|number| number.to_string() == text),
            Kind::Boolean => matches!(text, "true" | "false"),
        };
        if !fits {
            let kind = if self.kind == Kind::Integer { "a whole number" } else { "`true` or `false`" };
            return Err(wrong(name, &format!("is not {kind}")));
        }
        if let Some(pattern) = self.pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
            return Err(wrong(name, &format!("does not match `{}`", shown(pattern))));
        }
        if self.except.iter().any(|not| not == text) {
            return Err(wrong(name, "is something for which there is another operation, or none"));
        }
        Ok(if self.ignore_case { text.to_lowercase() } else { text.to_owned() })
    }

    fn accept_list(&self, name: &str, text: &str) -> Result<String, Refusal> {
        let no_list = || wrong(name, "is not a list of texts, such as `[\"a\", \"b\"]`");
        let Ok(Json::List(items)) = json::read(text.as_bytes()) else { return Err(no_list()) };
        if items.len() > MOST_ITEMS {
            return Err(wrong(name, &format!("has more than {MOST_ITEMS} items")));
        }
        let items: Vec<String> = items
            .into_iter()
            .map(|item| match item {
                Json::Text(text) => self.accept_one(name, &text),
                _ => Err(no_list()),
            })
            .collect::<Result<_, _>>()?;
        serde_json::to_string(&items).map_err(|_| no_list())
    }

    fn accept_json(&self, name: &str, text: &str) -> Result<String, Refusal> {
        self.check_length(name, text)?;
        match json::read(text.as_bytes()) {
            // It is sent as it is written: a number that we can't hold stays what it is.
            Ok(Json::Map(_) | Json::List(_)) if self.place == Place::Whole => Ok(text.trim().to_owned()),
            Ok(value @ (Json::Map(_) | Json::List(_))) => Ok(value.to_value().to_string()),
            Ok(_) | Err(_) => Err(wrong(name, "is not a JSON object or list, with each key once")),
        }
    }

    fn check_length(&self, name: &str, text: &str) -> Result<(), Refusal> {
        if text.chars().count() > self.max {
            return Err(wrong(name, &format!("is longer than {} characters", self.max)));
        }
        Ok(())
    }
}

fn wrong(name: &str, what: &str) -> Refusal {
    Refusal::new(Code::BadRequest, format!("the input `{name}` {what}"))
}

/// The wrapping is ours; what the file says is what stands between.
fn shown(pattern: &Regex) -> &str {
    let text = pattern.as_str();
    text.strip_prefix(OPEN).and_then(|text| text.strip_suffix(CLOSE)).unwrap_or(text)
}

/// The input that is the body of a request that is made by name, or the rest of it behind other inputs.
pub(crate) fn whole(kind: Kind, rest: bool) -> InputField {
    let title = match (kind, rest) {
        (Kind::Json, true) => "What else the body has, as the service documents it: a JSON object",
        (Kind::Json, false) => "The body, as the service documents it: an object or list of JSON",
        (Kind::String | Kind::Integer | Kind::Boolean | Kind::List, _) => "The body: text",
    };
    InputField {
        place: Place::Whole,
        required: false,
        kind,
        pattern: None,
        max: WHOLE_MAX,
        encoded_slash: false,
        ignore_case: false,
        title: Some(title.to_owned()),
        default: None,
        clock: false,
        except: Vec::new(),
        implies: BTreeMap::new(),
        multiline: true,
        rivals: Vec::new(),
        stands_for: None,
        secret: false,
    }
}

/// A pattern that always has to match the whole text.
pub(crate) fn pattern(text: &str) -> Result<Regex, String> {
    Regex::new(&format!("{OPEN}{text}{CLOSE}"))
        .map_err(|_| "the pattern is not a regular expression".to_owned())
}

const OPEN: &str = "\\A(?:";
const CLOSE: &str = ")\\z";
/// Most characters of an input where its file says nothing.
pub(crate) const DEFAULT_MAX: usize = 1024;
/// Most characters of a whole body.
const WHOLE_MAX: usize = 65_536;
/// The name of the input that is a whole body.
pub(crate) const WHOLE: &str = "body";
/// Most items of a list.
const MOST_ITEMS: usize = 256;
