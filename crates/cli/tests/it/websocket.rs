//! WebSockets through the gateway, frame by frame: who may, what the service gets, what comes back, and when a line ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use testkit::{Doorward, Running};

use crate::network_wire::{answer, call, capability};
use crate::{home, write_integration};

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// What RFC 6455, section 1.3, answers to that key.
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A service that speaks WebSocket: it says back what it is told, but for a few words that it knows.
struct Service {
    url: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Service {
    fn start(secret: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&heads);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (seen, secret) = (Arc::clone(&seen), secret.clone());
                thread::spawn(move || serve(stream.unwrap(), &seen, &secret));
            }
        });
        Self { url, heads }
    }

    fn head(&self) -> String {
        self.heads.lock().unwrap().last().unwrap().clone()
    }
}

fn head(stream: &mut impl BufRead) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).unwrap() > 0 {}
    head
}

fn serve(stream: TcpStream, seen: &Mutex<Vec<String>>, secret: &str) {
    let mut from = BufReader::new(stream.try_clone().unwrap());
    let mut to = stream;
    let asked = head(&mut from);
    if asked.is_empty() {
        return;
    }
    seen.lock().unwrap().push(asked.clone());
    if asked.starts_with("GET /not-here") {
        to.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\nnope").unwrap();
        return;
    }
    let more = if asked.starts_with("GET /compressed") {
        "sec-websocket-extensions: permessage-deflate\r\n"
    } else {
        ""
    };
    let agreed = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {ACCEPT}\r\nX-Said: {secret}\r\n{more}\r\n"
    );
    to.write_all(agreed.as_bytes()).unwrap();
    while let Some((opcode, said)) = frame(&mut from) {
        let text = String::from_utf8_lossy(&said).into_owned();
        let answered = match (opcode, text.as_str()) {
            (8, _) => {
                let _ = to.write_all(&unmasked(0x88, &said));
                let _ = to.shutdown(Shutdown::Both);
                return;
            }
            (_, "say it") => {
                let said = format!("it is {secret}");
                let (one, two) = said.split_at(said.len() - 4);
                [unmasked(0x01, one.as_bytes()), unmasked(0x80, two.as_bytes())].concat()
            }
            (_, "malformed") => unmasked(0xF1, b"x"),
            (opcode, _) => unmasked(0x80 | opcode, &said),
        };
        if to.write_all(&answered).is_err() {
            return;
        }
    }
}

/// One frame; what a client sends is unmasked on the way.
fn frame(from: &mut impl Read) -> Option<(u8, Vec<u8>)> {
    let mut two = [0; 2];
    from.read_exact(&mut two).ok()?;
    let length = match two[1] & 0x7F {
        126 => {
            let mut more = [0; 2];
            from.read_exact(&mut more).ok()?;
            usize::from(u16::from_be_bytes(more))
        }
        127 => {
            let mut more = [0; 8];
            from.read_exact(&mut more).ok()?;
            usize::try_from(u64::from_be_bytes(more)).unwrap()
        }
        short => usize::from(short),
    };
    let mut key = [0; 4];
    if two[1] & 0x80 != 0 {
        from.read_exact(&mut key).ok()?;
    }
    let mut said = vec![0; length];
    from.read_exact(&mut said).ok()?;
    for (byte, key) in said.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
    Some((two[0] & 0x0F, said))
}

fn length(length: usize, mask: u8) -> Vec<u8> {
    match length {
        0..=125 => vec![mask | length as u8],
        126..=65535 => [&[mask | 126][..], &(length as u16).to_be_bytes()].concat(),
        _ => [&[mask | 127][..], &(length as u64).to_be_bytes()].concat(),
    }
}

fn unmasked(first: u8, said: &[u8]) -> Vec<u8> {
    [&[first], &*length(said.len(), 0), said].concat()
}

fn masked(first: u8, said: &[u8]) -> Vec<u8> {
    let key = [7, 77, 177, 27];
    let hidden: Vec<u8> = said.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
    [&[first], &*length(said.len(), 0x80), &key, &hidden].concat()
}

/// A caller's end of a line.
struct Client {
    from: BufReader<TcpStream>,
    to: TcpStream,
    head: String,
}

