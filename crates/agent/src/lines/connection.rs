//! One connection of the line protocol: frames in, answers out in the same order, until one side has enough.
//!
//! # Invariants
//!
//! - One request of a connection is answered before the next one is looked at.
//! - What can't be read gets one `error_response`, and then the connection is closed.
//! - When the house drains, the request that is under way is answered and nothing more is read.

use std::sync::Arc;
use std::time::Duration;

use model::{Clock, Timestamp};
use net::Draining;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::envelope::{self, Message};
use super::frames::{Frames, NoFrame};
use super::kind::ERROR;
use crate::Limits;

/// What is said to one message.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The type of the answer.
    pub(crate) kind: &'static str,
    /// The payload.
    pub(crate) payload: Value,
}

impl Reply {
    /// An `error_response` with one text.
    pub(crate) fn error(text: impl Into<String>) -> Self {
        Self { kind: ERROR, payload: json!({ "error": text.into() }) }
    }
}

/// Who answers.
pub(crate) trait Answers {
    /// Answers one message.
    async fn answer(&self, message: &Message<'_>) -> Reply;

    /// Is told of what is no message, and why.
    async fn unread(&self, why: &str);
}

/// Carries a connection to its end.
pub(crate) async fn carry(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answers: &impl Answers,
    limits: &Limits,
    clock: &Arc<dyn Clock>,
    mut draining: Draining,
) {
    let mut frames = Frames::new(limits.frame);
    loop {
        let read = tokio::select! {
            biased;
            () = draining.started() => return,
            read = timeout(limits.idle, frames.next(&mut stream)) => read,
        };
        let (id, reply, ends) = match read {
            Err(_) | Ok(Ok(None) | Err(NoFrame::Broken(_))) => return,
            Ok(Err(NoFrame::TooLarge(most))) => {
                let text = format!("invalid request format: the frame is larger than {most} bytes");
                answers.unread(&text).await;
                (String::new(), Reply::error(text), true)
            }
            Ok(Ok(Some(frame))) => match Message::read(frame) {
                Ok(message) => {
                    let reply = answers.answer(&message).await;
                    (message.id.into_owned(), reply, false)
                }
                Err(unread) => {
                    let text = format!("invalid request format: {}", unread.reason);
                    answers.unread(&text).await;
                    (unread.id, Reply::error(text), true)
                }
            },
        };
        let sent = send(&mut stream, (&id, &reply), clock.now()).await;
        if ends {
            linger(&mut stream).await;
        }
        if ends || sent.is_none() {
            return;
        }
    }
}

/// Refuses a connection with one answer.
pub(crate) async fn refuse(mut stream: impl AsyncRead + AsyncWrite + Unpin, reply: &Reply, now: Timestamp) {
    let _ = send(&mut stream, ("", reply), now).await;
    linger(&mut stream).await;
}

/// Sends one answer; `None` where nobody took it.
async fn send(
    stream: &mut (impl AsyncWrite + Unpin),
    (id, reply): (&str, &Reply),
    now: Timestamp,
) -> Option<()> {
    // It may hold a disclosed secret or a bearer.
    let mut line = Zeroizing::new(Vec::with_capacity(1024));
    envelope::write(&mut line, (reply.kind, id), now, &reply.payload).ok()?;
    timeout(WRITE_STALL, stream.write_all(&line)).await.ok()?.ok()
}

/// Says that no more will come, and lets the other end finish what it is sending, so that it gets to read our answer.
async fn linger(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    let _ = stream.shutdown().await;
    let rest = async {
        let mut piece = [0; 16 * 1024];
        let mut left = LINGERED;
        while let Ok(read) = stream.read(&mut piece).await
            && read > 0
            && left > 0
        {
            left = left.saturating_sub(read);
        }
    };
    let _ = timeout(LINGER, rest).await;
}

/// How long an answer may wait until it is taken.
const WRITE_STALL: Duration = Duration::from_secs(30);
/// How long, and for how many bytes, a connection that ends is still read.
const LINGER: Duration = Duration::from_secs(1);
const LINGERED: usize = 16 * 1024 * 1024;

#[cfg(test)]
mod tests;
