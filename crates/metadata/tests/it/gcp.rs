//! GCP: the header, tokens, identity tokens, and what is said about the project.

use model::Code;
use serde_json::json;

use crate::house::{Reply, Running, Still, TOKEN, identity};

const ACCOUNT: &str = "/computeMetadata/v1/instance/service-accounts/default";
const EMAIL: &str = "canary@canary-project.iam.gserviceaccount.com";

fn ask(server: &Running, target: &str) -> Reply {
    server.ask("GET", target, &["metadata-flavor: Google"])
}

#[test]
fn an_access_token_comes_with_the_seconds_that_are_left() {
    let server = Running::gcp(Still::start());
    let reply = ask(&server, &format!("{ACCOUNT}/token"));
    assert_eq!(reply.json(), json!({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"}));
    assert_eq!(reply.header("metadata-flavor"), Some("Google"));
    server.clock.pass(100);
    assert_eq!(ask(&server, &format!("{ACCOUNT}/token")).json()["expires_in"], 3500);
    assert_eq!(server.asks(), [format!("gcp {EMAIL} access ")]);
    assert_eq!(server.given(), ["gcp default ", "gcp default "]);
}

#[test]
fn scopes_and_audiences_are_kept_apart_and_the_two_names_of_an_account_are_not() {
    let server = Running::gcp(Still::start());
    for target in [
        "token?scopes=a,b",
        "token?scopes=a%2Cb",
        "token",
        "identity?audience=a,b",
        "identity?audience=c&format=full",
    ] {
        assert_eq!(ask(&server, &format!("{ACCOUNT}/{target}")).status, 200, "{target}");
    }
    let by_email = format!("/computeMetadata/v1/instance/service-accounts/{EMAIL}/token");
    assert_eq!(ask(&server, &by_email).status, 200);
    let asks =
        ["access a,b", "access ", "identity a,b", "identity c"].map(|want| format!("gcp {EMAIL} {want}"));
    assert_eq!(server.asks(), asks);
}

#[test]
fn an_identity_token_is_bare_text_and_needs_an_audience() {
    let server = Running::gcp(Still::start());
    assert_eq!(ask(&server, &format!("{ACCOUNT}/identity?audience=https%3A%2F%2Fx")).body, identity());
    assert_eq!(server.asks(), [format!("gcp {EMAIL} identity https://x")]);
    for target in
        ["identity", "identity?audience=", "identity?audience=a&audience=b", "identity?audience=%FF"]
    {
        assert_eq!(ask(&server, &format!("{ACCOUNT}/{target}")).status, 400, "{target}");
    }
}

#[test]
fn the_header_is_needed_for_everything_but_the_root() {
    let server = Running::gcp(Still::start());
    for headers in [vec![], vec!["Metadata-Flavor: google"], vec!["Metadata-Flavor:"], vec!["Metadata: true"]]
    {
        let reply = server.ask("GET", &format!("{ACCOUNT}/token"), &headers);
        assert_eq!(reply.has_no_secret().status, 403, "{headers:?}");
        assert_eq!(reply.body, "Missing Metadata-Flavor:Google header.");
    }
    let root = server.ask("GET", "/", &[]);
    assert_eq!((root.status, root.header("metadata-flavor")), (200, Some("Google")));
}

#[test]
fn each_path_says_what_it_says() {
    let server = Running::gcp(Still::start());
    let scope = "https://www.googleapis.com/auth/cloud-platform";
    for (path, body) in [
        ("/", "instance/\nproject/\nuniverse/\n".to_owned()),
        ("/instance/service-accounts/", format!("default/\n{EMAIL}/\n")),
        ("/instance/service-accounts/default/", "aliases\nemail\nidentity\nscopes\ntoken\n".to_owned()),
        ("/instance/service-accounts/default/email", EMAIL.to_owned()),
        ("/instance/service-accounts/default/scopes", format!("{scope}\n")),
        ("/project/project-id", "canary-project".to_owned()),
        ("/project/numeric-project-id", "123456".to_owned()),
        ("/universe/universe-domain", "googleapis.com".to_owned()),
    ] {
        let reply = ask(&server, &format!("/computeMetadata/v1{path}"));
        assert_eq!((reply.status, reply.body), (200, body), "{path}");
    }
    let account = json!({"aliases": ["default"], "email": EMAIL, "scopes": [scope]});
    assert_eq!(ask(&server, &format!("{ACCOUNT}/?recursive=true&alt=json")).json(), account);
    assert_eq!(
        ask(&server, "/computeMetadata/v1/instance/service-accounts/?recursive=true").json(),
        json!({"default": account, EMAIL: account})
    );
    for path in [
        "/computeMetadata/v1beta1/",
        "/computeMetadata/v1/instance/service-accounts/other/token",
        "/computeMetadata/v1/instance/attributes/",
        "/other",
    ] {
        assert_eq!(ask(&server, path).status, 404, "{path}");
    }
    assert!(server.asks().is_empty());
}

#[test]
fn a_failure_is_told_apart_by_whether_asking_again_helps() {
    let server = Running::gcp(Still::start());
    server.refuse(Code::Denied);
    assert_eq!(ask(&server, &format!("{ACCOUNT}/token")).status, 403);
    server.clock.pass(60);
    server.refuse(Code::Sealed);
    assert_eq!(ask(&server, &format!("{ACCOUNT}/token")).status, 503);
    *server.source.refusal.lock().unwrap() = None;
    server.clock.pass(60);
    *server.source.unrecordable.lock().unwrap() = true;
    assert_eq!(ask(&server, &format!("{ACCOUNT}/token")).has_no_secret().status, 503);
}
