//! The tokens of the second version of EC2's protocol: made by `PUT /latest/api/token`, shown with every other request.
//!
//! # Invariants
//!
//! - A token is a number and 32 random bytes. The number finds it, the bytes are compared in constant time.
//! - At most [`MOST`] tokens are known; the oldest gives way. An SDK that is answered 401 fetches a new one.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use model::Timestamp;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::{Error, bearer};

/// Proof that a request carried a token that we gave, which has not ended.
#[derive(Debug)]
#[must_use]
pub(crate) struct Known(());

/// See the module.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<Ring>);

#[derive(Default)]
struct Ring {
    next: u64,
    slots: Vec<Slot>,
}

struct Slot {
    number: u64,
    secret: Zeroizing<[u8; SECRET]>,
    ends: Timestamp,
}

impl Tokens {
    /// A new token that is good for `lifetime`.
    ///
    /// # Errors
    /// When the kernel gives no random bytes.
    pub(crate) fn issue(&self, now: Timestamp, lifetime: Duration) -> Result<Bytes, Error> {
        let mut secret = Zeroizing::new([0; SECRET]);
        bearer::fill(secret.as_mut())?;
        let ends = now.after(lifetime);
        let number = self.keep(secret.clone(), ends);
        let mut raw = Zeroizing::new([0; RAW]);
        for (to, from) in raw.iter_mut().zip(number.to_be_bytes().iter().chain(secret.iter())) {
            *to = *from;
        }
        let mut text = Zeroizing::new(vec![0; TEXT]);
        URL_SAFE_NO_PAD.encode_slice(raw.as_ref(), &mut text).map_err(|_| Error::Random)?;
        Ok(Bytes::from_owner(text))
    }

    /// Checks what a request carries. `None` when it is not a token of ours, or one that is over.
    #[must_use]
    pub(crate) fn known(&self, shown: &[u8], now: Timestamp) -> Option<Known> {
        if shown.len() != TEXT {
            return None;
        }
        // The library asks for room by its own estimate, which is a little more than what comes out.
        let mut raw = Zeroizing::new([0; RAW + 8]);
        let length =
            URL_SAFE_NO_PAD.decode_slice(shown, raw.as_mut()).ok().filter(|length| *length == RAW)?;
        let (number, secret) = raw.get(..length)?.split_first_chunk::<8>()?;
        let number = u64::from_be_bytes(*number);
        let ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = ring.slots.get(usize::try_from(number % MOST).ok()?)?;
        let same = bool::from(slot.secret.as_ref().ct_eq(secret));
        (same && slot.number == number && now < slot.ends).then_some(Known(()))
    }

    fn keep(&self, secret: Zeroizing<[u8; SECRET]>, ends: Timestamp) -> u64 {
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = ring.next;
        ring.next = ring.next.wrapping_add(1);
        let slot = Slot { number, secret, ends };
        match usize::try_from(number % MOST).ok().and_then(|place| ring.slots.get_mut(place)) {
            Some(old) => *old = slot,
            None => ring.slots.push(slot),
        }
        number
    }
}

/// Most tokens at a time. Every process with an SDK in it takes one.
pub(crate) const MOST: u64 = 4096;
const SECRET: usize = 32;
const RAW: usize = 8 + SECRET;
/// The length of 40 bytes as base64 without padding.
const TEXT: usize = 54;

#[cfg(test)]
mod tests;
