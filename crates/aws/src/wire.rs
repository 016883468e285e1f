//! HTTP to AWS: signing, endpoints, proxies, retries, errors as AWS words them.
//!
//! For a process that lives for seconds on a single-threaded runtime: nothing is opened, read or set up before the first
//! request needs it. Who is asked, and with which credentials, is said by the modules of the services.
//!
//! # Invariants
//!
//! - A request goes to the [`Endpoint`] that it was made for, and no redirect is followed.
//! - What may have been performed is sent again only where performing it twice does no harm.
//! - Bodies in both directions may hold secrets and are wiped.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use crypto::sigv4::{Payload, Rules, Signer};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header};
use model::{Clock, Timestamp};
use net::egress::{Egress, EgressConfig};
use zeroize::Zeroizing;

use crate::Lease;
use aside::Flights;

mod aside;
pub mod endpoint;
mod error;
pub(crate) mod form;
pub(crate) mod json;
mod partition;
mod pause;
mod retry;
pub(crate) mod xml;

pub use aside::{Aside, Flight};
pub use endpoint::{Endpoint, Locator, Service, StsEndpoints};
pub use error::{Error, Fault};
pub use partition::Partition;
pub use pause::{Pause, Sleep};

/// Sends requests to AWS. Belongs to one runtime.
pub struct Wire {
    egress: Arc<Egress>,
    clock: Arc<dyn Clock>,
    pause: Arc<dyn Pause>,
    /// Seconds by which AWS' clock is ahead of ours, once it said that ours is wrong.
    ahead: AtomicI64,
    /// When it was first asked for the name of a session.
    first: OnceLock<Timestamp>,
    /// The calls that may go on aside, where that was asked for.
    flights: Option<Flights>,
}

/// A request to AWS.
pub(crate) struct Call<'a> {
    /// Service and action, such as `sts:AssumeRole`, for messages.
    pub(crate) operation: &'static str,
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) method: Method,
    /// Path and query behind the endpoint's own path, percent-encoded.
    pub(crate) target: Zeroizing<String>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Zeroizing<Vec<u8>>,
    /// Whose credentials sign it, and the service's signing name.
    pub(crate) signed_by: Option<(&'a Lease, &'static str)>,
    pub(crate) repeat: Repeat,
}

/// What may happen to a request that may have been performed without our knowing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It is sent again: performing it twice does no harm.
    Harmless,
    /// It is sent again only when it surely was not performed: it creates something, or spends a one-time code.
    Unperformed,
}

/// An answer of AWS that is no error.
pub(crate) struct Reply {
    operation: &'static str,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl Wire {
    /// Nothing is read or opened yet.
    #[must_use]
    pub fn new(config: EgressConfig, clock: Arc<dyn Clock>, pause: Arc<dyn Pause>) -> Self {
        let egress = Arc::new(Egress::new(config));
        Self { egress, clock, pause, ahead: AtomicI64::new(0), first: OnceLock::new(), flights: None }
    }

    /// The time now, as this machine has it.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A time that stays the same for as long as this wire lives, so that what is named after it is named so again.
    #[must_use]
    pub fn first(&self) -> Timestamp {
        *self.first.get_or_init(|| self.clock.now())
    }

    /// Waits, as the pause that it was made with waits.
    pub async fn rest(&self, duration: Duration) {
        self.pause.pause(duration).await;
    }

    /// Sends a request, three times at most, and reads the answer.
    ///
    /// # Errors
    /// [`Error::Refused`] with AWS' own words, or what kept the request from being answered.
    pub(crate) async fn call(&self, call: Call<'_>) -> Result<Reply, Error> {
        let operation = call.operation;
        let call = Prepared::new(call)?;
        let flights = self.flights.as_ref().filter(|flights| !flights.stay());
        if let Some(body) = flights.map(|flights| flights.before(&call)).transpose()?.flatten() {
            return Ok(Reply { operation, body });
        }
        let mut attempt = flights.and_then(|flights| flights.attempt(&call)).unwrap_or(1);
        let mut rest = None;
        loop {
            let (error, again) = match self.attempt(&call, flights, (attempt, rest)).await {
                Ok(reply) if reply.status().is_success() => {
                    let body = reply.into_body();
                    if let Some(flights) = flights {
                        flights.keep(&call, &body);
                    }
                    return Ok(Reply { operation, body });
                }
                Ok(reply) => {
                    let fault = Fault::read(operation, &reply);
                    let again = self.corrected(&fault, reply.headers(), attempt)
                        || retry::fault_is_passing(&fault, call.repeat);
                    (Error::Refused(Box::new(fault)), again.then(|| retry::asked_for(reply.headers())))
                }
                Err(error) => {
                    let again = retry::failure_is_passing(&error, call.repeat);
                    (error, again.then_some(None))
                }
            };
            let Some(asked) = again.filter(|_| attempt < ATTEMPTS) else { return Err(error) };
            tracing::debug!(operation, attempt, %error, "asking again");
            rest = Some(asked.unwrap_or_else(|| retry::backoff(attempt)));
            attempt += 1;
        }
    }

