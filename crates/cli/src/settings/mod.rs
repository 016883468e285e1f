//! What the arguments mean: every setting with its value and where that came from.
//!
//! A flag wins over the environment, the environment over `settings.toml` in the home, that over the default. The
//! environment is read here and nowhere else, and no `.env` file is ever read. Unknown keys are errors.

pub(crate) mod agent;
pub(crate) mod api;
pub(crate) mod approvals;
mod file;
pub(crate) mod mcp;
mod operations;
pub(crate) mod rates;
pub(crate) mod sources;
pub(crate) mod store;
mod table;
mod tenants;

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use crate::args::broker::ClientAuth;
use crate::args::{self, Global, LogFormat};
use crate::failure::{Failure, Outcome};
use crate::home::Home;

pub(crate) use table::TABLE;

/// A value, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    pub(crate) origin: Origin,
}

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Typed.
    Flag,
    /// A variable of the environment.
    Environment(&'static str),
    /// `settings.toml` in the home.
    File,
    /// Nobody said anything.
    Default,
}

/// What a running broker is told.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) gateway: Setting<SocketAddr>,
    pub(crate) domains: Setting<Vec<String>>,
    pub(crate) origins: Setting<Vec<String>>,
    pub(crate) threads: Setting<NonZeroUsize>,
    /// Where the API listens beside a gateway.
    pub(crate) api_beside: Setting<Option<SocketAddr>>,
    pub(crate) metrics: Setting<Option<SocketAddr>>,
    pub(crate) admin: Setting<Option<SocketAddr>>,
    pub(crate) development: Setting<bool>,
    pub(crate) environment: Setting<Option<String>>,
    pub(crate) tls: Setting<Option<Tls>>,
    pub(crate) client_ca: Setting<Option<PathBuf>>,
    pub(crate) client_auth: Setting<ClientAuth>,
    /// Who answers OpenAI clients.
    pub(crate) llm: Setting<Option<proxy::Provider>>,
    /// Where rates are counted together with other processes.
    pub(crate) rates: Option<rates::Rates>,
    /// By which names the API is known, where browsers find it, and where people sign in.
    pub(crate) api: api::Api,
    /// Whose access tokens the door for agents takes.
    pub(crate) mcp: mcp::Mcp,
    /// Where people answer approvals outside.
    pub(crate) approvals: approvals::Approvals,
    /// How programs are run that do operations.
    pub(crate) programs: broker::ProgramSetup,
    /// How often credentials of tenants are looked after.
    pub(crate) often: broker::Often,
}

/// The gateway's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tls {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

/// Looks a variable up. Tests give their own.
pub(crate) type Lookup<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// The environment of this process.
#[expect(clippy::disallowed_methods, reason = "the one place where settings are read from the environment")]
pub(crate) fn environment(name: &str) -> Option<OsString> {
    let given = std::env::var_os(name).filter(|value| !value.is_empty());
    // Whoever is started without it has a home all the same: the one that the system knows.
    given.or_else(|| (name == "HOME").then(std::env::home_dir)?.map(OsString::from))
}

/// The home: flag, environment, the data folder of the user.
pub(crate) fn home(global: &Global, lookup: Lookup<'_>) -> Outcome<Home> {
    home_of(global.home.as_deref(), lookup)
}

