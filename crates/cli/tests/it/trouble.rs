//! What goes wrong around a broker: evidence that can't be written, a full disk, bad files, a seal, a stop (promises D3, E2, E3,
//! C7). The answer is a refusal within its time, nothing is used without evidence, and the broker recovers by itself.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use store::Storage;
use testkit::{Doorward, Running, Upstream};

use crate::network_wire::{answer, call, capability, operate, over_socket};
use crate::{home, write, write_integration};

/// A broker with one integration, its secret, and a capability for it.
struct Stage {
    doorward: Doorward,
    upstream: Upstream,
    running: Running,
    token: String,
}

impl Stage {
    fn set() -> Self {
        Self::over(home())
    }

    fn over(doorward: Doorward) -> Self {
        let upstream = Upstream::start();
        doorward.watch(upstream.canary());
        write_integration(&doorward, &notes(&upstream.url()));
        let running = doorward.start_up(&[]);
        let _ = answer(&running, "secret.put?name=notes/token", upstream.canary().as_bytes());
        let token = capability(&running, "&expires=1d");
        Self { doorward, upstream, running, token }
    }

    /// Status and refusal of one call.
    fn call(&self, method: &str, path: &str) -> (u16, Option<String>) {
        let reply = call(&self.running.gateway_url, method, &format!("/notes{path}"), &self.token).unwrap();
        (reply.status, reply.refusal())
    }

    /// Calls are refused for want of evidence, and at once: the fastest of them, since the machine may do other things meanwhile.
    #[track_caller]
    fn refuses_at_once(&self, method: &str) {
        let until = Instant::now() + crate::HANG;
        loop {
            let began = Instant::now();
            let (status, refusal) = self.call(method, "/echo");
            let took = began.elapsed();
            assert_eq!((status, refusal.as_deref()), (503, Some("evidence_unavailable")));
            if took < Duration::from_secs(1) {
                return;
            }
            assert!(Instant::now() < until, "none is refused at once, the last took {took:?}");
        }
    }

