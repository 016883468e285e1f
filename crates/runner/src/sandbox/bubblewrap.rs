//! The sandbox that bubblewrap makes.

use std::fs;
use std::path::Path;
use std::process::Command as Process;

use super::{Setup, is_below, view};
use crate::{Error, Program, Room, stage};

/// `bwrap ... -- us inside`.
pub(super) fn process(
    setup: &Setup,
    room: &Room,
    program: Option<(&Program, Option<&Path>)>,
    files: u64,
) -> Result<Process, Error> {
    let found = setup.bubblewrap.as_deref();
    let mut process =
        Process::new(found.ok_or_else(|| Error::Sandbox("`bwrap` is not installed".to_owned()))?);
    process.args(["--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]);
    process.args(["--unshare-cgroup-try", "--die-with-parent", "--new-session", "--hostname", "sandbox"]);
    // Whoever is root outside is nobody special inside.
    process.args(["--uid", stage::USER, "--gid", stage::USER, "--cap-drop", "ALL"]);
    for folder in view::present(view::SYSTEM) {
        match fs::read_link(&folder) {
            Ok(target) => process.arg("--symlink").arg(target).arg(&folder),
            Err(_) => process.arg("--ro-bind").args([&folder, &folder]),
        };
    }
    for path in view::present(view::MORE).iter().chain(&view::present(view::SETTINGS)) {
        process.arg("--ro-bind-try").args([path, path]);
    }
    process.args(["--proc", "/proc", "--dev", "/dev", "--dir", "/tmp"]);
    process.arg("--ro-bind").args([room.files(), room.files()]);
    process.args(["--size", &files.to_string(), "--tmpfs"]).arg(room.work());
    process.arg("--ro-bind").arg(&setup.own).arg(OWN);
    for path in &setup.readable {
        process.arg("--ro-bind-try").args([path, path]);
    }
    if let Some((program, folder)) = program {
        if let Some(folder) = folder {
            process.arg("--bind").args([folder, folder]);
        }
        let seen = |path: &Path| {
            is_below(path, &view::present(view::SYSTEM))
                || is_below(path, &view::present(view::MORE))
                || is_below(path, &setup.readable)
        };
        for place in [program.real(), program.path()] {
            if !seen(place) {
                process.arg("--ro-bind").arg(program.real()).arg(place);
            }
        }
    }
    process.args(["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/", "--", OWN, stage::WORD]);
    Ok(process)
}

/// Where our own executable is inside.
const OWN: &str = "/doorward";
