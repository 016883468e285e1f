//! What kind of machine this is, as far as it decides which checks can be made.

use std::collections::BTreeSet;

use crate::program::find;
use crate::{deny, setup};

/// One kind of machine: its name in `docs/checks/not-here.toml`, and how to see it.
struct Kind {
    name: &'static str,
    is_here: fn() -> bool,
}

const KINDS: &[Kind] = &[
    Kind { name: "linux", is_here: || cfg!(target_os = "linux") },
    Kind { name: "macos", is_here: || cfg!(target_os = "macos") },
    Kind { name: "not-root", is_here: || !setup::is_root() },
    Kind {
        name: "one-core",
        is_here: || std::thread::available_parallelism().is_ok_and(|cores| cores.get() == 1),
    },
    Kind { name: "no-advisory-database", is_here: || !deny::has_advisories() },
    Kind {
        name: "no-redis-server",
        is_here: || std::process::Command::new("redis-server").arg("--version").output().is_err(),
    },
    Kind { name: "no-postgresql", is_here: || !has_postgresql() },
    Kind { name: "no-actionlint", is_here: || find("actionlint").is_none() },
    Kind {
        name: "no-images",
        is_here: || !setup::is_root() || ["buildah", "debootstrap"].iter().any(|name| find(name).is_none()),
    },
    Kind { name: "no-docker-compose", is_here: || find("docker-compose").is_none() },
    Kind { name: "no-helm", is_here: || !is_built("helm", "helm") },
    Kind {
        name: "no-kubernetes",
        is_here: || {
            let built = [("helm", "helm"), ("kubernetes", "apiserver"), ("kubernetes", "kubectl")];
            find("etcd").is_none() || built.iter().any(|(set, program)| !is_built(set, program))
        },
    },
    Kind { name: "no-promtool", is_here: || find("promtool").is_none() },
    Kind { name: "no-etcd", is_here: || find("etcd").is_none() },
    Kind { name: "no-new-go", is_here: || !setup::sdk::has_new_go() },
    Kind { name: "no-gh", is_here: || find("gh").is_none() },
    Kind { name: "no-nginx", is_here: || find("nginx").is_none() },
    Kind { name: "no-prometheus", is_here: || find("prometheus").is_none() },
    Kind {
        name: "no-user-namespaces",
        is_here: || {
            let tried = std::process::Command::new("unshare").args(["-Urn", "true"]).output();
            !tried.is_ok_and(|tried| tried.status.success())
        },
    },
    Kind { name: "no-shellcheck", is_here: || find("shellcheck").is_none() },
    Kind { name: "no-systemd-analyze", is_here: || find("systemd-analyze").is_none() },
    Kind { name: "no-terraform", is_here: || find("terraform").is_none() },
];

/// The kinds that this machine is of.
pub(super) fn kinds() -> BTreeSet<&'static str> {
    KINDS.iter().filter(|kind| (kind.is_here)()).map(|kind| kind.name).collect()
}

/// Whether a program is on `PATH`, or in a set of programs that `setup` builds for tests. As `tests/deploy/run` looks for it.
fn is_built(set: &str, program: &str) -> bool {
    let start = format!("sdk-{set}-");
    let folders = setup::cache().and_then(|cache| std::fs::read_dir(cache).ok());
    find(program).is_some()
        || folders.into_iter().flatten().flatten().any(|folder| {
            folder.file_name().to_string_lossy().starts_with(&start)
                && folder.path().join("bin").join(program).is_file()
        })
}

/// Whether a server can be made: on `PATH`, or where Debian keeps its programs.
fn has_postgresql() -> bool {
    let kept = std::fs::read_dir("/usr/lib/postgresql");
    find("initdb").is_some()
        || kept.is_ok_and(|kept| kept.flatten().any(|version| version.path().join("bin/initdb").is_file()))
}

/// Whether there is a kind of that name.
pub(super) fn is_known(name: &str) -> bool {
    KINDS.iter().any(|kind| kind.name == name)
}
