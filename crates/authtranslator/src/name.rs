//! Names. AuthTranslator allows `[A-Za-z0-9._-]+` without regard to case, we allow labels of a host.

use model::IntegrationName;

/// A name of theirs, and what it becomes here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    /// Ours.
    pub(crate) name: IntegrationName,
    /// Theirs in lower case, where it is another: callers go on using it.
    pub(crate) alias: Option<String>,
}

/// In lower case, each `.` and `_` becomes `-`, none of them at an end; one that is too long is cut, and ends with eight
/// characters of its digest. The error says what is wrong with the name.
pub(crate) fn named(theirs: &str) -> Result<Named, &'static str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if theirs.is_empty() || !theirs.chars().all(allowed) {
        return Err("a name is made of letters, digits, `.`, `_` and `-`");
    }
    if theirs.len() > LONGEST_NAME {
        return Err("a name has at most 255 characters");
    }
    let lower = theirs.to_ascii_lowercase();
    let mut label: String = lower.chars().map(|c| if matches!(c, '.' | '_') { '-' } else { c }).collect();
    label = label.trim_matches('-').to_owned();
    if label.len() > LONGEST {
        let digest = crypto::to_hex(&crypto::sha256(&[lower.as_bytes()]));
        let cut = label.get(..LONGEST - 9).unwrap_or_default().trim_end_matches('-');
        label = format!("{cut}-{}", digest.get(..8).unwrap_or_default());
    }
    let name: IntegrationName = label.parse().map_err(|_| "a name has at least one letter or digit")?;
    let alias = (name.as_str() != lower).then_some(lower);
    Ok(Named { name, alias })
}

/// As long as an alias may be.
const LONGEST_NAME: usize = 255;
/// Longest label of a host (RFC 1035, section 2.3.4).
const LONGEST: usize = 63;
