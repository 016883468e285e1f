//! What the sources at AWS have in common: where it is asked, as whom, and how its errors are read.
//!
//! The credentials are those that `sources.toml` names, else the first of: the environment, the token of a web identity (as
//! EKS mounts it), the container, the instance. They are kept until shortly before their end. Metadata services are asked
//! without any proxy, at their own numbers only.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws::Lease;
use aws::process::{Edges, token_file};
use aws::secret::Keeper;
use aws::source::{CredentialSource, Error as Problem, credentials};
use aws::sts::{Sts, WebIdentity};
use aws::wire::{Endpoint, Locator, Service, Sleep, Wire};
use model::{Clock, SecretRef, Timestamp};
use net::NeighbourError;
use net::egress::{EgressConfig, EgressLimits, Roots};
use tokio::sync::Mutex;

use super::config::Config;
use super::lender::own;
use super::{Environment, Lender, Setup, Trouble, web};
use crate::Error;

mod profile;

/// AWS, as one source asks it.
pub(crate) struct Account {
    service: Service,
    config: Arc<Config>,
    environment: Environment,
    wire: tokio::sync::OnceCell<Wire>,
    held: Mutex<Option<Arc<Lease>>>,
}

impl Account {
    pub(crate) fn new(service: Service, setup: &Setup) -> Self {
        let (config, environment) = (Arc::clone(&setup.config), setup.environment.clone());
        Self { service, config, environment, wire: tokio::sync::OnceCell::new(), held: Mutex::default() }
    }

    /// Asks, with credentials of ours.
    pub(crate) async fn ask<T>(
        &self,
        lender: &dyn Lender,
        ask: impl AsyncFnOnce(Keeper<'_>) -> Result<T, aws::wire::Error>,
    ) -> Result<T, Failed> {
        let wire = self.wire().await?;
        let endpoint = self.endpoint(self.service).map_err(|error| Trouble::setting(error.to_string()))?;
        let lease = self.lease(wire, lender).await?;
        let done = ask(Keeper { wire, endpoint: &endpoint, lease: &lease }).await;
        if matches!(done.as_ref().err().and_then(aws::wire::Error::code), Some(code) if OVER.contains(&code))
        {
            // The next fetch asks for others.
            *self.held.lock().await = None;
        }
        done.map_err(Failed::Aws)
    }

    async fn wire(&self) -> Result<&Wire, Trouble> {
        let make = || async {
            let roots = self
                .environment
                .text("AWS_CA_BUNDLE")
                .map_or(Roots::Platform, |path| Roots::Bundle(path.into()));
            let limits = EgressLimits {
                connect: Duration::from_secs(3),
                reply: Duration::from_secs(5),
                bytes: crate::fit::LONGEST * 3,
            };
            let proxies = web::proxies(&self.environment)?;
            let config = EgressConfig { proxies, roots, limits, ..EgressConfig::default() };
            Ok(Wire::new(config, Arc::new(SystemTime), Arc::new(Sleep)))
        };
        self.wire.get_or_try_init(make).await
    }

    fn endpoint(&self, service: Service) -> Result<Endpoint, aws::wire::Error> {
        let own = &self.config.aws;
        let variable = |name: &str| self.environment.text(name);
        let region =
            own.region.clone().or_else(|| variable("AWS_REGION")).or_else(|| variable("AWS_DEFAULT_REGION"));
        let custom = own.endpoint.clone().or_else(|| variable("AWS_ENDPOINT_URL"));
        let truth = |name: &str| variable(name).is_some_and(|text| text.eq_ignore_ascii_case("true"));
        Endpoint::locate(
            service,
            &Locator {
                region: region.as_deref(),
                custom: custom.as_deref(),
                fips: truth("AWS_USE_FIPS_ENDPOINT"),
                dual_stack: truth("AWS_USE_DUALSTACK_ENDPOINT"),
                ..Locator::default()
            },
        )
    }

    async fn lease(&self, wire: &Wire, lender: &dyn Lender) -> Result<Arc<Lease>, Trouble> {
        let own_keys = &self.config.aws;
        if let (Some(id), Some(reference)) = (&own_keys.access_key_id, &own_keys.secret_access_key) {
            let secret_access_key = own(lender, reference).await?;
            let access_key_id = id.clone();
            return Ok(Arc::new(Lease {
                access_key_id,
                secret_access_key,
                session_token: None,
                expiration: None,
            }));
        }
        if let Some(name) = &own_keys.profile {
            return profile::keys(name, &|name| self.environment.text(name)).map(Arc::new);
        }
        let mut held = self.held.lock().await;
        let now = lender.now();
        let young = |lease: &&Arc<Lease>| lease.expiration.is_none_or(|end| end.since(now) > EARLY);
        if let Some(lease) = held.as_ref().filter(young) {
            return Ok(Arc::clone(lease));
        }
        let lease = Arc::new(self.found(wire, now).await?);
        *held = Some(Arc::clone(&lease));
        Ok(lease)
    }

    /// The credentials of one place.
    pub(crate) async fn session(&self, whose: Whose<'_>, now: Timestamp) -> Result<Lease, Trouble> {
        match whose {
            Whose::Profile(name) => profile::keys(name, &|name| self.environment.text(name)),
            Whose::Machine => self.found(self.wire().await?, now).await,
            Whose::One(source) => self.asked(&source, now).await,
        }
    }

    /// The credentials that this machine has.
    async fn found(&self, wire: &Wire, now: Timestamp) -> Result<Lease, Trouble> {
        let variable = |name: &str| self.environment.text(name);
        let source = match variable("AWS_ACCESS_KEY_ID") {
            Some(id) => CredentialSource::Environment { access_key_id: Some(id) },
            None => {
                if let (Some(file), Some(role)) =
                    (variable("AWS_WEB_IDENTITY_TOKEN_FILE"), variable("AWS_ROLE_ARN"))
                {
                    return self.web_identity(wire, &file, &role).await;
                }
                let container =
                    ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];
                if container.into_iter().any(|name| variable(name).is_some()) {
                    CredentialSource::EcsContainer
                } else {
                    CredentialSource::Ec2InstanceMetadata
                }
            }
        };
        self.asked(&source, now).await
    }

