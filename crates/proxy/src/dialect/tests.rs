//! Replies of ours in another gateway's words.

use super::*;

fn reply(refusal: &Refusal, speech: Speech) -> Response<Body> {
    let mut reply = net::problem::reply(refusal);
    translate(&mut reply, (refusal, None), "slack", speech);
    reply
}

#[test]
fn every_code_has_a_status_and_a_reason() {
    for code in Code::ALL {
        let reply = reply(&Refusal::new(code, "no"), Speech::Http);
        assert_ne!(reply.status(), StatusCode::INTERNAL_SERVER_ERROR, "{code}");
        assert_eq!(reply.headers()[UPSTREAM_ERROR], "false");
        assert!(reply.headers()[ERROR_REASON].len() > 3, "{code}");
        assert_eq!(reply.headers()["x-doorward-refusal"], code.as_str());
        assert_eq!(reply.headers()["content-type"], "text/plain; charset=utf-8");
        assert_eq!(reply.headers()["x-content-type-options"], "nosniff");
    }
}

#[test]
fn a_finer_reason_is_told_as_it_is() {
    let refusal = Refusal::new(Code::Denied, "denied").because("denylist matched caller * GET /x");
    let reply = reply(&refusal, Speech::Http);
    assert_eq!(reply.status(), 403);
    assert_eq!(reply.headers()[ERROR_REASON], "denylist matched caller * GET /x");
}

#[test]
fn the_bodies_are_those_that_clients_know() {
    let told = |code, message: &str| {
        let refusal = Refusal::new(code, message);
        let (status, reason) = told(&refusal);
        (status.as_u16(), body(status, reason, &refusal, "slack"))
    };
    for (code, message, status, text) in [
        (Code::NotFound, "", 404, "integration for host slack not found\n"),
        (Code::Unauthenticated, "", 401, "Unauthorized: authentication failed for integration slack\n"),
        (Code::Denied, "", 403, "Forbidden: no allowlist match\n"),
        (Code::SecretMissing, "", 503, "Service Unavailable: credential unavailable\n"),
        (Code::UpstreamUnreachable, "", 502, "Bad Gateway: upstream unreachable\n"),
        (Code::UpstreamTimeout, "", 504, "Gateway Timeout: upstream timeout\n"),
        (
            Code::BadRequest,
            "invalid destination: missing",
            400,
            "Bad Request: missing X-AT-Destination header\n",
        ),
        (
            Code::BadRequest,
            "invalid destination: host not permitted",
            400,
            "Bad Request: invalid X-AT-Destination header: host not permitted\n",
        ),
    ] {
        assert_eq!(told(code, message), (status, text.to_owned()), "{code}");
    }
}

#[test]
fn a_reply_to_head_has_no_body_and_one_in_grpc_keeps_its_status() {
    use http_body::Body as _;
    let refusal = Refusal::new(Code::Denied, "no");
    let mut head = net::problem::reply(&refusal);
    *head.body_mut() = Body::empty();
    translate(&mut head, (&refusal, None), "slack", Speech::HeadOnly);
    assert!(head.body().is_end_stream());
    let mut grpc = net::problem::grpc(&refusal);
    translate(&mut grpc, (&refusal, None), "slack", Speech::Grpc);
    assert_eq!(
        (grpc.status().as_u16(), &grpc.headers()["content-type"]),
        (200, &HeaderValue::from_static("application/grpc"))
    );
}
