//! The protocol as a client speaks it: lines of JSON-RPC through a pipe, and requests over HTTP.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderValue, Request};
use http_body_util::{BodyExt, Full};
use model::{Access, Code, Refusal, Risk};
use rmcp::ServiceExt;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use crate::{Answer, Entrance, Input, Kind, Offer, Operations, Performing, Server};

/// Two operations for whoever has `cap1_good`; one asks for an approval.
#[derive(Default)]
struct Fake {
    heard: Mutex<Vec<(Option<HeaderValue>, Performing)>>,
    listed: std::sync::atomic::AtomicUsize,
}

fn offer(operation: &str, access: Access, risk: Risk) -> Offer {
    Offer {
        integration: "github".parse().unwrap(),
        operation: operation.parse().unwrap(),
        title: "GitHub: show a repository".to_owned(),
        docs: Some("https://docs.github.com/".to_owned()),
        access,
        risk,
        inputs: vec![
            Input {
                name: "repo".to_owned(),
                title: Some("Its name".to_owned()),
                kind: Kind::Text,
                pattern: Some("[a-z]+".to_owned()),
                most: Some(100),
                required: true,
            },
            Input {
                name: "page".to_owned(),
                title: None,
                kind: Kind::Integer,
                pattern: None,
                most: None,
                required: false,
            },
        ],
    }
}

impl Operations for Fake {
    async fn offers(&self, capability: Option<HeaderValue>) -> Result<Vec<Offer>, Refusal> {
        self.listed.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        if capability.is_none_or(|text| text != "cap1_good") {
            return Err(Refusal::new(Code::Unauthenticated, "the capability was not issued here"));
        }
        Ok(vec![
            offer("repo.show", Access::Read, Risk::Low),
            offer("repo.delete", Access::Write, Risk::High),
            // These two would be one name.
            offer("a.b", Access::Read, Risk::Low),
            offer("a_b", Access::Read, Risk::Low),
        ])
    }

    async fn admit(&self, _token: HeaderValue) -> Result<Vec<HeaderValue>, Refusal> {
        Err(Refusal::new(Code::Unauthenticated, "no issuer of access tokens is set up"))
    }

    async fn perform(&self, capability: Option<HeaderValue>, call: Performing) -> Result<Answer, Refusal> {
        let deletes = call.operation.as_str() == "repo.delete";
        self.heard.lock().unwrap().push((capability, call));
        if deletes {
            return Err(Refusal::new(Code::ApprovalRequired, "`repo.delete` needs an approval")
                .hint("apr_1 was asked for"));
        }
        Ok(Answer { evidence: "evd_1".to_owned(), value: json!({ "id": 7 }), failed: false })
    }
}

/// Asks a server over a pipe, one request behind the other; answers by id.
async fn over_a_pipe(fake: &Arc<Fake>, capability: &'static str, requests: &[Value]) -> Vec<Value> {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let server = Server::new(Arc::clone(fake), Some(HeaderValue::from_static(capability)));
    let serving = tokio::spawn(async move {
        let running = server.serve(tokio::io::split(theirs)).await.unwrap();
        running.waiting().await.unwrap();
    });
    let (read, mut write) = tokio::io::split(ours);
    let mut lines = BufReader::new(read).lines();
    let hello = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" } } });
    let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let mut answers = Vec::new();
    write.write_all(format!("{hello}\n").as_bytes()).await.unwrap();
    answers.push(serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap());
    write.write_all(format!("{ready}\n").as_bytes()).await.unwrap();
    for request in requests {
        write.write_all(format!("{request}\n").as_bytes()).await.unwrap();
        answers.push(serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap());
    }
    drop((lines, write));
    serving.await.unwrap();
    answers
}

#[expect(clippy::needless_pass_by_value, reason = "made for this call alone")]
fn call(id: u32, name: &str, arguments: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": name, "arguments": arguments } })
}

#[tokio::test]
async fn each_granted_operation_is_a_tool_with_its_inputs_as_schema() {
    let fake = Arc::default();
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let answers = over_a_pipe(&fake, "cap1_good", &[list]).await;
    assert_eq!(answers[0]["result"]["serverInfo"]["name"], "doorward");
    let tools = answers[1]["result"]["tools"].as_array().unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["github__repo_delete", "github__repo_show"],
        "two that can't be told apart are not offered"
    );
    let (delete, show) = (&tools[0], &tools[1]);
    assert_eq!(show["annotations"]["readOnlyHint"], true);
    assert_eq!(delete["annotations"]["destructiveHint"], true);
    assert_eq!(show["inputSchema"]["properties"]["repo"]["pattern"], "^(?:[a-z]+)$");
    assert_eq!(show["inputSchema"]["properties"]["page"]["type"], "integer");
    assert_eq!(show["inputSchema"]["required"], json!(["repo"]));
    assert_eq!(show["inputSchema"]["additionalProperties"], false);
}

