//! No connection that nobody asked for, and nothing read that nobody named.

use std::process::Command;

use testkit::{Doorward, Running};

use crate::network_wire::operate;
use crate::{home, skip, write, write_integration};

#[test]
fn nothing_is_sent_anywhere_that_nobody_asked_for() {
    let doorward = home();
    write_integration(&doorward, "name: hub\nextends: github\n");
    let Some(running) = alone(&doorward) else { return };
    let pid = running.pid().to_string();
    let run = |args: &[&str], stdin: &str| {
        let inside = doorward.command();
        let mut command = Command::new("nsenter");
        command.env_clear().envs(inside.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command
            .current_dir(doorward.folder())
            .args(["--target", &pid, "--net"])
            .arg(inside.get_program())
            .args(args);
        doorward.run_command(command, stdin)
    };
    let _ = run(&["secret", "put", "github/token"], "xoxb-CANARY-0123456789").succeeded();
    for args in [
        &["status"][..],
        &["doctor", "--thorough"],
        &["secret", "list"],
        &["integration", "list"],
        &["integration", "show", "github"],
        &["integration", "test"],
        &["capability", "request", "--for", "ada", "--integrations", "github"],
        &["capability", "list"],
        &["policy", "list"],
        &["evidence", "list"],
        &["evidence", "verify"],
        &["evidence", "export"],
        &["seal"],
        &["unseal"],
        &["--version"],
    ] {
        let _ = run(args, "");
    }
    running.reload();
    let _ = operate(&running.socket, "broker.status", b"").unwrap();
    let sent = Sent::by(&running);
    assert_eq!(sent, Sent::default(), "somebody connected or asked for a name");
    let listening = listening(&running);
    assert_eq!(
        listening.len(),
        2,
        "gateway and counters listen on loopback, and nothing else does: {listening:?}"
    );
    // The counters do count: a call that somebody asks for is a look-up or a connection.
    let asked = run(&["capability", "request", "--for", "ada", "--integrations", "hub"], "").succeeded();
    let _ = run(&["capability", "use", "--capability", "-", "--integration", "hub", "GET", "/user"], &asked);
    assert_ne!(Sent::by(&running), Sent::default(), "nothing is counted here");
    assert!(running.stop().success());
}

#[test]
fn a_file_of_variables_in_the_working_directory_is_not_read() {
    let doorward = home();
    let canary = doorward.plant("dotenv");
    // Outside of what is searched: who runs the broker stands in a folder with such a file.
    let folder = tempfile::tempdir().unwrap();
    write(folder.path().join(".env"), &format!("ONLY_HERE={canary}\nDOORWARD_GATEWAY=127.0.0.1:1\n"));
    write_integration(&doorward, "name: hub\nextends: github\nsecrets:\n  token: env:ONLY_HERE\n");
    let mut command = doorward.command();
    command.current_dir(folder.path()).args(["up", "--json", "--gateway", "127.0.0.1:0"]);
    let running = doorward.start(command);
    let token = crate::network_wire::capability(&running, "");
    let reply = crate::network_wire::call(&running.gateway_url, "GET", "/hub/user", &token).unwrap();
    assert_eq!((reply.status, reply.refusal().as_deref()), (503, Some("secret_missing")), "{}", reply.text());
    let mut command = doorward.command();
    command.current_dir(folder.path()).arg("doctor");
    let checked = doorward.run_command(command, "");
    assert_eq!(checked.status.code(), Some(1));
    assert!(checked.stdout.contains("ONLY_HERE"), "{}", checked.stdout);
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

/// A broker in a network of its own, in which everything that is sent has somewhere to go, and is counted.
fn alone(doorward: &Doorward) -> Option<Running> {
    let script = "ip link set lo up && ip link add veth0 type veth peer name veth1 && ip addr add 192.0.2.1/24 dev veth0 && \
                  ip link set veth0 up && ip link set veth1 up && ip route add default via 192.0.2.2";
    let possible = Command::new("unshare").args(["--net", "sh", "-c", script]).output();
    if !possible.is_ok_and(|output| output.status.success()) {
        skip("own-network", "a network of its own can be made by root only");
        return None;
    }
    let inside = doorward.command();
    let mut command = Command::new("unshare");
    command.env_clear().envs(inside.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(doorward.folder()).args([
        "--net",
        "sh",
        "-c",
        &format!("{script} && exec \"$@\""),
        "sh",
    ]);
    command.arg(inside.get_program()).args([
        "up",
        "--json",
        "--gateway",
        "127.0.0.1:0",
        "--metrics",
        "127.0.0.1:0",
    ]);
    Some(doorward.start(command))
}

/// What left, as the kernel counted it for the whole network.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sent {
    /// Connections that were begun.
    connections: u64,
    /// Datagrams: look-ups of names among them.
    datagrams: u64,
}

impl Sent {
    fn by(running: &Running) -> Self {
        let text = std::fs::read_to_string(format!("/proc/{}/net/snmp", running.pid())).unwrap();
        let number = |group: &str, name: &str| {
            let mut lines = text.lines().filter(|line| line.starts_with(group));
            let (names, values) = (lines.next().unwrap(), lines.next().unwrap());
            let at = names.split_whitespace().position(|known| known == name).unwrap();
            values.split_whitespace().nth(at).unwrap().parse().unwrap()
        };
        Self { connections: number("Tcp:", "ActiveOpens"), datagrams: number("Udp:", "OutDatagrams") }
    }
}

/// Every TCP and UDP socket of the network, as the kernel lists them; fails the test where one is no listener.
#[track_caller]
fn listening(running: &Running) -> Vec<String> {
    let mut found = std::collections::BTreeSet::new();
    for kind in ["tcp", "tcp6", "udp", "udp6", "raw", "raw6"] {
        let text = std::fs::read_to_string(format!("/proc/{}/net/{kind}", running.pid())).unwrap_or_default();
        for line in text.lines().skip(1) {
            let mut fields = line.split_whitespace().skip(1);
            let (local, state) = (fields.next().unwrap(), fields.nth(1).unwrap());
            assert!(kind == "tcp" && state == LISTENS && local.starts_with(LOOPBACK), "{kind}: {line}");
            // Each thread of the gateway has a socket of its own on the same port.
            found.insert(local.to_owned());
        }
    }
    found.into_iter().collect()
}

const LISTENS: &str = "0A";
/// 127.0.0.1 in the kernel's byte order.
const LOOPBACK: &str = "0100007F:";
