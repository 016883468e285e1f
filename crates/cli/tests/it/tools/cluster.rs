//! A real API server of Kubernetes with the store beneath it. No pods run there, for nothing runs them; objects, versions and rights are real.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::{Doorward, port};

use super::{PATIENCE, Started, has, installed};
use crate::place::KUBERNETES;
use crate::{has_sandbox, write, write_integration};

/// A running one.
pub(super) struct Cluster {
    url: String,
    tools: PathBuf,
    folder: tempfile::TempDir,
    /// In the order in which they are ended.
    _servers: [Started; 2],
}

/// Who may do everything there; never given to Doorward.
const ADMIN: &str = "admin-of-the-test";
const NAME: &str = "tools-kubernetes";

impl Cluster {
    /// Starts one in which `token` is known as the user `doorward`, who may do nothing yet. `None` where that can't be on this machine.
    pub(super) fn start(token: &str) -> Option<Self> {
        let tools = installed(KUBERNETES, NAME)?.join("bin");
        if !has("etcd", NAME) || !has_sandbox(NAME) {
            return None;
        }
        let folder = tempfile::Builder::new().prefix("dw-kube-").tempdir_in("/tmp").unwrap();
        let at = folder.path();
        let (certificate, key) = testkit::certificate::self_signed("service-accounts");
        write(at.join("accounts.pem"), &certificate);
        write(at.join("accounts.key"), &key);
        write(at.join("tokens.csv"), &format!("{ADMIN},admin,1,\"system:masters\"\n{token},doorward,2\n"));
        let (store, peers) = (format!("http://127.0.0.1:{}", port()), format!("http://127.0.0.1:{}", port()));
        let mut etcd = Command::new("etcd");
        etcd.arg("--data-dir").arg(at.join("etcd")).args([
            "--listen-client-urls",
            &store,
            "--advertise-client-urls",
            &store,
        ]);
        etcd.args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers]);
        etcd.args(["--initial-cluster", &format!("default={peers}")]);
        let etcd = Started::new(at, "etcd", etcd);
        let secure = port();
        let mut server = Command::new(tools.join("apiserver"));
        server.current_dir(at).args([
            &format!("--etcd-servers={store}"),
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            &format!("--secure-port={secure}"),
            "--cert-dir=certificates",
            "--service-account-key-file=accounts.pem",
            "--service-account-signing-key-file=accounts.key",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--api-audiences=api",
            "--authorization-mode=RBAC",
            "--token-auth-file=tokens.csv",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--disable-admission-plugins=ServiceAccount",
            "--endpoint-reconciler-type=none",
        ]);
        let mut server = Started::new(at, "apiserver", server);
        let url = format!("https://127.0.0.1:{secure}");
        let probe = |at: &Path| kubectl(&tools, at, &url).args(["get", "--raw=/readyz"]).output();
        server.until("the API server", || probe(at).is_ok_and(|asked| asked.status.success()));
        Some(Self { url, tools, _servers: [server, etcd], folder })
    }

    /// The programs that were built beside it.
    pub(super) fn tools(&self) -> &Path {
        &self.tools
    }

    /// A file with which a server that belongs to this cluster may do everything in it.
    pub(super) fn for_servers(&self) -> PathBuf {
        let file = self.folder.path().join("admin.kubeconfig");
        let ca = self.folder.path().join("certificates/apiserver.crt");
        let cluster = format!("{{server: \"{}\", certificate-authority: \"{}\"}}", self.url, ca.display());
        write(
            &file,
            &format!(
                "apiVersion: v1\nkind: Config\ncurrent-context: it\nclusters: [{{name: it, cluster: {cluster}}}]\n\
                 users: [{{name: it, user: {{token: {ADMIN}}}}}]\n\
                 contexts: [{{name: it, context: {{cluster: it, user: it, namespace: argocd}}}}]\n"
            ),
        );
        file
    }

    /// What whoever may do everything says by kubectl, outside of Doorward.
    #[track_caller]
    pub(super) fn admin(&self, args: &[&str]) -> String {
        let said = kubectl(&self.tools, self.folder.path(), &self.url).args(args).output().unwrap();
        assert!(said.status.success(), "{args:?}: {}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8(said.stdout).unwrap()
    }

    /// Waits until a path of the API speaks of all these: kinds that were added are served a moment later.
    pub(super) fn until_it_serves(&self, path: &str, words: &[&str]) {
        let began = Instant::now();
        let said = || {
            let raw = format!("--raw={path}");
            let said = kubectl(&self.tools, self.folder.path(), &self.url).args(["get", &raw]).output();
            String::from_utf8_lossy(&said.unwrap().stdout).into_owned()
        };
        while !words.iter().all(|word| said().contains(word)) {
            assert!(began.elapsed() < PATIENCE, "{path} is not served");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// An object as it is now.
    #[track_caller]
    pub(super) fn object(&self, kind: &str, name: &str) -> Value {
        serde_json::from_str(&self.admin(&["--namespace=web", "get", kind, name, "--output=json"])).unwrap()
    }

    /// Writes an integration that extends a built-in one, for this server.
    pub(super) fn integration(&self, doorward: &Doorward, name: &str, extends: &str, more: &str) {
        let ca = self.folder.path().join("certificates/apiserver.crt");
        write_integration(
            doorward,
            &format!(
                "name: {name}\nextends: {extends}\nbase_url: {}\ndangerous_allow_private: true\ntls: {{ca: {}}}\n{more}",
                self.url,
                ca.display()
            ),
        );
    }
}

fn kubectl(tools: &Path, at: &Path, url: &str) -> Command {
    let mut command = Command::new(tools.join("kubectl"));
    command.env("HOME", at).env("KUBECONFIG", "/dev/null");
    let server = format!("--server={url}");
    command.args([server.as_str(), "--token", ADMIN]);
    command.arg(format!("--certificate-authority={}", at.join("certificates/apiserver.crt").display()));
    command
}
