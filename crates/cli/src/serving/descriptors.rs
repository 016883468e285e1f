//! How many connections this process may have.

/// As many descriptors as this process may have: a connection is one, and the usual limit of a shell is a thousand.
pub(super) fn raise() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let most = Rlimit { current: limit.maximum, ..limit };
        if let Err(error) = setrlimit(Resource::Nofile, most) {
            tracing::warn!(%error, "the limit of open descriptors stays as it was");
        }
    }
}
