//! Who gets in, as a client sees it: statuses, challenges, and the description of the resource.

use std::sync::Arc;

use http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use model::{Code, Refusal};
use serde_json::{Value, json};

use crate::{Answer, Entrance, Offer, Operations, Performing};

const RESOURCE: &str = "https://mcp.example.com/tools/mcp";
const DESCRIBED: &str = "/.well-known/oauth-protected-resource/tools/mcp";
/// Three parts, as a token has.
const GOOD: &str = "Bearer aaa.good.ccc";

/// Takes one token, which stands for two capabilities.
#[derive(Default)]
struct Issued(std::sync::Mutex<Vec<Option<HeaderValue>>>);

impl Operations for Issued {
    async fn offers(&self, capability: Option<HeaderValue>) -> Result<Vec<Offer>, Refusal> {
        let (integration, operation) = match capability.as_ref().map(HeaderValue::as_bytes) {
            Some(b"cap1_first") => ("github", "repo.show"),
            Some(b"cap1_second") => ("slack", "chat.post"),
            _ => return Err(Refusal::new(Code::Unauthenticated, "the capability was not issued here")),
        };
        let (integration, operation) = (integration.parse().unwrap(), operation.parse().unwrap());
        let (access, risk) = (model::Access::Read, model::Risk::Low);
        Ok(vec![Offer {
            integration,
            operation,
            title: "T".to_owned(),
            docs: None,
            access,
            risk,
            inputs: Vec::new(),
        }])
    }

    async fn admit(&self, token: HeaderValue) -> Result<Vec<HeaderValue>, Refusal> {
        match token.as_bytes() {
            b"aaa.good.ccc" => Ok(["cap1_first", "cap1_second"].map(HeaderValue::from_static).to_vec()),
            b"aaa.poor.ccc" => Err(Refusal::new(Code::Denied, "the scopes give nothing here")),
            b"aaa.late.ccc" => Err(Refusal::new(Code::SourceUnavailable, "the issuer can't be asked")),
            _ => Err(Refusal::new(Code::Unauthenticated, "the access token does not hold here")),
        }
    }

    async fn perform(&self, capability: Option<HeaderValue>, _: Performing) -> Result<Answer, Refusal> {
        self.0.lock().unwrap().push(capability);
        Ok(Answer { evidence: "evd_1".to_owned(), value: json!({ "output": "done" }), failed: false })
    }
}

fn entrance() -> Entrance {
    let scopes = ["tools:read".to_owned(), "tools:write".to_owned()];
    Entrance::new(vec!["127.0.0.1".to_owned()])
        .with_issuer(RESOURCE, "https://login.example.com/staff", &scopes)
        .unwrap()
}

struct Heard {
    status: StatusCode,
    challenge: String,
    told: Value,
}

async fn ask(
    issued: &Arc<Issued>,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    body: &Value,
) -> Heard {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2025-06-18");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(bytes::Bytes::from(body.to_string()))).unwrap();
    let reply = crate::http((Arc::clone(issued), Arc::default()), &entrance(), request).await;
    let challenge = reply.headers().get("www-authenticate");
    let challenge = challenge.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    let status = reply.status();
    let bytes = reply.into_body().collect().await.unwrap().to_bytes();
    Heard { status, challenge, told: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
}

async fn list(headers: &[(&str, &str)]) -> Heard {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {} });
    ask(&Arc::default(), ("POST", "/mcp"), headers, &body).await
}

const HOST: (&str, &str) = ("host", "mcp.example.com");

#[tokio::test]
async fn who_shows_nothing_is_told_where_tokens_are_had() {
    let heard = list(&[HOST]).await;
    assert_eq!(heard.status, StatusCode::UNAUTHORIZED);
    let at = "resource_metadata=\"https://mcp.example.com/.well-known/oauth-protected-resource/tools/mcp\"";
    assert!(heard.challenge.contains(at), "{}", heard.challenge);
    assert!(heard.challenge.contains("scope=\"tools:read tools:write\""), "{}", heard.challenge);
    assert!(!heard.challenge.contains("error"), "nothing was wrong yet: {}", heard.challenge);

    let described = ask(&Arc::default(), ("GET", DESCRIBED), &[HOST], &Value::Null).await;
    assert_eq!(described.status, StatusCode::OK);
    assert_eq!(described.told["resource"], RESOURCE);
    assert_eq!(described.told["authorization_servers"], json!(["https://login.example.com/staff"]));
    assert_eq!(described.told["bearer_methods_supported"], json!(["header"]));
    let root = ("GET", "/.well-known/oauth-protected-resource");
    let elsewhere = ask(&Arc::default(), root, &[HOST], &Value::Null).await;
    assert_eq!(elsewhere.status, StatusCode::NOT_FOUND, "that would describe another resource");
}

