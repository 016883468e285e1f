//! What protects the keys of a home, chosen and changed by its owner; data keys that are given anew, also when the broker is
//! killed meanwhile; a home of the format before.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde_json::Value;
use testkit::Doorward;
use testkit::vendor::Vault;

use crate::home;
use crate::network_wire::answer;

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// An identity of age, and the choice of its recipient.
fn age(doorward: &Doorward) -> String {
    let identity = doorward.folder().join("identity");
    let made = Command::new("age-keygen").arg("-o").arg(&identity).output();
    assert!(made.expect("the package `age` has it").status.success());
    let said = Command::new("age-keygen").arg("-y").arg(&identity).output().unwrap();
    format!("age:{}?identity={}", String::from_utf8(said.stdout).unwrap().trim(), text(&identity))
}

fn vault(doorward: &Doorward, vault: &Vault, words: &[&str]) -> Command {
    let mut command = doorward.command();
    command.env("VAULT_ADDR", vault.url()).env("VAULT_TOKEN", "hvs.CANARY-root").args(words);
    command
}

fn with_a_key() -> Vault {
    let vault = Vault::start();
    vault.know_token("hvs.CANARY-root");
    vault.make_key("transit", "doorward");
    vault
}

#[test]
fn a_home_goes_from_a_key_file_to_recipients_of_age_and_back_and_keeps_its_secrets() {
    let doorward = home();
    let canary = doorward.plant("keys");
    let _ = doorward.run(&["init", "--json"], "").json();
    let _ = doorward.run(&["secret", "put", "slack/token", "--disclosable"], &canary).succeeded();
    let choice = age(&doorward);
    let changed = doorward.run(&["key-provider", "change", &choice, "--json"], "").json();
    assert_eq!(
        (changed["before"].as_str(), changed["key_provider"].as_str()),
        (Some("key-file"), Some("age"))
    );
    // Without a broker it goes the same path.
    let evidence = doorward.run(&["evidence", "list", "--json"], "").succeeded();
    assert!(evidence.contains("broker.rewrap"), "{evidence}");
    let shown = doorward.run(&["key-provider", "show", "--json"], "").json();
    assert!(shown["place"].as_str().unwrap().starts_with("age1"), "{shown}");
    let checked = doorward.run(&["key-provider", "check", "--json"], "").json();
    assert_eq!(checked["status"], "opens");
    std::fs::rename(doorward.data().join("key"), doorward.folder().join("former")).unwrap();
    let listed = doorward.run(&["secret", "list", "--json"], "").succeeded();
    assert!(listed.contains("slack/token"), "{listed}");
    let running = doorward.start_up(&[]);
    // The running broker changes it as well, to a passphrase and back, and goes on.
    let pass = doorward.plant("passphrase");
    let changed = doorward.run(&["key-provider", "change", "passphrase", "--json"], &pass).json();
    assert_eq!(
        (changed["before"].as_str(), changed["key_provider"].as_str()),
        (Some("age"), Some("passphrase"))
    );
    let _ = doorward.run(&["seal"], "").succeeded();
    let _ = doorward.run(&["unseal"], "another").failed_with(1);
    let _ = doorward.run(&["unseal"], &pass).succeeded();
    let _ = doorward.run(&["key-provider", "change", &choice], "").succeeded();
    let _ = doorward.run(&["seal"], "").succeeded();
    let _ = doorward.run(&["unseal"], "").succeeded();
    assert!(running.stop().success());
    let evidence = doorward.run(&["evidence", "list", "--json"], "").succeeded();
    assert!(evidence.contains("broker.rewrap"), "{evidence}");
    // No reference reads what opens the home.
    let identity = text(&doorward.folder().join("identity"));
    let key = format!("key-file:{}", text(&doorward.folder().join("new")));
    let _ = doorward.run(&["key-provider", "change", &key], "").succeeded();
    std::fs::remove_file(&identity).unwrap();
    assert_eq!(doorward.run(&["key-provider", "check", "--json"], "").json()["key_provider"], "key-file");
    let listed = doorward.run(&["secret", "list", "--json"], "").succeeded();
    assert!(listed.contains("slack/token"), "{listed}");
    doorward.assert_no_canary();
}

