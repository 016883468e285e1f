//! A service on loopback that does exactly what a test tells it to, byte for byte.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// One request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query as they stood on the wire.
    pub(crate) target: String,
    /// Names in lower case, in order.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    /// Every value of a header.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect()
    }
}

/// What the service does for a request, in order.
pub(crate) enum Step {
    Send(Vec<u8>),
    Pause(Duration),
    /// Goes on when the test says so.
    Until(Gate),
    /// Ends the connection.
    Cut,
}

/// What a test opens when its service may go on.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub(crate) fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn wait(&self) {
        let shut = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(shut, |open| !*open).unwrap());
    }
}

type Script = dyn Fn(&Seen) -> Vec<Step> + Send + Sync;

/// A running service; it ends when it is dropped.
pub(crate) struct Service {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    stopped: Arc<AtomicBool>,
}

impl Service {
    pub(crate) fn start(script: impl Fn(&Seen) -> Vec<Step> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, stopped) = (Arc::<Mutex<Vec<Seen>>>::default(), Arc::<AtomicBool>::default());
        let (kept, ended, script) = (Arc::clone(&seen), Arc::clone(&stopped), Arc::new(script));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let (kept, script) = (Arc::clone(&kept), Arc::clone(&script));
                std::thread::spawn(move || serve(&stream.unwrap(), &kept, &*script));
            }
        });
        Self { address, seen, stopped }
    }

    /// Answers everything with this JSON.
    pub(crate) fn saying(json: &'static str) -> Self {
        Self::start(move |_| vec![Step::Send(reply(200, &[("content-type", "application/json")], json))])
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: &TcpStream, kept: &Mutex<Vec<Seen>>, script: &Script) {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    while let Some(seen) = read(&mut reader) {
        kept.lock().unwrap().push(seen.clone());
        for step in script(&seen) {
            match step {
                Step::Send(bytes) if writer.write_all(&bytes).is_ok() => {}
                Step::Pause(time) => std::thread::sleep(time),
                Step::Until(gate) => gate.wait(),
                Step::Send(_) | Step::Cut => {
                    let _ = stream.shutdown(Shutdown::Both);
                    return;
                }
            }
        }
    }
}

fn read(reader: &mut impl BufRead) -> Option<Seen> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let mut words = line.split_whitespace().map(ToOwned::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let find = |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
    let mut body = Vec::new();
    if let Some(length) = find("content-length") {
        body.resize(length.parse().ok()?, 0);
        reader.read_exact(&mut body).ok()?;
    } else if find("transfer-encoding").is_some() {
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let length = usize::from_str_radix(line.trim(), 16).ok()?;
            let mut piece = vec![0; length + 2];
            reader.read_exact(&mut piece).ok()?;
            piece.truncate(length);
            body.extend(piece);
            if length == 0 {
                break;
            }
        }
    }
    Some(Seen { method, target, headers, body })
}

/// A whole reply with its length.
pub(crate) fn reply(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = if status == 204 { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    let mut bytes = head(status, headers, &length);
    bytes.extend_from_slice(body);
    bytes
}

/// A reply in chunks, with trailers.
pub(crate) fn chunked(headers: &[(&str, &str)], pieces: &[&[u8]], trailers: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = head(200, headers, "transfer-encoding: chunked\r\n");
    for piece in pieces {
        bytes.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        bytes.extend_from_slice(piece);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n");
    for (name, value) in trailers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

fn head(status: u16, headers: &[(&str, &str)], framing: &str) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status} X\r\n{framing}");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text.into_bytes()
}
