//! What this process uses, as the kernel counts it. What it does not say is left out.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::Gauges;

/// Memory, CPU, descriptors and threads.
pub(crate) fn used(gauges: &Gauges) -> Value {
    let numbers = Numbers::read();
    let mut fields = Map::new();
    if let Some(bytes) = numbers.memory {
        fields.insert("memory_usage".to_owned(), json!(megabytes(bytes)));
    }
    if let Some(cpu) = numbers.cpu {
        let share = gauges.share(cpu);
        fields.insert("cpu_usage".to_owned(), json!(format!("{share:.1}%")));
    }
    if let Some((open, most)) = numbers.descriptors {
        fields.insert("file_descriptors".to_owned(), json!(format!("{open}/{most}")));
    }
    if let Some(threads) = numbers.threads {
        fields.insert("threads".to_owned(), json!(threads));
    }
    // A word of another runtime, which programs that read this tree may expect.
    fields.insert("goroutines".to_owned(), json!(0));
    Value::Object(fields)
}

/// What the kernel says of this process.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    /// Bytes that are resident.
    pub(crate) memory: Option<u64>,
    /// Time on the processors.
    pub(crate) cpu: Option<Duration>,
    /// Descriptors that are open, and the most that may be.
    pub(crate) descriptors: Option<(u64, u64)>,
    /// Threads.
    pub(crate) threads: Option<u64>,
}

impl Numbers {
    /// Asks it.
    pub(crate) fn read() -> Self {
        let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim_start_matches(':').split_whitespace().next()?.parse::<u64>().ok()
        };
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let open = std::fs::read_dir("/proc/self/fd").ok().map(|folder| folder.count() as u64);
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        let cpu = u64::try_from(time.tv_sec).ok().zip(u32::try_from(time.tv_nsec).ok());
        Self {
            memory: field("VmRSS").map(|kilobytes| kilobytes * 1024),
            cpu: cpu.map(|(seconds, nanos)| Duration::new(seconds, nanos)),
            descriptors: open.zip(limit),
            threads: field("Threads"),
        }
    }
}

fn megabytes(bytes: u64) -> String {
    let tenths = bytes * 10 / (1024 * 1024);
    format!("{}.{}MB", tenths / 10, tenths % 10)
}
