//! How a part of a rule stands to a request.

/// Whether a part of a rule holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fit {
    /// It holds, and there is no other reading.
    Fits,
    /// It doesn't hold in any reading; why, in words that show nothing of the request.
    Fails(String),
    /// It holds in some reading, or nobody can tell.
    Doubt(String),
}

impl Fit {
    /// Both hold: what fails decides, then what is in doubt.
    pub(super) fn and(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Fails(_) => self,
            Self::Fits => other(),
            Self::Doubt(why) => match other() {
                fails @ Self::Fails(_) => fails,
                Self::Fits | Self::Doubt(_) => Self::Doubt(why),
            },
        }
    }

    /// All hold.
    pub(super) fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        parts.into_iter().fold(Self::Fits, |fit, part| fit.and(|| part))
    }

    /// What was found is not the only reading: nothing fits for sure, and what failed still fails.
    pub(super) fn doubted(self, why: &str) -> Self {
        match self {
            Self::Fits => Self::Doubt(why.to_owned()),
            other => other,
        }
    }

    /// One of several readings that all have to be feared: it holds for sure only if there is one alone.
    pub(super) fn any(readings: &[Self], why: &str) -> Self {
        match readings {
            [one] => one.clone(),
            several => match several.iter().all(|fit| matches!(fit, Self::Fails(_))) {
                true => several.first().cloned().unwrap_or_else(|| Self::Fails(why.to_owned())),
                false => Self::Doubt(why.to_owned()),
            },
        }
    }
}
