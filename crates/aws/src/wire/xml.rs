//! Replies in XML (STS, IAM): a small tree of elements, read strictly.
//!
//! Bounded in depth and number, without document types and without entities but the five of XML itself, so that no reply
//! costs more than its length. Attributes, comments and instructions are skipped. The text is wiped, as there may be
//! credentials in it.

use quick_xml::Reader;
use quick_xml::events::Event;
use zeroize::Zeroizing;

/// An element with its children, or with its text.
pub(crate) struct Element {
    name: String,
    text: Zeroizing<String>,
    children: Vec<Self>,
}

impl Element {
    /// Reads a document; `None` where it is not one, or not within the bounds.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
        let mut open: Vec<Self> = Vec::new();
        let mut root = None;
        let mut count = 0;
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) => {
                    count += 1;
                    if open.len() >= DEEPEST || count > MOST || root.is_some() {
                        return None;
                    }
                    open.push(Self::new(start.local_name().as_ref(), body.len()));
                }
                Event::Empty(start) => {
                    count += 1;
                    if count > MOST {
                        return None;
                    }
                    close(Self::new(start.local_name().as_ref(), 0), &mut open, &mut root)?;
                }
                Event::End(_) => {
                    let done = open.pop()?;
                    close(done, &mut open, &mut root)?;
                }
                Event::Text(text) => push(&text, &mut open)?,
                Event::CData(data) => push(&data, &mut open)?,
                Event::GeneralRef(reference) => {
                    let sign = match &*reference {
                        "amp" => '&',
                        "lt" => '<',
                        "gt" => '>',
                        "quot" => '"',
                        "apos" => '\'',
                        _ => reference.resolve_char_ref().ok()??,
                    };
                    push(sign.encode_utf8(&mut [0; 4]), &mut open)?;
                }
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
                Event::DocType(_) => return None,
                Event::Eof => return if open.is_empty() { root } else { None },
            }
        }
    }

    fn new(name: &str, room: usize) -> Self {
        // With room for a token: a text that grows leaves copies of itself behind.
        let text = Zeroizing::new(String::with_capacity(room.min(ROOM)));
        Self { name: name.to_owned(), text, children: Vec::new() }
    }

    /// The name, without a prefix.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The text directly in it, trimmed.
    pub(crate) fn text(&self) -> &str {
        self.text.trim()
    }

    /// The one child of this name; `None` where there is none, or more than one.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        let mut found = self.children.iter().filter(|child| child.name == name);
        found.next().filter(|_| found.next().is_none())
    }

    /// The one child of this name, without the rest.
    pub(crate) fn into_child(self, name: &str) -> Option<Self> {
        self.child(name)?;
        self.children.into_iter().find(|child| child.name == name)
    }

    /// The text of the one child of this name, where it is not empty.
    pub(crate) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(Self::text).filter(|text| !text.is_empty())
    }

    /// The elements of a list: its children called `member`.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter(|child| child.name == "member")
    }
}

fn close(done: Element, open: &mut [Element], root: &mut Option<Element>) -> Option<()> {
    match open.last_mut() {
        Some(parent) => parent.children.push(done),
        None if root.is_none() => *root = Some(done),
        None => return None,
    }
    Some(())
}

/// Adds text to the innermost element; outside of all there is white space only.
fn push(text: &str, open: &mut [Element]) -> Option<()> {
    match open.last_mut() {
        Some(element) => {
            if element.text.capacity() - element.text.len() < text.len() {
                let mut larger = Zeroizing::new(String::with_capacity(2 * (element.text.len() + text.len())));
                larger.push_str(&element.text);
                element.text = larger;
            }
            element.text.push_str(text);
            Some(())
        }
        None => text.trim().is_empty().then_some(()),
    }
}

const DEEPEST: usize = 16;
const MOST: usize = 20_000;
const ROOM: usize = 64;

#[cfg(test)]
mod tests;
