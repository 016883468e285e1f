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

#[test]
fn evidence_that_is_gone_is_noticed_until_somebody_says_that_it_is_lost() {
    let doorward = home();
    let running = doorward.start_up(&[]);
    let _ = answer(&running, "secret.put?name=a/b", b"xoxb-CANARY-0123");
    assert!(running.stop().success());
    let evidence = doorward.data().join("evidence");
    for file in std::fs::read_dir(&evidence).unwrap().flatten() {
        std::fs::remove_file(file.path()).unwrap();
    }
    for words in [&["secret", "list"][..], &["evidence", "verify"], &["evidence", "list"], &["up"]] {
        let said = doorward.run(words, "").failed_with(1);
        assert!(said.contains("ends before what this home has seen"), "{words:?}: {said}");
        assert!(said.contains("doorward evidence admit-loss"), "{words:?}: {said}");
    }
    let _ = doorward.run(&["evidence", "admit-loss"], "").failed_with(2);
    let admitted =
        doorward.run(&["evidence", "admit-loss", "--reason", "the disk broke", "--json"], "").json();
    assert_eq!(admitted["found"], serde_json::Value::Null, "{admitted}");
    assert!(admitted["seen"]["records"].as_u64().is_some_and(|records| records > 2), "{admitted}");
    assert!(doorward.run(&["secret", "list"], "").succeeded().contains("a/b"));
    let listed = doorward.run(&["evidence", "list", "--json"], "").json();
    let admission = listed["evidence"].as_array().unwrap();
    let admission = admission.iter().find(|entry| entry["operation"] == "evidence.admit_loss").unwrap();
    assert_eq!(
        (&admission["seq"], &admission["fields"]["found"]),
        (&1.into(), &"nothing".into()),
        "{listed}"
    );
    let shown =
        doorward.run(&["evidence", "show", admission["id"].as_str().unwrap(), "--json"], "").succeeded();
    assert!(shown.contains("the disk broke"), "{shown}");
    // Nothing is missing any more.
    let again = doorward.run(&["evidence", "admit-loss", "--reason", "again"], "").failed_with(1);
    assert!(again.contains("no evidence is missing"), "{again}");
}

#[test]
fn rows_that_are_older_than_their_evidence_are_noticed_until_somebody_says_so() {
    let doorward = home();
    let _ = doorward.run(&["init", "--recovery-out", "recovery.txt"], "").succeeded();
    let asked =
        doorward.run(&["capability", "request", "--for", "bot", "--integrations", "github", "--json"], "");
    let grant = asked.json()["grant"].as_str().unwrap().to_owned();
    let running = doorward.start_up(&[]);
    assert!(running.stop().success());
    let (database, kept) = (doorward.data().join("home.db"), doorward.folder().join("kept.db"));
    for serving in [true, false] {
        std::fs::copy(&database, &kept).unwrap();
        if serving {
            let running = doorward.start_up(&[]);
            let _ = doorward.run(&["capability", "revoke", &grant], "").succeeded();
            assert!(running.stop().success());
        } else {
            let _ = doorward.run(&["secret", "put", "a/b"], "xoxb-CANARY-0123").succeeded();
        }
        std::fs::copy(&kept, &database).unwrap();
        for name in ["home.db-wal", "home.db-shm"] {
            let _ = std::fs::remove_file(doorward.data().join(name));
        }
        for words in [&["secret", "list"][..], &["up"], &["evidence", "list"]] {
            let said = doorward.run(words, "").failed_with(1);
            assert!(said.contains("are older than the evidence beside them"), "{words:?}: {said}");
            assert!(said.contains("doorward evidence admit-loss"), "{words:?}: {said}");
        }
        let admitted =
            doorward.run(&["evidence", "admit-loss", "--reason", "the disk broke", "--json"], "").json();
        assert_eq!(admitted["what"], "rows", "{admitted}");
        let listed = doorward.run(&["evidence", "list", "--json"], "").succeeded();
        assert!(listed.contains("evidence.admit_loss"), "{listed}");
        let _ = doorward.run(&["evidence", "verify"], "").succeeded();
    }
    // One that is killed between both writes, or before them, opens.
    let running = doorward.start_up(&[]);
    let _ = doorward.run(&["secret", "put", "c/d"], "xoxb-CANARY-0123").succeeded();
    let _ = running.kill9();
    assert!(doorward.run(&["secret", "list"], "").succeeded().contains("c/d"));
    // A backup that was taken meanwhile is restored.
    let running = doorward.start_up(&[]);
    let _ = doorward.run(&["backup", "taken"], "").succeeded();
    assert!(running.stop().success());
    let _ = doorward.run(&["restore", "taken", "--home", "again"], "").succeeded();
    // A backup has no key in it.
    std::fs::copy(doorward.data().join("key"), doorward.folder().join("again/key")).unwrap();
    let _ = doorward.run(&["secret", "list", "--home", "again"], "").succeeded();
}

#[test]
fn a_home_that_lost_its_database_is_not_made_anew_beside_its_evidence() {
    for empty in [false, true] {
        let doorward = home();
        let running = doorward.start_up(&[]);
        let _ = answer(&running, "secret.put?name=a/b", b"xoxb-CANARY-0123");
        assert!(running.stop().success());
        for name in ["home.db", "home.db-wal", "home.db-shm"] {
            let _ = std::fs::remove_file(doorward.data().join(name));
        }
        if empty {
            crate::write(doorward.data().join("home.db"), "");
        }
        for words in [&["init"][..], &["up"], &["secret", "list"]] {
            let said = doorward.run(words, "").failed_with(1);
            assert!(said.contains("holds evidence, and the keys of its home are gone"), "{words:?}: {said}");
            assert!(said.contains("doorward restore"), "{words:?}: {said}");
        }
    }
}

