//! What is said between us and the step inside the sandbox: one order in, with the filter of system calls, one word and the
//! listeners out.
//!
//! It goes over a socket that is the step's standard input, so that no descriptor is inherited by chance.

use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What the step inside is to do.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    /// The program.
    pub(crate) program: PathBuf,
    /// Its arguments.
    pub(crate) args: Vec<String>,
    /// All of its environment but for the relay's variables.
    pub(crate) environment: Vec<(String, String)>,
    /// What it reads; `None` is nothing.
    pub(crate) stdin: Option<PathBuf>,
    /// Where it may write; its home.
    pub(crate) work: PathBuf,
    /// Where it works; its home where that is not said.
    pub(crate) folder: Option<PathBuf>,
    /// Loopback addresses that lead to the same address outside. Behind them comes the proxy's, at any port; `None` where the
    /// program has the machine's own network.
    pub(crate) listen: Option<Vec<SocketAddr>>,
    /// Its limits.
    pub(crate) limits: Bounds,
    /// What it may see of the file system, where the sandbox does not say so by itself.
    pub(crate) land: Option<Land>,
    /// Whether its system calls are restricted.
    pub(crate) calls: bool,
}

/// Limits that the kernel holds for each process (`setrlimit(2)`).
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bounds {
    pub(crate) memory: u64,
    pub(crate) file: u64,
    pub(crate) processes: u64,
    /// Seconds of a core.
    pub(crate) cpu: u64,
}

/// What a program may see.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Land {
    /// What it may read and start.
    pub(crate) run: Vec<PathBuf>,
    /// What it may read.
    pub(crate) read: Vec<PathBuf>,
    /// What it may write.
    pub(crate) write: Vec<PathBuf>,
}

/// What the step inside says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Word {
    /// Everything is in place; the program is next.
    Ready,
    /// Something is not.
    Failed(String),
    /// The program can't be started.
    NotStarted(String),
}

/// An order as it goes over the channel, and behind it the filter of system calls as it is: nothing that would have to be read once
/// more. Each has its length before it.
pub(crate) fn written(order: &Order, filter: &[u8]) -> std::io::Result<Zeroizing<Vec<u8>>> {
    // Room for the length first, so that the secret words in it are not moved about.
    let mut bytes = Zeroizing::new(Vec::with_capacity(128 * 1024));
    bytes.extend_from_slice(&[0; 4]);
    serde_json::to_writer(&mut *bytes, order)?;
    let length = length(bytes.len().saturating_sub(4))?;
    for (place, byte) in bytes.iter_mut().zip(length) {
        *place = byte;
    }
    bytes.extend_from_slice(&self::length(filter.len())?);
    bytes.extend_from_slice(filter);
    Ok(bytes)
}

fn length(bytes: usize) -> std::io::Result<[u8; 4]> {
    let length = u32::try_from(bytes).ok().filter(|length| *length <= LONGEST);
    length.map(u32::to_be_bytes).ok_or_else(|| std::io::ErrorKind::InvalidInput.into())
}

/// Reads the order, inside, and the filter.
pub(crate) fn order(channel: &mut UnixStream) -> std::io::Result<(Order, Vec<u8>)> {
    let order = serde_json::from_slice(&piece(channel)?)?;
    let mut filter = piece(channel)?;
    Ok((order, std::mem::take(&mut *filter)))
}

fn piece(channel: &mut UnixStream) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut length = [0; 4];
    channel.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > LONGEST {
        return Err(std::io::ErrorKind::InvalidData.into());
    }
    let mut bytes = Zeroizing::new(vec![0; usize::try_from(length).unwrap_or_default()]);
    channel.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Says a word, and hands listeners over with it.
pub(crate) fn say(channel: &mut UnixStream, word: &Word, listeners: &[TcpListener]) -> std::io::Result<()> {
    let mut text = serde_json::to_vec(word)?;
    text.push(b'\n');
    if listeners.is_empty() {
        return channel.write_all(&text);
    }
    let handles: Vec<BorrowedFd<'_>> = listeners.iter().map(AsFd::as_fd).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_LISTENERS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(&handles)) {
        return Err(std::io::ErrorKind::InvalidInput.into());
    }
    let sent =
        rustix::net::sendmsg(channel.as_fd(), &[IoSlice::new(&text)], &mut control, SendFlags::empty())?;
    channel.write_all(text.get(sent..).unwrap_or_default())
}

/// Hears what is there: bytes of words, and listeners that come with them.
pub(crate) fn hear(
    channel: BorrowedFd<'_>,
    into: &mut Vec<u8>,
    listeners: &mut Vec<OwnedFd>,
) -> std::io::Result<usize> {
    let mut piece = [0; 4096];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_LISTENERS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut slices = [IoSliceMut::new(&mut piece)];
    let heard = rustix::net::recvmsg(
        channel,
        &mut slices,
        &mut control,
        RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC,
    )?;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(handles) = message {
            listeners.extend(handles);
        }
    }
    into.extend_from_slice(piece.get(..heard.bytes).unwrap_or_default());
    Ok(heard.bytes)
}

/// The words in what was heard, whole ones.
pub(crate) fn words(heard: &[u8]) -> impl Iterator<Item = Word> {
    let whole = heard.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let lines = heard.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n');
    lines.filter(|line| !line.is_empty()).filter_map(|line| serde_json::from_slice(line).ok())
}

/// Listeners of one sandbox.
pub(crate) const MOST_LISTENERS: usize = 8;
/// Longest order in bytes.
const LONGEST: u32 = 4 << 20;
