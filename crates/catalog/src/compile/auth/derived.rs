//! Schemes whose credential is made on the way.

use model::parse_duration;

use super::{Entry, Plain, missing, text};
use crate::file::{AlgorithmWord, AuthEntry, AuthWord, ClientAuthWord, GrantWord};
use crate::{
    Assertion, AuthScheme, AzureManagedIdentity, AzureService, AzureServicePrincipal, ClientAuth, Derived,
    GcpMetadata, GcpWorkloadIdentity, GithubApp, GoogleServiceAccount, GoogleWanted, Grant, JwtAlgorithm,
    JwtSigned, OAuth2, SignedIn, TokenSource, VaultLogin, VaultMethod,
};

impl Entry<'_> {
    pub(super) fn derived(&self) -> Result<AuthScheme, String> {
        let source = match self.entry.scheme {
            AuthWord::Oauth2 => TokenSource::OAuth2(self.oauth2()?),
            AuthWord::GithubApp => TokenSource::GithubApp(self.github_app()?),
            AuthWord::GoogleServiceAccount => {
                let token = self.entry.token_url.as_deref().unwrap_or(GOOGLE_TOKEN);
                TokenSource::GoogleServiceAccount(GoogleServiceAccount {
                    key: text(self.entry.key.as_ref(), "key")?,
                    wanted: self.google_wanted()?,
                    endpoint: self.endpoint("token_url", token, Plain::WithLeave)?,
                })
            }
            AuthWord::GcpMetadata => TokenSource::GcpMetadata(GcpMetadata {
                wanted: self.google_wanted()?,
                endpoint: self.metadata()?,
            }),
            AuthWord::GcpWorkloadIdentity => TokenSource::GcpWorkloadIdentity(self.workload_identity()?),
            AuthWord::AzureManagedIdentity => TokenSource::AzureManagedIdentity(self.managed_identity()?),
            AuthWord::AzureServicePrincipal => {
                let sign_in = self.entry.token_url.as_deref().unwrap_or(ENTRA);
                TokenSource::AzureServicePrincipal(AzureServicePrincipal {
                    key: text(self.entry.key.as_ref(), "key")?,
                    scope: text(self.entry.scope.as_ref(), "scope")?,
                    endpoint: self.endpoint("token_url", sign_in, Plain::WithLeave)?,
                })
            }
            AuthWord::VaultApprole => TokenSource::VaultLogin(self.vault_login(VaultMethod::AppRole)?),
            AuthWord::VaultKubernetes => TokenSource::VaultLogin(self.vault_login(VaultMethod::Kubernetes)?),
            AuthWord::SignedIn => TokenSource::SignedIn(self.signed_in()?),
            _ => TokenSource::JwtSigned(self.jwt_signed()?),
        };
        let (header, prefix) = match &source {
            TokenSource::VaultLogin(_) if self.entry.name.is_none() => {
                ("x-vault-token".to_owned(), self.prefix("")?)
            }
            _ => (self.header()?, self.prefix("Bearer ")?),
        };
        Ok(AuthScheme::Derived(Box::new(Derived { header, prefix, source })))
    }

    fn oauth2(&self) -> Result<OAuth2, String> {
        let AuthEntry { grant, client_id, refresh_token, scope, audience, resource, extra, .. } = self.entry;
        let grant = match (grant, refresh_token) {
            (None | Some(GrantWord::RefreshToken), Some(field)) => Grant::RefreshToken(field.clone()),
            (Some(GrantWord::RefreshToken), None) => return Err(missing("refresh_token")),
            (None | Some(GrantWord::ClientCredentials), None) => Grant::ClientCredentials,
            (Some(GrantWord::JwtBearer), None) => Grant::JwtBearer(self.assertion()?),
            (Some(GrantWord::ClientCredentials | GrantWord::JwtBearer), Some(_)) => {
                return Err("this grant has no `refresh_token`".to_owned());
            }
        };
        let client_auth = self.client_auth()?;
        let signs = matches!(grant, Grant::JwtBearer(_)) || matches!(client_auth, ClientAuth::PrivateKey(_));
        let AuthEntry { key, key_id, algorithm, issuer, subject, assertion_audience, .. } = self.entry;
        let signing = [key, key_id, issuer, subject, assertion_audience].iter().any(|given| given.is_some());
        if !signs && (signing || algorithm.is_some()) {
            return Err(
                "a `key` is for the grant `jwt_bearer` and for `client_auth: private_key_jwt`".to_owned()
            );
        }
        if matches!(grant, Grant::ClientCredentials) && matches!(client_auth, ClientAuth::None) {
            return Err("a client without a credential gets no token: `client_secret` is missing".to_owned());
        }
        if client_id.is_none() && !matches!((&grant, &client_auth), (Grant::JwtBearer(_), ClientAuth::None)) {
            return Err(missing("client_id"));
        }
        let extra = extra.clone().unwrap_or_default();
        if let Some(name) = extra.keys().find(|name| OAuth2::STANDARD.contains(&name.as_str())) {
            return Err(format!("`extra` can't set `{name}`, which is set by a key of its own or never"));
        }
        let token_url = text(self.entry.token_url.as_ref(), "token_url")?;
        Ok(OAuth2 {
            endpoint: self.endpoint("token_url", &token_url, Plain::WithLeave)?,
            grant,
            client_id: client_id.clone(),
            client_auth,
            scope: scope.clone(),
            audience: audience.clone(),
            resource: resource.clone(),
            extra,
        })
    }

    fn client_auth(&self) -> Result<ClientAuth, String> {
        let AuthEntry { client_auth, client_secret, .. } = self.entry;
        match (client_auth, client_secret) {
            (None | Some(ClientAuthWord::Body), Some(field)) => Ok(ClientAuth::Body(field.clone())),
            (Some(ClientAuthWord::Basic), Some(field)) => Ok(ClientAuth::Basic(field.clone())),
            (None | Some(ClientAuthWord::None), None) => Ok(ClientAuth::None),
            (Some(ClientAuthWord::PrivateKeyJwt), None) => Ok(ClientAuth::PrivateKey(self.assertion()?)),
            (Some(ClientAuthWord::Body | ClientAuthWord::Basic), None) => Err(missing("client_secret")),
            (Some(ClientAuthWord::None | ClientAuthWord::PrivateKeyJwt), Some(_)) => {
                Err("this `client_auth` has no `client_secret`".to_owned())
            }
        }
    }

    fn assertion(&self) -> Result<Assertion, String> {
        let AuthEntry { key, key_id, issuer, subject, assertion_audience, client_id, .. } = self.entry;
        if issuer.is_none() && client_id.is_none() {
            return Err("an assertion has an `issuer`, or the `client_id` in its place".to_owned());
        }
        Ok(Assertion {
            algorithm: self.jwt_algorithm(Some(JwtAlgorithm::RS256))?,
            key: text(key.as_ref(), "key")?,
            key_id: key_id.clone(),
            issuer: issuer.clone(),
            subject: subject.clone(),
            audience: assertion_audience.clone(),
        })
    }

    fn jwt_algorithm(&self, default: Option<JwtAlgorithm>) -> Result<JwtAlgorithm, String> {
        match (self.entry.algorithm, default) {
            (None, Some(default)) => Ok(default),
            (None, None) => Err(missing("algorithm")),
            (Some(AlgorithmWord::RS256), _) => Ok(JwtAlgorithm::RS256),
            (Some(AlgorithmWord::ES256), _) => Ok(JwtAlgorithm::ES256),
            (Some(AlgorithmWord::EdDsa), _) => Ok(JwtAlgorithm::EdDsa),
            (Some(AlgorithmWord::HS256), _) => Ok(JwtAlgorithm::HS256),
            (Some(AlgorithmWord::Sha1 | AlgorithmWord::Sha256 | AlgorithmWord::Sha512), _) => {
                Err("`algorithm` is `RS256`, `ES256`, `EdDSA` or `HS256` here".to_owned())
            }
        }
    }

    fn github_app(&self) -> Result<GithubApp, String> {
        let AuthEntry { app_id, installation_id, key, .. } = self.entry;
        // A client id may be `Iv1.` and sixteen digits.
        let id = |value: Option<&String>, key: &str| {
            let id = text(value, key)?;
            let plain =
                id.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()));
            if plain { Ok(id) } else { Err(format!("`{key}` is letters and digits, and dots between them")) }
        };
        Ok(GithubApp {
            app_id: id(app_id.as_ref(), "app_id")?,
            installation_id: id(installation_id.as_ref(), "installation_id")?,
            key: text(key.as_ref(), "key")?,
        })
    }

    fn vault_login(&self, method: VaultMethod) -> Result<VaultLogin, String> {
        let mount = self.entry.mount.as_deref().unwrap_or(method.word());
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        let named = |part: &str| !matches!(part, "" | "." | "..") && part.bytes().all(plain);
        if mount.len() > 128 || !mount.split('/').all(named) {
            return Err("`mount` is the path of an auth method, such as `approle`".to_owned());
        }
        Ok(VaultLogin {
            method,
            mount: mount.to_owned(),
            role: text(self.entry.role.as_ref(), "role")?,
            key: text(self.entry.key.as_ref(), "key")?,
        })
    }

    fn google_wanted(&self) -> Result<GoogleWanted, String> {
        match (&self.entry.scope, &self.entry.audience) {
            (Some(_), Some(_)) => {
                Err("`scope` is for access tokens, `audience` for identity tokens; not both".to_owned())
            }
            (None, Some(audience)) => Ok(GoogleWanted::Identity(audience.clone())),
            (None, None) if self.entry.scheme == AuthWord::GoogleServiceAccount => Err(missing("scope")),
            (_, None) => Ok(GoogleWanted::Access(self.scopes())),
        }
    }

    fn scopes(&self) -> Vec<String> {
        self.entry.scope.iter().flat_map(|scope| scope.split_whitespace()).map(ToOwned::to_owned).collect()
    }

    fn metadata(&self) -> Result<crate::Endpoint, String> {
        let url = self.entry.metadata_url.as_deref().unwrap_or(METADATA);
        self.endpoint("metadata_url", url, Plain::Metadata)
    }

    fn workload_identity(&self) -> Result<GcpWorkloadIdentity, String> {
        let AuthEntry { audience, subject_token, subject_token_type, service_account, .. } = self.entry;
        let (sts, iam) = (self.entry.token_url.as_deref(), self.entry.iam_url.as_deref());
        let email = |b: u8| b.is_ascii_alphanumeric() || b"-_.@".contains(&b);
        if service_account.as_ref().is_some_and(|account| !account.bytes().all(email) || account.is_empty()) {
            return Err("`service_account` is the email of a service account".to_owned());
        }
        let scopes = self.scopes();
        Ok(GcpWorkloadIdentity {
            audience: text(audience.as_ref(), "audience")?,
            subject_token: text(subject_token.as_ref(), "subject_token")?,
            subject_token_type: subject_token_type.clone().unwrap_or_else(|| JWT_TYPE.to_owned()),
            service_account: service_account.clone(),
            scopes: if scopes.is_empty() { vec![CLOUD_PLATFORM.to_owned()] } else { scopes },
            endpoint: self.endpoint("token_url", sts.unwrap_or(GOOGLE_STS), Plain::WithLeave)?,
            iam: self.endpoint("iam_url", iam.unwrap_or(GOOGLE_IAM), Plain::WithLeave)?,
        })
    }

    fn managed_identity(&self) -> Result<AzureManagedIdentity, String> {
        let AuthEntry { identity_endpoint, identity_header, msi_endpoint, msi_secret, .. } = self.entry;
        let service = match (identity_endpoint, identity_header, msi_endpoint, msi_secret) {
            (None, None, None, None) => AzureService::Machine(self.metadata()?),
            (Some(endpoint), Some(header), None, None) => {
                AzureService::App { endpoint: endpoint.clone(), header: header.clone() }
            }
            (None, None, Some(endpoint), Some(header)) => {
                AzureService::OldApp { endpoint: endpoint.clone(), header: header.clone() }
            }
            _ => {
                return Err(
                    "`identity_endpoint` comes with `identity_header`, `msi_endpoint` with `msi_secret`, \
                            and only one of the pairs"
                        .to_owned(),
                );
            }
        };
        if self.entry.metadata_url.is_some() && !matches!(service, AzureService::Machine(_)) {
            return Err("`metadata_url` is for machines".to_owned());
        }
        Ok(AzureManagedIdentity {
            resource: text(self.entry.resource.as_ref(), "resource")?,
            client_id: self.entry.client_id.clone(),
            service,
        })
    }

    fn signed_in(&self) -> Result<SignedIn, String> {
        let token_url = text(self.entry.token_url.as_ref(), "token_url")?;
        Ok(SignedIn {
            key: text(self.entry.key.as_ref(), "key")?,
            endpoint: self.endpoint("token_url", &token_url, Plain::WithLeave)?,
            client_id: text(self.entry.client_id.as_ref(), "client_id")?,
        })
    }

    fn jwt_signed(&self) -> Result<JwtSigned, String> {
        let AuthEntry { key, key_id, issuer, subject, audience, claims, ttl, .. } = self.entry;
        let ttl = parse_duration(ttl.as_deref().unwrap_or("10m")).map_err(|error| error.to_string())?;
        if ttl.as_secs() == 0 || ttl.as_secs() > LONGEST_TTL {
            return Err("a token that is signed here lasts between a second and a day".to_owned());
        }
        let claims = claims.clone().unwrap_or_default();
        if let Some(name) = claims.keys().find(|name| REGISTERED.contains(&name.as_str())) {
            return Err(format!("`claims` can't set `{name}`, which is set by a key of its own or by us"));
        }
        Ok(JwtSigned {
            algorithm: self.jwt_algorithm(None)?,
            key: text(key.as_ref(), "key")?,
            key_id: key_id.clone(),
            issuer: issuer.clone(),
            subject: subject.clone(),
            audience: audience.clone(),
            claims,
            ttl,
        })
    }
}

/// Claims that are set otherwise.
const REGISTERED: [&str; 7] = ["aud", "exp", "iat", "iss", "jti", "nbf", "sub"];
const LONGEST_TTL: u64 = 24 * 3600;
const METADATA: &str = "http://169.254.169.254";
const ENTRA: &str = "https://login.microsoftonline.com";
const GOOGLE_TOKEN: &str = "https://oauth2.googleapis.com/token";
const GOOGLE_STS: &str = "https://sts.googleapis.com/v1/token";
const GOOGLE_IAM: &str = "https://iamcredentials.googleapis.com";
const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";
const JWT_TYPE: &str = "urn:ietf:params:oauth:token-type:jwt";
