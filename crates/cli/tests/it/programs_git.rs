//! Git in a repository whose own configuration names programs: none of them finds a credential.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use testkit::{Doorward, canary, certificate};

use crate::{has_sandbox, home, write, write_integration};

/// A host of repositories that wants a password, and writes down who came.
const HOST: &str = r#"
import base64, http.server, ssl, sys
class Host(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        given = self.headers.get("authorization")
        if not given:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="host"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        open(sys.argv[3], "a").write(base64.b64decode(given.split()[1]).decode() + "\n")
        line = b"1" * 40 + b" refs/heads/main\0side-band-64k\n"
        told = b"001e# service=git-upload-pack\n0000" + b"%04x" % (len(line) + 4) + line + b"0000"
        self.send_response(200)
        self.send_header("Content-Type", "application/x-git-upload-pack-advertisement")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)
    def do_POST(self):
        self.send_error(500)
    def log_message(self, *words):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Host)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
"#;

struct Host(Child, u16);

impl Host {
    fn start(folder: &Path) -> Self {
        let (cert, key) = certificate::own_authority("localhost");
        let file = |name: &str, text: &str| {
            write(folder.join(name), text);
            folder.join(name)
        };
        let (cert, key) = (file("cert.pem", &cert), file("key.pem", &key));
        let mut command = Command::new("python3");
        command.args(["-c", HOST]).args([cert, key, folder.join("seen")]);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("python3 is there");
        let mut port = String::new();
        let _ = BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Self(child, port.trim().parse().unwrap())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A repository that names a program wherever Git takes one. Each copies what it finds beside Git's own configuration.
fn repository(doorward: &Doorward, port: u16) -> PathBuf {
    let folder = doorward.folder().join("work/repository");
    fs::create_dir_all(&folder).unwrap();
    let git = |words: &[&str]| {
        let mut command = Command::new("git");
        command.current_dir(&folder).args(words).env("HOME", doorward.folder());
        assert!(command.output().unwrap().status.success(), "{words:?}");
    };
    let steal =
        |name: &str| format!("cat \"$(dirname \"$GIT_CONFIG_GLOBAL\")/.git-credentials\" > stolen-{name}; :");
    git(&["init", "--quiet"]);
    write(folder.join("a.txt"), "hello\n");
    write(folder.join(".gitattributes"), "*.txt filter=x\n");
    let filter = format!("{} ; cat", steal("filter").trim_end_matches("; :"));
    git(&["config", "filter.x.clean", &filter]);
    git(&["config", "filter.x.smudge", &filter]);
    git(&["config", "core.sshCommand", &steal("ssh")]);
    git(&["config", "core.alternateRefsCommand", &steal("alternates")]);
    git(&["config", "core.fsmonitor", &steal("monitor")]);
    git(&["config", "core.askPass", &steal("ask")]);
    git(&["config", "gpg.program", &steal("gpg")]);
    git(&["config", "push.gpgSign", "true"]);
    git(&["config", "gc.auto", "1"]);
    git(&["config", "credential.helper", &format!("!{}", steal("helper"))]);
    let host = format!("https://localhost:{port}");
    git(&["config", &format!("credential.{host}.helper"), &format!("!{}", steal("host"))]);
    git(&["config", &format!("credential.{host}/a/b.git.helper"), &format!("!{}", steal("path"))]);
    git(&["remote", "add", "origin", &format!("{host}/a/b.git")]);
    git(&["remote", "add", "ssh", "ssh://localhost/a"]);
    git(&["remote", "add", "ext", &format!("ext::sh -c {}", steal("ext").replace(' ', "% "))]);
    git(&["remote", "add", "file", &format!("file://{}", folder.display())]);
    folder
}

#[test]
fn what_a_repository_names_never_finds_the_credential() {
    if !has_sandbox("programs-git") {
        return;
    }
    let (doorward, token) = (home(), canary::plant("git-token"));
    let host = Host::start(doorward.folder());
    let folder = repository(&doorward, host.1);
    let _ = doorward.run(&["init", "--recovery-out", "recovery.txt"], "").succeeded();
    let work = doorward.folder().join("work");
    write(
        doorward.data().join("settings.toml"),
        &format!("[operations]\nfolders = [\"{}\"]\n", work.display()),
    );
    let address = format!(
        "base_url: https://localhost:{}\ndangerous_allow_private: true\ntls: {{ca: {}}}\n",
        host.1,
        doorward.folder().join("cert.pem").display()
    );
    write_integration(&doorward, &format!("name: git\nextends: git\n{address}"));
    let run = |operation: &str, inputs: &[&str]| {
        let repository = format!("repository={}", folder.display());
        let mut words = vec!["op", "run", operation, "--json", "--input", &repository];
        words.extend(inputs.iter().flat_map(|input| ["--input", input]));
        doorward.run(&words, "")
    };
    // What needs no host needs no credential either: none is there yet.
    assert_eq!(run("git.add", &["paths=a.txt"]).json()["exit"], 0);
    assert_eq!(run("git.status", &[]).json()["exit"], 0);
    let _ = doorward.run(&["secret", "put", "git/token"], &token).succeeded();
    for (operation, input) in [("git.add", "paths=a.txt"), ("git.commit", "message=one")] {
        assert_eq!(run(operation, &[input]).json()["exit"], 0, "{operation}");
    }
    // Whoever may only look has nothing written by a filter that the repository names, which its own program starts.
    let _ = fs::remove_file(folder.join("stolen-filter"));
    write(folder.join("a.txt"), "jello\n");
    assert_eq!(run("git.status", &[]).json()["exit"], 0);
    assert!(!folder.join("stolen-filter").exists());
    let mut said = String::new();
    for remote in ["origin", "ssh", "ext", "file"] {
        let told = run("git.fetch", &[&format!("remote={remote}")]);
        assert!(!told.status.success(), "{remote}: {}", told.stdout);
        said.push_str(&told.stdout);
    }
    let _ = run("git.push", &["branch=main"]);
    // The host asked for a credential, and nobody here had one.
    assert!(said.contains("could not read Username"), "{said}");
    assert!(!doorward.folder().join("seen").exists());
    let left: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for name in left.iter().filter(|name| name.starts_with("stolen")) {
        assert_eq!(fs::read_to_string(folder.join(name)).unwrap(), "", "{name}");
    }
}
