//! Refresh tokens that a service replaced: kept durably before what came with them is used, and fenced across processes.
//!
//! A user stores a refresh token once. Services that rotate them give another one with each use, and some then refuse the old
//! one; so what came has to be kept, or the credential is gone. A row per (integration, field) holds the newest and the one
//! before, sealed like any secret, under an epoch. Whoever wants to use the refresh token *claims* the row first, so that two
//! processes never spend the same token; a claim ends by itself, so that a process that was killed blocks nobody for long.
//!
//! # Invariants
//!
//! - A row is replaced only as it was read (compare and swap); a claim that was lost meanwhile loses no token.
//! - The newest and the one before are both kept, so that a write that nobody knows the end of bricks nothing.
//! - A row that began with another stored token than the one that is there now is begun anew: the user has replaced it.

use std::time::Duration;

use crypto::{Kind, Place};
use evidence::Receipt;
use memory::Secret;
use model::{TenantName, Timestamp};
use policy::Permit;
use serde::{Deserialize, Serialize};
use store::{Batch, Row, Storage, Table};

use crate::error::NotLent;
use crate::keys::TenantKeys;
use crate::lend::proven;
use crate::secrets::waiting;
use crate::{Error, Keyring, Opened, Secrets, rotation};

/// A claim on the refresh token of one integration, and the tokens to try, the newest first.
pub struct Claim {
    at: Spot,
    epoch: u64,
    holder: String,
    /// What may be tried, in this order.
    pub tokens: Vec<Secret>,
}

/// Which row.
#[derive(Clone)]
struct Spot {
    tenant: TenantName,
    key: String,
    seed: String,
}

/// The row.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    epoch: u64,
    /// An HMAC of the stored token that it all began with.
    seed: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holder: Option<(String, Timestamp)>,
    /// Sealed, the newest first.
    tokens: Vec<Sealed>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    /// Which version it was sealed as.
    version: u64,
    /// Base64.
    bytes: String,
}

impl Secrets {
    /// Claims a refresh token at its place, for a call that was lent `stored`: nobody else uses it before the claim is given
    /// back or has ended. The place is that of the token, not of the call: whoever has the same token names the same place.
    ///
    /// # Errors
    /// [`Error::Conflict`] while somebody else has it; when the proofs are not for one call, or the storage fails.
    pub async fn claim_renewal(
        &self,
        (permit, receipt): (&Permit, &Receipt),
        (place, stored): (&str, &Opened),
    ) -> Result<Claim, Error> {
        let refused = |why: NotLent| Error::NotLent { reference: stored.reference().to_string(), why };
        proven(permit, receipt).map_err(refused)?;
        let keyring = self.keyring()?;
        #[expect(
            clippy::disallowed_methods,
            reason = "takes the imprint of the stored token, and lends it as the last to try"
        )]
        let (seed, own) = stored.expose(|bytes| {
            let seed = keyring.house().hashing_key().tag(&[b"refresh token", bytes]);
            (crypto::to_hex(&seed), Secret::new(bytes.to_vec()).map_err(crypto::Error::from))
        });
        let own = own?;
        let key = format!("{PREFIX}{place}");
        let at = Spot { tenant: permit.tenant().clone(), key, seed };
        let holder = crypto::to_hex(&crypto::array::<16>()?);
        let (storage, now) = (self.storage(), self.now());
        waiting(move || Renewals { storage: &*storage, keyring: &keyring, at: &at }.claim(own, holder, now))
            .await
    }

    /// What a stored token was exchanged for last, for a call that tells of it and gives nothing of it away; `None` where nobody exchanged
    /// it. Nothing is claimed.
    ///
    /// # Errors
    /// When the proofs are not for one call, or the storage fails.
    pub async fn newest_renewal(
        &self,
        (permit, receipt): (&Permit, &Receipt),
        (place, stored): (&str, &[u8]),
    ) -> Result<Option<Secret>, Error> {
        let reference = format!("the refresh token at `{place}`");
        proven(permit, receipt).map_err(|why| Error::NotLent { reference, why })?;
        let keyring = self.keyring()?;
        let seed = crypto::to_hex(&keyring.house().hashing_key().tag(&[b"refresh token", stored]));
        let at = Spot { tenant: permit.tenant().clone(), key: format!("{PREFIX}{place}"), seed };
        let storage = self.storage();
        waiting(move || {
            let renewals = Renewals { storage: &*storage, keyring: &keyring, at: &at };
            let (kept, _) = renewals.read()?;
            kept.tokens.first().map(|sealed| renewals.open(sealed)).transpose()
        })
        .await
    }

    /// Forgets what is kept at a place, for a call that takes away the token that it all began with.
    ///
    /// # Errors
    /// When the proofs are not for one call, or the storage fails.
    pub async fn forget_renewal(
        &self,
        (permit, receipt): (&Permit, &Receipt),
        place: &str,
    ) -> Result<(), Error> {
        let reference = format!("the refresh token at `{place}`");
        proven(permit, receipt).map_err(|why| Error::NotLent { reference, why })?;
        let (storage, tenant, key) = (self.storage(), permit.tenant().clone(), format!("{PREFIX}{place}"));
        waiting(move || {
            let batch = Batch::new().delete(Table::Meta, &tenant, key.as_bytes());
            storage.commit(&batch).map_err(Error::Store)
        })
        .await
    }

    /// Gives a claim back. With a new token, that one is the newest from now on and durable when this returns; the one that was
    /// used is kept beside it.
    ///
    /// # Errors
    /// When the storage fails. The claim ends by itself then, and whoever has the new token has to try again.
    pub async fn settle_renewal(
        &self,
        claim: &Claim,
        used: Option<&Secret>,
        renewed: Option<&Secret>,
    ) -> Result<(), Error> {
        let keyring = self.keyring()?;
        let copy = |secret: Option<&Secret>| -> Result<Option<Secret>, Error> {
            #[expect(clippy::disallowed_methods, reason = "takes a token to the thread that seals it")]
            let copy = secret.map(|secret| secret.expose(|bytes| Secret::new(bytes.to_vec())));
            copy.transpose().map_err(|error| Error::Crypto(error.into()))
        };
        let (used, renewed) = (copy(used)?, copy(renewed)?);
        let (at, storage) = (claim.at.clone(), self.storage());
        let (epoch, holder) = (claim.epoch, claim.holder.clone());
        waiting(move || {
            let renewals = Renewals { storage: &*storage, keyring: &keyring, at: &at };
            renewals.settle((epoch, &holder), used.as_ref(), renewed.as_ref())
        })
        .await
    }
}

