//! What can be told of a connection from outside of whoever has it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};

use crate::Body;
use crate::body::Error;

/// How far a connection is. Written by the one task that has it, read by the same task.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    heads: AtomicU64,
    answers: AtomicU64,
    between: AtomicBool,
    stalled: AtomicBool,
}

impl Progress {
    /// Heads that were complete; of HTTP/2 the preface.
    pub(crate) fn heads(&self) -> u64 {
        self.heads.load(Ordering::Relaxed)
    }

    /// Whether all that came was whole messages of HTTP/1, each of which has had its whole answer, which was written.
    pub(crate) fn is_quiet(&self) -> bool {
        self.between.load(Ordering::Relaxed)
            && !self.stalled.load(Ordering::Relaxed)
            && self.answers.load(Ordering::Relaxed) == self.heads()
    }

    /// The body of an answer, which counts as soon as it is over.
    pub(crate) fn counted(self: &Arc<Self>, body: Body) -> Counted {
        Counted { body, progress: Arc::clone(self) }
    }

    pub(super) fn read(&self, heads: u64, between: bool) {
        self.heads.store(heads, Ordering::Relaxed);
        self.between.store(between, Ordering::Relaxed);
    }

    pub(super) fn wrote(&self, stalled: bool) {
        self.stalled.store(stalled, Ordering::Relaxed);
    }
}

/// The body of an answer that is under way.
#[derive(Debug)]
pub(crate) struct Counted {
    body: Body,
    progress: Arc<Progress>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.progress.answers.fetch_add(1, Ordering::Relaxed);
    }
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
