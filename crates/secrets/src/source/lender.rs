//! What a source may use beside the reference: the time, and the secrets that it needs itself.
//!
//! A Vault wants a token, and that token is a secret like any other: it is named by a reference and lent here. It goes one
//! level deep: a source that answers for somebody else's credential is lent none of its own, so that no two sources can ask
//! each other in a circle.

use std::sync::Arc;

use async_trait::async_trait;
use memory::Secret;
use model::{SecretRef, Timestamp};

use super::Trouble;
use crate::Error;

/// Lends a source what it needs for one fetch.
#[async_trait]
pub trait Lender: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// A secret that the source needs itself.
    ///
    /// # Errors
    /// When it can't be had, or the one who asks is already one level deep.
    async fn lend(&self, reference: &SecretRef) -> Result<Secret, Error>;
}

/// Lends nothing: for a source that is asked for the credential of another source.
pub(crate) struct Deepest(pub(crate) Timestamp);

#[async_trait]
impl Lender for Deepest {
    fn now(&self) -> Timestamp {
        self.0
    }

    async fn lend(&self, reference: &SecretRef) -> Result<Secret, Error> {
        let why = "its source needs a credential itself, and such sources are used one level deep only";
        Err(Error::source(reference, Trouble::Wrong(why)))
    }
}

/// A credential of a source, with what went wrong told as the trouble of the secret that it was wanted for.
pub(crate) async fn own(lender: &dyn Lender, reference: &SecretRef) -> Result<Secret, Trouble> {
    lender.lend(reference).await.map_err(|error| match error {
        Error::Source { why, .. } if why.is_passing() => {
            Trouble::Needs { reference: reference.to_string(), why: Arc::clone(&why) }
        }
        Error::Sealed => {
            Trouble::Setting("the broker is sealed, and its source needs a stored credential".into())
        }
        error => Trouble::Setting(format!("its source can't be used: {error}")),
    })
}
