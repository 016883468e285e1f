//! Protections of the whole process, and two things about descriptors that need a raw call.

use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::{Mutex, PoisonError};

use crate::Error;

/// Hides this process from debuggers and core dumps of the same user: not dumpable, core size zero.
///
/// # Errors
/// When the kernel refuses; the caller must not go on to handle secrets then.
pub fn harden() -> Result<(), Error> {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a local structure that outlives the call.
    if unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) } != 0 {
        return Err(Error::Harden {
            what: "core dumps could not be switched off",
            source: std::io::Error::last_os_error(),
        });
    }
    // A file that may not grow any more is an error like a full disk, which refuses calls, and not the end of the process. A
    // handler, as programs that are started would inherit what is ignored.
    // SAFETY: the handler does nothing, so it may run at any time.
    unsafe { libc::signal(libc::SIGXFSZ, nothing as extern "C" fn(libc::c_int) as libc::sighandler_t) };
    conceal()
}

extern "C" fn nothing(_signal: libc::c_int) {}

/// The part of [`harden`] that ends when the process is replaced by another program: on Linux it is not readable by others
/// and leaves no core dump. For a process that becomes the user's own program, which keeps its own limits.
///
/// # Errors
/// When the kernel refuses; the caller must not go on to handle secrets then.
pub fn conceal() -> Result<(), Error> {
    #[cfg(target_os = "linux")]
    // SAFETY: a call without pointers.
    if unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) } != 0 {
        return Err(Error::Harden {
            what: "other processes could read ours",
            source: std::io::Error::last_os_error(),
        });
    }
    Ok(())
}

/// A descriptor of the process at the other end of a Unix socket (`SO_PEERPIDFD`, Linux 6.5), which unlike a process id
/// can't be given to another process meanwhile. `None` where the kernel has none.
#[must_use]
pub fn peer_pidfd(socket: RawFd) -> Option<OwnedFd> {
    #[cfg(target_os = "linux")]
    {
        let mut descriptor: libc::c_int = -1;
        let mut length = libc::socklen_t::try_from(size_of::<libc::c_int>()).ok()?;
        // SAFETY: both pointers are to locals of the sizes that are given.
        let answer = unsafe {
            libc::getsockopt(
                socket,
                libc::SOL_SOCKET,
                SO_PEERPIDFD,
                (&raw mut descriptor).cast(),
                &raw mut length,
            )
        };
        if answer != 0 || descriptor < 0 {
            return None;
        }
        // SAFETY: the kernel gave us this descriptor just now; nobody else owns it.
        Some(unsafe { OwnedFd::from_raw_fd(descriptor) })
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = socket;
        None
    }
}

/// Takes over a descriptor that whoever started this process handed over under a number, such as a supervisor that bound our
/// socket. It is closed in programs that we start. Each number is given once, and only where this process has not opened
/// anything under it: call this before anything else is opened.
///
/// # Errors
/// When nothing was handed over under this number, or it was taken before.
pub fn inherited(number: RawFd) -> std::io::Result<OwnedFd> {
    static TAKEN: Mutex<Vec<RawFd>> = Mutex::new(Vec::new());
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    if number < FIRST_INHERITED || taken.contains(&number) {
        return Err(std::io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: a call without pointers; a number that is no descriptor gives an error.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
    // What the standard library opens is closed on `exec`; what was handed over can't be, or it would not be here.
    if flags < 0 || flags & libc::FD_CLOEXEC != 0 {
        return Err(std::io::ErrorKind::NotFound.into());
    }
    // SAFETY: the same, and the descriptor exists.
    if unsafe { libc::fcntl(number, libc::F_SETFD, flags | libc::FD_CLOEXEC) } < 0 {
        return Err(std::io::Error::last_os_error());
    }
    taken.push(number);
    // SAFETY: the descriptor is open, was there before this program began (all that Rust opens has the flag that this one
    // lacked), and is given out once.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// From here on, programs that this process starts get none of its descriptors but the standard ones and those that they are handed on
/// purpose: also not what whoever started this process left open in it.
///
/// # Errors
/// When the kernel refuses; nothing may be started for others then.
pub fn close_on_exec() -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: a call without pointers.
        let done = unsafe {
            libc::syscall(
                libc::SYS_close_range,
                FIRST_INHERITED,
                libc::c_uint::MAX,
                libc::CLOSE_RANGE_CLOEXEC,
            )
        };
        if done == 0 {
            return Ok(());
        }
    }
    // Before Linux 5.11, and elsewhere.
    for entry in std::fs::read_dir("/dev/fd")? {
        let number = entry?.file_name().to_str().and_then(|name| name.parse::<RawFd>().ok());
        let Some(number) = number.filter(|number| *number >= FIRST_INHERITED) else { continue };
        // SAFETY: a call without pointers; a descriptor that was closed meanwhile gives an error.
        let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
        // SAFETY: the same.
        if flags >= 0 && unsafe { libc::fcntl(number, libc::F_SETFD, flags | libc::FD_CLOEXEC) } < 0 {
            return Err(std::io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Numbers below are standard input, output and error, which nobody owns alone.
const FIRST_INHERITED: RawFd = 3;

#[cfg(target_os = "linux")]
const SO_PEERPIDFD: libc::c_int = 77;
