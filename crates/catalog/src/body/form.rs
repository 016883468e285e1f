//! Forms (`application/x-www-form-urlencoded`) that have one reading only: no name twice but those of lists, whole escapes, no bare `;`.

use std::collections::BTreeMap;

use model::{Code, Inputs, Refusal};
use percent_encoding::{percent_decode_str, utf8_percent_encode};

/// Reads a whole body.
pub(crate) fn read(body: &[u8]) -> Result<Inputs, Refusal> {
    Ok(read_with_lists(body, &[])?.0)
}

/// The items of lists, by the name that each of them has.
pub(crate) type Lists = BTreeMap<String, Vec<String>>;

/// The same, where these names are those of lists and may be written once for each item.
pub(crate) fn read_with_lists(body: &[u8], lists: &[String]) -> Result<(Inputs, Lists), Refusal> {
    let wrong = |what: &str| Refusal::new(Code::BadRequest, format!("the body is not a strict form: {what}"));
    let text = std::str::from_utf8(body).map_err(|_| wrong("it is not UTF-8"))?;
    if text.contains(';') {
        return Err(wrong("a bare `;` separates pairs for some servers and not for others"));
    }
    let (mut pairs, mut items) = (Inputs::new(), Lists::new());
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decoded(name).ok_or_else(|| wrong("a percent-escape is broken"))?;
        let value = decoded(value).ok_or_else(|| wrong("a percent-escape is broken"))?;
        if lists.contains(&name) {
            items.entry(name).or_default().push(value);
        } else if pairs.insert(name, value).is_some() {
            return Err(wrong("a name is written twice"));
        }
    }
    Ok((pairs, items))
}

/// The name of a field in a form: `a.b` of the file is `a[b]`.
pub(crate) fn key(path: &[String]) -> String {
    let mut parts = path.iter();
    let first = parts.next().cloned().unwrap_or_default();
    parts.fold(first, |key, part| format!("{key}[{part}]"))
}

/// Whether a form has the field of a path, in any spelling, or one below it. `false` says nothing.
pub(crate) fn says(pairs: &Inputs, path: &[String]) -> bool {
    let plain = path.iter().take_while(|part| *part != "*").cloned().collect::<Vec<_>>();
    let key = key(&plain);
    pairs.iter().any(|(name, value)| {
        let (head, rest) = name.split_at_checked(key.len()).unwrap_or((name, ""));
        head.eq_ignore_ascii_case(&key)
            && (rest.is_empty() || rest.starts_with(['[', '.']))
            && value != "false"
    })
}

/// One pair, escaped.
pub(crate) fn pair(name: &str, value: &str) -> String {
    let escape = |text| utf8_percent_encode(text, crate::path::SEGMENT);
    format!("{}={}", escape(name), escape(value))
}

/// `+` is a space; an escape that is not whole, or not UTF-8, is refused.
fn decoded(text: &str) -> Option<String> {
    let whole = text.split('%').skip(1).all(|rest| {
        let mut digits = rest.bytes();
        let mut hex = || digits.next().is_some_and(|digit| digit.is_ascii_hexdigit());
        hex() && hex()
    });
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?.into_owned();
    (whole && !decoded.contains('\0')).then_some(decoded)
}

#[cfg(test)]
mod tests;
