//! Auth schemes: which keys belong to which, and what they mean.

mod assumed;
mod derived;
mod keys;
mod plain;
mod signed;

use std::collections::BTreeMap;

use model::parse_duration;

use super::Origin;
use super::wiring::check_field;
use crate::auth::DEFAULT_REST;
use crate::file::{AuthEntry, AuthWord, File};
use crate::{AuthScheme, Choice, Endpoint, Error, SecretField, reply};

/// The auth schemes, in the order in which they are applied. `auth: []` is a service without a credential; a file that says
/// nothing is an error.
pub(super) fn schemes(
    file: &File,
    origin: &Origin,
    secrets: &BTreeMap<String, SecretField>,
) -> Result<Vec<AuthScheme>, Error> {
    if file.internal {
        return Ok(Vec::new());
    }
    let Some(entries) = &file.auth else { return Err(origin.wrong(0, "the key `auth` is missing")) };
    let mut schemes: Vec<AuthScheme> = Vec::new();
    for entry in entries {
        let line = entry.referenced.line();
        let read = Entry { entry: &entry.value, private: file.dangerous_allow_private };
        let scheme = read.scheme().map_err(|problem| origin.wrong(line, problem))?;
        for field in scheme.fields() {
            check_field(field, secrets).map_err(|problem| origin.wrong(line, problem))?;
        }
        if schemes.iter().any(|other| is_same_place(&place(other), &place(&scheme))) {
            return Err(origin.wrong(line, "two auth schemes write to the same place"));
        }
        if let Some(field) = shared_turn(&schemes, &scheme) {
            let problem = format!("`{field}` takes turns with others, so nothing else can use it");
            return Err(origin.wrong(line, problem));
        }
        schemes.push(scheme);
    }
    schemes.sort_by_key(stage);
    Ok(schemes)
}

/// What the caller wrote comes first, what covers the rest last.
const fn stage(scheme: &AuthScheme) -> u8 {
    match scheme {
        AuthScheme::Replace(_) => 0,
        AuthScheme::Bearer { .. }
        | AuthScheme::Header { .. }
        | AuthScheme::Basic { .. }
        | AuthScheme::Query { .. }
        | AuthScheme::Path { .. }
        | AuthScheme::PathEnd { .. }
        | AuthScheme::Cookie { .. }
        | AuthScheme::Derived(_)
        | AuthScheme::ClientCertificate(_)
        | AuthScheme::ProxyBasic(_) => 1,
        AuthScheme::Hmac(_) => 2,
        AuthScheme::SigV4(_) | AuthScheme::OAuth1(_) | AuthScheme::Digest(_) | AuthScheme::Oci(_) => 3,
    }
}

/// A field that takes turns is chosen for one scheme; another that uses it would make the choice mean something else.
fn shared_turn(schemes: &[AuthScheme], scheme: &AuthScheme) -> Option<String> {
    let turns = |scheme: &AuthScheme| scheme.choice().is_some_and(Choice::is_rotation);
    let mut own: Vec<&str> = scheme.fields().collect();
    own.sort_unstable();
    let twice = own.windows(2).find_map(|pair| match pair {
        [a, b] if a == b && turns(scheme) => Some((*a).to_owned()),
        _ => None,
    });
    let shared = schemes
        .iter()
        .filter(|other| turns(other) || turns(scheme))
        .flat_map(AuthScheme::fields)
        .find(|field| own.contains(field));
    twice.or_else(|| shared.map(ToOwned::to_owned))
}

/// Where a scheme writes.
pub(super) fn place(scheme: &AuthScheme) -> (&'static str, String) {
    let authorization = || ("header", "authorization".to_owned());
    match scheme {
        AuthScheme::Bearer { .. }
        | AuthScheme::SigV4(_)
        | AuthScheme::OAuth1(_)
        | AuthScheme::Digest(_)
        | AuthScheme::Oci(_) => authorization(),
        AuthScheme::Header { name, .. } | AuthScheme::Basic { name, .. } => ("header", name.clone()),
        AuthScheme::Derived(derived) => ("header", derived.header.clone()),
        AuthScheme::Hmac(hmac) => ("header", hmac.name.clone()),
        AuthScheme::Query { name, .. } => ("query", name.to_ascii_lowercase()),
        AuthScheme::Path { .. } => ("path", String::new()),
        AuthScheme::PathEnd { .. } => ("path_end", String::new()),
        AuthScheme::Cookie { name, .. } => ("cookie", name.clone()),
        AuthScheme::Replace(replace) => ("placeholder", format!("{:?}", replace.find)),
        AuthScheme::ClientCertificate(_) => ("tls", String::new()),
        AuthScheme::ProxyBasic(_) => ("proxy", String::new()),
    }
}

fn is_same_place(one: &(&str, String), other: &(&str, String)) -> bool {
    let cookies = |place: &(&str, String)| place.0 == "header" && place.1 == "cookie";
    one == other || (one.0 == "cookie" && cookies(other)) || (other.0 == "cookie" && cookies(one))
}

