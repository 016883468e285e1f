//! Integrations as data: one YAML file each, the matcher of requests, the extractor of evidence fields.
//!
//! A file says where a service lives, how a credential is put on a request, and which operations it has. This crate reads
//! the files, turns a request into a [`model::Call`], and picks the evidence fields out of a reply. It does not decide what
//! is allowed (that is `policy`), never sees secret material, and sends nothing: [`AuthScheme`] only says *where* a
//! credential goes.
//!
//! # Invariants
//!
//! - [`model::Call`]s are made here and nowhere else. What no operation describes is the operation `unknown`: a write of
//!   high risk on the resource `*`.
//! - The request that is matched is the request that is sent: [`model::Target`] in, [`model::Target`] out, with the base
//!   path put in front once.
//! - Inputs are read in one way only. What two servers might read differently (a key written twice, a second content type,
//!   bytes behind the JSON) is refused with `bad_request`, never passed on unread.
//! - A file that cannot be understood whole is an error: unknown keys, unclear booleans, two operations that could match
//!   one request, a raw secret where a reference belongs (its text is never repeated).
//! - Built-in files cannot set `dangerous_allow_private`, `tls_insecure_skip_verify` or the place of a secret; only the
//!   user's own layer can.
//!
//! ```
//! use catalog::{Asked, Catalog};
//! use model::{EvidenceId, Method, Target};
//!
//! let slack = Catalog::builtin().get(&"slack".parse()?)?;
//! let target: Target = "/api/chat.postMessage".parse()?;
//! assert!(slack.route(Method::Post, &target).wants_body());
//! let asked = Asked {
//!     method: Method::Post,
//!     target: &target,
//!     content_types: &["application/json"],
//!     body: Some(br#"{"channel": "C1", "text": "hi"}"#),
//! };
//! let call = slack.call(EvidenceId::from_bytes([0; 16]), &asked)?;
//! assert_eq!(call.operation().as_str(), "chat.post");
//! assert_eq!(call.resource().as_str(), "channel:C1");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod around;
mod auth;
mod body;
pub mod cases;
mod catalog;
mod cli;
mod compile;
mod connection;
mod embedded;
mod error;
mod file;
pub mod incoming;
mod input;
mod integration;
mod known;
mod layer;
mod limits;
mod narrowing;
mod nearest;
mod operation;
mod outline;
mod path;
mod poll;
mod probe;
mod provider;
mod reference;
mod reply;
mod resource;
mod right;
mod scaffold;
mod schema;
mod wildcard;
mod written;
pub mod yaml;

pub use around::{Around, Write};
pub use auth::{
    Assertion, Assume, AuthScheme, AzureManagedIdentity, AzureService, AzureServicePrincipal, Basic,
    BytesForm, Choice, ClientAuth, ClientCertificate, Derived, DigestAuth, Endpoint, Find, GcpMetadata,
    GcpWorkloadIdentity, GithubApp, GoogleServiceAccount, GoogleWanted, Grant, HashName, Hmac, JwtAlgorithm,
    JwtSigned, OAuth1, OAuth2, OciSignature, ProxyBasic, Rendered, Replace, SecretField, SigV4, SignedIn,
    TokenSource, VaultLogin, VaultMethod, Within, is_placeholder,
};
pub use body::Message;
pub use catalog::{Catalog, Described};
pub use cli::{Cli, Command, Output, Piece, Program, Slot, Text};
pub use connection::{Breaker, Connection, Retries};
pub use error::Error;
pub use incoming::Incoming;
pub use input::{InputField, Kind, Place};
pub use integration::{Asked, Integration, Referred, Route};
pub use known::{known_as, known_tool, known_tools};
pub use limits::{Limits, Rate, Strategy};
pub use narrowing::{Allowance, Narrowing, Param};
pub use nearest::word as nearest_word;
pub use operation::{Body, Effect, Operation};
pub use outline::Outline;
pub use poll::{Poll, Seen};
pub use probe::{Probe, Trial};
pub use provider::{Group, Misshaped, Provider, Providers, Role, Shaped, Unkept, Whose};
pub use reference::{Fetch, Reference};
pub use right::Right;
pub use scaffold::template;
pub use schema::json_schema;
pub use wildcard::Wildcard;
pub use written::Written;

#[cfg(test)]
mod tests;
