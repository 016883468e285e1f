//! Tests of the module `files`.

use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn a_file_is_replaced_whole_with_its_permissions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    replace(&path, b"one", 0o600).unwrap();
    replace(&path, b"two", 0o600).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"two");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_folder_that_cannot_be_written_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    assert!(replace(&folder.path().join("no/such/key"), b"x", 0o600).is_err());
}

#[test]
fn what_is_no_regular_file_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("out");
    std::os::unix::fs::symlink("/dev/null", &link).unwrap();
    assert!(replace(&link, b"secret", 0o600).is_err());
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert!(replace(folder.path(), b"secret", 0o600).is_err());
    // A link to a file is replaced by a file, as before.
    let (file, other) = (folder.path().join("file"), folder.path().join("other"));
    replace(&file, b"old", 0o600).unwrap();
    std::os::unix::fs::symlink(&file, &other).unwrap();
    replace(&other, b"new", 0o600).unwrap();
    assert_eq!(
        (std::fs::read(&file).unwrap(), std::fs::read(&other).unwrap()),
        (b"old".to_vec(), b"new".to_vec())
    );
}
