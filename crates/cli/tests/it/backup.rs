//! Homes that are copied and come back, also beside a running broker, and copies that are refused.

use std::path::Path;

use testkit::Doorward;

use crate::home;

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn put(path: &Path, bytes: &[u8]) {
    store::files::replace(path, bytes, 0o600).unwrap();
}

/// A home with a secret, a policy of the user's and a capability, and a backup of it, taken while a broker runs.
fn taken(flags: &[&str]) -> (Doorward, String) {
    let doorward = home();
    let canary = doorward.plant("backup");
    let running = doorward.start_up(&[]);
    let _ = doorward.run(&["secret", "put", "slack/token"], &canary).succeeded();
    let _ = doorward
        .run(&["capability", "request", "--for", "ci", "--integrations", "slack", "--expires", "1h"], "")
        .succeeded();
    let folder = text(&doorward.folder().join("copy"));
    let mut words = vec!["backup", &folder, "--json"];
    words.extend(flags);
    let document = doorward.run(&words, "").json();
    assert_eq!(document["status"], "taken");
    assert!(document["records"].as_u64().unwrap() >= 2, "{document}");
    assert!(running.stop().success());
    (doorward, folder)
}

/// Another home on the same machine.
fn elsewhere(doorward: &Doorward, name: &str) -> String {
    text(&doorward.folder().join(name))
}

#[test]
fn what_was_taken_beside_a_broker_comes_back_with_secrets_and_evidence() {
    let (doorward, folder) = taken(&["--with-key"]);
    let other = elsewhere(&doorward, "other");
    let checked = doorward.run(&["--home", &other, "restore", &folder, "--check", "--json"], "").json();
    assert_eq!(checked["status"], "whole");
    assert!(!Path::new(&other).exists(), "a check makes nothing");
    let _ = doorward.run(&["--home", &other, "restore", &folder], "").succeeded();

    let listed = doorward.run(&["--home", &other, "secret", "list", "--json"], "").succeeded();
    assert!(listed.contains("slack/token"), "{listed}");
    let verified = doorward.run(&["--home", &other, "evidence", "verify", "--json"], "").json();
    assert_eq!(verified["verified"], true);
    let capabilities = doorward.run(&["--home", &other, "capability", "list", "--json"], "").succeeded();
    assert!(capabilities.contains("\"ci\""), "{capabilities}");
    doorward.assert_no_canary();
}

#[test]
fn without_the_key_file_a_copy_opens_by_the_recovery_key_alone() {
    let doorward = home();
    let recovery = doorward.run(&["init"], "").succeeded();
    let _ = doorward.run(&["secret", "put", "slack/token"], "xoxb-CANARY-recovered").succeeded();
    let folder = elsewhere(&doorward, "copy");
    let _ = doorward.run(&["backup", &folder], "").succeeded();
    assert!(!Path::new(&folder).join("key").exists());
    let other = elsewhere(&doorward, "other");
    let said = doorward.run(&["--home", &other, "restore", &folder], "").succeeded();
    assert!(said.contains("recovery restore"), "{said}");
    // The home remembers where its key file was; another machine has none there.
    std::fs::remove_file(doorward.data().join("key")).unwrap();
    let _ = doorward.run(&["--home", &other, "secret", "list"], "").failed_with(1);
    let key = elsewhere(&doorward, "fresh-key");
    let _ =
        doorward.run(&["--home", &other, "recovery", "restore", "--key-file", &key], &recovery).succeeded();
    let listed = doorward.run(&["--home", &other, "secret", "list"], "").succeeded();
    assert!(listed.contains("slack/token"), "{listed}");
}

#[test]
fn a_copy_that_was_changed_anywhere_is_refused_and_nothing_is_made() {
    let (doorward, folder) = taken(&["--with-key"]);
    let other = elsewhere(&doorward, "other");
    let files = [vec!["home.db"], vec!["key"], vec!["evidence"]];
    for parts in files {
        let mut path = parts.iter().fold(Path::new(&folder).to_owned(), |path, part| path.join(part));
        if path.is_dir() {
            path = std::fs::read_dir(&path).unwrap().next().unwrap().unwrap().path();
        }
        let before = std::fs::read(&path).unwrap();
        let mut changed = before.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        put(&path, &changed);
        let said = doorward.run(&["--home", &other, "restore", &folder], "").failed_with(1);
        assert!(said.contains("was changed") && said.contains("hint:"), "{said}");
        put(&path, &before);
    }
    put(&Path::new(&folder).join("policies.cedar"), "permit(principal, action, resource);".as_bytes());
    let said = doorward.run(&["--home", &other, "restore", &folder], "").failed_with(1);
    assert!(said.contains("does not belong to it"), "{said}");
    std::fs::remove_file(Path::new(&folder).join("policies.cedar")).unwrap();

    let manifest = Path::new(&folder).join("manifest.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    put(&manifest, text.replace("\"format\": 1", "\"format\": 2").as_bytes());
    let said = doorward.run(&["--home", &other, "restore", &folder], "").failed_with(1);
    assert!(said.contains("form 2"), "{said}");
    put(&manifest, text.replace("\"home.db\"", "\"../home.db\"").as_bytes());
    let said = doorward.run(&["--home", &other, "restore", &folder], "").failed_with(1);
    assert!(said.contains("outside of it"), "{said}");
    put(&manifest, text.as_bytes());

    assert!(!Path::new(&other).exists());
    let left = std::fs::read_dir(doorward.folder()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(left.filter(|name| name.to_string_lossy().contains("partial")).count(), 0);
    let _ = doorward.run(&["--home", &other, "restore", &folder], "").succeeded();
}

