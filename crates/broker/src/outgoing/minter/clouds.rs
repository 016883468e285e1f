//! Tokens of GitHub Apps, Google Cloud and Azure.
//!
//! Sources: "Generating a JSON Web Token for a GitHub App" and "Create an installation access token for an app" (docs.github.com);
//! "About VM metadata" and "Workload Identity Federation" (cloud.google.com); "How to use managed identities" (learn.microsoft.com).

use std::time::Duration;

use bytes::Bytes;
use catalog::{
    AzureManagedIdentity, AzureService, AzureServicePrincipal, Endpoint, GcpMetadata, GcpWorkloadIdentity,
    GithubApp, GoogleServiceAccount, GoogleWanted, JwtAlgorithm,
};
use cloud::{Account, Form, Principal, Token};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method};
use model::{Authority, Code, Refusal, Timestamp};
use net::Body;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::{Minter, Reach, bare, bearer, form, shown};

impl Minter<'_> {
    /// What the token of an installation is narrowed to: the repository that the call names, and the permissions that its operation
    /// says it needs. Nothing where neither is known, such as for a request that is no operation of the file.
    pub(super) fn narrowed(&self) -> Option<Value> {
        let call = self.permit.call();
        let operation = self.integration.operations().get(call.operation())?;
        let mut narrowed = Map::new();
        if let Some(repository) = call.inputs().get("repo").filter(|name| !name.is_empty()) {
            narrowed.insert("repositories".to_owned(), json!([repository]));
        }
        let permissions: Option<Map<String, Value>> = operation
            .scopes()
            .iter()
            .map(|scope| {
                let (name, level) = scope.split_once(':')?;
                let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
                (plain && matches!(level, "read" | "write")).then(|| (name.to_owned(), level.into()))
            })
            .collect();
        if let Some(permissions) = permissions.filter(|permissions| !permissions.is_empty()) {
            narrowed.insert("permissions".to_owned(), permissions.into());
        }
        (!narrowed.is_empty()).then(|| narrowed.into())
    }

    pub(super) async fn github_app(
        &self,
        app: &GithubApp,
        narrowed: Option<Value>,
        now: Timestamp,
    ) -> Result<Token, Refusal> {
        // A minute back, as GitHub advises, for clocks that differ.
        let claims = json!({
            "iat": cloud::seconds(now).saturating_sub(60),
            "exp": cloud::seconds(now.after(Duration::from_mins(9))),
            "iss": app.app_id,
        });
        let token = self.signed((JwtAlgorithm::RS256, &app.key, None), &claims)?;
        let base = self.integration.base_path();
        let path = format!("{base}/app/installations/{}/access_tokens", app.installation_id);
        let mut request = bare(Method::POST, &path)?;
        bearer(&mut request, token.as_bytes())?;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
        if let Some(narrowed) = narrowed {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Body::full(Bytes::from(narrowed.to_string()));
        }
        let authority = self.integration.authority();
        let reply = self.ask(authority, Reach::Service, request).await?;
        let place = format!("{authority}{path}");
        self.told((&place, &reply, now), |answered| answered.github()).map_err(|error| self.refused(&error))
    }

    pub(super) async fn google_service_account(
        &self,
        account: &GoogleServiceAccount,
        now: Timestamp,
    ) -> Result<Token, Refusal> {
        let opened = self.secret(&account.key)?;
        #[expect(clippy::disallowed_methods, reason = "reads the key file that signs the assertion")]
        let key = opened.expose(Account::parse).map_err(|error| self.refused(&error))?;
        let claim = match &account.wanted {
            GoogleWanted::Access(scopes) => ("scope", scopes.join(" ")),
            GoogleWanted::Identity(audience) => ("target_audience", audience.clone()),
        };
        let place = shown(&account.endpoint);
        let assertion = key.assertion(&place, claim, now).map_err(|error| self.refused(&error))?;
        let mut fields = Form::new();
        fields
            .text("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
            .secret("assertion", &assertion);
        let request = form(&account.endpoint.path, fields)?;
        let reply = self.ask(&account.endpoint.authority, Reach::Service, request).await?;
        let read = self.told((&place, &reply, now), |answered| match &account.wanted {
            GoogleWanted::Access(_) => answered.oauth2().map(|granted| granted.token),
            GoogleWanted::Identity(_) => answered.identity(),
        });
        read.map_err(|error| self.refused(&error))
    }

    pub(super) async fn azure_service_principal(
        &self,
        principal: &AzureServicePrincipal,
        now: Timestamp,
    ) -> Result<Token, Refusal> {
        let opened = self.secret(&principal.key)?;
        #[expect(clippy::disallowed_methods, reason = "reads the document of the principal")]
        let key = opened.expose(Principal::parse).map_err(|error| self.refused(&error))?;
        // Below the address of the file: what the document itself says of addresses is not followed.
        let Endpoint { authority, path } = &principal.endpoint;
        let path = joined(path, &key.path());
        let place = format!("{authority}{path}");
        let fields = key.form(&place, (&principal.scope, None), now).map_err(|error| self.refused(&error))?;
        let reply = self.ask(authority, Reach::Service, form(&path, fields)?).await?;
        let read = self.told((&place, &reply, now), |answered| answered.oauth2());
        read.map(|granted| granted.token).map_err(|error| self.refused(&error))
    }

    pub(super) async fn gcp_metadata(
        &self,
        metadata: &GcpMetadata,
        now: Timestamp,
    ) -> Result<Token, Refusal> {
        let account = "/computeMetadata/v1/instance/service-accounts/default";
        let path = match &metadata.wanted {
            GoogleWanted::Access(scopes) if scopes.is_empty() => format!("{account}/token"),
            GoogleWanted::Access(scopes) => format!("{account}/token?scopes={}", escaped(&scopes.join(","))),
            GoogleWanted::Identity(audience) => {
                format!("{account}/identity?audience={}&format=full", escaped(audience))
            }
        };
        let path = joined(&metadata.endpoint.path, &path);
        let headers = [("metadata-flavor", Zeroizing::new(b"Google".to_vec()))];
        let authority = &metadata.endpoint.authority;
        let reply = self.metadata(authority, &path, headers).await?;
        // Whoever else answers at this address does not say this.
        let flavour = reply.headers.get("metadata-flavor").map(HeaderValue::as_bytes);
        if flavour != Some(b"Google") {
            let message =
                format!("what answers at `{authority}` is not the metadata service of Google Cloud");
            return Err(Refusal::new(Code::SourceUnavailable, message));
        }
        let place = format!("{authority}{path}");
        let read = self.told((&place, &reply, now), |answered| match &metadata.wanted {
            GoogleWanted::Access(_) => answered.oauth2().map(|granted| granted.token),
            GoogleWanted::Identity(_) => answered.bare(),
        });
        read.map_err(|error| self.refused(&error))
    }

    pub(super) async fn gcp_workload_identity(
        &self,
        identity: &GcpWorkloadIdentity,
        now: Timestamp,
    ) -> Result<Token, Refusal> {
        let own = identity.scopes.join(" ");
        let scope = if identity.service_account.is_some() { PLATFORM } else { &own };
        let mut fields = Form::new();
        fields
            .text("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange")
            .text("audience", &identity.audience)
            .text("scope", scope)
            .text("requested_token_type", "urn:ietf:params:oauth:token-type:access_token")
            .text("subject_token_type", &identity.subject_token_type);
        self.with_text(&identity.subject_token, |token| {
            fields.secret("subject_token", token);
        })?;
        let request = form(&identity.endpoint.path, fields)?;
        let reply = self.ask(&identity.endpoint.authority, Reach::Service, request).await?;
        let place = shown(&identity.endpoint);
        let federated = self.told((&place, &reply, now), |answered| answered.oauth2());
        let federated = federated.map_err(|error| self.refused(&error))?.token;
        let Some(account) = &identity.service_account else { return Ok(federated) };
        let path = format!("/v1/projects/-/serviceAccounts/{account}:generateAccessToken");
        let path = joined(&identity.iam.path, &path);
        let mut request = bare(Method::POST, &path)?;
        #[expect(
            clippy::disallowed_methods,
            reason = "asks for the token of the other account with this one"
        )]
        federated.value.expose(|token| bearer(&mut request, token))?;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let body = json!({ "scope": identity.scopes, "lifetime": "3600s" });
        *request.body_mut() = Body::full(body.to_string().into_bytes());
        let reply = self.ask(&identity.iam.authority, Reach::Service, request).await?;
        let place = format!("{}{path}", identity.iam.authority);
        self.told((&place, &reply, now), |answered| answered.impersonated())
            .map_err(|error| self.refused(&error))
    }

    pub(super) async fn azure_managed_identity(
        &self,
        identity: &AzureManagedIdentity,
        now: Timestamp,
    ) -> Result<Token, Refusal> {
        let resource = escaped(&identity.resource);
        let client = |name: &str| {
            identity.client_id.as_ref().map(|id| format!("&{name}={}", escaped(id))).unwrap_or_default()
        };
        let (endpoint, path, header) = match &identity.service {
            AzureService::Machine(endpoint) => {
                let path = joined(&endpoint.path, "/metadata/identity/oauth2/token");
                let query = format!("api-version=2018-02-01&resource={resource}{}", client("client_id"));
                let header = ("metadata", Zeroizing::new(b"true".to_vec()));
                (endpoint.authority.clone(), format!("{path}?{query}"), header)
            }
            AzureService::App { endpoint, header } => {
                let (authority, path) = self.address(endpoint)?;
                let query = format!("api-version=2019-08-01&resource={resource}{}", client("client_id"));
                let value = self.with_text(header, |text| Zeroizing::new(text.as_bytes().to_vec()))?;
                (authority, format!("{path}?{query}"), ("x-identity-header", value))
            }
            AzureService::OldApp { endpoint, header } => {
                let (authority, path) = self.address(endpoint)?;
                let query = format!("api-version=2017-09-01&resource={resource}{}", client("clientid"));
                let value = self.with_text(header, |text| Zeroizing::new(text.as_bytes().to_vec()))?;
                (authority, format!("{path}?{query}"), ("secret", value))
            }
        };
        let reply = self.metadata(&endpoint, &path, [header]).await?;
        let place = endpoint.to_string();
        let read = self.told((&place, &reply, now), |answered| answered.oauth2());
        read.map(|granted| granted.token).map_err(|error| self.refused(&error))
    }

    /// The address in a field: a platform writes it into the environment, and it is on this machine.
    fn address(&self, field: &str) -> Result<(Authority, String), Refusal> {
        self.with_text(field, |text| {
            let wrong = || {
                Refusal::new(
                    Code::SecretMissing,
                    format!("the secret `{field}` is not the address of a service"),
                )
            };
            let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
            let (host, path) = rest.find('/').and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, "/"));
            let authority = format!("{scheme}://{host}").parse().map_err(|_| wrong())?;
            let plain = !path.contains(['?', '#']) && path.bytes().all(|byte| byte.is_ascii_graphic());
            if plain { Ok((authority, path.to_owned())) } else { Err(wrong()) }
        })?
    }

    async fn metadata<const N: usize>(
        &self,
        authority: &Authority,
        path: &str,
        headers: [(&'static str, Zeroizing<Vec<u8>>); N],
    ) -> Result<super::Reply, Refusal> {
        let mut request = bare(Method::GET, path)?;
        for (name, value) in headers {
            let value = HeaderValue::from_bytes(&value);
            let mut value = value.map_err(|_| {
                Refusal::new(Code::SecretMissing, "a header of a metadata service is malformed")
            })?;
            value.set_sensitive(true);
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
        self.ask(authority, Reach::Metadata, request).await
    }
}

/// A path behind the one of an endpoint.
fn joined(base: &str, path: &str) -> String {
    format!("{}{path}", base.trim_end_matches('/'))
}

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

const ESCAPED: &percent_encoding::AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";
