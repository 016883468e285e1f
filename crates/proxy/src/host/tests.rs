//! Hosts in every form that a request may have.

use http::Request;

use super::*;

fn domains() -> Vec<String> {
    ["gateway.example", "doorward", "10.0.0.5"].map(str::to_owned).into()
}

fn of(written: &str, domains: &[String]) -> Result<Addressed, Refused> {
    match super::of(written, domains, &|name| (name == "my_service").then(|| "my-service".parse().unwrap()))?
    {
        Addressed::Foreign => Err(foreign()),
        other => Ok(other),
    }
}

fn addressed(parts: &Parts, domains: &[String]) -> Result<Addressed, Refused> {
    match super::addressed(parts, domains, &|_| None)? {
        Addressed::Foreign => Err(foreign()),
        other => Ok(other),
    }
}

#[test]
fn a_name_besides_its_own_is_an_integrations_too() {
    for host in ["my_service", "MY_Service:8080"] {
        assert_eq!(of(host, &domains()).unwrap(), integration("my-service"), "{host}");
    }
}

fn integration(name: &str) -> Addressed {
    Addressed::Integration(name.parse().unwrap())
}

fn status(refused: &Refused) -> u16 {
    refused.reply(crate::refused::Speech::Http).status().as_u16()
}

#[test]
fn the_gateway_has_its_own_names() {
    for host in [
        "localhost",
        "localhost:8080",
        "LOCALHOST:1",
        "127.0.0.1",
        "127.0.0.1:8080",
        "[::1]",
        "[::1]:8080",
        "gateway.example",
        "Gateway.Example:443",
        "doorward:8080",
        "10.0.0.5:80",
    ] {
        assert_eq!(of(host, &domains()).unwrap(), Addressed::Gateway, "{host}");
    }
}

#[test]
fn an_integration_is_named_by_a_label_before_ours_or_alone() {
    for host in [
        "slack-prod.localhost",
        "slack-prod.localhost:8080",
        "SLACK-prod.LocalHost",
        "slack-prod.gateway.example",
        "slack-prod.gateway.example:65535",
        "slack-prod.doorward",
        "slack-prod",
        "slack-prod:8080",
    ] {
        assert_eq!(of(host, &domains()).unwrap(), integration("slack-prod"), "{host}");
    }
}

#[test]
fn a_foreign_host_is_sent_away_with_advice() {
    for host in [
        "evil.example",
        "slack.com",
        "gateway.example.evil.example",
        "evilgateway.example",
        "a.slack.localhost",
        "a.slack.gateway.example",
        "localhost.evil.example",
        "127.0.0.2",
        "127.0.0.1.evil.example",
        "10.0.0.6",
        "[::2]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0:8080",
    ] {
        let refused = of(host, &domains()).unwrap_err();
        assert_eq!(status(&refused), 421, "{host}");
        assert!(refused.refusal().hint.as_deref().unwrap().contains("--domain"), "{host}");
        assert!(!refused.refusal().message.contains("evil"));
    }
}

#[test]
fn a_host_with_more_than_one_reading_is_malformed() {
    for host in [
        "",
        ":8080",
        "localhost.",
        "slack.localhost.",
        "slack.localhost.:80",
        "localhost:",
        "localhost:http",
        "localhost:+80",
        "localhost:65536",
        "localhost:80:80",
        ".localhost",
        "sl_ack.localhost",
        "slack-.localhost",
        "-slack",
        "[::1",
        "[::1]8080",
        "::1",
    ] {
        assert_eq!(status(&of(host, &domains()).unwrap_err()), 400, "{host}");
    }
}

fn parts(uri: &str, hosts: &[&str]) -> Parts {
    let mut builder = Request::get(uri);
    for host in hosts {
        builder = builder.header(HOST, *host);
    }
    builder.body(()).unwrap().into_parts().0
}

#[test]
fn the_authority_of_an_absolute_target_is_the_host() {
    let read = addressed(&parts("http://slack.localhost/api", &["slack.localhost"]), &[]).unwrap();
    assert_eq!(read, integration("slack"));
    assert_eq!(addressed(&parts("http://slack/api", &[]), &[]).unwrap(), integration("slack"));
    assert_eq!(status(&addressed(&parts("http://slack.com/", &["slack"]), &[]).unwrap_err()), 421);
    assert_eq!(status(&addressed(&parts("ftp://slack/", &["slack"]), &[]).unwrap_err()), 400);
    assert_eq!(status(&addressed(&parts("http://slack@localhost/", &[]), &[]).unwrap_err()), 400);
}

#[test]
fn no_host_and_two_hosts_are_refused() {
    assert_eq!(status(&addressed(&parts("/", &[]), &[]).unwrap_err()), 400);
    assert_eq!(status(&addressed(&parts("/", &["localhost", "localhost"]), &[]).unwrap_err()), 400);
    assert_eq!(addressed(&parts("/", &["localhost"]), &[]).unwrap(), Addressed::Gateway);
}
