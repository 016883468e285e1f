//! What a file says of connections, and what is refused of it.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::layer::integration;
use crate::{Breaker, Connection, Integration, Retries};

const HEAD: &str = "name: x
base_url: https://api.example.com
secrets: {token: {title: T}}
auth: [{scheme: bearer, secret: token}]
limits: {connect: 5s, head: 30s, total: 2m, idle: 30s}
operations: {look: {title: Look, access: read, risk: low, match: {method: GET, path: /look}}}
";

fn read(rest: &str) -> Result<Integration, crate::Error> {
    integration(&format!("{HEAD}{rest}"), "x.yaml", "x")
}

fn problem(rest: &str) -> String {
    read(rest).unwrap_err().to_string()
}

#[test]
fn a_file_that_says_nothing_of_connections_has_none_of_its_own() {
    for usual in ["", "connections: {}\n", "connections: {keep_alive: true}\n", "tls: {}\n"] {
        assert!(read(usual).unwrap().connection().is_none(), "{usual}");
    }
}

#[test]
fn everything_that_can_be_said_is_read() {
    let x = read(
        "proxy: http://proxy.example:3128\n\
         connections: {idle: 4, idle_for: 90s, most: 8, keep_alive: false, handshake: 3s}\n\
         retries: {most: 2, budget: 10%}\nbreaker: {failures: 5, rest: 30s}\n",
    )
    .unwrap();
    let wanted = Connection {
        authorities: None,
        authorities_from: None,
        proxy: Some("http://proxy.example:3128".parse().unwrap()),
        idle: Some(4),
        idle_for: Some(Duration::from_secs(90)),
        most: Some(8.try_into().unwrap()),
        keep_alive: false,
        handshake: Some(Duration::from_secs(3)),
        retries: Some(Retries { most: NonZeroU32::new(2).unwrap(), percent: NonZeroU32::new(10).unwrap() }),
        breaker: Some(Breaker { failures: NonZeroU32::new(5).unwrap(), rest: Duration::from_secs(30) }),
    };
    assert_eq!(x.connection().map(|connection| &**connection), Some(&wanted));
    assert!(!wanted.is_usual());
    let breaker = read("breaker: {failures: 1, rest: 1s}\n").unwrap();
    assert!(breaker.connection().unwrap().is_usual());
}

#[test]
fn what_makes_no_sense_is_refused_where_it_stands() {
    for (rest, wrong) in [
        ("connections: {most: 0}\n", "x.yaml:7: `most: 0` would refuse every call"),
        ("connections: {idle: 10001}\n", "x.yaml:7: `idle` and `most` are at most 10000"),
        ("connections: {idle_for: 0s}\n", "`0s` is not a valid duration"),
        ("connections: {idel: 1}\n", "idel"),
        ("retries: {most: 6}\n", "x.yaml:7: `most` is 1 to 5"),
        ("retries: {most: 1, budget: 101%}\n", "from `1%` to `100%`"),
        ("retries: {most: 1, budget: \"20\"}\n", "from `1%` to `100%`"),
        ("breaker: {failures: 0, rest: 1s}\n", "would refuse every call"),
        ("breaker: {failures: 1, rest: 2h}\n", "at most an hour"),
        ("tls: {ca: ca.pem}\n", "x.yaml:7: `tls: ca:` is the absolute path"),
        ("tls: {ca: /nowhere/ca.pem}\n", "x.yaml:7: could not read `/nowhere/ca.pem`"),
        ("proxy: socks5://proxy.example\n", "x.yaml:7: `proxy` is `http://HOST:PORT`"),
    ] {
        let message = problem(rest);
        assert!(message.contains(wrong), "{rest}: {message}");
    }
}

#[test]
fn a_password_in_the_address_of_a_proxy_is_refused_and_not_repeated() {
    let message = problem("proxy: http://ada:CANARY@proxy.example:3128\n");
    assert!(message.contains("without a name and a password") && !message.contains("CANARY"), "{message}");
}

#[test]
fn a_bundle_of_authorities_is_read_with_the_file_that_names_it() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    let said = format!("tls: {{ca: {}}}\n", path.display());
    let put = |text: &str| std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
    put("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    assert!(read(&said).unwrap().connection().unwrap().authorities.is_some());
    put("nothing");
    assert!(problem(&said).contains("no certificate in PEM"));
    put("-----BEGIN PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\n");
    assert!(problem(&said).contains("holds a private key"));
}

#[test]
fn skipping_verification_is_one_switch_under_two_names() {
    assert!(read("tls: {insecure_skip_verify: true}\n").unwrap().tls_insecure_skip_verify());
    assert!(read("tls_insecure_skip_verify: true\n").unwrap().tls_insecure_skip_verify());
    assert!(!read("tls: {insecure_skip_verify: false}\n").unwrap().tls_insecure_skip_verify());
}

#[test]
fn a_password_for_the_proxy_wants_a_proxy_that_keeps_it() {
    let read = |proxy: &str, scheme: &str| {
        let text = HEAD
            .replace("{token: {title: T}}", "{token: {title: T}, pass: {title: P}, user: {title: U}}")
            .replace("secret: token}", &format!("secret: token}}, {{scheme: proxy_basic, {scheme}}}"));
        integration(&format!("{text}{proxy}"), "x.yaml", "x").map(drop).map_err(|error| error.to_string())
    };
    let named = "username_secret: user, password_secret: pass";
    read("proxy: https://proxy.example:3129\n", named).unwrap();
    read("proxy: http://proxy.example:3128\ndangerous_allow_private: true\n", named).unwrap();
    for (proxy, scheme, wrong) in [
        ("", named, "x.yaml:4: `proxy_basic` is for the proxy that `proxy` names"),
        ("proxy: http://proxy.example:3128\n", named, "x.yaml:4: over `http://` anybody on the way"),
        (
            "proxy: https://proxy.example:3129\n",
            "username_secret: user",
            "x.yaml:4: the key `password_secret`",
        ),
        (
            "proxy: https://proxy.example:3129\n",
            "secret: [user, pass]",
            "x.yaml:4: `proxy_basic` has one secret",
        ),
        (
            "proxy: https://proxy.example:3129\n",
            "name: x, secret: user",
            "x.yaml:4: this auth scheme has no `name`",
        ),
    ] {
        let problem = read(proxy, scheme).unwrap_err();
        assert!(problem.starts_with(wrong), "{scheme}\n  {problem}\n  {wrong}");
    }
}
