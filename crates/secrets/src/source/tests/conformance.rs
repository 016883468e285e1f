//! What every secret source has to pass: `conformance!(name, fixture)`, where the fixture puts bytes where the source will
//! find them and says under which reference.

use std::any::Any;

use model::SecretRef;

use crate::SecretSource;
use crate::tests::fixture::Purse;

/// A source over one place, and the reference of what is there.
pub(super) struct Placed {
    pub(super) source: Box<dyn SecretSource>,
    pub(super) reference: SecretRef,
    /// What the source needs itself.
    pub(super) purse: Purse,
    pub(super) takes: Takes,
    /// Kept as long as the source is used: folders, servers.
    pub(super) _kept: Box<dyn Any + Send + Sync>,
}

/// What such a place can hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// Any bytes, 64 KiB and more of them.
    Bytes,
    /// The same, where white space around a text is not part of it.
    Trimmed,
    /// Text, 64 KiB and more of it.
    Text,
    /// One line of text.
    Line,
    /// Text of so many bytes.
    UpTo(usize),
    /// Any bytes, in the reference itself: there is nothing that could be missing.
    Itself,
}

impl Takes {
    pub(super) fn holds(self, bytes: &[u8]) -> bool {
        match self {
            Self::Bytes | Self::Itself => true,
            Self::Trimmed => std::str::from_utf8(bytes).map_or(true, |text| text.trim() == text),
            Self::Text => std::str::from_utf8(bytes).is_ok(),
            Self::Line => std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\n')),
            Self::UpTo(most) => std::str::from_utf8(bytes).is_ok() && bytes.len() <= most,
        }
    }
}

impl Placed {
    pub(super) fn new(
        source: impl SecretSource + 'static,
        reference: &str,
        takes: Takes,
        kept: impl Any + Send + Sync,
    ) -> Self {
        let (source, reference) = (Box::new(source), reference.parse().unwrap());
        Self { source, reference, purse: Purse(Vec::new()), takes, _kept: Box::new(kept) }
    }

    pub(super) fn needing(mut self, purse: &[(&'static str, &'static str)]) -> Self {
        self.purse = Purse(purse.to_vec());
        self
    }
}

macro_rules! conformance {
    ($name:ident, $place:path) => {
        mod $name {
            use crate::error::{Error, Unfit};
            use crate::tests::fixture::{shown, texts};

            async fn placed(bytes: Option<&[u8]>) -> super::Placed {
                let bytes = bytes.map(<[u8]>::to_vec);
                tokio::task::spawn_blocking(move || $place(bytes.as_deref())).await.unwrap()
            }

            async fn refused(bytes: Option<&[u8]>) -> Error {
                let placed = placed(bytes).await;
                let error = placed.source.fetch(&placed.reference, &placed.purse).await.err().unwrap();
                assert!(placed.source.probe(&placed.reference, &placed.purse).await.is_err());
                assert!(!texts(&error).contains("CANARY"), "{error:?}");
                error
            }

            #[tokio::test]
            async fn it_gives_exactly_the_bytes() {
                let mut held = 0;
                for bytes in [
                    b"CANARY-8".as_slice(),
                    b" CANARY \xff\xfe ' \" = # ",
                    " CANARY é ' \" = # \\ $x `y`".as_bytes(),
                    &[b'x'; 4000],
                    &[b'x'; 64 * 1024],
                ] {
                    let placed = placed(Some(b"CANARY-8")).await;
                    if !placed.takes.holds(bytes) {
                        continue;
                    }
                    let placed = self::placed(Some(bytes)).await;
                    let fetched = placed.source.fetch(&placed.reference, &placed.purse).await;
                    let fetched = fetched.unwrap_or_else(|error| panic!("{}: {error:?}", bytes.len()));
                    let got = shown(&fetched.secret);
                    assert!(got == bytes, "{} bytes for {}", got.len(), bytes.len());
                    assert_eq!(placed.source.stamp(&placed.reference).await.unwrap(), fetched.stamp);
                    assert!(placed.source.probe(&placed.reference, &placed.purse).await.is_ok());
                    held += 1;
                }
                assert!(held >= 2);
            }

            #[tokio::test]
            async fn what_is_not_there_is_missing() {
                if placed(Some(b"CANARY-8")).await.takes == super::Takes::Itself {
                    return;
                }
                let error = refused(None).await;
                assert!(matches!(error, Error::Missing(_)), "{error:?}");
            }

            #[tokio::test]
            async fn what_can_be_no_credential_is_unfit() {
                let long = [b'x'; 64 * 1024 + 1];
                let cases: [(&[u8], Unfit); 3] =
                    [(b"  \t       .trim", Unfit::Blank), (b"CANARY7", Unfit::Short), (&long, Unfit::Long)];
                for (bytes, expected) in cases {
                    let bytes = bytes.strip_suffix(b".trim").unwrap_or(bytes);
                    if !placed(Some(b"CANARY-8")).await.takes.holds(bytes) {
                        continue;
                    }
                    let error = refused(Some(bytes)).await;
                    assert!(matches!(&error, Error::Unfit { why, .. } if *why == expected), "{error:?}");
                }
                // Some places can't even say that something is empty: it is refused in one way or another.
                let _ = refused(Some(b"")).await;
            }

            #[tokio::test]
            async fn it_answers_to_its_own_scheme_only() {
                let placed = placed(Some(b"CANARY-8")).await;
                assert_eq!(placed.reference.scheme(), placed.source.scheme());
                let whole = placed.reference.as_str();
                let rest = whole.split_once(':').unwrap().1;
                for other in crate::SOURCES {
                    let reference = format!("{}:{rest}", other.scheme).parse().unwrap();
                    let same = other.scheme == placed.source.scheme();
                    let fetched = placed.source.fetch(&reference, &placed.purse).await;
                    assert_eq!(fetched.is_ok(), same, "{}", other.scheme);
                }
            }
        }
    };
}

pub(super) use conformance;
