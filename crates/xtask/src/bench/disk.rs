//! What a durable append costs on this disk, measured in the same run: it bounds what evidence can cost.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use serde::Serialize;

use crate::failure::{Failure, Outcome};

const APPENDS: usize = 1000;
/// About the size of one record of evidence.
const BYTES: usize = 300;

/// The time of one append of 300 bytes with `fdatasync`, in microseconds.
#[derive(Serialize, Clone, Copy)]
pub(super) struct Appends {
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
    pub(super) per_second: f64,
}

/// Appends to a file in `folder` and removes it again.
pub(super) fn appends(folder: &Path) -> Outcome<Appends> {
    let path = folder.join("append");
    let failed = |error: std::io::Error| Failure::doing("measure the disk", &error);
    let mut file = File::create(&path).map_err(failed)?;
    let mut times = Vec::with_capacity(APPENDS);
    for _ in 0..APPENDS {
        let started = Instant::now();
        file.write_all(&[b'x'; BYTES]).and_then(|()| file.sync_data()).map_err(failed)?;
        times.push(started.elapsed().as_secs_f64() * 1e6);
    }
    std::fs::remove_file(&path).map_err(failed)?;
    let whole: f64 = times.iter().sum();
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times.get((times.len() as f64 * part) as usize).copied().unwrap_or_default();
    Ok(Appends { p50_us: at(0.5), p99_us: at(0.99), per_second: APPENDS as f64 / whole * 1e6 })
}
