//! Planted secrets are in no output, no reply, no file, no log, no counter, no evidence, no environment and no argument
//! (promises S1, S5, S7).
//!
//! Each round is one random canary: it comes from the store, a variable or a file, is used by one of the schemes against an
//! upstream that sends it back in every way that it knows, and is typed wherever people put secrets by mistake. Everything
//! that comes back, and everything that lies around afterwards, is searched.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::TcpStream;
use std::process::Command;

use testkit::{Demand, Doorward, Running, Upstream, canary};

use crate::network_wire::{Reply, call, capability, gateway, operate};
use crate::{home, rounds, write, write_integration};

#[test]
fn torture_canaries_a_secret_is_in_no_output() {
    let all = usize::try_from(rounds(20)).unwrap();
    let (mut planted, mut replies) = (0, 0);
    while planted < all {
        let share = CANARIES_OF_A_HOME.min(all - planted);
        replies += plant_and_search(planted, share);
        planted += share;
    }
    println!("canaries: {planted} planted, {replies} replies of the gateway searched, none found");
}

/// One home with so many canaries; gives how many replies were searched.
fn plant_and_search(first: usize, share: usize) -> usize {
    let mut stage = Stage::set(first, share);
    stage.check_settings_by_mistake();
    let running = stage.start();
    stage.put(&running);
    let mut replies = 0;
    let token = capability(&running, "");
    for planted in &stage.planted {
        replies += planted.send_back(&running, &token);
        planted.present_by_mistake(&running, &token);
    }
    stage.type_by_mistake();
    stage.ask_everything();
    stage.search_process(&running);
    stage.search("while it runs");
    stage.seal(&running, &token);
    // Once as a crash leaves it, once as a stop leaves it.
    let _ = running.kill9();
    stage.search("after a crash");
    let running = stage.start();
    let reply = call(&running.gateway_url, "GET", &format!("/{}/echo", stage.planted[0].name), &token).unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(running.stop().success());
    stage.search("after a stop");
    replies
}

// === the stage ===

/// A canary, where it comes from, and who demands it.
struct Planted {
    name: String,
    canary: String,
    source: Source,
    upstream: Upstream,
    /// What the upstream does with `/echo`.
    base: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Store,
    Variable,
    File,
}

struct Stage {
    doorward: Doorward,
    /// Where files with secrets of the user's own lie: outside of what is searched.
    _outside: tempfile::TempDir,
    variables: BTreeMap<String, String>,
    planted: Vec<Planted>,
}

impl Stage {
    fn set(first: usize, share: usize) -> Self {
        let (doorward, outside) = (home(), tempfile::tempdir().unwrap());
        let mut variables = BTreeMap::new();
        let mut planted = Vec::new();
        for nth in first..first + share {
            let one = Planted::new(nth);
            let reference = match one.source {
                Source::Store => format!("store:c/{nth}"),
                Source::Variable => {
                    variables.insert(format!("PLANTED_{nth}"), one.canary.clone());
                    format!("env:PLANTED_{nth}")
                }
                Source::File => {
                    let path = outside.path().join(format!("{nth}.env"));
                    write(&path, &format!("# mounted\nOTHER=nothing\nKEY={}\n", one.canary));
                    format!("file:{}#KEY", path.display())
                }
            };
            doorward.watch(&one.canary);
            write_integration(&doorward, &one.integration(nth, &reference));
            planted.push(one);
        }
        Self { doorward, _outside: outside, variables, planted }
    }

    fn command(&self) -> Command {
        let mut command = self.doorward.command();
        command.envs(&self.variables);
        command
    }

