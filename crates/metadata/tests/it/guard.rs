//! Who is answered at all: the rules that all servers share.

use std::net::Ipv4Addr;
use std::num::NonZeroUsize;
use std::sync::Arc;

use metadata::{Ec2, Error, Instance, Reach, Reason, Refreshing, Version1};

use crate::house::{Running, SHOWN, Source, Still, limits};

/// Each server, with a request that it would answer.
fn each() -> Vec<(Running, &'static str, Vec<String>, [u16; 2])> {
    let authorisation = format!("Authorization: {SHOWN}");
    vec![
        (
            Running::ec2(Version1::Allowed),
            "/latest/meta-data/iam/security-credentials/local-credentials",
            vec![],
            [401, 403],
        ),
        (Running::ecs(Reach::Loopback), "/", vec![authorisation], [403, 403]),
        (
            Running::gcp(Still::start()),
            "/computeMetadata/v1/instance/service-accounts/default/token",
            vec!["Metadata-Flavor: Google".to_owned()],
            [403, 403],
        ),
        (
            Running::azure(Still::start()),
            "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=r",
            vec!["Metadata: true".to_owned()],
            [403, 400],
        ),
    ]
}

#[test]
fn a_host_that_was_pointed_here_is_refused_by_every_server() {
    for (server, target, headers, [status, _]) in each() {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let port = server.address.port();
        for host in [
            "evil.example",
            "169.254.169.254.evil.example",
            "localhost",
            "127.0.0.1",
            "127.0.0.1:1",
            "169.254.169.254:8080",
        ] {
            assert_eq!(
                server.ask_as(host, "GET", target, &headers).has_no_secret().status,
                status,
                "{host} {target}"
            );
        }
        let evil = format!("evil.example:{port}");
        assert_eq!(server.ask_as(&evil, "GET", target, &headers).status, status);
        assert!(server.asks().is_empty() && server.given().is_empty());
        for host in [format!("127.0.0.1:{port}"), format!("LocalHost:{port}")] {
            assert_eq!(server.ask_as(&host, "GET", target, &headers).status, 200, "{host} {target}");
        }
    }
}

#[test]
fn the_metadata_address_is_a_name_of_the_servers_that_have_it() {
    for (server, target, headers, _) in each() {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let expected = if target == "/" { 403 } else { 200 };
        for host in ["169.254.169.254", "169.254.169.254:80"] {
            assert_eq!(server.ask_as(host, "GET", target, &headers).status, expected, "{host} {target}");
        }
    }
}

#[test]
fn what_a_proxy_or_a_page_sent_is_refused_by_every_server() {
    for (server, target, headers, [_, status]) in each() {
        for sign in [
            "X-Forwarded-For: 127.0.0.1",
            "x-forwarded-host: localhost",
            "Forwarded: for=127.0.0.1",
            "Via: 1.1 proxy",
            "X-Real-IP: 127.0.0.1",
            "Origin: http://localhost:3000",
            "Sec-Fetch-Site: same-origin",
        ] {
            let mut headers: Vec<&str> = headers.iter().map(String::as_str).collect();
            headers.push(sign);
            assert_eq!(server.ask("GET", target, &headers).has_no_secret().status, status, "{sign} {target}");
        }
        assert!(server.asks().is_empty() && server.given().is_empty());
    }
}

#[test]
fn a_token_is_not_made_for_a_proxy() {
    let server = Running::ec2(Version1::Refused);
    let headers = ["X-aws-ec2-metadata-token-ttl-seconds: 60", "X-Forwarded-For: 10.0.0.1"];
    assert_eq!(server.ask("PUT", "/latest/api/token", &headers).status, 403);
}

#[test]
fn a_request_with_two_hosts_is_refused() {
    let server = Running::ec2(Version1::Allowed);
    let target = "/latest/meta-data/instance-id";
    assert_eq!(server.ask("GET", target, &["Host: evil.example"]).status, 400);
    let absolute = format!("http://evil.example{target}");
    assert_eq!(server.ask("GET", &absolute, &[]).status, 400);
    let port = server.address.port();
    assert_eq!(server.ask("GET", &format!("http://127.0.0.1:{port}{target}"), &[]).status, 200);
}

