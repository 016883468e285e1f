//! What is shipped beside the binary: images, manifests, alerts. Files are read as the program reads them, scripts are run.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use testkit::{Doorward, Output, Running};

use crate::home;
use crate::written::{below, root};

#[test]
fn shipped_files_are_well_formed() {
    let mut seen = BTreeSet::new();
    let mut files = below("deploy");
    files.extend(below(".github"));
    files.push(root().join("book.toml"));
    for file in files {
        let kind = file.extension().unwrap_or_default().to_string_lossy().into_owned();
        // A template is YAML only when it was filled in.
        if file.components().any(|part| part.as_os_str() == "templates") {
            continue;
        }
        let shown = file.display().to_string();
        match kind.as_str() {
            "yaml" | "yml" => assert!(!documents(&file).is_empty(), "{shown}"),
            "json" => assert!(serde_json::from_str::<Value>(&text(&file)).is_ok(), "{shown}"),
            "toml" => assert!(toml::from_str::<toml::Table>(&text(&file)).is_ok(), "{shown}"),
            _ => continue,
        }
        let _ = seen.insert(kind);
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["json", "toml", "yaml", "yml"]);
}

#[test]
fn configurations_that_are_shipped_are_valid_and_name_who_may_have_what() {
    let doorward = home();
    let manifests = ["kubernetes/sidecar.yaml", "kubernetes/daemonset.yaml"].map(|name| {
        let maps = documents(&root().join("deploy").join(name));
        let mut maps = maps.into_iter().filter(|document| document["kind"] == "ConfigMap");
        let (agent, policy) = (maps.next().unwrap(), maps.next().unwrap());
        [agent["data"]["agent.yaml"].clone(), policy["data"]["app.yaml"].clone()]
    });
    let compose = documents(&root().join("deploy/compose.yaml")).remove(0);
    let configs = ["agent", "policy"].map(|name| compose["configs"][name]["content"].clone());
    for (number, [agent, policy]) in manifests.into_iter().chain([configs]).enumerate() {
        let folder = doorward.folder().join(number.to_string());
        std::fs::create_dir_all(folder.join("policies")).unwrap();
        let file = folder.join("agent.yaml");
        crate::write(&file, agent.as_str().unwrap());
        crate::write(folder.join("policies/app.yaml"), policy.as_str().unwrap());
        let mut check = doorward.command_as("vault");
        check.args(["agent", "config", "--validate", "--config"]).arg(&file);
        let told = doorward.run_command(check, "").succeeded();
        assert!(told.ends_with("Configuration is valid\n") && !told.contains("no effect"), "{told}");
        for (action, allowed) in [("read", true), ("write", false)] {
            let mut asked = doorward.command();
            asked.args(["policy", "check-files"]).arg(folder.join("policies"));
            asked.args(["--resource", "secret:/db/primary", "--as", "app", "--action", action]);
            assert_eq!(doorward.run_command(asked, "").status.success(), allowed, "{number} {action}");
        }
        assert!(agent.as_str().unwrap().contains("{name: app, uid: 10001, foreign: true}"));
    }
}

#[test]
fn the_entry_point_of_the_image_starts_the_agent_however_it_is_asked() {
    let image = Image::new();
    let mut recovery = None;
    for words in [&["start"][..], &["agent", "start"], &["vault", "agent", "start", "--mode", "standard"]] {
        let running = image.start(words, "127.0.0.1:0");
        assert_eq!(running.socket, image.at("pod/agent.sock"));
        assert!(image.run(&["status"]).succeeded().contains("Running: true"));
        let told =
            image.run(&["capability", "request", "--resource", "secret:/db/primary", "--action", "read"]);
        assert!(told.succeeded().contains("Status: granted"), "the policy of the image's folder is read");
        assert!(running.stop().success());
        // The home is made once, and the key is where the orchestrator's file was copied to.
        let kept = text(&image.at("var/recovery"));
        assert_eq!(*recovery.get_or_insert_with(|| kept.clone()), kept);
        assert_eq!(text(&image.at("run/key")), KEY);
        assert_eq!(std::fs::metadata(image.at("run/key")).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!image.at("var/home/key").exists());
    }
}

#[test]
fn the_entry_point_of_the_image_starts_the_gateway_with_the_integrations_that_were_mounted() {
    let image = Image::new();
    let notes = "name: notes\nbase_url: https://notes.example\nsecrets: {token: {title: Key}}\n\
                 auth: [{scheme: bearer, secret: token}]\nlimits: {connect: 30s, head: 60s, total: 2m, idle: 60s}\n\
                 probe: {request: GET /notes, expect: {status: 200}}\noperations:\n  notes.list:\n    title: List\n    \
                 access: read\n    risk: low\n    match: {method: GET, path: /notes}\n";
    crate::write(image.at("etc/doorward/integrations/notes.yaml"), notes);
    // A start that was killed in the middle of making the home is made good for.
    std::fs::create_dir_all(image.at("var/home")).unwrap();
    crate::write(image.at("var/home/home.db"), "");
    crate::write(image.at("var/recovery"), "DWR1-of-nothing\n");
    let lists_notes = || {
        let mut up = image.entry(&["up", "--json"]);
        up.env("DOORWARD_GATEWAY", "127.0.0.1:0").env("DOORWARD_ADMIN", "127.0.0.1:0");
        let running = image.doorward.start(up);
        let mut list = image.command("doorward");
        list.args(["integration", "list", "--json"]);
        let listed = image.doorward.run_command(list, "").succeeded();
        assert!(running.stop().success());
        listed.contains("\"notes\"")
    };
    assert!(lists_notes());
    assert_eq!(text(&image.at("var/recovery.before")), "DWR1-of-nothing\n");
    let recovery = text(&image.at("var/recovery"));
    // One that is mounted no more is served no more; one that somebody put into the home stays.
    crate::write(image.at("var/home/integrations/own.yaml"), &notes.replace("name: notes", "name: own"));
    std::fs::remove_file(image.at("etc/doorward/integrations/notes.yaml")).unwrap();
    assert!(!lists_notes());
    assert!(image.at("var/home/integrations/own.yaml").exists());
    assert_eq!(text(&image.at("var/recovery")), recovery);
}

