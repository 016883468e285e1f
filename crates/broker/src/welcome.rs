//! Who comes to the API, before anything is read of what they want: known, and not too often.
//!
//! The path proves a caller once more with the call itself, and records it. This look is taken first, so that nothing that is
//! wrong with a request is said to somebody unproven, and so that a caller who is too fast costs neither evidence nor work.

use std::time::Duration;

use catalog::Strategy;
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
