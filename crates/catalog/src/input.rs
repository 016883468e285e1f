//! One input of an operation: where it stands and what it may be.

use model::{Code, Refusal};
use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

/// Where an input stands in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The segment of the path that has the input's name.
    Path,
    /// A pair of the query, by its name.
    Query(String),
    /// A field of the body, by its dotted path.
    Body(Vec<String>),
    /// In no request: an operation of Doorward itself.
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

    /// The text as it is kept, where it is what the input may be. The refusal does not repeat the text.
    pub(crate) fn accept(&self, name: &str, text: &str) -> Result<String, Refusal> {
        let wrong = |what: String| Refusal::new(Code::BadRequest, format!("the input `{name}` {what}"));
        if text.chars().count() > self.max {
            return Err(wrong(format!("is longer than {} characters", self.max)));
        }
        if text.chars().any(char::is_control) {
            return Err(wrong("holds control characters".to_owned()));
        }
        let fits = match self.kind {
            Kind::String => true,
            Kind::Integer => text.parse::<i128>().is_ok_and(|number| number.to_string() == text),
            Kind::Boolean => matches!(text, "true" | "false"),
        };
        if !fits {
            let kind = if self.kind == Kind::Integer { "a whole number" } else { "`true` or `false`" };
            return Err(wrong(format!("is not {kind}")));
        }
        if let Some(pattern) = self.pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
            // The wrapping is ours; what the file says is what stands between.
            let shown = pattern.as_str().trim_start_matches(OPEN).trim_end_matches(CLOSE);
            return Err(wrong(format!("does not match `{shown}`")));
        }
        Ok(if self.ignore_case { text.to_lowercase() } else { text.to_owned() })
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
