//! A body in chunks that a client signed: put together, or signed anew chunk by chunk as it passes.
//!
//! # Invariants
//!
//! - What goes on is what came: as many bytes as the head says, and the end only where the last, empty chunk was seen.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use crypto::sigv4::Chunks;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use http_body::{Body as HttpBody, Frame, SizeHint};
use model::{Code, Refusal};
use net::Body;
use net::body::Error;

use super::super::super::Draft;

/// How long the body is without its chunks, where the head says so.
pub(super) fn decoded(headers: &HeaderMap) -> Option<u64> {
    headers.get(DECODED)?.to_str().ok()?.parse().ok()
}

/// Signs the chunks anew as they pass: those of the client are taken apart, and made again in a size of ours.
pub(super) fn anew(draft: &mut Draft, chunks: Chunks) -> Result<(), Refusal> {
    let wrong = || Refusal::new(Code::BadRequest, format!("`{DECODED}` does not say how long the body is"));
    let left = decoded(&draft.headers).ok_or_else(wrong)?;
    let length = Chunks::encoded_length(left, CHUNK).ok_or_else(wrong)?;
    let body = std::mem::take(&mut draft.body);
    let (taken, plain) = (BytesMut::new(), BytesMut::new());
    draft.body = Body::stream(Resigned { body, chunks, taken, plain, left, length, state: State::Size });
    Ok(())
}

/// See [`anew`].
struct Resigned {
    body: Body,
    chunks: Chunks,
    /// What came and was not read yet.
    taken: BytesMut,
    /// What was read and is no whole chunk of ours yet.
    plain: BytesMut,
    /// How much is still to come.
    left: u64,
    /// How much is still to be sent.
    length: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Size,
    Data(usize),
    DataEnd,
    /// Behind the empty chunk, where a line end stands.
    Last,
    Sent,
}

/// A chunk is not what it should be.
struct Malformed;

impl Resigned {
    /// Reads what is here; whether anything was read.
    fn read(&mut self) -> Result<bool, Malformed> {
        match self.state {
            State::Size => {
                let Some(end) = memchr::memmem::find(&self.taken, b"\r\n") else {
                    return if self.taken.len() > LONGEST_LINE { Err(Malformed) } else { Ok(false) };
                };
                let line = self.taken.split_to(end + 2);
                let digits =
                    <[u8]>::split(&line, |byte| matches!(*byte, b';' | b'\r')).next().unwrap_or_default();
                let size = str::from_utf8(digits).ok().filter(|text| !text.starts_with('+'));
                let size = size.and_then(|text| usize::from_str_radix(text, 16).ok()).ok_or(Malformed)?;
                self.left = self.left.checked_sub(size as u64).ok_or(Malformed)?;
                self.state = if size == 0 { State::Last } else { State::Data(size) };
                if size == 0 && self.left > 0 {
                    return Err(Malformed);
                }
            }
            State::Data(size) => {
                let room = usize::try_from(CHUNK).unwrap_or(usize::MAX).saturating_sub(self.plain.len());
                let here = size.min(self.taken.len()).min(room);
                if here == 0 {
                    return Ok(false);
                }
                self.plain.extend_from_slice(&self.taken.split_to(here));
                self.state = if here == size { State::DataEnd } else { State::Data(size - here) };
            }
            State::DataEnd | State::Last => {
                if self.taken.len() < 2 {
                    return Ok(false);
                }
                if self.taken.split_to(2) != b"\r\n"[..] {
                    return Err(Malformed);
                }
                self.state = if self.state == State::Last { State::Sent } else { State::Size };
            }
            State::Sent => return if self.taken.is_empty() { Ok(false) } else { Err(Malformed) },
        }
        Ok(true)
    }

    /// The next chunk of ours.
    fn chunk(&mut self) -> Bytes {
        let data = self.plain.split();
        let head = self.chunks.head(&data);
        let mut out = BytesMut::with_capacity(head.len() + data.len() + 2);
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(&data);
        out.extend_from_slice(b"\r\n");
        self.length = self.length.saturating_sub(out.len() as u64);
        out.freeze()
    }

    /// What may be sent now. The last frame has the empty chunk in it.
    fn ready(&mut self) -> Option<Bytes> {
        if self.state != State::Sent {
            return (self.plain.len() as u64 >= CHUNK).then(|| self.chunk());
        }
        if self.length == 0 {
            return None;
        }
        let mut out = BytesMut::new();
        if !self.plain.is_empty() {
            out.extend_from_slice(&self.chunk());
        }
        out.extend_from_slice(&self.chunk());
        Some(out.freeze())
    }
}