#[test]
fn an_application_waits_for_the_agent_and_becomes_its_program() {
    let image = Image::new();
    let app = |words: &[&str]| {
        let mut command = image.command("sh");
        command.arg(root().join("deploy/images/app/entrypoint.sh")).args(words).env("VAULT_AGENT_WAIT", "1");
        image.doorward.run_command(command, "")
    };
    assert!(app(&[]).failed_with(2).contains("no program was given"));
    assert!(app(&["true"]).failed_with(1).contains("there is no socket of an agent"));
    let running = image.start(&["start"], "off");
    assert_eq!(app(&["sh", "-c", "echo begun; exit 7"]).status.code(), Some(7));
    assert!(app(&["vault", "capability", "status"]).succeeded().contains("Uptime"));
    assert!(running.stop().success());
}

#[test]
fn numbers_that_alerts_and_the_dashboard_name_exist() {
    let doorward = home();
    let running = doorward.start_up(&["--admin", "127.0.0.1:0"]);
    let mut asked = Command::new("curl");
    asked.args([
        "-s",
        &format!("{}/metrics", running.ready["admin"].as_str().unwrap().trim_end_matches("/status")),
    ]);
    let shown = doorward.run_command(asked, "").succeeded();
    assert!(running.stop().success());
    let named = regex::Regex::new("(doorward|vault_agent)_[a-z_]+").unwrap();
    let mut seen = BTreeSet::new();
    for file in ["prometheus/rules.yaml", "grafana/dashboard.json"] {
        let text = text(&root().join("deploy").join(file));
        seen.extend(named.find_iter(&text).map(|found| found.as_str().to_owned()));
    }
    assert!(seen.len() > 10, "{seen:?}");
    for name in seen {
        let family = name.trim_end_matches("_bucket").trim_end_matches("_total");
        let there = shown.contains(&format!("# TYPE {family} ")) || LATER.contains(&family);
        assert!(there, "`{name}` is in no answer of `/metrics`:\n{shown}");
    }
}

/// Families that are shown from their first member on.
const LATER: [&str; 3] = ["doorward_breaker_open", "doorward_calls", "doorward_refusals"];
const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// The folders of an image, somewhere else.
struct Image {
    doorward: Doorward,
}

impl Image {
    fn new() -> Self {
        let image = Self { doorward: home() };
        for folder in ["var", "run", "etc/aether-vault/policies", "etc/doorward/integrations"] {
            std::fs::create_dir_all(image.at(folder)).unwrap();
        }
        crate::write(image.at("etc/key"), KEY);
        let policy = "id: app\nrules:\n  - {id: read, effect: allow, resources: ['secret:/db/primary'], actions: [read], identities: ['*']}\n";
        crate::write(image.at("etc/aether-vault/policies/app.yaml"), policy);
        // A folder of a pod, which everybody in it may write.
        std::fs::create_dir_all(image.at("pod")).unwrap();
        std::fs::set_permissions(image.at("pod"), std::fs::Permissions::from_mode(0o777)).unwrap();
        image
    }

    fn at(&self, path: &str) -> PathBuf {
        self.doorward.folder().join(path)
    }

    /// A program in the image's environment, in which `doorward` and `vault` are the binary under test.
    fn command(&self, program: &str) -> Command {
        let paths = ["vault", "doorward"].map(|name| self.doorward.command_as(name));
        let mut command =
            Command::new(if program == "sh" { "sh".into() } else { self.at("bin").join(program) });
        command.env_clear().current_dir(self.doorward.folder());
        let path = paths[0].get_envs().find(|(name, _)| *name == "PATH").unwrap().1.unwrap().to_owned();
        command.env("PATH", path).env("HOME", self.at("var")).env("DOORWARD_HOME", self.at("var/home"));
        command.env("DOORWARD_RUNTIME", self.at("run")).env("DOORWARD_ETC", self.at("etc"));
        command.env("DOORWARD_KEY_FILE", self.at("etc/key"));
        command.env("VAULT_AGENT_SOCKET_PATH", self.at("pod/agent.sock"));
        command.env("VAULT_AGENT_DANGEROUS_SHARED_FOLDER", "true");
        command
    }

    fn entry(&self, words: &[&str]) -> Command {
        let mut command = self.command("sh");
        command.arg(root().join("deploy/images/agent/entrypoint.sh")).args(words);
        command
    }

    /// An agent that is ready, started by the entry point.
    #[track_caller]
    fn start(&self, words: &[&str], metrics: &str) -> Running {
        let mut entry = self.entry(words);
        entry.args(["--format", "json"]).env("AGENT_METRICS", metrics);
        self.doorward.start(entry)
    }

    #[track_caller]
    fn run(&self, words: &[&str]) -> Output {
        self.doorward.run_command(self.entry(words), "")
    }
}

fn text(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The documents of a YAML file.
#[track_caller]
fn documents(file: &Path) -> Vec<Value> {
    let (text, shown) = (text(file), file.display().to_string());
    let parts = text
        .split("\n---\n")
        .filter(|part| part.lines().any(|line| !line.starts_with('#') && !line.is_empty()));
    parts.map(|part| catalog::yaml::read(part, &shown).unwrap_or_else(|error| panic!("{error}"))).collect()
}
