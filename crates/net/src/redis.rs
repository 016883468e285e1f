//! A small client of Redis: scripts, and nothing else (RESP2 over TCP or TLS).
//!
//! # Invariants
//!
//! - Everything has a deadline: connecting, signing in, asking. A server that accepts and then says nothing costs that time once.
//! - A connection is kept only after an exchange that ended well; what a dropped future left half-read is closed.
//! - A password is never part of an error.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use crate::Verify;
use crate::tls::Outbound;
use reply::Reply;

mod reply;

/// Where a server is, and how to sign in.
pub struct RedisConfig {
    /// The host, as its certificate names it.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whom to trust, where TLS is spoken.
    pub tls: Option<Outbound>,
    /// The user; none for the usual one.
    pub user: Option<String>,
    /// The password.
    pub password: Option<memory::Secret>,
    /// The number of the database.
    pub database: u32,
    /// How long one question may take, connecting included.
    pub within: Duration,
}

/// A server, and the script that it runs for us.
pub struct Redis {
    config: RedisConfig,
    script: &'static str,
    idle: Mutex<Vec<Connection>>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The connection could not be made, or broke.
    #[error("the connection to Redis at `{place}` failed")]
    Broken {
        /// Host and port.
        place: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No answer came in time.
    #[error("Redis at `{0}` did not answer in time")]
    Late(String),
    /// It answered with an error; only its first word is repeated.
    #[error("Redis at `{place}` refused with {code}")]
    Refused {
        /// Host and port.
        place: String,
        /// Such as `WRONGPASS`.
        code: String,
    },
    /// It answered something that is no answer to what was asked.
    #[error("what answers at `{0}` does not speak as Redis does")]
    Strange(String),
    /// The certificate authorities could not be read.
    #[error("TLS for Redis can't be spoken")]
    Tls(#[source] Box<crate::Error>),
}

trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for T {}

struct Connection {
    stream: Box<dyn Stream>,
    /// Under what the server knows the script.
    script: String,
}

impl Redis {
    /// A client that runs one script.
    #[must_use]
    pub const fn new(config: RedisConfig, script: &'static str) -> Self {
        Self { config, script, idle: Mutex::new(Vec::new()) }
    }

    /// Host and port.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}:{}", self.config.host, self.config.port)
    }

    /// Runs the script with these keys and arguments; its answer is a list of whole numbers.
    ///
    /// # Errors
    /// When no such answer comes in time. The script may have run then.
    pub async fn run(&self, keys: &[String], arguments: &[String]) -> Result<Vec<i64>, Error> {
        let deadline = Instant::now() + self.config.within;
        match timeout_at(deadline, self.answered(keys, arguments)).await {
            Ok(answer) => answer,
            Err(_) => Err(Error::Late(self.place())),
        }
    }

    async fn answered(&self, keys: &[String], arguments: &[String]) -> Result<Vec<i64>, Error> {
        let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let asked = match kept {
            Some(connection) => self.ask(connection, keys, arguments).await,
            None => return self.ask(self.connect().await?, keys, arguments).await,
        };
        match asked {
            // The server closed it meanwhile, or forgot the script; whether it counted this call before, nobody knows.
            Err(Error::Broken { .. }) => self.ask(self.connect().await?, keys, arguments).await,
            Err(Error::Refused { code, .. }) if code == "NOSCRIPT" => {
                self.ask(self.connect().await?, keys, arguments).await
            }
            other => other,
        }
    }

    async fn ask(
        &self,
        mut connection: Connection,
        keys: &[String],
        arguments: &[String],
    ) -> Result<Vec<i64>, Error> {
        let count = keys.len().to_string();
        let head = ["EVALSHA", &connection.script, &count].map(str::as_bytes);
        let rest = keys.iter().chain(arguments).map(String::as_bytes);
        let words: Vec<&[u8]> = head.into_iter().chain(rest).collect();
        let answer = self.exchange(&mut *connection.stream, &words).await?;
        let Reply::List(items) = answer else { return Err(Error::Strange(self.place())) };
        let number = |item: Reply| match item {
            Reply::Number(number) => Ok(number),
            _ => Err(Error::Strange(self.place())),
        };
        let numbers = items.into_iter().map(number).collect::<Result<_, _>>()?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE {
            idle.push(connection);
        }
        Ok(numbers)
    }

    async fn connect(&self) -> Result<Connection, Error> {
        let RedisConfig { host, port, tls, user, password, database, within: _ } = &self.config;
        let broken = |source| Error::Broken { place: self.place(), source };
        let tcp = TcpStream::connect((host.as_str(), *port)).await.map_err(broken)?;
        tcp.set_nodelay(true).map_err(broken)?;
        let mut stream: Box<dyn Stream> = match tls {
            None => Box::new(tcp),
            Some(tls) => {
                let config = tls.config(Verify::Checked).map_err(|error| Error::Tls(Box::new(error)))?;
                let name = ServerName::try_from(host.clone())
                    .map_err(|_| broken(io::Error::other("this is no name for a certificate")))?;
                let connector = TlsConnector::from(std::sync::Arc::clone(config));
                Box::new(connector.connect(name, tcp).await.map_err(broken)?)
            }
        };
        if let Some(password) = password {
            let words = signing_in(user.as_deref(), password);
            stream.write_all(&words).await.map_err(broken)?;
            let _ok = self.read(&mut *stream).await?;
        }
        if *database > 0 {
            let number = database.to_string();
            let _ok = self.exchange(&mut *stream, &[b"SELECT", number.as_bytes()]).await?;
        }
        let loaded = self.exchange(&mut *stream, &[b"SCRIPT", b"LOAD", self.script.as_bytes()]).await?;
        match loaded {
            Reply::Text(script) => Ok(Connection { stream, script }),
            _ => Err(Error::Strange(self.place())),
        }
    }

    async fn exchange(&self, stream: &mut dyn Stream, words: &[&[u8]]) -> Result<Reply, Error> {
        let broken = |source| Error::Broken { place: self.place(), source };
        stream.write_all(&reply::command(words)).await.map_err(broken)?;
        self.read(stream).await
    }

    async fn read(&self, stream: &mut dyn Stream) -> Result<Reply, Error> {
        let mut bytes = Vec::with_capacity(256);
        loop {
            match reply::parse(&bytes) {
                Ok(Some(Reply::Error(code))) => return Err(Error::Refused { place: self.place(), code }),
                Ok(Some(reply)) => return Ok(reply),
                Ok(None) if bytes.len() < LARGEST => {}
                Ok(None) | Err(reply::Malformed) => return Err(Error::Strange(self.place())),
            }
            let broken = |source| Error::Broken { place: self.place(), source };
            if stream.read_buf(&mut bytes).await.map_err(broken)? == 0 {
                return Err(broken(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }
}

/// `AUTH`, in memory that is wiped.
fn signing_in(user: Option<&str>, password: &memory::Secret) -> zeroize::Zeroizing<Vec<u8>> {
    #[expect(clippy::disallowed_methods, reason = "signs in to Redis")]
    password.expose(|password| {
        let mut words: Vec<&[u8]> = vec![b"AUTH"];
        words.extend(user.map(str::as_bytes));
        words.push(password);
        zeroize::Zeroizing::new(reply::command(&words))
    })
}

/// Connections that wait for the next question.
const MOST_IDLE: usize = 16;
/// Largest answer; ours are some hundred bytes.
const LARGEST: usize = 64 << 10;

#[cfg(test)]
mod tests;
