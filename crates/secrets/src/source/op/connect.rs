//! A 1Password Connect server.
//!
//! Source: the 1Password Connect API reference (developer.1password.com/docs/connect/api-reference).

use http::{Method, StatusCode};
use memory::Secret;
use net::egress::Roots;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::Place;
use crate::source::secret_text::SecretText;
use crate::source::web::{self, Asked, Way, Web};
use crate::source::{Environment, Trouble};

/// A Connect server.
pub(super) struct Connect(Web);

#[derive(Deserialize)]
struct Listed {
    id: String,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    fields: Vec<Field>,
    #[serde(default)]
    sections: Vec<Section>,
}

#[derive(Deserialize)]
struct Field {
    id: String,
    label: Option<String>,
    section: Option<Section>,
    value: Option<SecretText>,
}

#[derive(Deserialize)]
struct Section {
    id: String,
    label: Option<String>,
}

impl Connect {
    pub(super) fn new(host: &str, environment: &Environment) -> Result<Self, Trouble> {
        let way = Way { roots: Roots::Platform, proxies: web::proxies(environment)? };
        Web::new("1Password Connect", host, way).map(Self)
    }

    /// A field; `None` where there is no such vault, item or field.
    pub(super) async fn read(&self, place: &Place<'_>, token: &Secret) -> Result<Option<Secret>, Trouble> {
        let vault = self.id("/v1/vaults", ("name", place.vault), token).await?;
        let Some(vault) = vault else { return Ok(None) };
        let items = format!("/v1/vaults/{vault}/items");
        let Some(item) = self.id(&items, ("title", place.item), token).await? else { return Ok(None) };
        let reply = self.ask(&format!("{items}/{item}"), token).await?;
        if reply.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let Item { fields, sections } = reply.accepted()?.json()?;
        let mut found =
            fields.into_iter().filter(|field| field.is(place, &sections)).filter_map(|field| field.value);
        match (found.next(), found.next()) {
            (found, None) => Ok(found.map(|text| text.0)),
            _ => Err(Trouble::Wrong("the item has several fields of this name; name the section as well")),
        }
    }

    /// The id of what has this name, or is it. It is checked, because it becomes part of a path.
    async fn id(
        &self,
        list: &str,
        (by, name): (&str, &str),
        token: &Secret,
    ) -> Result<Option<String>, Trouble> {
        let filter = format!("{by} eq \"{name}\"");
        let target = format!("{list}?filter={}", utf8_percent_encode(&filter, NON_ALPHANUMERIC));
        let reply = self.ask(&target, token).await?;
        if reply.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let reply = reply.accepted()?;
        let all: Vec<Listed> = reply.json()?;
        match all.as_slice() {
            [one] if is_id(&one.id) => Ok(Some(one.id.clone())),
            [_] => Err(reply.wrong("has an id that is none")),
            [] => Ok(is_id(name).then(|| name.to_owned())),
            _ => Err(Trouble::Wrong("several vaults or items have this name; name the id instead")),
        }
    }

    async fn ask(&self, target: &str, token: &Secret) -> Result<web::Reply, Trouble> {
        let headers = vec![(http::header::AUTHORIZATION, web::credential("Bearer ", token)?)];
        self.0.ask(Asked { method: Method::GET, target, headers, json: Zeroizing::default() }).await
    }
}

impl Field {
    /// Whether it is the one that is named. A field says which section it is in by the section's id; the item says what that is called.
    fn is(&self, place: &Place<'_>, sections: &[Section]) -> bool {
        let named = self.id == place.field || self.label.as_deref() == Some(place.field);
        let section = |wanted: &str| {
            self.section.as_ref().is_some_and(|own| {
                let listed = sections.iter().filter(|listed| listed.id == own.id);
                let mut labels = listed.chain([own]).filter_map(|section| section.label.as_deref());
                own.id == wanted || labels.any(|label| label == wanted)
            })
        };
        named && place.section.is_none_or(section)
    }
}

/// 26 letters and digits.
fn is_id(text: &str) -> bool {
    text.len() == 26 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}
