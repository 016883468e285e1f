//! Installs what the tests and benches need and is not there yet.
//!
//! System packages come from apt, where we are root. Tools are pinned, and kept outside the repository so that a fresh
//! checkout does not build them again. What only a bench needs never fails the set-up.

mod place;
pub(crate) mod sdk;

use std::path::{Path, PathBuf};

pub(crate) use place::cache;

use crate::failure::{Failure, Outcome};
use crate::program::{Program, find};

/// A system package, the program that shows that it is there, and who needs it.
struct Package {
    name: &'static str,
    program: &'static str,
    need: Need,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Test,
    /// Tests that only Linux has.
    Linux,
    /// Tests that name what is missing: with the SDKs of the clouds, and in a network of their own.
    Named,
    Bench,
}

const PACKAGES: &[Package] = &[
    Package { name: "age", program: "age", need: Need::Test },
    Package { name: "curl", program: "curl", need: Need::Test },
    Package { name: "git", program: "git", need: Need::Test },
    Package { name: "gnupg", program: "gpg", need: Need::Test },
    Package { name: "pass", program: "pass", need: Need::Test },
    Package { name: "python3", program: "python3", need: Need::Test },
    Package { name: "bubblewrap", program: "bwrap", need: Need::Linux },
    Package { name: "bsdutils", program: "script", need: Need::Linux },
    Package { name: "dbus", program: "dbus-daemon", need: Need::Linux },
    Package { name: "gnome-keyring", program: "gnome-keyring-daemon", need: Need::Linux },
    Package { name: "libkf5wallet-bin", program: "kwalletd5", need: Need::Linux },
    Package { name: "libsecret-tools", program: "secret-tool", need: Need::Linux },
    Package { name: "opensc", program: "pkcs11-tool", need: Need::Linux },
    Package { name: "openssh-client", program: "ssh-keygen", need: Need::Linux },
    Package { name: "softhsm2", program: "softhsm2-util", need: Need::Linux },
    Package { name: "swtpm", program: "swtpm", need: Need::Linux },
    Package { name: "tpm2-tools", program: "tpm2_create", need: Need::Linux },
    Package { name: "util-linux", program: "setsid", need: Need::Linux },
    Package { name: "iproute2", program: "ip", need: Need::Named },
    Package { name: "util-linux", program: "unshare", need: Need::Named },
    Package { name: "postgresql", program: "pg_createcluster", need: Need::Named },
    Package { name: "nginx", program: "nginx", need: Need::Named },
    Package { name: "buildah", program: "buildah", need: Need::Named },
    Package { name: "debootstrap", program: "debootstrap", need: Need::Named },
    Package { name: "rpm", program: "rpmbuild", need: Need::Named },
    Package { name: "wrk", program: "wrk", need: Need::Bench },
    Package { name: "python3-venv", program: "python3", need: Need::Named },
    Package { name: "golang-go", program: "go", need: Need::Named },
    Package { name: "chromium", program: "chromium", need: Need::Named },
    Package { name: "gh", program: "gh", need: Need::Named },
    Package { name: "etcd-server", program: "etcd", need: Need::Named },
    Package { name: "prometheus", program: "prometheus", need: Need::Named },
    Package { name: "nodejs", program: "node", need: Need::Named },
    Package { name: "npm", program: "npm", need: Need::Named },
    Package { name: "default-jdk-headless", program: "javac", need: Need::Named },
    Package { name: "maven", program: "mvn", need: Need::Named },
];

/// A tool of a pinned version, built by cargo.
struct Tool {
    name: &'static str,
    version: &'static str,
    /// Which of its features are built.
    features: &'static [&'static str],
}

const TOOLS: &[Tool] = &[
    Tool { name: "cargo-deny", version: "0.20.2", features: &[] },
    // Without its server and its watching of files.
    Tool { name: "mdbook", version: "0.5.4", features: &["--no-default-features", "--features", "search"] },
];

