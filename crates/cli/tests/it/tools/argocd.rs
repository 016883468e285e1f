//! Argo CD's own program and API server, on a real API server of Kubernetes. No controller runs there: what a sync or a rollback
//! leaves is the order to do it, in the application.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use testkit::port;

use super::cluster::Cluster;
use super::{Started, Watch, done, has, installed, op, record, settings};
use crate::place::ARGOCD;
use crate::{home, write, write_integration};

const NAME: &str = "tools-argocd";
/// The administrator's password; never given to Doorward.
const ADMIN: &str = "admin-of-the-test";
const OLD: &str = "0123456789abcdef0123456789abcdef01234567";
const NEW: &str = "89abcdef0123456789abcdef0123456789abcdef";

/// A running one, of an administrator.
struct Argo {
    tools: PathBuf,
    folder: tempfile::TempDir,
    host: String,
    _servers: [Started; 2],
}

impl Argo {
    fn start(cluster: &Cluster, tools: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("dw-argo-").tempdir_in("/tmp").unwrap();
        let at = folder.path();
        let crds = tools.join("crds").display().to_string();
        for kind in ["application", "applicationset", "appproject"] {
            cluster.admin(&["create", "-f", &format!("{crds}/{kind}-crd.yaml")]);
        }
        cluster.until_it_serves("/apis/argoproj.io/v1alpha1", &["\"applications\"", "\"appprojects\""]);
        cluster.admin(&["create", "namespace", "argocd"]);
        let (certificate, key) = testkit::certificate::self_signed("localhost");
        write(at.join("server.pem"), &certificate);
        write(at.join("server.key"), &key);
        let hashed =
            command(&tools.join("bin/argocd"), at, &["account", "bcrypt", "--password", ADMIN]).output();
        let hashed = String::from_utf8(hashed.unwrap().stdout).unwrap();
        write(at.join("objects.json"), &objects(&certificate, &key, hashed.trim()).to_string());
        cluster.admin(&["create", "-f", &at.join("objects.json").display().to_string()]);
        let (cache, secure, metrics) = (port().to_string(), port().to_string(), port().to_string());
        let mut redis = Command::new("redis-server");
        redis.args(["--port", &cache, "--bind", "127.0.0.1", "--save", ""]).current_dir(at);
        let redis = Started::new(at, "redis", redis);
        let mut server = Command::new(tools.join("bin/server"));
        server.env("HOME", at).current_dir(at).args(["--address", "127.0.0.1", "--port", &secure]);
        server.args([
            "--metrics-port",
            &metrics,
            "--redis",
            &format!("127.0.0.1:{cache}"),
            "--namespace",
            "argocd",
        ]);
        server.args(["--repo-server", "127.0.0.1:1", "--disable-compression"]);
        server.arg("--kubeconfig").arg(cluster.for_servers());
        let mut server = Started::new(at, "argocd-server", server);
        let host = format!("localhost:{secure}");
        let argo = |args: &[&str]| command(&tools.join("bin/argocd"), at, args).output();
        let login = ["login", &host, "--username", "admin", "--password", ADMIN, "--skip-test-tls"];
        server.until("Argo CD", || argo(&login).is_ok_and(|said| said.status.success()));
        Self { tools: tools.to_owned(), folder, host, _servers: [server, redis] }
    }

    /// What the administrator says by the same program, outside of Doorward.
    #[track_caller]
    fn admin(&self, args: &[&str]) -> String {
        let said = command(&self.tools.join("bin/argocd"), self.folder.path(), args).output().unwrap();
        assert!(said.status.success(), "{args:?}: {}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8(said.stdout).unwrap()
    }
}

fn command(program: &Path, at: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.env("HOME", at).env("SSL_CERT_FILE", at.join("server.pem"));
    command.arg("--config").arg(at.join("admin.config")).arg("--grpc-web").args(args);
    command
}

/// What Argo CD keeps in its cluster: settings, accounts, rights, a project with a role, and one application that a controller
/// has brought up to date before.
fn objects(certificate: &str, key: &str, password: &str) -> Value {
    let part = json!({"app.kubernetes.io/part-of": "argocd"});
    let meta = |name: &str| json!({"name": name, "namespace": "argocd", "labels": part});
    let source = json!({"repoURL": "https://git.example/web.git", "path": "web", "targetRevision": NEW});
    let entry = |id: u8, revision: &str| json!({"id": id, "revision": revision, "source": source, "deployedAt": "2026-01-01T00:00:00Z"});
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta("argocd-cm"), "data": {"accounts.doorward": "apiKey"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta("argocd-rbac-cm"), "data": {"policy.csv":
            "p, doorward, applications, get, */*, allow\np, doorward, applications, sync, default/web, allow\n\
             p, doorward, projects, *, default, allow\n"}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": meta("argocd-secret"), "stringData": {
            "server.secretkey": "a key that signs sessions of this test", "admin.password": password,
            "admin.passwordMtime": "2026-01-01T00:00:00Z"}},
        {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": meta("argocd-server-tls"),
            "stringData": {"tls.crt": certificate, "tls.key": key}},
        {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": meta("default"), "spec": {
            "sourceRepos": ["*"], "destinations": [{"namespace": "*", "server": "*"}],
            "roles": [{"name": "ci", "policies": ["p, proj:default:ci, applications, get, default/*, allow"]}]}},
        {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": meta("web"), "spec": {
            "project": "default", "source": source,
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "web"}},
         "status": {"sync": {"status": "Synced", "revision": NEW}, "health": {"status": "Healthy"},
            "history": [entry(1, OLD), entry(2, NEW)], "reconciledAt": "2026-01-01T00:00:00Z"}},
        {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": meta("other"), "spec": {
            "project": "default", "source": source,
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "other"}}},
    ]})
}

