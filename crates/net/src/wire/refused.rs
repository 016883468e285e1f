//! What is said where a head can't be read. The HTTP library answers that by itself with an empty reply, which no service sees;
//! here the same reply gets the body that every refusal of the house has.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::StatusCode;
use memchr::memmem::rfind;
use model::{Code, Refusal};
use tokio::io::AsyncWrite;

use super::framing::Why;
use crate::problem;

/// What is written in place of bytes of the library.
#[derive(Debug)]
pub(super) struct Instead {
    bytes: Vec<u8>,
    written: usize,
    /// How many of the library's bytes it stands for.
    stands_for: usize,
}

/// Whether these bytes of the library can hold a refusal of a head: a look at a few bytes, for it is asked of every reply. Behind a cut
/// it may stand behind other replies.
pub(super) fn may_be(data: &[u8], cut: bool) -> bool {
    data.ends_with(b"\r\n\r\n") && (cut || data.starts_with(REFUSAL))
}

impl Instead {
    /// `None` where the last reply in these bytes is one of a service.
    #[cold]
    pub(super) fn of(data: &[u8], why: Option<Why>, head_only: bool) -> Option<Self> {
        let at = rfind(data, REFUSAL)?;
        let (before, reply) = data.split_at_checked(at)?;
        let (status, date) = read(reply)?;
        let (status, message) = match why {
            Some(why) => told(why),
            None => of_library(status),
        };
        let refusal = Refusal::new(Code::BadRequest, message);
        let bytes = [before, &written(&refusal, status, (date, head_only))].concat();
        Some(Self { bytes, written: 0, stands_for: data.len() })
    }

    /// Writes what is left; how many of the library's bytes are done, once all of it is written.
    pub(super) fn poll_write(
        &mut self,
        mut to: Pin<&mut impl AsyncWrite>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        while let Some(rest) = self.bytes.get(self.written..).filter(|rest| !rest.is_empty()) {
            match std::task::ready!(to.as_mut().poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                more => self.written += more,
            }
        }
        Poll::Ready(Ok(self.stands_for))
    }
}

/// Status and date of a reply that is the library's own: it has no header but those of its framing, and ends the connection. Those of
/// services have more.
fn read(reply: &[u8]) -> Option<(StatusCode, &str)> {
    let text = str::from_utf8(reply).ok()?.strip_suffix("\r\n\r\n")?;
    let mut lines = text.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let (mut closes, mut date) = (false, None);
    for line in lines {
        match line.split_once(": ")? {
            ("connection", "close") => closes = true,
            ("content-length", "0") => {}
            ("date", at) => date = Some(at),
            _ => return None,
        }
    }
    if closes { Some((status, date.unwrap_or_default())) } else { None }
}

fn told(why: Why) -> (StatusCode, &'static str) {
    match why {
        Why::Long => (
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "the head of the request is longer than this door takes",
        ),
        Why::RequestLine => (
            StatusCode::BAD_REQUEST,
            "the request line is not method, target and version with one space between each, in ASCII, without `#`, and with CR LF at its end",
        ),
        Why::Line => (
            StatusCode::BAD_REQUEST,
            "a line of the head is not `Name: value` with CR LF at its end: it is folded, has no colon, white space in its name, or a bare CR or LF",
        ),
        Why::Length => (
            StatusCode::BAD_REQUEST,
            "`Content-Length` is not one number, is there twice, or stands beside `Transfer-Encoding`",
        ),
        Why::Coding => (
            StatusCode::BAD_REQUEST,
            "`Transfer-Encoding` is not exactly `chunked`, is there twice, or stands beside `Content-Length`",
        ),
        Why::Chunk => (StatusCode::BAD_REQUEST, "a chunk of the body is malformed"),
    }
}

fn of_library(status: StatusCode) -> (StatusCode, &'static str) {
    let message = match status {
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            "the head of the request has more headers, or is longer, than this door takes"
        }
        StatusCode::URI_TOO_LONG => "the target of the request is longer than this door takes",
        _ => {
            "the head of the request can't be read: its first line is not method, target and version, or a header has characters that can't stand there"
        }
    };
    (status, message)
}

/// The refusal as it is sent.
fn written(refusal: &Refusal, status: StatusCode, (date, head_only): (&str, bool)) -> Vec<u8> {
    let (body, reply) = problem::whole(refusal, status);
    let reason = status.canonical_reason().unwrap_or_default();
    let mut out = format!("HTTP/1.1 {} {reason}\r\n", status.as_u16()).into_bytes();
    for (name, value) in reply.headers() {
        out.extend_from_slice(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    let end = format!("connection: close\r\ncontent-length: {}\r\ndate: {date}\r\n\r\n", body.len());
    out.extend_from_slice(end.as_bytes());
    if !head_only {
        out.extend_from_slice(body.as_bytes());
    }
    out
}

const REFUSAL: &[u8] = b"HTTP/1.1 4";

#[cfg(test)]
mod tests;
