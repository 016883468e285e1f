//! Names with values: headers, the query, forms.
//!
//! A name that is written twice, or beside one that some servers read as the same (`Q`, `q[]`, `q.x` for `q`), is in doubt
//! wherever a rule speaks of it.

use super::fit::Fit;
use super::test::Test;

/// What a rule wants of one name.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    pub(super) name: Box<str>,
    /// The same as it was written, for reasons: headers are compared in lower case.
    pub(super) shown: Box<str>,
    pub(super) want: Want,
}

/// What is wanted of the values of a name.
#[derive(Debug, Clone)]
pub(super) enum Want {
    /// There is one.
    Present,
    /// There is none.
    Absent,
    /// There are exactly as many as these, and each is one of these.
    Values(Box<[Test]>),
}

/// How the reasons about a kind of pairs are written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Words {
    Query,
    Form,
}

impl Words {
    pub(super) fn missing(self, name: &str) -> String {
        match self {
            Self::Query => format!("missing query param {name}"),
            Self::Form => format!("missing form field {name}"),
        }
    }

    fn other(self, name: &str, wanted: Option<&str>) -> String {
        let wanted = wanted.map_or_else(String::new, |wanted| format!("={wanted}"));
        match self {
            Self::Query => format!("missing query param {name}{wanted}"),
            Self::Form => format!("form field {name}{wanted} not found"),
        }
    }

    fn unsure(self, name: &str) -> String {
        match self {
            Self::Query => format!("query param {name} is ambiguous"),
            Self::Form => format!("form field {name} is ambiguous"),
        }
    }
}

impl Pair {
    /// How it stands to pairs of a query or a form.
    pub(super) fn fit(&self, pairs: &[(String, String)], words: Words) -> Fit {
        let near: Vec<_> = pairs.iter().filter(|(name, _)| alike(name, &self.name)).collect();
        let exact = near.iter().all(|(name, _)| **name == *self.name);
        let values: Vec<&str> = near.iter().map(|(_, value)| value.as_str()).collect();
        self.want.fit(
            &values,
            exact,
            (
                || words.missing(&self.name),
                |wanted| words.other(&self.name, wanted),
                || words.unsure(&self.name),
            ),
        )
    }

    /// How it stands to the lines of a header. Lines that are not text are in doubt.
    pub(super) fn fit_lines(&self, lines: &[Vec<u8>]) -> Fit {
        let texts: Option<Vec<&str>> = lines.iter().map(|line| std::str::from_utf8(line).ok()).collect();
        let Some(texts) = texts else { return self.unsure_header() };
        let texts: Vec<&str> = texts.into_iter().map(str::trim).collect();
        let fit = self.fit_texts(&texts);
        if !matches!((&fit, &self.want), (Fit::Fails(_), Want::Values(_))) {
            return fit;
        }
        // A line may hold several values with commas between them (RFC 9110, section 5.3).
        let parts: Vec<&str> = texts.iter().flat_map(|line| line.split(',')).map(str::trim).collect();
        let other = if parts.len() > texts.len() { self.fit_texts(&parts) } else { fit.clone() };
        if matches!(other, Fit::Fails(_)) { fit } else { self.unsure_header() }
    }

    /// Nobody can tell which lines of the header there are.
    pub(super) fn unsure_header(&self) -> Fit {
        Fit::Doubt(format!("header {} is ambiguous", self.shown))
    }

    fn fit_texts(&self, texts: &[&str]) -> Fit {
        let name = &self.shown;
        let many = matches!(self.want, Want::Present) && texts.len() > 1;
        let texts = if many { texts.get(..1).unwrap_or_default() } else { texts };
        self.want.fit(
            texts,
            true,
            (
                || format!("missing header {name}"),
                |wanted| match wanted {
                    Some(wanted) => format!("missing header {name}={wanted}"),
                    None => format!("missing header {name}"),
                },
                || format!("header {name} is ambiguous"),
            ),
        )
    }
}

