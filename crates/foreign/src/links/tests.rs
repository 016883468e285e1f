//! What is a link of ours, and what is somebody else's.

use std::path::Path;

use super::*;

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let real = folder.path().canonicalize().unwrap();
    let program = real.join("doorward");
    std::fs::File::create(&program).unwrap();
    (folder, program)
}

#[test]
fn a_link_to_this_program_is_ours_however_it_gets_there() {
    let (folder, program) = folder();
    let (straight, around) = (folder.path().join("aws-vault"), folder.path().join("vault"));
    assert_eq!(look(&straight, &program).unwrap(), There::Nothing);
    make(&straight, &program, &There::Nothing).unwrap();
    make(&around, &straight, &There::Nothing).unwrap();
    assert_eq!(look(&straight, &program).unwrap(), There::Ours);
    assert_eq!(look(&around, &program).unwrap(), There::Ours);
}

#[test]
fn a_file_and_a_link_elsewhere_are_somebody_elses() {
    let (folder, program) = folder();
    let (file, link, broken) =
        (folder.path().join("file"), folder.path().join("link"), folder.path().join("broken"));
    std::fs::File::create(&file).unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    std::os::unix::fs::symlink("/nowhere/vault", &broken).unwrap();
    assert_eq!(look(&file, &program).unwrap(), There::Foreign(None));
    assert_eq!(look(&link, &program).unwrap(), There::Foreign(Some(file.clone())));
    assert_eq!(look(&broken, &program).unwrap(), There::Foreign(Some("/nowhere/vault".into())));
    assert!(make(&file, &program, &There::Nothing).is_err(), "a file must not be replaced");
    assert!(file.symlink_metadata().unwrap().is_file());
}

#[test]
fn a_link_to_where_this_program_was_is_replaced_whole() {
    let (folder, program) = folder();
    let path = folder.path().join("aws-vault");
    std::os::unix::fs::symlink("/opt/old/doorward", &path).unwrap();
    let there = look(&path, &program).unwrap();
    assert_eq!(there, There::Stale);
    make(&path, &program, &there).unwrap();
    assert_eq!(look(&path, &program).unwrap(), There::Ours);
    let names: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn only_the_four_names_are_peers() {
    assert_eq!(started_as(OsStr::new("/usr/bin/aws-vault")).map(|peer| peer.name), Some("aws-vault"));
    assert_eq!(started_as(OsStr::new("vault")).map(|peer| peer.speaks), Some(Speaks::Yes));
    assert_eq!(started_as(OsStr::new("doorward")), None);
    assert_eq!(started_as(OsStr::new("my-vault")), None);
    assert!(!is_our_name(Path::new("/opt/vault")));
}