    /// Runs the binary; what it prints is searched at once.
    fn run(&self, args: &[&str], stdin: &str) -> testkit::Output {
        let mut command = self.command();
        command.args(args);
        let output = self.doorward.run_command(command, stdin);
        for (stream, text) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            free_of_all(text.as_bytes(), &format!("{stream} of {:?}", args.first()));
            // A panic is printed with what it was about.
            assert!(!text.contains("panicked"), "{text}");
        }
        output
    }

    fn start(&self) -> Running {
        let mut command = self.command();
        command.args(["up", "--json", "--gateway", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]);
        command.args(["--verbose", "--verbose", "--log", "json", "--recovery-out", "recovery.txt"]);
        self.doorward.start(command)
    }

    fn put(&self, running: &Running) {
        for (nth, planted) in self.planted.iter().enumerate().filter(|(_, one)| one.source == Source::Store) {
            let name = planted.name.replacen('c', "c/", 1);
            if nth % 2 == 0 {
                let _ = self.run(&["secret", "put", &name], &format!("{}\n", planted.canary)).succeeded();
                let _ = self.run(&["secret", "rotate", &name], &planted.canary).succeeded();
            } else {
                let put = format!("secret.put?name={name}");
                let reply = operate(&running.socket, &put, planted.canary.as_bytes()).unwrap();
                planted.free(&reply, "what the socket said");
                assert_eq!(reply.status, 200, "{}", reply.text());
                let again = operate(&running.socket, &put, planted.canary.as_bytes()).unwrap();
                planted.free(&again, "a refusal of the socket");
                assert_eq!(again.status, 409, "{}", again.text());
            }
        }
    }

    // === by mistake ===

    /// A raw secret where a reference belongs, and other mistakes in files. They stop the start, or are told by `doctor`.
    fn check_settings_by_mistake(&mut self) {
        let canary = self.planted[0].canary.clone();
        let folder = self.doorward.data();
        let wrong = [
            format!("name: bad\nextends: slack\nsecrets:\n  token: '{canary}'\n"),
            format!("name: bad\nextends: slack\nsecrets:\n  token: 'store:{canary}\u{7}'\n"),
            format!("name: bad\nextends: slack\nsecrets:\n  '{canary}': env:X\n"),
            format!("name: bad\nextends: '{canary}'\n"),
            format!("name: bad\nextends: slack\nsecrets:\n  token: env:X\n{canary}\n"),
            format!("name: bad\nextends: slack\nauth:\n  - {{scheme: bearer, secret: '{canary}'}}\n"),
            format!("name: bad\nextends: slack\nheaders: {{'x y': '{canary}'}}\n"),
            format!("name: bad\nextends: slack\nbase_url: 'https://user:{canary}@slack.com'\n"),
        ];
        let _ = self.run(&["init", "--recovery-out", "recovery.txt"], "").succeeded();
        for text in wrong {
            let bad = folder.join("integrations/bad.yaml");
            write(&bad, &text);
            for command in [&["doctor"][..], &["up", "--gateway", "127.0.0.1:0"], &["secret", "list", "--json"]] {
                let output = self.run(command, "");
                assert!(!output.status.success(), "{command:?} takes\n{}", text.replace(&canary, "CANARY"));
            }
            std::fs::remove_file(&bad).unwrap();
        }
        let settings = folder.join("settings.toml");
        for text in [format!("{} = 1\n", canary.replace(['/', '+'], "_")), format!("environment = [\"{canary}\"]\n")] {
            write(&settings, &text);
            let output = self.run(&["up"], "");
            assert_eq!(output.status.code(), Some(2), "{}", output.stderr);
        }
        std::fs::remove_file(&settings).unwrap();
    }

    /// A secret typed where it does not belong.
    fn type_by_mistake(&self) {
        for planted in &self.planted {
            let canary = planted.canary.as_str();
            let reference = format!("token={canary}");
            for args in [
                &["secret", "put", "c/new", canary][..],
                &["secret", "put", canary],
                &["secret", "rotate", canary, "--json"],
                &["secret", "put", "c/new", "--value", canary],
                &["secret", "put", "c/new", &format!("--value={canary}"), "--json"],
                &["integration", "add", "slack", "--name", "work", "--secret", &reference],
                &["integration", "add", "slack", "--name", "work", "--secret", canary],
            ] {
                assert_eq!(self.run(args, "").status.code(), Some(2), "{:?}", &args[..2]);
            }
            for args in [
                &["capability", "validate", "-"][..],
                &["capability", "validate", "-", "--json"],
                &["capability", "narrow", "--expires", "5m"],
                &["capability", "use", "--capability", "-", "--integration", "slack", "GET", "/"],
                &["policy", "put", "p", "-"],
                &["policy", "test", "-"],
                &["recovery", "drill"],
                &["evidence", "verify", "-", "--key", "doorward/local+00000000+AAAA"],
            ] {
                assert!(!self.run(args, canary).status.success(), "{args:?}");
            }
        }
    }

    // === asking ===

    /// Every command that shows something, for people and for programs.
    fn ask_everything(&self) {
        let list = self.run(&["evidence", "list", "--limit", "1000", "--json"], "").json();
        let some: Vec<String> = list["evidence"].as_array().unwrap().iter().step_by(17).map(|one| one["id"].as_str().unwrap().to_owned()).collect();
        for id in &some {
            let _ = self.run(&["evidence", "show", id, "--json"], "").succeeded();
        }
        let name = self.planted[0].name.as_str();
        for args in [
            &["status"][..],
            &["doctor", "--thorough"],
            &["secret", "list"],
            &["integration", "list"],
            &["integration", "show", name],
            &["capability", "list"],
            &["policy", "list"],
            &["policy", "explain", "--for", "tester", "--operation", &format!("{name}/any.show")],
            &["evidence", "list", "--limit", "1000"],
            &["evidence", "show", &some[0]],
            &["evidence", "verify"],
            &["evidence", "key"],
            &["evidence", "export"],
            &["completions", "bash"],
        ] {
            let _ = self.run(args, "");
            let json: Vec<&str> = args.iter().copied().chain(["--json", "--verbose", "--verbose"]).collect();
            let _ = self.run(&json, "");
        }
        let _ = self.run(&["evidence", "export", "--out", "export.jsonl"], "").succeeded();
    }

    // === sealed ===

    fn seal(&self, running: &Running, token: &str) {
        let _ = self.run(&["seal"], "").succeeded();
        for planted in &self.planted {
            let reply = call(&running.gateway_url, "GET", &format!("/{}/echo", planted.name), token).unwrap();
            planted.free(&reply, "a sealed gateway");
            assert_eq!(reply.status, 503);
            let reply = operate(&running.socket, "secret.put?name=c/new", planted.canary.as_bytes()).unwrap();
            planted.free(&reply, "a sealed socket");
            assert_eq!(reply.status, 503);
        }
        let _ = self.run(&["status"], "");
        let _ = self.run(&["unseal"], &self.planted[0].canary).succeeded();
    }

    // === searching ===

    /// Environment, arguments and counters of the broker. Only root may read the first two of a process that is hidden.
    fn search_process(&self, running: &Running) {
        let proc = std::path::PathBuf::from(format!("/proc/{}", running.pid()));
        if let Ok(arguments) = std::fs::read(proc.join("cmdline")) {
            free_of_all(&arguments, "the arguments of the broker");
        }
        let environment = std::fs::read(proc.join("environ")).unwrap_or_default();
        for variable in environment.split(|byte| *byte == 0) {
            // What the user put into a variable stands there; nothing else does.
            if !variable.starts_with(b"PLANTED_") {
                free_of_all(variable, "the environment of the broker");
            }
        }
        let metrics = running.ready["metrics"].as_str().unwrap().trim_start_matches("http://");
        let mut stream = TcpStream::connect(metrics).unwrap();
        let request = format!("GET /metrics HTTP/1.1\r\nHost: {metrics}\r\nConnection: close\r\n\r\n");
        std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
        let mut counters = Vec::new();
        stream.read_to_end(&mut counters).unwrap();
        assert!(counters.windows(9).any(|window| window == b"doorward_"), "no counters");
        free_of_all(&counters, "the counters");
    }

    /// Everything that was printed, and every file.
    fn search(&self, when: &str) {
        let printed = self.doorward.printed();
        assert!(!String::from_utf8_lossy(&printed).contains("panicked"), "something panicked {when}");
        self.free(&printed, &format!("what was printed, {when}"));
        let mut folders = vec![self.doorward.folder().to_owned()];
        let mut files = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap().flatten() {
                let kind = entry.file_type().unwrap();
                free_of_all(entry.file_name().as_encoded_bytes(), "the name of a file");
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if let Ok(bytes) = std::fs::read(entry.path())
                    && kind.is_file()
                {
                    files += 1;
                    self.free(&bytes, &format!("{}, {when}", entry.path().display()));
                }
            }
        }
        // The database and the evidence at least.
        assert!(files > 4, "{files} files");
    }

    fn free(&self, bytes: &[u8], what: &str) {
        free_of_all(bytes, what);
        for planted in &self.planted {
            assert!(!holds(bytes, planted.tail()), "the end of {} is in {what}", planted.name);
        }
    }
}

