//! How the file of an entry is called.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// The name of the file of an entry: as aws-vault gives it, which encodes two signs and leaves every other one as it is.
pub(super) fn file_name(name: &str) -> String {
    let mut written = String::with_capacity(name.len());
    for sign in name.chars() {
        match sign {
            '/' => written.push_str("%2F"),
            '%' => written.push_str("%25"),
            sign => written.push(sign),
        }
    }
    written
}

/// The name that such a file had before, where that was another one.
pub(super) fn file_name_before(name: &str) -> Option<String> {
    let before = utf8_percent_encode(name, ESCAPED).to_string();
    (before != file_name(name)).then_some(before)
}

/// What was encoded before, with everything that is not ASCII.
const ESCAPED: &AsciiSet = &CONTROLS.add(b'/').add(b'%');
