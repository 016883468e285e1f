//! What a server of AWS credentials asks for, and what it is given: leases, kept until they are about to end.
//!
//! # Invariants
//!
//! - No credential leaves a server before [`Leases::record`] has returned the id of its evidence.
//! - For one role there is one fetch at a time, however many ask; a caller who hangs up does not cancel it.
//! - After a failure nobody asks again before a pause, which doubles up to a minute.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use broker::Lease;
use bytes::Bytes;
use model::{Clock, Code, EvidenceId, Fact, Refusal, Timestamp};

use crate::flight::{Ends, Flights};
use crate::render;

/// Which server is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// EC2's instance metadata service.
    Ec2,
    /// The credentials endpoint of ECS and EKS containers.
    Ecs,
    /// Google Compute Engine's metadata server.
    Gcp,
    /// Azure's instance metadata service.
    Azure,
}

impl Endpoint {
    /// The word in logs and evidence.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ec2 => "ec2",
            Self::Ecs => "ecs",
            Self::Gcp => "gcp",
            Self::Azure => "azure",
        }
    }
}

/// The ARN of an IAM role: `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`.
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RoleArn(Box<str>);

impl RoleArn {
    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RoleArn {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let wrong = || {
            Refusal::new(Code::BadRequest, "that is not the ARN of a role")
                .hint("write `/role-arn/arn:aws:iam::ACCOUNT:role/NAME`")
        };
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next().ok_or_else(wrong);
        let (arn, partition, service, region, account, resource) =
            (next()?, next()?, next()?, next()?, next()?, next()?);
        let name = resource.strip_prefix("role/").ok_or_else(wrong)?;
        let plain = |text: &str, more: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        let good = arn == "arn"
            && service == "iam"
            && region.is_empty()
            && plain(partition, "-")
            && account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
            && name.len() <= 576
            && plain(name, "+=,.@-_/")
            && name.split('/').all(|part| !part.is_empty());
        if good { Ok(Self(text.into())) } else { Err(wrong()) }
    }
}

/// What a server wants credentials for.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Which server was asked.
    pub endpoint: Endpoint,
    /// A role to assume with the credentials of the profile; `None` for those of the profile themselves.
    pub role: Option<RoleArn>,
    /// The region of the profile, where there is one.
    pub region: Option<String>,
    /// What the kernel says about whoever asked first. Those who ask while the lease is kept share it.
    pub facts: Fact,
}

/// An answer that is about to carry a credential.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// Which server answers.
    pub endpoint: Endpoint,
    /// The role that was asked for, or the cloud's account.
    pub role: Option<&'a str>,
    /// The id of the access key; empty for a token of another cloud, which has none.
    pub id: &'a str,
    /// When it ends.
    pub expiration: Timestamp,
    /// Who asked.
    pub peer: Option<IpAddr>,
}

/// Where leases come from. The wiring implements it with the path behind it.
pub trait Leases: Send + Sync + 'static {
    /// Makes or finds a lease. Called once for all who wait for the same role; it may ask a person for a code.
    ///
    /// # Errors
    /// The refusal that everybody who waits is told. Its message and hint go to the caller.
    fn lease(&self, ask: Ask) -> impl Future<Output = Result<Arc<Lease>, Refusal>> + Send;

    /// Makes an answer durable before it is given. Called for every answer with a credential, also one that was kept.
    ///
    /// # Errors
    /// When it can't be recorded; nothing is given then.
    fn record(&self, given: Given<'_>) -> impl Future<Output = Result<EvidenceId, Refusal>> + Send;
}

/// Leases that are kept until five minutes before their end, and fetched once for all who ask.
pub struct Refreshing<L> {
    source: Arc<L>,
    flights: Flights<Held>,
}

impl<L: Leases> Refreshing<L> {
    /// Nothing is fetched before somebody asks. For credentials that have to be there first, wait for
    /// [`Refreshing::current`].
    pub fn new(source: Arc<L>, clock: Arc<dyn Clock>) -> Self {
        Self { source, flights: Flights::new(clock) }
    }

    /// Where its leases come from.
    #[must_use]
    pub fn source(&self) -> &L {
        &self.source
    }

    /// A lease with time left: the one that is kept, or a new one.
    ///
    /// # Errors
    /// What [`Leases::lease`] refused, now or within the pause before now.
    pub async fn current(&self, ask: Ask) -> Result<Arc<Held>, Refusal> {
        let role = ask.role.clone();
        self.held(role.as_ref(), move || ask).await
    }

    /// Drops everything that is kept, so that the next caller gets fresh credentials.
    pub fn forget(&self) {
        self.flights.forget();
    }

    /// The same as [`Refreshing::current`], with an ask that is made only when something has to be fetched.
    pub(crate) async fn held(
        &self,
        role: Option<&RoleArn>,
        ask: impl FnOnce() -> Ask,
    ) -> Result<Arc<Held>, Refusal> {
        let key = role.map_or("", RoleArn::as_str);
        self.flights
            .current(key, || {
                let (source, clock, ask) = (Arc::clone(&self.source), self.flights.clock(), ask());
                async move {
                    let lease = source.lease(ask).await?;
                    Held::new(lease, clock.now())
                }
            })
            .await
    }

    /// Records the answer that is about to be given.
    pub(crate) async fn record(&self, given: Given<'_>) -> Result<EvidenceId, Refusal> {
        self.source.record(given).await
    }

    /// The clock by which leases end.
    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        self.flights.clock()
    }
}

/// A lease with the bodies that say it, written once.
pub struct Held {
    lease: Arc<Lease>,
    ends: Timestamp,
    ec2: Bytes,
    ecs: Bytes,
}

impl Held {
    fn new(lease: Arc<Lease>, now: Timestamp) -> Result<Self, Refusal> {
        // SDKs insist on an end. Credentials without one are shown with an end, and asked for again.
        let ends = lease.expiration.unwrap_or_else(|| now.after(render::ENDLESS));
        let bodies = render::bodies(&lease, now, ends)?;
        Ok(Self { lease, ends, ec2: bodies.ec2, ecs: bodies.ecs })
    }

    /// The credentials.
    #[must_use]
    pub fn lease(&self) -> &Arc<Lease> {
        &self.lease
    }

    /// When callers are told that they end.
    #[must_use]
    pub const fn ends(&self) -> Timestamp {
        self.ends
    }

    pub(crate) fn ec2(&self) -> Bytes {
        self.ec2.clone()
    }

    pub(crate) fn ecs(&self) -> Bytes {
        self.ecs.clone()
    }
}

impl Ends for Held {
    fn ends(&self) -> Timestamp {
        self.ends
    }
}

#[cfg(test)]
mod tests;
