//! Who comes to the API, before anything is read of what they want: known, and not too often.
//!
//! The path proves a caller once more with the call itself, and records it. This look is taken first, so that nothing that is
//! wrong with a request is said to somebody unproven, and so that a caller who is too fast costs neither evidence nor work.

use std::time::Duration;

use catalog::Strategy;
use crypto::MacKey;
use http::HeaderValue;
use model::{Code, Door, Fact, Inputs, PrincipalName, Quota, Refusal, Retry, TenantName};

use crate::inbound::{Asked, Inbound, Operate};
use crate::limits::{Counted, Pace};
use crate::path::identify;
use crate::{Payload, Worker};

/// Proof that a caller of the API is known, and within the rate that every caller has.
#[must_use]
pub struct Welcome {
    pub(crate) tenant: TenantName,
    pub(crate) principal: PrincipalName,
    quota: Option<Quota>,
}

impl Welcome {
    /// How the caller's rate stands.
    #[must_use]
    pub const fn quota(&self) -> Option<&Quota> {
        self.quota.as_ref()
    }
}

impl Worker {
    /// Looks at what a caller of the API presented for an operation, and counts the request.
    ///
    /// # Errors
    /// What the path would refuse it with, where nothing is proven; `rate_limited`. Neither is on record by this.
    pub async fn welcome(
        &self,
        facts: &Fact,
        presented: Option<&HeaderValue>,
        operation: &str,
    ) -> Result<Welcome, Refusal> {
        let inbound = inbound(facts.clone(), presented.cloned(), (operation, Inputs::new(), None))?;
        let (broker, unsealed) = (self.broker(), self.broker().unsealed()?);
        identify::readied(broker, &unsealed, &inbound).await;
        let identified = match identify::caller(broker, &unsealed, &inbound) {
            Ok(identified) => identified,
            Err(refusal) => {
                self.welcome_stranger(facts)?;
                return Err(refusal);
            }
        };
        let (tenant, principal) = (identified.caller.tenant().clone(), identified.caller.principal().clone());
        let house = inbound_integration()?;
        let counted = Counted::Caller(tenant.clone(), principal.clone(), house);
        let pace = Pace { calls: CALLS, per: MINUTE, strategy: Strategy::TokenBucket };
        let within = broker.limits().count(std::iter::once((counted, pace))).map_err(|quota| {
            Refusal::new(Code::RateLimited, "too many requests").retry(Retry::After(quota.reset)).quota(quota)
        })?;
        Ok(Welcome { tenant, principal, quota: within.tightest().copied() })
    }
}

impl Worker {
    /// Counts a request of somebody who proves nothing yet.
    ///
    /// # Errors
    /// `rate_limited`.
    pub fn welcome_stranger(&self, facts: &Fact) -> Result<(), Refusal> {
        if let Some(address) = facts.address {
            let pace = Pace { calls: STRANGERS, per: MINUTE, strategy: Strategy::TokenBucket };
            let _within = self.broker().limits().count_stranger(address, pace).map_err(|wait| {
                Refusal::new(Code::RateLimited, "too many requests that proved nothing")
                    .retry(Retry::After(wait))
            })?;
        }
        Ok(())
    }
}

/// Where lists go on, for one caller and one list. What a page gave is taken there and nowhere else; nobody can make one up, and what stands
/// in it may change.
pub struct Cursors(MacKey);

impl Cursors {
    /// Those of a key.
    #[must_use]
    pub const fn of(key: MacKey) -> Self {
        Self(key)
    }

    /// The text that stands for a place. The same for the same place, so that the same page has the same `ETag`.
    #[must_use]
    pub fn written(&self, place: &str) -> String {
        let tag = self.0.tag(&[place.as_bytes()]);
        let short = tag.get(..CURSOR_TAG).unwrap_or_default();
        format!("{CURSOR}{}", crypto::to_base64url(&[short, place.as_bytes()].concat()))
    }

    /// The place.
    ///
    /// # Errors
    /// `bad_request` for a text that no page of this list gave to this caller.
    pub fn read(&self, cursor: &str) -> Result<String, Refusal> {
        let wrong = || {
            Refusal::new(Code::BadRequest, "`cursor` is not one that a page of this list gave to you")
                .hint("begin again without one")
        };
        let bytes = cursor.strip_prefix(CURSOR).and_then(|text| crypto::from_base64url(text).ok());
        let bytes = bytes.ok_or_else(wrong)?;
        let (tag, place) = bytes.split_at_checked(CURSOR_TAG).ok_or_else(wrong)?;
        let own = self.0.tag(&[place]);
        let _same = crypto::same(own.get(..CURSOR_TAG).unwrap_or_default(), tag).map_err(|_| wrong())?;
        String::from_utf8(place.to_vec()).map_err(|_| wrong())
    }
}

impl Worker {
    /// Where a list goes on for a caller.
    ///
    /// # Errors
    /// When the broker is sealed.
    pub fn cursors(
        &self,
        Welcome { tenant, principal, quota: _ }: &Welcome,
        list: &str,
    ) -> Result<Cursors, Refusal> {
        let house = self.broker().unsealed()?.hashing_key();
        Ok(Cursors(house.derive("cursor", format!("{list}\n{tenant}\n{principal}").as_bytes())))
    }
}

/// The tag of a representation (RFC 9110, section 8.8.3): another one for other bytes.
#[must_use]
pub fn etag(bytes: &[u8]) -> String {
    let digest = crypto::sha256(&[bytes]);
    format!("\"{}\"", crypto::to_hex(digest.get(..16).unwrap_or_default()))
}

/// One operation of Doorward itself, as the API's door asks for it.
///
/// # Errors
/// `bad_request` for a name that is none.
pub fn inbound(
    facts: Fact,
    presented: Option<HeaderValue>,
    (operation, inputs, payload): (&str, Inputs, Option<Payload>),
) -> Result<Inbound, Refusal> {
    let operation = operation.parse().map_err(|error: model::ParseError| wrong(&error))?;
    let operate = Operate::new(inbound_integration()?, operation, inputs).with(payload);
    Ok(Inbound { door: Door::Server, facts, capability: presented, asked: Asked::Operate(operate) })
}

fn inbound_integration() -> Result<model::IntegrationName, Refusal> {
    HOUSE.parse().map_err(|error: model::ParseError| wrong(&error))
}

fn wrong(error: &model::ParseError) -> Refusal {
    Refusal::new(Code::BadRequest, error.to_string())
}

const HOUSE: &str = "doorward";
const MINUTE: Duration = Duration::from_secs(60);
/// Requests of one caller a minute.
const CALLS: u32 = 1_200;
/// Requests a minute from one address that proved nothing.
const STRANGERS: u32 = 120;
const CURSOR: &str = "c";
const CURSOR_TAG: usize = 16;
