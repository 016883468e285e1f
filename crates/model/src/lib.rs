//! The words of the house: ids, names, callers, calls, references and refusals.
//!
//! Every other crate speaks in these types. There is no I/O here, no async code and no clock: `now` is a parameter, and
//! [`Clock`] is the one inversion through which the rest of the house gets it. Nothing in this crate can hold secret
//! material; that is what the crate `memory` is for.
//!
//! # Invariants
//!
//! - A name ([`TenantName`], [`IntegrationName`], [`OperationName`]) has one canonical spelling; parsing refuses every
//!   other one instead of repairing it.
//! - A [`Target`] is parsed once. The bytes that rules are matched against are the bytes that are sent.
//! - A [`Caller`] is made by the broker's first step only, a [`Call`] by the catalogue only (`clippy.toml` holds this).
//!
//! ```
//! use model::{Access, SecretRef};
//! let reference: SecretRef = "env:SLACK_TOKEN".parse()?;
//! assert_eq!(reference.scheme(), "env");
//! assert!(Access::Write > Access::Read);
//! # Ok::<(), model::ParseError>(())
//! ```

mod access;
mod approval;
mod call;
mod caller;
mod error;
mod holder;
mod id;
mod items;
mod name;
mod naming;
mod quick;
mod quota;
mod refusal;
mod secret_ref;
mod shown;
mod target;
mod time;

pub use access::{Access, Risk};
pub use approval::{ApprovalClaim, Claims};
pub use call::{Call, CallParts, Input, Inputs};
pub use caller::{Caller, Certificate, Door, Fact, Proof};
pub use error::{ParseError, may_be_a_secret};
pub use holder::{Container, Exe, Holder, Sight};
pub use id::{
    ApprovalId, CapabilityId, CredentialId, DeliveryId, EvidenceId, GrantId, KeyId, LeaseId, PlanId,
    PrincipalId, RunId, SessionId, TenantId, WebhookId,
};
pub use items::{Item, items};
pub use name::{IntegrationName, OperationName, PrincipalName, Resource, SecretName, TenantName};
pub use naming::{How, Named, Naming, NamingError, NamingRule, Needs, Wishes};
pub use quick::{QuickHash, QuickMap};
pub use quota::Quota;
pub use refusal::{Code, Fault, Refusal, Retry};
pub use secret_ref::SecretRef;
pub use shown::{escaped, hides, shown};
pub use target::{Authority, Method, Scheme, Target};
pub use time::{Clock, Timestamp, parse_duration};
