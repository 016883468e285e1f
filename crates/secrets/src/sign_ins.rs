//! The sign-ins of a tenant: one document in our own store, read and changed for the operations that manage it.
//!
//! What a refresh token was exchanged for is kept beside it, in the rows of [`crate::renewed`]: the document stays what was imported.

use cloud::sign_in::{self, Profiles};
use evidence::Receipt;
use memory::Secret;
use model::SecretName;
use policy::Permit;

use crate::error::NotLent;
use crate::lend::proven;
use crate::source::PROFILES;
use crate::stored::{Disclosure, Stored};
use crate::{Error, Secrets};

/// What a look at the document, or a change of it, gives.
type Done<T> = Result<T, sign_in::Error>;

impl Secrets {
    /// Looks at the sign-ins of the tenant.
    ///
    /// # Errors
    /// When the call is no operation on sign-ins, or the document can't be read. The inner error is the caller's own.
    pub async fn sign_ins<T: Send + 'static>(
        &self,
        proofs: (&Permit, &Receipt),
        look: impl FnOnce(&Profiles) -> Done<T> + Send + 'static,
    ) -> Result<Done<T>, Error> {
        manages(proofs)?;
        let (name, now) = (name()?, self.now());
        self.look(proofs.0.tenant(), move |stored| Ok(look(&read(stored, &name, now)?.0))).await
    }

    /// Changes the sign-ins of the tenant; an error of the change changes nothing. It is durable when this returns.
    ///
    /// # Errors
    /// As for [`Self::sign_ins`], and when it can't be stored.
    pub async fn change_sign_ins<T: Send + 'static>(
        &self,
        proofs: (&Permit, &Receipt),
        change: impl FnOnce(&mut Profiles) -> Done<T> + Send + 'static,
    ) -> Result<Done<T>, Error> {
        manages(proofs)?;
        let _changing = self.changing().await;
        let (name, now, owned) = (name()?, self.now(), name()?);
        self.change(proofs.0.tenant(), &name, move |stored| {
            let (mut all, there) = read(stored, &owned, now)?;
            let done = match change(&mut all) {
                Ok(done) => done,
                Err(error) => return Ok(Err(error)),
            };
            let mut document = all.write().map_err(|_| Error::damaged("the document of sign-ins"))?;
            let document = Secret::new(std::mem::take(&mut *document))?;
            if there {
                stored.rotate(&owned, &document, std::time::Duration::ZERO, now)?;
            } else {
                stored.put(&owned, &document, Disclosure::Never, now)?;
            }
            Ok(Ok(done))
        })
        .await
    }
}

/// The document, and whether it is there.
fn read(stored: &Stored<'_>, name: &SecretName, now: model::Timestamp) -> Result<(Profiles, bool), Error> {
    match stored.open(name, now) {
        Ok(opened) => {
            #[expect(clippy::disallowed_methods, reason = "reads the document that is managed")]
            let all = opened.current.1.expose(|bytes| Profiles::read(bytes, name.as_str()));
            let damaged = |_| Error::damaged(format!("the document of sign-ins in `store:{name}`"));
            Ok((all.map_err(damaged)?, true))
        }
        Err(Error::Missing(_)) => Ok((Profiles::default(), false)),
        Err(error) => Err(error),
    }
}

/// Sees that the call is one of the operations that manage sign-ins, permitted and recorded.
fn manages((permit, receipt): (&Permit, &Receipt)) -> Result<(), Error> {
    let refused = |why| Error::NotLent { reference: format!("store:{PROFILES}"), why };
    proven(permit, receipt).map_err(refused)?;
    let call = permit.call();
    let of_the_house = [call.integration(), call.kind()].into_iter().all(|name| name.as_str() == "doorward");
    if of_the_house && call.operation().as_str().starts_with("llm.") {
        Ok(())
    } else {
        Err(refused(NotLent::OtherOperation))
    }
}

fn name() -> Result<SecretName, Error> {
    PROFILES.parse().map_err(|_| Error::damaged("the name of the document of sign-ins"))
}
