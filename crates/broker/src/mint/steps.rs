//! The calls of a plan: each is signed by what the one before gave.

use std::time::Duration;

use aws::chain::{At, Base, Mfa, Plan, RoleCall, Step};
use aws::mfa::Code;
use aws::process::Edges;
use aws::profile::{StsRegional, WebIdentity};
use aws::session::{Entry, Key, Name};
use aws::sts::{AssumeRole, Sts};
use aws::wire::{Endpoint, Locator, Service, StsEndpoints};
use keyring::{Item, Trust};
use model::Timestamp;

use super::needs::{Needs, Stop};
use super::{Minting, OfProfile};
use crate::Lease;

impl Minting {
    /// Performs the steps behind the first `done`. Says whether there were any.
    pub(super) async fn steps(
        &self,
        mut lease: Lease,
        plan: &Plan,
        done: usize,
    ) -> Result<(Lease, bool), Stop> {
        let left = plan.steps.get(done..).unwrap_or_default();
        // Before the first call: what was made with a code must not be thrown away because another code is lacking.
        for device in left.iter().filter_map(Step::mfa) {
            self.code(device).await?;
        }
        for step in left {
            let code = match step.mfa() {
                Some(device) => Some(self.code(device).await?),
                None => None,
            };
            lease = self.step(&lease, step, code).await?;
            self.keep(step.key(), &lease).await?;
        }
        Ok((lease, !left.is_empty()))
    }

    async fn step(&self, lease: &Lease, step: &Step, code: Option<&Code>) -> Result<Lease, Stop> {
        let wrong = |error: aws::wire::Error| Stop::from(self.wire(&error));
        match step {
            Step::SessionToken { duration, mfa, at, .. } => {
                let endpoint = self.sts(at)?;
                let mfa = with_code(mfa.as_ref(), code);
                Sts::new(&self.tools.wire, &endpoint)
                    .session_token(lease, Some(*duration), mfa)
                    .await
                    .map_err(wrong)
            }
            Step::AssumeRole { role, mfa, .. } => {
                // A cap for a session does not hold where the credentials below turned out to be long-lived.
                let duration = if lease.session_token.is_none() { role.wanted } else { role.duration };
                self.assume(lease, role, duration, with_code(mfa.as_ref(), code)).await
            }
        }
    }

    /// Assumes a role with these credentials.
    pub(super) async fn assume(
        &self,
        lease: &Lease,
        call: &RoleCall,
        duration: Duration,
        mfa: Option<aws::sts::Mfa<'_>>,
    ) -> Result<Lease, Stop> {
        let endpoint = self.sts(&call.at)?;
        let name = self.session_name(call);
        let tags: Vec<(String, String)> = call.role.tags.clone().into_iter().collect();
        let ask = AssumeRole {
            role_arn: &call.role.arn,
            session_name: &name,
            duration: Some(duration),
            external_id: call.role.external_id.as_deref(),
            tags: &tags,
            transitive_tags: &call.role.transitive_tags,
            source_identity: call.role.source_identity.as_deref(),
            policy: call.policy.as_deref(),
            policy_arns: &call.policy_arns,
            mfa,
        };
        let assumed = Sts::new(&self.tools.wire, &endpoint).assume_role(lease, &ask).await;
        Ok(assumed.map_err(|error| self.wire(&error))?.lease)
    }

    /// The first credentials of a plan that does not begin with stored keys.
    pub(super) async fn base(&self, session: &OfProfile, base: &Base) -> Result<Lease, Stop> {
        match base {
            Base::Keys { profile } => Ok(self.stored_key(profile).await?),
            Base::Sso { sso, at, .. } => self.sso_credentials(session, sso, at).await,
            Base::WebIdentity { role, token, .. } => self.web_identity(role, token).await,
            Base::Machine { source, .. } => match &self.given.credentials {
                Some(found) => Ok(super::token::copy(found)?),
                None => Err(Stop::Needs(Needs::Machine { source: source.clone() })),
            },
            Base::Process { command, .. } => match &self.given.credentials {
                Some(printed) => Ok(super::token::copy(printed)?),
                None => Err(Stop::Needs(Needs::Credentials { command: command.clone() })),
            },
        }
    }

    async fn web_identity(&self, call: &RoleCall, token: &WebIdentity) -> Result<Lease, Stop> {
        let read;
        // Where another program's words are spoken, so are its bytes.
        let edges = if self.tools.words.is_some() { Edges::Kept } else { Edges::Trimmed };
        let token = match (token, &self.given.token) {
            (WebIdentity::File(path), _) => {
                read =
                    aws::process::token_file(path.as_ref(), edges).map_err(|error| self.process(&error))?;
                &read
            }
            (WebIdentity::Process(_), Some(printed)) => printed,
            (WebIdentity::Process(command), None) => {
                return Err(Stop::Needs(Needs::Token { command: command.clone() }));
            }
        };
        let endpoint = self.sts(&call.at)?;
        let name = self.session_name(call);
        let ask = aws::sts::WebIdentity {
            role_arn: &call.role.arn,
            session_name: &name,
            token,
            duration: Some(call.duration),
            policy: call.policy.as_deref(),
            policy_arns: &call.policy_arns,
        };
        let assumed = Sts::new(&self.tools.wire, &endpoint).assume_role_with_web_identity(&ask).await;
        Ok(assumed.map_err(|error| self.wire(&error))?.lease)
    }

