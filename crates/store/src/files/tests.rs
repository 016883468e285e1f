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
    let pipe = folder.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
    let to_pipe = folder.path().join("to-pipe");
    std::os::unix::fs::symlink("pipe", &to_pipe).unwrap();
    for kept in [&pipe, &to_pipe] {
        assert!(replace(kept, b"secret", 0o600).is_err());
    }
    assert!(to_pipe.symlink_metadata().unwrap().is_symlink());
    // As `/dev/stdout` is where the output goes into a file: what it leads to is a regular file.
    let redirected = folder.path().join("redirected");
    replace(&redirected, b"output", 0o600).unwrap();
    let held = File::open(&redirected).unwrap();
    let open = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&held));
    let (near, far) = (folder.path().join("near"), folder.path().join("far"));
    std::os::unix::fs::symlink(open, &near).unwrap();
    std::os::unix::fs::symlink("near", &far).unwrap();
    for link in [&near, &far] {
        assert!(link.metadata().unwrap().is_file());
        assert!(replace(link, b"secret", 0o600).is_err());
        assert!(link.symlink_metadata().unwrap().is_symlink());
    }
    assert_eq!(std::fs::read(&redirected).unwrap(), b"output");
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