impl Client {
    fn open(running: &Running, path: &str, capability: &str, more: &str) -> Self {
        let host = running.gateway_url.trim_start_matches("http://");
        let mut to = TcpStream::connect(host).unwrap();
        to.set_read_timeout(Some(crate::HANG)).unwrap();
        let asked = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {capability}\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{more}\r\n"
        );
        to.write_all(asked.as_bytes()).unwrap();
        let mut from = BufReader::new(to.try_clone().unwrap());
        let head = head(&mut from);
        Self { from, to, head }
    }

    fn status(&self) -> &str {
        self.head.get(9..12).unwrap_or("none")
    }

    fn evidence(&self) -> String {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(name, _)| name.eq_ignore_ascii_case("x-doorward-evidence")).unwrap().1.to_owned()
    }

    fn say(&mut self, opcode: u8, said: &[u8]) {
        self.to.write_all(&masked(0x80 | opcode, said)).unwrap();
    }

    fn hear(&mut self) -> Option<(u8, Vec<u8>)> {
        frame(&mut self.from)
    }

    /// All that still comes.
    fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let _ = self.from.read_to_end(&mut rest);
        rest
    }
}

fn started() -> (Doorward, Service, Running, String, String) {
    let doorward = home();
    let secret = doorward.plant("websocket");
    let service = Service::start(secret.clone());
    write_integration(
        &doorward,
        &format!(
            "name: chat\nbase_url: {}\ndangerous_allow_private: true\nsecrets: {{token: {{title: T}}}}\n\
             auth: [{{scheme: bearer, secret: token}}]\nlimits: {{connect: 30s, head: 60s, total: 2m, idle: 60s}}\n\
             operations:\n  look: {{title: L, access: read, risk: low, match: {{method: GET, path: \"/{{rest...}}\"}}}}\n",
            service.url
        ),
    );
    let running = doorward.start_up(&["--gateway", "127.0.0.1:0"]);
    let _ = doorward.run(&["secret", "put", "chat/token"], &secret).succeeded();
    let token = capability(&running, "&integrations=chat");
    (doorward, service, running, token, secret)
}

