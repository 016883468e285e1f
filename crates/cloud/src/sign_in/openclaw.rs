//! `auth-profiles.json` of OpenClaw: its own form, the ones before it, and those that tools around it write.
//!
//! Its shape is found first, without looking at values; then it is read into types, so that a token goes straight into guarded
//! memory.

use std::collections::BTreeMap;
use std::fmt;

use model::Timestamp;
use serde::de::value::MapAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::text::{Lasts, Text, When, unmarked};
use super::{CODEX, Error, Found, OPENAI, claims, is_name};

/// Reads an OpenClaw file, and takes the sign-in of ChatGPT in it: the first that is not over of the
/// last one that was good there, those in its order, the default one, and all others. `shown` is how the file is called in errors.
///
/// # Errors
/// [`Error::OpenClawMissing`] where it has none, [`Error::OpenClawRequired`] where that has no access token, [`Error::Damaged`].
pub fn openclaw(bytes: &[u8], shown: &str, now: Timestamp) -> Result<Found, Error> {
    let bytes = unmarked(bytes);
    let damaged = |error: serde_json::Error| Error::Damaged {
        what: shown.to_owned(),
        why: format!(
            "it is no file of OpenClaw's profiles (line {}, column {})",
            error.line(),
            error.column()
        ),
    };
    let shape: BTreeMap<String, Kind> = serde_json::from_slice(bytes).map_err(damaged)?;
    let is = |key: &str, kinds: &[Kind]| shape.get(key).is_some_and(|kind| kinds.contains(kind));
    let many = [Kind::Map, Kind::List];
    let (all, order, last) = if is("profiles", &many) || is("authProfiles", &many) {
        let File { profiles, auth_profiles, order, last_good } =
            serde_json::from_slice(bytes).map_err(damaged)?;
        (profiles.0.into_iter().chain(auth_profiles.0).collect(), order.0, last_good.0)
    } else if ACCESS.iter().any(|key| is(key, &[Kind::Text])) {
        let Maybe(entry) = serde_json::from_slice(bytes).map_err(damaged)?;
        (entry.into_iter().map(|entry| (String::new(), entry)).collect(), BTreeMap::new(), BTreeMap::new())
    } else {
        let Entries(all) = serde_json::from_slice(bytes).map_err(damaged)?;
        (all, BTreeMap::new(), BTreeMap::new())
    };
    // The first that is good: one that is over would hide it. Where none is, what is wrong with the first.
    let mut first = None;
    for entry in ordered(all, &order, &last)? {
        match entry.found(now) {
            Ok(found) if found.ends.is_none_or(|ends| now < ends) => return Ok(found),
            other => first = first.or(Some(other)),
        }
    }
    first.unwrap_or(Err(Error::OpenClawMissing))
}

type Named = (String, Entry);

/// Those that fit, the ones that are wished for in front.
fn ordered(
    all: Vec<Named>,
    order: &BTreeMap<String, Names>,
    last: &BTreeMap<String, Names>,
) -> Result<Vec<Entry>, Error> {
    let mut fit: Vec<Named> = Vec::new();
    let mut key = None;
    for (id, entry) in all {
        match entry.fits(&id) {
            Fit::Is => fit.push((id, entry)),
            Fit::Key => key = key.or(Some(id)),
            Fit::No => {}
        }
    }
    let named = [last, order].into_iter().flat_map(|names| {
        [CODEX, OPENAI]
            .into_iter()
            .filter_map(|provider| names.get(provider))
            .flat_map(|names| names.0.iter())
    });
    let wished: Vec<String> =
        named.cloned().chain([CODEX, OPENAI].map(|who| format!("{who}:default"))).collect();
    if fit.is_empty() {
        return Err(key.filter(|id| is_name(id)).map_or(Error::OpenClawMissing, Error::OpenClawKey));
    }
    let place = |id: &String| wished.iter().position(|wish| wish == id).unwrap_or(wished.len());
    fit.sort_by_key(|(id, _)| place(id));
    Ok(fit.into_iter().map(|(_, entry)| entry).collect())
}

/// One profile. Each word that was ever used for a key is a field of its own: the reader refuses two words for one.
#[derive(Deserialize)]
struct Entry {
    id: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    provider: Option<String>,
    #[serde(default)]
    access: Text,
    #[serde(default)]
    access_token: Text,
    #[serde(default, rename = "accessToken")]
    access_token_camel: Text,
    #[serde(default)]
    token: Text,
    #[serde(default)]
    key: Text,
    #[serde(default)]
    refresh: Text,
    #[serde(default)]
    refresh_token: Text,
    #[serde(default, rename = "refreshToken")]
    refresh_token_camel: Text,
    account_id: Option<String>,
    #[serde(rename = "accountId")]
    account_id_camel: Option<String>,
    email: Option<String>,
    #[serde(default)]
    expires: When,
    #[serde(default)]
    expires_at: When,
    #[serde(default, rename = "expiresAt")]
    expires_at_camel: When,
    #[serde(default)]
    expires_in: Lasts,
}

enum Fit {
    Is,
    /// An API key of the other provider.
    Key,
    No,
}

