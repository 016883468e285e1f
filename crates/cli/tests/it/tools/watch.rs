//! Looks at arguments and environments of every process while something runs, as anybody on the machine could.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Looks until it is over.
pub(crate) struct Watch {
    over: Arc<AtomicBool>,
    looks: Arc<AtomicU64>,
    thread: Option<JoinHandle<Vec<String>>>,
}

impl Watch {
    /// Begins to look for these.
    pub(crate) fn for_secrets(secrets: &[&str]) -> Self {
        let secrets: Vec<Vec<u8>> = secrets.iter().map(|secret| secret.as_bytes().to_vec()).collect();
        let (over, looks) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (ends, counts) = (Arc::clone(&over), Arc::clone(&looks));
        let thread = std::thread::spawn(move || {
            let mut seen = Vec::new();
            while !ends.load(Ordering::Acquire) {
                look(&secrets, &mut seen);
                counts.fetch_add(1, Ordering::Release);
                std::thread::sleep(Duration::from_millis(20));
            }
            seen
        });
        Self { over, looks, thread: Some(thread) }
    }

    /// Ends it; fails the test where one was seen, or where nothing was looked at.
    pub(crate) fn saw_nothing(mut self) {
        self.over.store(true, Ordering::Release);
        let seen = self.thread.take().unwrap().join().unwrap();
        assert!(self.looks.load(Ordering::Acquire) > 0, "nobody looked");
        assert!(seen.is_empty(), "seen: {seen:?}");
    }
}

fn look(secrets: &[Vec<u8>], seen: &mut Vec<String>) {
    let own = std::process::id().to_string();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.bytes().all(|byte| byte.is_ascii_digit()) || name == own {
            continue;
        }
        for what in ["cmdline", "environ"] {
            let bytes = std::fs::read(entry.path().join(what)).unwrap_or_default();
            for secret in secrets {
                if bytes.windows(secret.len()).any(|window| window == secret.as_slice()) {
                    seen.push(format!("a secret in the {what} of process {name}"));
                }
            }
        }
    }
}
