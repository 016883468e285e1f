//! Planted secrets are in no output, no reply, no file, no log, no counter, no evidence, no environment and no argument
//! (promises S1, S5, S7).
//!
//! Each round is one random canary: it comes from the store, a variable or a file, is used by one of the schemes against an
//! upstream that sends it back in every way that it knows, and is typed wherever people put secrets by mistake. Everything
//! that comes back, and everything that lies around afterwards, is searched.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::TcpStream;
use std::process::Command;

use testkit::{Doorward, Running, canary};

use crate::canaries_planted::{Planted, Source, holds};
use crate::network_wire::{call, capability, operate};
use crate::{home, rounds, write, write_integration};

#[test]
fn torture_canaries_a_secret_is_in_no_output() {
    let all = usize::try_from(rounds(20)).unwrap();
    let (mut planted, mut replies) = (0, 0);
    while planted < all {
        let share = CANARIES_OF_A_HOME.min(all - planted);
        replies += plant_and_search(planted, share);
        planted += share;
    }
    println!("canaries: {planted} planted, {replies} replies of the gateway searched, none found");
}

/// One home with so many canaries; gives how many replies were searched.
fn plant_and_search(first: usize, share: usize) -> usize {
    let mut stage = Stage::set(first, share);
    stage.check_settings_by_mistake();
    let running = stage.start();
    stage.put(&running);
    let mut replies = 0;
    let token = capability(&running, "");
    for planted in &stage.planted {
        replies += planted.send_back(&running, &token);
        planted.present_by_mistake(&running, &token);
    }
    stage.type_by_mistake();
    stage.ask_everything();
    stage.search_process(&running);
    stage.search("while it runs");
    stage.seal(&running, &token);
    // Once as a crash leaves it, once as a stop leaves it.
    let _ = running.kill9();
    stage.search("after a crash");
    let running = stage.start();
    let reply =
        call(&running.gateway_url, "GET", &format!("/{}/echo", stage.planted[0].name), &token).unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(running.stop().success());
    stage.search("after a stop");
    replies
}

// === the stage ===

struct Stage {
    doorward: Doorward,
    /// Where files with secrets of the user's own lie: outside of what is searched.
    _outside: tempfile::TempDir,
    variables: BTreeMap<String, String>,
    planted: Vec<Planted>,
}

impl Stage {
    fn set(first: usize, share: usize) -> Self {
        let (doorward, outside) = (home(), tempfile::tempdir().unwrap());
        let mut variables = BTreeMap::new();
        let mut planted = Vec::new();
        for nth in first..first + share {
            let one = Planted::new(nth);
            let reference = match one.source {
                Source::Store => format!("store:c/{nth}"),
                Source::Variable => {
                    variables.insert(format!("PLANTED_{nth}"), one.canary.clone());
                    format!("env:PLANTED_{nth}")
                }
                Source::File => {
                    let path = outside.path().join(format!("{nth}.env"));
                    write(&path, &format!("# mounted\nOTHER=nothing\nKEY={}\n", one.canary));
                    format!("file:{}#KEY", path.display())
                }
            };
            doorward.watch(&one.canary);
            write_integration(&doorward, &one.integration(nth, &reference));
            planted.push(one);
        }
        Self { doorward, _outside: outside, variables, planted }
    }

    fn command(&self) -> Command {
        let mut command = self.doorward.command();
        command.envs(&self.variables);
        command
    }

