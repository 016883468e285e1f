//! ECS: the token, roles by path, errors in both forms.

use metadata::Reach;
use model::Code;
use serde_json::json;

use crate::house::{KEY, Reply, Running, SECRET, SESSION, SHOWN};

fn authorised(server: &Running, target: &str) -> Reply {
    server.ask("GET", target, &[&format!("authorization: {SHOWN}")])
}

#[test]
fn the_token_leads_to_the_credentials_under_any_path() {
    let server = Running::ecs(Reach::Loopback);
    for target in ["/", "/v2/credentials/1234", "/anything?at=all"] {
        let reply = authorised(&server, target);
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert_eq!(
            reply.body,
            format!(
                r#"{{"AccessKeyId":"{KEY}","Expiration":"2026-11-22T10:00:00Z","SecretAccessKey":"{SECRET}","Token":{}}}{}"#,
                json!(SESSION),
                "\n"
            )
        );
    }
    assert_eq!(server.asks(), ["ecs - eu-central-1"]);
    assert_eq!(server.given().len(), 3);
}

#[test]
fn anything_but_the_bare_token_is_refused() {
    let server = Running::ecs(Reach::Loopback);
    let short = &SHOWN[..SHOWN.len() - 1];
    let headers = [
        String::new(),
        "Authorization:".to_owned(),
        format!("Authorization: Bearer {SHOWN}"),
        format!("Authorization: {short}"),
        format!("Authorization: {SHOWN}x"),
        format!("Authorization: {}", SHOWN.to_uppercase()),
        format!("X-Authorization: {SHOWN}"),
    ];
    for header in headers.iter() {
        let lines: Vec<&str> = if header.is_empty() { vec![] } else { vec![header.as_str()] };
        let reply = server.ask("GET", "/", &lines);
        assert_eq!(reply.status, 403, "{header}");
        assert_eq!(reply.header("content-type"), Some("application/json; charset=utf-8"));
        assert_eq!(reply.body, "{\"Message\":\"invalid Authorization token\"}\n");
        reply.has_no_secret();
    }
    assert!(server.asks().is_empty() && server.given().is_empty());
}

#[test]
fn a_role_in_the_path_is_assumed_and_kept_apart_from_others() {
    let server = Running::ecs(Reach::Loopback);
    let one = "arn:aws:iam::111122223333:role/one";
    let other = "arn:aws-us-gov:iam::111122223333:role/path/other@x=y,z";
    for target in [
        format!("/role-arn/{one}"),
        format!("/role-arn/{}", one.replace(':', "%3A")),
        format!("/role-arn/{other}"),
        "/".to_owned(),
    ] {
        assert_eq!(authorised(&server, &target).status, 200, "{target}");
    }
    let region = "eu-central-1";
    assert_eq!(
        server.asks(),
        [format!("ecs {one} {region}"), format!("ecs {other} {region}"), format!("ecs - {region}")]
    );
    assert_eq!(server.given()[0], format!("ecs {one} ASIACANARY0000000002"));
}

#[test]
fn what_is_not_the_arn_of_a_role_is_a_bad_request() {
    let server = Running::ecs(Reach::Loopback);
    for arn in [
        "",
        "one",
        "arn:aws:iam::111122223333:user/one",
        "arn:aws:sts::111122223333:assumed-role/one/x",
        "arn:aws:iam::1111:role/one",
        "arn:aws:iam::111122223333:role/",
        "arn:aws:iam::111122223333:role/a//b",
        "arn:aws:iam:eu-west-1:111122223333:role/one",
        "arn:aws:iam::111122223333:role/a%20b",
        "arn:aws:iam::111122223333:role/a%FF",
    ] {
        let reply = authorised(&server, &format!("/role-arn/{arn}"));
        assert_eq!((reply.status, reply.json()["code"].as_str()), (400, Some("bad_request")), "{arn}");
    }
    assert!(server.asks().is_empty());
}

#[test]
fn a_failure_has_both_forms_and_nobody_asks_again_at_once() {
    let server = Running::ecs(Reach::Loopback);
    server.refuse(Code::UpstreamTimeout);
    let reply = authorised(&server, "/");
    assert_eq!(reply.status, 500);
    let text = "the profile `p` gives nothing: type `doorward aws login p`";
    assert_eq!(reply.json(), json!({"code": "upstream_timeout", "message": text, "Message": text}));
    // Some programs read the first member and no more.
    assert!(reply.body.starts_with(&format!("{{\"Message\":\"{text}\",")), "{}", reply.body);
    let again = authorised(&server, "/");
    assert_eq!((again.status, again.header("retry-after")), (500, Some("1")));
    assert_eq!(server.asks().len(), 1);
    server.clock.pass(1);
    authorised(&server, "/");
    server.clock.pass(1);
    authorised(&server, "/");
    assert_eq!(server.asks().len(), 2, "the second pause is longer");
    server.clock.pass(1);
    server.refuse(Code::Denied);
    assert_eq!(authorised(&server, "/").status, 403);
    assert_eq!(server.asks().len(), 3);
    assert!(server.given().is_empty());
}

#[test]
fn a_failure_before_the_end_leaves_the_old_credentials_in_use() {
    let server = Running::ecs(Reach::Loopback);
    assert_eq!(authorised(&server, "/").status, 200);
    server.refuse(Code::UpstreamTimeout);
    server.clock.pass(3400);
    for _ in 0..5 {
        assert_eq!(authorised(&server, "/").status, 200);
    }
    server.clock.pass(180);
    assert_eq!(authorised(&server, "/").has_no_secret().status, 500);
}

#[test]
fn only_reading_is_served() {
    let server = Running::ecs(Reach::Loopback);
    let reply = server.ask("POST", "/", &[&format!("Authorization: {SHOWN}"), "Content-Length: 0"]);
    assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, HEAD")));
    // Without the token there is no difference to be seen.
    assert_eq!(server.ask("POST", "/", &["Content-Length: 0"]).status, 403);
}
