//! `[store]`: a PostgreSQL in which the home keeps its rows.

use std::io::{Error, ErrorKind, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use model::SecretRef;
use serde::Deserialize;
use store::postgres::{SecretReader, Setup, Target, Whom};

use super::{Lookup, Origin, Setting, environment, file};
use crate::failure::{Failure, Outcome};
use crate::home::Home;

pub(crate) mod credentials;

/// As it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    url: Option<String>,
    password: Option<String>,
    ca: Option<PathBuf>,
    owner: Option<String>,
    owner_password: Option<String>,
    connections: Option<usize>,
    timeout: Option<String>,
    wait: Option<String>,
    listen: Option<SocketAddr>,
    announced: Option<String>,
    credentials: Option<credentials::Written>,
}

/// A store that is not the home's own folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Store {
    /// Its address, without a password.
    pub(crate) url: Setting<String>,
    password: Option<SecretRef>,
    ca: Option<PathBuf>,
    owner: Option<String>,
    owner_password: Option<SecretRef>,
    connections: usize,
    timeout: Duration,
    /// How long a broker waits for another one to be gone.
    pub(crate) wait: Duration,
    /// Where other brokers of this store hand on what comes to them, while this one leads.
    pub(crate) fellows: Option<Fellows>,
}

/// How brokers of one store find each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fellows {
    pub(crate) listen: SocketAddr,
    /// Under which address the others reach it, where that is another one.
    pub(crate) announced: Option<String>,
}

/// The store of this home; `None` where it keeps its rows itself.
pub(crate) fn of(home: &Home, lookup: Lookup<'_>) -> Outcome<Option<Store>> {
    let written = file::read(&home.settings())?.store;
    let variable = lookup(VARIABLE).map(|text| {
        text.into_string().map_err(|_| Failure::usage(format!("`{VARIABLE}` is not what it should be")))
    });
    let said = match (variable.transpose()?, written.as_ref().and_then(|written| written.url.clone())) {
        (Some(value), _) => Setting { value, origin: Origin::Environment(VARIABLE) },
        (None, Some(value)) => Setting { value, origin: Origin::File },
        (None, None) if written.as_ref().is_none_or(Written::is_of_the_folder) => return Ok(None),
        (None, None) => {
            return Err(Failure::usage("`[store]` in `settings.toml` does not say where the store is")
                .hint("`url = \"postgres://ROLE@HOST/DATABASE\"`"));
        }
    };
    Store::read(said, written.unwrap_or(Written::NOTHING)).map(Some)
}

impl Written {
    const NOTHING: Self = Self {
        url: None,
        password: None,
        ca: None,
        owner: None,
        owner_password: None,
        connections: None,
        timeout: None,
        wait: None,
        listen: None,
        announced: None,
        credentials: None,
    };

    /// Whether nothing is said but where credentials are: the rest stays in the home's own folder.
    const fn is_of_the_folder(&self) -> bool {
        let Self {
            url: _,
            password,
            ca,
            owner,
            owner_password,
            connections,
            timeout,
            wait,
            listen,
            announced,
            credentials,
        } = self;
        credentials.is_some()
            && listen.is_none()
            && announced.is_none()
            && password.is_none()
            && ca.is_none()
            && owner.is_none()
            && owner_password.is_none()
            && connections.is_none()
            && timeout.is_none()
            && wait.is_none()
    }
}

impl Store {
    /// What an address alone says; the rest as it is usually.
    pub(crate) fn at(url: &str) -> Outcome<Self> {
        Self::typed(url, None, None)
    }

    /// The same with where the password is, and which authorities count.
    pub(crate) fn typed(url: &str, password: Option<String>, ca: Option<PathBuf>) -> Outcome<Self> {
        let url = Setting { value: url.to_owned(), origin: Origin::Flag };
        Self::read(url, Written { password, ca, ..Written::NOTHING })
    }

    fn read(url: Setting<String>, written: Written) -> Outcome<Self> {
        let Written {
            url: _,
            password,
            ca,
            owner,
            owner_password,
            connections,
            timeout,
            wait,
            listen,
            announced,
            credentials: _,
        } = written;
        let reference = |text: Option<String>, key: &str| -> Outcome<Option<SecretRef>> {
            let Some(text) = text else { return Ok(None) };
            // What was written is not repeated: it may be the password itself.
            let wrong = || Failure::usage(format!("`store.{key}` is `env:VARIABLE` or `file:PATH`"));
            let read: SecretRef = text.parse().map_err(|_| wrong())?;
            let known = matches!((read.scheme(), read.field()), ("env" | "file", None));
            if known { Ok(Some(read)) } else { Err(wrong()) }
        };
        let connections = connections.unwrap_or(USUAL_CONNECTIONS);
        if !(1..=MOST_CONNECTIONS).contains(&connections) {
            return Err(Failure::usage(format!("`store.connections` is 1 to {MOST_CONNECTIONS}")));
        }
        let duration =
            |text: Option<String>, usual| text.map_or(Ok(usual), |text| model::parse_duration(&text));
        let fellows = Fellows::read(listen, announced)?;
        // One that answers while it stands by is meant to go on doing so.
        let usual_wait = if fellows.is_some() { ALWAYS } else { USUAL_WAIT };
        let store = Self {
            fellows,
            url,
            password: reference(password, "password")?,
            ca,
            owner,
            owner_password: reference(owner_password, "owner_password")?,
            connections,
            timeout: duration(timeout, USUAL_TIMEOUT)?,
            wait: duration(wait, usual_wait)?,
        };
        // What is wrong with an address is said before anything is made.
        store.setup()?;
        Ok(store)
    }

