//! A connection that is lent to the HTTP library, and comes back when the library is done with it, where somebody wants it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::transport::Transport;
use crate::wire::Watched;

type Connection = Watched<Transport>;

/// Where a connection comes back to.
#[derive(Debug, Default)]
pub(super) struct Home(Mutex<Slot>);

#[derive(Debug, Default)]
enum Slot {
    /// Nobody wants it: it ends with whoever has it.
    #[default]
    Unwanted,
    Wanted,
    Back(Box<Connection>),
}

impl Home {
    /// From now on it comes back.
    pub(super) fn wants(&self) {
        *self.slot() = Slot::Wanted;
    }

    /// What came back.
    pub(super) fn take(&self) -> Option<Connection> {
        match std::mem::take(&mut *self.slot()) {
            Slot::Back(connection) => {
                CAME_BACK.fetch_add(1, Ordering::Relaxed);
                Some(*connection)
            }
            Slot::Unwanted | Slot::Wanted => None,
        }
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Slot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection in somebody's hands. `None` in it only while it is dropped.
pub(super) struct Lent {
    connection: Option<Connection>,
    home: Arc<Home>,
}

impl Lent {
    pub(super) fn new(connection: Connection, home: &Arc<Home>) -> Self {
        Self { connection: Some(connection), home: Arc::clone(home) }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut slot = self.home.slot();
        if let (Slot::Wanted, Some(connection)) = (&*slot, self.connection.take()) {
            *slot = Slot::Back(Box::new(connection));
        }
    }
}

/// Calls a method of the connection.
macro_rules! within {
    ($lent:expr, $method:ident($($argument:expr),*)) => {
        match &mut $lent.get_mut().connection {
            Some(connection) => Pin::new(connection).$method($($argument),*),
            None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    };
}

impl AsyncRead for Lent {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        within!(self, poll_read(cx, buf))
    }
}

impl AsyncWrite for Lent {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        within!(self, poll_write(cx, data))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        within!(self, poll_write_vectored(cx, data))
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        within!(self, poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        within!(self, poll_shutdown(cx))
    }
}

/// How many connections of this process have given their buffers back so far, because nothing was asked over them. What they
/// gave is free for others, and goes back to the kernel only when somebody tells the allocator.
#[must_use]
pub fn gave_back() -> u64 {
    CAME_BACK.load(Ordering::Relaxed)
}

static CAME_BACK: AtomicU64 = AtomicU64::new(0);