#[test]
fn a_vault_that_is_down_leaves_the_broker_sealed_until_it_answers_again() {
    let (doorward, server) = (home(), with_a_key());
    doorward.watch("hvs.CANARY-root");
    let init = vault(&doorward, &server, &["init", "--key-provider", "transit:transit/doorward", "--json"]);
    assert_eq!(doorward.run_command(init, "").json()["key_provider"], "transit");
    server.answer_instead(503, None);
    let mut up = vault(&doorward, &server, &["up", "--json", "--gateway", "127.0.0.1:0"]);
    up.env("DOORWARD_THREADS", "1");
    let running = doorward.start(up);
    let status = doorward.run(&["status", "--json"], "").stdout;
    assert!(status.contains("sealed"), "{status}");
    let refused = doorward.run(&["secret", "list"], "").failed_with(1);
    assert!(refused.contains("sealed"), "{refused}");
    let refused = doorward.run(&["unseal"], "").failed_with(1);
    assert!(
        refused.contains("the key provider `transit` gives no key") && refused.contains("503"),
        "{refused}"
    );
    server.recover();
    let _ = doorward.run(&["unseal"], "").succeeded();
    let _ = doorward.run(&["secret", "list"], "").succeeded();
    assert!(running.stop().success());
    let said = String::from_utf8_lossy(&doorward.printed()).into_owned();
    assert!(said.contains("It starts sealed"), "{said}");
    doorward.assert_no_canary();
}

#[test]
fn the_recovery_key_opens_a_home_whose_provider_is_gone_for_good() {
    let (doorward, server) = (home(), with_a_key());
    let init = vault(&doorward, &server, &["init", "--key-provider", "transit:transit/doorward", "--json"]);
    let paper = doorward.run_command(init, "").json()["recovery_key"].as_str().unwrap().to_owned();
    drop(server);
    let restored =
        doorward.run(&["recovery", "restore", "--key-provider", &age(&doorward), "--json"], &paper).json();
    assert_eq!(restored["key_provider"], "age");
    let _ = doorward.run(&["secret", "list"], "").succeeded();
}

#[test]
fn a_choice_that_makes_no_sense_is_a_matter_of_usage_and_makes_no_home() {
    let doorward = home();
    for (choice, part) in [
        ("vault:x", "there is no key provider `vault`"),
        ("transit:doorward", "`MOUNT/KEY`"),
        ("pkcs11:object=x?module-path=/x.so&pin-value=1234", "a PIN is not written here"),
    ] {
        let refused = doorward.run(&["init", "--key-provider", choice], "").failed_with(2);
        assert!(refused.contains(part) && refused.contains("key-provider list"), "{refused}");
    }
    assert!(doorward.run(&["key-provider", "show"], "").failed_with(1).contains("there is no home"));
    let listed = doorward.run(&["key-provider", "list", "--json"], "").json();
    assert_eq!(listed["key_providers"].as_array().unwrap().len(), 10);
}

// === data keys ===

fn with_secrets(count: usize) -> (Doorward, testkit::Running) {
    let doorward = home();
    let running = doorward.start_up(&["--development"]);
    for number in 0..count {
        let name = format!("service/{number}");
        let _ = doorward
            .run(&["secret", "put", &name, "--disclosable"], format!("CANARY-{number}-value"))
            .succeeded();
    }
    (doorward, running)
}

fn rotation(doorward: &Doorward) -> Value {
    doorward.run(&["tenant", "rotation", "local", "--json"], "").json()
}

#[test]
fn a_tenant_gets_another_data_key_beside_a_running_broker_and_without_one() {
    let (doorward, running) = with_secrets(3);
    let rotated = doorward.run(&["tenant", "rotate-key", "local", "--json"], "").json();
    assert_eq!((rotated["version"].as_u64(), rotated["sealed_anew"].as_u64()), (Some(2), Some(3)));
    let shown = rotation(&doorward);
    assert_eq!((shown["status"].as_str(), shown["left"].as_u64()), (Some("over"), Some(0)));
    let _ = doorward.run(&["secret", "rotate", "service/1"], "CANARY-rotated").succeeded();
    assert!(running.stop().success());
    let said = doorward.run(&["tenant", "rotate-key", "local"], "").succeeded();
    assert!(said.contains("`local` has data key 3 now, 3 rows were sealed anew"), "{said}");
    let evidence = doorward.run(&["evidence", "list", "--json"], "").succeeded();
    assert!(evidence.contains("tenant.rotate") && evidence.contains("tenant:local"), "{evidence}");
    let _ = doorward.run(&["evidence", "verify"], "").succeeded();
    let refused = doorward.run(&["tenant", "rotate-key", "nobody"], "").failed_with(1);
    assert!(refused.contains("`nobody` has no keys"), "{refused}");
}

/// How many bytes of evidence the home has.
fn evidence_bytes(doorward: &Doorward) -> u64 {
    let files = std::fs::read_dir(doorward.data().join("evidence")).unwrap();
    files.filter_map(|file| Some(file.ok()?.metadata().ok()?.len())).sum()
}