impl HttpBody for Resigned {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        loop {
            if let Some(bytes) = self.ready() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            match self.read() {
                Ok(true) => continue,
                Ok(false) => {}
                Err(Malformed) => return Poll::Ready(Some(Err(Error::Unfinished))),
            }
            match std::task::ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.taken.extend_from_slice(&data);
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None if self.state == State::Sent => return Poll::Ready(None),
                None => return Poll::Ready(Some(Err(Error::Unfinished))),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.state == State::Sent && self.length == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}

/// Puts the chunks of a client together. Its signatures are by a key that nobody here knows, and go.
pub(super) fn together(draft: &mut Draft) -> Result<(), Refusal> {
    let wrong = || Refusal::new(Code::BadRequest, "the chunks of the body are malformed");
    let body = draft.whole.take().ok_or_else(wrong)?;
    let mut rest: &[u8] = &body;
    let mut whole = Vec::with_capacity(rest.len());
    loop {
        let (head, behind) = line(rest).ok_or_else(wrong)?;
        let size = head.split(|byte| *byte == b';').next().and_then(|size| str::from_utf8(size).ok());
        let size = size.and_then(|size| usize::from_str_radix(size, 16).ok()).ok_or_else(wrong)?;
        if size == 0 {
            rest = behind;
            break;
        }
        let (chunk, behind) = behind.split_at_checked(size).ok_or_else(wrong)?;
        whole.extend_from_slice(chunk);
        rest = behind.strip_prefix(b"\r\n").ok_or_else(wrong)?;
    }
    trailers(&mut draft.headers, rest)?;
    let length = draft.headers.remove(DECODED);
    let length = length.as_ref().and_then(|value| value.to_str().ok());
    if length.is_some_and(|length| length != whole.len().to_string()) {
        return Err(wrong());
    }
    draft.headers.remove("x-amz-trailer");
    draft.headers.remove(CONTENT_LENGTH);
    unencoded(&mut draft.headers);
    let whole = bytes::Bytes::from(whole);
    draft.body = Body::full(whole.clone());
    draft.whole = Some(whole);
    Ok(())
}

/// A checksum behind the chunks becomes a header; the signature of the trailers goes.
fn trailers(headers: &mut HeaderMap, mut rest: &[u8]) -> Result<(), Refusal> {
    let wrong = || Refusal::new(Code::BadRequest, "what stands behind the chunks of the body is malformed");
    while let Some((line, behind)) = line(rest) {
        rest = behind;
        if line.is_empty() {
            break;
        }
        let text = str::from_utf8(line).map_err(|_| wrong())?;
        let (name, value) = text.split_once(':').ok_or_else(wrong)?;
        if name.starts_with("x-amz-checksum-") {
            let name = HeaderName::try_from(name).map_err(|_| wrong())?;
            headers.insert(name, HeaderValue::from_str(value.trim()).map_err(|_| wrong())?);
        } else if !name.eq_ignore_ascii_case("x-amz-trailer-signature") {
            return Err(wrong());
        }
    }
    if rest.is_empty() { Ok(()) } else { Err(wrong()) }
}

/// `aws-chunked` is no encoding of the object.
fn unencoded(headers: &mut HeaderMap) {
    let Some(encodings) = headers.remove(CONTENT_ENCODING) else { return };
    let text = encodings.to_str().unwrap_or_default();
    let kept: Vec<&str> =
        text.split(',').map(str::trim).filter(|one| !one.is_empty() && *one != "aws-chunked").collect();
    if let Ok(value) = HeaderValue::from_str(&kept.join(", "))
        && !kept.is_empty()
    {
        headers.insert(CONTENT_ENCODING, value);
    }
}

fn line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memmem::find(text, b"\r\n")?;
    Some((text.get(..end)?, text.get(end + 2..)?))
}

const DECODED: &str = "x-amz-decoded-content-length";
/// A chunk of ours: Amazon S3 wants at least 8 KiB.
const CHUNK: u64 = 64 * 1024;
/// A size, a signature, and what else somebody may write there.
const LONGEST_LINE: usize = 512;

#[cfg(test)]
mod tests;