#[test]
fn neither_a_backup_nor_a_home_is_written_over() {
    let (doorward, folder) = taken(&[]);
    let said = doorward.run(&["backup", &folder], "").failed_with(1);
    assert!(said.contains("there already"), "{said}");
    let said = doorward.run(&["restore", &folder], "").failed_with(1);
    assert!(said.contains("not empty") && said.contains("--home"), "{said}");
}

#[test]
fn a_home_with_its_key_file_opens_wherever_it_was_moved_or_restored() {
    let (doorward, folder) = taken(&["--with-key"]);
    let names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|found| found.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("home.db"))
        .collect();
    assert_eq!(names, ["home.db"]);
    let mode = std::fs::metadata(Path::new(&folder).join("home.db")).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
    let (other, moved) = (elsewhere(&doorward, "other"), elsewhere(&doorward, "moved"));
    let _ = doorward.run(&["--home", &other, "restore", &folder], "").succeeded();
    let _ = doorward.run(&["--home", &other, "secret", "list"], "").succeeded();
    // Not by the key of the home that it was taken from, which is gone.
    std::fs::rename(doorward.data(), &moved).unwrap();
    for home in [&other, &moved] {
        let listed = doorward.run(&["--home", home, "secret", "list", "--json"], "").succeeded();
        assert!(listed.contains("slack/token"), "{listed}");
        let opens = doorward.run(&["--home", home, "key-provider", "check", "--json"], "").json();
        assert_eq!(opens["status"], "opens");
    }
}

#[test]
fn a_backup_that_says_that_it_opens_opens_and_one_that_cannot_is_not_made() {
    let doorward = home();
    let key = elsewhere(&doorward, "key-of-the-home");
    let _ = doorward.run(&["init", "--key-file", &key], "").succeeded();
    let _ = doorward.run(&["secret", "put", "slack/token"], "xoxb-CANARY-carried").succeeded();
    let (copy, other) = (elsewhere(&doorward, "copy"), elsewhere(&doorward, "other"));
    let document = doorward.run(&["backup", &copy, "--with-key", "--json"], "").json();
    assert_eq!(document["with_key"], true);
    std::fs::rename(&key, format!("{key}.away")).unwrap();
    let restored = doorward.run(&["--home", &other, "restore", &copy, "--json"], "").json();
    assert_eq!(restored["with_key"], true);
    let listed = doorward.run(&["--home", &other, "secret", "list"], "").succeeded();
    assert!(listed.contains("slack/token"), "{listed}");

    // Without the file, or with another one at its place, nothing is made that would say so.
    let second = elsewhere(&doorward, "second");
    let said = doorward.run(&["backup", &second, "--with-key"], "").failed_with(1);
    assert!(said.contains("--with-key") && said.contains("key-of-the-home"), "{said}");
    put(Path::new(&key), "0".repeat(64).as_bytes());
    let _ = doorward.run(&["backup", &second, "--with-key"], "").failed_with(1);
    assert!(!Path::new(&second).exists());
}

#[test]
fn what_no_file_opens_has_no_key_to_copy() {
    let doorward = home();
    let _ = doorward
        .run(&["init", "--passphrase"], "correct horse battery staple\ncorrect horse battery staple\n")
        .succeeded();
    let copy = elsewhere(&doorward, "copy");
    let said = doorward.run(&["backup", &copy, "--with-key"], "").failed_with(1);
    assert!(said.contains("passphrase") && said.contains("hint:"), "{said}");
    assert!(!Path::new(&copy).exists());
    let document = doorward.run(&["backup", &copy, "--json"], "").json();
    assert_eq!(document["with_key"], false);
}

#[test]
fn a_restore_that_is_refused_leaves_no_copy() {
    let (doorward, folder) = taken(&["--with-key"]);
    let file = elsewhere(&doorward, "a-file");
    put(Path::new(&file), b"mine");
    let link = elsewhere(&doorward, "a-link");
    std::os::unix::fs::symlink("nowhere", &link).unwrap();
    for place in [&file, &link] {
        let said = doorward.run(&["--home", place, "restore", &folder], "").failed_with(1);
        assert!(said.contains("no folder") && said.contains("hint:"), "{said}");
    }
    let partial = std::fs::read_dir(doorward.folder()).unwrap().flatten();
    let partial = partial.filter(|file| file.file_name().to_string_lossy().contains("partial"));
    assert_eq!(partial.count(), 0);
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
}
