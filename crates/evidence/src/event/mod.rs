//! What can be recorded: a closed list of typed events.
//!
//! # Invariants
//!
//! - No event has a field that could hold secret material. Texts that come from outside (path, host, resource, purpose, fields
//!   of a reply) are escaped and bounded when they are written; a query and the inputs are there as SHA-256 only.
//! - A kind or flag that is not in the list is an error, never skipped.

mod decode;
mod encode;
mod kind;
mod text;
mod unsent;

use std::sync::Arc;
use std::time::Duration;

use crypto::Digest;
use model::{
    Access, Authority, CapabilityId, Code, Door, EvidenceId, GrantId, IntegrationName, Method, OperationName,
    PrincipalName, Proof, Resource, Risk, SecretRef, Target, TenantName,
};

pub(crate) use encode::{MOST_FORGOTTEN, forgotten, started};
pub use kind::Kind;
pub(crate) use text::quoted;
pub use text::{Field, Said};

/// What is about to be done, by whom, with which rights and which secrets. Durable before a secret is lent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// The id of the call.
    pub id: EvidenceId,
    /// The tenant in whose chain it stands.
    pub tenant: TenantName,
    /// Who.
    pub principal: PrincipalName,
    /// How that was proven.
    pub proof: Proof,
    /// By which door.
    pub door: Door,
    /// The grant that allowed it, where there was one.
    pub grant: Option<GrantId>,
    /// The narrowings of the capability, from the root on.
    pub narrowings: Vec<CapabilityId>,
    /// What is done.
    pub deed: Deed,
    /// SHA-256 of the inputs, as the broker writes them.
    pub inputs: Digest,
    /// The secrets that may be lent for it, by reference.
    pub secrets: Vec<SecretRef>,
    /// The version of the policies that allowed it.
    pub policy: Digest,
    /// What the caller said it is for.
    pub purpose: Option<String>,
    /// What it counts against: see [`Use`].
    pub uses: Vec<Use>,
    /// Set for the two operations that show a secret to somebody; recorded as an event of its own kind.
    pub disclosure: Option<Disclosure>,
}

/// What is done, or was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// On which integration.
    pub integration: IntegrationName,
    /// Which operation.
    pub operation: OperationName,
    /// Read or write.
    pub access: Access,
    /// How harmful.
    pub risk: Risk,
    /// On what.
    pub resource: Resource,
    /// The request, where there is one.
    pub request: Option<Request>,
}

/// A request as it stands in evidence: without its query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Scheme, host and port.
    pub authority: Authority,
    /// The path. Kept are its first 1024 bytes.
    pub path: Arc<str>,
    /// SHA-256 of the query, where there is one.
    pub query: Option<Digest>,
}

impl Request {
    /// The record of a request.
    #[must_use]
    pub fn new(method: Method, authority: &Authority, target: &Target) -> Self {
        Self {
            method,
            authority: authority.clone(),
            path: target.path_shared(),
            query: target.query().map(|query| crypto::sha256(&[query.as_bytes()])),
        }
    }
}

/// The id of a grant or narrowing, or of what may be done once, under which its uses are counted.
pub type CounterId = [u8; 16];

/// A grant or narrowing whose uses are counted. The intent is refused when the count has reached `most`, else the count goes up
/// in the transaction that makes the intent durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    /// The id of the grant or narrowing.
    pub id: CounterId,
    /// How many uses there are at most.
    pub most: u64,
}

/// How a secret is shown to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disclosure {
    /// `reveal` of a secret that was stored as disclosable.
    Reveal,
    /// An AWS profile used without a session.
    NoSession,
}

/// How an operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    /// It was performed.
    Done,
    /// It was not performed, or the upstream refused it.
    Failed,
    /// It may have been performed.
    Unknown,
    /// Its intent became durable after the caller had been refused; nothing was lent or sent.
    Abandoned,
}

impl Ending {
    /// Every ending.
    pub const ALL: [Self; 4] = [Self::Done, Self::Failed, Self::Unknown, Self::Abandoned];

    /// The word used in exports and on screens.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Abandoned => "abandoned",
        }
    }
}

/// What came of an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended; of a stream's head: how it began.
    pub ending: Ending,
    /// The upstream's status, where it answered.
    pub status: Option<u16>,
    /// Why Doorward gave an answer of its own, where it did.
    pub code: Option<Code>,
    /// Time from the intent to the outcome.
    pub duration: Duration,
    /// Bytes of body from the caller.
    pub bytes_in: u64,
    /// Bytes of body to the caller.
    pub bytes_out: u64,
    /// Fields that the catalogue reads from the reply, at most 16.
    pub fields: Vec<(String, String)>,
}

impl Outcome {
    /// An outcome of which nothing more is known.
    #[must_use]
    pub const fn bare(ending: Ending) -> Self {
        Self {
            ending,
            status: None,
            code: None,
            duration: Duration::ZERO,
            bytes_in: 0,
            bytes_out: 0,
            fields: Vec::new(),
        }
    }
}

