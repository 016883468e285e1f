//! BigQuery as the home of the table `org_integration_credentials`: the ciphertexts of tenants' credentials, and what is known of each.
//!
//! The store stays what says which credential of a provider is in use, because BigQuery has no constraint that could hold that. [`Beside`] is a
//! storage around the home's own. Of each credential it keeps the sealed bytes in the table and a digest of them in the store, and it writes the
//! columns of the table in the same act as the rows of the store: the intent first, then BigQuery, then the store.
//! [0053](../../docs/decisions) says why.
//!
//! It opens nothing that is sealed, decides nothing, and knows no secret but the token of its own account.
//!
//! # Invariants
//!
//! - A row of the table changes only under an intent that is durable in the store, and by whoever has the lead of the store.
//! - `updated_at` of a row never goes back, so a statement of an earlier writer that arrives late changes nothing.
//! - Bytes that are not those that were written are not given out, whoever sealed them.
//! - A row is never deleted, a column never dropped or retyped.

mod beside;
mod compare;
mod error;
mod marker;
mod place;
mod plan;
mod remote;
mod row;
mod schema;
mod talk;
mod view;

pub use beside::Beside;
pub use compare::{Found, compare};
pub use error::Error;
pub use marker::kept_at;
pub use place::Place;
pub use remote::Remote;

#[cfg(test)]
mod tests;
