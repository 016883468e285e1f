//! Codes of MFA devices whose seed is in our own store.
//!
//! A code is written down as used before it goes to AWS, with the end of its window, so that no code is ever used twice: AWS
//! refuses it the second time, and counts that against the device.

use std::sync::Arc;

use aws::chain::Mfa;
use aws::mfa::{Code as Digits, Seed};
use keyring::{Error, Item, Trust};
use memory::Secret;
use model::{Code, Refusal, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Batch, Row, Table};

use super::needs::{Needs, Stop};
use super::{Minted, Minting, key};
use crate::manage::{unstored, waiting};

/// Whether seeds that are stored here make codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seeds {
    /// Where a device has one.
    Use,
    /// Whoever asks said where codes come from.
    Leave,
}

/// Stores the seed of a device, after a look whether codes can be made of it.
pub(super) async fn add(minting: &Minting, serial: String, seed: Secret) -> Result<Minted, Stop> {
    Seed::read(&seed).map_err(|error| {
        Refusal::new(Code::BadRequest, format!("the seed of `{serial}` can't be used: {error}"))
            .hint("it is what AWS shows as secret key when a virtual device is assigned, or the address in its QR code")
    })?;
    let item = Item {
        name: serial.clone(),
        secret: seed,
        label: String::new(),
        description: String::new(),
        trust: Trust::Nobody,
    };
    minting.seeds.write(item).await.map_err(|error| minting.keyring(&error))?;
    Ok(key::done(json!({ "serial": serial }), vec![("serial", serial.clone())]))
}

/// Forgets the seed of a device.
pub(super) async fn remove(minting: &Minting, serial: &str) -> Result<Minted, Stop> {
    let removed =
        minting.seeds.remove(vec![serial.to_owned()]).await.map_err(|error| minting.keyring(&error))?;
    if removed == 0 {
        let message = format!("no seed is stored for `{serial}`");
        return Err(Refusal::new(Code::SecretMissing, message).into());
    }
    Ok(key::done(json!({ "serial": serial }), vec![("serial", serial.to_owned())]))
}

impl Minting {
    /// The code of a device: what the door got, or what its seed makes. One call gets one code for a device.
    pub(super) async fn code(&self, device: &Mfa) -> Result<&Digits, Stop> {
        let given = self.given.codes.iter().find(|(serial, _)| *serial == device.serial);
        if let Some((_, code)) = given {
            return Ok(code);
        }
        if let Some((serial, code)) = self.given.left.seeded.get() {
            return if *serial == device.serial { Ok(code) } else { Err(lacking(device)) };
        }
        let (serial, code) = self.seeded.get_or_try_init(|| self.made(device)).await?;
        if *serial == device.serial { Ok(code) } else { Err(lacking(device)) }
    }

    async fn made(&self, device: &Mfa) -> Result<(String, Digits), Stop> {
        if self.tools.seeds == Seeds::Leave || device.process.is_some() {
            return Err(lacking(device));
        }
        let item = match self.seeds.read(&self.lending, &device.serial).await {
            Ok(item) => item,
            Err(Error::NotFound { .. } | Error::Name { .. }) => return Err(lacking(device)),
            Err(error) => return Err(self.keyring(&error).into()),
        };
        let refused = |error: aws::mfa::Error| {
            let message = format!("no code could be made for `{}`: {error}", device.serial);
            Refusal::new(Code::SourceUnavailable, message)
        };
        let seed = Seed::read(&item.secret).map_err(refused)?;
        let now = self.tools.wire.now();
        self.take_window(&device.serial, now, seed.next_after(now)).await?;
        Ok((device.serial.clone(), seed.code_at(now).map_err(refused)?))
    }

    /// Writes down that the code of this window is used. Whoever comes second has to wait for the next one.
    async fn take_window(&self, serial: &str, now: Timestamp, end: Timestamp) -> Result<(), Stop> {
        let (storage, tenant) = (Arc::clone(&self.storage), self.tenant.clone());
        let key = format!("aws/seed-used/{serial}").into_bytes();
        let taken = waiting(move || {
            let before = storage.get(Table::Meta, &tenant, &key).map_err(|error| unstored(&error))?;
            let until = before.as_deref().and_then(|row| Some(u64::from_be_bytes(row.try_into().ok()?)));
            if let Some(until) = until.map(Timestamp::from_millis).filter(|until| now < *until) {
                return Ok(Err(until));
            }
            let value = end.millis().to_be_bytes().to_vec();
            let batch = match before {
                Some(old) => Batch::new().swap(Table::Meta, &tenant, old, Row { key, value }),
                None => Batch::new().insert(Table::Meta, &tenant, &key, value),
            };
            match storage.commit(&batch) {
                Ok(()) => Ok(Ok(())),
                // Somebody else took this window in between.
                Err(store::Error::Conflict) => Ok(Err(end)),
                Err(error) => Err(unstored(&error)),
            }
        });
        taken.await?.map_err(|until| Stop::Needs(Needs::Later { serial: serial.to_owned(), until }))
    }
}

fn lacking(device: &Mfa) -> Stop {
    Stop::Needs(Needs::Code { serial: device.serial.clone(), process: device.process.clone() })
}
