//! Which calls lead to the credentials of a profile: stored keys or SSO first, then sessions and roles.
//!
//! [`plan()`] decides everything that can be decided without a call: the base, the order of the steps, their parameters, who
//! needs an MFA code, and under which key each result may be kept (specification, 3.1 to 3.4). It makes no call and asks
//! nobody.
//!
//! # Invariants
//!
//! - A code is asked for at most once in a plan, and only for a call that a user signs: a session of a role or of SSO has no
//!   MFA device, and one of a user showed it already.
//! - Stored keys are what a plan gives only where the caller said `no_session`, asked for keys that go to AWS alone
//!   ([`Purpose`]), or keeps temporary ones; [`Plan::gives`] says so.
//! - Two plans that may give different credentials have different keys ([`Key`]).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::profile::{Endpoints, Profile, Role, Sso, StsRegional, WebIdentity};
use crate::session::Key;
use crate::source::CredentialSource;
use crate::wire::{Locator, Service, StsEndpoints};

mod error;
mod fingerprint;
mod note;
mod plan;

pub use error::Error;
pub use note::{Below, Note};
pub use plan::{master, plan};

/// What a plan is for, and what the caller allows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Want {
    /// Whether no `GetSessionToken` may be called; stored keys are then given as they are.
    pub no_session: bool,
    /// Whether the stored keys turned out to be temporary ones, with a session token. Say no at first: they need not be
    /// read where a session is cached.
    pub temporary_keys: bool,
    /// What the credentials are for.
    pub purpose: Purpose,
    /// Which roles may be cached.
    pub caching: Caching,
}

/// What credentials are for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// For a program: they leave Doorward.
    #[default]
    Exec,
    /// For the console: the named profile's own keys sign `GetFederationToken`, which takes no session.
    Login,
    /// For IAM, to rotate a key: nothing may be from a cache.
    Rotate,
}

/// Which assumed roles may be cached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Caching {
    /// Every one.
    #[default]
    Every,
    /// Only those for which an MFA code was sent, as aws-vault does; sessions and SSO as well.
    WithMfa,
}

/// The way to the credentials of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Where the first credentials come from.
    pub base: Base,
    /// What is done with them, in this order; each call is signed by what the one before gave.
    pub steps: Vec<Step>,
    /// What the caller should tell the user.
    pub notes: Vec<Note>,
    /// What comes out.
    pub gives: Gives,
}

/// What comes out of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    /// A lease that AWS or a program made.
    Lease,
    /// The stored keys themselves. Whether they may leave is not decided here.
    StoredKeys,
}

/// Where the first credentials come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// Keys that are stored under the name of this profile.
    Keys {
        /// The profile.
        profile: String,
    },
    /// `sso:GetRoleCredentials`.
    Sso {
        /// The profile.
        profile: String,
        /// Start URL, account and role; account, role and region are given.
        sso: Box<Sso>,
        /// Where the call goes.
        at: At,
        /// Under which the result may be kept.
        key: Option<Key>,
    },
    /// `sts:AssumeRoleWithWebIdentity`, which nobody signs.
    WebIdentity {
        /// The role; tags and source identity come from the token, not from here.
        role: Box<RoleCall>,
        /// Where the token comes from.
        token: WebIdentity,
        /// Under which the result may be kept.
        key: Option<Key>,
    },
    /// The machine has them.
    Machine {
        /// The profile.
        profile: String,
        /// Where.
        source: CredentialSource,
    },
    /// A program prints them.
    Process {
        /// The profile.
        profile: String,
        /// The command, for a shell.
        command: String,
        /// Under which the result may be kept.
        key: Option<Key>,
    },
}

/// A call that turns credentials into others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// `sts:GetSessionToken`.
    SessionToken {
        /// The profile.
        profile: String,
        /// For how long.
        duration: Duration,
        /// The device whose code is sent.
        mfa: Option<Mfa>,
        /// Where the call goes.
        at: At,
        /// Under which the result may be kept.
        key: Option<Key>,
    },
    /// `sts:AssumeRole`.
    AssumeRole {
        /// The role and the parameters of its session.
        role: Box<RoleCall>,
        /// The device whose code is sent.
        mfa: Option<Mfa>,
        /// Under which the result may be kept.
        key: Option<Key>,
    },
}

