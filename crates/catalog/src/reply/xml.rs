//! XML, as far as evidence fields are read from it: elements and their text. A document with a type of its own (entities that stand
//! for something else) is not read, and neither is one that is deeper or broken.

/// An element; what it was called without the prefix of its namespace.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// The texts of every element at a dotted path, the root's name first; with `#` at its end how many there are.
    pub(crate) fn found(&self, path: &str) -> Option<String> {
        let (path, counted) = path.strip_suffix(".#").map_or((path, false), |path| (path, true));
        let (root, below) = path.split_once('.').unwrap_or((path, ""));
        if root != self.name {
            return None;
        }
        let names = below.split('.').filter(|name| !name.is_empty());
        let all = names.fold(vec![self], |here, name| {
            here.iter().flat_map(|element| &element.children).filter(|child| child.name == name).collect()
        });
        if counted {
            return Some(all.len().to_string());
        }
        let texts: Vec<&str> = all
            .iter()
            .filter(|element| element.children.is_empty())
            .map(|element| element.text.trim())
            .filter(|text| !text.is_empty())
            .collect();
        (!texts.is_empty()).then(|| texts.join(" "))
    }
}

/// Reads a document; `None` where it is none.
pub(crate) fn read(bytes: &[u8]) -> Option<Element> {
    let mut rest = str::from_utf8(bytes).ok()?.trim_start_matches('\u{feff}').trim();
    let mut open: Vec<Element> = Vec::new();
    loop {
        let at = rest.find('<')?;
        let (text, from) = rest.split_at(at);
        match open.last_mut() {
            Some(element) => unescape(text, &mut element.text)?,
            None if text.trim().is_empty() => {}
            None => return None,
        }
        if let Some(behind) = from.strip_prefix("<!--") {
            rest = behind.split_once("-->")?.1;
        } else if let Some(behind) = from.strip_prefix("<![CDATA[") {
            let (text, behind) = behind.split_once("]]>")?;
            open.last_mut()?.text.push_str(text);
            rest = behind;
        } else if let Some(behind) = from.strip_prefix("<?") {
            rest = behind.split_once("?>")?.1;
        } else if from.starts_with("<!") {
            return None;
        } else if let Some(behind) = from.strip_prefix("</") {
            let (name, behind) = behind.split_once('>')?;
            rest = behind;
            let closed = open.pop().filter(|element| element.name == local(name.trim_end()))?;
            match open.last_mut() {
                Some(parent) => parent.children.push(closed),
                None => return rest.trim().is_empty().then_some(closed),
            }
        } else {
            let (tag, behind) = tag(from.strip_prefix('<')?)?;
            rest = behind;
            let (tag, empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
            let name = local(tag.split_whitespace().next()?);
            if name.is_empty() || open.len() >= DEEPEST {
                return None;
            }
            let element = Element { name: name.to_owned(), ..Element::default() };
            match open.last_mut() {
                Some(parent) if empty => parent.children.push(element),
                None if empty => return rest.trim().is_empty().then_some(element),
                _ => open.push(element),
            }
        }
    }
}

/// What stands up to the `>` that is not within a quoted value.
fn tag(from: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    for (at, c) in from.char_indices() {
        match (quote, c) {
            (None, '>') => return Some((from.get(..at)?, from.get(at + 1..)?)),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
    }
    None
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// The five entities that XML has by itself, and characters by their number.
fn unescape(text: &str, into: &mut String) -> Option<()> {
    let mut rest = text;
    while let Some((before, from)) = rest.split_once('&') {
        into.push_str(before);
        let (name, behind) = from.split_once(';')?;
        into.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let number = name.strip_prefix('#')?;
                let code = match number.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(code)?
            }
        });
        rest = behind;
    }
    into.push_str(rest);
    Some(())
}

const DEEPEST: usize = 64;
