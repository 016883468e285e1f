//! One document and its edits.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::Value;
use yaml_edit::{Document as Tree, YamlFile, YamlNode};

use super::{Error, Node, read};

/// One step from the root to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The value of a key.
    Key(String),
    /// An item of a list.
    Item(usize),
}

/// A text, and what it means.
#[derive(Debug, Clone)]
pub struct Document {
    file: String,
    text: String,
    value: Value,
    json: bool,
}

impl Document {
    /// Reads a text; `file` names it in errors.
    ///
    /// # Errors
    /// When it is not one document of YAML or JSON.
    pub fn read(text: &str, file: &str) -> Result<Self, Error> {
        let value = read::value(text, file)?;
        // An empty list is both; then it becomes YAML.
        let something = match &value {
            Value::Array(items) => !items.is_empty(),
            Value::Object(entries) => !entries.is_empty(),
            _ => false,
        };
        let json = something && serde_json::from_str::<Value>(text).is_ok();
        let document = Self { file: file.to_owned(), text: text.to_owned(), value, json };
        // What the editor can't take apart and put together again is refused before anything is changed.
        match document.tree() {
            Some(tree) if tree.to_string() == text => Ok(document),
            _ => Err(document.unsafe_edit()),
        }
    }

    /// The text as it is now.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it means.
    #[must_use]
    pub const fn value(&self) -> &Value {
        &self.value
    }

    /// Adds an item at the end of a list; a list that is not there yet, or is nothing, is made.
    ///
    /// # Errors
    /// When that would change anything else.
    pub fn append(&mut self, path: &[Step], item: &Node) -> Result<(), Error> {
        let mut wanted = self.value.clone();
        let list = slot(&mut wanted, path).ok_or_else(|| self.unsafe_edit())?;
        match list {
            Value::Null => *list = Value::Array(vec![item.value()]),
            Value::Array(items) => items.push(item.value()),
            _ => return Err(self.unsafe_edit()),
        }
        let edited = match at(&self.value, path) {
            Some(Value::Array(items)) if !items.is_empty() => {
                let item = self.parsed(item).ok_or_else(|| self.unsafe_edit())?;
                self.mutated(|tree| {
                    node_at(tree, path)?.as_sequence()?.push(item);
                    Some(())
                })
            }
            _ => match path.split_last() {
                None => Some(self.with_root(&Node::List(vec![item.clone()]))),
                Some((Step::Key(key), parent)) => self.with_key(parent, key, &Node::List(vec![item.clone()])),
                Some((Step::Item(_), _)) => None,
            },
        };
        self.accept(edited, wanted, &[])
    }

    /// Sets the value of a key. What stood there goes, with the comments within it.
    ///
    /// # Errors
    /// When that would change anything else.
    pub fn set(&mut self, parent: &[Step], key: &str, value: &Node) -> Result<(), Error> {
        let mut wanted = self.value.clone();
        match slot(&mut wanted, parent) {
            Some(Value::Object(entries)) => entries.insert(key.to_owned(), value.value()),
            _ => return Err(self.unsafe_edit()),
        };
        let mut whole = parent.to_vec();
        whole.push(Step::Key(key.to_owned()));
        let gone = self.tree().and_then(|tree| node_at(&tree, &whole)).map(|node| range(&node));
        let edited = self.with_key(parent, key, value);
        self.accept(edited, wanted, &gone.into_iter().collect::<Vec<_>>())
    }

    /// Takes an item out of a list, with the comments in it and those directly above it.
    ///
    /// # Errors
    /// When that would change anything else.
    pub fn remove(&mut self, path: &[Step], index: usize) -> Result<(), Error> {
        let mut wanted = self.value.clone();
        match slot(&mut wanted, path) {
            Some(Value::Array(items)) if index < items.len() => items.remove(index),
            _ => return Err(self.unsafe_edit()),
        };
        let tree = self.tree().ok_or_else(|| self.unsafe_edit())?;
        let item = node_at(&tree, path).and_then(|node| node.as_sequence()?.get(index));
        let inside = range(&item.ok_or_else(|| self.unsafe_edit())?);
        let above = self.comments_above(inside.0);
        let line_end = self.text.get(inside.1..).and_then(|rest| rest.find('\n')).unwrap_or(0) + inside.1;
        let edited = self.mutated(|tree| {
            let _ = node_at(tree, path)?.as_sequence()?.remove(index)?;
            Some(())
        });
        let edited = edited.map(|text| without(&text, &self.text, above));
        self.accept(edited, wanted, &[(inside.0, line_end.max(inside.1)), above])
    }

