//! Changed files and the crates that they belong to.

use super::*;

fn changed(files: &[&str]) -> Changed {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    Changed::by(&root, files.iter().copied())
}

#[test]
fn a_changed_file_names_its_crate_once() {
    let changed = changed(&[
        "crates/model/src/lib.rs",
        "crates/model/Cargo.toml",
        "crates/xtask/layers.toml",
        "README.md",
    ]);
    assert_eq!(changed.arguments(), ["--package", "model", "--package", "xtask"]);
}

#[test]
fn a_file_that_all_crates_are_built_with_names_everything() {
    assert_eq!(changed(&["crates/model/src/lib.rs", "Cargo.lock"]).arguments(), ["--workspace"]);
}

#[test]
fn documents_and_deleted_crates_name_nothing() {
    assert!(changed(&["docs/status.md", "crates/gone/src/lib.rs", "deny.toml"]).arguments().is_empty());
}
