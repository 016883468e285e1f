//! Facts about processes, from folders laid out as the kernel does.

use super::*;

const STAT: &str = "42 (a) b (c) S 1 42 42 0 -1 4194304 100 0 0 0 1 2 0 0 20 0 1 0 987654 10 20 30";

struct Proc(PathBuf);

impl Proc {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("doorward-holder-{name}-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("42")).unwrap();
        let proc = Self(folder);
        proc.write("stat", STAT);
        proc.write("cgroup", "1:name=systemd:/old\n0::/user.slice/app.scope\n");
        proc
    }

    #[expect(clippy::disallowed_methods, reason = "a file of this test, read by nobody else")]
    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join("42").join(name), text).unwrap();
    }

    fn uid(&self) -> u32 {
        std::fs::metadata(&self.0).unwrap().uid()
    }

    fn group(&self, pid: Option<i32>, uid: u32) -> Option<String> {
        control_group(&self.0, Process { uid, gid: 0, pid })
    }
}

impl Drop for Proc {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_start_of_a_process_is_counted_behind_its_name() {
    assert_eq!(started(STAT), Some(987_654));
    assert_eq!(started("42 (name) S 1"), None);
    assert_eq!(started(""), None);
}

#[test]
fn only_the_one_unified_control_group_counts() {
    assert_eq!(unified("0::/a b/c\n"), Some("/a b/c"));
    assert_eq!(unified("2:cpu:/x\n0::/\n"), Some("/"));
    for text in ["", "2:cpu:/x\n", "0::\n", "0::/a\n0::/b\n", "0::/a (deleted)\n", "10::/a\n"] {
        assert_eq!(unified(text), None, "{text}");
    }
}

#[test]
fn a_control_group_is_stated_for_a_process_that_is_certain() {
    let proc = Proc::new("certain");
    assert_eq!(proc.group(Some(42), proc.uid()).as_deref(), Some("/user.slice/app.scope"));
    assert_eq!(proc.group(Some(42), proc.uid() + 1), None);
    assert_eq!(proc.group(Some(43), proc.uid()), None);
    assert_eq!(proc.group(Some(0), proc.uid()), None);
    assert_eq!(proc.group(Some(-1), proc.uid()), None);
    assert_eq!(proc.group(None, proc.uid()), None);
    proc.write("stat", "42 (a) S");
    assert_eq!(proc.group(Some(42), proc.uid()), None);
}

#[test]
fn a_connection_that_is_kept_says_nothing_of_its_control_group() {
    let pid = i32::try_from(std::process::id()).ok();
    let uid = std::fs::metadata("/proc/self").map_or(0, |found| found.uid());
    let peer = Peer { address: None, process: Some(Process { uid, gid: 0, pid }) };
    assert_eq!(of(&peer, Connection::Shared), Holder { uid: Some(uid), cgroup: None, key: None });
    assert_eq!(of(&peer, Connection::Fresh).uid, Some(uid));
    assert_eq!(of(&Peer::default(), Connection::Fresh), Holder::default());
}
