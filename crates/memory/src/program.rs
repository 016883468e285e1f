//! What the program itself has in memory.

/// Gives pages back that only the start needed: code and constants of the program, which are mapped again from its file when
/// they are next used, and free pieces of the heap.
///
/// A process that serves for weeks runs a tenth of the code that its start ran: reading catalogues, compiling policies, making
/// doors. Without this those pages count as its memory until the kernel runs short.
///
/// Returns the bytes of code and constants of which nothing is mapped any more.
pub fn give_back() -> usize {
    give_back_heap();
    code()
}

/// Drops what is mapped of the program's segments that nobody can write: the kernel has their contents in the file.
#[cfg(target_os = "linux")]
fn code() -> usize {
    let mut dropped: usize = 0;
    // SAFETY: the callback has the type that is wanted, runs before the call returns, and gets our counter.
    unsafe { libc::dl_iterate_phdr(Some(drop_segments), (&raw mut dropped).cast()) };
    dropped
}

#[cfg(not(target_os = "linux"))]
fn code() -> usize {
    0
}

/// Called with the program first, then with each library; it ends the walk after the program.
#[cfg(target_os = "linux")]
unsafe extern "C" fn drop_segments(
    object: *mut libc::dl_phdr_info,
    _: libc::size_t,
    dropped: *mut libc::c_void,
) -> libc::c_int {
    // SAFETY: the loader gives a structure and as many headers as it says, which live as long as the program, and `code` its
    // counter.
    let (object, dropped) = unsafe { (&*object, &mut *dropped.cast::<usize>()) };
    // SAFETY: the same.
    let headers = unsafe { std::slice::from_raw_parts(object.dlpi_phdr, usize::from(object.dlpi_phnum)) };
    for header in headers.iter().filter(|header| header.p_type == libc::PT_LOAD) {
        // Whole pages that belong to this segment alone: its first and last page may be another segment's as well.
        let begin = object.dlpi_addr.wrapping_add(header.p_vaddr);
        let (start, end) = (begin.next_multiple_of(PAGE), begin.wrapping_add(header.p_memsz) / PAGE * PAGE);
        let (Ok(start), Ok(length)) = (usize::try_from(start), usize::try_from(end.saturating_sub(start)))
        else {
            continue;
        };
        // What can be written holds what the loader and the program wrote: that is in no file.
        if length == 0 || header.p_flags & libc::PF_W != 0 {
            continue;
        }
        let address = std::ptr::with_exposed_provenance_mut::<libc::c_void>(start);
        // SAFETY: the range is a private mapping of the program's file without a right to write, so no page of it differs from
        // the file, and whoever reads it next, this function too, gets the same bytes again.
        if unsafe { libc::madvise(address, length, libc::MADV_DONTNEED) } == 0 {
            *dropped = dropped.saturating_add(length);
        }
    }
    1
}

/// The same of the heap alone: nothing of the program has to be read again. Other libraries keep no such pieces, or can't be asked.
pub fn give_back_heap() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: a call without pointers.
    unsafe {
        libc::malloc_trim(0)
    };
}

/// The largest page of the machines that we build for; a multiple of each smaller one.
#[cfg(target_os = "linux")]
const PAGE: u64 = 64 * 1024;

#[cfg(test)]
mod tests;
