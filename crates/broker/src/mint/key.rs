//! The keys themselves: stored, forgotten, copied; and the sessions that were kept of them.

use aws::session::{Entry, sso_token_entry};
use model::{Code, Refusal};
use serde_json::json;

use super::needs::Stop;
use super::{Minted, Minting};
use crate::Lease;

/// Stores a key under the name of a profile; sessions of the former one are forgotten.
pub(super) async fn add(minting: &Minting, profile: String, key: Lease) -> Result<Minted, Stop> {
    if key.expiration.is_some_and(|end| end <= minting.tools.wire.now()) {
        let message = format!("the temporary key for profile `{profile}` has ended already");
        return Err(Refusal::new(Code::Expired, message).into());
    }
    if !matches!(Entry::of(&profile), Entry::Keys { .. }) {
        // It would be shown as a session, and deleted as one: the key with it.
        let message = format!("keys can't be stored as `{profile}`: entries of such names are sessions");
        return Err(Refusal::new(Code::BadRequest, message).hint("give the profile another name").into());
    }
    minting.store_key(&profile, &key).await?;
    let sessions = minting.forget_sessions(&profile).await?;
    let value = json!({ "profile": profile, "access_key_id": key.access_key_id, "sessions": sessions });
    Ok(done(value, vec![("profile", profile), ("access_key_id", key.access_key_id)]))
}

/// Forgets the key of a profile, and the sessions that were made with it.
pub(super) async fn remove(minting: &Minting, profile: &str) -> Result<Minted, Stop> {
    minting.known.forget((&minting.tools.keys, profile)).await?;
    minting.tools.keys.remove_one(profile.to_owned()).await.map_err(|error| minting.keyring(&error))?;
    let sessions = minting.forget_sessions(profile).await?;
    let value = json!({ "profile": profile, "sessions": sessions });
    Ok(done(value, vec![("profile", profile.to_owned()), ("sessions", sessions.to_string())]))
}

/// Forgets sessions: those of a profile and the token of its sign-in, or all.
pub(super) async fn clear(minting: &Minting, of: Option<(String, Option<String>)>) -> Result<Minted, Stop> {
    let shelf = &minting.tools.sessions;
    let names = shelf.names().await.map_err(|error| minting.keyring(&error))?;
    let wanted: Vec<String> = match &of {
        None => names.into_iter().filter(|name| !matches!(Entry::of(name), Entry::Keys { .. })).collect(),
        Some((profile, start_url)) => {
            let sessions = aws::session::of_profile(names.iter().map(String::as_str), profile);
            let token = start_url.as_deref().map(sso_token_entry);
            let token = token.filter(|token| names.contains(token));
            sessions.map(ToOwned::to_owned).chain(token).collect()
        }
    };
    let cleared = shelf.remove(wanted).await.map_err(|error| minting.keyring(&error))?;
    let value = json!({ "profile": of.as_ref().map(|(profile, _)| profile), "sessions": cleared });
    Ok(done(value, vec![("sessions", cleared.to_string())]))
}

/// The names of all entries. None of them is opened.
pub(super) async fn list(minting: &Minting) -> Result<Minted, Stop> {
    let wrong = |error: keyring::Error| minting.keyring(&error);
    let keys = minting.tools.keys.names().await.map_err(wrong)?;
    let sessions = if minting.tools.sessions.is(&minting.tools.keys) {
        keys.clone()
    } else {
        minting.tools.sessions.names().await.map_err(wrong)?
    };
    Ok(done(json!({ "keys": keys, "sessions": sessions }), Vec::new()))
}

/// Copies the key of a profile to the other keyring and compares it there; only then may the source be deleted.
pub(super) async fn migrate(
    minting: &Minting,
    profile: &str,
    overwrite: bool,
    delete_source: bool,
) -> Result<Minted, Stop> {
    let wrong = |error: keyring::Error| minting.keyring(&error);
    let Some(other) = &minting.tools.other else {
        return Err(Refusal::new(Code::BadRequest, "no other keyring was named").into());
    };
    let there = other.names().await.map_err(wrong)?.iter().any(|name| name == profile);
    if there && !overwrite {
        return Ok(done(
            json!({ "profile": profile, "state": "skipped" }),
            vec![("state", "skipped".to_owned())],
        ));
    }
    let read = || minting.tools.keys.read(minting.lending(), profile);
    let item = read().await.map_err(wrong)?;
    minting.known.forget((other, profile)).await?;
    other.write(item).await.map_err(wrong)?;
    let (source, copy) =
        (read().await.map_err(wrong)?, other.read(minting.lending(), profile).await.map_err(wrong)?);
    let _same = super::token::same(&source.secret, &copy.secret).map_err(|_| {
        Refusal::new(Code::SourceUnavailable, format!("the copy of `{profile}` is not what was copied"))
            .hint("nothing was deleted; look at the destination")
    })?;
    if delete_source {
        minting.tools.keys.remove(vec![profile.to_owned()]).await.map_err(wrong)?;
    }
    let state = if there { "overwritten" } else { "copied" };
    let value = json!({ "profile": profile, "state": state, "deleted": delete_source });
    Ok(done(value, vec![("profile", profile.to_owned()), ("state", state.to_owned())]))
}

impl Minting {
    /// Forgets the sessions of a profile. Says how many there were.
    pub(super) async fn forget_sessions(&self, profile: &str) -> Result<usize, Stop> {
        let wrong = |error: keyring::Error| self.keyring(&error);
        let names = self.tools.sessions.names().await.map_err(wrong)?;
        let sessions = aws::session::of_profile(names.iter().map(String::as_str), profile);
        let sessions = sessions.map(ToOwned::to_owned).collect();
        Ok(self.tools.sessions.remove(sessions).await.map_err(wrong)?)
    }
}

/// What was done without a lease.
pub(super) fn done(value: serde_json::Value, fields: Vec<(&str, String)>) -> Minted {
    let fields = fields.into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
    Minted { lease: None, value, fields }
}
