//! Names and texts with one spelling each, and the order in which lists have them.

use std::cmp::Ordering;
use std::net::Ipv6Addr;

/// Methods that can be forwarded, in their order.
pub(super) const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// A tenant's name, or a word of an operation's.
pub(super) fn is_label(text: &str) -> bool {
    let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let rest = text.bytes().all(|byte| lower(byte) || byte == b'-' || byte == b'_');
    text.bytes().next().is_some_and(lower) && rest && text.len() <= 63
}

pub(super) fn is_integration(text: &str) -> bool {
    is_label(text) && !text.contains('_') && !text.ends_with('-')
}

/// 1 to 512 bytes without control characters or outer white space.
pub(super) fn is_text(text: &str) -> bool {
    !text.is_empty() && text.len() <= 512 && !text.chars().any(char::is_control) && text.trim() == text
}

pub(super) fn is_pattern(text: &str) -> bool {
    let Some((name, shape)) = text.split_once('/') else { return false };
    let words = shape.strip_suffix(".*").unwrap_or(shape);
    is_integration(name) && (shape == "*" || (words.len() <= 63 && words.split('.').all(is_label)))
}

/// By integration, then `*`, then patterns with `.*` by their prefix, then names.
pub(super) fn by_pattern(a: &str, b: &str) -> Ordering {
    fn parts(text: &str) -> (&str, u8, &str) {
        let (name, shape) = text.split_once('/').unwrap_or((text, ""));
        match shape.strip_suffix(".*") {
            _ if shape == "*" => (name, 0, ""),
            Some(words) => (name, 1, words),
            None => (name, 2, shape),
        }
    }
    parts(a).cmp(&parts(b))
}

pub(super) fn by_method(a: &str, b: &str) -> Ordering {
    let place = |name: &str| METHODS.iter().position(|known| *known == name);
    place(a).cmp(&place(b))
}

pub(super) fn is_resource(text: &str) -> bool {
    let hidden = |letter: char| letter.is_control() || letter.is_whitespace();
    let stars = text.matches('*').count();
    let good = !text.is_empty() && text.len() <= 512 && !text.chars().any(hidden);
    good && (stars == 0 || (stars == 1 && text.ends_with('*')))
}

pub(super) fn is_host(text: &str) -> bool {
    let letter =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.' | b':' | b'_');
    let plain = !text.is_empty() && text.len() <= 253 && text.bytes().all(letter);
    let dots = text.starts_with('.') || text.ends_with('.') || text.contains("..");
    plain && !dots && (!text.contains(':') || text.parse::<Ipv6Addr>().is_ok())
}

/// The broker is stricter about what stands in percent-escapes.
pub(super) fn is_path(text: &str) -> bool {
    if text != "/" && (!text.starts_with('/') || text.ends_with('/')) {
        return false;
    }
    let dots = text.split('/').any(|part| matches!(part.split(';').next(), Some("." | "..")));
    let mut bytes = text.bytes();
    let hex = |byte: Option<u8>| byte.is_some_and(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b));
    while let Some(byte) = bytes.next() {
        let plain = byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/[]".contains(&byte);
        let escape = byte == b'%' && hex(bytes.next()) && hex(bytes.next());
        if !plain && !escape {
            return false;
        }
    }
    !dots
}

/// The agent's name of a resource, or the beginning of names and a `*`.
pub(super) fn is_named(text: &str) -> bool {
    let Some((word, path)) = text.split_once(':') else { return false };
    let whole = path.strip_suffix('*').map_or_else(|| path.to_owned(), |beginning| format!("{beginning}x"));
    let known = matches!(word, "secret" | "op" | "log" | "tool") && text.len() <= 512;
    let plain =
        is_path(&whole) && whole.len() > 1 && !whole.contains("//") && !whole.contains(['*', ';', ':']);
    known && plain && (word != "op" || names_operations(path))
}

fn names_operations(path: &str) -> bool {
    let word = |text: &str| {
        let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
        text.bytes().all(letter)
    };
    let path = path.strip_prefix('/').unwrap_or(path);
    match (path.split_once('/'), path.strip_suffix('*')) {
        (None, Some(beginning)) => word(beginning),
        (None, None) => false,
        (Some((name, operation)), _) => match operation.strip_suffix('*') {
            Some(beginning) => is_integration(name) && word(beginning),
            None => is_pattern(&format!("{name}/{operation}")),
        },
    }
}

pub(super) fn is_below_root(path: &str) -> bool {
    let parts = |rest: &str| rest.split('/').all(|part| !matches!(part, "" | "." | ".."));
    path.len() <= 1024 && path.strip_prefix('/').is_some_and(parts) && !path.chars().any(char::is_control)
}

pub(super) fn is_at_or_below(path: &str, wanted: &str) -> bool {
    let below = |rest: &str| rest.is_empty() || rest.starts_with('/');
    is_below_root(path) && path.strip_prefix(wanted).is_some_and(below)
}

pub(super) fn covers_pattern(old: &str, new: &str) -> bool {
    let split = |text| str::split_once(text, '/').unwrap_or((text, ""));
    let ((old_name, shape), (new_name, other)) = (split(old), split(new));
    let under = |start: &str| other != "*" && other.strip_suffix(".*").unwrap_or(other).starts_with(start);
    old_name == new_name
        && (shape == "*"
            || shape == other
            || (shape.ends_with(".*") && shape.strip_suffix('*').is_some_and(under)))
}

pub(super) fn covers_resource(old: &str, new: &str) -> bool {
    old.strip_suffix('*').map_or(old == new, |beginning| new.starts_with(beginning))
}

pub(super) fn covers_path(prefix: &str, path: &str) -> bool {
    let below = |rest: &str| rest.is_empty() || rest.starts_with('/');
    prefix == "/" || path.strip_prefix(prefix).is_some_and(below)
}
