//! Programs in folders that others can or cannot change.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn script(folder: &Path, name: &str, mode: u32) -> PathBuf {
    let path = folder.join(name);
    put(&path, "#!/bin/sh\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

#[test]
fn the_first_of_that_name_is_found_and_its_digest_is_that_of_the_file_behind_the_link() {
    let folder = tempfile::tempdir().unwrap();
    let real = script(folder.path(), "kubectl-1.30", 0o755);
    symlink(&real, folder.path().join("kubectl")).unwrap();
    let programs = Programs::on(vec!["relative".into(), "/nowhere".into(), folder.path().to_owned()], None);
    let found = programs.find("kubectl").unwrap();
    assert_eq!((found.name(), found.path()), ("kubectl", folder.path().join("kubectl").as_path()));
    assert_eq!(found.real(), fs::canonicalize(&real).unwrap());
    assert_eq!(programs.digest(&found), Some(crypto::sha256(&[b"#!/bin/sh\n"])));
}

#[test]
fn our_own_links_and_copies_are_passed_over_and_the_real_program_behind_them_is_found() {
    let [ours, copies, theirs] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let this = std::env::current_exe().unwrap();
    symlink(&this, ours.path().join("vault")).unwrap();
    fs::copy(&this, copies.path().join("vault")).unwrap();
    let path = || [&ours, &copies].map(|folder| folder.path().to_owned()).to_vec();
    let absent = Programs::on(path(), Some(&this)).find("vault").unwrap_err();
    assert_eq!(absent.passed_over.len(), 2, "{absent:?}");
    let real = script(theirs.path(), "vault", 0o755);
    let path = [path(), vec![theirs.path().to_owned()]].concat();
    assert_eq!(Programs::on(path, Some(&this)).find("vault").unwrap().path(), real);
}

#[test]
fn what_everybody_could_replace_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    script(folder.path(), "gh", 0o777);
    let programs = Programs::on(vec![folder.path().to_owned()], None);
    assert_eq!(programs.find("gh").unwrap_err().passed_over.len(), 1);
    script(folder.path(), "helm", 0o755);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    assert_eq!(programs.find("helm").unwrap_err().passed_over.len(), 1);
}

#[test]
fn what_is_no_name_or_no_program_is_not_found() {
    let folder = tempfile::tempdir().unwrap();
    script(folder.path(), "data", 0o644);
    fs::create_dir(folder.path().join("folder")).unwrap();
    let programs = Programs::on(vec![folder.path().to_owned()], None);
    for name in ["data", "folder", "", "..", "/bin/sh", "../bin/sh", ".hidden", "absent"] {
        assert!(programs.find(name).is_err(), "{name:?}");
    }
}

fn put(path: &Path, text: impl AsRef<[u8]>) {
    use std::io::Write;
    File::create(path).unwrap().write_all(text.as_ref()).unwrap();
}
