//! From a profile to its credentials: the plan, what is kept of it, the calls that are left.

use aws::chain::{self, Base, Gives, Plan, Purpose, RoleCall, Want};
use aws::session::Key;
use model::{Code, Refusal};
use serde_json::json;

use super::fields::{self, From};
use super::needs::Stop;
use super::{Minted, Minting, OfProfile};
use crate::Lease;

/// Credentials of a profile.
pub(super) async fn get(minting: &Minting, session: &OfProfile) -> Result<Minted, Stop> {
    let way = plan(minting, session).await?;
    if way.plan.gives == Gives::StoredKeys {
        let message =
            format!("profile `{}` gives its stored key, which is a disclosure", session.profile.name);
        return Err(Refusal::new(Code::Denied, message).hint("`--no-session` asks for it").into());
    }
    let (lease, from) = walk(minting, session, way).await?;
    Ok(minted(session, lease, from))
}

/// The stored key of a profile, as it is. Where the profile takes a role all the same, its credentials are given.
pub(super) async fn disclose(minting: &Minting, session: &OfProfile) -> Result<Minted, Stop> {
    let way = plan(minting, session).await?;
    let (lease, from) = walk(minting, session, way).await?;
    Ok(minted(session, lease, from))
}

/// Credentials of a role, with those of a profile that were lent before.
pub(super) async fn assume(minting: &Minting, base: &Lease, call: &RoleCall) -> Result<Minted, Stop> {
    let lease = minting.assume(base, call, call.duration, None).await?;
    let fields = vec![
        ("profile".to_owned(), call.profile.clone()),
        ("access_key_id".to_owned(), lease.access_key_id.clone()),
        ("from".to_owned(), From::Made.as_str().to_owned()),
        ("role".to_owned(), call.role.arn.clone()),
    ];
    let value =
        json!({ "profile": call.profile, "role": call.role.arn, "access_key_id": lease.access_key_id });
    Ok(Minted { lease: Some(Box::new(lease)), value, fields })
}

fn minted(session: &OfProfile, lease: Lease, from: From) -> Minted {
    let fields = fields::of(&session.profile, &lease, from);
    let value = json!({
        "profile": session.profile.name,
        "access_key_id": lease.access_key_id,
        "expiration": lease.expiration.map(aws::session::rfc3339),
        "from": from.as_str(),
    });
    Minted { lease: Some(Box::new(lease)), value, fields }
}

/// The way to credentials.
pub(super) struct Way {
    pub(super) plan: Plan,
    /// The entries that there were when it was planned: of the keyring with sessions, where that is the one with keys.
    names: Option<Vec<String>>,
}

/// The way to the credentials, as it is before any key was read.
pub(super) async fn plan(minting: &Minting, session: &OfProfile) -> Result<Way, Stop> {
    let names = minting.tools.keys.names().await.map_err(|error| minting.keyring(&error))?;
    let plan = planned(minting, session, (&names, session.want))?;
    Ok(Way { plan, names: minting.tools.sessions.is(&minting.tools.keys).then_some(names) })
}

fn planned(minting: &Minting, session: &OfProfile, (names, want): (&[String], Want)) -> Result<Plan, Stop> {
    let stored = |name: &str| names.iter().any(|known| known == name);
    chain::plan(&session.profile, &stored, &want).map_err(|error| minting.chain(&error).into())
}

/// Goes the way from the last point that is kept.
pub(super) async fn walk(
    minting: &Minting,
    session: &OfProfile,
    Way { plan, names }: Way,
) -> Result<(Lease, From), Stop> {
    let names = match names {
        Some(names) => names,
        None => minting.tools.sessions.names().await.map_err(|error| minting.keyring(&error))?,
    };
    if let Base::Keys { profile } = &plan.base {
        return from_keys(minting, session, (&plan, profile), &names).await;
    }
    if let Some(found) = go_on(minting, session, &plan, &names).await? {
        return Ok(found);
    }
    let lease = minting.base(session, &plan.base).await?;
    minting.keep(plan.base.key(), &lease).await?;
    let (lease, _) = minting.steps(lease, &plan, 0).await?;
    Ok((lease, From::Made))
}

