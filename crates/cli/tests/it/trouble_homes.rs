//! Homes beside one another, and who may look into them.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use testkit::Upstream;

use crate::network_wire::{answer, call, capability, operate};
use crate::{home, write_integration};

#[test]
fn two_homes_at_once_do_not_disturb_each_other() {
    let upstream = Upstream::start();
    let set = || {
        let doorward = home();
        let notes = format!(
            "name: notes\ntitle: Notes\ndocs: https://example.com/\nbase_url: {}\ndangerous_allow_private: true\n\
             secrets:\n  token: {{title: Token}}\nauth:\n  - {{scheme: bearer, secret: token}}\n\
             limits: {{connect: 30s, head: 60s, total: 2m, idle: 60s, body: 1MiB}}\noperations:\n\
             \x20 echo.show: {{title: Show, access: read, risk: low, match: {{method: GET, path: /echo}}}}\n",
            upstream.url()
        );
        write_integration(&doorward, &notes);
        let running = doorward.start_up(&[]);
        (doorward, running)
    };
    let ((first, one), (second, other)) = (set(), set());
    let _ = answer(&one, "secret.put?name=notes/token", upstream.canary().as_bytes());
    let (token, foreign) = (capability(&one, ""), capability(&other, ""));
    let ask = |url: &str, token: &str| call(url, "GET", "/notes/echo", token).unwrap();
    assert_eq!(ask(&one.gateway_url, &token).status, 200);
    assert_eq!(ask(&one.gateway_url, &foreign).status, 401, "a capability of one home opens another");
    assert_eq!(ask(&other.gateway_url, &token).status, 401, "a capability of one home opens another");
    assert_eq!(ask(&other.gateway_url, &foreign).refusal().as_deref(), Some("secret_missing"));
    let listed = answer(&other, "secret.list", b"");
    assert_eq!(listed["secrets"].as_array().unwrap().len(), 0, "{listed}");
    let _ = answer(&other, "broker.seal", b"");
    assert_eq!(ask(&one.gateway_url, &token).status, 200);
    assert!(other.stop().success());
    assert_eq!(ask(&one.gateway_url, &token).status, 200);
    assert_eq!(operate(&one.socket, "evidence.verify", b"").unwrap().json()["answer"]["verified"], true);
    assert!(one.stop().success());
    assert_ne!(
        first.run(&["evidence", "key"], "").succeeded(),
        second.run(&["evidence", "key"], "").succeeded()
    );
}

#[test]
fn nobody_but_the_owner_may_look_into_a_home() {
    let doorward = home();
    // The most generous mask that a user may have set.
    let mut command = std::process::Command::new("sh");
    let inside = doorward.command();
    command.env_clear().envs(inside.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
        .current_dir(doorward.folder())
        .args(["-c", "umask 000; exec \"$@\"", "sh"])
        .arg(inside.get_program());
    command.args(["up", "--json", "--gateway", "127.0.0.1:0", "--recovery-out", "recovery.txt"]);
    let running = doorward.start(command);
    let _ = answer(&running, "secret.put?name=a/b", b"xoxb-CANARY-0123");
    let _ = answer(&running, "integration.add?name=work", b"name: work\nextends: slack\n");
    let _ = doorward.run(&["capability", "request", "--for", "ada", "--output", "token"], "").succeeded();
    let data = doorward.data();
    assert_eq!(mode(&data), 0o700);
    let mut looked_at = Vec::new();
    below(&data, &mut looked_at);
    for name in ["home.db", "key", "socket", "evidence", "integrations", "integrations/work.yaml"] {
        assert!(looked_at.contains(&data.join(name)), "there is no {name} in {looked_at:?}");
    }
    assert!(
        looked_at.iter().any(|path| path.extension().is_some_and(|kind| kind == "journal")),
        "{looked_at:?}"
    );
    for path in looked_at {
        let most = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(&path) & !most, 0, "others may look into {}", path.display());
    }
    for name in ["recovery.txt", "token"] {
        assert_eq!(mode(&doorward.folder().join(name)), 0o600, "{name}");
    }
    assert!(running.stop().success());
}

fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

fn below(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        found.push(entry.path());
        if entry.file_type().unwrap().is_dir() {
            below(&entry.path(), found);
        }
    }
}