    /// Runs the binary; what it prints is searched at once.
    fn run(&self, args: &[&str], stdin: &str) -> testkit::Output {
        let mut command = self.command();
        command.args(args);
        let output = self.doorward.run_command(command, stdin);
        for (stream, text) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            free_of_all(text.as_bytes(), &format!("{stream} of {:?}", args.first()));
            // A panic is printed with what it was about.
            assert!(!text.contains("panicked"), "{text}");
        }
        output
    }

    fn start(&self) -> Running {
        let mut command = self.command();
        command.args(["up", "--json", "--gateway", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]);
        command.args(["--verbose", "--verbose", "--log", "json", "--recovery-out", "recovery.txt"]);
        self.doorward.start(command)
    }

    fn put(&self, running: &Running) {
        for (nth, planted) in self.planted.iter().enumerate().filter(|(_, one)| one.source == Source::Store) {
            let name = planted.name.replacen('c', "c/", 1);
            if nth % 2 == 0 {
                let _ = self.run(&["secret", "put", &name], &format!("{}\n", planted.canary)).succeeded();
                let _ = self.run(&["secret", "rotate", &name], &planted.canary).succeeded();
            } else {
                let put = format!("secret.put?name={name}");
                let reply = operate(&running.socket, &put, planted.canary.as_bytes()).unwrap();
                planted.free(&reply, "what the socket said");
                assert_eq!(reply.status, 200, "{}", reply.text());
                let again = operate(&running.socket, &put, planted.canary.as_bytes()).unwrap();
                planted.free(&again, "a refusal of the socket");
                assert_eq!(again.status, 409, "{}", again.text());
            }
        }
    }

    // === by mistake ===

    /// A raw secret where a reference belongs, and other mistakes in files. They stop the start, or are told by `doctor`.
    fn check_settings_by_mistake(&mut self) {
        let canary = self.planted[0].canary.clone();
        let folder = self.doorward.data();
        let wrong = [
            format!("name: bad\nextends: slack\nsecrets:\n  token: '{canary}'\n"),
            format!("name: bad\nextends: slack\nsecrets:\n  token: 'store:{canary}\u{7}'\n"),
            format!("name: bad\nextends: slack\nsecrets:\n  '{canary}': env:X\n"),
            format!("name: bad\nextends: '{canary}'\n"),
            format!("name: bad\nextends: slack\n'{canary}': x\n"),
            format!("name: bad\nextends: slack\nlimits: {{connect: '{canary}'}}\n"),
            format!("name: bad\nextends: slack\nbase_url: '{canary}'\n"),
            format!("name: bad\nextends: slack\nsecrets:\n  token: env:X\n{canary}\n"),
            format!("name: bad\nextends: slack\nauth:\n  - {{scheme: bearer, secret: '{canary}'}}\n"),
            format!("name: bad\nextends: slack\nheaders: {{'x y': '{canary}'}}\n"),
            format!("name: bad\nextends: slack\nbase_url: 'https://user:{canary}@slack.com'\n"),
        ];
        let _ = self.run(&["init", "--recovery-out", "recovery.txt"], "").succeeded();
        for text in wrong {
            let bad = folder.join("integrations/bad.yaml");
            write(&bad, &text);
            for command in [&["doctor", "--json"][..], &["up", "--gateway", "127.0.0.1:0"]] {
                let output = self.run(command, "");
                assert!(!output.status.success(), "{command:?} takes\n{}", text.replace(&canary, "CANARY"));
            }
            std::fs::remove_file(&bad).unwrap();
        }
        let settings = folder.join("settings.toml");
        for text in
            [format!("{} = 1\n", canary.replace(['/', '+'], "_")), format!("threads = \"{canary}\"\n")]
        {
            write(&settings, &text);
            let output = self.run(&["up"], "");
            assert_eq!(output.status.code(), Some(2), "{}", output.stderr);
        }
        std::fs::remove_file(&settings).unwrap();
    }

    /// A secret typed where it does not belong.
    fn type_by_mistake(&self) {
        // Each is a process of its own, and what is typed does not depend on where a canary is stored.
        for planted in self.planted.iter().step_by(5) {
            let canary = planted.canary.as_str();
            let reference = format!("token={canary}");
            for args in [
                &["secret", "put", "c/new", canary][..],
                &["secret", "put", canary],
                &["secret", "rotate", canary, "--json"],
                &["secret", "put", "c/new", "--value", canary],
                &["secret", "put", "c/new", &format!("--value={canary}"), "--json"],
                &["integration", "add", "slack", "--name", "work", "--secret", &reference],
                &["integration", "add", "slack", "--name", "work", "--secret", canary],
            ] {
                assert_eq!(self.run(args, "").status.code(), Some(2), "{:?}", &args[..2]);
            }
            for args in [
                &["capability", "validate", "-"][..],
                &["capability", "validate", "-", "--json"],
                &["capability", "narrow", "--expires", "5m"],
                &["capability", "use", "--capability", "-", "--integration", "slack", "GET", "/"],
                &["policy", "put", "p", "-"],
                &["policy", "test", "-"],
                &["recovery", "drill"],
                &["evidence", "verify", "-", "--key", "doorward/local+00000000+AAAA"],
            ] {
                assert!(!self.run(args, canary).status.success(), "{args:?}");
            }
        }
    }

    // === asking ===

    /// Every command that shows something, for people and for programs.
    fn ask_everything(&self) {
        let list = self.run(&["evidence", "list", "--limit", "1000", "--json"], "").json();
        let some: Vec<String> = list["evidence"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|one| one["id"].as_str())
            .step_by(17)
            .map(ToOwned::to_owned)
            .collect();
        for id in &some {
            let _ = self.run(&["evidence", "show", id, "--json"], "").succeeded();
        }
        let name = self.planted[0].name.as_str();
        for args in [
            &["status"][..],
            &["doctor", "--thorough"],
            &["secret", "list"],
            &["integration", "list"],
            &["integration", "show", name],
            &["capability", "list"],
            &["policy", "list"],
            &["policy", "explain", "--for", "tester", "--operation", &format!("{name}/any.show")],
            &["evidence", "list", "--limit", "1000"],
            &["evidence", "show", &some[0]],
            &["evidence", "verify"],
            &["evidence", "key"],
            &["evidence", "export"],
            &["completions", "bash"],
        ] {
            let _ = self.run(args, "");
            let json: Vec<&str> = args.iter().copied().chain(["--json", "--verbose", "--verbose"]).collect();
            let _ = self.run(&json, "");
        }
        let _ = self.run(&["evidence", "export", "--out", "export.jsonl"], "").succeeded();
    }

    // === sealed ===

    fn seal(&self, running: &Running, token: &str) {
        let _ = self.run(&["seal"], "").succeeded();
        for planted in &self.planted {
            let reply = call(&running.gateway_url, "GET", &format!("/{}/echo", planted.name), token).unwrap();
            planted.free(&reply, "a sealed gateway");
            assert_eq!(reply.status, 503);
            let reply = operate(&running.socket, "secret.put?name=c/new", planted.canary.as_bytes()).unwrap();
            planted.free(&reply, "a sealed socket");
            assert_eq!(reply.status, 503);
        }
        let _ = self.run(&["status"], "");
        let _ = self.run(&["unseal"], &self.planted[0].canary).succeeded();
    }

    // === searching ===

    /// Environment, arguments and counters of the broker. Only root may read the first two of a process that is hidden.
    fn search_process(&self, running: &Running) {
        let proc = std::path::PathBuf::from(format!("/proc/{}", running.pid()));
        if let Ok(arguments) = std::fs::read(proc.join("cmdline")) {
            free_of_all(&arguments, "the arguments of the broker");
        }
        let environment = std::fs::read(proc.join("environ")).unwrap_or_default();
        for variable in environment.split(|byte| *byte == 0) {
            // What the user put into a variable stands there; nothing else does.
            if !variable.starts_with(b"PLANTED_") {
                free_of_all(variable, "the environment of the broker");
            }
        }
        let metrics = running.ready["metrics"].as_str().unwrap().trim_start_matches("http://");
        let mut stream = TcpStream::connect(metrics).unwrap();
        let request = format!("GET /metrics HTTP/1.1\r\nHost: {metrics}\r\nConnection: close\r\n\r\n");
        std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
        let mut counters = Vec::new();
        stream.read_to_end(&mut counters).unwrap();
        assert!(counters.windows(9).any(|window| window == b"doorward_"), "no counters");
        free_of_all(&counters, "the counters");
    }

    /// Everything that was printed, and every file.
    fn search(&self, when: &str) {
        let printed = self.doorward.printed();
        assert!(!String::from_utf8_lossy(&printed).contains("panicked"), "something panicked {when}");
        self.free(&printed, &format!("what was printed, {when}"));
        let mut folders = vec![self.doorward.folder().to_owned()];
        let mut files = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap().flatten() {
                let kind = entry.file_type().unwrap();
                free_of_all(entry.file_name().as_encoded_bytes(), "the name of a file");
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if let Ok(bytes) = std::fs::read(entry.path())
                    && kind.is_file()
                {
                    files += 1;
                    self.free(&bytes, &format!("{}, {when}", entry.path().display()));
                }
            }
        }
        // The database and the evidence at least.
        assert!(files > 4, "{files} files");
    }

    fn free(&self, bytes: &[u8], what: &str) {
        free_of_all(bytes, what);
        for planted in &self.planted {
            assert!(!holds(bytes, planted.tail()), "the end of {} is in {what}", planted.name);
        }
    }
}

/// Searches for what all canaries begin with, in every encoding: one search for all of them.
pub(crate) fn free_of_all(bytes: &[u8], what: &str) {
    canary::assert_free_of(bytes, BEGINNING, what);
}

/// What every canary begins with: whole groups of base 64.
const BEGINNING: &str = "xoxb-CANARY-";
const CANARIES_OF_A_HOME: usize = 20;