    /// One attempt, behind a rest.
    async fn attempt(
        &self,
        call: &Prepared<'_>,
        flights: Option<&Flights>,
        (attempt, rest): (u32, Option<Duration>),
    ) -> Result<Response<Zeroizing<Vec<u8>>>, Error> {
        let said = match flights {
            None => {
                if let Some(rest) = rest {
                    self.pause.pause(rest).await;
                }
                self.egress.send(call.endpoint.authority(), self.request(call)?).await
            }
            Some(flights) => {
                let send = || {
                    let (egress, pause) = (Arc::clone(&self.egress), Arc::clone(&self.pause));
                    let (authority, request) = (call.endpoint.authority().clone(), self.request(call)?);
                    let sending: aside::Sending = Box::pin(async move {
                        if let Some(rest) = rest {
                            pause.pause(rest).await;
                        }
                        egress.send(&authority, request).await
                    });
                    Ok(sending)
                };
                flights.fly((call, attempt), send).await?
            }
        };
        said.map_err(|source| Error::Net { operation: call.operation, source })
    }

    fn request(&self, call: &Prepared<'_>) -> Result<Request<Bytes>, Error> {
        let malformed =
            || Error::Input { operation: call.operation, what: "a parameter that cannot be sent" };
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(call.target.as_str())
            .body(call.body.clone())
            .map_err(|_| malformed())?;
        let headers = request.headers_mut();
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        headers.extend(call.headers.iter().cloned());
        if let Some((lease, service)) = call.signed_by {
            self.sign(call, (lease, service), headers)
                .map_err(|source| Error::Sign { operation: call.operation, source })?;
        }
        Ok(request)
    }

    fn sign(
        &self,
        call: &Prepared<'_>,
        (lease, service): (&Lease, &'static str),
        headers: &mut HeaderMap,
    ) -> Result<(), crypto::Error> {
        let signer = Signer {
            access_key_id: &lease.access_key_id,
            secret: &lease.secret_access_key,
            token: lease.session_token.as_ref(),
            region: call.endpoint.region(),
            service,
            rules: Rules::STANDARD,
        };
        let host = call.endpoint.authority().host_header();
        let content = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let mut covered = vec![("host", host.as_str())];
        covered.extend(content.map(|content| ("content-type", content)));
        // What of ours begins with `x-amz-` has to be signed, or AWS refuses it.
        covered.extend(call.headers.iter().filter_map(|(name, value)| {
            Some((name.as_str().strip_prefix("x-amz-").map(|_| name.as_str())?, value.to_str().ok()?))
        }));
        let (path, query) = call.target.split_once('?').unwrap_or((&call.target, ""));
        let request = crypto::sigv4::Request {
            method: call.method.as_str(),
            path,
            query,
            headers: &covered,
            payload: Payload::Bytes(&call.body),
        };
        let signed = signer.sign(&request, self.signing_time())?;
        headers.insert("x-amz-date", text_value(&signed.date)?);
        headers.insert(header::AUTHORIZATION, sensitive(text_value(&signed.authorization)?));
        if let Some(token) = &lease.session_token {
            headers.insert("x-amz-security-token", secret_header(token)?);
        }
        Ok(())
    }

    /// The time by AWS' clock, as far as we know it.
    fn signing_time(&self) -> Timestamp {
        let ahead = self.ahead.load(Ordering::Relaxed).saturating_mul(1000);
        Timestamp::from_millis(self.clock.now().millis().saturating_add_signed(ahead))
    }

    /// Whether the request was refused for its time and our clock is off. Then the next one is signed by AWS' clock.
    fn corrected(&self, fault: &Fault, headers: &HeaderMap, attempt: u32) -> bool {
        if attempt > 1 || !fault.may_be_about_time() {
            return false;
        }
        let Some(theirs) = retry::date(headers) else { return false };
        let seconds = |time: Timestamp| i64::try_from(time.millis() / 1000).unwrap_or(i64::MAX);
        let ahead = seconds(theirs).saturating_sub(seconds(self.clock.now()));
        let known = self.ahead.load(Ordering::Relaxed);
        let off = ahead.saturating_sub(known).unsigned_abs() > CLOCK_SKEW;
        if off {
            tracing::warn!(ahead, "the clock of this machine differs from that of AWS by so many seconds");
            self.ahead.store(ahead, Ordering::Relaxed);
        }
        off
    }
}

impl Reply {
    /// The result in an answer of the query protocol: `{action}Result` in `{action}Response`.
    pub(crate) const fn new(operation: &'static str, body: Zeroizing<Vec<u8>>) -> Self {
        Self { operation, body }
    }