/// The same from a stored key. What is kept holds for the key that it was made with, and for no other one under its name.
async fn from_keys(
    minting: &Minting,
    session: &OfProfile,
    (plan, profile): (&Plan, &str),
    names: &[String],
) -> Result<(Lease, From), Stop> {
    let place = (&minting.tools.keys, profile);
    let known = minting.known.id(place).await?;
    if let Some(id) = &known
        && let Some(found) = go_on(minting, session, &plan.clone().bound_to(id), names).await?
    {
        return Ok(found);
    }
    let key = minting.stored_key(profile).await?;
    let mut plan = plan.clone();
    if key.session_token.is_some() && !session.want.temporary_keys {
        // A session can't make another one, so the way is another one.
        check_end(minting, profile, &key)?;
        let names = minting.tools.keys.names().await.map_err(|error| minting.keyring(&error))?;
        let want = Want { temporary_keys: true, ..session.want };
        plan = planned(minting, session, (&names, want))?;
    }
    let plan = plan.bound_to(&key.access_key_id);
    if known.as_deref() != Some(&*key.access_key_id) {
        minting.known.learn(place, known.as_deref(), &key.access_key_id).await?;
        if let Some(found) = go_on(minting, session, &plan, names).await? {
            return Ok(found);
        }
    }
    let (lease, made) = minting.steps(key, &plan, 0).await?;
    Ok((lease, if made { From::Made } else { From::Stored }))
}

/// Goes on from the furthest point that is kept, where there is one.
async fn go_on(
    minting: &Minting,
    session: &OfProfile,
    plan: &Plan,
    names: &[String],
) -> Result<Option<(Lease, From)>, Stop> {
    let Some((lease, done)) = kept(minting, session, plan, names).await? else { return Ok(None) };
    let (lease, made) = minting.steps(lease, plan, done).await?;
    Ok(Some((lease, if made { From::Made } else { From::Kept })))
}

/// Refuses a temporary key that is over.
pub(super) fn check_end(minting: &Minting, profile: &str, key: &Lease) -> Result<(), Stop> {
    match key.expiration {
        Some(end) if end <= minting.tools.wire.now() => {
            let message =
                format!("the temporary key of profile `{profile}` ended at {}", aws::session::rfc3339(end));
            Err(Refusal::new(Code::Expired, message).hint("store a new one with `doorward aws add`").into())
        }
        _ => Ok(()),
    }
}

/// The furthest point of the way that is kept, and how many steps lie behind it.
async fn kept(
    minting: &Minting,
    session: &OfProfile,
    plan: &Plan,
    names: &[String],
) -> Result<Option<(Lease, usize)>, Stop> {
    let shelf = &minting.tools.sessions;
    let now = minting.tools.wire.now();
    let stale: Vec<String> =
        aws::session::stale(names.iter().map(String::as_str), now).map(ToOwned::to_owned).collect();
    if !stale.is_empty() {
        shelf.remove(stale).await.map_err(|error| minting.keyring(&error))?;
    }
    if session.refresh || session.want.purpose == Purpose::Rotate {
        return Ok(None);
    }
    let ends = plan.steps.iter().map(aws::chain::Step::key).enumerate().rev().map(|(at, key)| (at + 1, key));
    for (done, key) in ends.chain([(0, plan.base.key())]) {
        let Some(key) = key else { continue };
        if let Some(lease) = find(minting, session, key, names).await {
            return Ok(Some((lease, done)));
        }
    }
    Ok(None)
}

/// What can't be read is not there: it is made again and replaced.
async fn find(minting: &Minting, session: &OfProfile, key: &Key, names: &[String]) -> Option<Lease> {
    let now = minting.tools.wire.now();
    let margin = session.profile.cache_margin;
    for (name, _) in key.candidates(names.iter().map(String::as_str), now, margin) {
        let Ok(item) = minting.tools.sessions.read(&minting.lending, name).await else { continue };
        let Ok(kept) = super::token::read(&item.secret, aws::session::session_from_json) else { continue };
        if let Some(lease) = key.fits(kept, now, margin) {
            return Some(lease);
        }
    }
    None
}
