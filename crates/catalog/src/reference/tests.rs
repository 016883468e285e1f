//! Tests of references to where the text of an input lies.

use super::*;
use crate::layer::integration;

const HEX: &str = "b5d4045c3f466fa91fe2cc6abe79232a1a57cdf104f7a26e716e0a1e2789df78";

fn service(rest: &str) -> Integration {
    let text = format!(
        "name: x\ntitle: X\ndocs: https://example.com\n\
         limits: {{connect: 5s, head: 30s, total: 2m, idle: 30s}}\n{rest}\n"
    );
    integration(&text, "x.yaml", "x").unwrap()
}

fn bearer(url: &str) -> Integration {
    service(&format!(
        "base_url: {url}\nsecrets: {{token: {{title: T}}}}\nauth: [{{scheme: bearer, secret: token}}]"
    ))
}

fn forge(kind: &str, domain: &str) -> Integration {
    integration(&format!("name: x\nextends: {kind}\n{domain}\n"), "x.yaml", "x").unwrap()
}

fn target(reference: &str, of: &Integration) -> Option<String> {
    let reference = Reference::parse(&format!("{reference}#sha256={HEX}")).unwrap();
    reference.fetch(of).map(|fetch| fetch.target.to_string())
}

#[test]
fn a_file_of_a_server_is_read_by_the_integration_that_has_it() {
    let files = bearer("https://files.example.com/team");
    assert_eq!(
        target("https://files.example.com/team/a/v.yaml?x=1", &files).as_deref(),
        Some("/a/v.yaml?x=1")
    );
    for other in [
        "https://files.example.com/teams/v.yaml",
        "https://files.example.com/v.yaml",
        "https://files.example.com:8443/team/v.yaml",
        "https://example.com/team/v.yaml",
        "git+https://files.example.com/team/a.git//v.yaml?ref=0123456789012345678901234567890123456789",
        "s3://files/team/v.yaml",
    ] {
        assert_eq!(target(other, &files), None, "{other}");
    }
    let by = |name: &str| {
        let text = format!("https://files.example.com/team/v.yaml#sha256={HEX}&integration={name}");
        Reference::parse(&text).unwrap().fetch(&files).is_some()
    };
    assert!(by("x") && !by("y"));
}

#[test]
fn a_file_of_a_repository_is_asked_of_the_api_of_its_forge() {
    let commit = "0123456789012345678901234567890123456789";
    let at = |host: &str, file: &str| format!("git+https://{host}/team/infra.git//{file}?ref={commit}");
    let github = forge("github", "");
    assert_eq!(
        target(&at("github.com", "web/my values.yaml".replace(' ', "+").as_str()), &github).unwrap(),
        format!("/repos/team/infra/contents/web/my%2Bvalues.yaml?ref={commit}")
    );
    assert_eq!(target(&at("gitlab.com", "v.yaml"), &github), None);
    let gitlab = forge("gitlab", "");
    let wanted = format!("/projects/team%2Finfra/repository/files/web%2Fv.yaml?ref={commit}");
    assert_eq!(target(&at("gitlab.com", "web/v.yaml"), &gitlab), Some(wanted));
    assert_eq!(target(&at("github.com", "web/v.yaml"), &gitlab), None);
    // The forge tells the file in Base64, in lines.
    let reference = Reference::parse(&format!(
        "{}#sha256={}",
        at("gitlab.com", "v"),
        crypto::to_hex(&crypto::sha256(&[b"a: 1\n"]))
    ));
    let reference = reference.unwrap();
    let fetch = reference.fetch(&gitlab).unwrap();
    assert_eq!(reference.text(&fetch, br#"{"content": "YTog\nMQo=\n"}"#).unwrap(), "a: 1\n");
    assert!(reference.text(&fetch, b"a: 1\n").is_err());
}

#[test]
fn an_object_is_read_by_an_integration_that_signs_for_its_bucket() {
    let auth = "secrets: {id: {title: I}, key: {title: K}}\n\
                auth: [{scheme: sigv4, region: eu-west-1, service: s3, access_key_id: id, secret_access_key: key}]";
    let by_host = service(&format!("base_url: https://charts.s3.eu-west-1.amazonaws.com\n{auth}"));
    let by_path = service(&format!("base_url: https://store.example.com/charts\n{auth}"));
    for store in [&by_host, &by_path] {
        assert_eq!(
            target("s3://charts/web/v 1.yaml".replace(' ', "+").as_str(), store).as_deref(),
            Some("/web/v%2B1.yaml")
        );
        assert_eq!(target("s3://chart/web/v.yaml", store), None);
        assert_eq!(target("s3://charts.s3/web/v.yaml", store), None);
    }
    // Who signs nothing is no store.
    assert_eq!(target("s3://charts/v.yaml", &bearer("https://charts.example.com")), None);
}

#[test]
fn a_reference_that_is_not_whole_is_refused() {
    let with = |place: &str| Reference::parse(&format!("{place}#sha256={HEX}"));
    for wrong in [
        "http://files.example.com/v.yaml",
        "file:///etc/passwd",
        "https://files.example.com",
        "https://user:word@files.example.com/v.yaml",
        "https://files.example.com/a/../v.yaml",
        "git+https://github.com/team/infra.git//v.yaml",
        "git+https://github.com/team/infra.git//v.yaml?ref=main",
        "git+https://github.com/team/infra.git//../v.yaml?ref=0123456789012345678901234567890123456789",
        "git+https://github.com/team/infra//v.yaml?ref=0123456789012345678901234567890123456789",
        "s3://bucket",
        "s3://Bucket/v.yaml",
        "s3://bucket/../v.yaml",
        "v.yaml",
    ] {
        assert!(with(wrong).is_err(), "{wrong}");
    }
    for behind in ["", "#", "#sha256=", "#sha256=00", "#sha1=00", "#sha256=zz"] {
        assert!(Reference::parse(&format!("https://files.example.com/v.yaml{behind}")).is_err(), "{behind}");
    }
    let twice = format!("https://files.example.com/v.yaml#sha256={HEX}&sha256={HEX}");
    assert!(Reference::parse(&twice).is_err());
}

#[test]
fn a_text_with_another_digest_is_refused_and_not_repeated() {
    let reference = Reference::parse(&format!("https://files.example.com/v.yaml#sha256={HEX}")).unwrap();
    let fetch = reference.fetch(&bearer("https://files.example.com")).unwrap();
    let refusal = reference.text(&fetch, b"replicas: 3").unwrap_err();
    assert!(
        refusal.message.contains("another SHA-256") && !refusal.message.contains("replicas"),
        "{refusal:?}"
    );
}