impl Planted {
    fn new(nth: usize) -> Self {
        let canary = canary::plant(&format!("c{nth}"));
        let demand = match nth % 5 {
            0 => Demand::Bearer(canary.clone()),
            1 => Demand::Header("x-api-key".to_owned(), canary.clone()),
            2 => Demand::Basic("ada".to_owned(), canary.clone()),
            3 => Demand::Query("key".to_owned(), canary.clone()),
            _ => Demand::Nothing(canary.clone()),
        };
        let source = [Source::Store, Source::Variable, Source::File][nth % 3];
        // A credential in the path hides the route behind it, so the route is in front of it.
        let base = if nth % 5 == 4 { ["/echo", "/gzip", "/br", "/zstd", "/deflate", "/sse"][nth / 5 % 6] } else { "" };
        Self { name: format!("c{nth}"), canary, source, upstream: Upstream::demanding(demand), base }
    }

    fn integration(&self, nth: usize, reference: &str) -> String {
        let scheme = match nth % 5 {
            0 => "scheme: bearer, secret: token",
            1 => "scheme: header, name: x-api-key, secret: token",
            2 => "scheme: basic, username: ada, password_secret: token",
            3 => "scheme: query, name: key, secret: token",
            _ => "scheme: path, prefix: bot, secret: token",
        };
        let (name, url, base) = (&self.name, self.upstream.url(), self.base);
        format!(
            "name: {name}\ntitle: Planted\ndocs: https://example.com/\nbase_url: {url}{base}\ndangerous_allow_private: true\n\
             secrets:\n  token: {{title: Token, default: '{reference}'}}\nauth:\n  - {{{scheme}}}\n\
             limits: {{connect: 5s, head: 30s, total: 60s, idle: 30s, body: 1MiB}}\noperations:\n\
             \x20 any.show: {{title: Show, access: read, risk: low, match: {{method: GET, path: '/{{rest...}}'}}}}\n\
             \x20 any.add: {{title: Add, access: write, risk: low, match: {{method: POST, path: '/{{rest...}}'}}, body: any}}\n"
        )
    }

