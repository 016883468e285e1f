//! Limits that the kernel holds for each process of the program.

use rustix::process::{Resource, Rlimit, setrlimit};

use crate::channel::Bounds;

/// Sets them; none of them can be raised again.
pub(super) fn set(bounds: &Bounds) -> Result<(), String> {
    let Bounds { memory, file, processes, cpu } = *bounds;
    let all = [
        // What is written to, not what is reserved: runtimes reserve far more than they use.
        (Resource::Data, memory),
        (Resource::Fsize, file),
        (Resource::Nproc, processes),
        (Resource::Cpu, cpu),
        (Resource::Nofile, OPEN_FILES),
        // A dump of its memory would have the secret in it.
        (Resource::Core, 0),
    ];
    for (resource, most) in all {
        let limit = Rlimit { current: Some(most), maximum: Some(most) };
        setrlimit(resource, limit).map_err(|error| format!("could not set a limit: {error}"))?;
    }
    Ok(())
}

const OPEN_FILES: u64 = 1024;
