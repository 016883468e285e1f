//! The sandbox that bubblewrap makes.
//!
//! Mounts are most of what it costs, so there are few: programs and libraries, the settings of the machine as one folder, five
//! devices, the files of this run. What only has to have a name is a link.

use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::Command as Process;

use super::{Seen, Setup, is_below, view};
use crate::{Error, stage};

/// `bwrap ... -- us inside`.
pub(super) fn process(
    setup: &Setup,
    seen: &Seen<'_>,
    files: u64,
    filter: Option<&File>,
) -> Result<Process, Error> {
    let Seen { room, program, settings, .. } = seen;
    let found = setup.bubblewrap.as_deref();
    let mut process =
        Process::new(found.ok_or_else(|| Error::Sandbox("`bwrap` is not installed".to_owned()))?);
    process.args(["--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]);
    process.args(["--unshare-cgroup-try", "--die-with-parent", "--new-session", "--hostname", "sandbox"]);
    // Whoever is root outside is nobody special inside.
    process.args(["--uid", stage::USER, "--gid", stage::USER, "--cap-drop", "ALL"]);
    let calls = filter.map(|filter| ["--seccomp".to_owned(), filter.as_raw_fd().to_string()]);
    process.args(calls.into_iter().flatten());
    for folder in view::present(view::SYSTEM) {
        match fs::read_link(&folder) {
            Ok(target) => process.arg("--symlink").arg(target).arg(&folder),
            Err(_) => process.arg("--ro-bind").args([&folder, &folder]),
        };
    }
    for path in view::present(view::MORE).into_iter().filter(|folder| holds_something(folder)) {
        process.arg("--ro-bind-try").args([&path, &path]);
    }
    if let Some(settings) = settings {
        process.arg("--ro-bind").arg(settings.folder()).arg(SETTINGS);
        for (path, name) in settings.files() {
            process.arg("--symlink").arg(Path::new(SETTINGS).join(name)).arg(path);
        }
        for path in settings.whole() {
            process.arg("--ro-bind-try").args([path, path]);
        }
    }
    process.args(["--proc", "/proc", "--dir", "/tmp"]);
    shut_kernel(&mut process);
    for device in view::DEVICES {
        process.args(["--dev-bind", device, device]);
    }
    for (name, target) in LINKS {
        process.args(["--symlink", target, name]);
    }
    process.arg("--ro-bind").args([room.files(), room.files()]);
    process.args(["--size", &files.to_string(), "--tmpfs"]).arg(room.work());
    for path in &setup.readable {
        process.arg("--ro-bind-try").args([path, path]);
    }
    let there = |path: &Path| {
        is_below(path, &view::present(view::SYSTEM))
            || is_below(path, &view::present(view::MORE))
            || is_below(path, &setup.readable)
    };
    let own = if there(&setup.own) { &setup.own } else { Path::new(OWN) };
    if own != setup.own {
        process.arg("--ro-bind").arg(&setup.own).arg(own);
    }
    if let Some((program, folder, changes)) = program {
        if let Some(folder) = folder {
            process.arg(if *changes { "--bind" } else { "--ro-bind" }).args([folder, folder]);
        }
        let other = (program.path() != program.real()).then_some(program.path());
        for place in std::iter::once(program.real()).chain(other).filter(|place| !there(place)) {
            process.arg("--ro-bind").arg(program.real()).arg(place);
        }
    }
    process.args(["--remount-ro", "/", "--chdir", "/", "--"]).arg(own).arg(stage::WORD);
    Ok(process)
}

/// Who is root outside is the owner of the kernel's settings, whatever he is called inside.
fn shut_kernel(process: &mut Process) {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    for path in OF_ROOT {
        process.args(["--ro-bind-try", path, path]);
    }
    for path in HIDDEN.iter().filter(|path| Path::new(path).exists()) {
        process.args(["--ro-bind", "/dev/null", path]);
    }
}

/// What the kernel lets its owner write in `/proc`, and what it shows to him alone: the paths that the OCI runtime specification's
/// default configuration names read-only and masked.
const OF_ROOT: &[&str] =
    &["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs", "/proc/acpi", "/proc/scsi"];
const HIDDEN: &[&str] = &[
    "/proc/kcore",
    "/proc/keys",
    "/proc/kallsyms",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/sched_debug",
    "/proc/interrupts",
];

/// Most systems have such a folder with nothing in it.
fn holds_something(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut all| all.next().is_some())
}

/// Where our own executable is inside, where it is not with all programs.
const OWN: &str = "/doorward";
/// Where the copies of the machine's settings are inside; under their own names are links to them.
const SETTINGS: &str = "/settings";
/// What programs call what they were given.
const LINKS: &[(&str, &str)] = &[
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
];
