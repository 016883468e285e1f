//! Counting together, on a real server that each test starts for itself.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use memory::Secret;
use model::{PrincipalName, TenantName};

use super::*;

/// A server of the test's own, on a port of its own; none where the machine has no `redis-server`.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(more: &[&str]) -> Option<Self> {
        let port = testkit::port();
        let mut command = Command::new("redis-server");
        command.args([
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--port",
            &port.to_string(),
        ]);
        command.args(more).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let Ok(child) = command.spawn() else {
            skip();
            return None;
        };
        let server = Self { child, port };
        let until = Instant::now() + Duration::from_secs(60);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "redis-server does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(server)
    }

    fn rates(&self, database: u32, on_failure: OnFailure) -> SharedRates {
        shared(self.port, None, database, on_failure)
    }
}

/// Notes that there is no server here, as `cargo xtask test` wants to know.
#[expect(clippy::disallowed_methods, reason = "where skips are noted is told by `cargo xtask test`")]
fn skip() {
    use std::io::Write;
    let reason = "there is no `redis-server`";
    println!("skipped redis: {reason}");
    if let Some(path) = std::env::var_os("DOORWARD_SKIPS") {
        let mut file = std::fs::File::options().append(true).create(true).open(path).unwrap();
        writeln!(file, "redis\t{reason}").unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn shared(port: u16, password: Option<&str>, database: u32, on_failure: OnFailure) -> SharedRates {
    within(Duration::from_secs(60), port, password, database, on_failure)
}

fn within(
    within: Duration,
    port: u16,
    password: Option<&str>,
    database: u32,
    on_failure: OnFailure,
) -> SharedRates {
    let config = RedisConfig {
        host: "127.0.0.1".to_owned(),
        port,
        tls: None,
        user: None,
        password: password.map(|text| Secret::new(text.as_bytes().to_vec()).unwrap()),
        database,
        within,
    };
    SharedRates::new(config, "test:".to_owned(), on_failure)
}

fn rate(name: &str, calls: u32, strategy: Strategy) -> (Counted, Pace) {
    let counted = Counted::Integration(TenantName::local(), name.parse().unwrap());
    (counted, Pace { calls, per: PER, strategy })
}

/// So long that nothing comes back while a test runs, on whichever machine.
const PER: Duration = Duration::from_secs(600_000);

const ALL: [Strategy; 4] =
    [Strategy::TokenBucket, Strategy::LeakyBucket, Strategy::FixedWindow, Strategy::SlidingWindow];

#[tokio::test]
async fn processes_count_together_and_are_told_as_one_would_be() {
    let Some(server) = Server::start(&[]) else { return };
    let (one, other, own) =
        (server.rates(3, OnFailure::Refuse), server.rates(3, OnFailure::Refuse), Limits::default());
    for strategy in ALL {
        let name = format!("service-{}", word(strategy));
        let name = if strategy == Strategy::LeakyBucket { "leaky".to_owned() } else { name };
        for (nth, rates) in [&one, &other, &one].into_iter().enumerate() {
            let within = rates.count(&own, vec![rate(&name, 3, strategy)]).await.ok().unwrap();
            assert_eq!(usize::try_from(within.tightest().unwrap().left).unwrap(), 2 - nth, "{strategy:?}");
        }
        let Err(Over::Rate(quota)) = other.count(&own, vec![rate(&name, 3, strategy)]).await else {
            panic!("{strategy:?} admits a fourth call")
        };
        assert!(quota.reset > PER / 6 && quota.reset <= PER * 2, "{quota:?}");
        // The same arithmetic as in memory, but for the time between the calls.
        let here =
            (0..4).map(|_| own.count([rate(&name, 3, strategy)].into_iter())).last().unwrap().unwrap_err();
        assert!(here.reset.abs_diff(quota.reset) < PER / 100, "{strategy:?}: {here:?} {quota:?}");
    }
}

#[tokio::test]
async fn two_hundred_calls_at_once_get_exactly_the_rate() {
    let Some(server) = Server::start(&[]) else { return };
    let (rates, own) = (Arc::new(server.rates(0, OnFailure::Refuse)), Arc::new(Limits::default()));
    for strategy in ALL {
        let name = if strategy == Strategy::LeakyBucket { "leaky" } else { word(strategy) };
        let calls: Vec<_> = (0..200)
            .map(|_| {
                let (rates, own) = (Arc::clone(&rates), Arc::clone(&own));
                tokio::spawn(async move { rates.count(&own, vec![rate(name, 50, strategy)]).await.is_ok() })
            })
            .collect();
        let mut admitted = 0;
        for call in calls {
            admitted += u32::from(call.await.unwrap());
        }
        assert_eq!(admitted, 50, "{strategy:?}");
    }
}

#[tokio::test]
async fn a_rate_behind_one_that_is_broken_is_not_counted_and_keys_end() {
    let Some(server) = Server::start(&[]) else { return };
    let (rates, own) = (server.rates(0, OnFailure::Refuse), Limits::default());
    let caller = |calls| {
        let ada: PrincipalName = "ada".parse().unwrap();
        let counted = Counted::Caller(TenantName::local(), ada, "slack".parse().unwrap());
        (counted, Pace { calls, per: PER, strategy: Strategy::FixedWindow })
    };
    for _ in 0..5 {
        let _ = rates.count(&own, vec![caller(1), rate("slack", 2, Strategy::FixedWindow)]).await;
    }
    let within = rates.count(&own, vec![rate("slack", 2, Strategy::FixedWindow)]).await.ok().unwrap();
    assert_eq!(within.tightest().unwrap().left, 0, "one call of five was counted for the integration");
    let listed =
        Command::new("redis-cli").args(["-p", &server.port.to_string(), "keys", "*"]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(!listed.is_empty() && listed.lines().all(|key| key.starts_with("test:rate:fixed:")), "{listed}");
    for key in listed.lines() {
        let ends =
            Command::new("redis-cli").args(["-p", &server.port.to_string(), "pttl", key]).output().unwrap();
        let ends: i64 = String::from_utf8(ends.stdout).unwrap().trim().parse().unwrap();
        assert!(ends > 0 && u128::from(ends.unsigned_abs()) <= PER.as_millis(), "{key} {ends}");
    }
}

#[tokio::test]
async fn a_script_that_was_forgotten_and_a_server_that_came_back_are_asked_again() {
    let Some(server) = Server::start(&[]) else { return };
    let (rates, own) = (server.rates(0, OnFailure::Refuse), Limits::default());
    assert!(rates.count(&own, vec![rate("a", 9, Strategy::TokenBucket)]).await.is_ok());
    let flushed =
        Command::new("redis-cli").args(["-p", &server.port.to_string(), "script", "flush"]).output().unwrap();
    assert!(flushed.status.success());
    assert!(rates.count(&own, vec![rate("a", 9, Strategy::TokenBucket)]).await.is_ok());
    let killed = Command::new("redis-cli")
        .args(["-p", &server.port.to_string(), "client", "kill", "type", "normal"])
        .output();
    assert!(killed.unwrap().status.success());
    assert!(rates.count(&own, vec![rate("a", 9, Strategy::TokenBucket)]).await.is_ok());
}

#[tokio::test]
async fn a_password_is_used_and_a_wrong_one_is_a_failure() {
    let Some(server) = Server::start(&["--requirepass", "CANARY-right"]) else { return };
    let own = Limits::default();
    let right = shared(server.port, Some("CANARY-right"), 1, OnFailure::Refuse);
    assert!(right.count(&own, vec![rate("a", 9, Strategy::TokenBucket)]).await.is_ok());
    let wrong = shared(server.port, Some("CANARY-wrong"), 1, OnFailure::Refuse);
    assert!(matches!(wrong.count(&own, vec![rate("a", 9, Strategy::TokenBucket)]).await, Err(Over::Unknown)));
}

#[tokio::test]
async fn while_the_server_is_away_what_was_configured_holds() {
    let free = testkit::port();
    let own = Limits::default();
    let once = |rates: SharedRates| {
        let own = &own;
        async move {
            let mut admitted = Vec::new();
            for _ in 0..3 {
                admitted.push(rates.count(own, vec![rate("a", 2, Strategy::TokenBucket)]).await.is_ok());
            }
            admitted
        }
    };
    assert_eq!(once(shared(free, None, 0, OnFailure::Local)).await, [true, true, false]);
    assert_eq!(once(shared(free, None, 0, OnFailure::Refuse)).await, [false; 3]);
    assert_eq!(once(shared(free, None, 0, OnFailure::Allow)).await, [true; 3]);
}

#[tokio::test]
async fn a_server_that_hangs_costs_its_deadline_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let deadline = Duration::from_secs(2);
    let rates = within(deadline, port, None, 0, OnFailure::Local);
    let own = Limits::default();
    // What it costs is what is waited for; the calls behind the first one don't ask.
    assert!(rates.count(&own, vec![rate("a", 9, Strategy::TokenBucket)]).await.is_ok());
    assert!(rates.rests.load(Ordering::Relaxed) >= 2_000, "the server was waited for");
    rates.rests.store(u64::MAX, Ordering::Relaxed);
    listener.set_nonblocking(true).unwrap();
    while listener.accept().is_ok() {}
    for _ in 0..4 {
        assert!(rates.count(&own, vec![rate("a", 9, Strategy::TokenBucket)]).await.is_ok());
    }
    assert!(listener.accept().is_err(), "a server that hangs was asked again at once");
}

#[test]
fn those_without_a_name_have_a_key_for_each_address_and_integration() {
    let rates = shared(1, None, 0, OnFailure::Refuse);
    let key = |address: &str, name: &str| {
        let counted = Counted::Nameless(TenantName::local(), address.parse().unwrap(), name.parse().unwrap());
        rates.key(&counted, &Pace { calls: 1, per: PER, strategy: Strategy::FixedWindow })
    };
    assert!(key("203.0.113.1", "slack").ends_with(":a:local:slack:203.0.113.1"));
    assert!(key("2001:db8::", "slack").ends_with(":a:local:slack:2001:db8::"));
    assert_ne!(key("203.0.113.1", "slack"), key("203.0.113.1", "github"));
}