/// A row and what opens it.
struct Renewals<'a> {
    storage: &'a dyn Storage,
    keyring: &'a Keyring,
    at: &'a Spot,
}

impl Renewals<'_> {
    fn claim(&self, own: Secret, holder: String, now: Timestamp) -> Result<Claim, Error> {
        let (mut kept, old) = self.read()?;
        if kept.holder.as_ref().is_some_and(|(_, until)| now < *until) {
            let what = self.at.key.clone();
            return Err(Error::Conflict { what, why: "is being renewed by somebody else" });
        }
        let mut tokens = kept.tokens.iter().map(|sealed| self.open(sealed)).collect::<Result<Vec<_>, _>>()?;
        if tokens.len() < KEPT {
            tokens.push(own);
        }
        kept.epoch += 1;
        kept.holder = Some((holder.clone(), now.after(CLAIMED)));
        self.write(&kept, old)?;
        Ok(Claim { at: self.at.clone(), epoch: kept.epoch, holder, tokens })
    }

    fn settle(
        &self,
        (epoch, holder): (u64, &str),
        used: Option<&Secret>,
        renewed: Option<&Secret>,
    ) -> Result<(), Error> {
        for _ in 0..MOST_TRIES {
            let (mut kept, old) = self.read()?;
            let ours = kept.epoch == epoch && kept.holder.as_ref().is_some_and(|(by, _)| by == holder);
            if !ours && renewed.is_none() {
                return Ok(());
            }
            kept.epoch += 1;
            if ours {
                kept.holder = None;
            }
            if let Some(renewed) = renewed {
                // Of a claim that was lost, what others kept meanwhile stays beside ours.
                let mut tokens = vec![self.seal(renewed, kept.epoch)?];
                kept.epoch += 1;
                match used.filter(|_| ours) {
                    Some(used) => tokens.push(self.seal(used, kept.epoch)?),
                    None => tokens.append(&mut kept.tokens),
                }
                tokens.truncate(KEPT);
                kept.tokens = tokens;
            }
            match self.write(&kept, old) {
                Err(Error::Conflict { .. }) => {}
                done => return done,
            }
        }
        Err(Error::Conflict { what: self.at.key.clone(), why: "changed again and again" })
    }

    /// The row, and its bytes as they stand in the storage.
    fn read(&self) -> Result<(Kept, Option<Vec<u8>>), Error> {
        let bytes = self.storage.get(Table::Meta, &self.at.tenant, self.at.key.as_bytes())?;
        let fresh = |epoch| Kept { epoch, seed: self.at.seed.clone(), ..Kept::default() };
        let Some(bytes) = bytes else { return Ok((fresh(0), None)) };
        let kept: Kept = serde_json::from_slice(&bytes).map_err(|_| self.damaged())?;
        let kept = if kept.seed == self.at.seed { kept } else { fresh(kept.epoch) };
        Ok((kept, Some(bytes)))
    }

    fn write(&self, kept: &Kept, old: Option<Vec<u8>>) -> Result<(), Error> {
        let value = serde_json::to_vec(kept).map_err(|_| self.damaged())?;
        let (tenant, key) = (&self.at.tenant, self.at.key.as_bytes());
        let fenced = self.keyring.tenant(tenant)?.fence(Batch::new(), tenant)?;
        let batch = match old {
            Some(old) => fenced.swap(Table::Meta, tenant, old, Row { key: key.to_vec(), value }),
            None => fenced.insert(Table::Meta, tenant, key, value),
        };
        self.storage.commit(&batch).map_err(|error| match error {
            store::Error::Conflict => Error::Conflict { what: self.at.key.clone(), why: "changed meanwhile" },
            other => Error::Store(other),
        })
    }

    #[expect(clippy::disallowed_methods, reason = "seals the token for its row")]
    fn seal(&self, token: &Secret, version: u64) -> Result<Sealed, Error> {
        let keys = self.keyring.tenant(&self.at.tenant)?;
        let sealed = token.expose(|bytes| keys.seal(bytes, &self.place(version)))?;
        Ok(Sealed { version, bytes: crypto::to_base64(&sealed) })
    }

    fn open(&self, sealed: &Sealed) -> Result<Secret, Error> {
        let keys = self.keyring.tenant(&self.at.tenant)?;
        let bytes = crypto::from_base64(&sealed.bytes).map_err(|_| self.damaged())?;
        keys.open_row(&bytes, &self.place(sealed.version)).map_err(|_| self.damaged())
    }

    fn place(&self, version: u64) -> Place<'_> {
        // No name of a secret begins with this.
        Place { tenant: self.at.tenant.as_str(), subject: &self.at.key, version, kind: Kind::Secret }
    }

    fn damaged(&self) -> Error {
        Error::damaged(format!("the refresh token kept at `{}`", self.at.key))
    }
}

