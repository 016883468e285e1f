//! A principal as proven on one connection.

use std::net::IpAddr;
use std::sync::Arc;

use crate::{
    ApprovalClaim, Claims, EvidenceId, GrantId, Holder, KeyId, PrincipalName, SessionId, TenantName,
};

/// Which door a request came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Door {
    /// The reverse proxy.
    Gateway,
    /// The Unix socket.
    Socket,
    /// The command line, without a running broker.
    Cli,
    /// A metadata server for SDKs, on loopback.
    Metadata,
    /// The API for tenants.
    Server,
}

impl Door {
    /// Every door, in the order of their numbers.
    pub const ALL: [Self; 5] = [Self::Gateway, Self::Socket, Self::Cli, Self::Metadata, Self::Server];

    /// The word used in evidence, policies and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Socket => "socket",
            Self::Cli => "cli",
            Self::Metadata => "metadata",
            Self::Server => "server",
        }
    }
}

/// How a caller was proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Proof {
    /// It held a valid capability of this grant.
    Capability(GrantId),
    /// The kernel named the process at the other end of the socket, or we are that process ourselves.
    Kernel,
    /// Nothing was proven: a loopback connection in development mode.
    Loopback,
    /// What came with the request proved it, in every way that the integration asks for: a token, a signature, a
    /// certificate. Who that is, the caller's subject says.
    Incoming,
    /// The integration asks nobody who they are, and its lists say what anybody may do.
    Anonymous,
    /// It held this key of its tenant.
    ApiKey(KeyId),
    /// It signed in before, and holds this session.
    Session(SessionId),
    /// Another call, which was permitted and is on record under this id, led to it.
    Led(EvidenceId),
}

impl Proof {
    /// The word used in evidence and policies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Capability(_) => "capability",
            Self::Kernel => "kernel",
            Self::Loopback => "loopback",
            Self::Incoming => "incoming",
            Self::Anonymous => "anonymous",
            Self::ApiKey(_) => "api-key",
            Self::Session(_) => "session",
            Self::Led(_) => "led",
        }
    }
}

/// Facts about the connection that caveats and policies may ask for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fact {
    /// Address of the peer, as the kernel gave it. `None` on a Unix socket.
    pub address: Option<IpAddr>,
    /// The process at the other end.
    pub holder: Holder,
    /// The environment that the broker serves, such as `production`.
    pub environment: Option<String>,
    /// What the caller says it is for: a run id, a ticket.
    pub purpose: Option<String>,
    /// The certificate that it showed, where the door asks for one: verified against the door's authorities, and its key
    /// proven. One that was not verified is no fact.
    pub certificate: Option<Arc<Certificate>>,
    /// What the caller says of approvals, where it says anything. Boxed, as that is rare.
    pub claims: Option<Box<Claims>>,
}

impl Fact {
    /// The approval that the call is said to have.
    #[must_use]
    pub fn approval(&self) -> Option<ApprovalClaim> {
        self.claims.as_ref()?.approval
    }

    /// The reason for which the caller breaks the glass: it asks for more than is usual, and says so aloud.
    #[must_use]
    pub fn break_glass(&self) -> Option<&str> {
        self.claims.as_ref()?.break_glass.as_deref()
    }
}

/// What stands in a certificate that a caller showed and that the door verified.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Certificate {
    /// The common name of its subject, where there is exactly one.
    pub common_name: Option<String>,
    /// The host names among its alternative names, in lower case.
    pub dns_names: Vec<String>,
    /// The URIs among its alternative names, such as a SPIFFE id.
    pub uris: Vec<String>,
    /// SHA-256 of the certificate in DER.
    pub fingerprint: [u8; 32],
}

/// Who is calling: a principal, how it was proven, by which door, with which facts. Private fields, one maker.
#[derive(Debug)]
#[must_use]
pub struct Caller {
    tenant: TenantName,
    principal: PrincipalName,
    proof: Proof,
    door: Door,
    facts: Fact,
    subject: Option<Arc<str>>,
}

impl Caller {
    /// A proven caller. Only `broker::path::identify` calls this.
    pub const fn proven(
        tenant: TenantName,
        principal: PrincipalName,
        proof: Proof,
        door: Door,
        facts: Fact,
    ) -> Self {
        Self { tenant, principal, proof, door, facts, subject: None }
    }

    /// The same caller under the name that its proof gave: a user name, the `sub` of a token, a SPIFFE id.
    pub fn called(self, subject: Option<Arc<str>>) -> Self {
        Self { subject, ..self }
    }

    /// The tenant whose secrets, policies and evidence this is about.
    #[must_use]
    pub const fn tenant(&self) -> &TenantName {
        &self.tenant
    }

    /// Who it is.
    #[must_use]
    pub const fn principal(&self) -> &PrincipalName {
        &self.principal
    }

    /// How that was proven.
    #[must_use]
    pub const fn proof(&self) -> Proof {
        self.proof
    }

    /// The name that the proof gave, as it was written there; `None` where it gave none.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The door.
    #[must_use]
    pub const fn door(&self) -> Door {
        self.door
    }

    /// The facts of the connection.
    #[must_use]
    pub const fn facts(&self) -> &Fact {
        &self.facts
    }
}
