//! The profile file: `~/.aws/config`, read with the line of each mistake, edited in place.
//!
//! The grammar is the one that aws-vault reads (specification, 2.1), and of the AWS CLI the quotes around names
//! (`[profile "a b"]`) and `[profile default]`. What is not understood stays as it is.
//!
//! # Invariants
//!
//! - Reading makes no file. A missing file is an empty one.
//! - Editing changes the bytes of the one section or value that it is about, and what it wrote reads back as what was asked.
//! - An error never repeats what may be a key.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

mod edit;
mod error;
mod parse;
mod save;

pub use error::Error;
use parse::{Block, Title};

/// A profile file as it was read, with its text, so that it can be edited in place.
#[derive(Debug, Clone)]
pub struct File {
    path: PathBuf,
    text: String,
    blocks: Vec<Block>,
    /// Where the blocks of each title are; a file may have several of one name, which are one section.
    index: HashMap<Title, Vec<usize>>,
}

impl File {
    /// Reads the file at `path`. A missing file reads as an empty one and is not made.
    ///
    /// # Errors
    /// When it can't be read, is not UTF-8, or a line is malformed.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(source) => return Err(Error::Read { path: path.to_owned(), source }),
        };
        let text = String::from_utf8(bytes).map_err(|error| {
            let good = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
            Error::NotText { path: path.to_owned(), line: 1 + good.filter(|byte| **byte == b'\n').count() }
        })?;
        Self::parse(text, path)
    }

    /// Reads a text as the file at `path`, which is only used in messages and by [`File::save`].
    ///
    /// # Errors
    /// When a line is malformed.
    pub fn parse(text: impl Into<String>, path: &Path) -> Result<Self, Error> {
        let text = text.into();
        let blocks = parse::blocks(&text, path)?;
        let mut index: HashMap<Title, Vec<usize>> = HashMap::new();
        for (at, block) in blocks.iter().enumerate() {
            index.entry(block.title.clone()).or_default().push(at);
        }
        Ok(Self { path: path.to_owned(), text, blocks, index })
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The text, every byte of it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The names of all profiles in file order, each once, without quotes. `[profile default]` is `default`; `[DEFAULT]`
    /// is no profile.
    pub fn profiles(&self) -> impl Iterator<Item = &str> {
        self.blocks.iter().enumerate().filter_map(|(at, block)| {
            let name = block.title.profile()?;
            let first = if name == DEFAULT {
                let plain = self.at(&Title::Default).first().copied();
                plain.into_iter().chain(self.at(&Title::Profile(name.to_owned())).first().copied()).min()
            } else {
                self.index.get(&block.title).and_then(|all| all.first().copied())
            };
            (first == Some(at)).then_some(name)
        })
    }

    /// The section of a profile. The name may be given with or without quotes. Where there are both, `[profile default]`
    /// wins over `[default]` key by key.
    #[must_use]
    pub fn section(&self, name: &str) -> Option<Section<'_>> {
        let mut at = Vec::new();
        if name == DEFAULT {
            at.extend(self.at(&Title::Default));
        }
        at.extend(self.at(&Title::Profile(name.to_owned())));
        if at.is_empty() {
            at.extend(self.at(&Title::Profile(parse::unquoted(name).to_owned())));
        }
        self.gathered(&at)
    }

    /// The section `[sso-session NAME]`.
    #[must_use]
    pub fn sso_session(&self, name: &str) -> Option<Section<'_>> {
        self.gathered(self.at(&Title::SsoSession(parse::unquoted(name).to_owned())))
    }

    /// The section `[services NAME]`.
    #[must_use]
    pub fn services(&self, name: &str) -> Option<Section<'_>> {
        self.gathered(self.at(&Title::Services(parse::unquoted(name).to_owned())))
    }

    /// Whether there is a section `[profile default]`, which is always meant as a profile.
    pub(crate) fn spells_profile_default(&self) -> bool {
        self.index.contains_key(&Title::Profile(DEFAULT.to_owned()))
    }

    fn at(&self, title: &Title) -> &[usize] {
        self.index.get(title).map_or(&[], Vec::as_slice)
    }

    fn gathered(&self, at: &[usize]) -> Option<Section<'_>> {
        let blocks: Vec<&Block> = at.iter().filter_map(|at| self.blocks.get(*at)).collect();
        (!blocks.is_empty()).then_some(Section { blocks })
    }
}

/// All blocks of one name, read as one section.
#[derive(Debug, Clone)]
pub struct Section<'f> {
    /// Later ones win.
    blocks: Vec<&'f Block>,
}

impl<'f> Section<'f> {
    /// The value of a key, in lower case; the last one where there are several. An empty value counts as missing.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'f str> {
        self.entry(key).map(|entry| entry.value.as_str()).filter(|value| !value.is_empty())
    }

    /// The line of a key, from 1, for messages.
    #[must_use]
    pub fn line(&self, key: &str) -> Option<usize> {
        self.entry(key).map(|entry| entry.line)
    }

    /// The value of `inner` in the block that is indented below `key`, as in `sts =⏎  endpoint_url = …`. Lines of the
    /// block that have no separator are not ours and are skipped.
    #[must_use]
    pub fn nested(&self, key: &str, inner: &str) -> Option<&'f str> {
        let lines = self.entry(key)?.nested.iter().rev();
        let mut values = lines.filter_map(|line| parse::pair(line)).filter(|(name, _)| name == inner);
        values.next().map(|(_, value)| value).filter(|value| !value.is_empty())
    }

    /// The keys in lower case, in file order; one that stands there twice comes twice.
    pub fn keys(&self) -> impl Iterator<Item = &'f str> {
        self.blocks.iter().flat_map(|block| block.entries.iter().map(|entry| entry.key.as_str()))
    }

    fn entry(&self, key: &str) -> Option<&'f parse::Entry> {
        self.blocks.iter().rev().find_map(|block| block.entries.iter().rev().find(|entry| entry.key == key))
    }
}

/// The profile from which all others inherit.
pub const DEFAULT: &str = "default";

#[cfg(test)]
mod tests;
