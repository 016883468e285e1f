//! Who is at the other end of the socket, with programs that try to be somebody else.
//!
//! The attacks are those of whoever may connect anyway: they need no privilege. Each is a small program that says what it got.

use std::path::Path;
use std::process::{Command, Stdio};

use testkit::{Doorward, Running};

use crate::home;

/// What every attack begins with. `got` says what came back over a socket, and `end` ends the program that we became.
const BEGIN: &str = r#"
import array, os, signal, socket, sys
HEAD = b"POST /v1/operations/doorward/secret.list HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
def connected():
    s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); return s
def got(s):
    data = b""
    try:
        while True:
            piece = s.recv(65536)
            if not piece: break
            data += piece
    except OSError: pass
    first = data.split(b"\r\n")[0].decode() or "nothing"
    print(first + (": another holder" if b"another holder" in data else ""), flush=True)
def end(pid):
    os.kill(pid, signal.SIGKILL); os._exit(0)
"#;

fn attack(running: &Running, script: &str) -> String {
    let script = format!("{BEGIN}{script}");
    let output = Command::new("python3")
        .args(["-c", &script])
        .arg(&running.socket)
        .stdin(Stdio::null())
        .output()
        .expect("python3 is there");
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    assert!(!said.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    said
}

fn up() -> (Doorward, Running) {
    let doorward = home();
    let running = doorward.start_up(&[]);
    (doorward, running)
}

#[test]
fn an_honest_program_is_answered() {
    let (_doorward, running) = up();
    assert_eq!(attack(&running, "s = connected(); s.sendall(HEAD); got(s)"), "HTTP/1.1 200 OK");
}

#[test]
fn a_child_does_not_speak_for_a_parent_that_became_a_trusted_program() {
    let (_doorward, running) = up();
    let said = attack(
        &running,
        r#"
s = connected(); r, w = os.pipe(); parent = os.getpid()
if os.fork() == 0:
    os.close(w); os.read(r, 1)       # the end comes when the parent has become another program
    s.sendall(HEAD); got(s); end(parent)
os.execv("/bin/sleep", ["sleep", "60"])
"#,
    );
    assert_eq!(said, "nothing");
}

#[test]
fn half_a_request_of_a_child_does_not_complete_that_of_its_parent() {
    let (_doorward, running) = up();
    let said = attack(
        &running,
        r#"
s = connected(); s.sendall(HEAD[:20]); parent = os.getpid(); r, w = os.pipe()
if os.fork() == 0:
    os.close(w); os.read(r, 1); s.sendall(HEAD[20:]); got(s); end(parent)
os.execv("/bin/sleep", ["sleep", "60"])
"#,
    );
    assert_eq!(said, "nothing");
}

#[test]
fn a_program_that_becomes_a_trusted_one_after_it_asked_gains_nothing_with_strong_facts() {
    let (doorward, running) = up();
    // One capability is bound to a control group that the attacker is not in, the other to its user. What it runs plays no part.
    let own = format!("uid={}", rustix::process::geteuid().as_raw());
    let mut said = Vec::new();
    for holder in ["cgroup=/trusted.slice", &own] {
        let words = ["capability", "request", "--for", "ada", "--holder", holder, "--output", "bound"];
        let _ = doorward.run(&words, "").succeeded();
        let bearer = std::fs::read_to_string(doorward.folder().join("bound")).unwrap();
        std::fs::remove_file(doorward.folder().join("bound")).unwrap();
        said.push(attack(
            &running,
            &format!(
                r#"
HEAD = HEAD.replace(b"host:", b"authorization: Bearer {}\r\nhost:")
s = connected(); parent = os.getpid(); r, w = os.pipe()
if os.fork() == 0:
    os.close(w); os.read(r, 1); got(s); end(parent)
s.sendall(HEAD)
os.execv("/bin/sleep", ["sleep", "60"])
"#,
                bearer.trim()
            ),
        ));
    }
    // A capability doesn't list secrets, whoever holds it; what matters is why the first is refused.
    assert_eq!(said, ["HTTP/1.1 403 Forbidden: another holder", "HTTP/1.1 403 Forbidden"]);
}

#[test]
fn a_connection_that_is_given_away_is_not_heard() {
    let (_doorward, running) = up();
    let said = attack(
        &running,
        r#"
s = connected(); a, b = socket.socketpair(socket.AF_UNIX)
if os.fork() == 0:
    # As another user where that can be done; whoever gets it is another process in any case.
    if os.geteuid() == 0: os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
    _, extra, _, _ = b.recvmsg(1, socket.CMSG_LEN(4))
    given = socket.socket(fileno=array.array("i", extra[0][2][:4])[0])
    given.sendall(HEAD); got(given); os._exit(0)
a.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [s.fileno()]))])
s.close(); os.wait()
"#,
    );
    assert_eq!(said, "nothing");
}

#[test]
fn a_process_that_gave_up_its_rights_is_not_who_it_was() {
    let (_doorward, running) = up();
    if !rustix::process::geteuid().is_root() {
        crate::skip("another-user", "only root may become another user");
        return;
    }
    let said = attack(
        &running,
        r#"
s = connected(); s.sendall(HEAD[:20])
os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
s.sendall(HEAD[20:]); got(s)
"#,
    );
    assert_eq!(said, "nothing");
}

#[test]
fn a_later_process_with_the_same_number_inherits_nothing() {
    let (_doorward, running) = up();
    if !rustix::process::geteuid().is_root() || !Path::new(NUMBERS).exists() {
        crate::skip("same-process-number", "only root may say which number the next process gets");
        return;
    }
    let said = attack(
        &running,
        r#"
def number(pid):
    with open("/proc/sys/kernel/ns_last_pid", "w") as file: file.write(str(pid - 1))
r, w = os.pipe()
for attempt in range(200):
    s = connected()
    first = os.fork()
    if first == 0:
        s.close(); s = connected(); a = os.getpid()
        holder = os.fork()
        if holder != 0: os._exit(0)
        # We hold the connection of a parent that is gone; its number is free as soon as it was waited for.
        while os.getppid() == a: pass
        os.setsid(); number(a)
        if os.fork() == 0:
            if os.getpid() != a: os.write(w, b"n"); os._exit(0)
            s.sendall(HEAD); got(s); os.write(w, b"y"); os._exit(0)
        os._exit(0)
    os.waitpid(first, 0)
    if os.read(r, 1) == b"y": break
else: print("the number was never free", flush=True)
"#,
    );
    assert!(said == "nothing" || said == "HTTP/1.1 401 Unauthorized", "{said}");
}

#[test]
fn a_process_of_another_user_is_not_let_in() {
    let (_doorward, running) = up();
    if !rustix::process::geteuid().is_root() {
        crate::skip("another-user", "only root may become another user");
        return;
    }
    let said = attack(
        &running,
        r#"
os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
try: connected(); print("connected")
except PermissionError: print("refused")
"#,
    );
    assert_eq!(said, "refused");
    assert!(Path::new(&running.socket).exists());
}

const NUMBERS: &str = "/proc/sys/kernel/ns_last_pid";
