//! Operations as tools: the protocol through the binary, alone and beside a running broker.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};
use testkit::{Doorward, Upstream};

use crate::home;

/// A home with a service that demands a secret, and a capability that reads it.
fn ready() -> (Doorward, Upstream, String) {
    let (doorward, upstream) = (home(), Upstream::start());
    let _ = doorward.run(&["init"], "").succeeded();
    let _ = doorward.run(&["secret", "put", "demo/token"], upstream.canary()).succeeded();
    doorward.watch(upstream.canary());
    let folder = doorward.data().join("integrations");
    std::fs::create_dir_all(&folder).unwrap();
    let text = format!(
        "name: demo
title: A service
docs: https://doorward.example/demo
base_url: {}/json
dangerous_allow_private: true
secrets:
  token: {{title: Token, default: store:demo/token}}
auth:
  - {{scheme: bearer, secret: token}}
limits: {{connect: 30s, head: 60s, total: 2m, idle: 60s, body: 1MiB}}
operations:
  item.show:
    title: Show an item
    access: read
    risk: low
    match: {{method: GET, path: \"/items/{{item}}\"}}
    inputs: {{item: {{in: path, title: Which one, pattern: \"[a-z0-9]+\", max: 20}}}}
  item.drop:
    title: Drop an item
    access: write
    risk: high
    match: {{method: DELETE, path: \"/items/{{item}}\"}}
    inputs: {{item: {{in: path, max: 20}}}}
",
        upstream.url()
    );
    store::files::replace(&folder.join("demo.yaml"), text.as_bytes(), 0o600).unwrap();
    upstream.answer_with("/items/7", 200, json!({ "id": 7, "echo": upstream.canary() }));
    let words = [
        "capability",
        "request",
        "--for",
        "agent",
        "--integrations",
        "demo",
        "--access",
        "read",
        "--expires",
        "1h",
        "--json",
    ];
    let token = doorward.run(&words, "").json()["token"].as_str().unwrap().to_owned();
    (doorward, upstream, token)
}

/// A client of the protocol.
struct Client {
    child: Child,
    stdin: ChildStdin,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    next: u32,
}

impl Client {
    fn start(doorward: &Doorward, token: &str) -> Self {
        let mut command = doorward.command();
        command.arg("mcp").env("DOORWARD_CAPABILITY", token);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut client = Self { child, stdin, lines: BufReader::new(stdout).lines(), next: 0 };
        let hello = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
        assert_eq!(client.ask("initialize", &hello)["result"]["serverInfo"]["name"], "doorward");
        client.write(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        client
    }

    fn write(&mut self, message: &Value) {
        self.stdin.write_all(format!("{message}\n").as_bytes()).unwrap();
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.next += 1;
        self.write(&json!({ "jsonrpc": "2.0", "id": self.next, "method": method, "params": params }));
        serde_json::from_str(&self.lines.next().unwrap().unwrap()).unwrap()
    }

    fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        self.ask("tools/call", &json!({ "name": tool, "arguments": arguments }))
    }

    fn end(self) {
        let Self { mut child, stdin, lines, next: _ } = self;
        drop((stdin, lines));
        assert!(child.wait().unwrap().success());
    }
}

/// What an agent does: list, call, be refused.
fn works(doorward: &Doorward, upstream: &Upstream, token: &str) {
    let mut client = Client::start(doorward, token);
    let listed = client.ask("tools/list", &json!({}));
    let tools = listed["result"]["tools"].as_array().unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["demo__item_show"], "a capability to read has no tools that write");
    assert_eq!(tools[0]["inputSchema"]["properties"]["item"]["pattern"], "^(?:[a-z0-9]+)$");

    let before = upstream.requests().len();
    let shown = client.call("demo__item_show", &json!({ "item": "7" }));
    assert_eq!(shown["result"]["isError"], false, "{shown}");
    assert_eq!(shown["result"]["structuredContent"]["answer"]["output"]["id"], 7, "{shown}");
    let evidence = shown["result"]["structuredContent"]["evidence"].as_str().unwrap().to_owned();
    assert!(
        !shown.to_string().contains(upstream.canary()),
        "the reply echoes the credential, and it is masked"
    );
    assert_eq!(upstream.requests().len(), before + 1);

    let wrong = client.call("demo__item_show", &json!({ "item": "../7" }));
    assert_eq!(wrong["result"]["structuredContent"]["code"], "bad_request", "{wrong}");
    let unlisted = client.call("demo__item_drop", &json!({ "item": "7" }));
    assert!(unlisted["error"]["message"].as_str().unwrap().contains("demo__item_drop"), "{unlisted}");
    assert_eq!(upstream.requests().len(), before + 1, "what is refused goes nowhere");
    client.end();

    let record = doorward.run(&["evidence", "show", &evidence, "--json"], "").succeeded();
    assert!(record.contains("item.show"), "{record}");
}

#[test]
fn an_agent_gets_the_operations_of_its_capability_as_tools() {
    let (doorward, upstream, token) = ready();
    works(&doorward, &upstream, &token);
    let running = doorward.start_up(&[]);
    works(&doorward, &upstream, &token);
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[test]
fn each_line_that_asks_gets_an_answer_whatever_is_wrong_with_it() {
    let (doorward, _upstream, token) = ready();
    let mut client = Client::start(&doorward, &token);
    for (line, code, id) in [
        ("this is not JSON", -32700, json!(null)),
        ("[]", -32600, json!(null)),
        ("{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"tools/list\"}", -32600, json!(null)),
        ("{\"jsonrpc\":\"2.0\",\"id\":71,\"method\":\"tools/call\"}", -32602, json!(71)),
        (
            "{\"jsonrpc\":\"2.0\",\"id\":72,\"method\":\"tools/call\",\"params\":{\"name\":7}}",
            -32602,
            json!(72),
        ),
        ("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"tools/none\",\"params\":{}}", -32601, json!("a")),
    ] {
        client.stdin.write_all(format!("{line}\n").as_bytes()).unwrap();
        let said: Value = serde_json::from_str(&client.lines.next().unwrap().unwrap()).unwrap();
        assert_eq!((&said["error"]["code"], said.get("id")), (&json!(code), Some(&id)), "{line}: {said}");
    }
    // It goes on, and what asks for no answer gets none.
    client.write(&json!({ "jsonrpc": "2.0", "method": "notifications/unheard" }));
    assert!(client.ask("tools/list", &json!({}))["result"]["tools"].is_array());
    client.end();
}

#[test]
fn a_file_that_holds_no_capability_starts_nothing() {
    let (doorward, _upstream, _token) = ready();
    crate::write(doorward.folder().join("none"), "nothing of that kind\n");
    let said = doorward.run(&["mcp", "--capability-file", "none"], "").failed_with(1);
    assert!(said.contains("capability"), "{said}");
}

#[test]
fn without_a_capability_nothing_is_served_and_one_for_everything_is_too_much() {
    let (doorward, _upstream, _token) = ready();
    let said = doorward.run(&["mcp"], "").failed_with(2);
    assert!(said.contains("capability request"), "{said}");
    let words = ["capability", "request", "--for", "agent", "--expires", "1h", "--json"];
    let token = doorward.run(&words, "").json()["token"].as_str().unwrap().to_owned();
    let mut client = Client::start(&doorward, &token);
    let listed = client.ask("tools/list", &json!({}));
    assert!(listed["error"]["message"].as_str().unwrap().contains("every service"), "{listed}");
    client.end();
}
