//! Text from elsewhere, as a person may be shown it: nothing in it moves what stands beside it, hides, or ends a line.
//!
//! Whoever decides by what is shown must read what is sent. A mark that turns the direction of writing, or one without width, is
//! shown as its number instead (`\u{202e}`), as Unicode's report on source code advises (UTS #55, section 5).

use std::borrow::Cow;

/// Whether a character moves, hides or ends a line when it is shown; characters of control are among them.
#[must_use]
pub fn hides(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// The text with each character that [hides](hides) as its number.
#[must_use]
pub fn shown(text: &str) -> Cow<'_, str> {
    escaped(text, hides)
}

/// The text with each character that `hides` as its number, for whoever has a list of its own that must stay as it is. Nothing that is
/// visible in ASCII hides.
#[must_use]
pub fn escaped(text: &str, hides: fn(char) -> bool) -> Cow<'_, str> {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    if plain || !text.chars().any(hides) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if hides(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
        out
    }))
}

#[cfg(test)]
mod tests;
