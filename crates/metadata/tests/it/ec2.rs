//! EC2: both versions of the protocol, what stands under which path, and errors.

use metadata::Version1;
use model::Code;
use serde_json::json;

use crate::house::{KEY, Reply, Running, SECRET, SESSION};

const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
const CREDENTIALS: &str = "/latest/meta-data/iam/security-credentials/local-credentials";

fn token(server: &Running, seconds: &str) -> Reply {
    server.ask("PUT", "/latest/api/token", &[&format!("X-aws-ec2-metadata-token-ttl-seconds: {seconds}")])
}

fn with_token(server: &Running, target: &str) -> Reply {
    let token = token(server, "60").body;
    server.ask("GET", target, &[&format!("X-aws-ec2-metadata-token: {token}")])
}

#[test]
fn a_token_leads_to_the_name_of_the_role_and_to_its_credentials() {
    let server = Running::ec2(Version1::Refused);
    let name = with_token(&server, ROLES);
    assert_eq!((name.status, name.body.as_str()), (200, "local-credentials"));
    let reply = with_token(&server, CREDENTIALS);
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.json(),
        json!({
            "AccessKeyId": KEY, "Code": "Success", "Expiration": "2026-11-22T10:00:00Z",
            "LastUpdated": "2026-11-22T09:00:00Z", "SecretAccessKey": SECRET, "Token": SESSION, "Type": "AWS-HMAC",
        })
    );
    assert_eq!(reply.header("server"), Some("EC2ws"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert!(reply.header("x-doorward-evidence").unwrap().starts_with("evd_"));
    assert_eq!(server.asks(), ["ec2 - eu-central-1"]);
    assert_eq!(server.given(), [format!("ec2 - {KEY}")]);
}

#[test]
fn a_token_says_how_long_it_is_good_for_and_is_refused_afterwards() {
    let server = Running::ec2(Version1::Refused);
    let made = token(&server, "60");
    assert_eq!(made.header("x-aws-ec2-metadata-token-ttl-seconds"), Some("60"));
    let ask = || server.ask("GET", CREDENTIALS, &[&format!("x-aws-EC2-metadata-TOKEN: {}", made.body)]);
    assert_eq!(ask().status, 200);
    server.clock.pass(60);
    assert_eq!(ask().has_no_secret().status, 401);
}

#[test]
fn without_a_token_or_with_a_wrong_one_nothing_is_said() {
    let server = Running::ec2(Version1::Refused);
    let mut wrong = token(&server, "60").body.into_bytes();
    let last = wrong.len() - 8;
    wrong[last] = if wrong[last] == b'A' { b'B' } else { b'A' };
    let wrong = String::from_utf8(wrong).unwrap();
    for headers in [
        vec![],
        vec!["X-aws-ec2-metadata-token: ".to_owned()],
        vec![format!("X-aws-ec2-metadata-token: {wrong}")],
    ] {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        for target in [CREDENTIALS, ROLES, "/", "/latest/meta-data/instance-id"] {
            assert_eq!(
                server.ask("GET", target, &headers).has_no_secret().status,
                401,
                "{target} {headers:?}"
            );
        }
    }
    assert!(server.asks().is_empty());
}

#[test]
fn the_lifetime_of_a_token_is_1_to_21600_seconds() {
    let server = Running::ec2(Version1::Refused);
    for good in ["1", "21600", "00060"] {
        assert_eq!(token(&server, good).status, 200, "{good}");
    }
    for bad in ["0", "21601", "-1", "+1", "1.5", "", "six", "999999999999999999999"] {
        assert_eq!(token(&server, bad).status, 400, "{bad}");
    }
    assert_eq!(server.ask("PUT", "/latest/api/token", &[]).status, 400);
    assert_eq!(server.ask("GET", "/latest/api/token", &[]).status, 405);
}

#[test]
fn the_first_version_works_where_it_is_switched_on_and_a_wrong_token_does_not() {
    let server = Running::ec2(Version1::Allowed);
    assert_eq!(server.ask("GET", CREDENTIALS, &[]).json()["AccessKeyId"], KEY);
    assert_eq!(server.ask("GET", CREDENTIALS, &["X-aws-ec2-metadata-token: nonsense"]).status, 401);
}

#[test]
fn each_path_answers_with_and_without_a_slash_at_its_end() {
    let server = Running::ec2(Version1::Allowed);
    for (path, body) in [
        ("", "1.0\nlatest"),
        ("/latest", "dynamic\nmeta-data"),
        ("/latest/meta-data", "iam/\ninstance-id\nplacement/"),
        ("/latest/meta-data/iam", "info\nsecurity-credentials/"),
        ("/latest/meta-data/iam/info", "{\"Code\" : \"Success\"}"),
        ("/latest/meta-data/iam/security-credentials", "local-credentials"),
        ("/2021-03-23/meta-data/iam/security-credentials", "local-credentials"),
        ("/latest/meta-data/instance-id", "aws-vault"),
        ("/latest/meta-data/placement", "availability-zone\nregion"),
        ("/latest/meta-data/placement/region", "eu-central-1"),
        ("/latest/meta-data/placement/availability-zone", "eu-central-1a"),
        ("/latest/dynamic", "instance-identity/"),
        ("/latest/dynamic/instance-identity", "document"),
    ] {
        let slash = server.ask("GET", &format!("{path}/"), &[]);
        assert_eq!((slash.status, slash.body.as_str()), (200, body), "{path}/");
        if !path.is_empty() {
            assert_eq!(server.ask("GET", path, &[]).body, body, "{path}");
        }
    }
    let document = server.ask("GET", "/latest/dynamic/instance-identity/document", &[]).json();
    assert_eq!(
        (&document["region"], &document["availabilityZone"]),
        (&json!("eu-central-1"), &json!("eu-central-1a"))
    );
    assert!(server.asks().is_empty(), "nothing of this needs credentials");
}

#[test]
fn anything_else_is_not_found() {
    let server = Running::ec2(Version1::Allowed);
    for path in [
        "/stop",
        "/latest/user-data",
        "/latest/meta-data/iam/security-credentials/other",
        "/latest/meta-data/iam/security-credentials/local-credentials/more",
        "/latest/meta-data/iam/security-credentials-extended/",
        "//latest/meta-data",
        "/newest/meta-data",
        "/latest/meta-data//iam",
        "/latest/meta-data/../meta-data/instance-id",
        "/latest/meta-data/iam/security-credentials/local%2Dcredentials",
    ] {
        assert_eq!(server.ask("GET", path, &[]).has_no_secret().status, 404, "{path}");
    }
    for method in ["POST", "DELETE", "OPTIONS"] {
        let reply = server.ask(method, CREDENTIALS, &[]);
        assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
    assert!(server.asks().is_empty());
}

#[test]
fn a_head_says_the_length_and_gives_nothing() {
    let server = Running::ec2(Version1::Allowed);
    let reply = server.ask("HEAD", CREDENTIALS, &[]);
    assert_eq!((reply.status, reply.body.as_str()), (200, ""));
}

#[test]
fn a_failure_is_told_apart_by_whether_asking_again_helps() {
    let server = Running::ec2(Version1::Allowed);
    server.refuse(Code::UpstreamTimeout);
    let reply = server.ask("GET", CREDENTIALS, &[]);
    assert_eq!(reply.status, 504);
    assert_eq!(reply.body, "the profile `p` gives nothing: type `doorward aws login p`");
    server.clock.pass(60);
    server.refuse(Code::Denied);
    assert_eq!(server.ask("GET", CREDENTIALS, &[]).status, 403);
}

#[test]
fn what_cannot_be_recorded_is_not_given() {
    let server = Running::ec2(Version1::Allowed);
    *server.source.unrecordable.lock().unwrap() = true;
    assert_eq!(server.ask("GET", CREDENTIALS, &[]).has_no_secret().status, 504);
    *server.source.unrecordable.lock().unwrap() = false;
    assert_eq!(server.ask("GET", CREDENTIALS, &[]).status, 200);
    assert_eq!(server.asks().len(), 1, "the lease itself was kept");
}

#[test]
fn every_answer_is_recorded_and_the_lease_is_fetched_again_before_its_end() {
    let server = Running::ec2(Version1::Allowed);
    for _ in 0..3 {
        assert_eq!(server.ask("GET", CREDENTIALS, &[]).status, 200);
    }
    assert_eq!((server.asks().len(), server.given().len()), (1, 3));
    server.clock.pass(3600 - 300 - 1);
    server.ask("GET", CREDENTIALS, &[]);
    assert_eq!(server.asks().len(), 1);
    server.clock.pass(1);
    server.ask("GET", CREDENTIALS, &[]);
    // The old one is given while the new one is fetched; once it is there, it is the one that is given.
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while server.ask("GET", CREDENTIALS, &[]).json()["Expiration"] != "2026-11-22T10:55:00Z" {
        assert!(std::time::Instant::now() < until, "{:?}", server.asks());
    }
    assert_eq!(server.asks().len(), 2);
}
