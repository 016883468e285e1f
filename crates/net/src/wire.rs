//! A second, stricter pair of eyes on the bytes that callers send over HTTP/1.
//!
//! The HTTP library settles some ambiguities silently: it drops a `Content-Length` beside a `Transfer-Encoding`, merges two
//! equal `Content-Length`s, and takes a bare line feed for the end of a line. A proxy in front of us may have read those
//! bytes another way, which is what request smuggling is made of. [`Watched`] follows the framing of the stream and, where
//! a head or a chunk is ambiguous, hides the rest of it and gives the library an impossible line instead, so that the
//! library itself answers `400`, in its turn, and closes.
//!
//! # Invariants
//!
//! - Bytes are never changed, only cut off: what the library sees is a prefix of what came, or that plus [`IMPOSSIBLE`].
//! - A head that has two lengths, a length beside a transfer coding, a coding other than `chunked`, a bare CR or LF, or a
//!   folded line is never seen complete by the library.
//! - Where the library refuses a head, by itself or for what it was given, the reply says what was wrong; no other reply is changed.
//! - A write that a caller does not take for [`Watch::write_stall`] ends the connection.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use crate::serve::Taken;
use framing::{Framing, Verdict};
use refused::Instead;

mod framing;
mod progress;
mod refused;

pub(crate) use progress::Progress;

/// What [`Watched`] is told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watch {
    /// Most bytes of a head.
    pub(crate) head: usize,
    /// Longest time in which a caller may take nothing of a reply.
    pub(crate) write_stall: Duration,
}

/// A connection whose incoming bytes are watched.
#[derive(Debug)]
pub(crate) struct Watched<S> {
    inner: S,
    framing: Framing,
    /// What the library is still given of [`IMPOSSIBLE`], once the stream was cut; then it sees the end.
    owed: Option<&'static [u8]>,
    /// What is written in place of an empty refusal of the library.
    instead: Option<Instead>,
    progress: Arc<Progress>,
    taken: Arc<Taken>,
    stall: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Watched<S> {
    /// Watches a connection that has just begun.
    pub(crate) fn new(inner: S, watch: Watch) -> Self {
        Self {
            inner,
            framing: Framing::new(watch.head),
            owed: None,
            instead: None,
            progress: Arc::default(),
            taken: Arc::default(),
            stall: watch.write_stall,
            stalled: None,
        }
    }

    /// How far it is.
    pub(crate) fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// Told before a reply that switches protocols is written: what comes behind the request is not HTTP any more.
    pub(crate) fn taken(&self) -> Arc<Taken> {
        Arc::clone(&self.taken)
    }

    /// Ends a connection whose peer has taken nothing for too long.
    fn note_write<T>(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            if self.stalled.take().is_some() {
                self.progress.wrote(false);
            }
            return result;
        }
        let stall = self.stall;
        self.progress.wrote(true);
        let sleep = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(stall)));
        match sleep.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncWrite + Unpin> Watched<S> {
    /// Writes what is wrong with a head where the library would write an empty refusal of it.
    fn write_refusal(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Option<Poll<io::Result<usize>>> {
        if self.instead.is_none() {
            if !refused::may_be(data, self.owed.is_some()) || self.taken.is() {
                return None;
            }
            let why = self.owed.is_some().then(|| self.framing.why());
            self.instead = Some(Instead::of(data, why, self.framing.asks_for_head())?);
        }
        let written = self.instead.as_mut()?.poll_write(Pin::new(&mut self.inner), cx);
        if written.is_ready() {
            self.instead = None;
        }
        Some(written)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(owed) = &mut self.owed {
            give(owed, buf);
            return Poll::Ready(Ok(()));
        }
        if self.taken.is() {
            return Pin::new(&mut self.inner).poll_read(cx, buf);
        }
        let before = buf.filled().len();
        std::task::ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        let new = buf.filled().get(before..).unwrap_or_default();
        match self.framing.follow(new) {
            Verdict::Pass => {}
            Verdict::Cut(at) => {
                buf.set_filled(before + at);
                give(self.owed.insert(IMPOSSIBLE), buf);
            }
        }
        self.progress.read(self.framing.heads(), self.owed.is_none() && self.framing.is_between());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let result = match self.write_refusal(cx, data) {
            Some(refused) => refused,
            None => Pin::new(&mut self.inner).poll_write(cx, data),
        };
        self.note_write(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // The library's own refusal is one piece.
        let alone = match data {
            [one] => self.write_refusal(cx, one),
            _ => None,
        };
        let result = match alone {
            Some(refused) => refused,
            None => Pin::new(&mut self.inner).poll_write_vectored(cx, data),
        };
        self.note_write(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.inner).poll_flush(cx);
        self.note_write(cx, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.note_write(cx, result)
    }
}

/// Gives as much of what is owed as there is room for.
fn give(owed: &mut &'static [u8], buf: &mut ReadBuf<'_>) {
    let (now, later) = owed.split_at_checked(buf.remaining()).unwrap_or((owed, &[]));
    buf.put_slice(now);
    *owed = later;
}

/// Can stand in no head and in no chunk. The library looks at a head that came in pieces only when it sees an empty line.
const IMPOSSIBLE: &[u8] = b"\0\r\n\r\n";

#[cfg(test)]
mod tests;
