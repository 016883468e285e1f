//! What goes on beside calls at the gateway: everything is read again, and a proxy stands on the way.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use testkit::{Running, Upstream};

use crate::network_wire::{answer, call, capability, gateway};
use crate::{HANG, home, write, write_integration};

/// A peer's configuration and allowlist with so many integrations, called `api-N`.
fn files(upstream: &Upstream, count: usize) -> (String, String) {
    let (mut config, mut rules) = ("integrations:\n".to_owned(), String::new());
    for number in 0..count {
        config.push_str(&format!(
            "  - name: api-{number}\n    destination: {}\n    outgoing_auth:\n      - type: token\n        \
             params: {{secrets: [\"env:API_TOKEN\"], header: Authorization, prefix: \"Bearer \"}}\n",
            upstream.url()
        ));
        rules.push_str(&format!(
            "- integration: api-{number}\n  callers:\n  - id: '*'\n    rules:\n    \
             - {{path: /echo, methods: {{GET: {{}}}}}}\n"
        ));
    }
    (config, rules)
}

fn request(name: &str) -> Vec<u8> {
    format!("GET /echo HTTP/1.1\r\nhost: {name}\r\n\r\n").into_bytes()
}

/// Asks over one connection until it is told to stop, and says how often, and what was not answered with 200.
fn asks(url: &str, stop: &AtomicBool) -> (usize, Option<String>) {
    let mut wire = gateway(url).unwrap();
    let mut answered = 0;
    while !stop.load(Ordering::Relaxed) {
        match wire.ask(&request("api-0")) {
            Ok(reply) if reply.status == 200 => answered += 1,
            Ok(reply) => return (answered, Some(format!("{} {}", reply.status, reply.text()))),
            Err(error) => return (answered, Some(error.to_string())),
        }
    }
    (answered, None)
}

/// Stops those who ask when it is dropped, by a failed test as well.
struct Stopping<'a>(&'a AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn status(running: &Running, name: &str) -> u16 {
    gateway(&running.gateway_url).unwrap().ask(&request(name)).unwrap().status
}

#[track_caller]
fn until(running: &Running, name: &str, wanted: u16) {
    let end = Instant::now() + HANG;
    while status(running, name) != wanted {
        assert!(Instant::now() < end, "`{name}` is never answered with {wanted}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn nothing_is_dropped_while_everything_is_read_again_and_what_is_new_counts() {
    let (doorward, upstream) = (home(), Upstream::start());
    doorward.watch(upstream.canary());
    let lay = |count| {
        let (config, rules) = files(&upstream, count);
        for (name, text) in [("config.yaml", config), ("allowlist.yaml", rules)] {
            let fresh = doorward.folder().join(format!("{name}.fresh"));
            write(&fresh, &text);
            std::fs::rename(&fresh, doorward.folder().join(name)).unwrap();
        }
    };
    lay(20);
    let mut command = doorward.command();
    command.args(["--json", "gateway", "--config", "config.yaml", "--allowlist", "allowlist.yaml"]);
    command.args(["--addr", "127.0.0.1:0", "--dangerous-allow-private"]).env("API_TOKEN", upstream.canary());
    let running = doorward.start(command);
    let (stop, url) = (AtomicBool::new(false), running.gateway_url.as_str());
    std::thread::scope(|scope| {
        let stopping = Stopping(&stop);
        let callers: Vec<_> = (0..3).map(|_| scope.spawn(|| asks(url, &stop))).collect();
        for count in 21..27 {
            lay(count);
            running.reload();
            until(&running, &format!("api-{}", count - 1), 200);
        }
        drop(stopping);
        for caller in callers {
            let (answered, dropped) = caller.join().unwrap();
            assert_eq!(dropped, None, "after {answered} answers");
        }
    });
    lay(1);
    running.reload();
    until(&running, "api-5", 404);
    assert_eq!(status(&running, "api-0"), 200);
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

/// A proxy that opens tunnels for whoever shows this, and keeps the heads that it was sent.
fn proxy(wanted: String) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heads = Arc::<Mutex<Vec<String>>>::default();
    let kept = Arc::clone(&heads);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (kept, wanted) = (Arc::clone(&kept), wanted.clone());
            std::thread::spawn(move || tunnel(stream, &wanted, &kept));
        }
    });
    (url, heads)
}

fn tunnel(mut stream: TcpStream, wanted: &str, kept: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read_exact(&mut byte).is_err() {
            return;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    kept.lock().unwrap().push(head.clone());
    if !head.contains(&format!("\r\nProxy-Authorization: Basic {wanted}\r\n")) {
        let _ = stream.write_all(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n");
        return;
    }
    let place = head.split(' ').nth(1).unwrap();
    let Ok(mut other) = TcpStream::connect(place) else { return };
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
    let (mut back, mut forth) = (stream.try_clone().unwrap(), other.try_clone().unwrap());
    std::thread::spawn(move || std::io::copy(&mut forth, &mut back));
    let _ = std::io::copy(&mut stream, &mut other);
}

#[test]
fn a_proxy_is_shown_its_password_and_neither_the_service_nor_any_output_has_it() {
    let (doorward, upstream) = (home(), Upstream::start());
    let (password, former) = (doorward.plant("PROXY"), doorward.plant("FORMER"));
    let (url, heads) = proxy(crypto::to_base64(format!("gateway:{password}").as_bytes()));
    write_integration(
        &doorward,
        &format!(
            "name: notes\ntitle: Notes\ndocs: https://example.com/docs\nbase_url: {}\n\
             dangerous_allow_private: true\nproxy: {url}\nsecrets:\n  token: {{title: Token}}\n  \
             pass: {{title: Password for the proxy}}\nauth:\n  - {{scheme: bearer, secret: token}}\n  \
             - {{scheme: proxy_basic, username: gateway, password_secret: pass}}\n\
             limits: {{connect: 30s, head: 60s, total: 2m, idle: 60s, body: 1MiB}}\noperations:\n  \
             any.show: {{title: Show, access: read, risk: low, match: {{method: GET, path: '/{{rest...}}'}}}}\n",
            upstream.url()
        ),
    );
    let running = doorward.start_up(&[]);
    let _ = answer(&running, "secret.put?name=notes/token", upstream.canary().as_bytes());
    let _ = answer(&running, "secret.put?name=notes/pass", former.as_bytes());
    let token = capability(&running, "&expires=1d");

    let refused = call(&running.gateway_url, "GET", "/notes/echo", &token).unwrap();
    assert_eq!(refused.refusal().as_deref(), Some("upstream_unreachable"), "{}", refused.text());
    assert!(!refused.text().contains(&former) && upstream.requests().is_empty());

    let _ = answer(&running, "secret.rotate?name=notes/pass", password.as_bytes());
    for _ in 0..2 {
        let reply = call(&running.gateway_url, "GET", "/notes/echo", &token).unwrap();
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    let arrived = upstream.last();
    assert_eq!(arrived.header("authorization"), Some(&*format!("Bearer {}", upstream.canary())));
    assert_eq!(arrived.header("proxy-authorization"), None);
    let heads = heads.lock().unwrap().clone();
    assert!(heads.iter().all(|head| head.starts_with("CONNECT ") && !head.contains(upstream.canary())));
    assert!(running.stop().success());
    doorward.assert_no_canary();
}
