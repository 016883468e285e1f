//! Servers that keep what they are sent.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// A server that keeps every head, and answers what the path says: `/redirect/CODE-PORT` leads to that port.
pub(super) struct Catcher {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

impl Catcher {
    /// Its threads end with the process.
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let connections: Arc<AtomicUsize> = Arc::default();
        let (kept, count) = (Arc::clone(&seen), Arc::clone(&connections));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::SeqCst);
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || answer_all(stream, &kept));
            }
        });
        Self { address, seen, connections }
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn answer_all(stream: TcpStream, kept: &Mutex<Vec<String>>) -> Option<()> {
    let mut to = stream.try_clone().ok()?;
    let mut from = BufReader::new(stream);
    loop {
        let head = head(&mut from)?;
        kept.lock().unwrap().push(head.clone());
        let target = head.split(' ').nth(1).unwrap_or_default();
        let led = target.rsplit("/redirect/").next().filter(|_| target.contains("/redirect/"));
        let reply = match led.and_then(|led| led.split_once('-')) {
            Some((code, port)) => format!(
                "HTTP/1.1 {code} Elsewhere\r\nLocation: http://127.0.0.1:{port}/stolen/1\r\nRefresh: 0; url=http://127.0.0.1:{port}/\r\n\
                 Alt-Svc: h2=\"127.0.0.1:{port}\"\r\nContent-Location: http://127.0.0.1:{port}/\r\nContent-Length: 0\r\n\r\n"
            ),
            None => "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_owned(),
        };
        to.write_all(reply.as_bytes()).ok()?;
    }
}

fn head(from: &mut BufReader<TcpStream>) -> Option<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        if from.read_until(b'\n', &mut bytes).ok()? == 0 {
            return None;
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// A forwarder that goes where the target or the host says, with its own server as the last resort.
pub(super) fn believes_the_host(own: u16, secret: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || believe(stream, own, secret));
        }
    });
    address.to_string()
}

fn believe(stream: TcpStream, own: u16, secret: &str) -> Option<()> {
    stream.set_read_timeout(Some(crate::HANG)).ok()?;
    let mut to = stream.try_clone().ok()?;
    let mut from = BufReader::new(stream);
    let head = head(&mut from)?;
    let line = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    };
    let target = head.split(' ').nth(1)?;
    let absolute = target.strip_prefix("http://").and_then(|rest| rest.split('/').next()).map(str::to_owned);
    let wanted = [absolute, line("x-forwarded-host"), line("host")].into_iter().flatten();
    let itself = to.local_addr().ok()?.port();
    let mut ports = wanted.filter_map(|host| host.rsplit(':').next()?.parse::<u16>().ok());
    let port = ports.find(|port| *port != itself).unwrap_or(own);
    let mut server = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let request = format!("GET /first/1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n\r\n");
    server.write_all(request.as_bytes()).ok()?;
    let mut reply = BufReader::new(server);
    let mut line = Vec::new();
    reply.read_until(b'\n', &mut line).ok()?;
    to.write_all(&[line.as_slice(), b"Connection: close\r\nContent-Length: 0\r\n\r\n"].concat()).ok()
}
