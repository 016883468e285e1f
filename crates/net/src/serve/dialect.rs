//! What may be spoken on a Unix socket besides HTTP, told by the first byte of a connection.

use std::io;

use rustix::net::RecvFlags;
use tokio::io::Interest;
use tokio::net::UnixStream;

use crate::{Draining, Peer};

/// A dialect of lines. No method of HTTP begins with a byte that it claims.
pub trait Lines: Clone + Send + Sync + 'static {
    /// Whether a connection that begins with this byte speaks it.
    fn begins_with(first: u8) -> bool;

    /// Carries one connection to its end. It has to watch `draining` and its own limits: nobody else does.
    fn carry(self, stream: UnixStream, peer: Peer, draining: Draining) -> impl Future<Output = ()> + Send;
}

/// HTTP and nothing else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoLines;

impl Lines for NoLines {
    fn begins_with(_: u8) -> bool {
        false
    }

    async fn carry(self, _: UnixStream, _: Peer, _: Draining) {}
}

/// Waits for the first byte and leaves it where it is; `None` where there will be none.
pub(crate) async fn first_byte(stream: &UnixStream) -> io::Result<Option<u8>> {
    loop {
        stream.readable().await?;
        let mut byte = [0_u8; 1];
        let look = || Ok(rustix::net::recv(stream, &mut byte, RecvFlags::PEEK)?.0);
        match stream.try_io(Interest::READABLE, look) {
            Ok(0) => return Ok(None),
            Ok(_) => return Ok(byte.first().copied()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}