    async fn asked(&self, source: &CredentialSource, now: Timestamp) -> Result<Lease, Trouble> {
        let variable = |name: &str| self.environment.text(name);
        // Half of the time that a call waits, so that its error is this one.
        let asked = tokio::time::timeout(Duration::from_secs(5), credentials(source, &variable, now)).await;
        asked.unwrap_or(Err(Problem::Late)).map_err(|error| match error {
            Problem::Late | Problem::Neighbour(NeighbourError::Talk { .. }) => Trouble::Unreachable {
                at: format!("what has the credentials of AWS (`{}`)", source.as_str()),
                what: "did not answer, and the environment and `sources.toml` have none".to_owned(),
            },
            error => {
                Trouble::setting(format!("there are no credentials of AWS (`{}`: {error})", source.as_str()))
            }
        })
    }

    async fn web_identity(&self, wire: &Wire, file: &str, role: &str) -> Result<Lease, Trouble> {
        let token = token_file(Path::new(file), Edges::Trimmed);
        let token = token.map_err(|error| Trouble::setting(format!("the web identity of AWS: {error}")))?;
        let endpoint = self.endpoint(Service::Sts).map_err(|error| Trouble::setting(error.to_string()))?;
        let session = self.environment.text("AWS_ROLE_SESSION_NAME").unwrap_or_else(|| "doorward".to_owned());
        let ask = WebIdentity {
            role_arn: role,
            session_name: &session,
            token: &token,
            duration: None,
            policy: None,
            policy_arns: &[],
        };
        let assumed = Sts::new(wire, &endpoint).assume_role_with_web_identity(&ask).await;
        assumed.map(|assumed| assumed.lease).map_err(|error| trouble(&error))
    }
}

