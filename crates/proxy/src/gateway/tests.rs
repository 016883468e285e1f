//! A request from its head to what the broker is asked, and refusals on their way back.

use std::time::Duration;

use http::request::Builder;
use http_body::Body as _;
use model::{Code, Refusal, Retry};
use net::body::{Bounds, collect_bounded};

use super::*;

fn gateway() -> Gateway {
    Gateway::new(vec!["gateway.example".to_owned()], vec!["https://console.example".to_owned()]).unwrap()
}

fn get(uri: &str) -> Builder {
    Request::get(uri).header("host", "localhost:8080")
}

fn read(request: Builder) -> Result<Read, Refused> {
    let peer = Peer { address: Some("127.0.0.1".parse().unwrap()), ..Peer::default() };
    let (_drain, draining) = net::drain::channel();
    let names = Names { aliased: &|_| None, known: &|_| true };
    gateway().read(request.body(()).unwrap().into_parts().0, &peer, &draining, names, None)
}

fn call(request: Builder) -> Call {
    match read(request).unwrap() {
        Read::Call(call) => *call,
        Read::Client(..) => panic!("no provider was set"),
        Read::Health(..) | Read::Operate(_) | Read::Tools(_) => {
            panic!("it was read as something else than a call")
        }
    }
}

fn refused(request: Builder) -> Response<Body> {
    read(request).unwrap_err().reply(Speech::Http)
}

#[test]
fn a_request_is_carried_over_as_it_stands() {
    let call = call(
        Request::post("/slack/api/chat.postMessage?a=b")
            .header("host", "localhost")
            .header("authorization", "Bearer cap1_abc")
            .header("x-doorward-purpose", "run-1")
            .header("accept", "*/*"),
    );
    assert_eq!(call.forward.integration.as_str(), "slack");
    assert_eq!(call.forward.method, Method::Post);
    assert_eq!(call.forward.target.as_str(), "/api/chat.postMessage?a=b");
    assert_eq!(call.forward.headers["accept"], "*/*");
    assert_eq!(call.capability.unwrap(), "cap1_abc");
    assert_eq!(call.facts.purpose.as_deref(), Some("run-1"));
    assert_eq!(call.facts.address, Some("127.0.0.1".parse().unwrap()));
    assert_eq!(call.facts.holder, model::Holder::default());
}

#[test]
fn an_absolute_target_of_a_program_with_a_proxy_setting_is_read_by_its_host() {
    let call = call(Request::get("http://slack/api?x=1").header("host", "slack"));
    assert_eq!(call.forward.integration.as_str(), "slack");
    assert_eq!(call.forward.target.as_str(), "/api?x=1");
}

#[test]
fn health_is_asked_under_every_host_and_in_every_spelling() {
    for request in [
        get("/_doorward/healthz"),
        get("/%5Fdoorward/healthz"),
        Request::get("/_doorward/healthz").header("host", "10.0.0.1:8080"),
        Request::get("/_doorward/healthz").header("host", "slack.localhost"),
    ] {
        assert!(matches!(read(request).unwrap(), Read::Health(health::Question::Alive, _)));
    }
    assert_eq!(refused(get("/_doorward/metrics")).status(), 404);
}

#[test]
fn a_method_that_cannot_be_forwarded_is_answered_with_those_that_can() {
    let reply = refused(Request::builder().method("PROPFIND").uri("/slack/").header("host", "localhost"));
    assert_eq!(reply.status(), 405);
    assert_eq!(reply.headers()["allow"], "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    assert_eq!(reply.headers()[problem::REFUSAL], "bad_request");
}

#[test]
fn a_request_with_no_reading_or_two_is_refused() {
    for (request, status) in [
        (get("/slack/../github"), 400),
        (get("/slack/%2e%2e/github"), 400),
        (get("/slack/%2"), 400),
        (get("/"), 404),
        (Request::options("*").header("host", "localhost"), 400),
        (Request::get("/slack/").header("host", "evil.example"), 421),
        (Request::get("/slack/"), 400),
        (get("/slack/").header("origin", "https://evil.example"), 403),
        (get("/slack/").header("sec-fetch-site", "cross-site"), 403),
        (get("/slack/").header("x-doorward-purpose", "a b"), 400),
        (Request::get("/api").header("host", "slack").header("x-at-int", "github"), 400),
        (get("/slack/").header("authorization", "Bearer cap1_a").header("x-api-key", "cap1_b"), 400),
    ] {
        let shown = format!("{request:?}");
        assert_eq!(refused(request).status(), status, "{shown}");
    }
}

#[tokio::test]
async fn a_refusal_of_the_broker_is_told_as_problem_details() {
    let refusal =
        Refusal::new(Code::RateLimited, "too many calls").retry(Retry::After(Duration::from_millis(1)));
    let reply = Refused::from(refusal).reply(Speech::Http);
    assert_eq!(reply.status(), 429);
    assert_eq!(reply.headers()["retry-after"], "1");
    let soon = Duration::from_secs(1);
    let bounds = Bounds { bytes: 10_000, frame: soon, whole: soon };
    let body = collect_bounded(reply.into_body(), bounds).await.unwrap();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["type"], "urn:doorward:refusal:rate_limited");
    assert_eq!(body["title"], "rate limited");
    assert_eq!(body["status"], 429);
    assert_eq!(body["detail"], "too many calls");
    assert_eq!(body["retry_after"], 1);
}

#[test]
fn a_refusal_is_told_in_the_words_of_whoever_asked() {
    let speech = |request: Builder| Speech::of(&request.body(()).unwrap().into_parts().0);
    let grpc = || Request::post("/slack/a.B/C").header("content-type", "application/grpc+proto");
    assert_eq!(speech(grpc().version(http::Version::HTTP_2)), Speech::Grpc);
    assert_eq!(speech(grpc()), Speech::Http);
    assert_eq!(speech(Request::head("/slack/")), Speech::HeadOnly);
    let denied = || Refused::from(Refusal::new(Code::Denied, "no"));
    let head = denied().reply(Speech::HeadOnly);
    assert_eq!((head.status().as_u16(), head.body().is_end_stream()), (403, true));
    let trailers = denied().reply(Speech::Grpc);
    assert_eq!((trailers.status().as_u16(), trailers.body().is_end_stream()), (200, true));
    assert_eq!(trailers.headers()["grpc-status"], "7");
}

#[test]
fn a_domain_or_origin_that_no_request_could_name_is_refused_at_the_start() {
    for domain in
        ["Gateway.example", "gateway.example.", "gateway.example:80", "https://a.example", "", "a/b", "*.a"]
    {
        assert!(
            matches!(Gateway::new(vec![domain.to_owned()], vec![]), Err(Unusable::Domain(_))),
            "{domain}"
        );
    }
    for origin in ["null", "*", "https://a.example/", "https://a.example:443", "console.example", ""] {
        assert!(
            matches!(Gateway::new(vec![], vec![origin.to_owned()]), Err(Unusable::Origin(_))),
            "{origin}"
        );
    }
    for domain in ["gateway", "10.0.0.5", "[2001:db8::1]"] {
        assert!(Gateway::new(vec![domain.to_owned()], vec!["http://localhost:3000".to_owned()]).is_ok());
    }
}
