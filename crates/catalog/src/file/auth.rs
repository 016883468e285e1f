//! An auth scheme as it is written. One flat structure, so that a wrong key has a line and a nearest word; which keys belong
//! to which scheme is said in `compile/auth`.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::auth::{BytesForm, Within};

/// How a credential is put on a request.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuthEntry {
    /// Which way.
    pub(crate) scheme: AuthWord,
    /// The secret, or several that take turns; for `basic` and `digest` one that holds `user:password`.
    pub(crate) secret: Option<OneOrMore>,
    /// For how long one of several rests after the service answered 401 or 429, such as `1m`.
    pub(crate) rest: Option<String>,
    /// The name of the header, query parameter or cookie.
    pub(crate) name: Option<String>,
    /// What stands before the secret in a header or path segment.
    pub(crate) prefix: Option<String>,
    /// What stands behind the secret in a path segment.
    pub(crate) suffix: Option<String>,
    /// `basic`, `digest`: the user name, as it is.
    pub(crate) username: Option<String>,
    /// `basic`, `digest`: the secret that is the user name.
    pub(crate) username_secret: Option<String>,
    /// `basic`, `digest`: the secret that is the password.
    pub(crate) password_secret: Option<String>,
    /// `replace`: the placeholder that callers write.
    pub(crate) find: Option<String>,
    /// `replace`: the secret that is the placeholder.
    pub(crate) find_secret: Option<String>,
    /// `replace`: where the placeholder is looked for; everywhere but in host and names of headers where it is absent.
    pub(crate) within: Option<Vec<Within>>,
    /// `hmac`, `oauth1`: `sha1`, `sha256` or `sha512`; tokens that are signed: `RS256`, `ES256`, `EdDSA` or `HS256`.
    pub(crate) algorithm: Option<AlgorithmWord>,
    /// `hmac`: how the signature is written; `hex` where it is absent.
    pub(crate) encoding: Option<BytesForm>,
    /// `oauth2`: how the token is got; `client_credentials`, or `refresh_token` where there is one.
    pub(crate) grant: Option<GrantWord>,
    /// Where the token is asked for.
    pub(crate) token_url: Option<String>,
    /// The client's identifier.
    pub(crate) client_id: Option<String>,
    /// `oauth2`: the secret that is the client's secret.
    pub(crate) client_secret: Option<String>,
    /// `oauth2`: how the client proves itself; `body` where it is absent and there is a secret.
    pub(crate) client_auth: Option<ClientAuthWord>,
    /// `oauth2`: the secret that is the refresh token.
    pub(crate) refresh_token: Option<String>,
    /// The scope, separated by spaces.
    pub(crate) scope: Option<String>,
    /// For whom the token is.
    pub(crate) audience: Option<String>,
    /// For what the token is.
    pub(crate) resource: Option<String>,
    /// `oauth2`: further parameters of the token request; none of the standard ones.
    pub(crate) extra: Option<BTreeMap<String, String>>,
    /// The secret that is the private key, the key file or, for HS256, the key.
    pub(crate) key: Option<String>,
    /// The `kid` of tokens that are signed.
    pub(crate) key_id: Option<String>,
    /// The `iss` of tokens that are signed.
    pub(crate) issuer: Option<String>,
    /// The `sub` of tokens that are signed.
    pub(crate) subject: Option<String>,
    /// The `aud` of assertions; the token endpoint where it is absent.
    pub(crate) assertion_audience: Option<String>,
    /// `jwt_signed`: further claims.
    pub(crate) claims: Option<BTreeMap<String, serde_json::Value>>,
    /// `jwt_signed`: how long a token lasts, such as `10m`.
    pub(crate) ttl: Option<String>,
    /// `github_app`: the app's id or client id.
    pub(crate) app_id: Option<String>,
    /// `github_app`: the installation.
    pub(crate) installation_id: Option<String>,
    /// `vault_approle`, `vault_kubernetes`: where the auth method is mounted, where it isn't the usual place.
    pub(crate) mount: Option<String>,
    /// `gcp_workload_identity`: the secret that is the other issuer's token.
    pub(crate) subject_token: Option<String>,
    /// `gcp_workload_identity`: what kind of token that is; a JSON Web Token where it is absent.
    pub(crate) subject_token_type: Option<String>,
    /// `gcp_workload_identity`: the service account to impersonate.
    pub(crate) service_account: Option<String>,
    /// `gcp_workload_identity`: the service that impersonates, where it isn't Google's.
    pub(crate) iam_url: Option<String>,
    /// `gcp_metadata`, `azure_managed_identity`: the metadata service, where it isn't the usual one.
    pub(crate) metadata_url: Option<String>,
    /// `azure_managed_identity`: the secret that is `IDENTITY_ENDPOINT`, such as `env:IDENTITY_ENDPOINT`.
    pub(crate) identity_endpoint: Option<String>,
    /// `azure_managed_identity`: the secret that is `IDENTITY_HEADER`.
    pub(crate) identity_header: Option<String>,
    /// `azure_managed_identity`: the secret that is `MSI_ENDPOINT`.
    pub(crate) msi_endpoint: Option<String>,
    /// `azure_managed_identity`: the secret that is `MSI_SECRET`.
    pub(crate) msi_secret: Option<String>,
    /// `sigv4`: the secret that is the id of the access key.
    pub(crate) access_key_id: Option<String>,
    /// `sigv4`: the secret that is the secret access key.
    pub(crate) secret_access_key: Option<String>,
    /// `sigv4`: the secret that is the session token.
    pub(crate) session_token: Option<String>,
    /// `sigv4`: the region; from the caller's own signature or the host where it is absent.
    pub(crate) region: Option<String>,
    /// `sigv4`: the ARN of a role; its sessions sign, and the key itself only asks for them. `vault_approle`: the role id,
    /// `vault_kubernetes`: the name of the role.
    pub(crate) role: Option<String>,
    /// `sigv4`: the name of sessions, in which `{principal}` is whoever calls; `doorward-{principal}` where it is absent.
    pub(crate) session_name: Option<String>,
    /// `sigv4`: what the role's owner demands of a third party.
    pub(crate) external_id: Option<String>,
    /// `sigv4`: the region whose token service is asked; the first of the role's partition where it is absent.
    pub(crate) sts_region: Option<String>,
    /// `sigv4`: the service's signing name; from the caller's own signature or the host where it is absent.
    pub(crate) service: Option<String>,
    /// `oauth1`: the secret that is the client's identifier.
    pub(crate) consumer_key: Option<String>,
    /// `oauth1`: the secret that is the client's secret.
    pub(crate) consumer_secret: Option<String>,
    /// `oauth1`: the secret that is the token.
    pub(crate) token: Option<String>,
    /// `oauth1`: the secret that is the token's secret.
    pub(crate) token_secret: Option<String>,
    /// `oauth1`: the realm.
    pub(crate) realm: Option<String>,
    /// `client_certificate`: the secret that is the certificate chain, PEM.
    pub(crate) certificate: Option<String>,
}

