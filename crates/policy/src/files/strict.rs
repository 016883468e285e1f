//! Taking a tree apart strictly: every key known, every value of its type, and a mistake says where and what is near.

use super::node::{Node, Value};

/// A mistake in a file: its line, what is wrong, and the nearest known word.
#[derive(Debug)]
pub(crate) struct Mistake {
    pub(crate) line: usize,
    pub(crate) problem: String,
    pub(crate) nearest: Option<String>,
}

impl Mistake {
    pub(crate) fn new(line: usize, problem: impl Into<String>) -> Self {
        Self { line, problem: problem.into(), nearest: None }
    }

    /// A word that is none of the known ones.
    pub(crate) fn unknown<'a>(
        line: usize,
        what: &str,
        word: &str,
        known: impl IntoIterator<Item = &'a str> + Clone,
    ) -> Self {
        let words: Vec<String> = known.clone().into_iter().map(|word| format!("`{word}`")).collect();
        let problem = format!("{what} {} is unknown; it is one of {}", shown(word), words.join(", "));
        Self { line, problem, nearest: nearest(word, known) }
    }
}

/// A map whose keys are all known.
pub(crate) struct Fields<'a> {
    /// Where it begins.
    pub(crate) line: usize,
    entries: &'a [(String, usize, Node)],
}

impl<'a> Fields<'a> {
    /// The fields of a map; `what` says in words what it is.
    pub(crate) fn of(node: &'a Node, what: &str, known: &[&str]) -> Result<Self, Mistake> {
        let Value::Map(entries) = &node.value else {
            return Err(Mistake::new(node.line, format!("{what} is a map of keys and values")));
        };
        for (at, (key, line, _)) in entries.iter().enumerate() {
            if !known.contains(&key.as_str()) {
                return Err(Mistake::unknown(*line, "the key", key, known.iter().copied()));
            }
            if entries.iter().take(at).any(|(earlier, _, _)| earlier == key) {
                return Err(Mistake::new(*line, format!("the key `{key}` is written twice")));
            }
        }
        Ok(Self { line: node.line, entries })
    }

    /// The value under a key; what is written as `null` is not given.
    pub(crate) fn find(&self, key: &str) -> Option<&'a Node> {
        let found = self.entries.iter().find(|(name, _, _)| name == key).map(|(_, _, node)| node);
        found.filter(|node| !matches!(node.value, Value::Null))
    }

    /// The value under a key that has to be there.
    pub(crate) fn need(&self, key: &str) -> Result<&'a Node, Mistake> {
        self.find(key).ok_or_else(|| Mistake::new(self.line, format!("the key `{key}` is missing")))
    }

    /// A text that may be left out.
    pub(crate) fn text(&self, key: &str) -> Result<Option<&'a str>, Mistake> {
        self.find(key).map(|node| text(node, key)).transpose()
    }
}

/// A text.
pub(crate) fn text<'a>(node: &'a Node, what: &str) -> Result<&'a str, Mistake> {
    match &node.value {
        Value::Text(text) if text.len() <= LONGEST && !text.chars().any(char::is_control) => Ok(text),
        Value::Text(_) => {
            Err(Mistake::new(node.line, format!("`{what}` is at most {LONGEST} bytes on one line")))
        }
        _ => Err(Mistake::new(
            node.line,
            format!("`{what}` is a text, in quotes where it could be something else"),
        )),
    }
}

/// A list of 1 to [`MOST`] entries.
pub(crate) fn list<'a>(node: &'a Node, what: &str) -> Result<&'a [Node], Mistake> {
    match &node.value {
        Value::List(entries) if entries.is_empty() => Err(Mistake::new(
            node.line,
            format!("`{what}` is empty, so it matches nothing; write `[\"*\"]` for everything"),
        )),
        Value::List(entries) if entries.len() <= MOST => Ok(entries),
        Value::List(_) => Err(Mistake::new(node.line, format!("`{what}` has more than {MOST} entries"))),
        _ => Err(Mistake::new(node.line, format!("`{what}` is a list"))),
    }
}

/// What one of these words stands for.
pub(crate) fn word<T: Copy>(node: &Node, what: &str, known: &[(&str, T)]) -> Result<T, Mistake> {
    let written = text(node, what)?;
    let found = known.iter().find(|(word, _)| *word == written);
    let words = known.iter().map(|(word, _)| *word);
    found
        .map(|(_, value)| *value)
        .ok_or_else(|| Mistake::unknown(node.line, &format!("`{what}`"), written, words))
}

/// The nearest known word, where it is near enough to be a slip of the finger.
pub(crate) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let scored = known.into_iter().map(|word| (strsim::jaro_winkler(wrong, word), word));
    let best = scored.filter(|(score, _)| *score >= NEAR).max_by(|(a, _), (b, _)| a.total_cmp(b));
    best.map(|(_, word)| word.to_owned())
}

/// A wrong word, where it is short and plain enough to be repeated.
pub(crate) fn shown(word: &str) -> String {
    let plain = word.len() <= 40 && word.chars().all(|c| c.is_ascii_graphic() && c != '`');
    if plain { format!("`{word}`") } else { "(not shown)".to_owned() }
}

const NEAR: f64 = 0.8;
/// Longest text, in bytes.
const LONGEST: usize = 512;
/// The most entries of a list.
pub(crate) const MOST: usize = 256;