#[test]
fn a_broker_that_is_killed_while_it_rotates_loses_no_secret() {
    let (doorward, mut running) = with_secrets(4);
    let mut killed = 0;
    // A rotation is killed after its intent is on record, and before the broker answers: there its rows are written.
    let began = Instant::now();
    let _ = doorward.run(&["tenant", "rotate-key", "local", "--json"], "").succeeded();
    let whole = began.elapsed();
    for round in 0..40_u32 {
        if round >= 8 && killed > 0 {
            break;
        }
        std::thread::scope(|scope| {
            let before = evidence_bytes(&doorward);
            let rotating = scope.spawn(|| doorward.run(&["tenant", "rotate-key", "local", "--json"], ""));
            while evidence_bytes(&doorward) == before && !rotating.is_finished() {
                std::hint::spin_loop();
            }
            let until = Instant::now() + whole * (round % 8) / 64;
            while Instant::now() < until && !rotating.is_finished() {
                std::hint::spin_loop();
            }
            running.kill_now();
            killed += u32::from(!rotating.join().unwrap().status.success());
        });
        let _ = running.kill9();
        running = doorward.start_up(&["--development"]);
        for number in 0..4 {
            let shown = answer(&running, &format!("secret.reveal?name=service/{number}"), b"");
            assert_eq!(shown["value"], format!("CANARY-{number}-value"), "round {round}");
        }
    }
    let rotated = doorward.run(&["tenant", "rotate-key", "local", "--json"], "").json();
    assert_eq!(rotated["status"], "rotated");
    assert_eq!(rotation(&doorward)["older"], 0);
    assert!(running.stop().success());
    assert!(killed > 0, "no round was killed in time");
    let _ = doorward.run(&["evidence", "verify"], "").succeeded();
}

// === a home of the format before ===

/// A home that a program of format 1 made (commit d31e15b): two stored secrets, one of them in two versions, a capability that
/// is over, a policy, and its evidence.
fn of_format_1() -> Doorward {
    let doorward = home();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/format-1");
    let data = doorward.data();
    for folder in [data.clone(), data.join("evidence"), data.join("integrations")] {
        store::files::private_folder(&folder).unwrap();
    }
    for name in ["home.db", "key", "evidence/00000000000000000000.journal"] {
        let bytes = std::fs::read(from.join(name)).unwrap();
        store::files::replace(&data.join(name), &bytes, 0o600).unwrap();
    }
    // What a key file names is where the fixture was made, so it is told where it is now.
    let paper = std::fs::read_to_string(from.join("recovery")).unwrap();
    let key = format!("key-file:{}", text(&data.join("key")));
    let _ = doorward.run(&["recovery", "restore", "--key-provider", &key], paper).succeeded();
    doorward
}

#[test]
fn a_home_of_format_1_is_opened_and_all_of_it_reads() {
    let doorward = of_format_1();
    let running = doorward.start_up(&["--development"]);
    let listed = answer(&running, "secret.list", b"");
    let secrets = listed["secrets"].as_array().unwrap();
    let known: Vec<_> =
        secrets.iter().map(|row| (row["name"].as_str().unwrap(), row["current"].as_u64().unwrap())).collect();
    assert_eq!(known, [("shown/token", 1), ("slack/token", 2)]);
    let shown = answer(&running, "secret.reveal?name=shown/token", b"");
    assert_eq!(shown["value"], "CANARY-format-one-shown");
    let _ = answer(&running, "secret.rotate?name=slack/token", b"CANARY-format-two");
    assert!(answer(&running, "policy.list", b"")["policies"].to_string().contains("mine"));
    assert!(running.stop().success());
    let verified = doorward.run(&["evidence", "verify", "--json"], "").json();
    assert_eq!(verified["verified"], true);
    assert!(verified["records"].as_u64().unwrap() > 30, "the old records are there: {verified}");
    let evidence = doorward.run(&["evidence", "list", "--json"], "").succeeded();
    assert!(evidence.contains("secret.put") && evidence.contains("capability.request"), "{evidence}");
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/format-1/evidence.pub");
    let key = doorward.run(&["evidence", "key"], "").succeeded();
    assert_eq!(key.trim(), std::fs::read_to_string(from).unwrap().trim());
    let _ = doorward.run(&["tenant", "create", "acme_inc"], "").succeeded();
    let _ = doorward.run(&["tenant", "rotate-key", "local"], "").succeeded();
    assert_eq!(rotation(&doorward)["left"], 0);
}

#[test]
fn a_home_of_a_later_format_is_refused_and_left_as_it_is() {
    let doorward = of_format_1();
    let path = doorward.data().join("home.db");
    // The format is the `user_version` of SQLite, four bytes at 60 of the file's head.
    let mut bytes = std::fs::read(&path).unwrap();
    assert!(u32::from_be_bytes(bytes[60..64].try_into().unwrap()) >= 2, "it was brought to this format");
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    store::files::replace(&path, &bytes, 0o600).unwrap();
    for words in [&["up", "--gateway", "127.0.0.1:0"][..], &["secret", "list"], &["key-provider", "show"]] {
        let refused = doorward.run(words, "").failed_with(1);
        assert!(refused.contains("the database has format 99, this program knows"), "{refused}");
    }
    assert!(std::fs::read(&path).unwrap() == bytes, "nothing was changed");
}
