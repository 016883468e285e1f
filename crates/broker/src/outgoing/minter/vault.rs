//! Tokens of HashiCorp Vault and `OpenBao`: made by a sign-in, and taken back.
//!
//! Source: Vault's HTTP API (developer.hashicorp.com/vault/api-docs), "`AppRole` auth method", "Kubernetes auth method", "Token auth
//! method: revoke a token (self)".

use std::collections::BTreeMap;

use bytes::Bytes;
use catalog::{VaultLogin, VaultMethod};
use cloud::Token;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method, Request};
use model::{Code, Refusal, Timestamp};
use net::Body;
use zeroize::Zeroizing;

use super::{Minter, Reach, bare};
use crate::outgoing::Minted;

impl Minter<'_> {
    pub(super) async fn vault_login(&self, login: &VaultLogin, now: Timestamp) -> Result<Token, Refusal> {
        let (role, proof) = match login.method {
            VaultMethod::AppRole => ("role_id", "secret_id"),
            VaultMethod::Kubernetes => ("role", "jwt"),
        };
        let body = self.with_text(&login.key, |text| {
            let fields = BTreeMap::from([(role, login.role.as_str()), (proof, text)]);
            // As large as it gets, so that no copy is left behind where it grows.
            let mut body = Zeroizing::new(Vec::with_capacity(2 * (text.len() + login.role.len()) + 64));
            serde_json::to_writer(&mut *body, &fields).map(|()| body)
        })?;
        let body = body.map_err(|error| Refusal::new(Code::SecretMissing, error.to_string()))?;
        let path = format!("{}/v1/auth/{}/login", self.integration.base_path(), login.mount);
        let mut request = self.to_vault(&path)?;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *request.body_mut() = Body::full(Bytes::from_owner(body));
        let authority = self.integration.authority();
        let reply = self.ask(authority, Reach::Service, request).await?;
        let place = format!("{authority}{path}");
        self.told((&place, &reply, now), |answered| answered.vault()).map_err(|error| self.refused(&error))
    }

    /// Takes a token back that a sign-in gave: it is of no use to anybody from then on.
    pub(crate) async fn take_back(&self, token: &Minted) -> Result<(), Refusal> {
        let path = format!("{}/v1/auth/token/revoke-self", self.integration.base_path());
        let mut request = self.to_vault(&path)?;
        #[expect(clippy::disallowed_methods, reason = "says which token is taken back, to whom it is from")]
        let value = token.value.expose(HeaderValue::from_bytes);
        let mut value =
            value.map_err(|_| Refusal::new(Code::SecretMissing, "the token can't stand in a header"))?;
        value.set_sensitive(true);
        request.headers_mut().insert(HeaderName::from_static("x-vault-token"), value);
        let reply = self.ask(self.integration.authority(), Reach::Service, request).await?;
        match reply.status {
            200 | 204 => Ok(()),
            status => Err(Refusal::new(Code::UpstreamReply, format!("the service answered with {status}"))),
        }
    }

    /// A request with what the integration sends with each one, such as its namespace.
    fn to_vault(&self, path: &str) -> Result<Request<Body>, Refusal> {
        let mut request = bare(Method::POST, path)?;
        for (name, value) in self.integration.headers() {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
                request.headers_mut().insert(name, value);
            }
        }
        Ok(request)
    }
}
