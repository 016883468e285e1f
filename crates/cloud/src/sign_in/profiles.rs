//! The document of sign-ins: `auth-profiles.json`, and the same in our own store.

use std::collections::BTreeMap;

use model::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::text::{Shown, Text, When, unmarked};
use super::{Error, Profile, Renew, is_name};

/// The id of a sign-in, and the document that its renewals began with.
pub type Began = (String, Zeroizing<Vec<u8>>);

/// Every sign-in, and which one each provider takes where nobody names one.
#[derive(Default)]
pub struct Profiles {
    defaults: BTreeMap<String, String>,
    profiles: Vec<Profile>,
    /// Whether the document has keys that are not known here, which writing it would lose.
    has_more: bool,
}

/// Whether a sign-in becomes the one that its provider takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rank {
    /// It does.
    Default,
    /// It does not.
    OneOfMany,
}

impl Profiles {
    /// Reads the document; an empty one has no sign-ins. `shown` is how it is called in errors.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn read(bytes: &[u8], shown: &str) -> Result<Self, Error> {
        let bytes = unmarked(bytes);
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        let damaged = |why: String| Error::Damaged { what: shown.to_owned(), why };
        let read: File = serde_json::from_slice(bytes).map_err(|error| {
            damaged(format!("it holds something else (line {}, column {})", error.line(), error.column()))
        })?;
        let defaults = read.defaults.unwrap_or_default();
        let mut all = Self { defaults, profiles: Vec::new(), has_more: has_more(bytes) };
        for written in read.profiles.unwrap_or_default() {
            let mut profile = written.profile().ok_or_else(|| {
                damaged("a profile in it has no name, no provider or no access token".to_owned())
            })?;
            if all.profiles.iter().any(|known| known.id == profile.id) {
                return Err(damaged("two profiles in it have one name".to_owned()));
            }
            profile.account = profile.account.filter(|account| is_name(account));
            all.profiles.push(profile);
        }
        Ok(all)
    }

    /// The document.
    ///
    /// # Errors
    /// When a token is no text, which none is that was read; and where what was read has keys that are not known here.
    pub fn write(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        if self.has_more {
            let why = "it has keys that are not known here, which would be lost; a newer program wrote them";
            return Err(Error::Damaged { what: "the document of profiles".to_owned(), why: why.to_owned() });
        }
        let profiles: Vec<Out<'_>> = self.profiles.iter().map(Out::of).collect();
        written(&Whole { defaults: &self.defaults, profiles })
    }

    /// Puts one in, in the place of one of the same name.
    pub fn put(&mut self, profile: Profile, rank: Rank) {
        if rank == Rank::Default {
            self.defaults.insert(profile.provider.clone(), profile.id.clone());
        }
        match self.profiles.iter_mut().find(|known| known.id == profile.id) {
            Some(known) => *known = profile,
            None => self.profiles.push(profile),
        }
    }

    /// The one of a provider: the preferred, which has to be there; else its default; else the first.
    ///
    /// # Errors
    /// [`Error::NoProfile`] where the preferred one is not there.
    pub fn select(&self, provider: &str, preferred: Option<&str>) -> Result<Option<&Profile>, Error> {
        let named = |id: &str| self.profiles.iter().find(|one| one.id == id && one.provider == provider);
        if let Some(id) = preferred {
            return named(id).map(Some).ok_or_else(|| Error::NoProfile(shown(id)));
        }
        let default = self.defaults.get(provider).and_then(|id| named(id));
        Ok(default.or_else(|| self.profiles.iter().find(|one| one.provider == provider)))
    }

    /// Makes one the default of its provider, and changes whether it is renewed where that is said.
    ///
    /// # Errors
    /// [`Error::NoProfile`]; [`Error::Unrenewable`] for one without a refresh token.
    pub fn prefer(&mut self, id: &str, renew: Option<Renew>) -> Result<&Profile, Error> {
        let found = self.profiles.iter_mut().find(|one| one.id == id);
        let found = found.ok_or_else(|| Error::NoProfile(shown(id)))?;
        if renew == Some(Renew::WhenDue) && found.refresh.is_none() {
            return Err(Error::Unrenewable(shown(id), "has no refresh token, so it can't be renewed"));
        }
        found.renew = renew.unwrap_or(found.renew);
        self.defaults.insert(found.provider.clone(), found.id.clone());
        Ok(found)
    }

    /// Takes one out.
    ///
    /// # Errors
    /// [`Error::NoProfile`].
    pub fn take(&mut self, id: &str) -> Result<Profile, Error> {
        let place = self.profiles.iter().position(|one| one.id == id);
        let place = place.ok_or_else(|| Error::NoProfile(shown(id)))?;
        self.defaults.retain(|_, default| default != id);
        Ok(self.profiles.remove(place))
    }

    /// The sign-ins that are renewed, each with the document that its renewals began with.
    ///
    /// # Errors
    /// As for [`Self::write`].
    pub fn renewing(&self) -> Result<Vec<Began>, Error> {
        let renewed = self.profiles.iter().filter(|one| one.renew == Renew::WhenDue);
        renewed.map(|one| Ok((one.id.clone(), one.write()?))).collect()
    }

    /// Every sign-in without its tokens.
    #[must_use]
    pub fn list(&self, now: Timestamp) -> Value {
        let row = |one: &Profile| {
            json!({
                "id": one.id,
                "provider": one.provider,
                "account": one.account,
                "default": self.defaults.get(&one.provider) == Some(&one.id),
                "expires_at": one.ends,
                "expired": one.has_ended(now),
                "renews": one.renew == Renew::WhenDue,
                "source": one.source,
            })
        };
        self.profiles.iter().map(row).collect()
    }
}

