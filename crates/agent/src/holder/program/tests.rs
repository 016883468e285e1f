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
