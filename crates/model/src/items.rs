//! A long list in a file, taken apart without reading it: so that of ten thousand entries only those are read whose text changed.
//!
//! YAML is read from left to right. A line that stands where the first item of a block list stands, and begins with `- `, ends
//! whatever an item before it began, but for quotes and brackets that are open. So an item that is whole when it is read by itself means
//! what it means in the file; what leaves a quote open, or speaks of an anchor elsewhere, is none when it is read by itself. Whoever
//! takes a file apart reads it whole where any of its items can't be read alone.

/// One item of a list, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item<'a> {
    /// Lines of the file before it.
    pub before: usize,
    /// Its lines, the `-` among them: a list of one.
    pub text: &'a str,
}

/// What stands before the first item, and every item. `None` where it is not sure that the text is such a list: then it has to be read
/// whole.
#[must_use]
pub fn items(text: &str) -> Option<(&str, Vec<Item<'_>>)> {
    // Other ends of lines, and what is no indentation to YAML. Never seen in what people write, and read whole.
    if text.contains(['\r', '\t', '\u{85}', '\u{2028}', '\u{2029}', '\u{feff}']) {
        return None;
    }
    let (mut list, mut head, mut begin) = (Vec::new(), None, (0, 0));
    let (mut at, mut deep) = (0, 0);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let bare = line.trim_start_matches(' ');
        let spaces = line.len() - bare.len();
        let is_item = bare.starts_with("- ");
        if head.is_none() {
            if is_item {
                head = text.get(..at);
                (deep, begin) = (spaces, (at, number));
            }
        } else if is_item && spaces == deep {
            list.push(Item { before: begin.1, text: text.get(begin.0..at)? });
            begin = (at, number);
        } else if spaces <= deep && !matches!(bare.trim_end(), "") && !bare.starts_with('#') {
            return None;
        }
        at += line.len();
    }
    list.push(Item { before: begin.1, text: text.get(begin.0..)? });
    Some((head?, list))
}

#[cfg(test)]
mod tests;
