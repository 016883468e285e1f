//! What can be told without a build.

use std::path::{Path, PathBuf};

use super::facts::Facts;
use super::notes::Left;
use super::{compare, licences, linux, sbom, write};
use crate::program::{Program, find};

fn root() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

#[test]
fn the_bill_and_the_licences_name_what_is_compiled_in_and_nothing_that_only_tests_use() {
    let facts = Facts::read(&root()).unwrap();
    let names: Vec<&str> = facts.packages.iter().map(|package| package.name.as_str()).collect();
    assert!(["rustls", "cedar-policy", "broker", "catalog"].iter().all(|name| names.contains(name)));
    assert!(["testkit", "xtask", "proptest"].iter().all(|name| !names.contains(name)));

    let out = folder("bill");
    let name = sbom::write(&out, &facts).unwrap();
    let bill: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(out.join(name)).unwrap()).unwrap();
    std::fs::remove_dir_all(&out).unwrap();
    assert_eq!(bill["bomFormat"], "CycloneDX");
    assert_eq!(bill["components"].as_array().unwrap().len(), names.len() - 1);

    let page = licences::page(&facts).unwrap();
    assert!(page.contains("## rustls ") && page.contains("Permission is hereby granted"));
    let without =
        facts.packages.iter().filter(|package| package.license.is_none() && package.source.is_some());
    assert_eq!(without.count(), 0, "each library says its licence");
}

#[test]
fn two_programs_that_differ_are_told_apart_by_the_section_of_the_first_byte() {
    let first = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    assert_eq!(compare::difference(&first, &first), None);
    let canary = b"a text that stands in one section only";
    let at = first.windows(canary.len()).position(|bytes| bytes == canary).unwrap();
    let mut second = first.clone();
    second[at] ^= 1;
    let told = compare::difference(&first, &second).unwrap();
    assert!(told.contains(&format!("first at byte {at} in `.rodata`, 1 bytes in all")), "{told}");
    second.truncate(at);
    let told = compare::difference(&first, &second).unwrap();
    assert!(told.contains("one ends where the other goes on"), "{told}");
    assert!(compare::difference(b"text", b"test").unwrap().contains("outside of all sections"));
}

#[test]
fn packages_made_twice_are_the_same_and_hold_what_a_system_expects() {
    let facts = Facts::read(&root()).unwrap();
    let tree = folder("tree");
    for (name, text) in [
        ("doorward", "#!/bin/sh\nexit 0\n"),
        ("LICENSE", "L\n"),
        ("THIRD-PARTY.md", "T\n"),
        ("man/doorward.1", ".TH doorward 1\n"),
        ("completions/bash/doorward", "b\n"),
        ("completions/zsh/_doorward", "z\n"),
        ("completions/fish/doorward.fish", "f\n"),
    ] {
        std::fs::create_dir_all(tree.join(name).parent().unwrap()).unwrap();
        write(&tree.join(name), text).unwrap();
    }
    let outs = [folder("first"), folder("second")];
    let made = outs.each_ref().map(|out| {
        let mut left = Left::default();
        let deb = linux::debian(&root(), out, &tree, &facts, &mut left).unwrap();
        let rpm = linux::rpm(&root(), out, &tree, &facts, &mut left).unwrap();
        [deb, rpm].map(|name| name.map(|name| out.join(name)))
    });
    for (first, second) in made[0].iter().flatten().zip(made[1].iter().flatten()) {
        assert!(std::fs::read(first).unwrap() == std::fs::read(second).unwrap(), "{}", first.display());
    }
    // Where the tool of a kind is missing, `NOT-BUILT.md` says so; `cargo xtask setup` installs both where it may.
    if find("dpkg-deb").is_some() {
        let listed = told("dpkg-deb", "--contents", made[0][0].as_ref().unwrap());
        assert!(listed.contains("./usr/bin/doorward") && listed.contains("root/root"), "{listed}");
    }
    if find("rpmbuild").is_some() {
        let package = made[0][1].as_ref().unwrap();
        let listed = told("rpm", "-qpl", package);
        for file in [
            "/usr/bin/doorward",
            "/usr/share/man/man1/doorward.1",
            "/usr/lib/systemd/system/doorward.service",
        ] {
            assert!(listed.lines().any(|line| line == file), "{file} in {listed}");
        }
        assert!(
            !told("rpm", "-qpi", package).contains(&host_name()),
            "the machine that made it is not named"
        );
        assert!(told("rpm", "-K", package).contains("digests OK"));
    }
    for folder in outs.iter().chain([&tree]) {
        std::fs::remove_dir_all(folder).unwrap();
    }
}

/// A folder of this test run, empty.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("doorward-dist-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn told(program: &str, flag: &str, file: &Path) -> String {
    Program::new(&root(), program, &[flag, &file.to_string_lossy()]).output().unwrap()
}

fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim().to_owned()
}

#[test]
fn functions_that_run_in_the_same_kinds_of_work_lie_side_by_side() {
    let first = "Counters:\n  main:\n    Hash: 0x1\n    Counters: 2\n  net.5f-cgu.1;_ZN3net:\n    Hash: 0x2\n  main:\n\
                 Functions shown: 3\nTotal functions: 3\n";
    let second = "Counters:\n  other:\n  main:\n";
    let order = super::profile::order_of(&[first.to_owned(), second.to_owned()]);
    assert_eq!(order, "main\n_ZN3net\n_ZN3net.llvm.net_5f_cgu_1\nother\n");
}