#[tokio::test]
async fn a_token_that_holds_opens_the_tools_of_all_that_it_stands_for() {
    let heard = list(&[HOST, ("authorization", GOOD)]).await;
    assert_eq!(heard.status, StatusCode::OK);
    let tools = heard.told["result"]["tools"].as_array().unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["github__repo_show", "slack__chat_post"]);

    let issued: Arc<Issued> = Arc::default();
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "slack__chat_post", "arguments": {} } });
    let heard = ask(&issued, ("POST", "/mcp"), &[HOST, ("authorization", GOOD)], &call).await;
    assert_eq!(heard.told["result"]["structuredContent"]["evidence"], "evd_1", "{}", heard.told);
    let with = issued.0.lock().unwrap().clone();
    assert_eq!(with, [Some(HeaderValue::from_static("cap1_second"))], "never with the token");
}

#[tokio::test]
async fn what_does_not_hold_is_told_apart_from_what_is_too_little() {
    for wrong in
        ["Bearer aaa.bad.ccc", "Bearer opaque", "Bearer a..c", "Bearer a.b.c.d", "Bearer cap1_forged"]
    {
        let heard = list(&[HOST, ("authorization", wrong)]).await;
        assert_eq!(heard.status, StatusCode::UNAUTHORIZED, "{wrong}");
        assert!(heard.challenge.contains("error=\"invalid_token\""), "{wrong}: {}", heard.challenge);
        assert!(
            !heard.challenge.contains("bad") && !heard.challenge.contains("opaque"),
            "{}",
            heard.challenge
        );
    }
    for nothing in ["Basic YTpi", "Bearer", "bearer"] {
        let heard = list(&[HOST, ("authorization", nothing)]).await;
        assert_eq!(heard.status, StatusCode::UNAUTHORIZED, "{nothing}");
        assert!(!heard.challenge.contains("error="), "{nothing}: {}", heard.challenge);
    }
    let twice = list(&[HOST, ("authorization", GOOD), ("authorization", GOOD)]).await;
    assert_eq!(twice.status, StatusCode::UNAUTHORIZED, "which of them would count?");

    let poor = list(&[HOST, ("authorization", "Bearer aaa.poor.ccc")]).await;
    assert_eq!(poor.status, StatusCode::FORBIDDEN);
    assert!(poor.challenge.contains("error=\"insufficient_scope\""), "{}", poor.challenge);
    assert!(poor.challenge.contains("scope=\"tools:read tools:write\""), "{}", poor.challenge);

    let late = list(&[HOST, ("authorization", "Bearer aaa.late.ccc")]).await;
    assert_eq!(
        (late.status, late.challenge.as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, ""),
        "the token may hold"
    );
    assert_eq!(list(&[HOST, ("authorization", "Bearer cap1_first")]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn pages_and_foreign_names_get_nothing_whatever_they_show() {
    let good = ("authorization", GOOD);
    for foreign in ["evil.example.com", "mcp.example.com.evil.example", "mcp.example.com@evil.example", ""] {
        let heard = list(&[("host", foreign), good]).await;
        assert_eq!(heard.status, StatusCode::FORBIDDEN, "{foreign}");
    }
    assert_eq!(list(&[good]).await.status, StatusCode::FORBIDDEN, "no name at all");
    assert_eq!(list(&[HOST, HOST, good]).await.status, StatusCode::FORBIDDEN, "two names");
    for origin in ["https://evil.example.com", "https://mcp.example.com", "null"] {
        assert_eq!(list(&[HOST, good, ("origin", origin)]).await.status, StatusCode::FORBIDDEN, "{origin}");
    }
    assert_eq!(list(&[("host", "MCP.example.com:443"), good]).await.status, StatusCode::OK);
}

#[test]
fn an_address_for_which_no_token_can_be_made_is_refused() {
    let refused = |resource: &str| {
        Entrance::new(Vec::new()).with_issuer(resource, "https://i.example", &[]).unwrap_err()
    };
    assert!(refused("http://mcp.example.com/mcp").contains("unprotected"));
    for wrong in
        ["mcp.example.com", "/mcp", "https://mcp.example.com/mcp/", "https://mcp.example.com/mcp?x=1"]
    {
        assert!(refused(wrong).contains(wrong), "{wrong}");
    }
    assert!(refused("https://a@mcp.example.com/mcp").contains("user"));
    let near = Entrance::new(Vec::new()).with_issuer("http://127.0.0.1:8090/mcp", "https://i.example", &[]);
    assert!(near.is_ok());
}
