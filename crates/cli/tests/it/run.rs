//! `doorward run`: a program with a capability that works for it and for nobody else.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use testkit::{Doorward, Running, Upstream};

use crate::home;
use crate::session::{capability, with_upstream};

/// Asks over the socket of the run, and over the one of the home, and prints the status of each.
const ASKS: &str = r#"
import http.client, os, socket, sys
class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost"); self.path = path
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX); self.sock.connect(self.path)
def ask(path, method, target, **headers):
    one = Unix(path); one.request(method, target, headers=headers)
    reply = one.getresponse(); return reply.status, reply.read().decode()
own = os.environ["VAULT_AGENT_SOCKET_PATH"]; home = sys.argv[1]
"#;

struct House {
    doorward: Doorward,
    upstream: Upstream,
    running: Running,
    capability: String,
}

fn house() -> House {
    let doorward = home();
    let upstream = Upstream::start();
    doorward.watch(upstream.canary());
    let running = with_upstream(&doorward, &upstream);
    let _ = doorward.run(&["secret", "put", "echo/token"], upstream.canary()).succeeded();
    let capability = capability(&doorward, &["--access", "read", "--expires", "1h"]);
    // Whoever reads a bearer may use it, so it is looked for wherever a secret is.
    let bearer = std::fs::read_to_string(doorward.folder().join(&capability)).unwrap();
    doorward.watch(bearer.trim());
    House { doorward, upstream, running, capability }
}

impl House {
    fn command(&self, words: &[&str]) -> Command {
        let mut command = self.doorward.command();
        command.args(["run", "--capability", &self.capability, "--"]).args(words);
        command
    }

    fn run(&self, words: &[&str]) -> testkit::Output {
        self.doorward.run_command(self.command(words), "")
    }

    /// Stops the broker; then no canary is anywhere but in the file that the capability was brought in.
    fn ended(self) {
        std::fs::remove_file(self.doorward.folder().join(&self.capability)).unwrap();
        assert!(self.running.stop().success());
        self.doorward.assert_no_canary();
    }

    fn python(&self, text: &str) -> testkit::Output {
        let script = format!("{ASKS}{text}");
        self.run(&["python3", "-c", &script, self.running.socket.to_str().unwrap()])
    }

