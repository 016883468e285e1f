//! The settings that a block may have beside its address and its credentials, and their flags.

use crate::flags::{Error, Flag, Given};
use crate::yaml::Node;

/// The flags of the settings.
pub(super) fn flags() -> Vec<Flag> {
    SETTINGS.iter().map(Setting::flag).collect()
}

/// The flags that take no value.
pub(super) fn switches() -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().filter(|setting| setting.form == Form::Switch).map(|setting| setting.flag)
}

/// What was said about settings: key and value, in the order in which they are written.
pub(super) fn given(given: &Given) -> Result<Vec<(&'static str, Node)>, Error> {
    let mut found: Vec<(&str, Node)> = Vec::new();
    for setting in &SETTINGS {
        let Some(text) = given.one(setting.flag) else { continue };
        if found.iter().any(|(key, _)| *key == setting.key) {
            return Err(Error::new(format!("two flags say what `{}` is", setting.key)));
        }
        found.push((setting.key, setting.read(text)?));
    }
    Ok(found)
}

struct Setting {
    flag: &'static str,
    key: &'static str,
    form: Form,
    help: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A whole number, not negative.
    Count,
    /// How long, not nothing.
    Time,
    /// How long, or nothing.
    TimeOrNone,
    Switch,
    Strategy,
}

impl Setting {
    fn flag(&self) -> Flag {
        match self.form {
            Form::Switch => Flag::switch(self.flag, self.help),
            Form::Count => Flag::new(self.flag, "NUMBER", self.help),
            Form::Time | Form::TimeOrNone => Flag::new(self.flag, "DURATION", self.help),
            Form::Strategy => Flag::new(self.flag, "STRATEGY", self.help),
        }
    }

    fn read(&self, text: &str) -> Result<Node, Error> {
        let wrong = |what: &str| Error::new(format!("`-{}` takes {what}", self.flag));
        match self.form {
            Form::Switch => Ok(Node::Flag(text == "true")),
            Form::Count => text
                .parse::<u32>()
                .map(|number| Node::Number(number.into()))
                .map_err(|_| wrong("a whole number that is not negative")),
            Form::Time | Form::TimeOrNone => match duration(text) {
                Some(nanos) if nanos > 0 || self.form == Form::TimeOrNone => Ok(Node::text(text)),
                _ => Err(wrong("a duration such as `500ms`, `30s` or `1m30s`")),
            },
            Form::Strategy if STRATEGIES.contains(&text) => Ok(Node::text(text)),
            Form::Strategy => Err(wrong(&format!("one of `{}`", STRATEGIES.join("`, `")))),
        }
    }
}

/// A duration as Go writes it, in nanoseconds: numbers with units, no sign.
fn duration(text: &str) -> Option<u64> {
    if text == "0" {
        return Some(0);
    }
    let (mut rest, mut whole) = (text, 0_u64);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (number, behind) = rest.split_at_checked(digits)?;
        let end = behind.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(behind.len());
        let (unit, behind) = behind.split_at_checked(end)?;
        let factor: u64 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let (units, part) = number.split_once('.').unwrap_or((number, ""));
        let units = if units.is_empty() && !part.is_empty() { 0 } else { units.parse().ok()? };
        let mut nanos = factor.checked_mul(units)?;
        let mut tenth = factor;
        for digit in part.chars() {
            tenth /= 10;
            nanos = nanos.checked_add(tenth * u64::from(digit.to_digit(10)?))?;
        }
        whole = whole.checked_add(nanos)?;
        rest = behind;
    }
    (!text.is_empty()).then_some(whole)
}

const STRATEGIES: [&str; 4] = ["fixed_window", "sliding_window", "token_bucket", "leaky_bucket"];

const fn setting(flag: &'static str, key: &'static str, form: Form, help: &'static str) -> Setting {
    Setting { flag, key, form, help }
}

const SETTINGS: [Setting; 12] = [
    setting(
        "in-rate-limit",
        "in_rate_limit",
        Form::Count,
        "calls of one caller in a window; 0 is no limit [default: 100]",
    ),
    setting(
        "out-rate-limit",
        "out_rate_limit",
        Form::Count,
        "calls of all callers in a window; 0 is no limit [default: 100]",
    ),
    setting("rate-limit-window", "rate_limit_window", Form::Time, "how long a window is [default: 1m]"),
    setting(
        "rate-limit-strategy",
        "rate_limit_strategy",
        Form::Strategy,
        "how calls are counted [default: fixed_window]",
    ),
    setting(
        "timeout",
        "response_header_timeout",
        Form::TimeOrNone,
        "how long the service may take to begin its reply",
    ),
    setting("response-header-timeout", "response_header_timeout", Form::TimeOrNone, "the same as `-timeout`"),
    setting(
        "idle-conn-timeout",
        "idle_conn_timeout",
        Form::TimeOrNone,
        "how long a connection without calls is kept [default: 90s]",
    ),
    setting(
        "tls-handshake-timeout",
        "tls_handshake_timeout",
        Form::TimeOrNone,
        "how long a TLS handshake may take [default: 10s]",
    ),
    setting(
        "tls-insecure-skip-verify",
        "tls_insecure_skip_verify",
        Form::Switch,
        "take the word of anybody who answers: for a sandbox only",
    ),
    setting("disable-keep-alives", "disable_keep_alives", Form::Switch, "a connection for each call"),
    setting("max-idle-conns", "max_idle_conns", Form::Count, "most connections without calls [default: 100]"),
    setting("max-idle-conns-per-host", "max_idle_conns_per_host", Form::Count, "the same for one host"),
];

#[cfg(test)]
mod tests;
