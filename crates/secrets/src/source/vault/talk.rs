//! What is asked of a Vault, and how its statuses are read.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, StatusCode};
use memory::Secret;
use model::Timestamp;
use net::egress::Roots;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use crate::source::config::Vault;
use crate::source::secret_text::SecretText;
use crate::source::web::{self, Asked, Reply, Way, Web};
use crate::source::{Environment, Trouble};

/// One Vault, in one namespace.
pub(crate) struct Talk {
    web: Web,
    namespace: Option<HeaderValue>,
}

/// A token, and how long it lasts.
pub(crate) struct Token {
    pub(crate) secret: Secret,
    /// `None`: it does not end.
    pub(crate) ends: Option<Timestamp>,
    pub(crate) renewable: bool,
}

/// What Vault says to the wish that a lease lasts longer.
pub(crate) enum Renewal {
    /// It lasts so long from now.
    Until(Duration),
    /// It lasts as long as before.
    Refused,
    /// There is no such lease any more.
    Gone,
}

#[derive(Deserialize)]
struct SignedIn {
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    client_token: SecretText,
    lease_duration: u64,
    #[serde(default)]
    renewable: bool,
}

#[derive(Deserialize)]
struct Renewed {
    #[serde(default)]
    lease_duration: u64,
}

impl Talk {
    pub(crate) fn new(config: &Vault, environment: &Environment) -> Result<Self, Trouble> {
        let address = config.address.clone().or_else(|| environment.text("VAULT_ADDR"));
        let address = address.ok_or_else(|| {
            Trouble::setting(
                "no Vault is known: set `address` under `[vault]` in `sources.toml`, or `VAULT_ADDR`",
            )
        })?;
        let ca = config.ca.clone().or_else(|| environment.text("VAULT_CACERT").map(Into::into));
        if environment.text("VAULT_SKIP_VERIFY").is_some_and(|text| text != "false" && text != "0") {
            let why = "`VAULT_SKIP_VERIFY` is set, and certificates are always checked: name its own with `VAULT_CACERT`";
            return Err(Trouble::setting(why));
        }
        let way =
            Way { roots: ca.map_or(Roots::Platform, Roots::Bundle), proxies: web::proxies(environment)? };
        let namespace = config.namespace.clone().or_else(|| environment.text("VAULT_NAMESPACE"));
        let namespace = namespace.map(|name| HeaderValue::from_str(name.trim_matches('/'))).transpose();
        let namespace = namespace.map_err(|_| Trouble::setting("the namespace of Vault is none"))?;
        Ok(Self { web: Web::new("Vault", &address, way)?, namespace })
    }

    /// Reads a path; `None` where there is nothing.
    pub(crate) async fn read(&self, path: &str, token: &Secret) -> Result<Option<Reply>, Trouble> {
        let reply =
            self.ask((Method::GET, &format!("/v1/{path}")), Some(token), Zeroizing::default()).await?;
        if reply.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        reply.accepted().map(Some)
    }

    /// Writes to a path; what it answers is there, or refused.
    pub(crate) async fn write(
        &self,
        path: &str,
        token: &Secret,
        form: Zeroizing<Vec<u8>>,
    ) -> Result<Reply, Trouble> {
        self.ask((Method::POST, &format!("/v1/{path}")), Some(token), form).await?.accepted()
    }

    /// Signs in; `form` is the document that the method wants.
    pub(crate) async fn sign_in(
        &self,
        mount: &str,
        form: Zeroizing<Vec<u8>>,
        now: Timestamp,
    ) -> Result<Token, Trouble> {
        let path = format!("/v1/auth/{}/login", web::safe_path(mount)?);
        let reply = self.ask((Method::POST, &path), None, form).await?.accepted()?;
        let SignedIn { auth } = reply.json()?;
        let ends = (auth.lease_duration > 0).then(|| now.after(Duration::from_secs(auth.lease_duration)));
        Ok(Token { secret: auth.client_token.0, ends, renewable: auth.renewable })
    }

    /// Makes a token last longer; for how long.
    pub(crate) async fn renew_token(&self, token: &Secret) -> Result<Duration, Trouble> {
        let form = Zeroizing::new(b"{}".to_vec());
        let reply =
            self.ask((Method::POST, "/v1/auth/token/renew-self"), Some(token), form).await?.accepted()?;
        let SignedIn { auth } = reply.json()?;
        Ok(Duration::from_secs(auth.lease_duration))
    }

    /// Makes a lease last longer, where Vault lets it.
    pub(crate) async fn renew_lease(&self, id: &str, token: &Secret) -> Result<Renewal, Trouble> {
        let form = Zeroizing::new(json!({ "lease_id": id }).to_string().into_bytes());
        let reply = self.ask((Method::PUT, "/v1/sys/leases/renew"), Some(token), form).await?;
        if reply.status.is_success() {
            let Renewed { lease_duration } = reply.json()?;
            let term = Duration::from_secs(lease_duration);
            return Ok(if term.is_zero() { Renewal::Refused } else { Renewal::Until(term) });
        }
        let says = |text: &str| reply.body.windows(text.len()).any(|part| part == text.as_bytes());
        if says("lease not found") || says("lease expired") {
            return Ok(Renewal::Gone);
        }
        // A token may lack the right to renew; one that is no longer a token has taken its leases with it.
        if reply.status == StatusCode::FORBIDDEN {
            let look = (Method::GET, "/v1/auth/token/lookup-self");
            let known = self.ask(look, Some(token), Zeroizing::default()).await?;
            if known.status == StatusCode::FORBIDDEN {
                return Ok(Renewal::Gone);
            }
        }
        Ok(Renewal::Refused)
    }

    async fn ask(
        &self,
        (method, target): (Method, &str),
        token: Option<&Secret>,
        json: Zeroizing<Vec<u8>>,
    ) -> Result<Reply, Trouble> {
        let mut headers = vec![(REQUEST, HeaderValue::from_static("true"))];
        headers.extend(self.namespace.clone().map(|name| (NAMESPACE, name)));
        if let Some(token) = token {
            headers.push((TOKEN, web::credential("", token)?));
        }
        self.web.ask(Asked { method, target, headers, json }).await
    }
}

const TOKEN: HeaderName = HeaderName::from_static("x-vault-token");
const NAMESPACE: HeaderName = HeaderName::from_static("x-vault-namespace");
const REQUEST: HeaderName = HeaderName::from_static("x-vault-request");