#[tokio::test]
async fn a_call_is_carried_with_the_capability_and_a_refusal_is_an_answer() {
    let fake = Arc::default();
    let calls = [
        call(1, "github__repo_show", json!({ "repo": "doorward", "page": 2 })),
        call(2, "github__repo_delete", json!({ "repo": "doorward" })),
        call(3, "github__repo_show", json!({ "repo": { "nested": true } })),
        call(4, "github__nothing", json!({})),
    ];
    let answers = over_a_pipe(&fake, "cap1_good", &calls).await;
    assert_eq!(answers[1]["result"]["structuredContent"]["evidence"], "evd_1");
    assert_eq!(answers[1]["result"]["isError"], false);
    assert_eq!(answers[2]["result"]["structuredContent"]["code"], "approval_required");
    assert_eq!(answers[2]["result"]["isError"], true);
    let text = answers[2]["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("needs an approval") && text.contains("apr_1"), "{text}");
    assert_eq!(answers[3]["result"]["structuredContent"]["code"], "bad_request");
    assert!(answers[4]["error"]["message"].as_str().unwrap().contains("github__nothing"));

    let heard = fake.heard.lock().unwrap();
    assert_eq!(heard.len(), 2, "what is wrong goes nowhere");
    let (capability, first) = &heard[0];
    assert_eq!(capability.as_ref().unwrap(), "cap1_good");
    assert_eq!(first.inputs["page"], "2");
}

#[tokio::test]
async fn a_capability_that_is_none_gets_an_error_and_no_list() {
    let fake = Arc::default();
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let answers = over_a_pipe(&fake, "cap1_bad", &[list]).await;
    assert_eq!(answers[1]["error"]["data"]["code"], "unauthenticated");
    assert_eq!(answers[1]["error"]["code"], -32001);
}

async fn over_http(headers: &[(&str, &str)], body: Value) -> (u16, Value) {
    let fake: Arc<Fake> = Arc::default();
    let mut request = Request::post("http://127.0.0.1:8090/mcp")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(Bytes::from(body.to_string()))).unwrap();
    let reply =
        crate::http((fake, Arc::default()), &Entrance::new(vec!["127.0.0.1".to_owned()]), request).await;
    let status = reply.status().as_u16();
    let bytes = reply.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

#[tokio::test]
async fn over_http_each_request_presents_its_capability() {
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {} });
    let version = ("mcp-protocol-version", "2025-06-18");
    let host = ("host", "127.0.0.1:8090");
    let (status, told) = over_http(&[version, host], list.clone()).await;
    assert_eq!((status, &told["error"]), (401, &json!("unauthenticated")));
    let good = ("authorization", "Bearer cap1_good");
    let (status, told) = over_http(&[version, host, good], list.clone()).await;
    assert_eq!((status, told["result"]["tools"].as_array().map(Vec::len)), (200, Some(2)), "{told}");
    let (status, told) =
        over_http(&[version, host, ("authorization", "Bearer cap1_bad")], list.clone()).await;
    assert_eq!((status, &told["error"]), (401, &json!("invalid_token")), "{told}");
    // Pages of a browser, and names that lead here by somebody else's DNS.
    let (status, _) =
        over_http(&[version, host, good, ("origin", "http://evil.example")], list.clone()).await;
    assert_eq!(status, 403);
    let (status, _) = over_http(&[version, ("host", "evil.example"), good], list).await;
    assert_eq!(status, 403);
}

#[tokio::test]
async fn what_is_no_message_is_told_in_the_words_of_the_protocol() {
    for (body, status, code) in [
        ("", 400, json!(-32700)),
        ("{", 400, json!(-32700)),
        ("[]", 400, json!(-32600)),
        ("{\"a\": 1}", 400, json!(-32600)),
        ("{\"jsonrpc\": \"2.0\", \"method\": \"notifications/odd\"}", 202, Value::Null),
    ] {
        let request = Request::post("http://127.0.0.1:8090/mcp")
            .header("content-type", "application/json; charset=utf-8")
            .header("accept", "application/json, text/event-stream")
            .header("host", "127.0.0.1:8090")
            .header("authorization", "Bearer cap1_good")
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        let fake: Arc<Fake> = Arc::default();
        let entrance = Entrance::new(vec!["127.0.0.1".to_owned()]);
        let reply = crate::http((fake, Arc::default()), &entrance, request).await;
        assert_eq!(reply.status().as_u16(), status, "{body}");
        let told = reply.into_body().collect().await.unwrap().to_bytes();
        let told: Value = serde_json::from_slice(&told).unwrap_or(Value::Null);
        assert_eq!((&told["error"]["code"], &told["id"]), (&code, &Value::Null), "{body}: {told}");
    }
}

