//! What every secret source has to pass: `conformance!(name, fixture)`, where the fixture puts bytes where the source will
//! find them and says under which reference.

use model::SecretRef;

use crate::SecretSource;

/// A source over one place, and the reference of what is there.
pub(super) struct Placed {
    pub(super) source: Box<dyn SecretSource>,
    pub(super) reference: SecretRef,
    /// Kept as long as the source is used.
    pub(super) _folder: Option<tempfile::TempDir>,
}

macro_rules! conformance {
    ($name:ident, $place:path) => {
        mod $name {
            use crate::error::{Error, Unfit};
            use crate::tests::fixture::{shown, texts};

            async fn refused(bytes: Option<&[u8]>) -> Error {
                let placed = $place(bytes);
                let error = placed.source.fetch(&placed.reference).await.err().unwrap();
                assert!(placed.source.probe(&placed.reference).await.is_err());
                assert!(!texts(&error).contains("CANARY"), "{error:?}");
                error
            }

            #[tokio::test]
            async fn it_gives_exactly_the_bytes() {
                for bytes in [b"CANARY-8".as_slice(), b" CANARY \xff\xfe ' \" = # ", &[b'x'; 64 * 1024]] {
                    let placed = $place(Some(bytes));
                    let fetched = placed.source.fetch(&placed.reference).await.unwrap();
                    assert_eq!(shown(&fetched.secret), bytes);
                    assert_eq!(placed.source.stamp(&placed.reference).await.unwrap(), fetched.stamp);
                    assert!(placed.source.probe(&placed.reference).await.is_ok());
                }
            }

            #[tokio::test]
            async fn what_is_not_there_is_missing() {
                let error = refused(None).await;
                assert!(matches!(error, Error::Missing(_)), "{error:?}");
            }

            #[tokio::test]
            async fn what_can_be_no_credential_is_unfit() {
                let long = [b'x'; 64 * 1024 + 1];
                let cases: [(&[u8], Unfit); 4] =
                    [(b"", Unfit::Empty), (b"  \t       ", Unfit::Blank), (b"CANARY7", Unfit::Short), (&long, Unfit::Long)];
                for (bytes, expected) in cases {
                    let error = refused(Some(bytes)).await;
                    assert!(matches!(&error, Error::Unfit { why, .. } if *why == expected), "{error:?}");
                }
            }

            #[tokio::test]
            async fn it_answers_to_its_own_scheme_only() {
                let placed = $place(Some(b"CANARY-8"));
                assert_eq!(placed.reference.scheme(), placed.source.scheme());
                for scheme in ["store", "env", "file"] {
                    let path = placed.reference.path();
                    let reference = format!("{scheme}:{path}").parse().unwrap();
                    let same = scheme == placed.source.scheme();
                    assert_eq!(placed.source.fetch(&reference).await.is_ok(), same, "{scheme}");
                }
            }
        }
    };
}

pub(super) use conformance;
