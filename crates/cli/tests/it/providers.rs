//! The evidence of the providers that operations are for, compared with what their servers say. Each file of `providers/` has a server's
//! replies as its vendor documents them; a server that records gives them in their order to the requests that are documented for them, and
//! the whole program makes those. Helm speaks to no server of its own, so a program stands for it that prints what Helm prints.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde::Deserialize;
use serde_json::Value;
use testkit::Doorward;

use crate::{has_sandbox, home, write, write_integration};

/// What one file has.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    /// The vendor's pages that it was written from.
    documented: Vec<String>,
    /// The program that does the operations; requests do where there is none.
    program: Option<String>,
    /// More lines of the integration. `URL` is the server's.
    #[serde(default)]
    settings: String,
    /// Other integrations at the same server, with the secrets that they have.
    #[serde(default)]
    beside: BTreeMap<String, Vec<String>>,
    /// Evidence fields that have to be among those compared here.
    must: Vec<String>,
    calls: Vec<Call>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    operation: String,
    inputs: BTreeMap<String, String>,
    #[serde(default)]
    prints: Vec<Printed>,
    exchanges: Vec<Exchange>,
    evidence: BTreeMap<String, String>,
}

/// What a program prints when its arguments begin so.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Printed {
    args: String,
    output: Value,
}

/// A request, and the reply to it.
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Exchange {
    request: String,
    /// What its body has: a part of a JSON document, or of the text.
    says: Option<Value>,
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    reply: Value,
}

/// A server that gives recorded replies in their order, and keeps what came otherwise.
struct Server {
    url: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    expected: Vec<Exchange>,
    wrong: Vec<String>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = answered(stream, &shared);
            }
        });
        Self { url, state }
    }

    fn expect(&self, exchanges: &[Exchange]) {
        self.state.lock().unwrap().expected = exchanges.to_vec();
    }

    /// Everything that was expected came, and nothing else.
    #[track_caller]
    fn assert_done(&self, what: &str) {
        let state = self.state.lock().unwrap();
        assert!(state.wrong.is_empty(), "{what}: {:#?}", state.wrong);
        let left: Vec<&str> = state.expected.iter().map(|one| one.request.as_str()).collect();
        assert!(left.is_empty(), "{what}: these requests did not come: {left:?}");
    }
}