/// The same with the flag alone.
pub(crate) fn home_of(flag: Option<&std::path::Path>, lookup: Lookup<'_>) -> Outcome<Home> {
    let absolute = |variable: &str| lookup(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let chosen = flag.map(PathBuf::from).or_else(|| lookup("DOORWARD_HOME").map(PathBuf::from));
    let usual = || {
        let data =
            absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/share")));
        data.map(|data| data.join("doorward"))
    };
    let folder = chosen.or_else(usual).ok_or_else(|| {
        Failure::usage("no folder for the home is known").hint("`--home DIR`, or set `DOORWARD_HOME`")
    })?;
    let folder = std::path::absolute(&folder)
        .map_err(|error| Failure::doing("could not find the folder of the home", &error))?;
    Ok(Home::at(folder, absolute("XDG_RUNTIME_DIR")))
}

/// How the log is written.
pub(crate) fn log(global: &Global, lookup: Lookup<'_>) -> Outcome<LogFormat> {
    if let Some(format) = global.log {
        return Ok(format);
    }
    match lookup("DOORWARD_LOG").as_deref().map(std::ffi::OsStr::to_str) {
        None => Ok(LogFormat::Text),
        Some(Some("text")) => Ok(LogFormat::Text),
        Some(Some("json")) => Ok(LogFormat::Json),
        Some(_) => Err(Failure::usage("`DOORWARD_LOG` is neither `text` nor `json`")),
    }
}

impl Settings {
    /// Everything that a running broker is told.
    pub(crate) fn load(home: &Home, typed: &args::broker::Up, lookup: Lookup<'_>) -> Outcome<Self> {
        let file = file::read(&home.settings())?;
        let shown = home.settings().display().to_string();
        let in_file =
            |failure: Failure| Failure { message: format!("{shown}: {}", failure.message), ..failure };
        let flags = typed.clone();
        let list = |list: Vec<String>| Some(list).filter(|list| !list.is_empty());
        let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let flag_tls = flags.tls_cert.zip(flags.tls_key).map(|(cert, key)| Tls { cert, key });
        let settings = Self {
            gateway: pick(flags.gateway, "DOORWARD_GATEWAY", lookup, file.gateway, GATEWAY)?,
            domains: pick_list(list(flags.domains), "DOORWARD_DOMAINS", lookup, file.domains)?,
            origins: pick_list(list(flags.origins), "DOORWARD_ORIGINS", lookup, file.origins)?,
            threads: pick(flags.threads, "DOORWARD_THREADS", lookup, file.threads, cores)?,
            api_beside: maybe(
                flags.api,
                "DOORWARD_API",
                lookup,
                file.api.as_ref().and_then(api::Written::listen),
            )?,
            metrics: maybe(flags.metrics, "DOORWARD_METRICS", lookup, file.metrics)?,
            admin: maybe(flags.admin, "DOORWARD_ADMIN", lookup, file.admin)?,
            development: pick(
                flags.development.then_some(true),
                "DOORWARD_DEVELOPMENT",
                lookup,
                file.development,
                false,
            )?,
            environment: maybe(flags.environment, "DOORWARD_ENVIRONMENT", lookup, file.environment)?,
            llm: maybe(flags.llm, "DOORWARD_LLM", lookup, file.llm)?,
            tls: tls(flag_tls, lookup, file.tls)?,
            client_ca: maybe(flags.tls_client_ca, "DOORWARD_TLS_CLIENT_CA", lookup, file.client_ca)?,
            client_auth: pick(
                flags.tls_client_auth,
                "DOORWARD_TLS_CLIENT_AUTH",
                lookup,
                file.client_auth,
                ClientAuth::default(),
            )?,
            rates: match flags.rates {
                Some(rates) => Some(rates),
                None => file.rates.map(rates::Rates::read).transpose().map_err(in_file)?,
            },
            api: file.api.unwrap_or_default().read().map_err(in_file)?,
            mcp: file.mcp.map(mcp::Written::read).transpose().map_err(in_file)?,
            approvals: file.approvals.unwrap_or_default().read().map_err(in_file)?,
            programs: file.operations.unwrap_or_default().read(home, lookup).map_err(in_file)?,
            often: file.tenants.unwrap_or_default().read().map_err(in_file)?,
        };
        settings.sound()?;
        Ok(settings)
    }

    /// What can't hold together is refused at the start, not found out later.
    fn sound(&self) -> Outcome {
        let Self {
            gateway,
            domains: _,
            origins: _,
            threads,
            api_beside: _,
            metrics,
            admin: _,
            development,
            environment: _,
            llm: _,
            tls,
            client_ca,
            client_auth,
            rates: _,
            api: _,
            mcp: _,
            approvals: _,
            programs: _,
            often: _,
        } = self;
        if client_ca.value.is_some() && tls.value.is_none() {
            let message = format!("callers can show certificates over TLS only ({})", client_ca.origin);
            return Err(
                Failure::usage(message).hint("name the gateway's own: `--tls-cert FILE --tls-key FILE`")
            );
        }
        if client_ca.value.is_none() && client_auth.origin != Origin::Default {
            let message = format!(
                "no authorities are named that callers' certificates come from ({})",
                client_auth.origin
            );
            return Err(Failure::usage(message).hint("`--tls-client-ca FILE`"));
        }
        if development.value && !gateway.value.ip().is_loopback() {
            let message = format!(
                "development mode lets everybody in who reaches the gateway, so it can't listen on `{}` ({})",
                gateway.value, gateway.origin
            );
            return Err(
                Failure::usage(message).hint("`--gateway 127.0.0.1:8080`, or leave `--development` out")
            );
        }
        if let Some(address) = metrics.value.filter(|address| !address.ip().is_loopback()) {
            let message =
                format!("the counters are shown to everybody who reaches `{address}` ({})", metrics.origin);
            return Err(Failure::usage(message).hint("`--metrics 127.0.0.1:9090`"));
        }
        if threads.value.get() > MOST_THREADS {
            return Err(Failure::usage(format!(
                "{} threads are too many ({})",
                threads.value, threads.origin
            ))
            .hint(format!("at most {MOST_THREADS}")));
        }
        Ok(())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("from the command line"),
            Self::Environment(name) => write!(f, "from `{name}`"),
            Self::File => f.write_str("from `settings.toml`"),
            Self::Default => f.write_str("the default"),
        }
    }
}