impl Want {
    fn fit(
        &self,
        values: &[&str],
        exact: bool,
        (missing, other, unsure): (impl Fn() -> String, impl Fn(Option<&str>) -> String, impl Fn() -> String),
    ) -> Fit {
        match self {
            Self::Absent if values.is_empty() => Fit::Fits,
            Self::Absent if exact => Fit::Fails(other(None)),
            Self::Absent => Fit::Doubt(unsure()),
            Self::Present | Self::Values(_) if values.is_empty() => Fit::Fails(missing()),
            Self::Present if values.len() == 1 && exact => Fit::Fits,
            Self::Present => Fit::Doubt(unsure()),
            Self::Values(tests) => {
                if let Some(unmet) = tests.iter().find(|test| !values.iter().any(|value| test.matches(value)))
                {
                    return Fit::Fails(other(unmet.shown()));
                }
                let wanted = |value: &&str| tests.iter().any(|test| test.matches(value));
                if exact && values.len() == tests.len() && values.iter().all(wanted) {
                    Fit::Fits
                } else {
                    Fit::Doubt(unsure())
                }
            }
        }
    }
}

/// Whether some server may read two names as one without regard to case. Some fold more letters than those of ASCII: the long
/// `ſ` is an `s` to them, the sign for Kelvin a `k`.
pub(super) fn same_letters(one: &str, other: &str) -> bool {
    let folded = |text: &str| text.to_uppercase().to_lowercase();
    one.eq_ignore_ascii_case(other) || (!(one.is_ascii() && other.is_ascii()) && folded(one) == folded(other))
}

/// Whether some server may read two names as one: without regard to case, up to the first `[` or `.`, and with `_` for what PHP
/// does not take in a name.
pub(super) fn alike(one: &str, other: &str) -> bool {
    fn inside(longer: &str, shorter: &str) -> bool {
        let trimmed = longer.trim();
        let head = trimmed.get(..shorter.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(shorter))
            && trimmed
                .get(shorter.len()..)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '.', '\0']))
    }
    let alike = |one: &str, other: &str| {
        inside(one, other) || inside(other, one.trim()) || same_letters(one.trim(), other)
    };
    // `a.b` is another way to write `a[b]`.
    let dotted = |text: &str| text.replace("][", ".").replace('[', ".").replace(']', "");
    alike(one, other)
        || (one.contains('[') || other.contains('[')) && alike(&dotted(one), &dotted(other))
        || (is_rewritten(one) || is_rewritten(other)) && alike(&underscored(one), &underscored(other))
}

/// Whether PHP and those that follow it read another name than the one that is written.
fn is_rewritten(name: &str) -> bool {
    name.contains(['.', ' ', '['])
}

/// The name that they read: nothing of white space in front, and `_` for `.` and for a space before an array begins. A `[` that
/// nothing closes begins none and is a `_` as well; versions differ in what they make of the rest of such a name, so all of it
/// is rewritten.
fn underscored(name: &str) -> String {
    let name = name.trim_start();
    let array = name.find('[').filter(|at| name.get(*at..).is_some_and(|rest| rest.contains(']')));
    let (head, rest) = name.split_at(array.unwrap_or(name.len()));
    head.replace(['.', ' ', '['], "_") + rest
}

/// The pairs of a query or a form, decoded (`+` is a space), all of them; `None` where servers read different pairs.
pub(super) fn split(text: &str) -> Option<Vec<(String, String)>> {
    if text.contains(';') {
        return None;
    }
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((decoded(name)?, decoded(value)?))
    };
    text.split('&').filter(|one| !one.is_empty()).map(pair).collect()
}

/// `+` is a space; an escape that is not whole, or not UTF-8, is nothing.
fn decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => out.push(super::path::hex(bytes.next()?)? << 4 | super::path::hex(bytes.next()?)?),
            other => out.push(other),
        }
    }
    String::from_utf8(out).ok()
}
