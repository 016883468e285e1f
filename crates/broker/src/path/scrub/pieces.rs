//! A reply's body, piece by piece, unpacked where it is compressed.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder};
use bytes::{Buf, Bytes, BytesMut};
use http::HeaderMap;
use http_body::Body as _;
use net::Incoming;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncReadExt, ReadBuf};

/// A body that is read piece by piece.
pub(crate) struct Pieces {
    source: Source,
    first: Option<Bytes>,
    trailers: Option<HeaderMap>,
}

enum Source {
    Nothing,
    Plain(Incoming),
    Unpacking(Pin<Box<dyn AsyncRead + Send>>, u64),
}

/// Why a body did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    /// Nothing came for too long.
    #[error("did not arrive in time")]
    Slow,
    /// The connection broke, or the compressed data is damaged.
    #[error("broke off")]
    Off,
    /// It unpacks to far more than any honest reply.
    #[error("unpacks to more than is allowed")]
    Bomb,
}

impl Pieces {
    pub(crate) const fn none() -> Self {
        Self { source: Source::Nothing, first: None, trailers: None }
    }

    pub(crate) const fn plain(body: Incoming) -> Self {
        Self { source: Source::Plain(body), first: None, trailers: None }
    }

    /// `None` where the encoding (RFC 9110, section 8.4.1) is not one that we unpack.
    pub(crate) fn unpacking(body: Incoming, encoding: &str) -> Option<Self> {
        let reader = Reader { body, piece: Bytes::new() };
        let source: Pin<Box<dyn AsyncRead + Send>> = match encoding {
            "gzip" | "x-gzip" => {
                let mut decoder = GzipDecoder::new(reader);
                decoder.multiple_members(true);
                Box::pin(decoder)
            }
            "deflate" => Box::pin(ZlibDecoder::new(reader)),
            "br" => Box::pin(BrotliDecoder::new(reader)),
            "zstd" => {
                let mut decoder = ZstdDecoder::new(reader);
                decoder.multiple_members(true);
                Box::pin(decoder)
            }
            _ => return None,
        };
        Some(Self { source: Source::Unpacking(source, 0), first: None, trailers: None })
    }

    /// The whole length, where it is known beforehand.
    pub(crate) fn expected(&self) -> Option<u64> {
        match &self.source {
            Source::Nothing => Some(0),
            Source::Plain(body) => body.size_hint().exact(),
            Source::Unpacking(..) => None,
        }
    }

    /// Gives bytes back that were read; they come first again.
    pub(crate) fn put_back(&mut self, bytes: Bytes) {
        self.first = Some(bytes);
    }

    /// The next piece; `None` at the end.
    pub(crate) async fn next(&mut self, idle: Duration) -> Result<Option<Bytes>, Broken> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        let Self { source, trailers, .. } = self;
        match source {
            Source::Nothing => Ok(None),
            Source::Plain(body) => plain(body, trailers, idle).await,
            Source::Unpacking(reader, total) => {
                let mut piece = BytesMut::with_capacity(PIECE);
                let read = tokio::time::timeout(idle, reader.read_buf(&mut piece))
                    .await
                    .map_err(|_| Broken::Slow)?;
                let read = u64::try_from(read.map_err(|_| Broken::Off)?).unwrap_or(u64::MAX);
                *total = total.saturating_add(read);
                if *total > MOST_UNPACKED {
                    return Err(Broken::Bomb);
                }
                Ok((read > 0).then(|| piece.freeze()))
            }
        }
    }

    /// Whether something came behind the body so far.
    pub(crate) fn have_trailers(&self) -> bool {
        self.trailers.is_some()
    }

    /// What came behind the body.
    pub(crate) fn trailers(&mut self) -> Option<HeaderMap> {
        self.trailers.take()
    }
}

async fn plain(
    body: &mut Incoming,
    trailers: &mut Option<HeaderMap>,
    idle: Duration,
) -> Result<Option<Bytes>, Broken> {
    loop {
        if body.is_end_stream() {
            return Ok(None);
        }
        match within(idle, poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx))).await? {
            None => return Ok(None),
            Some(Err(_)) => return Err(Broken::Off),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) if data.is_empty() => {}
                Ok(data) => return Ok(Some(data)),
                Err(frame) => *trailers = frame.into_trailers().ok(),
            },
        }
    }
}

/// What a future gives within the time. No timer is set for one that is ready at once: the end of a short body has mostly
/// arrived with its head.
pub(super) async fn within<T>(time: Duration, future: impl Future<Output = T>) -> Result<T, Broken> {
    let mut future = pin!(future);
    match poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => tokio::time::timeout(time, future).await.map_err(|_| Broken::Slow),
    }
}

/// A body as bytes to read from, for the decoders.
struct Reader {
    body: Incoming,
    piece: Bytes,
}

impl AsyncBufRead for Reader {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<&[u8]>> {
        let this = self.get_mut();
        while this.piece.is_empty() {
            match Pin::new(&mut this.body).poll_frame(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => break,
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(std::io::Error::other(error))),
                Poll::Ready(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        this.piece = data;
                    }
                }
            }
        }
        Poll::Ready(Ok(&this.piece))
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        let this = self.get_mut();
        this.piece.advance(amount.min(this.piece.len()));
    }
}

impl AsyncRead for Reader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let bytes = match self.as_mut().poll_fill_buf(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(bytes) => bytes?,
        };
        let count = bytes.len().min(to.remaining());
        to.put_slice(bytes.get(..count).unwrap_or_default());
        self.consume(count);
        Poll::Ready(Ok(()))
    }
}

const PIECE: usize = 16 * 1024;
/// More than any reply that a caller could want through a gateway: 1 GiB.
const MOST_UNPACKED: u64 = 1 << 30;
