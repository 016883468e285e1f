//! As what a server may read a path: a target that has more than one reading is refused.

use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::hex;

/// A path has no dot segment, whichever way its separators are written, and no character that hides.
pub(super) fn check_segments(path: &str) -> Result<(), &'static str> {
    let slashes = path.replace("%2F", "/").replace("%5C", "/");
    if slashes.split('/').any(|segment| {
        let name = segment.split([';']).next().unwrap_or_default();
        name == "." || name == ".." || segment == "." || segment == ".."
    }) {
        return Err("a path without `.` and `..` segments, in any encoding");
    }
    if path.contains("%5C") {
        return Err("a path without back slashes, in any encoding");
    }
    check_text(path)?;
    check_readings(path)
}

/// Escapes decode to valid, normalised, visible text.
pub(super) fn check_text(text: &str) -> Result<(), &'static str> {
    if !text.contains('%') {
        return Ok(());
    }
    let Ok(decoded) = String::from_utf8(decode(text)) else { return Err("percent-escapes of valid UTF-8") };
    if decoded.contains('%') && decoded.as_bytes().windows(3).any(is_escape) {
        // `%252e` is a second layer of encoding; a server that decodes twice would see something else than we matched.
        if decoded.to_ascii_lowercase().contains("%2e") || decoded.to_ascii_lowercase().contains("%2f") {
            return Err("no doubly encoded dots or slashes");
        }
    }
    if decoded.chars().any(|c| (c.is_control() && !matches!(c, '\t' | '\n' | '\r')) || is_invisible(c)) {
        return Err("no control or invisible characters");
    }
    if !is_nfc(&decoded) {
        return Err("text in Unicode's normal form C");
    }
    Ok(())
}

fn is_escape(window: &[u8]) -> bool {
    matches!(window, [b'%', a, b] if hex(*a).is_some() && hex(*b).is_some())
}

const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// No server may read other segments, whether it decodes several times, trims, or folds lookalikes of characters first.
fn check_readings(path: &str) -> Result<(), &'static str> {
    if !path.contains('%') {
        return Ok(());
    }
    let mut layer = text_of(path);
    for _ in 0..MOST_LAYERS {
        // `U+FF0F` is a slash to whoever brings text into the compatibility form before a path is split.
        let folded: String = layer.nfkc().collect();
        let lookalike = |mark: &char| counted(&folded, *mark) != counted(&layer, *mark);
        let dots = folded.split(['/', ';']).any(|segment| matches!(segment.trim(), "." | ".."));
        if dots || ['/', '\\', ';', '%', '?', '#'].iter().any(lookalike) {
            return Err("a path without characters that look like its separators or dots");
        }
        let next = text_of(&layer);
        if next == layer {
            return Ok(());
        }
        if ['/', '\\', ';', '.'].iter().any(|mark| counted(&next, *mark) > counted(&layer, *mark)) {
            return Err("a path without dots and separators in escapes within escapes");
        }
        layer = next;
    }
    Err("a path with fewer escapes within escapes")
}

fn counted(text: &str, mark: char) -> usize {
    text.chars().filter(|c| *c == mark).count()
}

fn text_of(text: &str) -> String {
    String::from_utf8_lossy(&decode(text)).into_owned()
}

/// One layer of escapes less. What is no whole escape stays as it is.
pub(super) fn decode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let escape = match behind {
            [high, low, tail @ ..] if *first == b'%' => hex(*high).zip(hex(*low)).map(|pair| (pair, tail)),
            _ => None,
        };
        match escape {
            Some(((high, low), tail)) => {
                out.push(high << 4 | low);
                rest = tail;
            }
            None => {
                out.push(*first);
                rest = behind;
            }
        }
    }
    out
}

/// Layers of escapes that are looked through.
const MOST_LAYERS: usize = 4;
