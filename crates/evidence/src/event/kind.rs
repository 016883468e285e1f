//! The kinds of events, as numbers of the format and as words.

/// The kind of an event, as it stands in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// [`Event::Intent`](super::Event::Intent) of a use.
    Intent = 1,
    /// [`Event::Outcome`](super::Event::Outcome).
    Outcome = 2,
    /// [`Event::Head`](super::Event::Head).
    Head = 3,
    /// [`Event::Close`](super::Event::Close).
    Close = 4,
    /// [`Event::Refused`](super::Event::Refused).
    Refused = 5,
    /// [`Event::Intent`](super::Event::Intent) of a disclosure.
    Disclosed = 6,
    /// [`Event::Started`](super::Event::Started).
    Started = 7,
    /// [`Notice::Sealed`](super::Notice::Sealed).
    Sealed = 8,
    /// [`Notice::Unsealed`](super::Notice::Unsealed).
    Unsealed = 9,
    /// [`Event::Answered`](super::Event::Answered).
    Answered = 10,
    /// [`Event::Forgotten`](super::Event::Forgotten).
    Forgotten = 11,
}

impl Kind {
    pub(super) const ALL: [Self; 11] = [
        Self::Intent,
        Self::Outcome,
        Self::Head,
        Self::Close,
        Self::Refused,
        Self::Disclosed,
        Self::Started,
        Self::Sealed,
        Self::Unsealed,
        Self::Answered,
        Self::Forgotten,
    ];

    /// The word used in exports and on screens.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Outcome => "outcome",
            Self::Head => "head",
            Self::Close => "close",
            Self::Refused => "refused",
            Self::Disclosed => "disclosed",
            Self::Started => "started",
            Self::Sealed => "sealed",
            Self::Unsealed => "unsealed",
            Self::Answered => "answered",
            Self::Forgotten => "forgotten",
        }
    }
}
