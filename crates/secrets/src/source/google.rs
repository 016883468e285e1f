//! What the sources at Google Cloud have in common: an access token, and checksums of what they give.
//!
//! The token is that of the service account whose key `sources.toml` or `GOOGLE_APPLICATION_CREDENTIALS` names, else that of
//! the machine, from its metadata server: at its own number only, and without any proxy.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use cloud::{GcpPlaces, Talk, Token};
use http::{HeaderName, HeaderValue, Method};
use memory::Secret;
use model::{SecretRef, Timestamp};
use net::egress::{EgressConfig, EgressLimits, Roots};
use net::{Neighbour, NeighbourError};
use serde::Deserialize;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::config::Config;
use super::lender::own;
use super::secret_text::SecretText;
use super::web::{self, Asked, Reply, Way, Web};
use super::{Environment, Lender, Setup, Trouble, copied, pick};

/// One API of Google Cloud.
pub(crate) struct Api {
    name: &'static str,
    address: String,
    config: Arc<Config>,
    environment: Environment,
    web: tokio::sync::OnceCell<Web>,
    held: Mutex<Option<Token>>,
    /// How long one answer may take.
    reply: Duration,
}

#[derive(Deserialize)]
struct Metadata {
    access_token: SecretText,
    expires_in: u64,
}

impl Api {
    pub(crate) fn new(name: &'static str, address: String, setup: &Setup) -> Self {
        let (config, environment) = (Arc::clone(&setup.config), setup.environment.clone());
        let (web, held) = (tokio::sync::OnceCell::new(), Mutex::default());
        Self { name, address, config, environment, web, held, reply: web::REPLY }
    }

    /// The same, which waits so long for one answer.
    pub(crate) fn within(self, reply: Duration) -> Self {
        Self { reply, ..self }
    }

    pub(crate) async fn ask(
        &self,
        (method, target): (Method, &str),
        json: Zeroizing<Vec<u8>>,
        lender: &dyn Lender,
    ) -> Result<Reply, Trouble> {
        let make = || async {
            let way = Way { roots: Roots::Platform, proxies: web::proxies(&self.environment)? };
            Web::within(self.name, &self.address, way, self.reply)
        };
        let web = self.web.get_or_try_init(make).await?;
        let token = self.token(lender).await?;
        let headers = vec![(http::header::AUTHORIZATION, web::credential("Bearer ", &token)?)];
        let reply = web.ask(Asked { method, target, headers, json }).await?;
        if reply.status == http::StatusCode::UNAUTHORIZED {
            // The next fetch gets another one.
            *self.held.lock().await = None;
        }
        Ok(reply)
    }

    async fn token(&self, lender: &dyn Lender) -> Result<Secret, Trouble> {
        let mut held = self.held.lock().await;
        let now = lender.now();
        if held.as_ref().is_none_or(|token| token.ends.since(now) <= EARLY) {
            *held = Some(self.other_token(lender, now).await?);
        }
        let token = held.as_ref().map(|token| copied(&token.value));
        token.and_then(Result::ok).ok_or(Trouble::Wrong("there is no guarded memory for a token"))
    }

    async fn other_token(&self, lender: &dyn Lender, now: Timestamp) -> Result<Token, Trouble> {
        let named = self.environment.text("GOOGLE_APPLICATION_CREDENTIALS");
        let key: Option<SecretRef> = match (&self.config.gcp.key, named) {
            (Some(key), _) => Some(key.clone()),
            (None, Some(path)) => {
                let wrong = |_| Trouble::setting("`GOOGLE_APPLICATION_CREDENTIALS` is no absolute path");
                Some(format!("file:{path}").parse().map_err(wrong)?)
            }
            (None, None) => None,
        };
        let Some(key) = key else { return self.of_the_machine(now).await };
        let account = cloud::Account::read(&own(lender, &key).await?).map_err(|error| trouble(&error))?;
        let places = GcpPlaces::new(self.config.gcp.token_endpoint.as_deref(), None);
        let places = places.map_err(|error| trouble(&error))?;
        let talk = talk(&self.environment)?;
        let scopes = ["https://www.googleapis.com/auth/cloud-platform".to_owned()];
        account.access_token(&talk, &places, &scopes, now).await.map_err(|error| trouble(&error))
    }