/// A question that was answered: what an intent says and what its outcome says, in one record. For what lends nothing, counts
/// nothing and changes nothing, so that there is nothing which an intent would have to come before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// What was asked, by whom, with which rights: without secrets, uses and disclosure.
    pub asked: Intent,
    /// What the answer was.
    pub outcome: Outcome,
}

/// How a stream ended, after its head was settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// How.
    pub ending: Ending,
    /// Why Doorward ended it, where it did.
    pub code: Option<Code>,
    /// Time from the intent to the end.
    pub duration: Duration,
    /// Bytes of body from the caller.
    pub bytes_in: u64,
    /// Bytes of body to the caller.
    pub bytes_out: u64,
    /// What only the end of the stream said, such as the tokens that a model used.
    pub fields: Vec<(String, String)>,
}

impl Closed {
    /// An end of which nothing more is known.
    #[must_use]
    pub const fn bare(ending: Ending) -> Self {
        Self { ending, code: None, duration: Duration::ZERO, bytes_in: 0, bytes_out: 0, fields: Vec::new() }
    }
}

/// A call that was refused before there was an intent, as far as it was known then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The id of the call.
    pub id: EvidenceId,
    /// The tenant in whose chain it stands.
    pub tenant: TenantName,
    /// Who, where that was proven.
    pub principal: Option<PrincipalName>,
    /// How that was proven.
    pub proof: Option<Proof>,
    /// By which door.
    pub door: Door,
    /// The grant that was shown, where there was one.
    pub grant: Option<GrantId>,
    /// What was asked for, where that was understood.
    pub deed: Option<Deed>,
    /// Why.
    pub code: Code,
    /// The rule that decided, where one did.
    pub rule: Option<String>,
}

/// Something that happened to Doorward itself. It stands in the chain of the tenant `local`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// The keys were wiped from memory; all doors refuse.
    Sealed,
    /// The keys are there again.
    Unsealed,
}

/// An event as it was read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Something is about to be done.
    Intent(Box<Intent>),
    /// What came of it.
    Outcome(Settles, Outcome),
    /// What came of it so far: the head of a stream.
    Head(Settles, Outcome),
    /// How a stream ended.
    Close(Settles, Closed),
    /// Something was refused.
    Refused(Box<Refused>),
    /// A question was answered.
    Answered(Box<Answered>),
    /// The log was opened by this version of Doorward.
    Started(String),
    /// Something happened to Doorward itself.
    Notice(Notice),
    /// Counters of uses were removed, because what they count is over for good and forgotten.
    Forgotten(Vec<CounterId>),
}

/// Which intent an outcome belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settles {
    /// The id of the call.
    pub id: EvidenceId,
    /// The sequence number of its intent, in the same chain.
    pub intent: u64,
}

impl Event {
    /// The kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Intent(intent) => intent.kind(),
            Self::Outcome(..) => Kind::Outcome,
            Self::Head(..) => Kind::Head,
            Self::Close(..) => Kind::Close,
            Self::Refused(_) => Kind::Refused,
            Self::Answered(_) => Kind::Answered,
            Self::Started(_) => Kind::Started,
            Self::Notice(Notice::Sealed) => Kind::Sealed,
            Self::Notice(Notice::Unsealed) => Kind::Unsealed,
            Self::Forgotten(_) => Kind::Forgotten,
        }
    }

    /// The id of the call that it belongs to.
    #[must_use]
    pub fn id(&self) -> Option<EvidenceId> {
        match self {
            Self::Intent(intent) => Some(intent.id),
            Self::Refused(refused) => Some(refused.id),
            Self::Answered(answered) => Some(answered.asked.id),
            Self::Outcome(settles, _) | Self::Head(settles, _) | Self::Close(settles, _) => Some(settles.id),
            Self::Started(_) | Self::Notice(_) | Self::Forgotten(_) => None,
        }
    }
}

impl Intent {
    /// [`Kind::Intent`], or [`Kind::Disclosed`] for a disclosure.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        if self.disclosure.is_some() { Kind::Disclosed } else { Kind::Intent }
    }

    /// Whether nothing is lent, counted or shown under it, so that it may be recorded together with its outcome.
    const fn is_question(&self) -> bool {
        self.secrets.is_empty()
            && self.uses.is_empty()
            && self.disclosure.is_none()
            && matches!(self.deed.access, Access::Read)
    }
}

/// Longest path that is kept, in bytes.
const PATH: usize = 1_024;
/// Longest resource that is kept; the model allows no longer one.
const RESOURCE: usize = 512;
/// Longest purpose that is kept.
const PURPOSE: usize = 256;
/// Longest secret reference that is kept. The model allows 1024 bytes behind the scheme; what was cut must parse still.
const REFERENCE: usize = 1_024;
/// Longest name of a rule that is kept.
const RULE: usize = 256;
/// Longest name of a reply's field that is kept.
const FIELD_NAME: usize = 64;
/// Longest value of a reply's field that is kept.
const FIELD_VALUE: usize = 2_048;
/// Most fields of a reply that are kept.
const FIELDS: usize = 16;

#[cfg(test)]
pub(crate) mod tests;