/// The record of a call, when it is closed.
fn closed(running: &Running, evidence: &str) -> serde_json::Value {
    let until = std::time::Instant::now() + crate::HANG;
    loop {
        let shown = answer(running, &format!("evidence.show?id={evidence}"), b"");
        if shown.to_string().contains("\"kind\":\"close\"") {
            return shown;
        }
        assert!(std::time::Instant::now() < until, "{evidence} was never closed");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_line_carries_frames_both_ways_with_the_credential_on_its_handshake() {
    let (doorward, service, running, token, secret) = started();
    let offered = "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: permessage-deflate\r\nX-Forwarded-For: 1.1.1.1\r\n";
    let mut client = Client::open(&running, "/chat/room?a=b", &token, offered);
    assert_eq!(client.status(), "101", "{}", client.head);
    let lower = client.head.to_ascii_lowercase();
    assert!(lower.contains("upgrade: websocket\r\n") && lower.contains("connection: upgrade\r\n"), "{lower}");
    assert!(client.head.contains(ACCEPT) && !client.head.contains(&secret), "{}", client.head);
    let asked = service.head().to_ascii_lowercase();
    assert!(asked.starts_with("get /room?a=b http/1.1\r\n"), "{asked}");
    assert!(asked.contains(&format!("authorization: bearer {}\r\n", secret.to_ascii_lowercase())), "{asked}");
    assert!(asked.contains("sec-websocket-protocol: chat\r\n"), "{asked}");
    assert!(
        !asked.contains("extensions") && !asked.contains("forwarded") && !asked.contains("cap1_"),
        "{asked}"
    );
    for said in [&b"hello"[..], b"", &[b'x'; 70_000], &secret.as_bytes()[..9]] {
        client.say(1, said);
        assert_eq!(client.hear().unwrap(), (1, said.to_vec()));
    }
    client.say(9, b"ping");
    assert_eq!(client.hear().unwrap(), (9, b"ping".to_vec()));
    client.say(8, &[0x03, 0xE8]);
    assert_eq!(client.hear().unwrap(), (8, vec![0x03, 0xE8]));
    assert!(client.rest().is_empty());
    let record = closed(&running, &client.evidence()).to_string();
    assert!(
        record.contains("\"operation\":\"unknown\"") && record.contains("\"access\":\"write\""),
        "{record}"
    );
    assert!(record.contains("\"status\":101"), "{record}");
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[test]
fn a_line_on_which_the_service_says_the_credential_is_cut() {
    let (doorward, _service, running, token, secret) = started();
    for said in ["say it", "malformed"] {
        let mut client = Client::open(&running, "/chat/room", &token, "");
        client.say(1, said.as_bytes());
        let rest = client.rest();
        assert!(
            !rest.windows(4).any(|four| secret.as_bytes().windows(4).any(|part| part == four)),
            "{rest:?}"
        );
        let record = closed(&running, &client.evidence()).to_string();
        assert!(record.contains("upstream_reply"), "{said}: {record}");
    }
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

#[test]
fn who_may_read_may_not_open_a_line() {
    let (_doorward, service, running, token, _secret) = started();
    let reads = capability(&running, "&integrations=chat&access=read");
    assert_eq!(call(&running.gateway_url, "GET", "/chat/not-here", &reads).unwrap().status, 404);
    let before = service.heads.lock().unwrap().len();
    for (path, capability, status) in [
        ("/chat/room", &*reads, "403"),
        ("/chat/room", "cap1_nonsense", "401"),
        ("/none/room", &token, "404"),
    ] {
        let client = Client::open(&running, path, capability, "");
        assert_eq!(client.status(), status, "{}", client.head);
    }
    assert_eq!(service.heads.lock().unwrap().len(), before, "nothing reached the service");
    assert!(running.stop().success());
}

#[test]
fn a_service_that_does_not_agree_has_answered_like_any_other() {
    let (_doorward, _service, running, token, _secret) = started();
    let mut client = Client::open(&running, "/chat/not-here", &token, "");
    assert_eq!(client.status(), "404", "{}", client.head);
    let mut body = [0; 4];
    client.from.read_exact(&mut body).unwrap();
    assert_eq!(&body, b"nope");
    let client = Client::open(&running, "/chat/compressed", &token, "");
    assert_eq!(client.status(), "502", "{}", client.head);
    let client = Client::open(&running, "/chat/room", &token, "Content-Length: 3\r\n");
    assert_eq!(client.status(), "400", "{}", client.head);
    let client = Client::open(&running, "/chat/room", &token, "Upgrade: h2c\r\n");
    assert_eq!(client.status(), "400", "{}", client.head);
    assert!(running.stop().success());
}

#[test]
fn a_line_ends_when_its_capability_is_revoked_and_another_one_goes_on() {
    let (doorward, _service, running, other, _secret) = started();
    let given = answer(&running, "capability.request?for=tester&integrations=chat", b"");
    let (token, grant) = (given["token"].as_str().unwrap(), given["grant"].as_str().unwrap());
    let mut client = Client::open(&running, "/chat/room", token, "");
    let mut stays = Client::open(&running, "/chat/room", &other, "");
    for line in [&mut client, &mut stays] {
        line.say(1, b"still here");
        assert_eq!(line.hear().unwrap(), (1, b"still here".to_vec()));
    }
    let _ = doorward.run(&["capability", "revoke", grant], "").succeeded();
    assert_eq!(client.hear().unwrap(), (8, vec![0x03, 0xF0]), "a violation of policy");
    assert!(client.rest().is_empty());
    let record = closed(&running, &client.evidence()).to_string();
    assert!(record.contains("\"revoked\""), "{record}");
    stays.say(1, b"here too");
    assert_eq!(stays.hear().unwrap(), (1, b"here too".to_vec()));
    drop(stays);
    assert!(running.stop().success());
}

#[test]
fn a_line_ends_when_the_house_does() {
    let (_doorward, _service, running, token, _secret) = started();
    let mut client = Client::open(&running, "/chat/room", &token, "");
    client.say(1, b"still here");
    assert_eq!(client.hear().unwrap(), (1, b"still here".to_vec()));
    let stopping = thread::spawn(move || running.stop());
    assert_eq!(client.hear().unwrap(), (8, vec![0x03, 0xE9]), "going away");
    assert!(client.rest().is_empty());
    assert!(stopping.join().unwrap().success());
}