/// Whose credentials are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Whose<'a> {
    /// The first that this machine has.
    Machine,
    /// Those of one place of the machine.
    One(CredentialSource),
    /// Those of a profile.
    Profile(&'a str),
}

impl<'a> Whose<'a> {
    /// What stands behind `aws-session:`.
    pub(crate) fn read(path: &'a str) -> Result<Self, Trouble> {
        match (path, path.strip_prefix("profile/")) {
            ("machine", _) => Ok(Self::Machine),
            ("environment", _) => Ok(Self::One(CredentialSource::Environment { access_key_id: None })),
            ("container", _) => Ok(Self::One(CredentialSource::EcsContainer)),
            ("instance", _) => Ok(Self::One(CredentialSource::Ec2InstanceMetadata)),
            (_, Some(name)) if !name.is_empty() => Ok(Self::Profile(name)),
            _ => Err(Trouble::Wrong(
                "a session is that of `machine`, `environment`, `container`, `instance` or `profile/NAME`",
            )),
        }
    }
}

/// Why AWS gave nothing.
pub(crate) enum Failed {
    Before(Trouble),
    Aws(aws::wire::Error),
}

impl From<Trouble> for Failed {
    fn from(trouble: Trouble) -> Self {
        Self::Before(trouble)
    }
}

impl Failed {
    /// The same for whoever asked for no secret.
    pub(crate) fn trouble(self) -> Trouble {
        match self {
            Self::Before(why) => why,
            Self::Aws(error) => trouble(&error),
        }
    }

    /// The error of the secret; one of these codes says that it is not there.
    pub(crate) fn of(self, reference: &SecretRef, missing: &[&str]) -> Error {
        match self {
            Self::Before(why) => Error::source(reference, why),
            Self::Aws(error) if error.code().is_some_and(|code| missing.contains(&code)) => {
                Error::Missing(reference.to_string())
            }
            Self::Aws(error) => Error::source(reference, trouble(&error)),
        }
    }
}

/// AWS' codes are a closed set and may be repeated; its messages are not, for they quote what was sent.
fn trouble(error: &aws::wire::Error) -> Trouble {
    let at = "AWS".to_owned();
    match error {
        aws::wire::Error::Refused(fault) if fault.status() >= 500 || PASSING.contains(&fault.code()) => {
            Trouble::Unreachable { at, what: format!("answered {}", fault.status()) }
        }
        aws::wire::Error::Refused(fault) => {
            let code: String = fault.code().chars().filter(char::is_ascii_alphanumeric).take(64).collect();
            Trouble::Refused {
                at,
                why: format!("{} answered {code} ({})", fault.operation(), fault.status()),
            }
        }
        aws::wire::Error::Net { source: net::Error::Tls { .. }, .. } => {
            Trouble::Refused { at, why: "its certificate is not one that we believe".into() }
        }
        aws::wire::Error::Net { source: net::Error::Address { reason, .. }, .. } => {
            Trouble::setting(format!("the endpoint of AWS may not be dialled: {reason}"))
        }
        aws::wire::Error::Net { .. } => Trouble::Unreachable { at, what: "could not be reached".into() },
        aws::wire::Error::Reply { what, .. } => Trouble::Answer { at, what },
        other => Trouble::setting(other.to_string()),
    }
}

/// The time for signing; that of the broker is for ages.
struct SystemTime;

impl Clock for SystemTime {
    fn now(&self) -> Timestamp {
        system_time()
    }
}

/// The time of this machine, for whoever asks a cloud while no broker runs yet.
pub(crate) fn system_time() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "clouds refuse signatures of another time than their own")]
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
}

/// How long before their end other credentials are asked for.
const EARLY: Duration = Duration::from_mins(5);
const PASSING: &[&str] =
    &["ThrottlingException", "Throttling", "RequestLimitExceeded", "TooManyRequestsException"];
const OVER: &[&str] = &["ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException"];