    /// Takes a key out of a map, with its value and the comments in it.
    ///
    /// # Errors
    /// When that would change anything else.
    pub fn remove_key(&mut self, parent: &[Step], key: &str) -> Result<(), Error> {
        let mut wanted = self.value.clone();
        match slot(&mut wanted, parent) {
            Some(Value::Object(entries)) => entries.remove(key).ok_or_else(|| self.unsafe_edit())?,
            _ => return Err(self.unsafe_edit()),
        };
        let mut whole = parent.to_vec();
        whole.push(Step::Key(key.to_owned()));
        let tree = self.tree().ok_or_else(|| self.unsafe_edit())?;
        let gone = range(&node_at(&tree, &whole).ok_or_else(|| self.unsafe_edit())?);
        let edited = self.mutated(|tree| {
            let _ = node_at(tree, parent)?.as_mapping()?.remove(key)?;
            Some(())
        });
        self.accept(edited, wanted, &[gone])
    }

    fn unsafe_edit(&self) -> Error {
        Error::Unsafe { file: self.file.clone() }
    }

    fn tree(&self) -> Option<YamlFile> {
        // The editor promises not to panic; a promise of another library is not taken for granted with somebody's file.
        std::panic::catch_unwind(|| YamlFile::from_str(&self.text).ok()).ok().flatten()
    }

    fn parsed(&self, node: &Node) -> Option<Tree> {
        Tree::from_str(&if self.json { node.json() } else { node.block() }).ok()
    }

    fn mutated(&self, edit: impl FnOnce(&YamlFile) -> Option<()>) -> Option<String> {
        let tree = self.tree()?;
        let edited = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| edit(&tree)));
        edited.ok().flatten().map(|()| tree.to_string())
    }

    fn with_key(&self, parent: &[Step], key: &str, value: &Node) -> Option<String> {
        let nothing = self.value.is_null() || self.value.as_object().is_some_and(serde_json::Map::is_empty);
        if parent.is_empty() && nothing {
            return Some(self.with_root(&Node::Map(vec![(key.to_owned(), value.clone())])));
        }
        let value = self.parsed(value)?;
        self.mutated(|tree| {
            let node = node_at(tree, parent)?;
            let map = node.as_mapping()?;
            if let Some(list) = value.as_sequence() {
                map.set(key, list);
            } else if let Some(inner) = value.as_mapping() {
                map.set(key, inner);
            } else {
                map.set(key, value.as_scalar()?);
            }
            Some(())
        })
    }

    /// The text with a root where there was none, or an empty one.
    fn with_root(&self, root: &Node) -> String {
        let empty = |text: &str| text.trim_start_matches(['[', ']', '{', '}', ' ']).to_owned();
        let mut text: String = self
            .text
            .split_inclusive('\n')
            .map(|line| if line.starts_with(['[', '{']) { empty(line) } else { line.to_owned() })
            .filter(|line| !matches!(line.trim(), "null" | "~"))
            .collect();
        if text.trim().is_empty() {
            text.clear();
        }
        let end = if self.text.contains("\r\n") { "\r\n" } else { "\n" };
        if !text.is_empty() && !text.ends_with('\n') {
            text.push_str(end);
        }
        text + &root.block().replace('\n', end)
    }

    /// Where the comments stand that belong to a block item: whole lines directly above it, as far in as it is. Those at the
    /// top of a file belong to the file.
    fn comments_above(&self, start: usize) -> (usize, usize) {
        let before = self.text.get(..start).unwrap_or_default();
        let line = before.rfind('\n').map_or(0, |at| at + 1);
        let indent = self.text.get(line..start).unwrap_or_default();
        if !indent.trim_start().starts_with('-') {
            return (line, line);
        }
        let indent = indent.len() - indent.trim_start().len();
        let mut from = line;
        for above in self.text.get(..line).unwrap_or_default().split_inclusive('\n').rev() {
            let comment = above.trim_start();
            if !comment.starts_with('#') || above.len() - comment.len() != indent {
                break;
            }
            from -= above.len();
        }
        if from == 0 { (line, line) } else { (from, line) }
    }

    /// Takes an edited text if it means what was meant and lost no comment but those in these places.
    fn accept(
        &mut self,
        edited: Option<String>,
        wanted: Value,
        gone: &[(usize, usize)],
    ) -> Result<(), Error> {
        let edited = edited.ok_or_else(|| self.unsafe_edit())?;
        let means = read::value(&edited, &self.file).ok();
        let mut after = comments(&edited).ok_or_else(|| self.unsafe_edit())?;
        let before = comments(&self.text).ok_or_else(|| self.unsafe_edit())?;
        let kept = before.into_iter().filter(|(at, _)| !gone.iter().any(|(from, to)| from <= at && at < to));
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        after.drain(..).for_each(|(_, text)| *counts.entry(text).or_default() += 1);
        let mut all = true;
        for (_, text) in kept {
            match counts.get_mut(&text) {
                Some(count) if *count > 0 => *count -= 1,
                _ => all = false,
            }
        }
        let json = !self.json || serde_json::from_str::<Value>(&edited).is_ok();
        if means.as_ref() != Some(&wanted) || !all || !json {
            return Err(self.unsafe_edit());
        }
        self.text = edited;
        self.value = wanted;
        Ok(())
    }
}

