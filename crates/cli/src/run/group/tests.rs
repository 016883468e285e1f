//! Where the hierarchy is mounted.

use super::*;

#[test]
fn the_unified_hierarchy_is_found_where_it_is_mounted() {
    let pure = "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";
    assert_eq!(mounted(pure), Some("/sys/fs/cgroup".into()));
    let hybrid = "30 23 0:27 / /sys/fs/cgroup ro - tmpfs tmpfs ro\n\
                  31 30 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
                  32 30 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
    assert_eq!(mounted(hybrid), Some("/sys/fs/cgroup/unified".into()));
}

#[test]
fn a_part_of_the_hierarchy_or_an_older_one_is_none() {
    for mounts in [
        "",
        "29 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n",
        "31 30 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n",
        "29 23 0:26 / /odd\\040name rw - cgroup2 cgroup2 rw\n",
        "nonsense\n",
    ] {
        assert_eq!(mounted(mounts), None, "{mounts}");
    }
}

#[test]
fn what_a_killed_launcher_left_is_removed_and_nothing_else() {
    let parent = tempfile::tempdir().unwrap();
    let run = RunId::from_bytes([1; 16]);
    let made = |name: String, age: u64| {
        let folder = parent.path().join(name);
        fs::create_dir(&folder).unwrap();
        let time = std::fs::metadata(&folder).unwrap().modified().unwrap() - Duration::from_secs(age);
        fs::File::open(&folder).unwrap().set_modified(time).unwrap();
        folder
    };
    let left = made(format!("doorward-{run}"), 61);
    let young = made(format!("doorward-{}", RunId::from_bytes([2; 16])), 5);
    let other = made("doorward.service".to_owned(), 600);
    let full = parent.path().join(format!("doorward-{}", RunId::from_bytes([3; 16])));
    fs::create_dir_all(full.join("below")).unwrap();
    let old = std::fs::metadata(&full).unwrap().modified().unwrap() - Duration::from_secs(600);
    fs::File::open(&full).unwrap().set_modified(old).unwrap();
    sweep(parent.path());
    assert_eq!([left, young, other, full].map(|folder| folder.exists()), [false, true, true, true]);
}
