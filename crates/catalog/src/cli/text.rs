//! A text with places in it, each of which something else is put into.

use std::fmt;

/// What stands in a place of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slot {
    /// An input of the operation: `{name}`.
    Input(String),
    /// An input of the operation, percent-encoded for a path: `{%name}`.
    Escaped(String),
    /// An input of the operation that may be several segments of a path: percent-encoded but for its slashes, `{%name...}`.
    Path(String),
    /// The body that a request of the operation has with these inputs: `{request_body}`.
    Body,
    /// Each item of an input that holds a list, one argument for each: `{name...}`.
    Each(String),
    /// The path of a file of this run: `{file:NAME}`.
    File(String),
    /// The private folder of this run: `{folder}`.
    Folder,
    /// The folder in which the files of this run are, which the program reads and can't change: `{files}`.
    Files,
    /// Scheme, host, port and base path of the integration, without a slash at its end; nothing where each call names its
    /// host: `{base_url}`.
    BaseUrl,
    /// Host and port of the integration, as they stand in an address; nothing where each call names its host: `{host}`.
    Host,
    /// The path of the file with the certificates that the integration's `tls` names; nothing where it names none: `{ca}`.
    Ca,
    /// A field of a lease, such as `access_key_id`: `{lease:FIELD}`.
    Lease(String),
    /// A secret of the integration: `{secret:NAME}`.
    Secret(String),
    /// What the integration's first auth scheme puts on a request, without what stands before it: a secret, or a token that
    /// is made on the way: `{credential}`.
    Credential,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// As it is.
    Plain(String),
    /// A place.
    Slot(Slot),
}

/// A text with places in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(Vec<Piece>);

impl Text {
    /// The pieces, in order. Two plain ones never follow one another.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// The places.
    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Plain(_) => None,
            Piece::Slot(slot) => Some(slot),
        })
    }

    /// The text with these values; `None` where one is missing.
    #[must_use]
    pub fn fill(&self, value: impl Fn(&Slot) -> Option<String>) -> Option<String> {
        self.0
            .iter()
            .map(|piece| match piece {
                Piece::Plain(text) => Some(text.clone()),
                Piece::Slot(slot) => value(slot),
            })
            .collect()
    }

    /// The text with the inputs in it, whose other places are still open; `None` where an input is missing. A value is never
    /// read as a place.
    pub(crate) fn with(&self, value: impl Fn(&Slot) -> Option<String>) -> Option<Self> {
        let mut pieces: Vec<Piece> = Vec::new();
        for piece in &self.0 {
            let text = match piece {
                Piece::Plain(text) => text.clone(),
                Piece::Slot(slot @ (Slot::Input(_) | Slot::Escaped(_) | Slot::Path(_) | Slot::Each(_))) => {
                    value(slot)?
                }
                Piece::Slot(slot) => {
                    pieces.push(Piece::Slot(slot.clone()));
                    continue;
                }
            };
            match pieces.last_mut() {
                Some(Piece::Plain(before)) => before.push_str(&text),
                _ => pieces.push(Piece::Plain(text)),
            }
        }
        Some(Self(pieces))
    }

    /// Whether it is the `--` behind which nothing is an option.
    pub(crate) fn is_separator(&self) -> bool {
        matches!(self.0.as_slice(), [Piece::Plain(text)] if text == "--")
    }

    /// The input with which it begins.
    pub(crate) fn leading(&self) -> Option<&str> {
        match self.0.first() {
            Some(Piece::Slot(
                Slot::Input(name) | Slot::Escaped(name) | Slot::Path(name) | Slot::Each(name),
            )) => Some(name),
            _ => None,
        }
    }

    /// Whether an input stands in the name of an option, such as `--{name}`.
    pub(crate) fn names_an_option(&self) -> bool {
        match self.0.as_slice() {
            [Piece::Plain(text), rest @ ..] => {
                text.starts_with('-') && !text.contains('=') && !rest.is_empty()
            }
            _ => false,
        }
    }

    /// Whether a program could read it as an option.
    pub(crate) fn looks_like_an_option(&self) -> bool {
        matches!(self.0.first(), Some(Piece::Plain(text)) if text.starts_with('-'))
    }

    /// The inputs that stand beside a `/` as they are, so that they are a part of an address or a path.
    pub(crate) fn beside_slashes(&self) -> impl Iterator<Item = &str> {
        let plain = |at: Option<usize>| match at.and_then(|at| self.0.get(at)) {
            Some(Piece::Plain(text)) => text.as_str(),
            _ => "",
        };
        self.0.iter().enumerate().filter_map(move |(at, piece)| match piece {
            Piece::Slot(Slot::Input(name)) => {
                let beside = plain(at.checked_sub(1)).ends_with('/') || plain(Some(at + 1)).starts_with('/');
                beside.then_some(name.as_str())
            }
            _ => None,
        })
    }

    /// The list whose items it is repeated for.
    pub(crate) fn each(&self) -> Option<&str> {
        self.slots().find_map(|slot| match slot {
            Slot::Each(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Reads a text. `{{` and `}}` are braces.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            plain.push_str(before);
            if let Some(behind) = from.strip_prefix("{{") {
                plain.push('{');
                rest = behind;
            } else if let Some(behind) = from.strip_prefix("}}") {
                plain.push('}');
                rest = behind;
            } else {
                let inner = from.strip_prefix('{').ok_or("a `}` was not opened; `}}` is a brace")?;
                let (name, behind) = inner.split_once('}').ok_or("a `{` is not closed; `{{` is a brace")?;
                if !plain.is_empty() {
                    pieces.push(Piece::Plain(std::mem::take(&mut plain)));
                }
                pieces.push(Piece::Slot(slot(name)?));
                rest = behind;
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Plain(plain));
        }
        Ok(Self(pieces))
    }
}

/// As the file writes it, but for the braces of the text itself.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| match piece {
            Piece::Plain(text) => f.write_str(text),
            Piece::Slot(slot) => write!(f, "{{{slot}}}"),
        })
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(name) => f.write_str(name),
            Self::Escaped(name) => write!(f, "%{name}"),
            Self::Path(name) => write!(f, "%{name}..."),
            Self::Body => f.write_str("request_body"),
            Self::Each(name) => write!(f, "{name}..."),
            Self::File(name) => write!(f, "file:{name}"),
            Self::Folder => f.write_str("folder"),
            Self::Files => f.write_str("files"),
            Self::BaseUrl => f.write_str("base_url"),
            Self::Host => f.write_str("host"),
            Self::Ca => f.write_str("ca"),
            Self::Lease(name) => write!(f, "lease:{name}"),
            Self::Secret(name) => write!(f, "secret:{name}"),
            Self::Credential => f.write_str("credential"),
        }
    }
}