impl Entry {
    fn fits(&self, id: &str) -> Fit {
        let id = if id.is_empty() { self.id.as_deref().unwrap_or_default() } else { id };
        let provider = self.provider.as_deref().or_else(|| id.split_once(':').map(|(provider, _)| provider));
        match (provider.unwrap_or(CODEX), self.kind.as_deref()) {
            (CODEX, _) => Fit::Is,
            // Newer versions call the same sign-in so.
            (OPENAI, Some("oauth" | "token")) => Fit::Is,
            (OPENAI, Some("api_key")) => Fit::Key,
            (OPENAI, None) if self.refresh.0.is_some() => Fit::Is,
            _ => Fit::No,
        }
    }

    fn found(self, now: Timestamp) -> Result<Found, Error> {
        let access = self.access.0.or(self.access_token.0).or(self.access_token_camel.0);
        let access = access.or(self.token.0).or(self.key.0).ok_or(Error::OpenClawRequired)?;
        let claims = claims::of(&access);
        let said = self.expires.0.or(self.expires_at.0).or(self.expires_at_camel.0);
        let lasts = self.expires_in.0.map(|seconds| now.after(std::time::Duration::from_secs(seconds)));
        let account = self.account_id_camel.or(self.account_id).or(claims.account).or(self.email);
        Ok(Found {
            access,
            refresh: self.refresh.0.or(self.refresh_token.0).or(self.refresh_token_camel.0),
            account: account.filter(|account| is_name(account)),
            ends: said.or(claims.ends).or(lasts),
            source: "openclaw-auth",
        })
    }
}

/// The file of today. Keys that it has beside these are its own business.
#[derive(Deserialize)]
struct File {
    #[serde(default)]
    profiles: Entries,
    #[serde(default, rename = "authProfiles")]
    auth_profiles: Entries,
    #[serde(default)]
    order: Lists,
    #[serde(default, rename = "lastGood")]
    last_good: Lists,
}

/// Names by provider; `null` is none.
#[derive(Default)]
struct Lists(BTreeMap<String, Names>);

impl<'de> Deserialize<'de> for Lists {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Option::deserialize(deserializer)?.unwrap_or_default()))
    }
}

/// A name, or several.
#[derive(Default)]
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            One(String),
            Several(Vec<String>),
            Other(IgnoredAny),
        }
        Ok(Self(match Written::deserialize(deserializer)? {
            Written::One(name) => vec![name],
            Written::Several(names) => names,
            Written::Other(_) => Vec::new(),
        }))
    }
}

/// Profiles in a map by their names, or in a list; what is no profile is left out.
#[derive(Default)]
struct Entries(Vec<Named>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads;
        impl<'de> Visitor<'de> for Reads {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("profiles")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut all = Vec::new();
                while let Some((id, Maybe(entry))) = map.next_entry::<String, Maybe>()? {
                    all.extend(entry.map(|entry| (id, entry)));
                }
                Ok(Entries(all))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entries, A::Error> {
                let mut all = Vec::new();
                while let Some(Maybe(entry)) = list.next_element()? {
                    all.extend(entry.map(|entry| (entry.id.clone().unwrap_or_default(), entry)));
                }
                Ok(Entries(all))
            }

            fn visit_unit<E: serde::de::Error>(self) -> Result<Entries, E> {
                Ok(Entries(Vec::new()))
            }
        }
        deserializer.deserialize_any(Reads)
    }
}

/// A profile, where it is one.
struct Maybe(Option<Entry>);

/// What kind of value something is; it is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Map,
    List,
    Text,
    Other,
}

/// Visits anything; `$map` says what a map gives.
macro_rules! anything {
    ($type:ident, $map:expr, $list:expr, $text:expr, $other:expr) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Reads;
                impl<'de> Visitor<'de> for Reads {
                    type Value = $type;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a value")
                    }

                    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<$type, A::Error> {
                        $map(MapAccessDeserializer::new(map))
                    }

                    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<$type, A::Error> {
                        while list.next_element::<IgnoredAny>()?.is_some() {}
                        Ok($list)
                    }

                    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<$type, E> {
                        Ok($text)
                    }

                    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<$type, E> {
                        Ok($other)
                    }

                    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<$type, E> {
                        Ok($other)
                    }

                    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<$type, E> {
                        Ok($other)
                    }

                    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<$type, E> {
                        Ok($other)
                    }

                    fn visit_unit<E: serde::de::Error>(self) -> Result<$type, E> {
                        Ok($other)
                    }
                }
                deserializer.deserialize_any(Reads)
            }
        }
    };
}

anything!(Kind, |map| IgnoredAny::deserialize(map).map(|_| Kind::Map), Kind::List, Kind::Text, Kind::Other);
anything!(
    Maybe,
    |map| Entry::deserialize(map).map(|entry| Maybe(Some(entry))),
    Maybe(None),
    Maybe(None),
    Maybe(None)
);

/// Where the access token stands.
const ACCESS: [&str; 5] = ["access", "access_token", "accessToken", "token", "key"];
