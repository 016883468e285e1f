//! Who may do what: capability tokens with their caveats, and Cedar. Owns the proof [`Permit`].
//!
//! A call is allowed when the grant behind the capability stands and nothing in its chain was revoked, every caveat is
//! kept, and a Cedar policy permits it while none forbids it. The caveats are checked first, in plain Rust, so that the
//! bound of a capability does not depend on the policy engine. What has to be counted (rates, uses) or asked (approvals)
//! is named in the permit's [`Limits`] and admitted elsewhere. There is no I/O here but the reading of policy files
//! ([`files`]), and no clock: the broker loads grants, principals and policies, and passes `now`.
//!
//! # Invariants
//!
//! - Nothing is allowed that no policy permits. An error, an unknown caveat, an absent fact denies.
//! - A narrowed capability never allows more than the one it comes from.
//! - [`Permit`] and [`Verified`] have one maker each; neither can be copied.
//!
//! ```
//! use model::{CapabilityId, GrantId, TenantName, Timestamp};
//! let (root, now) = (crypto::MacKey::generate()?, Timestamp::from_millis(1));
//! let (grant, first) = (GrantId::new(now, [1; 10]), CapabilityId::new(now, [1; 10]));
//! let posts = policy::Caveat::Operations(policy::List::new(["slack/chat.post".parse()?])?);
//! let token = policy::mint(&root, &TenantName::local(), grant, &[posts], first)?;
//!
//! let all = policy::Caveat::Operations(policy::List::new(["slack/chat.*".parse()?])?);
//! let wider = token.narrow(&[all], CapabilityId::new(now, [2; 10])).err();
//! assert_eq!(wider.map(|error| error.to_string()).as_deref(), Some("`slack/chat.*` is wider than the grant it comes from"));
//! assert!(policy::verify(&token, &root).is_ok());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod authorise;
mod capability;
mod caveat;
mod cedar;
mod denial;
mod error;
pub mod files;
mod grant;
pub mod lists;
mod permit;
mod principal;
mod rules;
mod table;

#[cfg(test)]
mod tests;

pub use authorise::Authority;
pub use capability::{Block, Described, Token, Verified, mint, verify};
pub use caveat::{
    Approval, Caveat, Cidr, ConstraintError, Foretold, HolderIs, Host, Hours, Inputs, List, Methods,
    OperationPattern, PathPrefix, Rate, Reach, ResourcePattern, Span, TOOLS, Text, Window, Zone,
    of_constraints, to_constraints,
};
pub use cedar::{
    ActionEffect, ActionSpec, Answer, Circumstances, DEFAULT, Descriptions, Determining, Explanation,
    Policies, Question, Source, Version,
};
pub use denial::Denial;
pub use error::Error;
pub use grant::{Change, Grant, GrantState, Grants, Held, Named, NamedState, Tally};
pub use permit::{Counter, Limits, MOST_APPROVERS, Permit};
pub use principal::{
    BREAK_GLASS, DEVELOPMENT, HOLDER, Known, LED, LISTED, OWNER, PROVEN, PrincipalKind, Principals, ROLES,
    SIGNED_IN,
};
pub use rules::{Compile, Rules, Rulings};