    /// The random end, of which a mask that slips would leave something.
    fn tail(&self) -> &[u8] {
        &self.canary.as_bytes()[self.canary.len() - 14..]
    }

    /// Every way in which the upstream sends it back.
    fn send_back(&self, running: &Running, token: &str) -> usize {
        let routes = [
            "echo", "gzip", "br", "zstd", "deflate", "sse", "chunks/3", "header-echo", "trailers", "set-cookie",
            "redirect", "status/404", "status/500", "big/70000",
        ];
        for (nth, route) in routes.iter().enumerate() {
            let method = if nth == 0 { "POST" } else { "GET" };
            let before = self.upstream.requests().len();
            let reply = call(&running.gateway_url, method, &format!("/{}/{route}", self.name), token).unwrap();
            self.free(&reply, &format!("the reply of /{route}"));
            let requests = self.upstream.requests();
            assert_eq!(requests.len(), before + 1, "/{route} of {}: {}", self.name, reply.text());
            assert!(requests[before].accepted, "/{route} of {} did not show the credential", self.name);
            let sent_back = self.base.is_empty() && matches!(*route, "echo" | "gzip" | "br" | "zstd" | "deflate" | "sse");
            if sent_back {
                assert_eq!(reply.status, 200, "/{route} of {}: {}", self.name, reply.text());
                assert!(reply.text().contains("[masked"), "/{route} of {}: {}", self.name, reply.text());
            }
        }
        // A reply that breaks off breaks off for the caller as well; there is nothing whole to search.
        drop(call(&running.gateway_url, "GET", &format!("/{}/close", self.name), token));
        routes.len()
    }

