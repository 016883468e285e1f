//! Names of resources, as capabilities of the agent and policy files write them: `secret:/db/primary`, `op:/slack/*`.
//!
//! A name has one spelling. Its path is read by [`Target`], so that dot segments, back slashes, escapes within escapes,
//! invisible characters and lookalikes are refused whichever way they are written, and what RFC 3986 calls equivalent is
//! one text.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use model::{IntegrationName, OperationName, ParseError, Target};

/// The name of one resource, or the beginning of names with a `*` behind it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceName {
    text: Arc<str>,
    kind: ResourceKind,
}

/// What kind of thing is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    /// A secret: `secret:/db/primary`.
    Secret,
    /// An operation: `op:/slack/chat.post`.
    Operation,
    /// An evidence stream that can be appended to: `log:/deploy`.
    Log,
    /// A command that the owner declared: `tool:/migrate`.
    Tool,
}

impl ResourceKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Secret, Self::Operation, Self::Log, Self::Tool];

    /// The word before the colon.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Operation => "op",
            Self::Log => "log",
            Self::Tool => "tool",
        }
    }
}

impl ResourceName {
    /// What kind of thing is named.
    #[must_use]
    pub const fn kind(&self) -> ResourceKind {
        self.kind
    }

    /// What stands behind the `:/`: `db/primary`, `db/*`.
    #[must_use]
    pub fn path(&self) -> &str {
        let behind = self.text.split_once(':').map_or("", |(_, path)| path);
        behind.strip_prefix('/').unwrap_or(behind)
    }

    /// The whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What all the names have in common, where this stands for more than one.
    #[must_use]
    pub fn prefix(&self) -> Option<&str> {
        self.text.strip_suffix('*')
    }

    /// Whether all that `other` stands for is meant by this one too.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match self.prefix() {
            Some(prefix) => other.text.starts_with(prefix),
            None => self == other,
        }
    }
}

impl fmt::Display for ResourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for ResourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

impl FromStr for ResourceName {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong = |expected| ParseError::new("resource", text, expected);
        let (word, path) = text.split_once(':').ok_or_else(|| wrong(FORM))?;
        let kind = ResourceKind::ALL.into_iter().find(|kind| kind.as_str() == word);
        let kind = kind.ok_or_else(|| wrong(FORM))?;
        if text.len() > LONGEST {
            return Err(wrong("at most 512 bytes"));
        }
        if path == "*" {
            return Ok(Self { text: format!("{word}:/*").into(), kind });
        }
        let path = match path.strip_suffix('*') {
            Some(prefix) => format!("{}*", canonical_prefix(prefix).map_err(wrong)?),
            None => canonical(path).map_err(wrong)?,
        };
        if kind == ResourceKind::Operation && !names_operations(&path) {
            return Err(wrong("`op:/integration/operation`, `op:/integration/*` or `op:/*`"));
        }
        Ok(Self { text: format!("{word}:{path}").into(), kind })
    }
}

/// The path of one resource in its one spelling.
fn canonical(path: &str) -> Result<String, &'static str> {
    let target: Target = path.parse().map_err(|_| PLAIN)?;
    let path = target.path();
    let named = path.len() > 1 && !path.contains("//") && !path.ends_with('/');
    // An escaped slash would be one segment here and two to whoever decodes it.
    let hidden = ["%0", "%1", "%7F", "%2F"].iter().any(|escape| path.contains(escape));
    if target.query().is_some() || path.contains(['*', ';', ':']) || hidden || !named {
        return Err(PLAIN);
    }
    Ok(path.to_owned())
}

/// The beginning of paths: whatever follows, the whole is canonical only if this part is written like this.
fn canonical_prefix(prefix: &str) -> Result<String, &'static str> {
    let path = canonical(&format!("{prefix}x"))?;
    path.strip_suffix('x').map(str::to_owned).ok_or(PLAIN)
}

fn names_operations(path: &str) -> bool {
    let Some((integration, operation)) = path.strip_prefix('/').and_then(|path| path.split_once('/')) else {
        return path
            .strip_suffix('*')
            .is_some_and(|start| start == "/" || is_word(start.trim_start_matches('/')));
    };
    let known = integration.parse::<IntegrationName>().is_ok();
    known
        && match operation.strip_suffix('*') {
            Some(start) => start.is_empty() || is_word(start),
            None => operation.parse::<OperationName>().is_ok(),
        }
}

fn is_word(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.'))
}

const FORM: &str =
    "`secret:/path`, `op:/integration/operation`, `log:/path` or `tool:/name`, perhaps with `*` at its end";
const PLAIN: &str = "a path such as `/db/primary`: no empty or dot segments, one `*` at its end at most, odd characters percent-encoded";
/// Longest name, in bytes.
const LONGEST: usize = 512;

#[cfg(test)]
mod tests;
