//! `doorward metadata gcp` and `azure`: Google's and Microsoft's own libraries get tokens that are minted from stored keys. The
//! token endpoints are `tests/sdk/python/fake_clouds.py`, which checks every signature.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use testkit::{Doorward, Output};

use crate::home;
use crate::place;

const OPS: &str = "ops@canary-project.iam.gserviceaccount.com";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The Python with the libraries. `None` when it isn't installed, on a kind of machine for which that is listed.
fn python() -> Option<PathBuf> {
    let folder = place::PYTHON.folder(&root()).unwrap().expect("HOME is set");
    if folder.is_dir() {
        return Some(folder.join("venv/bin/python"));
    }
    let listed = std::fs::read_to_string(root().join("docs/checks/not-here.toml")).unwrap();
    assert!(
        listed.contains("check = \"sdk-python\""),
        "the SDK for Python is not installed: run `cargo xtask setup`"
    );
    crate::skip("sdk-python", "the SDK is not installed");
    None
}

/// The two clouds, and a home with keys for them.
struct Scene {
    python: PathBuf,
    clouds: Child,
    address: String,
    folder: TempDir,
    doorward: Doorward,
}

impl Scene {
    fn start() -> Option<Self> {
        let python = python()?;
        let folder = tempfile::tempdir().unwrap();
        let fake = root().join("tests/sdk/python/fake_clouds.py");
        let mut clouds =
            Command::new(&python).arg(fake).arg(folder.path()).stdout(Stdio::piped()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(clouds.stdout.take().unwrap()).read_line(&mut address).unwrap();
        let scene = Self { python, clouds, address: address.trim().to_owned(), folder, doorward: home() };
        let _ = scene.doorward.run(&["init"], "").succeeded();
        for name in
            ["gcp", "gcp-stranger", "azure-secret", "azure-wrong", "azure-certificate", "azure-federated"]
        {
            let key = std::fs::read(scene.folder.path().join(format!("{name}.json"))).unwrap();
            let _ = scene.doorward.run(&["secret", "put", &format!("cloud/{name}")], key).succeeded();
        }
        Some(scene)
    }

    fn gcp(&self, key: &str, more: &[&str], program: &str) -> Output {
        let token = format!("{}/token", self.address);
        let places = ["--dangerous-token-endpoint", &token, "--dangerous-iam-endpoint", &self.address];
        self.run(&[&["metadata", "gcp", key], &places[..], more].concat(), program)
    }

    fn azure(&self, key: &str, more: &[&str]) -> Output {
        let place = ["--dangerous-authority", &self.address];
        self.run(&[&["metadata", "azure", key], &place[..], more].concat(), "azure_identity.py")
    }

    fn run(&self, words: &[&str], program: &str) -> Output {
        let mut command = self.doorward.command();
        command.args(words).arg("--").arg(&self.python).arg(root().join("tests/sdk/python").join(program));
        self.doorward.run_command(command, "")
    }

    /// What the clouds were asked, without what was sent.
    fn asked(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("asked")).unwrap_or_default()
    }

    fn evidence(&self, operation: &str) -> usize {
        let words = ["evidence", "list", "--operation", operation, "--json"];
        let listed = self.doorward.run(&words, "").json();
        listed["evidence"].as_array().map_or(0, Vec::len)
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = self.clouds.kill();
        let _ = self.clouds.wait();
    }
}

#[test]
fn google_auth_gets_tokens_of_a_stored_key() {
    let Some(scene) = Scene::start() else { return };
    let found = scene.gcp("cloud/gcp", &[], "gcp.py").succeeded();
    let lines: Vec<&str> = found.lines().collect();
    assert_eq!((lines[0], lines[1]), ("canary-project", "ya29-CANARY-1"), "{found}");
    assert_eq!(lines[2].split('.').count(), 3, "an identity token is a JWT: {found}");
    assert_eq!(scene.asked().matches("\"status\": 200").count(), 2, "{}", scene.asked());
    assert_eq!((scene.evidence("token.get"), scene.evidence("metadata.answer")), (2, 2));
}