    /// The element `ACTIONResult`.
    pub(crate) fn result(&self, action: &str) -> Result<xml::Element, Error> {
        let root =
            xml::Element::parse(&self.body).ok_or_else(|| self.wrong("is not XML that can be read"))?;
        if root.name() != format!("{action}Response") {
            return Err(self.wrong("is the answer to something else"));
        }
        root.into_child(&format!("{action}Result")).ok_or_else(|| self.wrong("has no result in it"))
    }

    /// An answer that is not what it should be.
    pub(crate) const fn wrong(&self, what: &'static str) -> Error {
        Error::Reply { operation: self.operation, what }
    }
}

/// A call whose body can be sent more than once.
struct Prepared<'a> {
    operation: &'static str,
    endpoint: &'a Endpoint,
    method: Method,
    target: Zeroizing<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
    signed_by: Option<(&'a Lease, &'static str)>,
    repeat: Repeat,
    digest: aside::Digest,
}

impl<'a> Prepared<'a> {
    fn new(call: Call<'a>) -> Result<Self, Error> {
        let Call { operation, endpoint, method, target, headers, body, signed_by, repeat } = call;
        if let Some((lease, _)) = signed_by
            && (lease.access_key_id.is_empty() || lease.secret_access_key.is_empty())
        {
            return Err(Error::Input { operation, what: "credentials that are empty" });
        }
        let mut whole = Zeroizing::new(String::with_capacity(endpoint.path().len() + target.len()));
        whole.push_str(endpoint.path());
        whole.push_str(&target);
        let signer = signed_by.map_or("", |(lease, _)| lease.access_key_id.as_str());
        let authority = endpoint.authority().host_header();
        let parts = [operation, &authority, method.as_str(), &whole, signer].map(str::as_bytes);
        let digest = crypto::sha256(&[&parts.join(&0), &[0], body.as_slice()]);
        // Owned by the request and wiped with it.
        let body = Bytes::from_owner(body);
        Ok(Self { operation, endpoint, method, target: whole, headers, body, signed_by, repeat, digest })
    }

    /// The same for all requests that ask for the same with the same credentials, whenever they are signed.
    const fn digest(&self) -> aside::Digest {
        self.digest
    }
}

/// A header whose value is a secret.
pub(crate) fn secret_header(secret: &memory::Secret) -> Result<HeaderValue, crypto::Error> {
    #[expect(clippy::disallowed_methods, reason = "puts a session token or an access token on the request")]
    let value = secret.expose(HeaderValue::from_bytes);
    value.map(sensitive).map_err(|_| crypto::Error::Malformed("the session token"))
}

fn text_value(text: &str) -> Result<HeaderValue, crypto::Error> {
    HeaderValue::from_str(text).map_err(|_| crypto::Error::Malformed("a header"))
}

fn sensitive(mut value: HeaderValue) -> HeaderValue {
    value.set_sensitive(true);
    value
}

const ATTEMPTS: u32 = 3;
/// Seconds by which clocks may differ before AWS refuses a signature, with room to spare.
const CLOCK_SKEW: u64 = 240;
const USER_AGENT: &str = concat!("doorward/", env!("CARGO_PKG_VERSION"));

#[cfg(test)]
pub(crate) use tests::fake;

#[cfg(test)]
mod tests;