impl AuthEntry {
    /// Every secret that it names.
    pub(crate) fn named(&self) -> Vec<&str> {
        let several = self.secret.iter().flat_map(|OneOrMore(all)| all);
        let single = [
            &self.username_secret,
            &self.password_secret,
            &self.find_secret,
            &self.client_secret,
            &self.refresh_token,
            &self.key,
            &self.subject_token,
            &self.identity_endpoint,
            &self.identity_header,
            &self.msi_endpoint,
            &self.msi_secret,
            &self.access_key_id,
            &self.secret_access_key,
            &self.session_token,
            &self.consumer_key,
            &self.consumer_secret,
            &self.token,
            &self.token_secret,
            &self.certificate,
        ];
        several.chain(single.into_iter().flatten()).map(String::as_str).collect()
    }
}

/// One name, or a list of them that take turns.
#[derive(Debug, Clone)]
pub(crate) struct OneOrMore(pub(crate) Vec<String>);

impl JsonSchema for OneOrMore {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "OneOrMore".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [
            { "type": "string" },
            { "type": "array", "items": { "type": "string" }, "minItems": 1, "uniqueItems": true },
        ] })
    }
}

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMoreVisitor)
    }
}

struct OneOrMoreVisitor;

impl<'de> Visitor<'de> for OneOrMoreVisitor {
    type Value = OneOrMore;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a secret, or a list of such names")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMore, E> {
        Ok(OneOrMore(vec![text.to_owned()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMore, A::Error> {
        let mut all = Vec::new();
        while let Some(one) = list.next_element()? {
            all.push(one);
        }
        Ok(OneOrMore(all))
    }
}

/// The ways of putting a credential on a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AuthWord {
    /// `Authorization: Bearer …`.
    Bearer,
    /// Any header.
    Header,
    /// `Authorization: Basic …`.
    Basic,
    /// A query parameter.
    Query,
    /// The first segment of the path.
    Path,
    /// The last segment of the path.
    PathEnd,
    /// A cookie.
    Cookie,
    /// In the place of a placeholder that the caller writes.
    Replace,
    /// An HMAC of the body.
    Hmac,
    /// A token of OAuth 2.
    Oauth2,
    /// A token of an installation of a GitHub App.
    GithubApp,
    /// A token of a Google service account.
    GoogleServiceAccount,
    /// A token of Google's metadata service.
    GcpMetadata,
    /// A token of Google's workload identity federation.
    GcpWorkloadIdentity,
    /// A token of a managed identity in Azure.
    AzureManagedIdentity,
    /// A token of a service principal in Azure.
    AzureServicePrincipal,
    /// A JSON Web Token that is signed here.
    JwtSigned,
    /// A token of HashiCorp Vault or `OpenBao`, for a role id and a secret id.
    VaultApprole,
    /// A token of HashiCorp Vault or `OpenBao`, for the token of a service account of Kubernetes.
    VaultKubernetes,
    /// The token of a person's sign-in, as `doorward llm auth` keeps it.
    SignedIn,
    /// AWS Signature Version 4.
    Sigv4,
    /// OAuth 1.0.
    Oauth1,
    /// The signature of Oracle Cloud Infrastructure.
    Oci,
    /// Digest access authentication.
    Digest,
    /// A client certificate.
    ClientCertificate,
    /// User name and password for the proxy that `proxy` names.
    ProxyBasic,
}

/// Hash functions and signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub(crate) enum AlgorithmWord {
    /// SHA-1.
    #[serde(rename = "sha1")]
    Sha1,
    /// SHA-256.
    #[serde(rename = "sha256")]
    Sha256,
    /// SHA-512.
    #[serde(rename = "sha512")]
    Sha512,
    /// RSA with PKCS #1 v1.5 and SHA-256.
    RS256,
    /// ECDSA with P-256 and SHA-256.
    ES256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// HMAC with SHA-256.
    HS256,
}

/// How a token of OAuth 2 is got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GrantWord {
    /// With the client's own credential.
    ClientCredentials,
    /// With a refresh token.
    RefreshToken,
    /// With an assertion that is signed here (RFC 7523).
    JwtBearer,
}

/// How a client proves itself at a token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClientAuthWord {
    /// Its secret in the body.
    Body,
    /// Its secret in `Authorization: Basic`.
    Basic,
    /// Not at all.
    None,
    /// With an assertion that is signed here (RFC 7523).
    PrivateKeyJwt,
}