    /// Shown where it does not belong, by somebody who has it.
    fn present_by_mistake(&self, running: &Running, token: &str) {
        let (name, canary, url) = (&self.name, &self.canary, &running.gateway_url);
        let host = url.trim_start_matches("http://");
        let escaped = canary.replace('/', "%2F").replace('+', "%2B");
        let plain = canary.replace(['/', '+'], "-");
        let mine = format!("Authorization: Bearer {token}\r\n");
        let requests = [
            format!("GET /{name}/echo HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {canary}\r\n\r\n"),
            format!("GET /{name}/echo HTTP/1.1\r\nHost: {host}\r\nAuthorization: {canary}\r\n\r\n"),
            format!("GET /{name}/echo HTTP/1.1\r\nHost: {host}\r\nX-Doorward-Capability: cap1_{plain}\r\n\r\n"),
            format!("GET /{name}/echo HTTP/1.1\r\nHost: {host}\r\n{mine}X-Api-Key: {canary}\r\nX-Other: {canary}\r\n\r\n"),
            format!("GET /{name}/echo?key={escaped} HTTP/1.1\r\nHost: {host}\r\n{mine}\r\n"),
            format!("GET /{name}/echo?key={escaped} HTTP/1.1\r\nHost: {host}\r\n\r\n"),
            format!("GET /{name}/echo HTTP/1.1\r\nHost: {host}\r\n{mine}X-Doorward-Integration: {canary}\r\n\r\n"),
            format!("GET /echo HTTP/1.1\r\nHost: {plain}.localhost\r\n{mine}\r\n"),
            format!("GET /echo HTTP/1.1\r\nHost: {canary}\r\n{mine}\r\n"),
            format!("GET /{plain}/echo HTTP/1.1\r\nHost: {host}\r\n{mine}\r\n"),
            format!("GET /{escaped}/echo HTTP/1.1\r\nHost: {host}\r\n{mine}\r\n"),
            format!("GET /{name}/echo HTTP/1.1\r\nHost: {host}\r\n{mine}Origin: https://{canary}\r\n\r\n"),
            format!("{plain} /{name}/echo HTTP/1.1\r\nHost: {host}\r\n{mine}\r\n"),
            format!("GET /{name}/echo HTTP/1.1\r\nHost: {host}\r\n{mine}Content-Length: {canary}\r\n\r\n"),
        ];
        for (nth, request) in requests.iter().enumerate() {
            // A head that has no reading may end the connection without a word.
            let Ok(reply) = gateway(url).unwrap().ask(request.as_bytes()) else { continue };
            self.free(&reply, &format!("the reply to mistake {nth}"));
        }
    }

    fn free(&self, reply: &Reply, what: &str) {
        for bytes in [&reply.raw, &reply.body] {
            canary::assert_free_of(bytes, &self.canary, what);
            free_of_all(bytes, what);
            assert!(!holds(bytes, self.tail()), "the end of {} is in {what}", self.name);
        }
    }
}

/// Searches for what all canaries begin with, in every encoding: one search for all of them.
fn free_of_all(bytes: &[u8], what: &str) {
    if let Some(how) = canary::found(bytes, BEGINNING) {
        let text = String::from_utf8_lossy(bytes);
        let at = text.find(BEGINNING).unwrap_or(0);
        eprintln!("FOUND {how} in {what}: {}", text.chars().skip(at.saturating_sub(300)).take(500).collect::<String>());
    }
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// What every canary begins with: whole groups of base 64.
const BEGINNING: &str = "xoxb-CANARY-";
const CANARIES_OF_A_HOME: usize = 20;
