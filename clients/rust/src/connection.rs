//! One connection to the agent, on which one message is under way at a time.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::Error;
use crate::wire::FRAME;

/// A connection, and the process that opened it: it is proven as that one's.
pub(crate) struct Connection {
    stream: UnixStream,
    buffer: Vec<u8>,
    process: u32,
}

/// Why an exchange failed, and whether anything was sent by then.
pub(crate) struct Broken {
    pub(crate) error: Error,
    pub(crate) sent: bool,
}

impl Connection {
    /// Opens one. Connecting waits where the agent's queue is full, and the library of Rust has no limit for that, so a
    /// thread waits in the place of the caller.
    pub(crate) fn open(path: &Path, deadline: Instant) -> Result<Self, Error> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let socket = path.to_owned();
        let begun = thread::Builder::new().name("doorward-connect".to_owned()).spawn(move || {
            // Nobody waits any more where the receiver is gone; the connection is closed then.
            let _ = sender.send(UnixStream::connect(socket));
        });
        begun.map_err(|error| unreachable(path, &error))?;
        let stream = receiver.recv_timeout(left(deadline)?).map_err(|_| late())?;
        let stream = stream.map_err(|error| unreachable(path, &error))?;
        Ok(Self { stream, buffer: Vec::new(), process: std::process::id() })
    }

    /// Sends a message and reads the line that comes back.
    pub(crate) fn exchange(&mut self, message: &[u8], deadline: Instant) -> Result<Vec<u8>, Broken> {
        let mut rest = message;
        while !rest.is_empty() {
            let sent = rest.len() < message.len();
            let written = left(deadline).and_then(|left| {
                self.stream.set_write_timeout(Some(left)).map_err(|error| lost(&error))?;
                match self.stream.write(rest) {
                    Ok(0) => Err(lost(&io::ErrorKind::WriteZero.into())),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
                    other => other.map_err(|error| lost(&error)),
                }
            });
            let count = written.map_err(|error| Broken { error, sent })?;
            rest = rest.get(count..).unwrap_or_default();
        }
        self.line(deadline).map_err(|error| Broken { error, sent: true })
    }

    fn line(&mut self, deadline: Instant) -> Result<Vec<u8>, Error> {
        let mut part = [0; 16 * 1024];
        let mut looked = 0;
        loop {
            let end = self.buffer.iter().skip(looked).position(|byte| *byte == b'\n').map(|at| at + looked);
            if end.unwrap_or(self.buffer.len()) > FRAME {
                return Err(Error::Protocol("the agent's answer is larger than 1 MiB".to_owned()));
            }
            if let Some(end) = end {
                let behind = self.buffer.split_off(end + 1);
                return Ok(std::mem::replace(&mut self.buffer, behind));
            }
            looked = self.buffer.len();
            self.stream.set_read_timeout(Some(left(deadline)?)).map_err(|error| lost(&error))?;
            match self.stream.read(&mut part) {
                Ok(0) => return Err(lost(&io::ErrorKind::UnexpectedEof.into())),
                Ok(count) => self.buffer.extend_from_slice(part.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(lost(&error)),
            }
        }
    }

    /// Whether it is this process's, open, and has nothing to read: what nobody asked for is no answer to the next call.
    pub(crate) fn is_quiet(&mut self) -> bool {
        if self.process != std::process::id() || !self.buffer.is_empty() {
            return false;
        }
        if self.stream.set_nonblocking(true).is_err() {
            return false;
        }
        let looked = self.stream.read(&mut [0; 1]);
        let quiet = looked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
        quiet && self.stream.set_nonblocking(false).is_ok()
    }
}

/// The time that is left; none is a failure.
pub(crate) fn left(deadline: Instant) -> Result<Duration, Error> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(late()) } else { Ok(left) }
}

pub(crate) fn late() -> Error {
    Error::TimedOut("timeout: the agent did not answer in time".to_owned())
}

fn lost(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => late(),
        _ => Error::Lost(format!("the agent closed the connection before it answered: {error}")),
    }
}

fn unreachable(path: &Path, error: &io::Error) -> Error {
    let path = PathBuf::from(path);
    let path = path.display();
    let start = "failed to connect to agent";
    let (message, lasting) = match error.kind() {
        io::ErrorKind::NotFound => {
            (format!("{start}: connection refused: there is no socket `{path}`"), false)
        }
        io::ErrorKind::ConnectionRefused | io::ErrorKind::WouldBlock => {
            (format!("{start}: connection refused: nothing listens on `{path}`"), false)
        }
        // Such as a lack of rights, which no waiting mends.
        _ => (format!("{start}: {error}: `{path}`"), true),
    };
    Error::Unreachable { message, lasting }
}
