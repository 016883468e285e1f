//! Calls of the API, from several threads, each with a connection of its own as curl has.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::failure::{Failure, Outcome};

/// One call.
pub(super) struct Call {
    method: &'static str,
    path: String,
    header: String,
    body: String,
}

impl Call {
    /// Makes a tenant and its first key.
    pub(super) fn onboard(root_key: &str, name: &str) -> Self {
        Self {
            method: "POST",
            path: "/api/v1/organizations/onboard".to_owned(),
            header: format!("X-CA-Root-Key: {root_key}"),
            body: json!({ "org_slug": name, "plan": "ENTERPRISE" }).to_string(),
        }
    }

    /// Keeps a credential, without asking its provider.
    pub(super) fn setup(key: &str, name: &str, nth: usize) -> Self {
        let (provider, credential) = match nth {
            0 => ("openai", "sk-0123456789-0123456789"),
            1 => ("anthropic", "sk-ant-0123456789-0123456789"),
            2 => ("deepseek", "sk-0123456789-0123456789"),
            _ => ("gemini", "AIza0123456789-0123456789-0123456789-00"),
        };
        Self {
            method: "POST",
            path: format!("/api/v1/integrations/{name}/{provider}/setup"),
            header: format!("X-API-Key: {key}"),
            body: json!({ "credential": credential, "skip_validation": true }).to_string(),
        }
    }

    /// Lists what a tenant has.
    pub(super) fn status(key: &str, name: &str) -> Self {
        Self {
            method: "GET",
            path: format!("/api/v1/integrations/{name}"),
            header: format!("X-API-Key: {key}"),
            body: String::new(),
        }
    }

    fn ask(&self, port: u16) -> std::io::Result<(u16, String)> {
        let Self { method, path, header, body } = self;
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n{header}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes())?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        Ok((status, body.to_owned()))
    }
}

/// How long calls took.
#[derive(Clone, Copy)]
pub(super) struct Measured {
    pub(super) calls: usize,
    pub(super) all: Duration,
    pub(super) median: Duration,
    pub(super) p99: Duration,
}

impl Measured {
    pub(super) fn per_second(&self) -> f64 {
        self.calls as f64 / self.all.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    pub(super) fn shown(&self) -> String {
        let millis = |time: Duration| time.as_secs_f64() * 1_000.0;
        format!("{:.2} ms, {:.2} ms", millis(self.median), millis(self.p99))
    }

    pub(super) fn document(&self) -> Value {
        json!({
            "calls": self.calls, "per_second": self.per_second(), "p50_us": self.median.as_micros(), "p99_us": self.p99.as_micros(),
        })
    }
}

/// Makes all calls, each once, and gives the answers in their order.
pub(super) fn all(port: u16, calls: &[Call], threads: usize) -> Outcome<(Measured, Vec<Value>)> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Duration, Value)>> = Mutex::new(Vec::with_capacity(calls.len()));
    let wrong: Mutex<Option<String>> = Mutex::new(None);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((nth, call)) = take(&next, calls) {
                    let asked = Instant::now();
                    let answer = call.ask(port);
                    let took = asked.elapsed();
                    let said = match answer {
                        Ok((200, body)) => serde_json::from_str(&body).map_err(|error| error.to_string()),
                        Ok((status, body)) => {
                            Err(format!("{} {} was answered with {status}: {body}", call.method, call.path))
                        }
                        Err(error) => Err(error.to_string()),
                    };
                    match said {
                        Ok(value) => lock(&done).push((nth, took, value)),
                        Err(error) => {
                            next.store(calls.len(), Ordering::SeqCst);
                            lock(&wrong).get_or_insert(error);
                        }
                    }
                }
            });
        }
    });
    let all = began.elapsed();
    if let Some(wrong) = lock(&wrong).take() {
        return Err(Failure::new(wrong));
    }
    let mut done = std::mem::take(&mut *lock(&done));
    done.sort_by_key(|(nth, ..)| *nth);
    let mut times: Vec<Duration> = done.iter().map(|(_, took, _)| *took).collect();
    times.sort();
    let at =
        |share: usize| times.get(times.len() * share / 100).or(times.last()).copied().unwrap_or_default();
    let measured = Measured { calls: times.len(), all, median: at(50), p99: at(99) };
    Ok((measured, done.into_iter().map(|(.., value)| value).collect()))
}

fn take<'a>(next: &AtomicUsize, calls: &'a [Call]) -> Option<(usize, &'a Call)> {
    let nth = next.fetch_add(1, Ordering::SeqCst);
    calls.get(nth).map(|call| (nth, call))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
