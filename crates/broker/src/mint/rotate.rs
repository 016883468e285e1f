//! Replaces a key: a new one is made and kept, and only then the old one is deleted.
//!
//! Whatever happens on the way, the keyring holds a key that works: until the new one is kept the old one is there, and from
//! then on the new one. A new key that could not be kept is deleted again; if that fails too, its id is said and recorded.

use std::sync::Arc;
use std::time::Duration;

use aws::chain::{At, Plan};
use aws::iam::Iam;
use aws::sts::Sts;
use aws::wire::{Endpoint, Service};
use model::{Code, Refusal};
use serde_json::json;

use super::needs::Stop;
use super::{Minted, Minting, OfProfile, session};
use crate::Lease;

/// Is told how far a rotation is.
pub trait Progress: Send + Sync {
    /// Something was done, or is about to be.
    fn say(&self, stage: Stage<'_>);
}

/// How far a rotation is.
#[derive(Debug, Clone, Copy)]
pub enum Stage<'a> {
    /// It begins.
    Begun {
        /// Whose key is replaced.
        master: &'a str,
        /// Whether a session is used.
        session: bool,
    },
    /// A new key is asked for.
    Creating,
    /// There is a new key, and it is kept.
    Created(&'a str),
    /// Sessions of a profile were forgotten.
    Forgotten(usize, &'a str),
    /// The old key is about to be deleted.
    Deleting(&'a str),
    /// The old key is gone.
    Deleted(&'a str),
    /// All is done.
    Finished,
}

/// Replaces the key at the root of a profile.
pub(super) async fn run(
    minting: &Minting,
    session: &OfProfile,
    progress: Arc<dyn Progress>,
) -> Result<Minted, Stop> {
    let names = minting.tools.keys.names().await.map_err(|error| minting.keyring(&error))?;
    let stored = |name: &str| names.iter().any(|known| known == name);
    let master =
        aws::chain::master(&session.profile, &stored).map_err(|error| minting.chain(&error))?.name.clone();
    let old = minting.stored_key(&master).await?;
    let direct = session.want.no_session;
    let plan = if direct { None } else { Some(session::plan(minting, session).await?) };
    let rotation = Rotation { minting, session, plan, master, at: At::of(&session.profile) };
    let (signer, user) = rotation.begin(&old).await?;
    progress.say(Stage::Begun { master: &rotation.master, session: !direct });
    if let Some(id) = minting.leftovers.of(&rotation.master).await?.filter(|id| *id != old.access_key_id) {
        // An earlier rotation could not delete it; as long as it is there AWS may refuse a new key.
        rotation.forget(&signer, &id, user.as_deref()).await?;
    }
    progress.say(Stage::Creating);
    let new = rotation.create(&signer, user.as_deref()).await?;
    progress.say(Stage::Created(&new.access_key_id));
    for profile in session.profile.line() {
        let forgotten = minting.forget_sessions(&profile.name).await?;
        if forgotten > 0 {
            progress.say(Stage::Forgotten(forgotten, &profile.name));
        }
    }
    minting.leftovers.set(&rotation.master, Some(&old.access_key_id)).await?;
    progress.say(Stage::Deleting(&old.access_key_id));
    rotation.delete(&old, &new, (&signer, user.as_deref())).await?;
    minting.leftovers.set(&rotation.master, None).await?;
    progress.say(Stage::Deleted(&old.access_key_id));
    progress.say(Stage::Finished);
    let value = json!({ "profile": rotation.master, "old": old.access_key_id, "new": new.access_key_id });
    let fields =
        vec![("profile", rotation.master.clone()), ("old", old.access_key_id), ("new", new.access_key_id)];
    Ok(super::key::done(value, fields))
}

struct Rotation<'a> {
    minting: &'a Minting,
    session: &'a OfProfile,
    /// The way to the credentials that sign; `None` is the key itself.
    plan: Option<Plan>,
    master: String,
    at: At,
}

impl Rotation<'_> {
    /// The credentials that sign, and the name of the user where they are not a session of that user.
    async fn begin(&self, old: &Lease) -> Result<(Lease, Option<String>), Stop> {
        let user =
            match self.session.profile.line().any(|profile| profile.role.is_some()) && self.plan.is_some() {
                // IAM does not tell a role's session whose key it was; the key itself may always ask.
                true => Some(self.user_of(old).await?),
                false => None,
            };
        Ok((self.signer(old).await?, user))
    }

    async fn user_of(&self, key: &Lease) -> Result<String, Stop> {
        let endpoint = self.minting.sts(&self.at)?;
        let who = Sts::new(&self.minting.tools.wire, &endpoint).caller_identity(key).await;
        let who = who.map_err(|error| self.minting.wire(&error))?;
        who.user_name().map(ToOwned::to_owned).ok_or_else(|| {
            let message =
                format!("the key of profile `{}` belongs to no IAM user: `{}`", self.master, who.arn);
            Refusal::new(Code::BadRequest, message).into()
        })
    }

    /// Credentials made with a key, nothing of which is from before.
    async fn signer(&self, key: &Lease) -> Result<Lease, Stop> {
        match &self.plan {
            Some(plan) => Ok(self.minting.steps(super::token::copy(key)?, plan, 0).await?.0),
            None => Ok(super::token::copy(key)?),
        }
    }

    fn iam(&self) -> Result<Endpoint, Stop> {
        self.minting.endpoint(Service::Iam, "iam", &self.at)
    }

    /// Deletes what an earlier rotation left behind.
    async fn forget(&self, signer: &Lease, id: &str, user: Option<&str>) -> Result<(), Stop> {
        let endpoint = self.iam()?;
        let iam = Iam::new(&self.minting.tools.wire, &endpoint, signer);
        iam.delete_access_key(id, user).await.map_err(|error| self.minting.wire(&error))?;
        Ok(self.minting.leftovers.set(&self.master, None).await?)
    }

    /// Makes a key and keeps it. One that can't be kept is deleted again.
    async fn create(&self, signer: &Lease, user: Option<&str>) -> Result<Lease, Stop> {
        let endpoint = self.iam()?;
        let iam = Iam::new(&self.minting.tools.wire, &endpoint, signer);
        let made = iam.create_access_key(user).await.map_err(|error| self.uncreated(&error))?;
        let new = Lease {
            access_key_id: made.access_key_id,
            secret_access_key: made.secret_access_key,
            session_token: None,
            expiration: None,
        };
        if let Err(refusal) = self.minting.store_key(&self.master, &new).await {
            let left = match iam.delete_access_key(&new.access_key_id, user).await {
                Ok(_) => "it was deleted again".to_owned(),
                Err(_) => {
                    format!("delete it: `aws iam delete-access-key --access-key-id {}`", new.access_key_id)
                }
            };
            let message = format!("the new key could not be kept: {}", refusal.message);
            return Err(Refusal::new(refusal.code, message).hint(left).into());
        }
        Ok(new)
    }

    fn uncreated(&self, error: &aws::wire::Error) -> Refusal {
        let refusal = self.minting.wire(error);
        let asks = self.plan.as_ref().is_some_and(|plan| plan.devices().next().is_some());
        if self.plan.is_some() && !asks && matches!(error, aws::wire::Error::Refused(_)) {
            return refusal.hint("IAM takes a session without an MFA code for nothing; `--no-session` signs with the key itself");
        }
        refusal
    }

    /// Deletes the old key. AWS needs some seconds until it knows the new one, so this is tried for a while.
    async fn delete(
        &self,
        old: &Lease,
        new: &Lease,
        (first, user): (&Lease, Option<&str>),
    ) -> Result<(), Stop> {
        let endpoint = self.iam()?;
        let asks = self.plan.as_ref().is_some_and(|plan| plan.devices().next().is_some());
        let (mut fresh, mut tries, mut waited) = (None, 0, Duration::ZERO);
        loop {
            tries += 1;
            // A code is good for one session, so where one was asked for, that session signs this as well.
            let outcome = match (asks, &fresh) {
                (true, _) => self.deleted(&endpoint, first, old, user).await,
                (false, Some(signer)) => self.deleted(&endpoint, signer, old, user).await,
                (false, None) => match self.signer(new).await {
                    Ok(signer) => self.deleted(&endpoint, fresh.insert(signer), old, user).await,
                    Err(Stop::Refused(refusal)) => Err(refusal.message),
                    Err(needs @ Stop::Needs(_)) => return Err(needs),
                },
            };
            let Err(last) = outcome else { return Ok(()) };
            if waited >= LONGEST {
                return Err(self.left(old, tries, &last).into());
            }
            self.minting.tools.wire.rest(PAUSE).await;
            waited += PAUSE;
        }
    }

    async fn deleted(
        &self,
        endpoint: &Endpoint,
        signer: &Lease,
        old: &Lease,
        user: Option<&str>,
    ) -> Result<(), String> {
        let iam = Iam::new(&self.minting.tools.wire, endpoint, signer);
        iam.delete_access_key(&old.access_key_id, user).await.map(|_| ()).map_err(|error| error.to_string())
    }

    /// The new key is in place, and the old one is still good: said in full, as nobody else knows it any more.
    fn left(&self, old: &Lease, tries: u32, last: &str) -> Refusal {
        let id = &old.access_key_id;
        let masked = masked(id);
        let message =
            format!("Can't delete old access key {masked}: After {tries} attempts, last error: {last}");
        Refusal::new(Code::UpstreamReply, message).hint(format!(
            "the new key is stored; delete the old one: `aws iam delete-access-key --access-key-id {id}`"
        ))
    }
}

/// The last four characters of an id.
fn masked(id: &str) -> String {
    let keep = id.len().saturating_sub(4);
    format!("{}{}", "*".repeat(keep), id.get(keep..).unwrap_or_default())
}

const PAUSE: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(20);
