//! A file of which most was read before: only those of its entries are read whose text is another.
//!
//! An entry means what its text says, but for ready-made capabilities, which mean what the file of the integration says. So one that has
//! any is taken over only where that file is the same as well.

use std::collections::HashMap;
use std::sync::Arc;

use model::{IntegrationName, QuickMap};

use super::index::{At, Entry, Laid, ReadFrom};
use super::read::{Reader, is_blank};

/// Entries that were read before, by the digest of their text.
pub(super) type Former<'a> = HashMap<crypto::Digest, &'a Arc<Entry>>;

/// The entries of one side by their texts.
pub(super) fn former(entries: &QuickMap<IntegrationName, Laid>) -> Former<'_> {
    let read = |laid: &Laid| laid.entry.read.as_ref().map(|read| read.digest);
    entries.values().filter_map(|laid| Some((read(laid)?, &laid.entry))).collect()
}

/// The entries of a file, each read by itself or not at all. `None` where the file has to be read whole: it is no plain list of
/// entries, or something is wrong with one of them.
pub(super) fn items(
    reader: &Reader<'_>,
    text: &str,
    taken: &QuickMap<IntegrationName, Laid>,
) -> Option<QuickMap<IntegrationName, Laid>> {
    if reader.file.name.ends_with(".json") {
        return None;
    }
    let (head, items) = model::items(text)?;
    if !is_blank(head) || head.matches("---").count() > 1 {
        return None;
    }
    let file: Arc<str> = reader.file.name.into();
    let mut found = QuickMap::default();
    for item in items {
        let (name, entry) = one(reader, item.text)?;
        let at = At { file: Arc::clone(&file), before: item.before };
        if taken.contains_key(&name) || found.insert(name, Laid { entry, at }).is_some() {
            return None;
        }
    }
    Some(found)
}

fn one(reader: &Reader<'_>, text: &str) -> Option<(IntegrationName, Arc<Entry>)> {
    let digest = crypto::sha256(&[text.as_bytes()]);
    if let Some(entry) = reader.known.former.get(&digest)
        && let Some(read) = &entry.read
        && reader.named(&read.written).as_ref() == Some(&read.name)
        && (!entry.asks || reader.known.services.is_as_before(&read.name))
    {
        return Some((read.name.clone(), Arc::clone(entry)));
    }
    let (written, name, mut entry) = reader.item(text)?;
    entry.read = Some(ReadFrom { digest, written: written.into(), name: name.clone() });
    Some((name, Arc::new(entry)))
}
