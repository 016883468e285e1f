//! What can go wrong before a door of this crate is open.

use std::io;
use std::net::SocketAddr;

/// Why a metadata door can't be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kernel gave no random bytes, so there can be no token.
    #[error("the system has no random bytes to give")]
    Random,
    /// A token that can't stand in a header.
    #[error("the token is empty, too long, or has characters that can't stand in a header")]
    Bearer,
    /// A door that answers everybody on this machine would listen where other machines are.
    #[error("`{0}` is not a loopback address")]
    NotLoopback(SocketAddr),
    /// A Unix socket, which no SDK asks.
    #[error("a metadata server listens on TCP only")]
    NotTcp,
    /// A name under which the server is reached that could not stand in a `Host` header.
    #[error("`{0}` is not a host name or address with an optional port")]
    Host(String),
    /// Adding the metadata address needs rights that this process doesn't have.
    #[error("only root may add the address 169.254.169.254 and listen on its port 80")]
    NotRoot,
    /// Another program answers at the metadata address: a cloud's own server, or another Doorward.
    #[error("another process is already bound to 169.254.169.254:80")]
    Taken,
    /// The metadata address belongs to a network interface that we did not give it to.
    #[error("the address 169.254.169.254 belongs to the interface `{0}`")]
    Foreign(String),
    /// The program that changes addresses could not be run, or refused.
    #[error("`{command}` failed: {said}")]
    Command {
        /// The command line.
        command: String,
        /// What it said, or what the system said.
        said: String,
    },
    /// The network said no.
    #[error("could not listen on the metadata address")]
    Listen(#[from] net::Error),
    /// Reading what the kernel knows about addresses and sockets failed.
    #[error("could not read `{place}`")]
    Read {
        /// What was read.
        place: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotLoopback(_) => Some(
                "listen on 127.0.0.1; other machines may only reach a server with a token and named hosts",
            ),
            Self::NotRoot => Some(
                "run `sudo doorward aws proxy` beside it, or set AWS_EC2_METADATA_SERVICE_ENDPOINT to the loopback address",
            ),
            Self::Taken => Some(
                "if a cloud's own metadata server answers there, give programs the loopback address by AWS_EC2_METADATA_SERVICE_ENDPOINT",
            ),
            Self::Foreign(_) => Some("take the address off that interface, or use the loopback address"),
            Self::Host(_) => {
                Some("write it as programs send it: `172.17.0.1:8080` or `host.docker.internal:8080`")
            }
            Self::Bearer => Some("give 1 to 16384 visible ASCII characters without quotes and backslashes"),
            Self::Random | Self::NotTcp | Self::Command { .. } | Self::Listen(_) | Self::Read { .. } => None,
        }
    }
}
