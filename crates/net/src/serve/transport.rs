//! The bytes of a caller's connection, whatever carries them.
//!
//! One type for all: the HTTP library's server is compiled once for each type of connection that it is given, and is large.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::FromPeer;

/// A connection as it was accepted.
#[derive(Debug)]
pub(super) enum Accepted {
    Tcp(TcpStream),
    Unix(FromPeer),
    /// From another broker of the same store, by TLS.
    Handed(Box<TlsStream<TcpStream>>),
}

/// A connection of which HTTP is read.
#[derive(Debug)]
pub(super) enum Transport {
    Plain(Accepted),
    Secured(Box<TlsStream<Accepted>>),
}

/// Calls a method of whichever it is.
macro_rules! either {
    ($value:expr, [$($one:path),*], $method:ident $arguments:tt) => {
        match $value {
            $($one(stream) => either!(stream.$method $arguments),)*
        }
    };
    ($stream:ident.$method:ident($($argument:expr),*)) => { Pin::new($stream).$method($($argument),*) };
}

macro_rules! vectored {
    ($value:expr, [$($one:path),*]) => {
        match $value {
            $($one(stream) => stream.is_write_vectored(),)*
        }
    };
}

macro_rules! carries {
    ($name:ident, $ones:tt) => {
        impl AsyncRead for $name {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                either!(self.get_mut(), $ones, poll_read(cx, buf))
            }
        }

        impl AsyncWrite for $name {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                either!(self.get_mut(), $ones, poll_write(cx, bytes))
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                either!(self.get_mut(), $ones, poll_flush(cx))
            }

            fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                either!(self.get_mut(), $ones, poll_shutdown(cx))
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                slices: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                either!(self.get_mut(), $ones, poll_write_vectored(cx, slices))
            }

            fn is_write_vectored(&self) -> bool {
                vectored!(self, $ones)
            }
        }
    };
}

carries!(Accepted, [Self::Tcp, Self::Unix, Self::Handed]);
carries!(Transport, [Self::Plain, Self::Secured]);