#[test]
fn listed_names_are_the_names_of_a_server_with_a_token() {
    let server =
        Running::ecs(Reach::Named(vec!["169.254.170.2".to_owned(), "host.docker.internal:8080".to_owned()]));
    let headers = [&*format!("Authorization: {SHOWN}")];
    for host in ["169.254.170.2", "host.docker.internal:8080"] {
        assert_eq!(server.ask_as(host, "GET", "/", &headers).status, 200, "{host}");
        assert_eq!(server.ask_as(host, "GET", "/", &[]).status, 403, "{host}");
    }
    for host in ["host.docker.internal", "169.254.170.2:80", "evil.example"] {
        assert_eq!(server.ask_as(host, "GET", "/", &headers).status, 403, "{host}");
    }
}

/// Serves a listener for all addresses of the machine, as far as it is let.
fn opened(
    serve: impl AsyncFnOnce(net::Listener, net::Draining) -> Result<net::Drained, Error>,
) -> Result<net::Drained, Error> {
    let bound = net::bind_tcp((Ipv4Addr::UNSPECIFIED, 0).into(), NonZeroUsize::MIN).unwrap().remove(0);
    let (drain, draining) = net::drain::channel();
    drain.start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async move { serve(bound.listener().unwrap(), draining).await })
}

#[test]
fn a_server_without_a_token_does_not_open_where_other_machines_are() {
    let refused = opened(async |listener, draining| {
        let clock = Still::start();
        let leases = Arc::new(Refreshing::new(Source::new(&clock), clock));
        Ec2::new(Instance::local(None, Version1::Refused)).serve(listener, leases, limits(), draining).await
    })
    .unwrap_err();
    assert!(matches!(refused, Error::NotLoopback(_)), "{refused}");
    assert!(refused.hint().unwrap().contains("127.0.0.1"));
}

#[test]
fn other_machines_need_a_listed_name() {
    for (reach, good) in [
        (Reach::Loopback, false),
        (Reach::Named(vec![]), false),
        (Reach::Named(vec!["a b".to_owned()]), false),
        (Reach::Named(vec!["user@host".to_owned()]), false),
        (Reach::Named(vec!["http://host".to_owned()]), false),
        (Reach::Named(vec!["172.17.0.1:8080".to_owned()]), true),
    ] {
        let shown = format!("{reach:?}");
        let opened = opened(async |listener, draining| {
            let clock = Still::start();
            let leases = Arc::new(Refreshing::new(Source::new(&clock), clock));
            let server = metadata::Ecs::new(metadata::Bearer::generate()?, reach, None);
            server.serve(listener, leases, limits(), draining).await
        });
        assert_eq!(opened.is_ok(), good, "{shown}");
    }
}

#[test]
fn what_is_turned_away_is_counted_by_its_reason() {
    let counted = Ec2::new(Instance::local(None, Version1::Refused));
    let server = Running::ec2_of(Still::start(), counted.clone());
    let target = "/latest/meta-data/instance-id";
    server.ask_as("evil.example", "GET", target, &[]);
    server.ask("GET", target, &["Via: 1.1 proxy"]);
    server.ask("GET", target, &["Origin: null"]);
    server.ask("GET", target, &[]);
    server.ask("GET", target, &["X-aws-ec2-metadata-token: no"]);
    server.ask("PUT", "/latest/api/token", &[]);
    server.ask("GET", "/latest/api/token", &[]);
    server.ask("GET", "/stop", &[]);
    server.ask("GET", "/stop", &[]);
    for reason in Reason::ALL {
        let expected = match reason {
            Reason::Path => 2,
            Reason::Peer | Reason::Flavor | Reason::Credentials => 0,
            _ => 1,
        };
        assert_eq!(counted.tally().count(reason), expected, "{}", reason.as_str());
    }
}
