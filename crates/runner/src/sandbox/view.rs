//! What every program sees of the file system: what a distribution installs, and of the settings of the machine what is needed to
//! look up names, check certificates and tell the time. Nothing that belongs to a user.

use std::path::PathBuf;

/// Folders of programs and libraries; where one is a link, it is one inside as well.
pub(crate) const SYSTEM: &[&str] = &["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

/// Folders that hold programs on some systems.
pub(crate) const MORE: &[&str] = &["/opt", "/nix/store", "/gnu/store"];

/// Settings of the machine that hold no secret, and that programs read. What only those need that change them is not among them.
pub(crate) const SETTINGS: &[&str] = &[
    "/etc/alternatives",
    "/etc/ca-certificates/extracted",
    "/etc/crypto-policies",
    "/etc/group",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/pki",
    "/etc/protocols",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/ssl/cert.pem",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/timezone",
];

/// Devices.
pub(crate) const DEVICES: &[&str] = &["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// Those of them that are here.
pub(crate) fn present(names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(PathBuf::from).filter(|path| path.symlink_metadata().is_ok()).collect()
}

/// A path on which programs find others inside.
pub(crate) const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";
