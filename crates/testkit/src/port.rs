//! Ports for servers that have to be told theirs.

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// A port of loopback that nobody listens on and that the system gives to nobody by itself.
///
/// A port that was bound and let go is one that the next program may be given before the server has it, be it only for a
/// connection on its way out. These are outside of what the system picks from, begin at a random place, and none is given twice
/// by one process; so a port is also one at which nobody will answer.
#[must_use]
pub fn port() -> u16 {
    static NEXT: OnceLock<AtomicU64> = OnceLock::new();
    let next = NEXT.get_or_init(|| AtomicU64::new(RandomState::new().hash_one(std::process::id()) >> 1));
    let ours = beside(picked());
    let count = u64::from(ours.end - ours.start);
    for _ in 0..count {
        let nth = next.fetch_add(1, Ordering::Relaxed) % count;
        let port =
            ours.start + u16::try_from(nth).expect("a remainder is smaller than what it is divided by");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no port of {ours:?} is free")
}

/// What the system picks from: the first and the last.
fn picked() -> (u16, u16) {
    let told = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut ends = told.split_whitespace().map_while(|end| end.parse().ok());
    // Where nobody says, the lowest beginning that is in use somewhere.
    (ends.next().unwrap_or(32_768), ends.next().unwrap_or(u16::MAX))
}

/// Ports that are not among these; where there is no room beside them, any.
fn beside((first, last): (u16, u16)) -> Range<u16> {
    match (first, last) {
        (12_000.., _) => 10_000..first,
        (_, ..=63_000) => last + 1..65_000,
        _ => 10_000..65_000,
    }
}

#[cfg(test)]
#[path = "port/tests.rs"]
mod tests;
