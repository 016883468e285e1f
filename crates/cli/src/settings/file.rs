//! `settings.toml`, as it is written. An unknown key is an error that names the nearest known one.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Tls, api, approvals, mcp, operations, rates, store, tenants};
use crate::args::broker::ClientAuth;
use crate::failure::{Failure, Outcome};

/// What a file may hold.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) gateway: Option<SocketAddr>,
    pub(super) domains: Option<Vec<String>>,
    pub(super) origins: Option<Vec<String>>,
    pub(super) threads: Option<NonZeroUsize>,
    pub(super) metrics: Option<SocketAddr>,
    pub(super) admin: Option<SocketAddr>,
    pub(super) development: Option<bool>,
    pub(super) environment: Option<String>,
    pub(super) llm: Option<proxy::Provider>,
    pub(super) tls: Option<Tls>,
    pub(super) client_ca: Option<PathBuf>,
    pub(super) client_auth: Option<ClientAuth>,
    pub(super) rates: Option<rates::Written>,
    pub(super) api: Option<api::Written>,
    pub(super) approvals: Option<approvals::Written>,
    pub(super) mcp: Option<mcp::Written>,
    pub(super) operations: Option<operations::Written>,
    pub(super) tenants: Option<tenants::Written>,
    pub(super) store: Option<store::Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    gateway: Option<SocketAddr>,
    domains: Option<Vec<String>>,
    origins: Option<Vec<String>>,
    threads: Option<NonZeroUsize>,
    metrics: Option<SocketAddr>,
    admin: Option<SocketAddr>,
    development: Option<bool>,
    environment: Option<String>,
    llm: Option<WrittenLlm>,
    tls: Option<WrittenTls>,
    rates: Option<rates::Written>,
    api: Option<api::Written>,
    approvals: Option<approvals::Written>,
    mcp: Option<mcp::Written>,
    operations: Option<operations::Written>,
    tenants: Option<tenants::Written>,
    store: Option<store::Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTls {
    cert: PathBuf,
    key: PathBuf,
    client_ca: Option<PathBuf>,
    client_auth: Option<WrittenAuth>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenLlm {
    provider: WrittenProvider,
}

impl WrittenLlm {
    const fn read(self) -> proxy::Provider {
        match self.provider {
            WrittenProvider::Openai => proxy::Provider::OpenAi,
            WrittenProvider::OpenaiCodex => proxy::Provider::Codex,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WrittenProvider {
    Openai,
    OpenaiCodex,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenAuth {
    Required,
    Optional,
}

/// Reads the file; where there is none, nothing was said.
pub(super) fn read(path: &Path) -> Outcome<File> {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text, &path.display().to_string()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(File::default()),
        Err(error) => Err(Failure::doing(format!("could not read `{}`", path.display()), &error)),
    }
}

/// Reads the text of a file.
pub(super) fn parse(text: &str, shown: &str) -> Outcome<File> {
    let wrong = |error: &toml::de::Error| {
        let line = error.span().map_or(0, |span| {
            let before = text.as_bytes().get(..span.start).unwrap_or_default();
            before.iter().filter(|byte| **byte == b'\n').count() + 1
        });
        let failure =
            Failure::usage(format!("{shown}:{line}: {}", without_values(error.message().trim_end())));
        let address = error.message().contains("socket address");
        let hint = nearest(error.message()).map(|near| format!("did you mean `{near}`?"));
        let hint =
            hint.or_else(|| address.then(|| "an address is `IP:PORT`, such as `127.0.0.1:8080`".to_owned()));
        failure.hint(hint.unwrap_or_else(|| super::TABLE_HINT.to_owned()))
    };
    let written: Written = toml::from_str(text).map_err(|error| wrong(&error))?;
    let Written {
        gateway,
        domains,
        origins,
        threads,
        metrics,
        admin,
        development,
        environment,
        llm,
        tls,
        rates,
        api,
        approvals,
        mcp,
        operations,
        tenants,
        store,
    } = written;
    let llm = llm.map(WrittenLlm::read);
    let (tls, client_ca, client_auth) = tls.map_or((None, None, None), WrittenTls::read);
    Ok(File {
        gateway,
        domains,
        origins,
        threads,
        metrics,
        admin,
        development,
        environment,
        llm,
        tls,
        client_ca,
        client_auth,
        rates,
        api,
        approvals,
        mcp,
        operations,
        tenants,
        store,
    })
}

impl WrittenTls {
    /// The gateway's certificate, who signs those of callers, and whether callers must have one.
    fn read(self) -> (Option<Tls>, Option<PathBuf>, Option<ClientAuth>) {
        let Self { cert, key, client_ca, client_auth } = self;
        let auth = client_auth.map(|word| match word {
            WrittenAuth::Required => ClientAuth::Required,
            WrittenAuth::Optional => ClientAuth::Optional,
        });
        (Some(Tls { cert, key }), client_ca, auth)
    }
}

/// The reader's messages repeat keys and values; one that is not plainly a word may be a secret in the wrong place.
fn without_values(message: &str) -> String {
    let mut text = message.to_owned();
    if let (Some(first), Some(last)) = (text.find('"'), text.rfind('"'))
        && first < last
    {
        text.replace_range(first..=last, "(not shown)");
    }
    let unknown = text.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
    let plain =
        |key: &str| key.len() <= LONGEST_KEY && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    match unknown.map(ToOwned::to_owned) {
        Some(key) if !plain(&key) => text.replacen(&key, "(not shown)", 1),
        _ => text,
    }
}

/// Among the keys that the reader's message lists, the one that looks most like the unknown one that it names.
pub(super) fn nearest(message: &str) -> Option<&str> {
    let (unknown, known) = message.strip_prefix("unknown field `")?.split_once('`')?;
    let keys = known.split_once("expected")?.1.split('`').skip(1).step_by(2);
    let near = keys.map(|key| (strsim::jaro_winkler(unknown, key), key));
    near.filter(|(likeness, _)| *likeness > 0.75).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, key)| key)
}

/// Longest unknown key that is repeated.
const LONGEST_KEY: usize = 24;