fn comments(text: &str) -> Option<Vec<(usize, String)>> {
    let file = std::panic::catch_unwind(|| YamlFile::from_str(text).ok()).ok().flatten()?;
    let found = file.comments().map(|comment| {
        let at = usize::try_from(comment.byte_range().start).unwrap_or(usize::MAX);
        (at, comment.text().trim_end().to_owned())
    });
    Some(found.collect())
}

/// The edited text without the lines of these comments, which stand before the edit and so where they stood.
fn without(edited: &str, old: &str, (from, to): (usize, usize)) -> String {
    let same = old.get(..to).is_some_and(|prefix| edited.starts_with(prefix));
    let (Some(before), Some(after), true) = (edited.get(..from), edited.get(to..), same && from < to) else {
        return edited.to_owned();
    };
    // Two blank lines become one.
    let blank = |line: Option<&str>| line.is_some_and(|line| line.trim().is_empty());
    let double = blank(before.split_inclusive('\n').next_back()) && blank(after.split_inclusive('\n').next());
    let after = if double { after.split_once('\n').map_or("", |(_, rest)| rest) } else { after };
    format!("{before}{after}")
}

fn range(node: &YamlNode) -> (usize, usize) {
    let range = node.byte_range();
    let place = |at: u32| usize::try_from(at).unwrap_or(usize::MAX);
    (place(range.start), place(range.end))
}

fn node_at(file: &YamlFile, path: &[Step]) -> Option<YamlNode> {
    let tree = file.document()?;
    let root = match (tree.as_mapping(), tree.as_sequence()) {
        (Some(map), _) => YamlNode::Mapping(map),
        (None, Some(list)) => YamlNode::Sequence(list),
        (None, None) => return None,
    };
    path.iter().try_fold(root, |node, step| match step {
        Step::Key(key) => node.as_mapping()?.get(key.as_str()),
        Step::Item(index) => node.as_sequence()?.get(*index),
    })
}

/// The value at a path.
fn at<'a>(value: &'a Value, path: &[Step]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.get(key),
        Step::Item(index) => value.get(index),
    })
}

/// The place at a path; a last key that is not there yet is made, in nothing as well.
fn slot<'a>(value: &'a mut Value, path: &[Step]) -> Option<&'a mut Value> {
    let (last, parents) = match path.split_last() {
        None => return Some(value),
        Some(split) => split,
    };
    let parent = slot(value, parents)?;
    match last {
        Step::Item(index) => parent.get_mut(index),
        Step::Key(key) => {
            if parent.is_null() {
                *parent = Value::Object(serde_json::Map::new());
            }
            parent.as_object_mut().map(|entries| entries.entry(key.clone()).or_insert(Value::Null))
        }
    }
}

#[cfg(test)]
mod tests;
