//! SHA-256 over everything that decides what credentials are.
//!
//! # Invariants
//!
//! - Every part has its length before it, so no two lists of parts give the same bytes.
//! - Structures are taken apart in full: a new field does not compile until it is decided whether it counts.

use std::time::Duration;

use crypto::{Digest, Hasher};

use crate::profile::{Endpoints, Role, Sso, StsRegional, WebIdentity};
use crate::source::CredentialSource;
use crate::wire::Partition;

use super::{At, Mfa, RoleCall};

/// Parts on their way to a fingerprint.
pub(super) struct Print(Hasher);

impl Print {
    /// Of one kind of result; another kind has another fingerprint whatever its parts are.
    pub(super) fn of(kind: &str) -> Self {
        Self(Hasher::new()).text(VERSION).text(kind)
    }

    pub(super) fn bytes(mut self, part: &[u8]) -> Self {
        self.0.update(&(part.len() as u64).to_be_bytes());
        self.0.update(part);
        self
    }

    pub(super) fn text(self, part: &str) -> Self {
        self.bytes(part.as_bytes())
    }

    pub(super) fn number(self, number: u64) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    pub(super) fn maybe(self, part: Option<&str>) -> Self {
        match part {
            Some(part) => self.number(1).text(part),
            None => self.number(0),
        }
    }

    pub(super) fn length(self, duration: Option<Duration>) -> Self {
        match duration {
            Some(duration) => self.number(1).number(duration.as_secs()),
            None => self.number(0),
        }
    }

    pub(super) fn list(self, parts: &[String]) -> Self {
        parts.iter().fold(self.number(parts.len() as u64), |print, part| print.text(part))
    }

    /// Where STS is asked. Of the region only what matters counts: credentials of one partition hold in all its regions,
    /// but those of the global address do not hold in the newer ones.
    pub(super) fn sts(self, at: &At) -> Self {
        let At { region, endpoints } = at;
        let Endpoints { all: _, services: _, sts_regional, fips, dual_stack: _, ca_bundle: _ } = endpoints;
        let region = region.as_deref().unwrap_or_default();
        let place = match sts_regional {
            StsRegional::Legacy => region,
            StsRegional::Regional => Partition::of(region).name,
        };
        let legacy = u64::from(*sts_regional == StsRegional::Legacy);
        self.maybe(endpoints.of("sts")).number(legacy).text(place).number(u64::from(*fips))
    }

    pub(super) fn role(self, call: &RoleCall) -> Self {
        // The profile is in the name of the entry; the wish for a duration that was not granted decides nothing.
        let RoleCall { profile: _, role, policy, policy_arns, duration, wanted: _, at } = call;
        let Role { arn, session_name, external_id, tags, transitive_tags, source_identity } = role;
        let print = self.sts(at).text(arn).maybe(session_name.as_deref()).maybe(external_id.as_deref());
        let print = tags
            .iter()
            .fold(print.number(tags.len() as u64), |print, (key, value)| print.text(key).text(value));
        let print = print.list(transitive_tags).maybe(source_identity.as_deref());
        print.maybe(policy.as_deref()).list(policy_arns).length(Some(*duration))
    }

    pub(super) fn sso(self, sso: &Sso, at: &At) -> Self {
        // Neither the name of the session nor the scopes change what the role may do.
        let Sso { session: _, start_url, region, account_id, role_name, scopes: _ } = sso;
        let print = self.maybe(at.endpoints.of("sso")).text(start_url).maybe(region.as_deref());
        print.maybe(account_id.as_deref()).maybe(role_name.as_deref())
    }

    pub(super) fn token(self, token: &WebIdentity) -> Self {
        match token {
            WebIdentity::File(path) => self.text("file").text(path),
            WebIdentity::Process(command) => self.text("process").text(command),
        }
    }

    pub(super) fn machine(self, source: &CredentialSource) -> Self {
        let print = self.text(source.as_str());
        match source {
            CredentialSource::Environment { access_key_id } => print.maybe(access_key_id.as_deref()),
            CredentialSource::Ec2InstanceMetadata | CredentialSource::EcsContainer => print,
        }
    }

    pub(super) fn mfa(self, mfa: Option<&Mfa>) -> Self {
        // Which program prints the code decides nothing.
        self.maybe(mfa.map(|Mfa { serial, process: _ }| serial.as_str()))
    }

    pub(super) fn finish(self) -> Digest {
        self.0.finish()
    }
}

/// A fingerprint that holds for one access key only.
pub(super) fn bound(fingerprint: &Digest, access_key_id: &str) -> Digest {
    Print::of("bound").bytes(fingerprint).text(access_key_id).finish()
}

const VERSION: &str = "doorward aws session 1";
