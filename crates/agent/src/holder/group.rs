//! What the path of a control group says: the systemd unit, the container.
//!
//! A path is worth something because only root can make a group outside of the part that a user was given. So names are read from
//! the root downward and the first one counts: what a container or a service makes up below itself is its own affair. The part
//! that systemd gives to a user begins at `user@UID.service`; what is read below that is marked with the user.

use model::Container;

/// The path of the unified hierarchy: the line `0::/path`, once. The root is no group, and neither is one that is gone or lies
/// outside of what this process may see.
pub(super) fn unified(text: &str) -> Option<&str> {
    let mut paths = text.lines().filter_map(|line| line.strip_prefix("0::"));
    match (paths.next(), paths.next()) {
        // The kernel says so of a group that is gone; its name may be given to another one.
        (Some(path), None) if is_below_root(path) && !path.ends_with(" (deleted)") => Some(path),
        _ => None,
    }
}

fn is_below_root(path: &str) -> bool {
    path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(|part| !matches!(part, "" | "." | "..")))
}

/// The unit: of the system, or `user@UID.service/NAME` of a user's manager.
pub(super) fn unit(path: &str) -> Option<String> {
    let mut rest = parts_outside_slices(path);
    let outer = rest.next().filter(|name| is_unit(name))?;
    if user_of(outer).is_none() {
        return Some(outer.to_owned());
    }
    // `init.scope` is the manager itself.
    match rest.find(|name| !name.ends_with(".slice")).filter(|name| is_unit(name) && *name != "init.scope") {
        Some(inner) => Some(format!("{outer}/{inner}")),
        None => Some(outer.to_owned()),
    }
}

/// The outermost container.
pub(super) fn container(path: &str) -> Option<Container> {
    let mut rootless = None;
    let mut pod = None;
    let mut parent: Option<&str> = None;
    for part in path.split('/').skip(1) {
        if rootless.is_none() && parent.is_some_and(|parent| parent.starts_with("user-")) {
            rootless = user_of(part);
        }
        pod = pod.or_else(|| pod_of(part));
        if let Some((runtime, id)) = runtime_and_id(part, parent, pod.is_some()) {
            return Some(Container { runtime, id: id.to_owned(), pod, rootless });
        }
        // A unit of the system may have been given its part of the tree, and then makes up what is below it.
        if rootless.is_none() && is_unit(part) {
            return None;
        }
        parent = Some(part);
    }
    None
}

fn parts_outside_slices(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').skip(1).skip_while(|name| name.ends_with(".slice"))
}

/// The runtime and the id that one part of a path names.
fn runtime_and_id<'a>(part: &'a str, parent: Option<&str>, in_pod: bool) -> Option<(&'static str, &'a str)> {
    for (prefix, runtime) in RUNTIMES {
        let scope = part.strip_prefix(prefix).map(|rest| rest.strip_suffix(".scope").unwrap_or(rest));
        if let Some(id) = scope.filter(|id| is_id(id)) {
            return Some((runtime, id));
        }
    }
    // With the driver `cgroupfs` a bare id stands below a folder of the runtime or of the pod.
    match parent {
        Some("docker") if is_id(part) => Some(("docker", part)),
        Some("libpod_parent") if is_id(part) => Some(("podman", part)),
        _ if in_pod && is_id(part) => Some(("kubernetes", part)),
        _ => None,
    }
}

/// `kubepods-burstable-pod<uid with _>.slice` or `pod<uid>`.
fn pod_of(part: &str) -> Option<String> {
    let name = match part.strip_suffix(".slice") {
        Some(slice) if slice.contains("kubepods") => slice.rsplit_once("-pod").map(|(_, uid)| uid)?,
        Some(_) => return None,
        None => part.strip_prefix("pod")?,
    };
    let uid = name.replace('_', "-");
    let hex = uid.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b) || b == b'-');
    // A UUID; static pods have the 32 digits of a hash instead.
    (matches!(uid.len(), 32 | 36) && hex).then_some(uid)
}

/// The user of `user@UID.service`.
fn user_of(unit: &str) -> Option<u32> {
    unit.strip_prefix("user@")?.strip_suffix(".service")?.parse().ok()
}

fn is_unit(name: &str) -> bool {
    name.ends_with(".service") || name.ends_with(".scope")
}

fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// How runtimes name the scopes of their containers.
const RUNTIMES: [(&str, &str); 5] = [
    ("docker-", "docker"),
    ("cri-containerd-", "containerd"),
    ("crio-", "cri-o"),
    ("libpod-", "podman"),
    ("nerdctl-", "containerd"),
];

#[cfg(test)]
mod tests;