/// A role that is assumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleCall {
    /// The profile.
    pub profile: String,
    /// The role. Without a session name the caller makes one.
    pub role: Role,
    /// A session policy, JSON.
    pub policy: Option<String>,
    /// ARNs of managed policies.
    pub policy_arns: Vec<String>,
    /// For how long, as AWS allows it.
    pub duration: Duration,
    /// For how long it was to be. Where a program gave long-lived keys after all, the cap does not hold and this may be
    /// asked for.
    pub wanted: Duration,
    /// Where the call goes.
    pub at: At,
}

/// Where a call goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct At {
    /// The region.
    pub region: Option<String>,
    /// Addresses that are not those of AWS.
    pub endpoints: Endpoints,
}

/// A device whose code a call needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mfa {
    /// Its ARN or serial number.
    pub serial: String,
    /// The command that prints its codes, where there is one.
    pub process: Option<String>,
}

impl Plan {
    /// The devices for which a code is needed if nothing is cached: none or one.
    pub fn devices(&self) -> impl Iterator<Item = &Mfa> {
        self.steps.iter().filter_map(Step::mfa)
    }

    /// The key of the last result, where it may be kept.
    #[must_use]
    pub fn key(&self) -> Option<&Key> {
        match self.steps.last() {
            Some(step) => step.key(),
            None => self.base.key(),
        }
    }

    /// The same plan with keys that hold for these stored keys only, so that a session of keys that were replaced is not
    /// used.
    #[must_use]
    pub fn bound_to(mut self, access_key_id: &str) -> Self {
        for key in self.steps.iter_mut().filter_map(Step::key_mut) {
            key.fingerprint = fingerprint::bound(&key.fingerprint, access_key_id);
        }
        self
    }
}

impl Base {
    /// The key of the result, where it may be kept.
    #[must_use]
    pub const fn key(&self) -> Option<&Key> {
        match self {
            Self::Keys { .. } | Self::Machine { .. } => None,
            Self::Sso { key, .. } | Self::WebIdentity { key, .. } | Self::Process { key, .. } => key.as_ref(),
        }
    }
}

impl Step {
    /// The device whose code is sent.
    #[must_use]
    pub const fn mfa(&self) -> Option<&Mfa> {
        match self {
            Self::SessionToken { mfa, .. } | Self::AssumeRole { mfa, .. } => mfa.as_ref(),
        }
    }

    /// The key of the result, where it may be kept.
    #[must_use]
    pub const fn key(&self) -> Option<&Key> {
        match self {
            Self::SessionToken { key, .. } | Self::AssumeRole { key, .. } => key.as_ref(),
        }
    }

    const fn key_mut(&mut self) -> Option<&mut Key> {
        match self {
            Self::SessionToken { key, .. } | Self::AssumeRole { key, .. } => key.as_mut(),
        }
    }
}

impl At {
    /// Where the calls of a profile go.
    #[must_use]
    pub fn of(profile: &Profile) -> Self {
        Self { region: profile.region.clone(), endpoints: profile.endpoints.clone() }
    }

    /// What finds the endpoint of a service. For SSO and its sign-in the region is that of the Identity Center
    /// ([`Sso::region`]), else the profile's own.
    #[must_use]
    pub fn locator<'a>(&'a self, service: Service, region: Option<&'a str>) -> Locator<'a> {
        Locator {
            region: region.or(self.region.as_deref()),
            custom: self.endpoints.of(match service {
                Service::Sts => "sts",
                Service::Iam => "iam",
                Service::Sso => "sso",
                Service::Oidc => "sso_oidc",
                Service::SecretsManager => "secrets_manager",
                Service::Ssm => "ssm",
                Service::Kms => "kms",
            }),
            sts: match self.endpoints.sts_regional {
                StsRegional::Legacy => StsEndpoints::Legacy,
                StsRegional::Regional => StsEndpoints::Regional,
            },
            fips: self.endpoints.fips,
            dual_stack: self.endpoints.dual_stack,
        }
    }
}

#[cfg(test)]
mod tests;
