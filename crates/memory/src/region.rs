//! Pages that hold one secret.
//!
//! On Linux the pages come from `memfd_secret` (5.14 and later, where the kernel was started with it): they are taken out
//! of the kernel's own map, so that neither another process nor a core dump can read them. Elsewhere they are anonymous,
//! locked, left out of dumps and wiped on fork. Each mapping has a page without access before and behind it.
//!
//! A hidden page costs eight system calls, and the kernel makes every core forget its translations twice. A call that brings a
//! secret takes one for microseconds, so a few that were wiped are kept for the next one: as hidden as they were, and empty.

use std::ptr::NonNull;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, Ordering};

use zeroize::Zeroize;

use crate::Error;

/// How well the kernel guards a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// Hidden from every other process and from core dumps (`memfd_secret`).
    Hidden,
    /// Locked against swapping and left out of core dumps.
    Locked,
    /// Neither was possible: the limit on locked memory is too low.
    Plain,
}

/// An anonymous mapping of whole pages with a guard page on each side.
pub(crate) struct Region {
    start: NonNull<u8>,
    length: usize,
    mapped: usize,
    guard: Guard,
}

// SAFETY: the region owns its mapping alone; `bytes` gives shared and `bytes_mut` exclusive access, as for a `Box<[u8]>`.
unsafe impl Send for Region {}
// SAFETY: as above; there is no interior mutability.
unsafe impl Sync for Region {}

impl Region {
    pub(crate) fn reserve(length: usize) -> Result<Self, Error> {
        let page = page_size();
        if length <= page
            && let Ok(mut idle) = IDLE.lock()
            && let Some(mut region) = idle.pop()
        {
            region.length = length;
            return Ok(region);
        }
        let wrong = |source| Error::Reserve { bytes: length, source };
        let inner = length
            .max(1)
            .checked_next_multiple_of(page)
            .ok_or_else(|| wrong(std::io::Error::other("too large")))?;
        let mapped = inner.checked_add(2 * page).ok_or_else(|| wrong(std::io::Error::other("too large")))?;
        // SAFETY: a fresh anonymous mapping at an address that the kernel picks.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), mapped, libc::PROT_NONE, NEW, -1, 0) };
        if base == libc::MAP_FAILED {
            return Err(wrong(std::io::Error::last_os_error()));
        }
        // SAFETY: `base` points to `mapped` bytes, so the page behind the first guard page lies inside.
        let start = unsafe { base.cast::<u8>().add(page) };
        let Some(start) = NonNull::new(start) else {
            return Err(wrong(std::io::Error::other("no address")));
        };
        let mut region = Self { start, length, mapped, guard: Guard::Plain };
        region.guard = match region.hide(inner) {
            Some(guard) => guard,
            None => region.lock(inner).map_err(wrong)?,
        };
        Ok(region)
    }

    /// Lays pages of a `memfd_secret` over the middle of the reservation.
    #[cfg(target_os = "linux")]
    fn hide(&self, inner: usize) -> Option<Guard> {
        if HIDING.load(Ordering::Relaxed) == NOT_HERE {
            return None;
        }
        // SAFETY: a system call without pointers; the descriptor is ours and closed below.
        let descriptor = unsafe { libc::syscall(libc::SYS_memfd_secret, libc::O_CLOEXEC) };
        let Some(descriptor) = i32::try_from(descriptor).ok().filter(|fd| *fd >= 0) else {
            HIDING.store(NOT_HERE, Ordering::Relaxed);
            return None;
        };
        let size = libc::off_t::try_from(inner).unwrap_or(0);
        // SAFETY: the descriptor is open; the range `start..start+inner` belongs to this region's own reservation.
        let mapped = unsafe {
            let sized = libc::ftruncate(descriptor, size) == 0;
            let at = if sized {
                let fixed = libc::MAP_SHARED | libc::MAP_FIXED;
                libc::mmap(self.start.as_ptr().cast(), inner, READ_WRITE, fixed, descriptor, 0)
            } else {
                libc::MAP_FAILED
            };
            libc::close(descriptor);
            at != libc::MAP_FAILED
        };
        // SAFETY: the range was mapped by us just now.
        mapped.then(|| unsafe {
            libc::madvise(self.start.as_ptr().cast(), inner, libc::MADV_DONTFORK);
            Guard::Hidden
        })
    }

    #[cfg(not(target_os = "linux"))]
    const fn hide(&self, _inner: usize) -> Option<Guard> {
        None
    }

    /// Makes the middle of the reservation readable, locked, and absent from dumps.
    fn lock(&self, inner: usize) -> Result<Guard, std::io::Error> {
        // SAFETY: the range belongs to this region's own reservation.
        unsafe {
            let at = self.start.as_ptr().cast();
            let at = libc::mmap(at, inner, READ_WRITE, NEW | libc::MAP_FIXED, -1, 0);
            if at == libc::MAP_FAILED {
                return Err(std::io::Error::last_os_error());
            }
            #[cfg(target_os = "linux")]
            {
                libc::madvise(self.start.as_ptr().cast(), inner, libc::MADV_DONTDUMP);
                libc::madvise(self.start.as_ptr().cast(), inner, libc::MADV_WIPEONFORK);
            }
            let locked = libc::mlock(self.start.as_ptr().cast(), inner) == 0;
            Ok(if locked { Guard::Locked } else { Guard::Plain })
        }
    }

    pub(crate) const fn bytes(&self) -> &[u8] {
        // SAFETY: the mapping holds at least `length` initialised bytes and lives as long as `self`.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }

    pub(crate) const fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as for `bytes`, and `&mut self` makes the access exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }

    pub(crate) const fn len(&self) -> usize {
        self.length
    }

    pub(crate) const fn guard(&self) -> Guard {
        self.guard
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        self.bytes_mut().zeroize();
        let page = page_size();
        if self.mapped == 3 * page
            && let Ok(mut idle) = IDLE.lock()
            && idle.len() < KEPT
        {
            // Whoever is dropped here owns nothing any more: the mapping belongs to the one that is kept.
            return idle.push(Self { start: self.start, length: 0, mapped: self.mapped, guard: self.guard });
        }
        // SAFETY: `start` lies one page behind the base of a mapping of `mapped` bytes, which nothing else refers to.
        unsafe {
            libc::munmap(self.start.as_ptr().sub(page).cast(), self.mapped);
        }
    }
}

fn page_size() -> usize {
    // SAFETY: a query without pointers.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}

const NEW: libc::c_int = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
const READ_WRITE: libc::c_int = libc::PROT_READ | libc::PROT_WRITE;

/// Regions of one page that are wiped and belong to nobody.
static IDLE: Mutex<Vec<Region>> = Mutex::new(Vec::new());
const KEPT: usize = 16;

/// Whether `memfd_secret` was refused once, so that it is not tried for each secret.
static HIDING: AtomicU8 = AtomicU8::new(0);
const NOT_HERE: u8 = 1;