/// Installs what is missing.
pub(crate) fn run(root: &Path) -> Outcome {
    Program::cargo(root, &["fetch", "--locked"]).run()?;
    packages(root)?;
    TOOLS.iter().try_for_each(|tool| install(root, tool))?;
    sdk::run(root)
}

/// Where the pinned tool `name` is, if it is installed. Another version on `PATH` doesn't count: it could answer otherwise.
pub(crate) fn tool(name: &str) -> Option<PathBuf> {
    let tool = TOOLS.iter().find(|tool| tool.name == name)?;
    let file = folder(tool)?.join("bin").join(name);
    file.is_file().then_some(file)
}

fn packages(root: &Path) -> Outcome {
    let needed = PACKAGES.iter().filter(|package| package.need != Need::Linux || cfg!(target_os = "linux"));
    let missing: Vec<&Package> = needed.filter(|package| find(package.program).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if is_root() && find("apt-get").is_some() {
        apt(root, &missing);
    }
    for package in missing {
        match (find(package.program), package.need) {
            (Some(_), _) => println!("installed {}", package.name),
            (None, Need::Bench) => println!("note: no `{}`, so benches can't run here", package.program),
            (None, Need::Named) => {
                println!("note: no `{}`; the tests that need it will fail", package.program);
            }
            (None, Need::Test | Need::Linux) => {
                return Err(Failure::new(format!(
                    "no `{}`, which tests need; install the package `{}`",
                    package.program, package.name
                )));
            }
        }
    }
    Ok(())
}

/// Tries to install `missing`. Whether it worked is seen by looking for the programs afterwards.
fn apt(root: &Path, missing: &[&Package]) {
    let apt = |arguments: &[&str]| {
        Program::new(root, "apt-get", arguments).env("DEBIAN_FRONTEND", "noninteractive").run()
    };
    let names = missing.iter().map(|package| package.name);
    let mut arguments = vec!["install", "--yes", "--no-install-recommends", "--quiet"];
    arguments.extend(names);
    if let Err(failure) = apt(&["update", "--quiet"]).and_then(|()| apt(&arguments)) {
        println!("note: {failure}");
    }
    // These packages start their services, which nobody asked for.
    for (package, service) in [("nginx", "nginx"), ("etcd-server", "etcd"), ("prometheus", "prometheus")] {
        if missing.iter().any(|one| one.name == package) {
            Program::new(root, "service", &[service, "stop"]).succeeds();
        }
    }
    // So does this one; tests make servers of their own.
    if missing.iter().any(|package| package.name == "postgresql") {
        Program::new(root, "service", &["postgresql", "stop"]).succeeds();
    }
}

fn install(root: &Path, tool: &Tool) -> Outcome {
    let Tool { name, version, features } = tool;
    let folder = folder(tool).ok_or_else(|| Failure::new("neither XDG_CACHE_HOME nor HOME is set"))?;
    if folder.join("bin").join(name).is_file() {
        return Ok(());
    }
    println!("building {name} {version}, once for this machine");
    // Built beside its place and then moved, so that a build that was cut short is not taken for a tool.
    let partial = folder.with_file_name(format!("{name}-{version}.partial"));
    let target = partial.to_string_lossy();
    let mut arguments = vec!["install", "--quiet", "--locked", "--root", &target, name, "--version", version];
    arguments.extend(*features);
    Program::cargo(root, &arguments).run()?;
    std::fs::rename(&partial, &folder)
        .map_err(|error| Failure::doing(&format!("move {name} to `{}`", folder.display()), &error))
}

/// `CACHE/doorward-tools/NAME-VERSION`.
fn folder(tool: &Tool) -> Option<PathBuf> {
    Some(place::cache()?.join(format!("{}-{}", tool.name, tool.version)))
}

/// Whether this process may install system packages.
pub(crate) fn is_root() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| status.lines().any(effective_root))
}

fn effective_root(line: &str) -> bool {
    line.strip_prefix("Uid:").is_some_and(|ids| ids.split_whitespace().nth(1) == Some("0"))
}
