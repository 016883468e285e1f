//! A kept connection: one request behind the other.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::failure::{Failure, Outcome};

/// A connection on loopback.
pub(super) struct Wire(BufReader<TcpStream>);

impl Wire {
    pub(super) fn open(port: u16) -> Outcome<Self> {
        let failed = |error: std::io::Error| Failure::doing("connect", &error);
        let stream = TcpStream::connect(("127.0.0.1", port)).map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
        Ok(Self(BufReader::new(stream)))
    }

    /// One request; the body of an answer with 200.
    pub(super) fn ask(&mut self, method: &str, path: &str, headers: &[&str], body: &str) -> Outcome<String> {
        let failed = |error: std::io::Error| Failure::doing("ask", &error);
        let mut text =
            format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\n", body.len());
        for header in headers {
            text.push_str(header);
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
        text.push_str(body);
        self.0.get_mut().write_all(text.as_bytes()).map_err(failed)?;
        let (mut status, mut length) = (String::new(), None);
        self.0.read_line(&mut status).map_err(failed)?;
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).map_err(failed)? == 0 {
                return Err(Failure::new("the connection ended within a head"));
            }
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse::<usize>().ok();
            }
        }
        let length = length.ok_or_else(|| Failure::new(format!("an answer without a length: {status}")))?;
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).map_err(failed)?;
        let body = String::from_utf8_lossy(&body).into_owned();
        if status.contains(" 200 ") {
            Ok(body)
        } else {
            Err(Failure::new(format!("{}: {body}", status.trim())))
        }
    }
}

/// A thousand programs take their time.
const PATIENCE: Duration = Duration::from_secs(600);
