//! Tokens for Key Vault: of a service principal, of a workload identity, or of the machine.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use cloud::{Principal, Token};
use http::{HeaderName, HeaderValue, Method};
use memory::Secret;
use model::{SecretRef, Timestamp};
use net::{Neighbour, NeighbourError};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::source::config::Config;
use crate::source::google::{talk, trouble};
use crate::source::lender::own;
use crate::source::secret_text::SecretText;
use crate::source::{Environment, Lender, Trouble, copied};

/// Tokens, by what they are for.
pub(crate) struct Tokens {
    config: Arc<Config>,
    environment: Environment,
    held: Mutex<BTreeMap<String, Token>>,
}

#[derive(Deserialize)]
struct Metadata {
    access_token: SecretText,
    /// A number, which this service writes as a text.
    expires_in: Value,
}

impl Tokens {
    pub(crate) fn new(config: Arc<Config>, environment: Environment) -> Self {
        Self { config, environment, held: Mutex::default() }
    }

    pub(crate) async fn token(&self, resource: &str, lender: &dyn Lender) -> Result<Secret, Trouble> {
        let mut held = self.held.lock().await;
        let now = lender.now();
        if held.get(resource).is_none_or(|token| token.ends.since(now) <= EARLY) {
            held.insert(resource.to_owned(), self.other(resource, lender, now).await?);
        }
        let token = held.get(resource).map(|token| copied(&token.value));
        token.and_then(Result::ok).ok_or(Trouble::Wrong("there is no guarded memory for a token"))
    }

    pub(crate) async fn forget(&self, resource: &str) {
        self.held.lock().await.remove(resource);
    }

    async fn other(&self, resource: &str, lender: &dyn Lender, now: Timestamp) -> Result<Token, Trouble> {
        let own_setting = &self.config.azure;
        let variable = |name: &str| self.environment.text(name);
        let tenant = own_setting.tenant.clone().or_else(|| variable("AZURE_TENANT_ID"));
        let client = own_setting.client.clone().or_else(|| variable("AZURE_CLIENT_ID"));
        let secret = own_setting
            .secret
            .clone()
            .or_else(|| named(variable("AZURE_CLIENT_SECRET").map(|_| "env:AZURE_CLIENT_SECRET".to_owned())));
        let federated = named(variable("AZURE_FEDERATED_TOKEN_FILE").map(|path| format!("file:{path}")));
        let (document, assertion) = match (tenant, client.clone(), secret, federated) {
            (Some(tenant), Some(client), Some(secret), _) => (
                principal(&json!({ "tenant": tenant, "appId": client }), Some(&own(lender, &secret).await?))?,
                None,
            ),
            (Some(tenant), Some(client), None, Some(token)) => {
                let document =
                    principal(&json!({ "tenant": tenant, "appId": client, "federated": true }), None)?;
                (document, Some(own(lender, &token).await?))
            }
            _ => return self.of_the_machine(resource, client.as_deref(), now).await,
        };
        let principal = Principal::read(&document).map_err(|error| trouble(&error))?;
        let authority = own_setting.authority.clone().or_else(|| variable("AZURE_AUTHORITY_HOST"));
        let authority = authority.unwrap_or_else(|| AUTHORITY.to_owned());
        let talk = talk(&self.environment)?;
        let token = principal.token(&talk, &authority, (resource, assertion.as_ref()), now).await;
        token.map_err(|error| trouble(&error))
    }

    async fn of_the_machine(
        &self,
        resource: &str,
        client: Option<&str>,
        now: Timestamp,
    ) -> Result<Token, Trouble> {
        let none = |what: String| {
            Trouble::setting(format!(
                "there is no service principal in `AZURE_TENANT_ID` and its siblings or `sources.toml`, and no managed identity ({what})"
            ))
        };
        let base = self.environment.text("AZURE_POD_IDENTITY_AUTHORITY_HOST");
        let base = base.unwrap_or_else(|| format!("http://{METADATA}"));
        let neighbour = Neighbour::at(base.trim_end_matches('/'), &[IpAddr::V4(METADATA)]);
        let neighbour = neighbour.map_err(|error| none(error.to_string()))?;
        let escaped = |text: &str| utf8_percent_encode(text, ESCAPED).to_string();
        let client = client.map(|client| format!("&client_id={}", escaped(client))).unwrap_or_default();
        let path = format!("{PATH}?api-version=2018-02-01&resource={}{client}", escaped(resource));
        let header = (HeaderName::from_static("metadata"), HeaderValue::from_static("true"));
        let asked = tokio::time::timeout(WAIT, neighbour.ask(Method::GET, &path, header)).await;
        let body = asked.unwrap_or_else(|_| Err(late())).map_err(|error| match error {
            NeighbourError::Talk { .. } => Trouble::Unreachable {
                at: "the metadata service".to_owned(),
                what: "did not answer, and there is no service principal in `AZURE_TENANT_ID` and its siblings or `sources.toml`".to_owned(),
            },
            error => none(error.to_string()),
        })?;
        let wrong = || Trouble::Answer { at: "the metadata service".into(), what: "has no token in it" };
        let Metadata { access_token, expires_in } = serde_json::from_slice(&body).map_err(|_| wrong())?;
        let seconds = expires_in.as_u64().or_else(|| expires_in.as_str()?.parse().ok()).ok_or_else(wrong)?;
        Ok(Token { value: access_token.0, ends: now.after(Duration::from_secs(seconds)) })
    }
}

/// The document of a service principal, as `cloud` reads it.
#[expect(clippy::disallowed_methods, reason = "puts the client's secret into the document of the principal")]
fn principal(about: &Value, secret: Option<&Secret>) -> Result<Secret, Trouble> {
    let wrong = || Trouble::setting("the client secret of Azure is no text");
    let text = about.to_string();
    let Some(secret) = secret else { return Secret::new(text.into_bytes()).map_err(|_| wrong()) };
    let mut whole = Vec::with_capacity(text.len() + 6 * secret.len() + 32);
    whole.extend_from_slice(text.trim_end_matches('}').as_bytes());
    whole.extend_from_slice(b",\"password\":");
    secret.expose(|bytes| {
        let text = std::str::from_utf8(bytes.trim_ascii()).map_err(|_| wrong())?;
        serde_json::to_writer(&mut whole, text).map_err(|_| wrong())
    })?;
    whole.push(b'}');
    Secret::new(whole).map_err(|_| wrong())
}

fn named(text: Option<String>) -> Option<SecretRef> {
    text?.parse().ok()
}

const AUTHORITY: &str = "https://login.microsoftonline.com";
fn late() -> NeighbourError {
    let source = Box::new(std::io::Error::from(std::io::ErrorKind::TimedOut));
    NeighbourError::Talk { authority: METADATA.to_string(), source }
}

const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
const PATH: &str = "/metadata/identity/oauth2/token";
const WAIT: Duration = Duration::from_secs(3);
/// How long before its end a token is replaced.
const EARLY: Duration = Duration::from_mins(5);
const ESCAPED: &percent_encoding::AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