    /// Waits until a call is served again.
    #[track_caller]
    fn recovers(&self) {
        let until = Instant::now() + crate::HANG;
        loop {
            let (status, refusal) = self.call("GET", "/echo");
            if status == 200 {
                return;
            }
            assert!(Instant::now() < until, "still {status} {refusal:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A write to Doorward itself is refused. Its short intent may still fit where no other did; then its
    /// outcome does not, and the answer says that.
    #[track_caller]
    fn writes_are_refused(&self) {
        for _ in 0..20 {
            let reply = operate(&self.running.socket, "secret.put?name=a/b", b"xoxb-CANARY-0123").unwrap();
            match (reply.status, reply.refusal().as_deref()) {
                (503, Some("evidence_unavailable")) => return,
                (502, Some("outcome_unknown")) => {}
                _ => panic!("{}", reply.text()),
            }
        }
        panic!("the disk is full, and intents are still written");
    }

    /// Every use that the upstream saw has a durable intent, and the chain is whole.
    #[track_caller]
    fn every_use_has_an_intent(&self) {
        let exported = answer(&self.running, "evidence.export", b"");
        let lines = exported["text"].as_str().unwrap().lines();
        let intents =
            lines.filter(|line| line.contains(r#""kind":"intent""#) && line.contains(r#""door":"gateway""#));
        let (intents, used) = (intents.count(), self.upstream.requests().len());
        assert!(used <= intents, "{used} uses, {intents} intents");
        let verified = answer(&self.running, "evidence.verify", b"");
        assert_eq!(verified["verified"], true, "{verified}");
    }
}

#[test]
fn while_the_evidence_is_away_calls_are_refused_and_nothing_is_used_and_then_it_works_again() {
    let stage = Stage::set();
    let (here, away) = (stage.doorward.data().join("evidence"), stage.doorward.folder().join("away"));
    let before = stage.upstream.requests().len();
    std::fs::rename(&here, &away).unwrap();
    for method in ["GET", "POST", "GET"] {
        stage.refuses_at_once(method);
    }
    let reply = operate(&stage.running.socket, "secret.put?name=a/b", b"xoxb-CANARY-0123").unwrap();
    assert_eq!((reply.status, reply.refusal().as_deref()), (503, Some("evidence_unavailable")));
    // It says so without being asked for evidence.
    let status = over_socket(&stage.running.socket, "GET", "/v1/status", b"").unwrap();
    assert_eq!(status.status, 200);
    assert_eq!(stage.upstream.requests().len(), before, "a credential was used without evidence");
    std::fs::rename(&away, &here).unwrap();
    stage.recovers();
    stage.every_use_has_an_intent();
    let listed = answer(&stage.running, "secret.list", b"");
    assert_eq!(listed["secrets"].as_array().unwrap().len(), 1, "a refused write was done: {listed}");
    assert!(stage.running.stop().success());
    stage.doorward.assert_no_canary();
}

#[test]
fn a_segment_that_is_removed_under_the_broker_is_noticed() {
    let stage = Stage::set();
    let here = stage.doorward.data().join("evidence");
    let before = stage.upstream.requests().len();
    for entry in std::fs::read_dir(&here).unwrap().flatten() {
        std::fs::rename(entry.path(), stage.doorward.folder().join(entry.file_name())).unwrap();
    }
    stage.refuses_at_once("GET");
    assert_eq!(stage.upstream.requests().len(), before);
    for entry in std::fs::read_dir(stage.doorward.folder()).unwrap().flatten() {
        if entry.path().extension().is_some_and(|kind| kind == "journal") {
            std::fs::rename(entry.path(), here.join(entry.file_name())).unwrap();
        }
    }
    stage.recovers();
    stage.every_use_has_an_intent();
    assert!(stage.running.stop().success());
}

#[test]
fn on_a_full_disk_calls_are_refused_and_with_room_it_works_again() {
    let doorward = home();
    let Some(disk) = SmallDisk::mounted(&doorward.data()) else { return };
    let stage = Stage::over(doorward);
    stage.recovers();
    for _ in 0..3 {
        let filler = disk.fill();
        let mut refused = 0;
        // What was reserved before may take a few more records.
        for nth in 0..2_000 {
            let (status, refusal) = stage.call(if nth % 2 == 0 { "POST" } else { "GET" }, "/echo");
            match status {
                200 => {}
                503 => {
                    assert_eq!(refusal.as_deref(), Some("evidence_unavailable"));
                    refused += 1;
                }
                // Performed, and the outcome had no room: whoever asked must not believe that nothing happened.
                502 => assert_eq!(refusal.as_deref(), Some("outcome_unknown")),
                other => panic!("{other} {refusal:?}"),
            }
            if refused > 20 {
                break;
            }
        }
        assert!(refused > 20, "the disk is full, and {refused} calls were refused");
        let used = stage.upstream.requests().len();
        stage.writes_are_refused();
        assert_eq!(stage.upstream.requests().len(), used);
        std::fs::remove_file(filler).unwrap();
        stage.recovers();
        stage.every_use_has_an_intent();
    }
    assert!(stage.running.stop().success());
    let running = stage.doorward.start_up(&[]);
    assert_eq!(answer(&running, "evidence.verify", b"")["verified"], true);
    assert!(running.stop().success());
    // Before the folder in which it is mounted goes.
    drop(disk);
}

#[test]
fn a_broken_integration_keeps_the_former_set_and_stops_the_next_start() {
    let stage = Stage::set();
    write_integration(&stage.doorward, "name: bad\ntitle: Bad\nbase_url: [not, text]\n");
    stage.running.reload();
    printed(&stage.doorward, "bad.yaml:3");
    assert_eq!(stage.call("GET", "/echo").0, 200);
    assert!(stage.running.stop().success());
    let said = stage.doorward.run(&["up", "--gateway", "127.0.0.1:0"], "").failed_with(2);
    assert!(said.contains("bad.yaml:3") && said.contains("hint:"), "{said}");
}

#[test]
fn a_policy_that_can_not_be_read_stops_the_start_and_never_replaces_one_that_can() {
    let stage = Stage::set();
    let wrong =
        operate(&stage.running.socket, "policy.put?name=team", b"permit (principal, actions, resource);")
            .unwrap();
    assert_eq!(wrong.status, 400, "{}", wrong.text());
    assert!(wrong.text().contains("team:1"), "{}", wrong.text());
    assert_eq!(stage.call("GET", "/echo").0, 200);
    assert!(stage.running.stop().success());
    let row =
        serde_json::json!({ "text": "forbid (principal, action\n", "changed": "2026-01-01T00:00:00.000Z" });
    let storage = store::Embedded::open(&stage.doorward.data().join("home.db")).unwrap();
    let tenant = model::TenantName::local();
    let batch =
        store::Batch::new().put(store::Table::Policies, &tenant, b"team", serde_json::to_vec(&row).unwrap());
    storage.commit(&batch).unwrap();
    drop(storage);
    let said = stage.doorward.run(&["up", "--gateway", "127.0.0.1:0"], "");
    assert!(!said.status.success() && said.stderr.contains("team"), "{}", said.stderr);
}

#[test]
fn a_misspelt_setting_stops_the_start_and_is_told_the_right_word() {
    let doorward = home();
    let _ = doorward.run(&["init", "--recovery-out", "recovery.txt"], "").succeeded();
    write(doorward.data().join("settings.toml"), "threads = 1\ngatway = \"127.0.0.1:0\"\n");
    let said = doorward.run(&["up"], "").failed_with(2);
    assert!(said.contains("settings.toml:2") && said.contains("did you mean `gateway`?"), "{said}");
}

#[test]
fn a_seal_closes_every_door_and_capabilities_outlive_it() {
    let stage = Stage::set();
    assert_eq!(stage.call("GET", "/echo").0, 200);
    let used = stage.upstream.requests().len();
    let _ = answer(&stage.running, "broker.seal", b"");
    // The very next one: what is sealed is so when that is answered.
    assert_eq!(stage.call("GET", "/echo"), (503, Some("sealed".to_owned())));
    let reply = operate(&stage.running.socket, "secret.list", b"").unwrap();
    assert_eq!((reply.status, reply.refusal().as_deref()), (503, Some("sealed")));
    let ready = call(&stage.running.gateway_url, "GET", "/_doorward/readyz", "").unwrap();
    assert_eq!(ready.status, 503);
    assert_eq!(stage.doorward.run(&["status"], "").status.code(), Some(1));
    assert_eq!(stage.upstream.requests().len(), used);
    let _ = stage.doorward.run(&["unseal"], "").succeeded();
    assert_eq!(stage.call("GET", "/echo").0, 200);
    stage.every_use_has_an_intent();
    assert!(stage.running.stop().success());
}

#[test]
fn a_stop_lets_what_began_end_and_closes_the_evidence() {
    let Stage { doorward, upstream, running, token } = Stage::set();
    let url = running.gateway_url.clone();
    let slow = std::thread::spawn(move || call(&url, "GET", "/notes/slow/1500", &token));
    let _ = upstream.wait_for(1);
    assert!(running.stop().success());
    let reply = slow.join().unwrap().unwrap();
    assert_eq!((reply.status, reply.text().as_str()), (200, "at last"));
    let key = doorward.run(&["evidence", "key"], "").succeeded();
    let _ = doorward.run(&["evidence", "export", "--out", "export.jsonl"], "").succeeded();
    let verified: Value =
        doorward.run(&["evidence", "verify", "export.jsonl", "--key", key.trim(), "--json"], "").json();
    // The export records itself before it is written, and is the only one that is not settled in it.
    assert_eq!(
        (&verified["verified"], verified["open"].as_u64()),
        (&Value::Bool(true), Some(1)),
        "{verified}"
    );
}

/// Waits until the broker has said this.
#[track_caller]
fn printed(doorward: &Doorward, text: &str) {
    let until = Instant::now() + crate::HANG;
    while !String::from_utf8_lossy(&doorward.printed()).contains(text) {
        assert!(Instant::now() < until, "{}", String::from_utf8_lossy(&doorward.printed()));
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn notes(url: &str) -> String {
    format!(
        "name: notes\ntitle: Notes\ndocs: https://example.com/\nbase_url: {url}\ndangerous_allow_private: true\n\
         secrets:\n  token: {{title: Token}}\nauth:\n  - {{scheme: bearer, secret: token}}\n\
         limits: {{connect: 30s, head: 60s, total: 2m, idle: 60s, body: 1MiB}}\noperations:\n\
         \x20 any.show: {{title: Show, access: read, risk: low, match: {{method: GET, path: '/{{rest...}}'}}}}\n\
         \x20 any.add: {{title: Add, access: write, risk: low, match: {{method: POST, path: '/{{rest...}}'}}, body: any}}\n"
    )
}

/// A disk of a few megabytes, unmounted when it is dropped.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn mounted(at: &Path) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=8m,mode=0700", "tmpfs"]).arg(at).output();
        match mount {
            Ok(output) if output.status.success() => Some(Self(at.to_owned())),
            _ => {
                crate::skip("full-disk", "a small disk can be mounted by root only");
                None
            }
        }
    }

    /// A file that takes all that is left.
    fn fill(&self) -> std::path::PathBuf {
        let path = self.0.join("filler");
        let mut file = std::fs::File::create(&path).unwrap();
        for size in [1 << 16, 1 << 12, 1] {
            let piece = vec![0; size];
            while std::io::Write::write_all(&mut file, &piece).is_ok() {}
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a broker that a failed test left behind may still hold it for a moment.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