    async fn of_the_machine(&self, now: Timestamp) -> Result<Token, Trouble> {
        let host = self.environment.text("GCE_METADATA_HOST").unwrap_or_else(|| METADATA.to_string());
        let none = |what: String| {
            Trouble::setting(format!(
                "there is no key in `GOOGLE_APPLICATION_CREDENTIALS` or `sources.toml`, and no metadata server ({what})"
            ))
        };
        let neighbour = Neighbour::at(&format!("http://{host}"), &[IpAddr::V4(METADATA)]);
        let neighbour = neighbour.map_err(|error| none(error.to_string()))?;
        let flavor = (HeaderName::from_static("metadata-flavor"), HeaderValue::from_static("Google"));
        let asked = tokio::time::timeout(METADATA_WAIT, neighbour.ask(Method::GET, TOKEN, flavor)).await;
        let body = asked.unwrap_or_else(|_| Err(late())).map_err(|error| match error {
            NeighbourError::Talk { .. } => Trouble::Unreachable {
                at: "the metadata server".to_owned(),
                what: "did not answer, and there is no key in `GOOGLE_APPLICATION_CREDENTIALS` or `sources.toml`".to_owned(),
            },
            error => none(error.to_string()),
        })?;
        let answer: Metadata = serde_json::from_slice(&body)
            .map_err(|_| Trouble::Answer { at: "the metadata server".into(), what: "has no token in it" })?;
        Ok(Token { value: answer.access_token.0, ends: now.after(Duration::from_secs(answer.expires_in)) })
    }
}

/// How tokens are asked for.
pub(crate) fn talk(environment: &Environment) -> Result<Talk, Trouble> {
    let limits =
        EgressLimits { connect: Duration::from_secs(3), reply: Duration::from_secs(5), bytes: 1 << 18 };
    let proxies = web::proxies(environment)?;
    Ok(Talk::new(EgressConfig { proxies, limits, ..EgressConfig::default() }, crate::said_without))
}

/// Why there is no token. What a cloud said is not repeated.
pub(crate) fn trouble(error: &cloud::Error) -> Trouble {
    match error {
        cloud::Error::Refused(fault) if fault.status >= 500 || fault.status == 429 => Trouble::Unreachable {
            at: format!("`{}`", fault.place),
            what: format!("answered {}", fault.status),
        },
        cloud::Error::Refused(fault) => {
            Trouble::Refused { at: format!("`{}`", fault.place), why: format!("no token ({})", fault.status) }
        }
        cloud::Error::Net { place, source: net::Error::Tls { .. } } => Trouble::Refused {
            at: format!("`{place}`"),
            why: "its certificate is not one that we believe".into(),
        },
        cloud::Error::Net { place, .. } => {
            Trouble::Unreachable { at: format!("`{place}`"), what: "could not be reached".into() }
        }
        cloud::Error::Reply { place, what } => Trouble::Answer { at: format!("`{place}`"), what },
        cloud::Error::Key { .. } | cloud::Error::Address { .. } => Trouble::setting(error.to_string()),
        _ => Trouble::setting("the token of the cloud could not be asked for"),
    }
}

/// What an answer holds in base 64, where its checksum fits (CRC-32C; Google sends the number as a text).
pub(crate) fn held(
    reply: &Reply,
    data: &SecretText,
    sum: Option<&str>,
) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    let bytes = pick::decoded(&data.0).ok_or_else(|| reply.wrong("is not base 64"))?;
    let fits = sum.is_none_or(|sum| sum.parse() == Ok(i64::from(crc32c(&bytes))));
    if fits { Ok(bytes) } else { Err(reply.wrong("was damaged on its way: its checksum is another one")) }
}

/// RFC 3720, appendix B.4.
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0x82f6_3b78 & 0_u32.wrapping_sub(sum & 1));
        }
    }
    !sum
}

fn late() -> NeighbourError {
    let source = Box::new(std::io::Error::from(std::io::ErrorKind::TimedOut));
    NeighbourError::Talk { authority: METADATA.to_string(), source }
}

const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
const TOKEN: &str = "/computeMetadata/v1/instance/service-accounts/default/token";
const METADATA_WAIT: Duration = Duration::from_secs(3);
/// How long before its end a token is replaced.
const EARLY: Duration = Duration::from_mins(3);
