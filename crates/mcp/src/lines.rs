//! Lines of JSON-RPC over two pipes. Each line that asks for an answer gets one, whatever is wrong with it: a client waits for it.
//!
//! # Invariants
//!
//! - A line is bounded; the rest of one that is longer is passed over, not held.
//! - `receive` may be dropped at any point and called again: no byte that was read is lost, and no answer is written in part.

use std::io;
use std::sync::Arc;

use rmcp::RoleServer;
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

/// The transport of one client.
pub(crate) struct Lines<R, W> {
    read: BufReader<R>,
    line: Vec<u8>,
    /// Whether the line is longer than it may be; what comes of it is passed over.
    too_long: bool,
    write: Arc<Mutex<W>>,
    /// An answer of our own on its way out. It goes on when `receive` is dropped.
    answering: Option<JoinHandle<()>>,
}

impl<R: AsyncRead + Unpin, W> Lines<R, W> {
    pub(crate) fn new(read: R, write: W) -> Self {
        let (read, write) = (BufReader::new(read), Arc::new(Mutex::new(write)));
        Self { read, line: Vec::new(), too_long: false, write, answering: None }
    }

    /// The next line without its end; none at the end of the pipe.
    async fn next(&mut self) -> Option<Line> {
        loop {
            let there = match self.read.fill_buf().await {
                Ok(there) if !there.is_empty() => there,
                // An unfinished line at the end is no message.
                _ => return None,
            };
            let end = there.iter().position(|byte| *byte == b'\n');
            let part = there.get(..end.unwrap_or(there.len())).unwrap_or_default();
            self.too_long |= self.line.len() + part.len() > LONGEST;
            if self.too_long {
                self.line = Vec::new();
            } else {
                self.line.extend_from_slice(part);
            }
            let taken = part.len() + usize::from(end.is_some());
            self.read.consume(taken);
            if end.is_some() {
                let line = std::mem::take(&mut self.line);
                return Some(if std::mem::take(&mut self.too_long) {
                    Line::TooLong
                } else {
                    Line::Whole(line)
                });
            }
        }
    }
}

impl<R, W> Transport<RoleServer> for Lines<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), io::Error>> + Send + 'static {
        let write = Arc::clone(&self.write);
        async move { written(&write, serde_json::to_vec(&message)?).await }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            if let Some(answering) = &mut self.answering {
                // One answer at a time: a client that reads none of them is not read any further.
                let _ = answering.await;
                self.answering = None;
            }
            let read = match self.next().await? {
                Line::Whole(line) => understood(&line),
                Line::TooLong => Read::Wrong(wrong(INVALID_REQUEST, "the line is too long", &Value::Null)),
            };
            match read {
                Read::Message(message) => return Some(*message),
                Read::Nothing => {}
                Read::Wrong(answer) => {
                    let write = Arc::clone(&self.write);
                    let answer = async move { drop(written(&write, answer.to_string().into_bytes()).await) };
                    self.answering = Some(tokio::spawn(answer));
                }
            }
        }
    }

    async fn close(&mut self) -> Result<(), io::Error> {
        self.write.lock().await.shutdown().await
    }
}

enum Line {
    Whole(Vec<u8>),
    TooLong,
}

/// What a line, or the body of a request, is.
pub(crate) enum Read {
    Message(Box<RxJsonRpcMessage<RoleServer>>),
    /// Nothing that is answered: an empty line, or a notification of something that we don't know.
    Nothing,
    /// The answer to what can't be understood (JSON-RPC 2.0, section 5.1).
    Wrong(Value),
}

pub(crate) fn understood(line: &[u8]) -> Read {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
    if line.is_empty() {
        return Read::Nothing;
    }
    let Ok(document) = serde_json::from_slice::<Value>(line) else {
        return Read::Wrong(wrong(PARSE_ERROR, "this is not JSON", &Value::Null));
    };
    let Some(fields) = document.as_object() else {
        return Read::Wrong(wrong(INVALID_REQUEST, "this is not one request", &Value::Null));
    };
    let method = fields.get("method").and_then(Value::as_str);
    let id = fields.get("id").filter(|id| id.is_string() || id.is_i64());
    // The library takes a request whose id it can't read for a notification, and answers nothing.
    let unread = id.is_none() && method.is_some() && fields.contains_key("id");
    if !unread && let Ok(message) = serde_json::from_slice(line) {
        return Read::Message(Box::new(message));
    }
    match (method, id) {
        (Some(method), Some(id)) if fields.get("jsonrpc").is_some_and(|version| version == "2.0") => {
            let message = format!("the parameters of `{method}` are missing, or not what it takes");
            Read::Wrong(wrong(INVALID_PARAMS, &message, id))
        }
        // Neither a notification nor an answer is answered.
        (Some(_), None) if !unread => Read::Nothing,
        (None, _) if fields.contains_key("result") || fields.contains_key("error") => Read::Nothing,
        (_, id) => {
            let id = id.unwrap_or(&Value::Null);
            Read::Wrong(wrong(INVALID_REQUEST, "this is no request of JSON-RPC 2.0", id))
        }
    }
}

fn wrong(code: i32, message: &str, id: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
}

async fn written<W: AsyncWrite + Unpin>(write: &Mutex<W>, mut line: Vec<u8>) -> io::Result<()> {
    line.push(b'\n');
    let mut write = write.lock().await;
    write.write_all(&line).await?;
    write.flush().await
}

const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;
const INVALID_PARAMS: i32 = -32602;
/// Longest line that is read, as long as what the other transport takes.
pub(crate) const LONGEST: usize = 16 << 20;
