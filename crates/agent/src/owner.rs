//! Who may stop or unseal the broker: the user it runs as, and root, who could do both without asking.

use model::{Code, Refusal};
use net::Peer;

/// Proof that the process at the other end belongs to the owner or to root. Only [`Owner::proven`] makes one.
#[derive(Debug)]
#[must_use]
pub(crate) struct Owner(());

impl Owner {
    /// Compares what the kernel says with the user that this process runs as.
    pub(crate) fn proven(peer: &Peer, owner: u32) -> Result<Self, Refusal> {
        match peer.process {
            Some(process) if process.uid == owner || process.uid == ROOT => Ok(Self(())),
            _ => Err(Refusal::new(Code::Denied, "only the user that the broker runs as may do this")
                .hint("run the command as that user")),
        }
    }
}

const ROOT: u32 = 0;

#[cfg(test)]
mod tests;