/// Answers one request, and closes the connection.
fn answered(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    let _ = reader.read_line(&mut line)?;
    let asked = line.rsplit_once(' ').map(|(asked, _)| asked.to_owned()).unwrap_or_default();
    let mut length = 0;
    loop {
        let mut header = String::new();
        let _ = reader.read_line(&mut header)?;
        let Some((name, value)) = header.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let Exchange { status, mut headers, reply, .. } = next(&mut state.lock().unwrap(), &asked, &body);
    let text = shown(&reply);
    let kind = if reply.is_string() { "text/xml" } else { "application/json" };
    let _ = headers.entry("content-type".to_owned()).or_insert_with(|| kind.to_owned());
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head =
        format!("HTTP/1.1 {status} X\r\n{lines}content-length: {}\r\nconnection: close\r\n\r\n", text.len());
    reader.get_mut().write_all(head.as_bytes())?;
    reader.get_mut().write_all(text.as_bytes())
}

/// The exchange that a request belongs to: the next one.
fn next(state: &mut State, asked: &str, body: &[u8]) -> Exchange {
    let fits = |one: &Exchange| {
        let says = match &one.says {
            None => true,
            Some(Value::String(part)) => String::from_utf8_lossy(body).contains(part),
            Some(part) => serde_json::from_slice(body).is_ok_and(|body| has(&body, part)),
        };
        one.request == asked && says
    };
    if state.expected.first().is_some_and(fits) {
        return state.expected.remove(0);
    }
    let expected = state.expected.first().map(|one| (one.request.clone(), one.says.clone()));
    let body = String::from_utf8_lossy(body);
    state.wrong.push(format!("{asked} {body} came where this was expected: {expected:?}"));
    Exchange { request: String::new(), says: None, status: 599, headers: BTreeMap::new(), reply: Value::Null }
}

/// Whether a document has this part.
fn has(body: &Value, part: &Value) -> bool {
    match part {
        Value::Object(fields) => {
            fields.iter().all(|(name, part)| body.get(name).is_some_and(|body| has(body, part)))
        }
        part => body == part,
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// A home with one provider at the server.
fn stage(name: &str, recorded: &Recorded, server: &Server) -> Doorward {
    let doorward = home();
    let programs = doorward.folder().join("programs");
    std::fs::create_dir(&programs).unwrap();
    let more = recorded.settings.replace("URL", &server.url);
    let local = format!("base_url: {}\ndangerous_allow_private: true\n", server.url);
    write_integration(&doorward, &format!("name: provider\nextends: {name}\n{local}{more}"));
    write(doorward.data().join("settings.toml"), &format!("[operations]\npath = [{programs:?}]\n"));
    for other in recorded.beside.keys() {
        write_integration(&doorward, &format!("name: {other}\nextends: {other}\n{local}"));
    }
    let _ = doorward.run(&["init"], "").succeeded();
    let shown = doorward.run(&["integration", "show", "provider", "--json"], "").succeeded();
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let secrets = shown["secrets"].as_array().unwrap().iter().filter_map(|secret| secret["field"].as_str());
    for secret in secrets {
        let text = if secret == "access_key_id" {
            "AKIAIOSFODNN7EXAMPLE".to_owned()
        } else {
            doorward.plant(secret)
        };
        let _ = doorward.run(&["secret", "put", &format!("provider/{secret}")], &text).succeeded();
    }
    for (other, secrets) in &recorded.beside {
        for secret in secrets {
            let text = doorward.plant(&format!("{other}-{secret}"));
            let _ = doorward.run(&["secret", "put", &format!("{other}/{secret}")], &text).succeeded();
        }
    }
    doorward
}

/// A program that prints what is recorded.
fn program(doorward: &Doorward, name: &str, prints: &[Printed]) {
    let mut lines = "#!/bin/sh\ncase \"$*\" in\n".to_owned();
    for Printed { args, output } in prints {
        lines.push_str(&format!("'{args}'*) cat <<'END'\n{}\nEND\n;;\n", shown(output)));
    }
    lines.push_str("*) echo unknown: \"$*\" >&2; exit 1;;\nesac\n");
    testkit::program(doorward.folder().join("programs").join(name), &lines);
}

fn compare(name: &str, text: &str) {
    let recorded: Recorded = serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(
        recorded.documented.iter().all(|page| page.starts_with("https://"))
            && !recorded.documented.is_empty()
    );
    let server = Server::start();
    let doorward = stage(name, &recorded, &server);
    let mut compared: Vec<&str> = Vec::new();
    for call in &recorded.calls {
        let what = format!("{name}.{}", call.operation);
        server.expect(&call.exchanges);
        if let Some(name) = &recorded.program {
            program(&doorward, name, &call.prints);
        }
        let operation = format!("provider.{}", call.operation);
        let inputs =
            call.inputs.iter().flat_map(|(name, value)| ["--input".to_owned(), format!("{name}={value}")]);
        let args: Vec<String> =
            ["op", "run", "--json", &operation].map(ToOwned::to_owned).into_iter().chain(inputs).collect();
        let run = doorward.run(&args.iter().map(String::as_str).collect::<Vec<_>>(), "");
        let told: Value = serde_json::from_str(&run.stdout)
            .unwrap_or_else(|error| panic!("{what}: {error}\n{}\n{}", run.stdout, run.stderr));
        server.assert_done(&what);
        assert!(run.status.success(), "{what}: {told}");
        assert_eq!(told["evidence_fields"], serde_json::to_value(&call.evidence).unwrap(), "{what}");
        // What the answer says of the evidence is what the evidence says.
        let id = told["evidence"].as_str().unwrap();
        let record = doorward.run(&["evidence", "show", id, "--json"], "").succeeded();
        for (field, value) in &call.evidence {
            assert!(record.contains(&format!("{field}={value}")), "{what}: no {field}={value} in {record}");
        }
        compared.extend(call.evidence.keys().map(String::as_str));
    }
    for field in &recorded.must {
        assert!(compared.contains(&field.as_str()), "{name}: no reply is compared for `{field}`");
    }
    doorward.assert_no_canary();
}

macro_rules! providers {
    ($($test:ident: $name:literal;)*) => {
        const PROVIDERS: &[&str] = &[$($name),*];
        $(
            #[test]
            fn $test() {
                if $name != "helm" || has_sandbox("programs") {
                    compare($name, include_str!(concat!("providers/", $name, ".json")));
                }
            }
        )*
    };
}

providers! {
    what_aws_says_is_in_the_evidence: "aws";
    what_vault_says_is_in_the_evidence: "vault";
    what_kubernetes_says_is_in_the_evidence: "kubernetes";
    what_helm_says_is_in_the_evidence: "helm";
    what_boundary_says_is_in_the_evidence: "boundary";
    what_argo_cd_says_is_in_the_evidence: "argocd";
    what_prometheus_says_is_in_the_evidence: "prometheus";
    what_thanos_says_is_in_the_evidence: "thanos";
    what_grafana_says_is_in_the_evidence: "grafana";
    what_tempo_says_is_in_the_evidence: "tempo";
    what_github_says_is_in_the_evidence: "github";
    what_gitlab_says_is_in_the_evidence: "gitlab";
    what_linear_says_is_in_the_evidence: "linear";
    what_pagerduty_says_is_in_the_evidence: "pagerduty-events";
    what_openai_says_is_in_the_evidence: "openai";
}

#[test]
fn each_file_of_a_provider_is_compared() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/providers");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let mut listed: Vec<String> = PROVIDERS.iter().map(|name| (*name).to_owned()).collect();
    files.sort_unstable();
    listed.sort_unstable();
    assert_eq!(files, listed);
}
