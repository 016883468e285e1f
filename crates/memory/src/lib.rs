//! Guarded bytes for secrets: the only crate of the house with `unsafe` code.
//!
//! A [`Secret`] lives in pages of its own that the kernel hides from other processes where it can (`memfd_secret`), and
//! otherwise locks against swapping and leaves out of core dumps. It is wiped when it is dropped and in a forked child.
//! It cannot be cloned, printed, compared or serialised; [`Secret::expose`] lends the bytes to a closure, and a lint
//! counts every place that does so.
//!
//! What this crate does not promise: copies that others make while the bytes are lent to them. TLS records, HTTP write
//! buffers and the kernel's socket buffers hold a credential for as long as it takes to send it.
//!
//! # Invariants
//!
//! - The mapping of a [`Secret`] is never moved, resized or shared, so there is one copy of the bytes in our memory.
//! - Where the memory could not be guarded, [`Guard`] says so; nothing is silently weaker.
//!
//! ```
//! # #![expect(clippy::disallowed_methods, reason = "an example")]
//! let secret = memory::Secret::new(b"xoxb-CANARY".to_vec())?;
//! assert_eq!(secret.expose(<[u8]>::len), 11);
//! # Ok::<(), memory::Error>(())
//! ```

mod process;
mod program;
mod region;
mod secret;
mod socket;
mod terminal;

pub use process::{close_on_exec, conceal, harden, inherited, peer_pidfd};
pub use program::{give_back, give_back_heap};
pub use region::Guard;
pub use secret::Secret;
pub use socket::{Received, Sender, receive};
pub use terminal::Terminal;

/// Why memory or the process could not be guarded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kernel gave no memory.
    #[error("could not reserve {bytes} bytes of guarded memory")]
    Reserve {
        /// How many were asked for.
        bytes: usize,
        /// What the kernel said.
        #[source]
        source: std::io::Error,
    },
    /// The process could not be hidden from debuggers and core dumps.
    #[error("could not protect the process: {what}")]
    Harden {
        /// Which protection.
        what: &'static str,
        /// What the kernel said.
        #[source]
        source: std::io::Error,
    },
}
