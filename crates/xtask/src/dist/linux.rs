//! Packages for Debian and for systems with RPM, made by their own tools.

use std::path::Path;

use super::facts::Facts;
use super::notes::Left;
use super::{Tree, copy, write};
use crate::failure::{Failure, Outcome};
use crate::program::{Program, find};

/// `doorward_VERSION_ARCH.deb`.
pub(super) fn debian(
    root: &Path,
    out: &Path,
    tree: &Tree,
    facts: &Facts,
    left: &mut Left,
) -> Outcome<Option<String>> {
    if find("dpkg-deb").is_none() {
        left.say(
            "a package for Debian",
            "`dpkg-deb` is not here",
            "cargo xtask dist   # on Debian or Ubuntu",
        );
        return Ok(None);
    }
    let stage = out.join("stage-deb");
    installed(root, &stage, tree)?;
    let control = format!(
        "Package: doorward\nVersion: {}\nArchitecture: {}\nMaintainer: The Doorward maintainers <maintainers@doorward.example>\n\
         Section: admin\nPriority: optional\nDepends: libc6 (>= {GLIBC})\nSuggests: bubblewrap\n\
         Description: credential broker\n Secrets go in once and never come out. People, services and programs get short-lived\n \
         capabilities, and every use leaves evidence.\n",
        facts.version,
        facts.processor()
    );
    let folder = stage.join("DEBIAN");
    std::fs::create_dir_all(&folder).map_err(|error| Failure::doing("make the package's folder", &error))?;
    write(&folder.join("control"), &control)?;
    let name = format!("doorward_{}_{}.deb", facts.version, facts.processor());
    let (from, to) = (stage.to_string_lossy(), out.join(&name).to_string_lossy().into_owned());
    // Its times are those of the commit, its files belong to root.
    Program::new(root, "dpkg-deb", &["--root-owner-group", "-Zxz", "--build", &from, &to])
        .env("SOURCE_DATE_EPOCH", &facts.time)
        .output()?;
    forget(&stage)?;
    Ok(Some(name))
}

/// `doorward-VERSION-1.ARCH.rpm`.
pub(super) fn rpm(
    root: &Path,
    out: &Path,
    tree: &Tree,
    facts: &Facts,
    left: &mut Left,
) -> Outcome<Option<String>> {
    if find("rpmbuild").is_none() {
        left.say("a package for RPM", "`rpmbuild` is not here", "apt-get install rpm && cargo xtask dist");
        return Ok(None);
    }
    let stage = out.join("stage-rpm");
    let files = stage.join("files");
    installed(root, &files, tree)?;
    let arch = facts.triple.split('-').next().unwrap_or("noarch");
    let spec = format!(
        "Name: doorward\nVersion: {}\nRelease: 1\nSummary: Credential broker\nLicense: Apache-2.0\n\
         %define _build_id_links none\n%define __os_install_post %{{nil}}\n%define debug_package %{{nil}}\n\
         %define _buildhost localhost\n%define clamp_mtime_to_source_date_epoch 1\n%define use_source_date_epoch_as_buildtime 1\n\
         %description\nSecrets go in once and never come out. People, services and programs get short-lived\n\
         capabilities, and every use leaves evidence.\n%install\ncp -a %{{_files}}/. %{{buildroot}}/\n%files\n/usr\n",
        facts.version
    );
    write(&stage.join("doorward.spec"), &spec)?;
    let define = |name: &str, value: &Path| format!("{name} {}", value.display());
    let (top, from) = (define("_topdir", &stage.join("top")), define("_files", &files));
    let spec = stage.join("doorward.spec").to_string_lossy().into_owned();
    Program::new(
        root,
        "rpmbuild",
        &["-bb", "--quiet", "--target", arch, "--define", &top, "--define", &from, &spec],
    )
    .env("SOURCE_DATE_EPOCH", &facts.time)
    .output()?;
    let name = format!("doorward-{}-1.{arch}.rpm", facts.version);
    copy(&stage.join("top/RPMS").join(arch).join(&name), &out.join(&name))?;
    forget(&stage)?;
    Ok(Some(name))
}

/// The files of the tree where a system keeps them.
fn installed(root: &Path, stage: &Path, tree: &Tree) -> Outcome {
    let usr = stage.join("usr");
    copy(&tree.join("doorward"), &usr.join("bin/doorward"))?;
    for (from, to) in [
        ("LICENSE", "share/doc/doorward/copyright"),
        ("THIRD-PARTY.md", "share/doc/doorward/THIRD-PARTY.md"),
        ("completions/bash/doorward", "share/bash-completion/completions/doorward"),
        ("completions/zsh/_doorward", "share/zsh/vendor-completions/_doorward"),
        ("completions/fish/doorward.fish", "share/fish/vendor_completions.d/doorward.fish"),
    ] {
        copy(&tree.join(from), &usr.join(to))?;
    }
    let failed = |error| Failure::doing("list the pages", &error);
    for page in std::fs::read_dir(tree.join("man")).map_err(failed)? {
        let page = page.map_err(failed)?;
        copy(&page.path(), &usr.join("share/man/man1").join(page.file_name()))?;
    }
    let units = root.join("deploy/systemd");
    if units.is_dir() {
        for unit in std::fs::read_dir(&units).map_err(failed)? {
            let unit = unit.map_err(failed)?.path();
            if let Some(name) = unit.file_name()
                && unit.extension().is_some_and(|kind| kind == "service" || kind == "socket")
            {
                copy(&unit, &usr.join("lib/systemd/system").join(name))?;
            }
        }
    }
    let stage = stage.to_string_lossy();
    Program::new(root, "chmod", &["-R", "u+rwX,go+rX,go-w", &stage]).run()
}

fn forget(stage: &Path) -> Outcome {
    std::fs::remove_dir_all(stage).map_err(|error| Failure::doing("remove what was packed", &error))
}

/// The oldest libc that the program was seen to need (`objdump -T`).
const GLIBC: &str = "2.34";
