//! Where everything durable lives: tables, atomic batches, and the embedded database.
//!
//! A [`Storage`] holds rows of bytes under (table, tenant, key) and commits a [`Batch`] whole or not at all; when
//! [`Storage::commit`] returns, the batch is on the disk. The embedded member is SQLite in WAL mode with
//! `synchronous=FULL`; it needs nothing installed. What is written here is ciphertext, grants, policies and evidence: no
//! secret material in the clear.
//!
//! [`Postgres`] is for a service that has a database server anyway; [`Journal`] keeps evidence beside the embedded one.
//!
//! This crate does not know what the rows mean. [`Record`] gives the crates above typed access.
//!
//! # Invariants
//!
//! - A commit that returned is durable; a commit that failed left nothing behind.
//! - A database file that was removed or replaced under us is noticed by the next commit, which fails.
//! - One process has a home open at a time ([`HomeLock`]).
//!
//! ```
//! use store::{Batch, Embedded, Storage, Table};
//! let storage = Embedded::in_memory()?;
//! let tenant = model::TenantName::local();
//! storage.commit(&Batch::new().put(Table::Policies, &tenant, b"base", b"permit(..);".to_vec()))?;
//! assert!(storage.get(Table::Policies, &tenant, b"base")?.is_some());
//! # Ok::<(), store::Error>(())
//! ```

mod embedded;
mod error;
pub mod files;
mod journal;
mod lock;
pub mod postgres;
mod range;
mod record;
mod storage;
#[cfg(test)]
mod tests;

pub use embedded::Embedded;
pub use error::{Error, Outside};
pub use journal::Journal;
pub use lock::HomeLock;
pub use postgres::Postgres;
pub use record::{Record, all, all_under, each, get, put};
pub use storage::{Batch, Row, Step, Storage, Table};
