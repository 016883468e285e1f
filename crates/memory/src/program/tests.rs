//! Giving back what only the start needed.
#![cfg(target_os = "linux")]

use super::*;

#[test]
fn code_that_was_given_back_runs_again_and_less_of_it_is_in_memory() {
    // Touches much of the program's code and constants: all of it is read once.
    let before = touched();
    let given = give_back();
    assert!(given > 0);
    let after = resident();
    assert!(after < before, "{before} bytes of files were in memory before, {after} after");
    assert_eq!(give_back(), given, "the same segments, and all of this still runs");
}

/// Reads every page of the segments that nobody writes; then what is in memory of files.
fn touched() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let exe = std::env::current_exe().unwrap();
    let ours = maps.lines().filter(|line| line.ends_with(exe.to_str().unwrap()));
    let mut sum = 0_u64;
    for line in ours.filter(|line| line.contains(" r--p ") || line.contains(" r-xp ")) {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let (start, end) =
            (usize::from_str_radix(start, 16).unwrap(), usize::from_str_radix(end, 16).unwrap());
        for address in (start..end).step_by(4096) {
            let place = std::ptr::with_exposed_provenance::<u8>(address);
            // SAFETY: the kernel said that this page can be read.
            sum += u64::from(unsafe { place.read_volatile() });
        }
    }
    assert!(sum > 0);
    resident()
}

/// Bytes of files that this process has in memory.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssFile:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}
