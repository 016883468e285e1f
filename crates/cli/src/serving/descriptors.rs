//! How many connections this process may have, and who else has them.

use crate::failure::{Failure, Outcome};

/// Allows as many as can be, and keeps what is open in this process, also what whoever started it left open, from programs that sources and operations start.
///
/// # Errors
/// When the kernel refuses.
pub(super) fn prepare() -> Outcome {
    raise();
    memory::close_on_exec()
        .map_err(|error| Failure::doing("could not keep open files from other programs", &error))
}

/// As many descriptors as this process may have: a connection is one, and the usual limit of a shell is a thousand.
fn raise() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let most = Rlimit { current: limit.maximum, ..limit };
        if let Err(error) = setrlimit(Resource::Nofile, most) {
            tracing::warn!(%error, "the limit of open descriptors stays as it was");
        }
    }
}