impl Profile {
    /// One sign-in as a document of its own.
    ///
    /// # Errors
    /// As for [`Profiles::write`].
    pub fn write(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        written(&Out::of(self))
    }

    /// Reads a document of one sign-in.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn read(bytes: &[u8], shown: &str) -> Result<Self, Error> {
        let damaged = |why: &str| Error::Damaged { what: shown.to_owned(), why: why.to_owned() };
        let read: Written = serde_json::from_slice(bytes).map_err(|_| damaged("it is no sign-in"))?;
        read.profile().ok_or_else(|| damaged("it is no sign-in"))
    }
}

/// Whether a document has keys that are not known here. Their values are passed over, so that no token is in plain memory meanwhile.
fn has_more(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Shape {
        profiles: Option<Vec<BTreeMap<String, IgnoredAny>>>,
    }
    let top: BTreeMap<String, IgnoredAny> = serde_json::from_slice(bytes).unwrap_or_default();
    let shape: Option<Shape> = serde_json::from_slice(bytes).ok();
    let mut inner =
        shape.and_then(|shape| shape.profiles).into_iter().flatten().flat_map(BTreeMap::into_keys);
    top.keys().any(|key| !matches!(key.as_str(), "defaults" | "profiles"))
        || inner.any(|key| !KNOWN.contains(&key.as_str()))
}

/// What a profile has.
const KNOWN: [&str; 8] =
    ["access_token", "account_id", "auto_refresh", "expires_at", "id", "provider", "refresh_token", "source"];

#[derive(Deserialize)]
struct File {
    defaults: Option<BTreeMap<String, String>>,
    profiles: Option<Vec<Written>>,
}

#[derive(Deserialize)]
struct Written {
    id: String,
    provider: String,
    account_id: Option<String>,
    access_token: Text,
    #[serde(default)]
    refresh_token: Text,
    #[serde(default)]
    expires_at: When,
    #[serde(default)]
    source: String,
    #[serde(default)]
    auto_refresh: bool,
}

impl Written {
    /// The sign-in, where it has a name, a provider and an access token.
    fn profile(self) -> Option<Profile> {
        let Self { id, provider, account_id, access_token, refresh_token, expires_at, source, auto_refresh } =
            self;
        let access = access_token.0.filter(|_| is_name(&id) && is_name(&provider))?;
        let renew = if auto_refresh { Renew::WhenDue } else { Renew::Never };
        let (account, refresh, ends) = (account_id, refresh_token.0, expires_at.0);
        Some(Profile { id, provider, account, access, refresh, ends, source, renew })
    }
}

#[derive(Serialize)]
struct Whole<'a> {
    defaults: &'a BTreeMap<String, String>,
    profiles: Vec<Out<'a>>,
}

#[derive(Serialize)]
struct Out<'a> {
    id: &'a str,
    provider: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<&'a str>,
    access_token: Shown<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<Shown<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    source: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    auto_refresh: bool,
}

impl<'a> Out<'a> {
    fn of(one: &'a Profile) -> Self {
        Self {
            id: &one.id,
            provider: &one.provider,
            account_id: one.account.as_deref(),
            access_token: Shown(&one.access),
            refresh_token: one.refresh.as_ref().map(Shown),
            expires_at: one.ends,
            source: &one.source,
            auto_refresh: one.renew == Renew::WhenDue,
        }
    }
}

/// Written into room that is there, so that no growing leaves parts of a token behind.
fn written(document: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(ROOM));
    serde_json::to_writer(&mut *bytes, document).map_err(|_| Error::Damaged {
        what: "the document of profiles".to_owned(),
        why: "it can't be written".to_owned(),
    })?;
    Ok(bytes)
}

/// A name as it may be repeated: what is none may be a token in the wrong place.
fn shown(id: &str) -> String {
    if is_name(id) && id.len() <= LONGEST_SHOWN { id.to_owned() } else { "(not shown)".to_owned() }
}

const ROOM: usize = 128 * 1024;
const LONGEST_SHOWN: usize = 80;
