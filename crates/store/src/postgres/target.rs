//! Where a server is, how it is spoken to, and who we are there.
//!
//! # Invariants
//!
//! - The password is never part of an address, and is read anew for each connection, so that it can be replaced.
//! - TLS that was asked for is spoken with a certificate that was verified, or not at all: nothing falls back to plain text.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use ::postgres::config::{Host, SslMode, TargetSessionAttrs};
use ::postgres::{Client, Config, NoTls};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::Error;

/// Reads the password whenever a connection is made; `None` where the server asks for none.
pub type SecretReader = Arc<dyn Fn(&Whom) -> std::io::Result<Option<Vec<u8>>> + Send + Sync>;

/// Whose password is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whom {
    /// The first host, or the folder of its socket.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The database.
    pub database: String,
    /// The role.
    pub role: String,
}

/// A role in a database on a server.
#[derive(Clone)]
pub struct Target {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    whom: Whom,
    password: SecretReader,
}

impl Target {
    /// Reads `postgres://ROLE@HOST[:PORT]/DATABASE[?sslmode=..&host=FOLDER]`. With `authorities`, a file in PEM, only certificates
    /// from those count.
    ///
    /// `sslmode` is `disable`, `require`, `verify-ca` or `verify-full`. The last three are the same here: chain and name are always verified.
    /// Where it is not said, it is `disable` on a socket and on loopback, else `verify-full`.
    ///
    /// # Errors
    /// When it is not understood, holds a password, or the authorities can't be used.
    pub fn parse(url: &str, authorities: Option<&Path>, password: SecretReader) -> Result<Self, Error> {
        let (plain, mode) = without_mode(url)?;
        let mut config = Config::from_str(&plain).map_err(|_| Error::Address("no address of PostgreSQL"))?;
        if config.get_password().is_some() {
            return Err(Error::Address(
                "a password stands in it, where everybody sees it (replace it if it was real)",
            ));
        }
        let role = config.get_user().ok_or(Error::Address("it names no role"))?.to_owned();
        let database = config.get_dbname().ok_or(Error::Address("it names no database"))?.to_owned();
        let first = config.get_hosts().first().ok_or(Error::Address("it names no host"))?;
        let host = match first {
            Host::Tcp(name) => name.clone(),
            Host::Unix(folder) => folder.display().to_string(),
        };
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let near = config.get_hosts().iter().all(is_near);
        let encrypted = mode.unwrap_or(!near);
        if authorities.is_some() && !encrypted {
            return Err(Error::Address("authorities are named, but no TLS is spoken with this `sslmode`"));
        }
        config
            .ssl_mode(if encrypted { SslMode::Require } else { SslMode::Disable })
            .application_name("doorward")
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .connect_timeout(CONNECT)
            .tcp_user_timeout(UNACKNOWLEDGED)
            .keepalives_idle(SILENCE)
            .options(OPTIONS);
        let tls = encrypted.then(|| tls(authorities)).transpose()?;
        Ok(Self { config, tls, whom: Whom { host, port, database, role }, password })
    }

    /// Host and port, for messages.
    #[must_use]
    pub fn place(&self) -> String {
        let Whom { host, port, database, role: _ } = &self.whom;
        format!("{host}:{port}/{database}")
    }

    /// Who we are there.
    #[must_use]
    pub const fn whom(&self) -> &Whom {
        &self.whom
    }

    /// A new connection. Must not be called within a runtime.
    pub(super) fn dial(&self) -> Result<Client, Undialled> {
        let mut config = self.config.clone();
        if let Some(password) = (self.password)(&self.whom).map_err(Undialled::Password)? {
            config.password(password);
        }
        let made = match &self.tls {
            Some(tls) => config.connect(tls.clone()),
            None => config.connect(NoTls),
        };
        made.map_err(Undialled::Server)
    }
}

/// Why there is no connection.
pub(super) enum Undialled {
    Password(std::io::Error),
    Server(::postgres::Error),
}

impl Undialled {
    /// Whether another attempt may succeed in a moment: a server that is down, starts, stops, or has no connection left.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            // The file may be being replaced.
            Self::Password(_) => true,
            Self::Server(error) => passes(error),
        }
    }

    pub(super) fn into_error(self, place: String) -> Error {
        match self {
            Self::Password(error) => Error::Password(error),
            Self::Server(error) if passes(&error) => Error::Unreachable { place, source: Some(error) },
            Self::Server(error) => Error::Refused(error),
        }
    }
}

/// Whether there was no answer, or one that is another one in a moment (PostgreSQL, appendix A).
fn passes(error: &::postgres::Error) -> bool {
    error.code().is_none_or(|code| {
        let code = code.code();
        code.starts_with("57P") || code.starts_with("08") || code.starts_with("53")
    })
}

/// The address without `sslmode`, which the library understands only in part, and whether it asks for TLS.
fn without_mode(url: &str) -> Result<(String, Option<bool>), Error> {
    if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
        return Err(Error::Address("it does not begin with `postgres://`"));
    }
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let (mut mode, mut rest) = (None, Vec::new());
    for part in query.split('&').filter(|part| !part.is_empty()) {
        match part.split_once('=') {
            Some(("sslmode", "disable")) => mode = Some(false),
            Some(("sslmode", "require" | "verify-ca" | "verify-full")) => mode = Some(true),
            Some(("sslmode", _)) => {
                return Err(Error::Address(
                    "`sslmode` is `disable`, `require`, `verify-ca` or `verify-full`",
                ));
            }
            Some(("host" | "port" | "channel_binding", _)) => rest.push(part),
            _ => {
                return Err(Error::Address(
                    "behind `?` only `sslmode`, `host`, `port` and `channel_binding` are understood",
                ));
            }
        }
    }
    let query = if rest.is_empty() { String::new() } else { format!("?{}", rest.join("&")) };
    Ok((format!("{place}{query}"), mode))
}

/// Whether what is said to this host stays on this machine.
fn is_near(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
    }
}

fn tls(authorities: Option<&Path>) -> Result<MakeRustlsConnect, Error> {
    let shown = authorities.map_or_else(|| PathBuf::from("what the system trusts"), Path::to_owned);
    let wrong =
        |source: Box<dyn std::error::Error + Send + Sync>| Error::Tls { authorities: shown.clone(), source };
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(error.into()))?;
    let builder = match authorities {
        None => builder.with_platform_verifier().map_err(|error| wrong(error.into()))?,
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for found in CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.into()))? {
                let found = found.map_err(|error| wrong(error.into()))?;
                roots.add(found).map_err(|error| wrong(error.into()))?;
            }
            if roots.is_empty() {
                return Err(wrong("it holds no certificate".into()));
            }
            builder.with_root_certificates(roots)
        }
    };
    Ok(MakeRustlsConnect::new(builder.with_no_client_auth()))
}

const CONNECT: Duration = Duration::from_secs(2);
/// How long what we sent may stay without an acknowledgement of the other kernel.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);
/// After how long a silent connection is looked at.
const SILENCE: Duration = Duration::from_secs(10);
/// The server ends by itself what takes too long, and notices that we are gone, so that another broker may follow.
const OPTIONS: &str = "-c statement_timeout=30s -c lock_timeout=10s -c idle_in_transaction_session_timeout=10s \
                       -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3 -c tcp_user_timeout=10s \
                       -c search_path=pg_catalog";
