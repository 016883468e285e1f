//! Places of an operating system or of a program where entries are kept: a name, secret bytes, a label, a description.
//!
//! Each member is one file and passes one conformance suite (`tests/it`). A member keeps the form of the entries that
//! aws-vault gives them, so that both programs open the same store. Calls block, some of them until a person has answered
//! a prompt: they belong on threads that may wait. This crate decides nothing about who may read an entry, and records
//! nothing.
//!
//! # Invariants
//!
//! - Secret bytes are never an argument of a program. They go through its standard input, or where the program leaves no
//!   other way, a token goes through its environment.
//! - An entry is replaced whole or not at all: readers see the old bytes or the new ones.
//! - What can't be opened is never overwritten: a passphrase that doesn't open what is there is refused on a write.
//! - Nothing is started, dialled or asked before a member needs it. No bus is looked for but at the address in
//!   [`Settings`], and no `dbus-launch` is ever started.
//!
//! ```no_run
//! use keyring::{Keyring, Kind, Settings};
//! # fn example(settings: &Settings) -> Result<(), keyring::Error> {
//! let keyring = keyring::open(Kind::File, settings)?;
//! for name in keyring.names()? {
//!     println!("{name}");
//! }
//! # Ok(())
//! # }
//! ```

mod ask;
mod error;
mod file;
mod item;
mod keychain;
#[cfg(target_os = "linux")]
mod keyctl;
mod kind;
#[cfg(target_os = "linux")]
mod kwallet;
mod name;
mod op;
mod open;
mod others;
mod parts;
mod pass;
mod program;
mod proton_pass;
#[cfg(target_os = "linux")]
mod secret_service;
mod settings;
mod wincred;
mod worker;

#[cfg(target_os = "linux")]
mod bus;

pub use ask::{Ask, NoAnswer, Question};
pub use error::{Error, Fault};
pub use item::{Item, Trust};
pub use kind::{Kind, UnknownKind};
pub use open::{first_usable, open};
pub use others::{secret_with, wallet_password, windows_credential};
pub use settings::{
    Bus, File, Keychain, Keyctl, Kwallet, OnePassword, Pass, Programs, ProtonPass, SecretService, Settings,
    Unlock, Wincred,
};

/// A place where entries are kept. All calls block.
pub trait Keyring: Send {
    /// Which kind of place it is.
    fn kind(&self) -> Kind;

    /// The names of all entries, sorted. Opens none of them where the place can list without.
    ///
    /// # Errors
    /// When the place is locked or out of reach.
    fn names(&self) -> Result<Vec<String>, Error>;

    /// One entry. A place that keeps bare bytes gives an empty label and description.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none, [`Error::Locked`] where the passphrase is another one or a prompt was
    /// turned down, others when the place is out of reach or what it holds is no entry.
    fn get(&self, name: &str) -> Result<Item, Error>;

    /// Adds an entry, or replaces the one of the same name.
    ///
    /// # Errors
    /// As in [`Keyring::get`], and [`Error::Name`] or [`Error::TooLong`] for what the place can't hold. What was there
    /// before is untouched then.
    fn set(&self, item: Item) -> Result<(), Error>;

    /// Removes an entry.
    ///
    /// # Errors
    /// As in [`Keyring::get`].
    fn remove(&self, name: &str) -> Result<(), Error>;
}
