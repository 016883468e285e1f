//! Edits of a profile file that touch no byte but those they are about.

use std::ops::Range;

use super::error::shown;
use super::parse::{Block, Entry, Title, unquoted};
use super::{DEFAULT, Error, File};

impl File {
    /// The text with one more section at its end, or the same text where the profile has a section already. Line ends are
    /// those of the file.
    ///
    /// # Errors
    /// When the name or a value would not read back as it was given.
    pub fn with_profile(&self, name: &str, settings: &[(&str, &str)]) -> Result<String, Error> {
        if self.section(name).is_some() {
            return Ok(self.text.clone());
        }
        let end = self.line_end();
        let mut text = self.text.clone();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push_str(end);
        }
        if text.lines().next_back().is_some_and(|last| !last.trim().is_empty()) {
            text.push_str(end);
        }
        text.push_str(&match name {
            DEFAULT => format!("[{DEFAULT}]{end}"),
            name => format!("[profile {name}]{end}"),
        });
        for (key, value) in settings {
            text.push_str(&format!("{key}={value}{end}"));
        }
        self.checked(text, name, settings)
    }

    /// The text with `key` of the profile set to `value`: in its place where it stands, else as the last key of the
    /// section, else in a new section.
    ///
    /// # Errors
    /// When the name or the value would not read back as given, or the key has a nested block.
    pub fn with_setting(&self, name: &str, key: &str, value: &str) -> Result<String, Error> {
        let Some(section) = self.section(name) else {
            return self.with_profile(name, &[(key, value)]);
        };
        let mut text = self.text.clone();
        match section.entry(&key.to_lowercase()) {
            Some(entry) if entry.nested.is_empty() => text.replace_range(entry.value_span.clone(), value),
            Some(_) => return Err(unwritable(format!("value of `{key}`"), value)),
            None => {
                let at = section.blocks.last().map_or(text.len(), |block| block.end());
                let end = self.line_end();
                let before = if text.get(..at).is_some_and(|head| head.ends_with('\n')) { "" } else { end };
                text.insert_str(at, &format!("{before}{key}={value}{end}"));
            }
        }
        self.checked(text, name, &[(key, value)])
    }

    /// The text without `key` in the profile's section, with its nested block; the same text where there is none.
    #[must_use]
    pub fn without_setting(&self, name: &str, key: &str) -> String {
        let key = key.to_lowercase();
        let blocks = self.section(name).map(|section| section.blocks).unwrap_or_default();
        let entries = blocks.iter().flat_map(|block| block.entries.iter());
        self.without(entries.filter(|entry| entry.key == key).map(|entry| entry.span.clone()).collect())
    }

    /// The text without the sections of the profile; the same text where there is none. Comments behind its last key stay,
    /// as they may belong to what follows.
    #[must_use]
    pub fn without_profile(&self, name: &str) -> String {
        let blocks = self.section(name).map(|section| section.blocks).unwrap_or_default();
        self.without(blocks.iter().map(|block| self.with_blanks(block.span.start..block.end())).collect())
    }

    fn without(&self, mut spans: Vec<Range<usize>>) -> String {
        spans.sort_by_key(|span| std::cmp::Reverse(span.start));
        let mut text = self.text.clone();
        let mut gone = text.len();
        for span in spans {
            // The empty lines between two spans may be in both.
            let end = span.end.min(gone);
            gone = span.start.min(end);
            text.replace_range(gone..end, "");
        }
        text
    }

    /// A span and the empty lines behind it; at the end of the file, those before it.
    fn with_blanks(&self, span: Range<usize>) -> Range<usize> {
        let behind = self.text.get(span.end..).unwrap_or_default();
        let blank: usize =
            behind.split_inclusive('\n').take_while(|line| line.trim().is_empty()).map(str::len).sum();
        if span.end + blank < self.text.len() {
            return span.start..span.end + blank;
        }
        let before = self.text.get(..span.start).unwrap_or_default();
        let kept = before.trim_end();
        let first_end = before.get(kept.len()..).and_then(|rest| rest.find('\n'));
        first_end.map_or(0, |at| kept.len() + at + 1).min(span.start)..self.text.len()
    }

    /// The text, once it is seen to say what was asked for and to leave all other sections as they were.
    fn checked(&self, text: String, name: &str, settings: &[(&str, &str)]) -> Result<String, Error> {
        let read = Self::parse(text, &self.path).map_err(|_| unwritable("name".to_owned(), name))?;
        let section = read.section(name).ok_or_else(|| unwritable("name".to_owned(), name))?;
        for (key, value) in settings {
            if section.get(&key.to_lowercase()) != Some(*value) {
                return Err(unwritable(format!("value of `{key}`"), value));
            }
        }
        let same = self.others(name).eq(read.others(name));
        let written: usize = settings.iter().filter(|(key, _)| !self.has(name, key)).count();
        if !same || section.keys().count() != self.section(name).map_or(0, |old| old.keys().count()) + written
        {
            return Err(unwritable("name".to_owned(), name));
        }
        Ok(read.text)
    }

    /// Whether a profile of this name can stand in the file: what has quotes around it reads back without them.
    ///
    /// # Errors
    /// [`Error::Unwritable`] where it can't.
    pub fn nameable(&self, name: &str) -> Result<(), Error> {
        if unquoted(name) == name { Ok(()) } else { Err(unwritable("name".to_owned(), name)) }
    }

    fn has(&self, name: &str, key: &str) -> bool {
        self.section(name).is_some_and(|section| section.line(&key.to_lowercase()).is_some())
    }

    /// Title, key and value of everything outside the profile's sections.
    fn others<'f>(&'f self, name: &'f str) -> impl Iterator<Item = (&'f Title, Option<(&'f str, &'f str)>)> {
        let name = unquoted(name);
        let others = self.blocks.iter().filter(move |block| block.title.profile() != Some(name));
        others.flat_map(|block: &Block| {
            let entries =
                block.entries.iter().map(|entry: &Entry| Some((entry.key.as_str(), entry.value.as_str())));
            std::iter::once(None).chain(entries).map(|entry| (&block.title, entry))
        })
    }

    /// As the first line ends.
    fn line_end(&self) -> &'static str {
        match self.text.split_once('\n') {
            Some((first, _)) if first.ends_with('\r') => "\r\n",
            _ => "\n",
        }
    }
}

fn unwritable(what: String, text: &str) -> Error {
    Error::Unwritable { what, text: shown(text) }
}
