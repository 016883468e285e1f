//! Who may stop or unseal the broker: the user it runs as, and root, who could do both without asking. Who may have
//! credentials made from keyrings: the user it runs as, and nobody else.

use model::{Code, Holder, Refusal, Sight};

/// Proof that the process at the other end belongs to the owner or to root. Only [`Owner::proven`] makes one.
#[derive(Debug)]
#[must_use]
pub(crate) struct Owner(());

impl Owner {
    /// Compares what the kernel says with the user that this process runs as.
    pub(crate) fn proven(caller: &Holder, owner: u32) -> Result<Self, Refusal> {
        match caller {
            // A program that was started with less than its user may, and one in another container, are somebody else.
            Holder { run: Some(_), .. }
            | Holder { sight: Sight::ForeignProcesses | Sight::ForeignUsers, .. } => Err(Refusal::new(
                Code::Denied,
                "only the owner may do this, and the caller is not the owner here",
            )
            .hint("run the command outside of the run or container")),
            Holder { uid: Some(uid), .. } if *uid == owner || *uid == ROOT => Ok(Self(())),
            _ => Err(Refusal::new(Code::Denied, "only the user that the broker runs as may do this")
                .hint("run the command as that user")),
        }
    }

    /// The same without root: what a keyring of the user holds is the user's.
    pub(crate) fn alone(caller: &Holder, owner: u32) -> Result<Self, Refusal> {
        let Self(()) = Self::proven(caller, owner)?;
        match caller.uid {
            Some(uid) if uid == owner => Ok(Self(())),
            _ => Err(Refusal::new(Code::Denied, "only the user that the broker runs as may do this")
                .hint("run the command as that user, or choose another home with `--home DIR`")),
        }
    }
}

const ROOT: u32 = 0;

#[cfg(test)]
mod tests;