fn pick<T: FromStr>(
    flag: Option<T>,
    name: &'static str,
    lookup: Lookup<'_>,
    file: Option<T>,
    default: T,
) -> Outcome<Setting<T>> {
    let Setting { value, origin } = maybe(flag, name, lookup, file)?;
    Ok(Setting { value: value.unwrap_or(default), origin })
}

fn maybe<T: FromStr>(
    flag: Option<T>,
    name: &'static str,
    lookup: Lookup<'_>,
    file: Option<T>,
) -> Outcome<Setting<Option<T>>> {
    if flag.is_some() {
        return Ok(Setting { value: flag, origin: Origin::Flag });
    }
    if let Some(text) = lookup(name) {
        let wrong = || Failure::usage(format!("`{name}` is not what it should be")).hint(TABLE_HINT);
        let value = text.to_str().and_then(|text| text.parse().ok()).ok_or_else(wrong)?;
        return Ok(Setting { value: Some(value), origin: Origin::Environment(name) });
    }
    let origin = if file.is_some() { Origin::File } else { Origin::Default };
    Ok(Setting { value: file, origin })
}

/// In the environment, the entries of a list are separated by commas.
fn pick_list(
    flag: Option<Vec<String>>,
    name: &'static str,
    lookup: Lookup<'_>,
    file: Option<Vec<String>>,
) -> Outcome<Setting<Vec<String>>> {
    let listed = |text: String| text.split(',').map(|entry| entry.trim().to_owned()).collect::<Vec<_>>();
    if let Some(value) = flag {
        return Ok(Setting { value, origin: Origin::Flag });
    }
    let Setting { value, origin } = maybe::<String>(None, name, lookup, None)?;
    match (value, file) {
        (Some(text), _) => Ok(Setting { value: listed(text), origin }),
        (None, Some(value)) => Ok(Setting { value, origin: Origin::File }),
        (None, None) => Ok(Setting { value: Vec::new(), origin: Origin::Default }),
    }
}

fn tls(flag: Option<Tls>, lookup: Lookup<'_>, file: Option<Tls>) -> Outcome<Setting<Option<Tls>>> {
    let variable = |name| lookup(name).map(PathBuf::from);
    let (cert, key) = (variable("DOORWARD_TLS_CERT"), variable("DOORWARD_TLS_KEY"));
    match (flag, cert, key) {
        (Some(tls), ..) => Ok(Setting { value: Some(tls), origin: Origin::Flag }),
        (None, Some(cert), Some(key)) => {
            Ok(Setting { value: Some(Tls { cert, key }), origin: Origin::Environment("DOORWARD_TLS_CERT") })
        }
        (None, None, None) => {
            let origin = if file.is_some() { Origin::File } else { Origin::Default };
            Ok(Setting { value: file, origin })
        }
        _ => Err(Failure::usage("`DOORWARD_TLS_CERT` and `DOORWARD_TLS_KEY` belong together")),
    }
}

const GATEWAY: SocketAddr = SocketAddr::V4(std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 8080));
const TABLE_HINT: &str = "`docs/reference/settings.md` lists every setting";
const MOST_THREADS: usize = 256;

#[cfg(test)]
mod tests;
