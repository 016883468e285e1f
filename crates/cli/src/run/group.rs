//! The control group of a run, in the unified hierarchy (v2), below the one that this process is in.
//!
//! Making it takes rights over a part of the tree: root's, or those that systemd gives to a user's own manager. Where neither
//! is there, the run has none, and is known by its parents alone.

use std::fs::{self, OpenOptions};
use std::io::Read;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use model::RunId;

use crate::settings;

/// Where the program is started.
#[derive(Debug)]
pub(super) enum Group {
    /// In a group that this command made.
    Made(PathBuf),
    /// In a scope that the user's systemd is asked for.
    Scope(String),
    /// Where this command is.
    None,
}

impl Group {
    /// Makes one, the best that this machine lets us.
    pub(super) fn make(run: RunId) -> Self {
        let name = format!("doorward-{run}");
        let folder = below_ours(&name);
        folder.iter().filter_map(|folder| folder.parent()).for_each(sweep);
        if let Some(folder) = folder
            && fs::create_dir(&folder).is_ok()
        {
            // Making it may be allowed where moving into it is not.
            if OpenOptions::new().write(true).open(folder.join(MEMBERS)).is_ok() {
                return Self::Made(folder);
            }
            let _ = fs::remove_dir(&folder);
        }
        if users_systemd_answers() { Self::Scope(format!("{name}.scope")) } else { Self::None }
    }

    /// Whether the kernel will say of every process of the run that it is one.
    pub(super) const fn is_certain(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// What the user should know.
    pub(super) const fn caution(&self) -> Option<&'static str> {
        match self {
            Self::Made(_) | Self::Scope(_) => None,
            Self::None => Some(
                "No control group can be made here: the program is known by its user and by being started from this command.",
            ),
        }
    }

    /// The list of processes to join.
    pub(super) fn members(&self) -> Option<PathBuf> {
        match self {
            Self::Made(folder) => Some(folder.join(MEMBERS)),
            Self::Scope(_) | Self::None => None,
        }
    }

    /// Removes it, if nobody is left in it. The kernel keeps it otherwise.
    pub(super) fn remove(&self) {
        if let Self::Made(folder) = self {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Removes the groups of runs whose launcher was killed. The kernel keeps those that have anybody in them; a young one may be
/// about to get somebody.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    let old = |path: &Path| {
        let made = fs::metadata(path).and_then(|found| found.modified()).ok();
        made.and_then(|made| made.elapsed().ok()).is_some_and(|age| age > YOUNG)
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let run = name.strip_prefix("doorward-").and_then(|run| run.parse::<RunId>().ok());
        if run.is_some() && old(&path) {
            let _ = fs::remove_dir(&path);
        }
    }
}

/// The folder of a new group below ours.
fn below_ours(name: &str) -> Option<PathBuf> {
    let mounts = bounded(Path::new("/proc/self/mountinfo"))?;
    let groups = bounded(Path::new("/proc/self/cgroup"))?;
    let own = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    Some(mounted(&mounts)?.join(own).join(name))
}

/// Where the unified hierarchy is mounted, whole: `ID PARENT DEV ROOT PLACE OPTIONS … - TYPE …` (proc_pid_mountinfo(5)).
fn mounted(mounts: &str) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        let (mount, kind) = line.split_once(" - ")?;
        let mut fields = mount.split(' ').skip(3);
        let (root, place) = (fields.next()?, fields.next()?);
        (kind.starts_with("cgroup2 ") && root == "/" && !place.contains('\\')).then(|| PathBuf::from(place))
    })
}

/// Whether there is a manager of this user that could be asked for a scope.
fn users_systemd_answers() -> bool {
    let folder = settings::environment("XDG_RUNTIME_DIR").map(PathBuf::from);
    folder.is_some_and(|folder| {
        fs::metadata(folder.join("systemd/private")).is_ok_and(|found| found.file_type().is_socket())
    })
}

fn bounded(path: &Path) -> Option<String> {
    let mut text = String::new();
    fs::File::open(path).ok()?.take(1 << 20).read_to_string(&mut text).ok()?;
    Some(text)
}

/// How long an empty group may still be one that a program is about to join.
const YOUNG: Duration = Duration::from_secs(60);
const MEMBERS: &str = "cgroup.procs";

#[cfg(test)]
mod tests;