#[expect(clippy::too_many_lines, reason = "one story, on servers that take seconds to start")]
#[test]
fn argocd_shows_waits_and_syncs_on_its_own_server() {
    let doorward = home();
    let Some(tools) = installed(ARGOCD, NAME) else { return };
    if !has("redis-server", NAME) {
        return;
    }
    let Some(cluster) = Cluster::start("nobody") else { return };
    let argo = Argo::start(&cluster, &tools);
    let token = argo.admin(&["account", "generate-token", "--account", "doorward"]).trim().to_owned();
    doorward.watch(&token);
    settings(&doorward, &[&tools.join("bin")], &[]);
    let ca = argo.folder.path().join("server.pem");
    write_integration(
        &doorward,
        &format!(
            "name: deploys\nextends: argocd\nbase_url: https://{}\ndangerous_allow_private: true\ntls: {{ca: {}}}\n",
            argo.host,
            ca.display()
        ),
    );
    let _ = doorward.run(&["init"], "").succeeded();
    let _ = doorward.run(&["secret", "put", "deploys/token"], &token).succeeded();
    let watch = Watch::for_secrets(&[&token]);

    let told = done(&doorward, "deploys.account.show", &[]);
    assert_eq!(
        (&told["used"], &told["evidence_fields"]["user"]),
        (&json!("cli"), &json!("doorward")),
        "{told}"
    );
    assert!(record(&doorward, &told).contains("/argocd\""));

    let told = done(&doorward, "deploys.apps.list", &[]);
    assert_eq!(told["evidence_fields"]["apps"], "other web", "{told}");

    let told = done(&doorward, "deploys.app.status", &[("app", "web")]);
    let fields = &told["evidence_fields"];
    assert_eq!((&fields["sync"], &fields["health"]), (&json!("Synced"), &json!("Healthy")), "{told}");
    assert_eq!((&fields["revision"], &fields["history"]), (&json!(NEW), &json!("2")));
    let _ = done(&doorward, "deploys.app.wait", &[("app", "web"), ("timeout", "60")]);

    // The order is there, and what was before and after is in the record.
    let sync = [("app", "web"), ("revision", OLD), ("background", "true")];
    let told = done(&doorward, "deploys.app.sync", &sync);
    assert_eq!(told["used"], "cli", "{told}");
    assert_eq!(told["evidence_fields"]["revision_before"], NEW);
    assert!(record(&doorward, &told).contains("history_after=2"));
    let ordered = |name: &str| -> Value {
        let said = cluster.admin(&["--namespace=argocd", "get", "application", name, "--output=json"]);
        serde_json::from_str(&said).unwrap()
    };
    assert_eq!(ordered("web")["operation"]["sync"]["revision"], OLD);
    assert_eq!(ordered("web")["operation"]["initiatedBy"]["username"], "doorward");

    // What the account may not is not done, whatever Doorward allows.
    let (told, was_done) = op(&doorward, "deploys.app.sync", &[("app", "other"), ("background", "true")]);
    assert!(!was_done && told["stderr"].as_str().unwrap().contains("permission denied"), "{told}");
    assert!(ordered("other")["operation"].is_null());

    // Without the program the same is sent as a request; the controller, if there were one, would have taken the first order.
    settings(&doorward, &[], &[]);
    let took = r#"[{"op": "remove", "path": "/operation"}]"#;
    cluster.admin(&["--namespace=argocd", "patch", "application", "web", "--type=json", "--patch", took]);
    let told = done(&doorward, "deploys.app.rollback", &[("app", "web"), ("history", "1")]);
    assert_eq!(told["used"], "http", "{told}");
    assert_eq!(ordered("web")["operation"]["sync"]["revision"], OLD);

    // A token that is made is not given away, and can be taken back by its time.
    let inputs = [("project", "default"), ("role", "ci"), ("seconds", "3600")];
    let told = done(&doorward, "deploys.project_token.create", &inputs);
    assert!(!told.to_string().contains("eyJ"), "{told}");
    let project = cluster.admin(&["--namespace=argocd", "get", "appproject", "default", "--output=json"]);
    let project: Value = serde_json::from_str(&project).unwrap();
    let issued = project["status"]["jwtTokensByRole"]["ci"]["items"][0]["iat"].to_string();
    settings(&doorward, &[&tools.join("bin")], &[]);
    let inputs = [("project", "default"), ("role", "ci"), ("issued", &issued)];
    let told = done(&doorward, "deploys.project_token.delete", &inputs);
    assert_eq!(told["used"], "cli");
    let project = cluster.admin(&["--namespace=argocd", "get", "appproject", "default", "--output=json"]);
    assert!(!project.contains(&issued), "{project}");

    watch.saw_nothing();
    doorward.assert_no_canary();
}
