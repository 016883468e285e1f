//! Replaces a key: a new one is made and kept, and only then the old one is deleted.
//!
//! Whatever happens on the way, the keyring holds a key that works: until the new one is kept the old one is there, and from
//! then on the new one. A new key that could not be kept is deleted again. What a rotation leaves behind because it was
//! interrupted is noted ([`super::unfinished`]) and cleared away by the next one ([`super::mend`]).

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use aws::chain::{At, Plan};
use aws::iam::{Iam, KeyStatus};
use aws::sts::Sts;
use aws::wire::{Endpoint, Service};
use model::{Code, Refusal};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::needs::{Needs, Stop};
use super::unfinished::Note;
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
    /// An interrupted rotation left a key behind, which is about to be deleted.
    Mending(&'a str),
    /// An interrupted rotation may have left this key behind, and nothing here says that it may be deleted.
    Left(&'a str),
    /// A new key is asked for.
    Creating,
    /// There is a new key, and it is kept.
    Created(&'a str),
    /// Sessions of a profile were forgotten.
    Forgotten(usize, &'a str),
    /// The old key is inactive.
    Deactivated(&'a str),
    /// The old key is about to be deleted.
    Deleting(&'a str),
    /// The old key is gone.
    Deleted(&'a str),
    /// All is done.
    Finished,
}

/// What becomes of the key that was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OldKey {
    /// It is deleted.
    Deleted,
    /// It is made inactive, and the next rotation deletes it: whoever still has it can be found first.
    Deactivated,
}

/// Replaces the key at the root of a profile.
pub(super) async fn run(
    minting: &Minting,
    session: &OfProfile,
    (becomes, progress): (OldKey, Arc<dyn Progress>),
) -> Result<Minted, Stop> {
    // A rotation can't begin from the start, so its calls are made in place; it may rest elsewhere.
    if !minting.tools.wire.stays() {
        return Err(Stop::Needs(Needs::Answer));
    }
    let names = minting.tools.keys.names().await.map_err(|error| minting.keyring(&error))?;
    let stored = |name: &str| names.iter().any(|known| known == name);
    let master =
        aws::chain::master(&session.profile, &stored).map_err(|error| minting.chain(&error))?.name.clone();
    let old = minting.stored_key(&master).await?;
    lasting(minting, &master, &old)?;
    let direct = session.want.no_session;
    let plan = if direct { None } else { Some(session::plan(minting, session).await?.plan) };
    let at = At::of(&session.profile);
    let mut rotation = Rotation { minting, session, plan, master, at, user: None, becomes, progress };
    let left = minting.given.left.ending.lock().unwrap_or_else(PoisonError::into_inner).take();
    let ending = match left {
        Some(left) => {
            rotation.user.clone_from(&left.user);
            left
        }
        None => {
            let signer = rotation.begin(&old).await?;
            rotation.replace(old, signer).await?
        }
    };
    let (old, new) = rotation.finish(ending).await?;
    let value = json!({ "profile": rotation.master, "old": old.access_key_id, "new": new.access_key_id });
    let fields =
        vec![("profile", rotation.master.clone()), ("old", old.access_key_id), ("new", new.access_key_id)];
    Ok(super::key::done(value, fields))
}

/// Refuses a temporary key: IAM has none to replace, and what it makes in its place lasts.
fn lasting(minting: &Minting, master: &str, key: &Lease) -> Result<(), Stop> {
    session::check_end(minting, master, key)?;
    if key.session_token.is_none() && key.expiration.is_none() {
        return Ok(());
    }
    let message =
        format!("the key of profile `{master}` is temporary, and only one that lasts can be rotated");
    let hint = "IAM has the long-lived keys of a user only: store one with `doorward aws add`";
    Err(Refusal::new(Code::BadRequest, message).hint(hint).into())
}

/// What is left of a rotation once the new key is kept.
pub(super) struct Ending {
    old: Lease,
    new: Lease,
    /// What signed so far.
    first: Lease,
    user: Option<String>,
    tries: u32,
    waited: Duration,
}

pub(super) struct Rotation<'a> {
    pub(super) minting: &'a Minting,
    session: &'a OfProfile,
    /// The way to the credentials that sign; `None` is the key itself.
    plan: Option<Plan>,
    pub(super) master: String,
    at: At,
    /// The name of the user where the credentials that sign are not a session of that user.
    pub(super) user: Option<String>,
    becomes: OldKey,
    pub(super) progress: Arc<dyn Progress>,
}

impl Rotation<'_> {
    /// The credentials that sign.
    async fn begin(&mut self, old: &Lease) -> Result<Lease, Stop> {
        if self.session.profile.line().any(|profile| profile.role.is_some()) && self.plan.is_some() {
            // IAM does not tell a role's session whose key it was; the key itself may always ask.
            self.user = Some(self.user_of(old).await?);
        }
        self.signer(old).await
    }

    /// The rotation itself, up to the old key. Each line that changes something leaves a state from which the next rotation
    /// goes on.
    async fn replace(&self, old: Lease, signer: Lease) -> Result<Ending, Stop> {
        let (progress, unfinished) = (&self.progress, &self.minting.unfinished);
        progress.say(Stage::Begun { master: &self.master, session: !self.session.want.no_session });
        let mut asked = self.mend(&old.access_key_id, &signer).await?;
        let unknown = asked.len();
        asked.push(self.minting.tools.wire.now());
        let mut note = Note { old: old.access_key_id.clone(), new: None, asked };
        unfinished.keep(&self.master, &note).await?;
        progress.say(Stage::Creating);
        let new = match self.create(&signer).await {
            Ok(new) => new,
            Err(NotCreated { refusal, refused: true }) => {
                // Nothing was made: what is not known is what was not known before.
                note.asked.truncate(unknown);
                self.unmade(&note).await?;
                return Err(self.seen_before(refusal, unknown).into());
            }
            Err(NotCreated { refusal, refused: false }) => return Err(unread(refusal).into()),
        };
        note.new = Some(new.access_key_id.clone());
        unfinished.keep(&self.master, &note).await?;
        self.store(&new, &signer).await?;
        progress.say(Stage::Created(&new.access_key_id));
        for profile in self.session.profile.line() {
            let forgotten = self.minting.forget_sessions(&profile.name).await?;
            if forgotten > 0 {
                progress.say(Stage::Forgotten(forgotten, &profile.name));
            }
        }
        if self.becomes == OldKey::Deleted {
            progress.say(Stage::Deleting(&old.access_key_id));
        }
        Ok(Ending { old, new, first: signer, user: self.user.clone(), tries: 0, waited: Duration::ZERO })
    }

    /// Ends the old key, and says so.
    async fn finish(&self, ending: Ending) -> Result<(Lease, Lease), Stop> {
        let Ending { old, new, .. } = self.end(ending).await?;
        let progress = &self.progress;
        match self.becomes {
            // The note stays, so that the next rotation deletes it.
            OldKey::Deactivated => progress.say(Stage::Deactivated(&old.access_key_id)),
            OldKey::Deleted => {
                self.minting.unfinished.forget(&self.master, &old.access_key_id).await?;
                progress.say(Stage::Deleted(&old.access_key_id));
            }
        }
        progress.say(Stage::Finished);
        Ok((old, new))
    }

    /// Goes back to the note that was there before a key was asked for.
    async fn unmade(&self, note: &Note) -> Result<(), Refusal> {
        match note.asked.is_empty() {
            true => self.minting.unfinished.forget(&self.master, &note.old).await,
            false => self.minting.unfinished.keep(&self.master, note).await,
        }
    }

    /// A refusal to make a key, where an interrupted rotation may be the reason.
    fn seen_before(&self, refusal: Refusal, unknown: usize) -> Refusal {
        if unknown == 0 {
            return refusal;
        }
        refusal.hint(format!(
            "an earlier rotation of `{}` was interrupted while AWS made a key, and AWS does not tell whether it did: \
             `aws iam list-access-keys` shows it; delete the one that is not stored here",
            self.master
        ))
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

    pub(super) fn iam(&self) -> Result<Endpoint, Stop> {
        self.minting.endpoint(Service::Iam, "iam", &self.at)
    }

    /// Makes a key.
    async fn create(&self, signer: &Lease) -> Result<Lease, NotCreated> {
        let endpoint = self.iam().map_err(NotCreated::before)?;
        let iam = Iam::new(&self.minting.tools.wire, &endpoint, signer);
        let made = iam.create_access_key(self.user.as_deref()).await.map_err(|error| NotCreated {
            refused: matches!(error, aws::wire::Error::Refused(_)),
            refusal: self.uncreated(&error),
        })?;
        Ok(Lease {
            access_key_id: made.access_key_id,
            secret_access_key: made.secret_access_key,
            session_token: None,
            expiration: None,
        })
    }

    /// Keeps the new key. One that can't be kept is deleted again.
    async fn store(&self, new: &Lease, signer: &Lease) -> Result<(), Stop> {
        let Err(refusal) = self.minting.store_key(&self.master, new).await else { return Ok(()) };
        let endpoint = self.iam()?;
        let iam = Iam::new(&self.minting.tools.wire, &endpoint, signer);
        let left = match iam.delete_access_key(&new.access_key_id, self.user.as_deref()).await {
            Ok(_) => {
                let old = self.minting.stored_key(&self.master).await;
                if let Ok(old) = old {
                    self.minting.unfinished.forget(&self.master, &old.access_key_id).await?;
                }
                "it was deleted again".to_owned()
            }
            Err(_) => format!("delete it: `aws iam delete-access-key --access-key-id {}`", new.access_key_id),
        };
        let message = format!("the new key could not be kept: {}", refusal.message);
        Err(Refusal::new(refusal.code, message).hint(left).into())
    }

    fn uncreated(&self, error: &aws::wire::Error) -> Refusal {
        let refusal = self.minting.wire(error);
        if error.code() == Some("LimitExceeded") {
            return refusal.hint(
                "AWS lets a user have two keys, and nothing here says that the other one may be deleted: \
                 `aws iam list-access-keys` shows both",
            );
        }
        let asks = self.plan.as_ref().is_some_and(|plan| plan.devices().next().is_some());
        if self.plan.is_some() && !asks && matches!(error, aws::wire::Error::Refused(_)) {
            return refusal.hint("IAM takes a session without an MFA code for nothing; `--no-session` signs with the key itself");
        }
        refusal
    }

    /// Deletes the old key, or makes it inactive. AWS needs some seconds until it knows the new one, so this is tried for a while.
    async fn end(&self, mut ending: Ending) -> Result<Ending, Stop> {
        let endpoint = self.iam()?;
        let asks = self.plan.as_ref().is_some_and(|plan| plan.devices().next().is_some());
        let mut fresh = None;
        loop {
            ending.tries += 1;
            let Ending { old, new, first, tries, waited, .. } = &ending;
            // A code is good for one session, so where one was asked for, that session signs this as well.
            let outcome = match (asks, &fresh) {
                (true, _) => self.ended(&endpoint, first, old).await,
                (false, Some(signer)) => self.ended(&endpoint, signer, old).await,
                (false, None) => match self.signer(new).await {
                    Ok(signer) => self.ended(&endpoint, fresh.insert(signer), old).await,
                    Err(Stop::Refused(refusal)) => Err(refusal.message),
                    Err(needs @ Stop::Needs(_)) => return Err(needs),
                },
            };
            let Err(last) = outcome else { return Ok(ending) };
            if *waited >= LONGEST {
                return Err(self.left(old, *tries, &last).into());
            }
            ending.waited += PAUSE;
            if !self.minting.tools.wire.rests(PAUSE).await {
                let mut left = self.minting.given.left.ending.lock().unwrap_or_else(PoisonError::into_inner);
                *left = Some(ending);
                let millis = u64::try_from(PAUSE.as_millis()).unwrap_or_default();
                return Err(Stop::Needs(Needs::Rest { millis }));
            }
        }
    }

    async fn ended(&self, endpoint: &Endpoint, signer: &Lease, old: &Lease) -> Result<(), String> {
        let iam = Iam::new(&self.minting.tools.wire, endpoint, signer);
        let (id, user) = (&old.access_key_id, self.user.as_deref());
        let ended = match self.becomes {
            OldKey::Deleted => iam.delete_access_key(id, user).await.map(|_| ()),
            OldKey::Deactivated => iam.update_access_key(id, KeyStatus::Inactive, user).await,
        };
        ended.map_err(|error| error.to_string())
    }

    /// The new key is in place, and the old one is still good: said in full, as nobody else knows it any more.
    fn left(&self, old: &Lease, tries: u32, last: &str) -> Refusal {
        let id = &old.access_key_id;
        let masked = masked(id);
        let (verb, next) = match self.becomes {
            OldKey::Deleted => {
                ("delete", format!("delete the old one: `aws iam delete-access-key --access-key-id {id}`"))
            }
            OldKey::Deactivated => (
                "deactivate",
                format!(
                    "deactivate the old one: `aws iam update-access-key --status Inactive --access-key-id {id}`"
                ),
            ),
        };
        let message =
            format!("Can't {verb} old access key {masked}: After {tries} attempts, last error: {last}");
        Refusal::new(Code::UpstreamReply, message).hint(format!("the new key is stored; {next}"))
    }
}

/// No key was made, or nobody knows whether one was.
struct NotCreated {
    refusal: Refusal,
    /// AWS said so, so that there is none.
    refused: bool,
}

impl NotCreated {
    /// Nothing was sent.
    fn before(stop: Stop) -> Self {
        let refusal = match stop {
            Stop::Refused(refusal) => refusal,
            Stop::Needs(_) => Refusal::new(Code::SourceUnavailable, "there is no way to IAM"),
        };
        Self { refusal, refused: true }
    }
}

/// The answer to the call that makes a key was not read.
fn unread(refusal: Refusal) -> Refusal {
    refusal.hint(
        "AWS may have made a key: the next `rotate` finds it and deletes it; the stored key works as before",
    )
}

/// The last four characters of an id.
fn masked(id: &str) -> String {
    let keep = id.len().saturating_sub(4);
    format!("{}{}", "*".repeat(keep), id.get(keep..).unwrap_or_default())
}

pub(super) const PAUSE: Duration = Duration::from_secs(2);
pub(super) const LONGEST: Duration = Duration::from_secs(20);
