//! Random bytes, from the kernel.

use std::fs::File;
use std::io::{self, Read};

/// So many random bytes.
pub(crate) fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut random = [0; N];
    File::open("/dev/urandom")?.read_exact(&mut random)?;
    Ok(random)
}

/// An id for a message.
pub(crate) fn message_id() -> io::Result<String> {
    let mut id = String::from("msg_");
    for byte in bytes::<12>()? {
        id.push_str(&format!("{byte:02x}"));
    }
    Ok(id)
}

/// A number from 0 to 1, for waits: nothing depends on it being hard to guess.
pub(crate) fn fraction() -> f64 {
    bytes::<4>().map_or(0.5, |bytes| f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX))
}
