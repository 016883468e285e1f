//! The relay in front of a server, and what it does when that server is somebody else's, or gone.

use std::net::Ipv4Addr;
use std::num::NonZeroUsize;

use metadata::{Relay, Version1};

use crate::house::{KEY, Reply, Running, Still, limits, speak};

struct Relayed {
    port: u16,
    drain: net::Drain,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Relayed {
    fn to(server: &Running, owner: u32) -> Self {
        let bound = net::bind_tcp((Ipv4Addr::LOCALHOST, 0).into(), NonZeroUsize::MIN).unwrap().remove(0);
        let port = bound.address().unwrap().port();
        let relay = Relay::new(server.address, owner).unwrap();
        let (drain, draining) = net::drain::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                relay.serve(bound.listener().unwrap(), limits(), draining).await.unwrap();
            });
        });
        Self { port, drain, thread: Some(thread) }
    }

    fn ask(&self, method: &str, target: &str, headers: &[&str]) -> Reply {
        speak(([127, 0, 0, 1], self.port).into(), "169.254.169.254", method, target, headers)
    }
}

impl Drop for Relayed {
    fn drop(&mut self) {
        self.drain.start();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

const CREDENTIALS: &str = "/latest/meta-data/iam/security-credentials/local-credentials";

#[test]
fn both_versions_pass_through_a_relay_of_the_same_user() {
    let server = Running::ec2_at(Still::start(), Version1::Allowed);
    let relay = Relayed::to(&server, rustix::process::geteuid().as_raw());
    let token = relay.ask("PUT", "/latest/api/token", &["X-aws-ec2-metadata-token-ttl-seconds: 60"]);
    assert_eq!((token.status, token.header("x-aws-ec2-metadata-token-ttl-seconds")), (200, Some("60")));
    let header = format!("X-aws-ec2-metadata-token: {}", token.body);
    let reply = relay.ask("GET", CREDENTIALS, &[&header]);
    assert_eq!((reply.status, reply.json()["AccessKeyId"].as_str()), (200, Some(KEY)));
    assert_eq!(
        (reply.header("server"), reply.header("content-type")),
        (Some("EC2ws"), Some("application/json"))
    );
    assert_eq!(relay.ask("GET", CREDENTIALS, &["X-aws-ec2-metadata-token: no"]).status, 401);
    assert_eq!(relay.ask("GET", "/stop", &[]).status, 404);
}

#[test]
fn what_no_server_would_answer_is_not_passed_on() {
    let server = Running::ec2(Version1::Allowed);
    let relay = Relayed::to(&server, rustix::process::geteuid().as_raw());
    for sign in ["X-Forwarded-For: 127.0.0.1", "Origin: http://localhost"] {
        assert_eq!(relay.ask("GET", CREDENTIALS, &[sign]).has_no_secret().status, 401, "{sign}");
    }
    let address = ([127, 0, 0, 1], relay.port).into();
    assert_eq!(speak(address, "evil.example", "GET", CREDENTIALS, &[]).has_no_secret().status, 401);
    assert!(server.asks().is_empty());
}

#[test]
fn a_server_of_another_user_is_sent_nothing() {
    let server = Running::ec2(Version1::Allowed);
    let relay = Relayed::to(&server, 4_000_000_000);
    assert_eq!(relay.ask("GET", CREDENTIALS, &[]).has_no_secret().status, 504);
    assert!(server.asks().is_empty());
}