/// One entry, and what is said about it in its file.
struct Entry<'a> {
    entry: &'a AuthEntry,
    /// Whether plain http is allowed.
    private: bool,
}

impl Entry<'_> {
    fn scheme(&self) -> Result<AuthScheme, String> {
        let allowed = keys::keys(self.entry.scheme);
        if let Some(key) = keys::given(self.entry).into_iter().find(|key| !allowed.contains(key)) {
            return Err(format!("this auth scheme has no `{key}`"));
        }
        match self.entry.scheme {
            AuthWord::Bearer
            | AuthWord::Header
            | AuthWord::Basic
            | AuthWord::Query
            | AuthWord::Path
            | AuthWord::PathEnd
            | AuthWord::Cookie
            | AuthWord::Replace => self.plain(),
            AuthWord::Hmac
            | AuthWord::Sigv4
            | AuthWord::Oauth1
            | AuthWord::Digest
            | AuthWord::Oci
            | AuthWord::ClientCertificate
            | AuthWord::ProxyBasic => self.signed(),
            AuthWord::Oauth2
            | AuthWord::GithubApp
            | AuthWord::GoogleServiceAccount
            | AuthWord::GcpMetadata
            | AuthWord::GcpWorkloadIdentity
            | AuthWord::AzureManagedIdentity
            | AuthWord::AzureServicePrincipal
            | AuthWord::JwtSigned
            | AuthWord::VaultApprole
            | AuthWord::VaultKubernetes
            | AuthWord::SignedIn => self.derived(),
        }
    }

    /// The fields that take turns, or the one.
    fn choice(&self) -> Result<Choice, String> {
        let Some(all) = &self.entry.secret else { return Err(missing("secret")) };
        let rest = match &self.entry.rest {
            Some(text) => parse_duration(text).map_err(|error| error.to_string())?,
            None => DEFAULT_REST,
        };
        let [first, more @ ..] = all.0.as_slice() else {
            return Err("`secret` names at least one secret".to_owned());
        };
        if more.is_empty() && self.entry.rest.is_some() {
            return Err("`rest` is for several secrets that take turns".to_owned());
        }
        if more.len() >= MOST_TURNS {
            return Err(format!("at most {MOST_TURNS} secrets take turns"));
        }
        Ok(Choice::rotation(first.clone(), more.to_vec(), rest))
    }

    /// The header of a credential; `authorization` where the file says nothing.
    fn header(&self) -> Result<String, String> {
        let name = self.entry.name.as_deref().unwrap_or("authorization").to_ascii_lowercase();
        if !reply::is_header(&name) || is_framing(&name) {
            return Err("a credential cannot be put into this header".to_owned());
        }
        Ok(name)
    }

    fn prefix(&self, default: &str) -> Result<String, String> {
        let prefix = self.entry.prefix.as_deref().unwrap_or(default);
        let plain = prefix.len() <= 32 && prefix.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
        if plain {
            Ok(prefix.to_owned())
        } else {
            Err("a prefix is at most 32 visible characters".to_owned())
        }
    }

    /// An address of a token endpoint or metadata service.
    fn endpoint(&self, key: &str, text: &str, plain: Plain) -> Result<Endpoint, String> {
        let wrong = || format!("`{key}` is an address such as `https://login.example.com/oauth/token`");
        let start = text.find("://").map(|at| at + 3).ok_or_else(wrong)?;
        let slash =
            text.get(start..).and_then(|rest| rest.find(['/', '?', '#'])).map_or(text.len(), |at| start + at);
        let (authority, path) = text.split_at_checked(slash).ok_or_else(wrong)?;
        // What was written is not repeated: a user name and password may stand in it.
        let authority: model::Authority = authority.parse().map_err(|_| wrong())?;
        let path = if path.is_empty() { "/" } else { path };
        let clean =
            path.starts_with('/') && !path.contains('#') && path.bytes().all(|b| b.is_ascii_graphic());
        if !clean {
            return Err(wrong());
        }
        let is_plain = authority.scheme() == model::Scheme::Http;
        if is_plain && plain == Plain::WithLeave && !self.private {
            return Err(format!(
                "`{key}` is https; plain http is for a private address with `dangerous_allow_private`"
            ));
        }
        Ok(Endpoint { authority, path: path.to_owned() })
    }
}

/// Whether an address may be plain http.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plain {
    /// With `dangerous_allow_private` only.
    WithLeave,
    /// It is a metadata service, which the machine itself answers.
    Metadata,
}

fn text(value: Option<&String>, key: &str) -> Result<String, String> {
    value.filter(|text| !text.is_empty()).cloned().ok_or_else(|| missing(key))
}

fn missing(key: &str) -> String {
    format!("the key `{key}` is missing")
}

/// Headers that say where a request goes and where it ends; they are the broker's alone.
pub(super) fn is_framing(name: &str) -> bool {
    name.starts_with("proxy-") || name.starts_with("x-http-method") || FRAMING.contains(&name)
}

const FRAMING: &[&str] = &[
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-method-override",
];
const MOST_TURNS: usize = 16;

#[cfg(test)]
mod tests;
