//! A configuration of which most was translated before: only those of its entries are read whose text is another.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use catalog::Error;

use crate::config::Config;
use crate::translate::{Integration, Keep, Options, Translated};

/// What was translated before.
#[derive(Debug, Default)]
pub struct Before {
    file: String,
    options: Options,
    /// By the digest of the entry's text; lines are counted from its first.
    known: HashMap<crypto::Digest, Integration>,
}

/// Reads and translates a configuration. What `before` knows is not read again. `keep` is asked as
/// [`Config::translate`] says.
///
/// # Errors
/// The line that is wrong, as [`Config::read`] and [`Config::translate`] say it.
pub fn translated(
    (text, file): (&str, &str),
    options: &Options,
    keep: &mut Keep<'_>,
    before: &Before,
) -> Result<(Translated, Before), Error> {
    if let Some(done) = by_items((text, file), options, keep, before) {
        return Ok(done);
    }
    // What can't be read entry by entry is read whole; so is what is wrong, for the line that is.
    Ok((Config::read(text, file)?.translate(options, keep)?, Before::default()))
}

fn by_items(
    (text, name): (&str, &str),
    options: &Options,
    keep: &mut Keep<'_>,
    before: &Before,
) -> Option<(Translated, Before)> {
    let (head, items) = model::items(text)?;
    if !is_head(head) {
        return None;
    }
    let same = before.file == name && before.options == *options;
    let mut now =
        Before { file: name.to_owned(), options: *options, known: HashMap::with_capacity(items.len()) };
    let mut integrations = Vec::with_capacity(items.len());
    let mut names = HashSet::with_capacity(items.len());
    let file: Arc<str> = name.into();
    for item in items {
        let digest = crypto::sha256(&[item.text.as_bytes()]);
        let known = before.known.get(&digest).filter(|_| same);
        let integration = match known {
            Some(known) => known.clone(),
            None => Config::item(item.text, name)?.only(&file, options, keep)?,
        };
        // A secret in the file itself is kept anew each time, and the note about it names its line.
        if integration.literals > 0 || !names.insert(integration.written.name.clone()) {
            return None;
        }
        let mut placed = integration.clone();
        placed.written.line += u64::try_from(item.before).ok()?;
        integrations.push(placed);
        now.known.insert(digest, integration);
    }
    Some((Translated { integrations }, now))
}

/// Whether nothing but the key of the list stands before its first item.
fn is_head(head: &str) -> bool {
    let said = |line: &&str| !line.is_empty() && !line.starts_with('#');
    let lines: Vec<&str> = head.lines().map(str::trim_end).filter(said).collect();
    matches!(lines.as_slice(), ["integrations:"] | ["---", "integrations:"])
}