/// Whether the newest data key of its tenant sealed all tokens of a row.
pub(crate) fn is_new(keys: &TenantKeys, row: &[u8]) -> Result<bool, Error> {
    for sealed in parsed(row)?.tokens {
        if !keys.is_newest(&sealed.decoded()?)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A row whose tokens are sealed with the newest data key of its tenant.
pub(crate) fn sealed_anew(keys: &TenantKeys, tenant: &TenantName, row: &Row) -> Result<Vec<u8>, Error> {
    let mut kept = parsed(&row.value)?;
    let subject = std::str::from_utf8(&row.key).map_err(|_| unreadable())?;
    for sealed in &mut kept.tokens {
        let at = (&[subject][..], sealed.version);
        let anew = rotation::row_anew(keys, tenant, &sealed.decoded()?, at, unreadable)?;
        sealed.bytes = crypto::to_base64(&anew);
    }
    serde_json::to_vec(&kept).map_err(|_| unreadable())
}

impl Sealed {
    fn decoded(&self) -> Result<Vec<u8>, Error> {
        crypto::from_base64(&self.bytes).map_err(|_| unreadable())
    }
}

fn parsed(row: &[u8]) -> Result<Kept, Error> {
    serde_json::from_slice(row).map_err(|_| unreadable())
}

fn unreadable() -> Error {
    Error::damaged("a refresh token that was kept")
}

/// What the keys of the rows begin with.
pub(crate) const PREFIX: &str = "outgoing/refresh/";
/// Longer than a token endpoint is given, so that a claim never ends while its holder still asks.
const CLAIMED: Duration = Duration::from_secs(60);
/// The newest and the one before.
const KEPT: usize = 2;
const MOST_TRIES: usize = 8;

#[cfg(test)]
pub(crate) mod tests;
