//! Whether an entry of the list can be meant as it stands.

use super::NamingRule;

/// An entry that can't be meant so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the entry `{name}` of `identities` {wrong}")]
pub struct NamingError {
    name: String,
    wrong: &'static str,
}

impl NamingError {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        Some("an entry has a `name` and at least one of uid, gid, cgroup, unit, container, service_account")
    }
}

/// Checks one entry.
pub(super) fn rule(rule: &NamingRule) -> Result<(), NamingError> {
    let NamingRule { name, uid, gid, cgroup, unit, container, service_account, exe, sha256, foreign: _ } =
        rule;
    let strong = uid.is_some()
        || gid.is_some()
        || cgroup.is_some()
        || unit.is_some()
        || container.is_some()
        || service_account.is_some();
    let weak = exe.is_some() || sha256.is_some();
    let fine = |text: &Option<String>, is: fn(&str) -> bool| text.as_deref().is_none_or(is);
    let wrong = if !is_name(name) {
        "has no usable name: 1 to 127 printable characters without white space, not beginning with `uid:` or `run:`"
    } else if !strong && weak {
        "is proven by a program file alone, which anybody with the same uid can pretend; name a strong fact as well"
    } else if !strong {
        "names no fact that would prove it"
    } else if !fine(cgroup, is_below_root) {
        "has a `cgroup` that is no path below the root, such as `/system.slice/web.service`"
    } else if !fine(unit, is_unit) {
        "has a `unit` that is none: `web.service`, or `user@1000.service/app.service`"
    } else if !fine(container, is_container) {
        "has a `container` that is none: 12 to 64 hexadecimal digits of its id, or `pod:` and the uid of a pod"
    } else if !fine(service_account, is_account) {
        "has a `service_account` that is none: `namespace/name`"
    } else if !fine(exe, is_below_root) {
        "has an `exe` that is no absolute path without links, `.` and `..`"
    } else if sha256.as_deref().is_some_and(|text| hash(text).is_none()) {
        "has a `sha256` that is not 64 hexadecimal digits in lower case"
    } else {
        return Ok(());
    };
    Err(NamingError { name: name.chars().take(127).flat_map(char::escape_debug).collect(), wrong })
}

/// The bytes of a hash that is written in 64 hexadecimal digits.
pub(super) fn hash(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !is_hex(text) {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}

fn is_name(name: &str) -> bool {
    let printable = name.chars().all(|c| !c.is_control() && !c.is_whitespace());
    (1..=127).contains(&name.len()) && printable && !name.starts_with("uid:") && !name.starts_with("run:")
}

fn is_below_root(path: &str) -> bool {
    let segments = |rest: &str| rest.split('/').all(|part| !matches!(part, "" | "." | ".."));
    path.len() <= 4096 && path.strip_prefix('/').is_some_and(segments) && !path.chars().any(char::is_control)
}

fn is_unit(unit: &str) -> bool {
    let one = |name: &str| {
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b":-_.\\@".contains(&b));
        plain && [".service", ".scope"].iter().any(|end| name.len() > end.len() && name.ends_with(end))
    };
    match unit.split_once('/') {
        None => one(unit),
        Some((manager, own)) => manager.starts_with("user@") && one(manager) && one(own),
    }
}

fn is_container(text: &str) -> bool {
    match text.strip_prefix("pod:") {
        Some(pod) => (1..=64).contains(&pod.len()) && pod.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-'),
        None => (12..=64).contains(&text.len()) && is_hex(text),
    }
}

fn is_account(text: &str) -> bool {
    let label = |part: &str| {
        (1..=253).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.')
    };
    text.split_once('/').is_some_and(|(namespace, name)| label(namespace) && label(name))
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}
