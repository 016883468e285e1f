//! The terminal as it was before somebody was asked for a secret, put back where a signal ends the process in the middle of
//! the question.
//!
//! Whoever asks switches the echo off, or hides the cursor. A person who then presses Ctrl-C would be left with a shell that
//! shows nothing of what they type.
//!
//! # Invariants
//!
//! - What a signal did before a question it does again after it, and at its end while it is asked.
//! - A signal that is ignored, as under `nohup`, stays ignored.

use std::fs::File;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicPtr, Ordering};

/// Keeps the controlling terminal as it is now, for as long as a question is asked.
///
/// It holds the descriptor that the handler of the signals uses.
#[derive(Debug)]
#[must_use]
pub struct Terminal(Option<File>);

/// What the handler of the signals works with.
struct Kept {
    terminal: RawFd,
    settings: libc::termios,
    /// What each of [`SIGNALS`] did before.
    before: [libc::sigaction; SIGNALS.len()],
}

impl Terminal {
    /// Looks how the terminal is now. Without one there is nothing to keep, and within another question it is kept already.
    pub fn keep() -> Self {
        Self(Self::kept())
    }

    fn kept() -> Option<File> {
        let file = File::options().read(true).write(true).open("/dev/tty").ok()?;
        let terminal = file.as_raw_fd();
        let mut settings = MaybeUninit::<libc::termios>::zeroed();
        // SAFETY: the pointer is to a local of that type.
        if unsafe { libc::tcgetattr(terminal, settings.as_mut_ptr()) } != 0 {
            return None;
        }
        // SAFETY: a structure of numbers, which the call has filled in.
        let settings = unsafe { settings.assume_init() };
        let before = SIGNALS.map(action_of);
        // Never freed: the handler may run on another thread at any time. It is some hundred bytes for each question.
        let kept = Box::into_raw(Box::new(Kept { terminal, settings, before }));
        KEPT.compare_exchange(std::ptr::null_mut(), kept, Ordering::AcqRel, Ordering::Acquire).ok()?;
        for (signal, before) in SIGNALS.into_iter().zip(&before) {
            if before.sa_sigaction != libc::SIG_IGN {
                set(signal, &ours());
            }
        }
        Some(file)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if self.0.is_none() {
            return;
        }
        // SAFETY: set by `kept` to a structure that is never freed, or null.
        if let Some(kept) = unsafe { KEPT.load(Ordering::Acquire).as_ref() } {
            for (signal, before) in SIGNALS.into_iter().zip(&kept.before) {
                set(signal, before);
            }
        }
        KEPT.store(std::ptr::null_mut(), Ordering::Release);
    }
}

/// Puts the terminal back and has the signal do what it did before. Calls only what may be called from a handler (POSIX.1-2017,
/// 2.4.3).
extern "C" fn put_back(signal: libc::c_int) {
    // SAFETY: set by `keep` to a structure that is never freed, or null.
    let Some(kept) = (unsafe { KEPT.load(Ordering::Acquire).as_ref() }) else { return };
    // What was typed of a secret must not be read by the shell, so it is thrown away.
    // SAFETY: the pointers are to what outlives the calls; a descriptor that was closed meanwhile gives an error.
    unsafe {
        libc::tcsetattr(kept.terminal, libc::TCSAFLUSH, &raw const kept.settings);
        libc::write(kept.terminal, SHOWN.as_ptr().cast(), SHOWN.len());
    }
    if let Some(before) =
        SIGNALS.iter().zip(&kept.before).find_map(|(own, before)| (*own == signal).then_some(before))
    {
        set(signal, before);
        // SAFETY: a call without pointers. The signal comes when this handler has returned.
        unsafe { libc::raise(signal) };
    }
}

/// What is done for our signals.
fn ours() -> libc::sigaction {
    // SAFETY: a structure of numbers and an optional pointer, for which zeros are values.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = put_back as extern "C" fn(libc::c_int) as libc::sighandler_t;
    action
}

/// What is done for a signal now.
fn action_of(signal: libc::c_int) -> libc::sigaction {
    // SAFETY: as in `ours`.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    // SAFETY: nothing is set, and the pointer is to a local of that type.
    unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut action) };
    action
}

fn set(signal: libc::c_int, action: &libc::sigaction) {
    // SAFETY: the action is one that the system gave, or `ours`, whose handler may run at any time.
    unsafe { libc::sigaction(signal, std::ptr::from_ref(action), std::ptr::null_mut()) };
}

static KEPT: AtomicPtr<Kept> = AtomicPtr::new(std::ptr::null_mut());
/// What ends a process whose terminal is in use.
const SIGNALS: [libc::c_int; 4] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT];
/// Shows the cursor, and begins a line (DECTCEM).
const SHOWN: &[u8] = b"\x1b[?25h\n";
