//! Programs of this process and of a folder laid out as the kernel does.

use super::*;

#[test]
fn the_program_of_this_process_is_known_and_runs_still() {
    let folder = Path::new("/proc/self");
    let program = of(folder).unwrap();
    assert_eq!(Path::new(&program.fact().path), std::env::current_exe().unwrap());
    assert!(program.runs_still(folder));
}

#[test]
fn a_path_that_leads_to_another_file_names_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    std::os::unix::fs::symlink("/usr/bin/env", &program).unwrap();
    // A link on the way is no path of the kernel's: it says where the file really is.
    std::os::unix::fs::symlink(&program, folder.path().join("exe")).unwrap();
    let known = of(folder.path()).unwrap();
    std::fs::remove_file(&program).unwrap();
    std::os::unix::fs::symlink("/usr/bin/true", &program).unwrap();
    assert!(!known.runs_still(folder.path()));
    std::fs::remove_file(&program).unwrap();
    assert!(of(folder.path()).is_none());
}

#[tokio::test]
async fn the_hash_is_that_of_the_file_and_of_no_other_one() {
    let folder = tempfile::tempdir().unwrap();
    let (program, exe) = (folder.path().join("program"), folder.path().join("exe"));
    std::fs::copy("/usr/bin/true", &program).unwrap();
    std::os::unix::fs::symlink(&program, &exe).unwrap();
    let expected = |path: &Path| broker::agent::sha256_of(&mut File::open(path).unwrap()).unwrap();
    let known = of(folder.path()).unwrap();
    assert_eq!(known.sha256(folder.path()).await, Some(expected(&program)));
    assert_eq!(known.sha256(folder.path()).await, Some(expected(&program)), "as it is remembered");
    // The same file with other bytes is another program.
    std::fs::copy("/usr/bin/env", &program).unwrap();
    assert!(!known.runs_still(folder.path()));
    let later = of(folder.path()).unwrap();
    assert_eq!(later.sha256(folder.path()).await, Some(expected(Path::new("/usr/bin/env"))));
    // Nothing is read of a file that came in its place.
    std::fs::remove_file(&program).unwrap();
    std::fs::copy("/usr/bin/true", &program).unwrap();
    assert_eq!(
        Program { file: Identity { size: 1, ..later.file }, ..later }.sha256(folder.path()).await,
        None
    );
}