    /// The name of a role's session; where nobody chose one, the time in nanoseconds, as other programs do.
    fn session_name(&self, call: &RoleCall) -> String {
        match &call.role.session_name {
            Some(name) => name.clone(),
            None => format!("{}000000", self.tools.wire.first().millis()),
        }
    }

    /// Keeps a lease under its key, where it has one.
    pub(super) async fn keep(&self, key: Option<&Key>, lease: &Lease) -> Result<(), Stop> {
        let (Some(key), Some(end), true) = (key, lease.expiration, lease.session_token.is_some()) else {
            return Ok(());
        };
        let name = self.free_name(key, end).await;
        let item = Item {
            name: name.to_string(),
            secret: aws::session::session_to_json(lease, &key.fingerprint)
                .map_err(|error| self.form(&error))?,
            label: aws::session::session_item_label(&key.profile, end),
            description: aws::session::SESSION_ITEM_DESCRIPTION.to_owned(),
            trust: Trust::Application,
        };
        self.forget_superseded(key).await;
        // The credentials are in hand: that they can't be kept costs the next call time, not this one.
        if let Err(error) = self.tools.sessions.write(item).await {
            tracing::warn!(%error, "the session could not be kept");
        }
        Ok(())
    }

    /// The name of a session that ends then. A name says less than a key does: where a session for something else that ends
    /// in the same second has it, this one says that it ends a second earlier.
    async fn free_name(&self, key: &Key, end: Timestamp) -> Name {
        let first = key.name(end);
        let Ok(names) = self.tools.sessions.names().await else { return first };
        for seconds in 0..MOST_AT_ONCE {
            let name = key.name(Timestamp::from_millis(end.millis().saturating_sub(seconds * 1000)));
            let entry = name.to_string();
            if !names.contains(&entry) || !self.is_anothers(key, &entry).await {
                return name;
            }
        }
        first
    }

    /// Whether an entry holds a session for something else, which would be lost. What can't be read is worth nothing.
    async fn is_anothers(&self, key: &Key, entry: &str) -> bool {
        let Ok(item) = self.tools.sessions.read(&self.lending, entry).await else { return false };
        let kept = super::token::read(&item.secret, aws::session::session_from_json);
        kept.is_ok_and(|kept| kept.fingerprint != Some(key.fingerprint))
    }

    /// Takes away sessions of the same key that have too little time left to be used again.
    async fn forget_superseded(&self, key: &Key) {
        let Ok(names) = self.tools.sessions.names().await else { return };
        let now = self.tools.wire.now();
        let same = |name: &&String| match Entry::of(name) {
            Entry::Session(name) => {
                name.kind == key.kind && name.profile == key.profile && name.mfa == key.mfa
            }
            _ => false,
        };
        let lasting = key.candidates(names.iter().map(String::as_str), now, self.margin);
        let over = |name: &&String| !lasting.iter().any(|(lasting, _)| lasting == name);
        let old: Vec<String> = names.iter().filter(same).filter(over).cloned().collect();
        if let Err(error) = self.tools.sessions.remove(old).await {
            tracing::debug!(%error, "a session could not be taken away");
        }
    }

    pub(super) fn sts(&self, at: &At) -> Result<Endpoint, Stop> {
        self.endpoint(Service::Sts, "sts", at)
    }

    /// Where a service is asked.
    pub(super) fn endpoint(&self, service: Service, name: &str, at: &At) -> Result<Endpoint, Stop> {
        let locator = Locator {
            region: at.region.as_deref(),
            custom: at.endpoints.of(name),
            sts: match at.endpoints.sts_regional {
                StsRegional::Legacy => StsEndpoints::Legacy,
                StsRegional::Regional => StsEndpoints::Regional,
            },
            fips: at.endpoints.fips,
            dual_stack: at.endpoints.dual_stack,
        };
        Endpoint::locate(service, &locator).map_err(|error| self.wire(&error).into())
    }
}

/// So many sessions of one profile that end in one second are kept apart.
const MOST_AT_ONCE: u64 = 60;

fn with_code<'a>(device: Option<&'a Mfa>, code: Option<&'a Code>) -> Option<aws::sts::Mfa<'a>> {
    Some(aws::sts::Mfa { serial: &device?.serial, code: code?.digits() })
}
