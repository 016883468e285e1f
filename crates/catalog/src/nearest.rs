//! "Did you mean": the known word that is nearest to a wrong one.

/// The nearest of the known words, where it is near enough to be a slip of the finger.
#[must_use]
pub fn word<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(wrong, candidate), candidate))
        .filter(|(score, _)| *score >= NEAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate.to_owned())
}

/// `; did you mean ...` for the end of a message, empty where nothing is near.
pub(crate) fn suffix<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    word(wrong, known).map_or_else(String::new, |near| format!("; did you mean `{near}`"))
}

/// A wrong word as it may be shown: what is not plainly a word may be a secret in the wrong place.
pub(crate) fn shown(wrong: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.' | ':');
    let word = wrong.len() <= LONGEST
        && wrong.chars().all(plain)
        && !wrong.starts_with("sk")
        && !wrong.starts_with("xox");
    if word { format!("`{wrong}`") } else { "(not shown)".to_owned() }
}

const NEAR: f64 = 0.8;
/// Longest wrong word that is repeated.
const LONGEST: usize = 32;
