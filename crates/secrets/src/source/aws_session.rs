//! `aws-session:WHOSE`: the credentials that this machine or a profile has at AWS, for signing requests there (`sigv4`).
//!
//! `machine` is the first of the environment, a web identity (EKS), the container (ECS) and the instance (EC2); `container`,
//! `instance` and `environment` are one of them alone; `profile/NAME` is a profile of the usual files that has keys of its own. What
//! comes is one document, as `credential_process` prints it, so that id, key and token are always of one session; it is read again
//! before its end. A role that they may assume is named at the auth scheme (`role`).

use async_trait::async_trait;
use aws::wire::Service;
use model::SecretRef;

use super::aws::{Account, Whose};
use super::{Fetched, Lender, SecretSource, Setup, Trouble, of_scheme};
use crate::Error;
use crate::source::guarded;

/// Sessions of AWS.
pub(super) struct Session(Account);

impl Session {
    pub(super) fn new(setup: &Setup) -> Self {
        Self(Account::new(Service::Sts, setup))
    }
}

#[async_trait]
impl SecretSource for Session {
    fn scheme(&self) -> &'static str {
        SCHEME
    }

    async fn fetch(&self, reference: &SecretRef, lender: &dyn Lender) -> Result<Fetched, Error> {
        let failed = |why| Error::source(reference, why);
        of_scheme(reference, SCHEME).map_err(failed)?;
        if reference.field().is_some() {
            return Err(failed(Trouble::Wrong(
                "a session is used whole: its id, key and token belong together",
            )));
        }
        let whose = Whose::read(reference.path()).map_err(failed)?;
        let lease = self.0.session(whose, lender.now()).await.map_err(failed)?;
        let text = lease.to_process_json();
        let text = text.ok_or_else(|| failed(Trouble::Answer { at: "AWS".into(), what: "is not text" }))?;
        let secret = guarded(zeroize::Zeroizing::new(text.as_bytes().to_vec()))?;
        Ok(Fetched { ends: lease.expiration, ..super::aged(reference, secret)? })
    }
}

pub(super) const SCHEME: &str = "aws-session";