fn slot(text: &str) -> Result<Slot, String> {
    let word = |name: &str| {
        if crate::path::is_word(name) {
            Ok(name.to_owned())
        } else {
            Err("between `{` and `}` stands a name of lower-case letters, digits and `_`".to_owned())
        }
    };
    match text.split_once(':') {
        Some(("file", name)) if is_file_name(name) => Ok(Slot::File(name.to_owned())),
        Some(("file", _)) => Err("behind `file:` stands the name of a file".to_owned()),
        Some(("lease", name)) => word(name).map(Slot::Lease),
        Some(("secret", name)) => word(name).map(Slot::Secret),
        Some(_) => Err("before a `:` stands `file`, `lease` or `secret`".to_owned()),
        None => match text {
            "folder" => Ok(Slot::Folder),
            "files" => Ok(Slot::Files),
            "base_url" => Ok(Slot::BaseUrl),
            "request_body" => Ok(Slot::Body),
            "host" => Ok(Slot::Host),
            "ca" => Ok(Slot::Ca),
            "credential" => Ok(Slot::Credential),
            _ => match (text.strip_prefix('%'), text.strip_suffix("...")) {
                (Some(name), None) => word(name).map(Slot::Escaped),
                (Some(name), Some(_)) => word(name.trim_end_matches("...")).map(Slot::Path),
                (None, Some(name)) => word(name).map(Slot::Each),
                (None, None) => word(text).map(Slot::Input),
            },
        },
    }
}

/// Whether `{name}` in a command never means an input.
pub(crate) fn is_reserved(name: &str) -> bool {
    !matches!(slot(name), Ok(Slot::Input(_)))
}

/// Whether a text is the name of a file in the folder of a run: no path, nothing that a program could read as something else.
pub(crate) fn is_file_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    !name.is_empty()
        && name.len() <= 64
        && name.bytes().all(plain)
        && !matches!(name, "." | "..")
        && !name.starts_with('-')
}
