//! Credentials that are made on the way: tokens of OAuth 2 and of clouds, and tokens that we sign ourselves.

use std::collections::BTreeMap;
use std::time::Duration;

use model::Authority;

use super::parts::Needs;

/// A token that is made when it is needed, and the header that it is sent in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derived {
    /// The header's name, in lower case.
    pub header: String,
    /// What stands before the token.
    pub prefix: String,
    /// What makes it.
    pub source: TokenSource,
}

/// What makes a token.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "one for each scheme of a file, boxed there and never moved by a call"
)]
pub enum TokenSource {
    /// A token endpoint of OAuth 2.
    OAuth2(OAuth2),
    /// An installation of a GitHub App.
    GithubApp(GithubApp),
    /// The key file of a Google service account.
    GoogleServiceAccount(GoogleServiceAccount),
    /// The metadata service of Google Cloud.
    GcpMetadata(GcpMetadata),
    /// A token of another issuer, exchanged at Google's security token service.
    GcpWorkloadIdentity(GcpWorkloadIdentity),
    /// The managed identity of a machine or app in Azure.
    AzureManagedIdentity(AzureManagedIdentity),
    /// A service principal in Azure.
    AzureServicePrincipal(AzureServicePrincipal),
    /// A JSON Web Token that we sign.
    JwtSigned(JwtSigned),
    /// A sign-in at HashiCorp Vault or `OpenBao`.
    VaultLogin(VaultLogin),
    /// A sign-in of a person.
    SignedIn(SignedIn),
}

/// Where a token is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Scheme, host and port.
    pub authority: Authority,
    /// Path, and query where there is one.
    pub path: String,
}

/// A token endpoint of OAuth 2 (RFC 6749), and what it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuth2 {
    /// The token endpoint.
    pub endpoint: Endpoint,
    /// How the token is got.
    pub grant: Grant,
    /// The client's identifier; no secret.
    pub client_id: Option<String>,
    /// How the client proves itself.
    pub client_auth: ClientAuth,
    /// The scope, separated by spaces.
    pub scope: Option<String>,
    /// For whom the token is, as Auth0 and others want it.
    pub audience: Option<String>,
    /// For what the token is (RFC 8707).
    pub resource: Option<String>,
    /// Further parameters; none of [`Self::STANDARD`].
    pub extra: BTreeMap<String, String>,
}

impl OAuth2 {
    /// Parameters of a token request that have a key of their own, or that say how the request proves itself.
    pub const STANDARD: [&str; 15] = [
        "assertion",
        "audience",
        "client_assertion",
        "client_assertion_type",
        "client_id",
        "client_secret",
        "code",
        "code_verifier",
        "grant_type",
        "password",
        "redirect_uri",
        "refresh_token",
        "resource",
        "scope",
        "username",
    ];
}

/// How a token is got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// RFC 6749, section 4.4.
    ClientCredentials,
    /// RFC 6749, section 6: the field of the refresh token.
    RefreshToken(String),
    /// RFC 7523, section 2.1.
    JwtBearer(Assertion),
}

/// How a client proves itself at a token endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientAuth {
    /// `client_secret` in the body: the field.
    Body(String),
    /// `Authorization: Basic` (RFC 6749, section 2.3.1): the field.
    Basic(String),
    /// A public client, or one that the grant itself proves.
    None,
    /// RFC 7523, section 2.2.
    PrivateKey(Assertion),
}

/// A JSON Web Token that proves a client, or asks for a token (RFC 7523, section 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// The signature.
    pub algorithm: JwtAlgorithm,
    /// The field of the private key.
    pub key: String,
    /// `kid`.
    pub key_id: Option<String>,
    /// `iss`; the client's identifier where it is absent.
    pub issuer: Option<String>,
    /// `sub`; as `iss` where it is absent.
    pub subject: Option<String>,
    /// `aud`; the token endpoint where it is absent.
    pub audience: Option<String>,
}

/// A signature of a JSON Web Token (RFC 7518, section 3.1; RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwtAlgorithm {
    /// RSA with PKCS #1 v1.5 and SHA-256.
    RS256,
    /// ECDSA with P-256 and SHA-256.
    ES256,
    /// Ed25519.
    EdDsa,
    /// HMAC with SHA-256.
    HS256,
}

/// An installation of a GitHub App; its token is asked for at the integration's own address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GithubApp {
    /// The app's id or client id.
    pub app_id: String,
    /// The installation.
    pub installation_id: String,
    /// The field of the app's private key.
    pub key: String,
}

/// A sign-in at HashiCorp Vault or `OpenBao`, at the integration's own address (its HTTP API, `auth/approle` and `auth/kubernetes`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultLogin {
    /// The auth method.
    pub method: VaultMethod,
    /// Where it is mounted, below `auth/`.
    pub mount: String,
    /// The role id, or the name of the role.
    pub role: String,
    /// The field of what proves it: the secret id, or the token of a service account.
    pub key: String,
}

/// An auth method of Vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VaultMethod {
    /// A role id and a secret id.
    AppRole,
    /// The token of a service account of Kubernetes.
    Kubernetes,
}

impl VaultMethod {
    /// Where it is usually mounted.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::AppRole => "approle",
            Self::Kubernetes => "kubernetes",
        }
    }
}

/// A service account of Google Cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoogleServiceAccount {
    /// The field of the key file.
    pub key: String,
    /// What the token is for.
    pub wanted: GoogleWanted,
    /// Google's token endpoint, or another in its place.
    pub endpoint: Endpoint,
}

/// Which token of Google Cloud is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GoogleWanted {
    /// An access token with these scopes; the account's own where there are none.
    Access(Vec<String>),
    /// An identity token for an audience.
    Identity(String),
}