#[test]
fn another_account_is_impersonated_where_google_allows_it() {
    let Some(scene) = Scene::start() else { return };
    let found = scene.gcp("cloud/gcp", &["--impersonate", OPS], "gcp.py").succeeded();
    assert_eq!(found.lines().nth(1), Some("ya29.ops-CANARY-2"), "{found}");
    let asked = scene.asked();
    assert!(asked.contains(":generateAccessToken") && asked.contains(":generateIdToken"), "{asked}");
    let refused =
        scene.gcp("cloud/gcp", &["--impersonate", "other@canary-project.iam.gserviceaccount.com"], "gcp.py");
    assert!(!refused.status.success(), "{refused:?}");
    assert!(refused.stderr.contains("PERMISSION_DENIED") || refused.stderr.contains("403"), "{refused:?}");
}

#[test]
fn a_key_that_google_does_not_know_gives_nothing() {
    let Some(scene) = Scene::start() else { return };
    let refused = scene.gcp("cloud/gcp-stranger", &[], "gcp.py");
    assert!(!refused.status.success() && refused.stdout.is_empty(), "{refused:?}");
    assert!(scene.asked().contains("\"status\": 400"), "{}", scene.asked());
    assert_eq!(scene.evidence("metadata.answer"), 0);
}

#[test]
fn azure_identity_gets_tokens_by_secret_certificate_and_federation() {
    let Some(scene) = Scene::start() else { return };
    assert_eq!(scene.azure("cloud/azure-secret", &[]).succeeded().trim(), "eyJ-CANARY-1");
    assert_eq!(scene.azure("cloud/azure-certificate", &[]).succeeded().trim(), "eyJ-CANARY-2");
    let file = scene.folder.path().join("federated");
    let more = ["--federated-token-file", file.to_str().unwrap()];
    assert_eq!(scene.azure("cloud/azure-federated", &more).succeeded().trim(), "eyJ-CANARY-3");
    assert!(scene.asked().contains("https://vault.azure.net/.default"), "{}", scene.asked());
    assert_eq!((scene.evidence("token.get"), scene.evidence("metadata.answer")), (3, 3));
}

#[test]
fn what_entra_refuses_is_told_and_gives_nothing() {
    let Some(scene) = Scene::start() else { return };
    let refused = scene.azure("cloud/azure-wrong", &[]);
    assert!(!refused.status.success() && refused.stdout.is_empty(), "{refused:?}");
    let said = scene.azure("cloud/azure-federated", &[]).failed_with(2);
    assert!(said.contains("--federated-token-file"), "{said}");
}

#[test]
fn a_secret_of_another_kind_is_refused_before_anything_is_sent() {
    let Some(scene) = Scene::start() else { return };
    let canary = scene.doorward.plant("slack");
    let _ = scene.doorward.run(&["secret", "put", "slack/token"], &canary).succeeded();
    let said = scene
        .doorward
        .run(&["metadata", "azure", "cloud/azure-secret", "--listen", "0.0.0.0:0", "--", "true"], "")
        .failed_with(1);
    assert!(said.contains("may not listen on"), "{said}");
    for (words, kind) in [
        (["metadata", "gcp", "slack/token", "--", "true"], "key file of a service account"),
        (["metadata", "azure", "slack/token", "--", "true"], "service principal"),
        (["metadata", "gcp", "cloud/azure-secret", "--", "true"], "key file of a service account"),
        (["metadata", "azure", "cloud/gcp", "--", "true"], "service principal"),
    ] {
        let said = scene.doorward.run(&words, "").failed_with(1);
        assert!(said.contains(kind), "{said}");
    }
    let said = scene.doorward.run(&["metadata", "gcp", "nosuch", "--", "true"], "").failed_with(1);
    assert!(said.contains("nosuch"), "{said}");
    assert_eq!(scene.asked(), "");
    scene.doorward.assert_no_canary();
}