/// A client that has somebody to ask: what it answers to questions, and what came of its call.
async fn with_somebody(fake: &Arc<Fake>, action: &str) -> Vec<Value> {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let server = Server::new(Arc::clone(fake), Some(HeaderValue::from_static("cap1_good")));
    let serving = tokio::spawn(async move {
        server.serve(tokio::io::split(theirs)).await.unwrap().waiting().await.unwrap();
    });
    let (reader, mut writer) = tokio::io::split(ours);
    let mut lines = BufReader::new(reader).lines();
    let hello = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": { "elicitation": {} }, "clientInfo": { "name": "t", "version": "1" } } });
    let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let asked = call(1, "github__repo_delete", json!({ "repo": "doorward" }));
    let mut heard = Vec::new();
    for message in [hello, ready, asked] {
        writer.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }
    while let Some(line) = lines.next_line().await.unwrap() {
        let told: Value = serde_json::from_str(&line).unwrap();
        if told["method"] == "elicitation/create" {
            let answer = json!({ "jsonrpc": "2.0", "id": told["id"], "result": { "action": action } });
            writer.write_all(format!("{answer}\n").as_bytes()).await.unwrap();
        }
        let last = told["id"] == 1 && told.get("method").is_none();
        heard.push(told);
        if last {
            break;
        }
    }
    drop((writer, lines));
    let _ = serving.await;
    heard
}

#[tokio::test]
async fn a_client_that_can_ask_is_asked_and_its_yes_approves_nothing() {
    let fake: Arc<Fake> = Arc::default();
    let heard = with_somebody(&fake, "accept").await;
    let question = heard.iter().find(|told| told["method"] == "elicitation/create").unwrap();
    assert!(question["params"]["message"].as_str().unwrap().contains("apr_1"), "{question}");
    // It was made once more, and the path still wants the approval.
    assert_eq!(fake.heard.lock().unwrap().len(), 2);
    let last = &heard.last().unwrap()["result"]["structuredContent"];
    assert_eq!((&last["code"], &last["pending"]), (&json!("approval_required"), &json!(true)));

    let fake: Arc<Fake> = Arc::default();
    let heard = with_somebody(&fake, "decline").await;
    assert_eq!(fake.heard.lock().unwrap().len(), 1);
    assert_eq!(heard.last().unwrap()["result"]["structuredContent"]["pending"], true);
}

#[tokio::test]
async fn a_call_whose_question_was_answered_with_no_is_not_made() {
    let ask = |answers: Value| {
        let mut asked = call(1, "github__repo_show", json!({ "repo": "doorward" }));
        asked["params"]["inputResponses"] = answers;
        asked
    };
    for no in [
        json!({"approval": {"action": "decline"}}),
        json!({"approval": {"action": "cancel"}}),
        json!({"approval": {}}),
        json!({}),
        json!({"another": {"action": "accept"}}),
    ] {
        let fake: Arc<Fake> = Arc::default();
        let told = over_a_pipe(&fake, "cap1_good", &[ask(no.clone())]).await;
        assert!(fake.heard.lock().unwrap().is_empty(), "{no}");
        let last = &told.last().unwrap()["result"];
        assert_eq!(last["structuredContent"]["code"], "approval_required", "{no}: {last}");
        assert_eq!(last["isError"], true);
    }
    let fake: Arc<Fake> = Arc::default();
    let _ = over_a_pipe(&fake, "cap1_good", &[ask(json!({"approval": {"action": "accept", "content": {}}}))])
        .await;
    assert_eq!(fake.heard.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn tools_are_listed_once_for_several_calls() {
    let fake: Arc<Fake> = Arc::default();
    let one = || call(1, "github__repo_show", json!({ "repo": "doorward" }));
    let _ = over_a_pipe(&fake, "cap1_good", &[one(), one(), one()]).await;
    assert_eq!(fake.listed.load(std::sync::atomic::Ordering::SeqCst), 1);
}
