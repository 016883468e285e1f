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

    fn proven(&self, pid: Option<i32>, uid: u32) -> Result<Proven, Refusal> {
        let peer = Peer { process: Some(Process { uid, gid: 7, pid, handle: None }), ..Peer::default() };
        Proven::within(&self.0, &peer, Needs::default())
    }

    fn group(&self, pid: Option<i32>, uid: u32) -> Option<String> {
        self.proven(pid, uid).unwrap().holder().cgroup.clone()
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
fn a_control_group_is_stated_for_a_process_that_is_certain() {
    let proc = Proc::new("certain");
    assert_eq!(proc.group(Some(42), proc.uid()).as_deref(), Some("/user.slice/app.scope"));
    assert_eq!(proc.group(Some(42), proc.uid() + 1), None);
    assert_eq!(proc.group(Some(43), proc.uid()), None);
    proc.write("stat", "42 (a) S");
    assert_eq!(proc.group(Some(42), proc.uid()), None);
}

#[test]
fn a_process_without_a_number_here_is_foreign_and_only_its_user_is_known() {
    let proc = Proc::new("foreign");
    for pid in [Some(0), Some(-1), None] {
        let proven = proc.proven(pid, 1000).unwrap();
        let expected =
            Holder { uid: Some(1000), gid: Some(7), sight: Sight::ForeignProcesses, ..Holder::default() };
        assert_eq!(*proven.holder(), expected, "{pid:?}");
    }
}

#[test]
fn a_user_who_does_not_exist_here_is_foreign_where_some_are_left_out() {
    let proc = Proc::new("users");
    std::fs::create_dir_all(proc.0.join("self")).unwrap();
    let sight = |uid| sight(&proc.0, &proc.0.join("42"), uid);
    for (map, expected) in [("0 1000 1\n", Sight::ForeignUsers), ("0 0 4294967295\n", Sight::Near)] {
        proc.write("../self/uid_map", map);
        assert_eq!(sight(OVERFLOW), expected, "{map}");
        assert_eq!(sight(1000), Sight::Near, "{map}");
    }
}

#[test]
fn what_has_changed_since_it_was_stated_gets_no_answer() {
    let proc = Proc::new("changed");
    let proven = proc.proven(Some(42), proc.uid()).unwrap();
    let Still { .. } = proven.still().unwrap();
    proc.write("cgroup", "0::/user.slice/other.scope\n");
    assert_eq!(proven.still().unwrap_err().code, Code::Unauthenticated);
    proc.write("cgroup", "1:name=systemd:/old\n0::/user.slice/app.scope\n");
    let Still { .. } = proven.still().unwrap();
    // Another process with the same number: it started later.
    proc.write("stat", &STAT.replace("987654", "987655"));
    assert_eq!(proven.still().unwrap_err().code, Code::Unauthenticated);
}

#[test]
fn nothing_is_known_of_whoever_is_not_at_a_unix_socket() {
    let proven = Proven::of(&Peer::default(), Needs::default()).unwrap();
    assert_eq!(*proven.holder(), Holder::default());
    let Still { .. } = proven.still().unwrap();
}