    /// How the store is opened. The server is not asked yet, and passwords are read when they are needed.
    pub(crate) fn setup(&self) -> Outcome<Setup> {
        let Self {
            url,
            password: reference,
            ca,
            owner,
            owner_password,
            connections,
            timeout,
            wait: _,
            fellows: _,
        } = self;
        let ca = ca.as_deref();
        let owner = owner.as_deref().map(|url| Target::parse(url, ca, password(owner_password.clone())));
        Ok(Setup {
            target: Target::parse(&url.value, ca, password(reference.clone())).map_err(store::Error::from)?,
            owner: owner.transpose().map_err(store::Error::from)?,
            connections: *connections,
            timeout: *timeout,
            who: format!("process {} on {}", std::process::id(), machine()),
        })
    }
}

impl Fellows {
    fn read(listen: Option<SocketAddr>, announced: Option<String>) -> Outcome<Option<Self>> {
        let Some(listen) = listen else {
            return match announced {
                None => Ok(None),
                Some(_) => {
                    Err(Failure::usage("`store.announced` counts where `store.listen` says where that is"))
                }
            };
        };
        let shaped = announced.as_deref().is_none_or(|place| {
            let port = |(host, port): (&str, &str)| {
                !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
            };
            place.rsplit_once(':').is_some_and(port) && place.bytes().all(|byte| byte.is_ascii_graphic())
        });
        if !shaped {
            return Err(Failure::usage("`store.announced` is `HOST:PORT`"));
        }
        if listen.ip().is_unspecified() && announced.is_none() {
            return Err(Failure::usage(format!(
                "`store.listen` is `{listen}`, which is no address under which others reach this broker"
            ))
            .hint("say that one as well: `announced = \"HOST:PORT\"`"));
        }
        Ok(Some(Self { listen, announced }))
    }
}

/// The password of a role: where it was said to be, else in the file in which the programs of PostgreSQL keep them.
fn password(reference: Option<SecretRef>) -> SecretReader {
    Arc::new(move |whom| match &reference {
        Some(reference) if reference.scheme() == "env" => match environment(reference.path()) {
            Some(text) => Ok(Some(std::os::unix::ffi::OsStringExt::into_vec(text))),
            None => Err(Error::new(ErrorKind::NotFound, format!("`{reference}` is not set"))),
        },
        Some(reference) => {
            let mut bytes = read_small(Path::new(reference.path()))?;
            while bytes.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
                bytes.pop();
            }
            Ok(Some(bytes))
        }
        None => from_pgpass(whom),
    })
}

/// `PGPASSFILE`, else `~/.pgpass`. Where there is no such file, the server may not ask.
fn from_pgpass(whom: &Whom) -> std::io::Result<Option<Vec<u8>>> {
    use std::os::unix::fs::MetadataExt;
    let usual = || environment("HOME").map(|home| Path::new(&home).join(".pgpass"));
    let Some(path) = environment("PGPASSFILE").map(PathBuf::from).or_else(usual) else { return Ok(None) };
    let Ok(seen) = std::fs::metadata(&path) else { return Ok(None) };
    if seen.mode() & 0o077 != 0 {
        return Err(Error::other(format!("others may read `{}`: `chmod go= FILE`", path.display())));
    }
    let bytes = read_small(&path)?;
    Ok(std::str::from_utf8(&bytes).ok().and_then(|text| text.lines().find_map(|line| of_line(line, whom))))
}

/// The password in a line `HOST:PORT:DATABASE:ROLE:PASSWORD`, if the line is about these. `*` is any, `\` takes the next character as it is.
fn of_line(line: &str, whom: &Whom) -> Option<Vec<u8>> {
    if line.starts_with('#') {
        return None;
    }
    let (mut fields, mut field, mut letters) = (Vec::new(), String::new(), line.chars());
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => field.extend(letters.next()),
            ':' if fields.len() < 4 => fields.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
    }
    let Whom { host, port, database, role } = whom;
    // A socket is written as `localhost` there.
    let host = if host.starts_with('/') { "localhost" } else { host };
    let wanted = [host, &port.to_string(), database, role];
    let is_it =
        fields.len() == 4 && fields.iter().zip(wanted).all(|(said, wanted)| said == "*" || said == wanted);
    is_it.then(|| field.into_bytes())
}

pub(super) fn read_small(path: &Path) -> std::io::Result<Vec<u8>> {
    let named = |error: Error| Error::new(error.kind(), format!("`{}`: {error}", path.display()));
    let mut bytes = Vec::new();
    std::fs::File::open(path).map_err(named)?.take(LONGEST_FILE).read_to_end(&mut bytes).map_err(named)?;
    Ok(bytes)
}

/// What this machine calls itself.
fn machine() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname");
    name.map_or_else(|_| "a machine without a name".to_owned(), |name| name.trim().to_owned())
}

/// The variable that says where the store is.
const VARIABLE: &str = "DOORWARD_STORE";
const USUAL_CONNECTIONS: usize = 8;
const MOST_CONNECTIONS: usize = 200;
const USUAL_TIMEOUT: Duration = Duration::from_secs(5);
const ALWAYS: Duration = Duration::from_secs(10 * 365 * 86_400);
const USUAL_WAIT: Duration = Duration::from_secs(2);
const LONGEST_FILE: u64 = 64 << 10;

#[cfg(test)]
mod tests;
