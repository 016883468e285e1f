//! Azure: the header, the parameters, the answer with its numbers as texts.

use model::Code;
use serde_json::json;

use crate::house::{Reply, Running, Still, TOKEN};

const PATH: &str = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net";

fn ask(server: &Running, target: &str) -> Reply {
    server.ask("GET", target, &["Metadata: true"])
}

#[test]
fn a_token_comes_as_the_service_words_it() {
    let server = Running::azure(Still::start());
    let reply = ask(&server, PATH);
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.json(),
        json!({
            "access_token": TOKEN, "client_id": "00000000-0000-0000-0000-00000000cafe", "expires_in": "3600",
            "expires_on": "1795341600", "ext_expires_in": "3600", "not_before": "1795338000",
            "resource": "https://vault.azure.net", "token_type": "Bearer",
        })
    );
    ask(&server, PATH);
    assert_eq!(server.asks(), ["azure  resource https://vault.azure.net"]);
    assert_eq!(server.given().len(), 2);
}

#[test]
fn an_identity_is_named_in_one_way_only() {
    let server = Running::azure(Still::start());
    assert_eq!(ask(&server, &format!("{PATH}&client_id=c")).status, 200);
    assert_eq!(ask(&server, &format!("{PATH}&mi_res_id=%2Fsubscriptions%2Fs")).status, 200);
    assert_eq!(ask(&server, &format!("{PATH}&client_id=c&object_id=o")).status, 400);
    let resource = "resource https://vault.azure.net";
    assert_eq!(
        server.asks(),
        [format!("azure client_id=c {resource}"), format!("azure mi_res_id=/subscriptions/s {resource}")]
    );
}

#[test]
fn without_the_header_or_a_parameter_nothing_is_given() {
    let server = Running::azure(Still::start());
    for headers in [vec![], vec!["Metadata: false"], vec!["Metadata-Flavor: Google"]] {
        let reply = server.ask("GET", PATH, &headers);
        assert_eq!(
            (reply.status, reply.json()["error"].as_str()),
            (400, Some("invalid_request")),
            "{headers:?}"
        );
    }
    for target in [
        "/metadata/identity/oauth2/token?resource=r",
        "/metadata/identity/oauth2/token?api-version=2018-02-01",
        "/metadata/identity/oauth2/token?api-version=2017-12-01&resource=r",
        "/metadata/identity/oauth2/token?api-version=latest&resource=r",
        "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=r&resource=s",
    ] {
        assert_eq!(ask(&server, target).status, 400, "{target}");
    }
    assert_eq!(ask(&server, "/metadata/instance?api-version=2021-02-01").status, 404);
    assert_eq!(server.ask("POST", PATH, &["Metadata: true", "Content-Length: 0"]).status, 405);
    assert!(server.asks().is_empty());
}

#[test]
fn a_failure_is_told_apart_by_whether_asking_again_helps() {
    let server = Running::azure(Still::start());
    for (code, status) in [(Code::Denied, 400), (Code::RateLimited, 429), (Code::UpstreamTimeout, 503)] {
        server.refuse(code);
        let reply = ask(&server, PATH);
        assert_eq!(reply.status, status);
        assert!(reply.json()["error_description"].as_str().unwrap().contains("doorward aws login p"));
        server.clock.pass(120);
    }
}
