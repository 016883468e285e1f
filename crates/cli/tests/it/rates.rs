//! Rates as callers see them: through the gateway, in memory and in a real Redis.

use std::process::{Child, Command, Stdio};
use std::time::Instant;

use testkit::{Doorward, Running, Upstream, canary};

use crate::network_wire::{answer, call, capability};
use crate::{home, write, write_integration};

/// Starts a broker with the integration `notes` and this rate; its capability.
fn started(doorward: &Doorward, upstream: &Upstream, rate: &str) -> (Running, String) {
    write_integration(
        doorward,
        &format!(
            "name: notes\ntitle: Notes\ndocs: https://example.com/docs\nbase_url: {}\ndangerous_allow_private: true\n\
             secrets:\n  token: {{title: Token}}\nauth:\n  - {{scheme: bearer, secret: token}}\n\
             limits: {{connect: 30s, head: 60s, total: 2m, idle: 60s, body: 1MiB, {rate}}}\noperations:\n  \
             any.show: {{title: Show, access: read, risk: low, match: {{method: GET, path: '/{{rest...}}'}}}}\n",
            upstream.url()
        ),
    );
    let running = doorward.start_up(&[]);
    let _ = answer(&running, "secret.put?name=notes/token", upstream.canary().as_bytes());
    let token = capability(&running, "&expires=1d");
    (running, token)
}

#[test]
fn every_reply_says_how_the_rate_stands_and_the_last_when_to_come_back_also_after_a_reload() {
    for strategy in ["token_bucket", "leaky_bucket", "fixed_window", "sliding_window"] {
        let (doorward, upstream) = (home(), Upstream::start());
        let rate = format!("caller_rate: {{calls: 2, per: 1h, strategy: {strategy}}}");
        let (running, token) = started(&doorward, &upstream, &rate);
        for left in [1, 0] {
            let reply = call(&running.gateway_url, "GET", "/notes/echo", &token).unwrap();
            assert_eq!(reply.status, 200, "{}", reply.text());
            assert!(
                reply.header("ratelimit").unwrap().starts_with(&format!("\"caller\";r={left};t=")),
                "{reply:?}"
            );
            assert_eq!(reply.header("ratelimit-policy").as_deref(), Some("\"caller\";q=2;w=3600"));
        }
        running.reload();
        let _ = doorward.run(&["integration", "list", "--json"], "").json();
        let refused = call(&running.gateway_url, "GET", "/notes/echo", &token).unwrap();
        assert_eq!((refused.status, refused.refusal().as_deref()), (429, Some("rate_limited")));
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1_000..=7_200).contains(&wait), "{strategy}: {wait}");
        assert_eq!(refused.header("ratelimit"), Some(format!("\"caller\";r=0;t={wait}")));
        assert_eq!(upstream.requests().len(), 2);
        assert!(running.stop().success());
    }
}

/// A server of the test's own; none where the machine has no `redis-server`.
struct Redis(Child, u16);

impl Redis {
    fn start(password: &str) -> Option<Self> {
        let port = testkit::port();
        let mut command = Command::new("redis-server");
        command.args([
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--requirepass",
            password,
            "--port",
            &port.to_string(),
        ]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let server = Self(child, port);
        let until = Instant::now() + crate::HANG;
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "redis-server does not listen");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        Some(server)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn two_gateways_count_in_one_redis_and_go_on_when_it_is_gone() {
    let password = canary::plant("redis");
    let Some(redis) = Redis::start(&password) else {
        return crate::skip("redis", "there is no `redis-server`");
    };
    let upstream = Upstream::start();
    let houses: Vec<Doorward> = (0..2).map(|_| home()).collect();
    let doors: Vec<(Running, String)> = houses
        .iter()
        .map(|doorward| {
            doorward.watch(&password);
            let _ = doorward.run(&["init", "--recovery-out", "recovery.txt"], "").succeeded();
            let file = doorward.folder().join("password");
            write(&file, &password);
            let settings = format!(
                "[rates]\nredis = \"redis://127.0.0.1:{}/2\"\npassword = \"file:{}\"\ntimeout = \"60s\"\n",
                redis.1,
                file.display()
            );
            write(doorward.data().join("settings.toml"), &settings);
            started(doorward, &upstream, "rate: {calls: 3, per: 1h}")
        })
        .collect();
    let status = |which: usize| {
        let (running, token) = &doors[which];
        call(&running.gateway_url, "GET", "/notes/echo", token).unwrap().status
    };
    assert_eq!([status(0), status(1), status(0), status(1), status(0)], [200, 200, 200, 429, 429]);
    drop(redis);
    // Each for itself now: three calls of its own.
    assert_eq!([status(0), status(0), status(0), status(0)], [200, 200, 200, 429]);
    for ((running, _), doorward) in doors.into_iter().zip(&houses) {
        assert!(running.stop().success());
        assert!(!String::from_utf8_lossy(&doorward.printed()).contains(&password));
    }
    let said = String::from_utf8_lossy(&houses[0].printed()).into_owned();
    assert!(said.contains("rates can't be counted in Redis; each process counts for itself"), "{said}");
}