/// The metadata service of a machine in Google Cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GcpMetadata {
    /// What is wanted.
    pub wanted: GoogleWanted,
    /// The service; `http://169.254.169.254` unless the file says otherwise.
    pub endpoint: Endpoint,
}

/// Workload identity federation of Google Cloud (RFC 8693).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GcpWorkloadIdentity {
    /// The provider: `//iam.googleapis.com/projects/…/providers/…`.
    pub audience: String,
    /// The field of the other issuer's token.
    pub subject_token: String,
    /// What kind of token that is.
    pub subject_token_type: String,
    /// The service account to impersonate.
    pub service_account: Option<String>,
    /// The scopes.
    pub scopes: Vec<String>,
    /// Google's security token service, or another in its place.
    pub endpoint: Endpoint,
    /// The service that impersonates.
    pub iam: Endpoint,
}

/// A service principal of Microsoft Entra.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AzureServicePrincipal {
    /// The field of its document: tenant, client and client secret, or a certificate.
    pub key: String,
    /// For what the token is, such as `https://management.azure.com/.default`.
    pub scope: String,
    /// The sign-in service below which every tenant has its token endpoint; what the document says of it is not followed.
    pub endpoint: Endpoint,
}

/// A managed identity in Azure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AzureManagedIdentity {
    /// For which resource, such as `https://vault.azure.net`.
    pub resource: String,
    /// A user-assigned identity.
    pub client_id: Option<String>,
    /// Who is asked.
    pub service: AzureService,
}

/// The service that hands out tokens of a managed identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AzureService {
    /// The instance metadata service of a machine, version 2018-02-01.
    Machine(Endpoint),
    /// App Service and Container Apps, version 2019-08-01: the fields of `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`.
    App {
        /// The field of the address.
        endpoint: String,
        /// The field of the header.
        header: String,
    },
    /// The older form, version 2017-09-01: the fields of `MSI_ENDPOINT` and `MSI_SECRET`.
    OldApp {
        /// The field of the address.
        endpoint: String,
        /// The field of the header.
        header: String,
    },
}

/// A JSON Web Token that we sign ourselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtSigned {
    /// The signature.
    pub algorithm: JwtAlgorithm,
    /// The field of the key: PEM, or for `HS256` the bytes.
    pub key: String,
    /// `kid`.
    pub key_id: Option<String>,
    /// `iss`.
    pub issuer: Option<String>,
    /// `sub`.
    pub subject: Option<String>,
    /// `aud`.
    pub audience: Option<String>,
    /// Further claims; none of those that are set otherwise.
    pub claims: BTreeMap<String, serde_json::Value>,
    /// How long a token lasts.
    pub ttl: Duration,
}

/// A sign-in of a person: an access token, and mostly a refresh token by which it is renewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The field of the sign-in: a document of one profile, or a bare access token.
    pub key: String,
    /// The issuer's token endpoint.
    pub endpoint: Endpoint,
    /// As which client it is renewed; no secret.
    pub client_id: String,
}

impl TokenSource {
    /// The fields that it needs.
    pub(super) const fn needs(&self) -> Needs<'_> {
        Needs::of(match self {
            Self::OAuth2(oauth2) => {
                let grant = match &oauth2.grant {
                    Grant::ClientCredentials => None,
                    Grant::RefreshToken(field) => Some(field),
                    Grant::JwtBearer(assertion) => Some(&assertion.key),
                };
                let client = match &oauth2.client_auth {
                    ClientAuth::Body(field) | ClientAuth::Basic(field) => Some(field),
                    ClientAuth::None => None,
                    ClientAuth::PrivateKey(assertion) => Some(&assertion.key),
                };
                [grant, client, None, None]
            }
            Self::GithubApp(app) => [Some(&app.key), None, None, None],
            Self::GoogleServiceAccount(account) => [Some(&account.key), None, None, None],
            Self::GcpMetadata(_) => [None, None, None, None],
            Self::AzureServicePrincipal(principal) => [Some(&principal.key), None, None, None],
            Self::GcpWorkloadIdentity(identity) => [Some(&identity.subject_token), None, None, None],
            Self::AzureManagedIdentity(identity) => match &identity.service {
                AzureService::Machine(_) => [None, None, None, None],
                AzureService::App { endpoint, header } | AzureService::OldApp { endpoint, header } => {
                    [Some(endpoint), Some(header), None, None]
                }
            },
            Self::JwtSigned(token) => [Some(&token.key), None, None, None],
            Self::VaultLogin(login) => [Some(&login.key), None, None, None],
            Self::SignedIn(signed) => [Some(&signed.key), None, None, None],
        })
    }

    /// The word of its scheme.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::OAuth2(_) => "oauth2",
            Self::GithubApp(_) => "github_app",
            Self::GoogleServiceAccount(_) => "google_service_account",
            Self::GcpMetadata(_) => "gcp_metadata",
            Self::GcpWorkloadIdentity(_) => "gcp_workload_identity",
            Self::AzureManagedIdentity(_) => "azure_managed_identity",
            Self::AzureServicePrincipal(_) => "azure_service_principal",
            Self::JwtSigned(_) => "jwt_signed",
            Self::VaultLogin(login) => match login.method {
                VaultMethod::AppRole => "vault_approle",
                VaultMethod::Kubernetes => "vault_kubernetes",
            },
            Self::SignedIn(_) => "signed_in",
        }
    }

    /// Whether a token that a program was given is made for that run alone, and taken back after it.
    #[must_use]
    pub const fn is_taken_back(&self) -> bool {
        matches!(self, Self::VaultLogin(_))
    }
}
