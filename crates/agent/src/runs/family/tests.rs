//! Families as the kernel shows them.

use super::*;

#[test]
fn the_parents_of_this_process_lead_to_the_first_one() {
    let own = i32::try_from(std::process::id()).unwrap();
    let parents = parents(Path::new("/proc"), own).unwrap();
    let parent = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get());
    assert_eq!(parents.first().copied(), parent);
    assert!(!parents.contains(&own));
}

#[test]
fn a_family_that_cannot_be_seen_whole_is_none() {
    let proc = tempfile::tempdir().unwrap();
    let write = |pid: i32, parent: i32| {
        let folder = proc.path().join(pid.to_string());
        std::fs::create_dir_all(&folder).unwrap();
        let stat = format!("{pid} (a) b) S {parent} 0 0 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 {pid}00 0");
        store_text(&folder.join("stat"), &stat);
    };
    write(7, 5);
    write(5, 3);
    assert_eq!(parents(proc.path(), 7), None);
    write(3, 0);
    assert_eq!(parents(proc.path(), 7), Some(vec![5, 3]));
    assert_eq!(parents(proc.path(), 9), None);
    // One that is its own ancestor has no end.
    write(2, 4);
    write(4, 2);
    assert_eq!(parents(proc.path(), 2), None);
}

#[expect(clippy::disallowed_methods, reason = "a file of this test, read by nobody else")]
fn store_text(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}