    /// Starts a program that goes on until its input ends; gives the first line that it prints.
    fn started(&self, script: &str) -> (Child, String) {
        let mut command = self.command(&["/bin/sh", "-c", script]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        (child, line.trim().to_owned())
    }
}

/// What a socket says to this process, which belongs to no run.
fn asked(socket: &Path, target: &str) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    write!(stream, "GET {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

fn wait_until(what: &str, mut is: impl FnMut() -> bool) {
    let end = std::time::Instant::now() + crate::HANG;
    while !is() {
        assert!(std::time::Instant::now() < end, "{what}");
        std::thread::yield_now();
    }
}

#[test]
fn a_run_uses_its_capability_without_holding_anything() {
    let house = house();
    let said = house.python(r#"print(ask(own, "GET", "/echo/echo")[0], ask(own, "POST", "/echo/echo")[0])"#);
    assert_eq!(said.succeeded().trim(), "200 403");
    let expected = format!("Bearer {}", house.upstream.canary());
    assert_eq!(house.upstream.last().header("authorization"), Some(&*expected));
    house.ended();
}

#[test]
fn what_the_policy_files_of_the_agent_refuse_names_them() {
    let house = house();
    let words = ["run", "--resource", "op:/echo/echo.show", "--action", "read", "--", "true"];
    let said = house.doorward.run(&words, "").failed_with(1);
    assert!(said.contains("policy check-files") && !said.contains("policy explain"), "{said}");
    assert!(said.contains("caused by:"), "{said}");
    house.ended();
}

#[test]
fn a_run_is_neither_the_owner_nor_a_user_on_any_socket() {
    let house = house();
    let said = house.python(
        r#"
for path in own, home:
    for target in "/v1/operations/doorward/secret.list", "/v1/unseal", "/v1/drain", "/v1/runs?run=run_01j00000000000000000000000&capability=cap_01j00000000000000000000000":
        print(ask(path, "POST", target)[0])
"#,
    );
    let said = said.succeeded();
    assert_eq!(said.lines().count(), 8, "{said}");
    assert!(said.lines().all(|status| matches!(status, "401" | "403")), "{said}");
    // What it may do, it may do on both.
    let said = house.python(r#"print(ask(own, "GET", "/echo/echo")[0], ask(home, "GET", "/echo/echo")[0])"#);
    assert_eq!(said.succeeded().trim(), "200 200");
    assert!(house.running.stop().success());
}

#[test]
fn whoever_does_not_belong_to_a_run_is_not_heard_on_its_socket() {
    let house = house();
    let (mut child, socket) = house.started("echo $VAULT_AGENT_SOCKET_PATH; cat");
    let socket = PathBuf::from(socket);
    for target in ["/echo/echo", "/v1/status"] {
        let said = asked(&socket, target);
        assert!(said.starts_with("HTTP/1.1 403") && said.contains("belongs to the run"), "{said}");
    }
    assert!(house.upstream.requests().is_empty());
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    assert!(!socket.exists());
}

#[test]
fn nothing_that_could_be_lost_is_in_environment_arguments_or_open_files() {
    let house = house();
    let script = r#"
import os, stat
def shown(path):
    try: print(open(path, "rb").read().replace(b"\0", b"\n").decode(errors="replace"))
    except OSError as error: print(error)
for pid in "self", os.getppid():
    shown(f"/proc/{pid}/environ"); shown(f"/proc/{pid}/cmdline")
for number in os.listdir("/proc/self/fd"):
    path = f"/proc/self/fd/{number}"
    if not os.path.lexists(path): continue
    print(os.readlink(path))
    if int(number) > 2 and stat.S_ISREG(os.stat(path).st_mode): shown(path)
"#;
    let mut command = house.doorward.command();
    command.env("CAPABILITY_FILE", &house.capability).args(["run", "--", "python3", "-c", script]);
    let said = house.doorward.run_command(command, "").succeeded();
    assert!(said.contains("VAULT_AGENT_SOCKET_PATH=") && said.contains("DOORWARD_RUN=run_"), "{said}");
    assert!(said.matches("CAPABILITY_FILE=").count() <= 1, "only the command that was typed has it: {said}");
    house.ended();
}

#[test]
fn the_inherited_descriptor_leads_to_the_socket_also_for_what_does_not_see_its_path() {
    let house = house();
    let said = house.python(
        r#"
import subprocess
path = "/proc/self/fd/" + os.environ["DOORWARD_AGENT_FD"]
print(ask(path, "GET", "/echo/echo")[0])
os.unlink(own)
print(ask(path, "GET", "/echo/echo")[0])
print(subprocess.call(["true"]))
"#,
    );
    assert_eq!(said.succeeded().split_whitespace().collect::<Vec<_>>(), ["200", "200", "0"]);
    assert!(house.running.stop().success());
}

#[test]
fn what_a_run_starts_belongs_to_it_also_without_its_parent() {
    let house = house();
    let script = format!(
        "{ASKS}\nimport time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        while os.getppid() != int(sys.argv[2]): time.sleep(0.01)\n        \
         print(ask(own, \"GET\", \"/echo/echo\")[0], ask(home, \"POST\", \"/v1/operations/doorward/secret.list\")[0], flush=True)\n        \
         os.kill(int(sys.argv[3]), 15)\n    os._exit(0)\nsys.stdin.read()\n"
    );
    // The orphan is taken in by the command that started the run, and ends the shell when it has asked.
    let home = house.running.socket.to_str().unwrap();
    let shell = format!("echo ready; exec python3 -c '{}' {home} $PPID $$", script.replace('\'', "'\\''"));
    let mut command = house.command(&["/bin/sh", "-c", &shell]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let _held_open = child.stdin.take();
    let said = child.wait_with_output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(matches!(said.trim(), "ready\n200 401" | "ready\n200 403"), "{said}");
}

#[test]
fn the_status_of_the_program_is_that_of_the_command() {
    let house = house();
    for (script, expected) in [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 143), ("kill -KILL $$", 137)] {
        assert_eq!(house.run(&["/bin/sh", "-c", script]).status.code(), Some(expected), "{script}");
    }
    let missing = house.run(&["there-is-no-such-program"]);
    assert!(missing.stderr.contains("`there-is-no-such-program` was not found"), "{}", missing.stderr);
    assert_eq!(missing.status.code(), Some(127));
    let folder = house.run(&["/"]);
    assert_eq!(folder.status.code(), Some(126), "{}", folder.stderr);
    let nothing = house.doorward.run(&["run", "--capability", &house.capability], "");
    assert_eq!(nothing.status.code(), Some(2));
    let unsaid = house.doorward.run(&["run", "--", "true"], "").failed_with(2);
    assert!(unsaid.contains("nothing was said that the program may do"), "{unsaid}");
}

#[test]
fn a_signal_to_the_command_reaches_the_program() {
    let house = house();
    let (mut child, ready) = house.started("trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done");
    assert_eq!(ready, "ready");
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(5));
}

#[test]
fn a_run_ends_with_its_command_however_that_ends() {
    let house = house();
    let (mut child, socket) = house.started("echo $VAULT_AGENT_SOCKET_PATH; cat");
    let socket = PathBuf::from(socket);
    assert!(socket.exists());
    kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    let _ = child.wait().unwrap();
    wait_until("the socket of the run is removed", || !socket.exists());
    assert!(house.running.stop().success());
}

#[test]
fn a_broker_that_is_killed_takes_the_run_with_it_and_not_the_program() {
    let house = house();
    let (mut child, socket) = house.started("echo $VAULT_AGENT_SOCKET_PATH; cat; exit 3");
    let _ = house.running.kill9();
    assert!(UnixStream::connect(socket).is_err());
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(3));
}

#[test]
fn a_capability_of_a_run_that_has_ended_is_of_no_use_in_its_group() {
    let house = house();
    if !groups_can_be_made() {
        crate::skip(
            "own-control-group",
            "a control group can be made by root, or below one that was given to the user",
        );
        return;
    }
    // The orphan outlives the run: it waits until the socket is gone, and asks the home's.
    let left = house.doorward.folder().join("left");
    let script = format!(
        "{ASKS}\nimport time\nif os.fork() == 0:\n    os.setsid()\n    [os.close(n) for n in (0, 1, 2)]\n    while os.path.exists(own): time.sleep(0.01)\n    \
         said = ask(home, \"GET\", \"/echo/echo\")[0], ask(home, \"POST\", \"/v1/operations/doorward/secret.list\")[0]\n    \
         open(\"{0}.part\", \"w\").write(\"%d %d\" % said); os.rename(\"{0}.part\", \"{0}\")\n",
        left.display()
    );
    let said = house.run(&["python3", "-c", &script, house.running.socket.to_str().unwrap()]);
    let _ = said.succeeded();
    wait_until("the orphan has asked", || left.exists());
    assert_eq!(std::fs::read_to_string(left).unwrap(), "401 401");
}

/// Whether a control group can be made here, found out as the command does it: by the words that it says where it can't.
fn groups_can_be_made() -> bool {
    rustix::process::geteuid().is_root()
        && ["/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/unified/cgroup.procs"]
            .iter()
            .any(|path| std::fs::OpenOptions::new().write(true).open(path).is_ok())
}

#[test]
fn a_capability_that_is_asked_for_works_in_the_run_and_ends_with_it() {
    let doorward = home();
    let running = crate::agent::started(&doorward, &["--mode", "development"]);
    let script = "vault=$0; id=$1; echo \"$DOORWARD_RUN\"";
    let words =
        ["run", "--resource", "secret:/db/primary", "--action", "read", "--", "/bin/sh", "-c", script];
    let said = doorward.run(&words, "").succeeded();
    assert!(said.starts_with("run_"), "{said}");
    let listed = crate::agent::vault(&doorward, &["capability", "list", "--format", "json"]).succeeded();
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let all = listed["capabilities"].as_array().unwrap();
    let child = all.iter().find(|one| one["parent"].is_string()).unwrap_or_else(|| panic!("{listed}"));
    assert_eq!(child["holder"]["run"], said.trim(), "{child}");
    assert_eq!(child["status"], "revoked", "{child}");
    // The program could not have gone on with it, nor its user with another run's.
    let id = child["id"].as_str().unwrap();
    let used = doorward.run(&["run", "--capability", id, "--", "/bin/true"], "");
    assert_eq!(used.status.code(), Some(1), "{used:?}");
    assert!(running.stop().success());
}

#[test]
fn a_line_is_appended_to_a_stream_of_the_evidence() {
    let doorward = home();
    let running = crate::agent::started(&doorward, &["--mode", "development"]);
    let words = ["capability", "request", "--resource", "log:/app", "--action", "write", "--format", "json"];
    let granted: serde_json::Value =
        serde_json::from_str(&crate::agent::vault(&doorward, &words).succeeded()).unwrap();
    let id = granted["capability"]["id"].as_str().unwrap();
    let words =
        ["capability", "use", id, "--append", "deployed", "--field", "version=1.2", "--format", "json"];
    let said: serde_json::Value = serde_json::from_str(&doorward.run(&words, "").succeeded()).unwrap();
    assert!(said["evidence"].as_str().unwrap().starts_with("evd_"), "{said}");
    let shown = doorward.run(&["capability", "use", id, "--reveal"], "");
    assert_eq!(shown.status.code(), Some(2), "{shown:?}");
    assert!(shown.stderr.contains("is no resource for this"), "{shown:?}");
    assert!(running.stop().success());
}