#[test]
fn one_broker_opens_the_gateway_the_api_and_the_console_at_once() {
    let served = |doorward: &testkit::Doorward, words: &[&str]| {
        let mut command = doorward.command();
        command.args(words).arg("--json");
        doorward.start(command)
    };
    for words in [
        &["up", "--gateway", "127.0.0.1:0", "--api", "127.0.0.1:0"][..],
        &["serve", "--addr", "127.0.0.1:0", "--gateway", "127.0.0.1:0"],
    ] {
        let doorward = home();
        let running = served(&doorward, words);
        let api = running.ready["api"].as_str().unwrap().to_owned();
        assert_eq!(
            call(&running.gateway_url, "GET", "/_doorward/healthz", "").unwrap().status,
            200,
            "{words:?}"
        );
        assert_eq!(call(&api, "GET", "/v1/tenants", "").unwrap().status, 401, "{words:?}");
        let link = doorward.run(&["console", "--no-open", "--json"], "").json();
        assert!(link["url"].as_str().unwrap().starts_with(&api), "{words:?}: {link}");
        assert!(running.stop().success());
    }
    // Without being told where a gateway listens, `serve` opens none; what the settings say, it opens.
    let doorward = home();
    let alone = served(&doorward, &["serve", "--addr", "127.0.0.1:0"]);
    assert_eq!(alone.ready["gateway"], "");
    assert!(alone.stop().success());
    crate::write(doorward.data().join("settings.toml"), "gateway = \"127.0.0.1:0\"\n");
    let both = served(&doorward, &["serve", "--addr", "127.0.0.1:0"]);
    assert_eq!(call(&both.gateway_url, "GET", "/_doorward/healthz", "").unwrap().status, 200);
    assert!(both.stop().success());
}

#[test]
fn a_broker_whose_socket_is_gone_is_named_and_not_waited_for() {
    let doorward = home();
    let running = doorward.start_up(&[]);
    std::fs::remove_file(&running.socket).unwrap();
    let pid = running.pid().to_string();
    let shown = doorward.run(&["status", "--json"], "");
    let value: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!((&value["state"], value["pid"].to_string()), (&"unreachable".into(), pid.clone()), "{value}");
    assert!(!shown.status.success());
    for words in [&["secret", "list"][..], &["up", "--gateway", "127.0.0.1:0"]] {
        let refused = doorward.run(words, "").failed_with(1);
        assert!(refused.contains(&format!("process {pid}")) && refused.contains("kill"), "{refused}");
    }
    assert!(running.stop().success());
    // What it said of itself is over with it.
    let _ = doorward.run(&["secret", "list"], "").succeeded();
    assert!(doorward.run(&["status"], "").stdout.contains("stopped"));
}

#[test]
fn an_end_of_the_evidence_that_cannot_be_read_is_said() {
    let doorward = home();
    let running = doorward.start_up(&[]);
    let _ = doorward.run(&["secret", "put", "slack/token"], "CANARY-aside").succeeded();
    let _ = running.kill9();
    let folder = doorward.data().join("evidence");
    let mut journals: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    journals.retain(|file| file.extension().is_some_and(|ending| ending == "journal"));
    journals.sort();
    let last = journals.pop().unwrap();
    let mut bytes = std::fs::read(&last).unwrap();
    let place = bytes.len() - 20;
    bytes[place] ^= 1;
    store::files::replace(&last, &bytes, 0o600).unwrap();
    let running = doorward.start_up(&[]);
    let said = String::from_utf8_lossy(&doorward.printed()).into_owned();
    assert!(said.contains("the end of the evidence could not be read, and is kept in"), "{said}");
    assert!(running.stop().success());
    for words in [&["doctor"][..], &["evidence", "verify"]] {
        let output = doorward.run(words, "");
        let said = format!("{}{}", output.stdout, output.stderr);
        assert!(said.contains(".aside`"), "{said}");
    }
    // It is said once, where it happens; and whenever somebody looks.
    let listed = doorward.run(&["evidence", "list"], "");
    assert!(!listed.stderr.contains("aside"), "{}", listed.stderr);
}

#[test]
fn a_file_that_may_not_grow_is_a_refusal_and_not_the_end_of_the_process() {
    let doorward = home();
    let _ = doorward.run(&["init", "--json"], "").json();
    let inside = doorward.command();
    let mut limited = std::process::Command::new("sh");
    limited.env_clear().envs(inside.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited
        .current_dir(doorward.folder())
        .args(["-c", "ulimit -f 0; exec \"$@\"", "sh"])
        .arg(inside.get_program());
    limited.args(["secret", "put", "slack/token"]);
    let refused = doorward.run_command(limited, "CANARY-limited").failed_with(1);
    assert!(refused.contains("the disk is full") || refused.contains("disk I/O error"), "{refused}");
    let listed = doorward.run(&["secret", "list", "--json"], "").json();
    assert_eq!(listed["secrets"], serde_json::json!([]), "{listed}");
    let _ = doorward.run(&["secret", "put", "slack/token"], "CANARY-limited").succeeded();
}
