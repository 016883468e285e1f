//! A profile as it is after inheritance, environment and command line.
//!
//! [`resolve()`] follows the rules of the specification (2.2 to 2.4). A [`Profile`] holds no secret: it may be printed,
//! compared, and sent to a running broker as JSON.
//!
//! # Invariants
//!
//! - A chain of sources ends: a cycle is an error that names it, and [`LONGEST_CHAIN`] bounds its length.
//! - What was ignored or came from an unexpected place is said in [`Profile::warnings`].

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::file::{DEFAULT, File, Section};
use crate::source::CredentialSource;

mod duration;
mod error;
mod layers;
mod resolve;
mod setting;
mod warning;

pub use duration::{parse_duration, show_duration};
pub use error::Error;
pub use resolve::{LONGEST_CHAIN, Overrides, resolve};
pub use warning::Warning;

/// A profile, ready to be planned ([`crate::chain::plan()`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// As it was asked for.
    pub name: String,
    /// The region, for calls and for the child.
    pub region: Option<String>,
    /// The MFA device: an ARN, or the serial number of a hardware token.
    pub mfa_serial: Option<String>,
    /// A command that prints MFA codes.
    pub mfa_process: Option<String>,
    /// The role to assume.
    pub role: Option<Role>,
    /// How long credentials are to live.
    pub durations: Durations,
    /// IAM Identity Center.
    pub sso: Option<Sso>,
    /// Where an identity token for `AssumeRoleWithWebIdentity` comes from.
    pub web_identity: Option<WebIdentity>,
    /// A command that prints credentials.
    pub credential_process: Option<String>,
    /// Where on this machine the credentials come from that assume the role.
    pub credential_source: Option<CredentialSource>,
    /// Where calls go.
    pub endpoints: Endpoints,
    /// A session policy, JSON, that narrows the role.
    pub policy: Option<String>,
    /// ARNs of managed policies that narrow the role.
    pub policy_arns: Vec<String>,
    /// The command that opens a sign-in page, where it is not the system's.
    pub login_command: Option<String>,
    /// A cached session with less than this left is replaced.
    pub cache_margin: Duration,
    /// The profile whose credentials sign the calls of this one.
    pub source: Option<Box<Profile>>,
    /// What was ignored or is surprising, of this profile alone.
    pub warnings: Vec<Warning>,
}

/// A role and the parameters of its session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// The ARN.
    pub arn: String,
    /// The session name; without one the caller makes one.
    pub session_name: Option<String>,
    /// The external id that the role's trust policy asks for.
    pub external_id: Option<String>,
    /// Session tags.
    pub tags: BTreeMap<String, String>,
    /// Which tags go on to chained roles.
    pub transitive_tags: Vec<String>,
    /// The source identity.
    pub source_identity: Option<String>,
}

/// How long credentials are to live, unless AWS caps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Durations {
    /// Of an assumed role; 1 h unless said.
    pub role: Duration,
    /// Of a session for the named profile; 1 h unless said.
    pub session: Duration,
    /// Whether `session` was said. A cached session serves those who said nothing whatever its length was.
    pub session_chosen: bool,
    /// Of a session that only assumes roles; 8 h unless said.
    pub chained_session: Duration,
    /// Of a federation token for the console; 1 h unless said.
    pub federation: Duration,
}

/// IAM Identity Center.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sso {
    /// The name of the `[sso-session]`, where there is one.
    pub session: Option<String>,
    /// The start URL; names the stored token.
    pub start_url: String,
    /// The region of the Identity Center.
    pub region: Option<String>,
    /// The account.
    pub account_id: Option<String>,
    /// The name of the permission set.
    pub role_name: Option<String>,
    /// Which scopes are asked for at registration.
    pub scopes: Vec<String>,
}

/// Where an identity token comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebIdentity {
    /// A file that holds it.
    File(String),
    /// A command that prints it.
    Process(String),
}

/// Where calls go, after all rules of precedence.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoints {
    /// For every service without one of its own; the child gets it as `AWS_ENDPOINT_URL`.
    pub all: Option<String>,
    /// By service: one of [`SERVICES`].
    pub services: BTreeMap<String, String>,
    /// Whether STS of the old regions is reached at its global address.
    pub sts_regional: StsRegional,
    /// Whether the addresses are to be those of FIPS 140.
    pub fips: bool,
    /// Whether the addresses are to be those with IPv6.
    pub dual_stack: bool,
    /// A file of certificates that are trusted instead of the system's.
    pub ca_bundle: Option<String>,
}

impl Endpoints {
    /// The address for a service, one of [`SERVICES`]; none where it is the one that AWS publishes.
    #[must_use]
    pub fn of(&self, service: &str) -> Option<&str> {
        self.services.get(service).or(self.all.as_ref()).map(String::as_str)
    }
}

/// Which address of STS the regions of before 2019 use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StsRegional {
    /// The global one.
    Legacy,
    /// That of the region.
    #[default]
    Regional,
}

/// The services that this crate calls, as AWS writes them in settings.
pub const SERVICES: [&str; 5] = ["sts", "iam", "sso", "sso_oidc", "signin"];

impl Profile {
    /// This profile and its sources, the profile first.
    pub fn line(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |profile| profile.source.as_deref())
    }

    /// What everything that this profile gives is made from, as a name: a sign-in's address, else the last profile of the line.
    #[must_use]
    pub fn root(&self) -> &str {
        let last = self.line().last().unwrap_or(self);
        last.sso.as_ref().map_or(&last.name, |sso| &sso.start_url)
    }

    /// All warnings of the profile and its sources, without repetitions.
    #[must_use]
    pub fn all_warnings(&self) -> Vec<&Warning> {
        let mut all: Vec<&Warning> = Vec::new();
        for warning in self.line().flat_map(|profile| &profile.warnings) {
            if !all.contains(&warning) {
                all.push(warning);
            }
        }
        all
    }
}

/// The profiles to show: in file order, each once. `[default]` is left out where none of its keys means anything here.
#[must_use]
pub fn names(file: &File) -> Vec<&str> {
    let bare = |section: Section<'_>| !setting::KNOWN.iter().any(|key| section.get(key).is_some());
    let hidden = !file.spells_profile_default() && file.section(DEFAULT).is_some_and(bare);
    file.profiles().filter(|name| !(hidden && *name == DEFAULT)).collect()
}

/// Sees that a name is one of a profile: it has a section or stored keys. `stored` says whether keys are stored under a name.
///
/// # Errors
/// When there is neither.
pub fn known(file: &File, stored: &dyn Fn(&str) -> bool, name: &str) -> Result<(), Error> {
    if file.section(name).is_some() || stored(name) {
        Ok(())
    } else {
        Err(Error::Unknown { name: name.to_owned(), path: file.path().to_owned() })
    }
}

#[cfg(test)]
mod tests;
