//! Receiving from a Unix socket together with who sent it. The safe wrapper that we would use instead reads the sender's
//! process id into a type that must not be zero, and the kernel says zero of a sender in another process namespace.

use std::io;
use std::os::fd::BorrowedFd;

/// What was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// How many bytes; 0 is the end of the stream.
    pub bytes: usize,
    /// Who sent them, where the kernel says so: it does on a socket with `SO_PASSCRED`, which never mixes two senders in one
    /// piece.
    pub sender: Option<Sender>,
}

/// The process that sent something, as the kernel noted it when it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sender {
    /// Process id; 0 where it has none in our namespace.
    pub pid: i32,
    /// Real user id.
    pub uid: u32,
    /// Real group id.
    pub gid: u32,
}

/// Receives what is there, without waiting. File descriptors that come with it are closed.
///
/// # Errors
/// What the kernel says; [`io::ErrorKind::WouldBlock`] when nothing is there yet.
#[cfg(target_os = "linux")]
pub fn receive(socket: BorrowedFd<'_>, into: &mut [u8]) -> io::Result<Received> {
    use std::os::fd::AsRawFd;

    let mut control = Control([0; ROOM as usize]);
    let mut piece = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: into.len() };
    // SAFETY: the structure is of integers and pointers, for which zero is a value.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_iov = &raw mut piece;
    header.msg_iovlen = 1;
    header.msg_control = control.0.as_mut_ptr().cast();
    // A number that has one width with one C library, and another with the next.
    header.msg_controllen = ROOM.into();
    let flags = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;
    // SAFETY: the header points to `piece`, `into` and `control`, which outlive the call, with their lengths.
    let answer = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, flags) };
    let Ok(bytes) = usize::try_from(answer) else { return Err(io::Error::last_os_error()) };
    Ok(Received { bytes, sender: sender(&header) })
}

/// The same where the kernel has no such thing: nobody is named.
///
/// # Errors
/// Always: there is no way to say who sent it.
#[cfg(not(target_os = "linux"))]
pub fn receive(_socket: BorrowedFd<'_>, _into: &mut [u8]) -> io::Result<Received> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Room for what the kernel adds, aligned as it wants it.
#[cfg(target_os = "linux")]
#[repr(C, align(8))]
struct Control([u8; ROOM as usize]);

#[cfg(target_os = "linux")]
const ROOM: u8 = 64;

/// The one sender. Two would be none.
#[cfg(target_os = "linux")]
fn sender(header: &libc::msghdr) -> Option<Sender> {
    let mut found = None;
    let mut count = 0;
    // SAFETY: the kernel filled `msg_control` and set `msg_controllen` to what it filled.
    let mut at = unsafe { libc::CMSG_FIRSTHDR(header) };
    while !at.is_null() {
        // SAFETY: `at` is not null, so it points to a whole header within the control buffer, which is aligned for one.
        let (level, kind, length) = unsafe { ((*at).cmsg_level, (*at).cmsg_type, (*at).cmsg_len) };
        // SAFETY: computes a pointer behind that header, and a number.
        let (data, before) = unsafe { (libc::CMSG_DATA(at), libc::CMSG_LEN(0) as usize) };
        let content = bytes(length).saturating_sub(before);
        if level == libc::SOL_SOCKET && kind == libc::SCM_CREDENTIALS && content >= size_of::<libc::ucred>() {
            // SAFETY: so many bytes of content are there; the structure is of integers, for which every pattern is a value.
            let held: libc::ucred = unsafe { std::ptr::read_unaligned(data.cast()) };
            found = Some(Sender { pid: held.pid, uid: held.uid, gid: held.gid });
            count += 1;
        }
        if level == libc::SOL_SOCKET && kind == libc::SCM_RIGHTS {
            close(data, content / size_of::<libc::c_int>());
        }
        // SAFETY: `at` came from this header.
        at = unsafe { libc::CMSG_NXTHDR(header, at) };
    }
    found.filter(|_| count == 1)
}

/// A length as the C library writes it; one that can't be is none.
#[cfg(target_os = "linux")]
fn bytes(length: impl TryInto<usize>) -> usize {
    length.try_into().unwrap_or(0)
}

/// Closes descriptors that somebody sent: we asked for none, and each is a place in our table.
#[cfg(target_os = "linux")]
fn close(data: *const u8, count: usize) {
    use std::os::fd::{FromRawFd, OwnedFd};

    for place in 0..count {
        // SAFETY: the caller counted the whole numbers that are there.
        let descriptor: libc::c_int =
            unsafe { std::ptr::read_unaligned(data.cast::<libc::c_int>().add(place)) };
        if descriptor >= 0 {
            // SAFETY: the kernel made this descriptor for us with this message; nobody else owns it.
            drop(unsafe { OwnedFd::from_raw_fd(descriptor) });
        }
    }
}
