//! Why a list is not accepted.

/// A mistake in a list. Nothing of the lists is used then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {problem}")]
pub struct Error {
    /// The file.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub problem: String,
    /// The known word that is nearest to an unknown one.
    pub nearest: Option<String>,
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        self.nearest.as_ref().map_or_else(
            || {
                "docs/guide/lists.md has every key; the former lists stay in force until the file is right"
                    .to_owned()
            },
            |nearest| format!("did you mean `{nearest}`?"),
        )
    }
}
