//! Who is at the other end of a connection, as the kernel says.
//!
//! # Invariants
//!
//! - A [`Process`] with a [`Handle`] is one process for as long as the handle says that it lives; its number can't be given to
//!   another one meanwhile. Where the kernel has no handles (before Linux 6.5), there is none, and nobody pretends.
//! - [`FromPeer`] gives bytes only of the process that made the connection. Those of anybody else who holds the socket end it.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use memory::Sender;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;

/// Who is at the other end of a connection, as the kernel says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Peer {
    /// The address of a TCP peer.
    pub address: Option<IpAddr>,
    /// The process at the other end of a Unix socket, at the time when it connected.
    pub process: Option<Process>,
    /// The certificate that it showed, where the door asks for one and TLS verified it.
    pub certificate: Option<Arc<model::Certificate>>,
}

/// A process, as the kernel says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Process id; 0 where it has none in our namespace. Without a handle it may be another process's by the time it is
    /// looked at.
    pub pid: Option<i32>,
    /// What keeps the process apart from a later one of the same number.
    pub handle: Option<Handle>,
}

impl Process {
    /// The process at the other end of a socket.
    pub(crate) fn of(stream: &UnixStream) -> io::Result<Self> {
        let held = stream.peer_cred().map_err(|_| aborted())?;
        let handle = memory::peer_pidfd(stream.as_raw_fd()).map(|descriptor| Handle(Arc::new(descriptor)));
        // The kernel gives none of a process that is gone already; nothing can be said of it, so nothing is done for it.
        if handle.is_none() && kernel_has_handles() {
            return Err(aborted());
        }
        Ok(Self { uid: held.uid(), gid: held.gid(), pid: held.pid(), handle })
    }
}

/// A descriptor of a process (`SO_PEERPIDFD`).
#[derive(Debug, Clone)]
pub struct Handle(Arc<OwnedFd>);

/// Proof that a process had not ended when it was looked at. Only [`Handle::alive`] makes one.
#[derive(Debug)]
#[must_use]
pub struct Alive(());

/// The process has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the process at the other end has ended")]
pub struct Ended;

impl Handle {
    /// Looks whether the process still lives.
    ///
    /// # Errors
    /// [`Ended`] when it does not, or when the kernel does not say.
    pub fn alive(&self) -> Result<Alive, Ended> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let mut looked = [PollFd::new(&*self.0, PollFlags::IN)];
        match poll(&mut looked, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) {
            Ok(0) => Ok(Alive(())),
            _ => Err(Ended),
        }
    }

    /// Waits until the process has ended.
    ///
    /// # Errors
    /// When the runtime can't wait for it.
    #[expect(deprecated, reason = "unsound for what lies about its descriptor, which an `OwnedFd` can't")]
    pub async fn ended(&self) -> io::Result<()> {
        let waiting = tokio::io::unix::AsyncFd::try_new(Arc::clone(&self.0))?;
        let _ = waiting.readable().await?;
        Ok(())
    }

    /// A handle of a process by its number. For our own children, whose number is theirs until we have asked for their end.
    ///
    /// # Errors
    /// When there is no such process, or the kernel has no handles.
    pub fn of_child(pid: u32) -> io::Result<Self> {
        let none = || io::Error::from(io::ErrorKind::NotFound);
        let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw).ok_or_else(none)?;
        #[cfg(target_os = "linux")]
        {
            let flags = rustix::process::PidfdFlags::empty();
            Ok(Self(Arc::new(rustix::process::pidfd_open(pid, flags)?)))
        }
        #[cfg(not(target_os = "linux"))]
        {
            let _ = pid;
            Err(io::ErrorKind::Unsupported.into())
        }
    }
}

impl PartialEq for Handle {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Handle {}

/// Whether this kernel has handles of peers at all, tried once with a peer that lives: ourselves.
pub fn kernel_has_handles() -> bool {
    static KNOWN: OnceLock<bool> = OnceLock::new();
    *KNOWN.get_or_init(|| {
        std::os::unix::net::UnixStream::pair()
            .is_ok_and(|(one, _)| memory::peer_pidfd(one.as_raw_fd()).is_some())
    })
}

/// Has the kernel say of every piece who sent it. Connections that wait at a listener take this from it (Linux 6.16), so that what
/// was sent before the connection was accepted has a sender as well; before that the kernel notes it anyway.
pub(crate) fn name_senders(socket: impl AsFd) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::net::sockopt::set_socket_passcred(socket, true)?;
    #[cfg(not(target_os = "linux"))]
    let _ = socket;
    Ok(())
}

/// A Unix connection that takes bytes from the process that made it, and from nobody else.
#[derive(Debug)]
pub struct FromPeer {
    stream: UnixStream,
    maker: Option<i32>,
    first: Option<Sender>,
}

impl FromPeer {
    /// Takes a connection over, with who made it.
    pub(crate) fn accepted(stream: UnixStream) -> io::Result<(Self, Process)> {
        name_senders(&stream)?;
        let process = Process::of(&stream)?;
        Ok((Self { stream, maker: process.pid, first: None }, process))
    }

    /// Waits for the first byte and leaves it where it is; `None` where there will be none. It says only which dialect is
    /// spoken: who sent it is asked when it is read.
    ///
    /// # Errors
    /// What the kernel says of the connection.
    pub async fn first_byte(&self) -> io::Result<Option<u8>> {
        loop {
            self.stream.readable().await?;
            let mut byte = [0_u8; 1];
            let look = || Ok(rustix::net::recv(&self.stream, &mut byte, rustix::net::RecvFlags::PEEK)?.0);
            match self.stream.try_io(tokio::io::Interest::READABLE, look) {
                Ok(0) => return Ok(None),
                Ok(_) => return Ok(byte.first().copied()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    #[cfg(target_os = "linux")]
    fn poll_received(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            std::task::ready!(self.stream.poll_read_ready(cx))?;
            let unfilled = buf.initialize_unfilled();
            let stream = &self.stream;
            let received =
                stream.try_io(tokio::io::Interest::READABLE, || memory::receive(stream.as_fd(), unfilled));
            match received {
                Ok(memory::Received { bytes: 0, .. }) => return Poll::Ready(Ok(())),
                Ok(memory::Received { bytes, sender }) => {
                    let Same { .. } = self.same(sender)?;
                    buf.advance(bytes);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Whoever sent this made the connection, and is still the user that it was with its first words: a process that gave its
    /// rights up is another caller.
    #[cfg(target_os = "linux")]
    fn same(&mut self, sender: Option<Sender>) -> io::Result<Same> {
        let first = *self.first.get_or_insert(sender.ok_or_else(foreign)?);
        if sender == Some(first) && self.maker == Some(first.pid) {
            return Ok(Same(()));
        }
        tracing::warn!("a connection was used by another process than the one that made it; it is closed");
        Err(foreign())
    }
}

/// Proof that a piece was sent by the process that made the connection.
#[cfg(target_os = "linux")]
#[must_use]
struct Same(());

impl AsyncRead for FromPeer {
    #[cfg(target_os = "linux")]
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_received(cx, buf)
    }

    #[cfg(not(target_os = "linux"))]
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for FromPeer {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

fn aborted() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}

fn foreign() -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, "sent by another process than the one that connected")
}

#[cfg(test)]
mod tests;
