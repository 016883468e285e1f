//! JSON Web Tokens: keys, issuers, claims.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{Authority, Scheme, Target};

use super::{AUTHORIZATION, duration, place};
use crate::Incoming;
use crate::file::{GoogleEntry, JwtEntry, JwtKeyEntry, OidcEntry, Texts};
use crate::incoming::{Address, JwsAlgorithm, Jwt, JwtKey, JwtKeys, Material, Place, Wanted};

pub(super) fn jwt(entry: &JwtEntry, private: bool) -> Result<Incoming, String> {
    let keys = match (&entry.keys, &entry.jwks, &entry.jwks_url) {
        (Some(keys), None, None) if !keys.is_empty() => {
            JwtKeys::Named(keys.iter().map(key).collect::<Result<_, _>>()?)
        }
        (None, Some(set), None) => JwtKeys::Set(written_set(set)?),
        (None, None, Some(url)) => JwtKeys::At(address("jwks_url", url, private)?),
        _ => return Err("`jwt` has one of `keys`, `jwks` and `jwks_url`".to_owned()),
    };
    if matches!(keys, JwtKeys::Named(_)) && entry.algorithms.is_some() {
        return Err("each of `keys` says its own `algorithm`".to_owned());
    }
    Ok(Incoming::Jwt(Box::new(Jwt {
        place: bearer(entry.header.as_deref(), entry.prefix.as_deref())?,
        issuer: wanted("issuer", &entry.issuer)?,
        audience: wanted("audience", &entry.audience)?,
        keys,
        algorithms: algorithms(entry.algorithms.as_deref())?,
        leeway: duration(entry.leeway.as_ref(), LEEWAY, MOST_LEEWAY)?,
        id: claim_name(entry.id.as_deref())?,
        unnamed: entry.unnamed,
        claims: claims(&entry.claims)?,
        google: false,
    })))
}

pub(super) fn oidc(entry: &OidcEntry, private: bool) -> Result<Incoming, String> {
    // As it is written, but for slashes at the end: that is how tokens and the discovery document have to name it.
    let issuer = entry.issuer.as_str();
    let discovery = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let address = address("issuer", &discovery, private)?;
    Ok(Incoming::Jwt(Box::new(Jwt {
        place: bearer(entry.header.as_deref(), entry.prefix.as_deref())?,
        issuer: Wanted::OneOf(vec![issuer.to_owned()]),
        audience: wanted("audience", &entry.audience)?,
        keys: JwtKeys::Discovered(issuer.to_owned(), address),
        algorithms: algorithms(entry.algorithms.as_deref())?,
        leeway: duration(entry.leeway.as_ref(), LEEWAY, MOST_LEEWAY)?,
        id: claim_name(entry.id.as_deref())?,
        unnamed: false,
        claims: claims(&entry.claims)?,
        google: false,
    })))
}

pub(super) fn google(entry: &GoogleEntry) -> Result<Incoming, String> {
    let mut wanted_claims = BTreeMap::new();
    if let Some(domains) = &entry.hosted_domain {
        wanted_claims.insert("hd".to_owned(), domains.clone());
    }
    if let Some(emails) = &entry.email {
        wanted_claims.insert("email".to_owned(), emails.clone());
    }
    // Whoever is known by an address has to have proven it.
    if entry.email.is_some() || entry.id.as_deref() == Some("email") {
        wanted_claims.insert("email_verified".to_owned(), Texts::One("true".to_owned()));
    }
    Ok(Incoming::Jwt(Box::new(Jwt {
        place: bearer(entry.header.as_deref(), entry.prefix.as_deref())?,
        issuer: Wanted::OneOf(GOOGLE.map(str::to_owned).to_vec()),
        audience: wanted("audience", &entry.audience)?,
        keys: JwtKeys::At(address("the keys of Google", GOOGLE_KEYS, false)?),
        algorithms: vec![JwsAlgorithm::RS256],
        leeway: duration(entry.leeway.as_ref(), LEEWAY, MOST_LEEWAY)?,
        id: claim_name(entry.id.as_deref())?,
        unnamed: false,
        claims: claims(&wanted_claims)?,
        google: true,
    })))
}

fn bearer(header: Option<&str>, prefix: Option<&str>) -> Result<Place, String> {
    place(header.unwrap_or(AUTHORIZATION), prefix.unwrap_or("Bearer "))
}

fn key(entry: &JwtKeyEntry) -> Result<JwtKey, String> {
    let JwtKeyEntry { kid, algorithm, secret, public_key } = entry;
    let material = match (secret, public_key) {
        (Some(field), None) => Material::Secret(field.clone()),
        (None, Some(_)) if algorithm.is_symmetric() => {
            return Err("a public key can't be the secret of an HMAC: everybody knows it".to_owned());
        }
        (None, Some(text)) => Material::Public(public_text(text)?),
        _ => return Err("a key of `jwt` has either `secret` or `public_key`".to_owned()),
    };
    if kid.as_deref().is_some_and(str::is_empty) {
        return Err("a `kid` is not empty".to_owned());
    }
    Ok(JwtKey { kid: kid.clone(), algorithm: *algorithm, material })
}

/// A private key in a file that people share would be a secret in the wrong place; it is not repeated.
fn public_text(text: &str) -> Result<String, String> {
    let public = ["PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE"]
        .iter()
        .any(|label| text.trim_start().starts_with(&format!("-----BEGIN {label}-----")));
    if !public || text.contains("PRIVATE") {
        return Err("`public_key` is a public key or a certificate in PEM".to_owned());
    }
    Ok(text.to_owned())
}

fn written_set(set: &serde_json::Value) -> Result<String, String> {
    let keys = set.get("keys").and_then(serde_json::Value::as_array).filter(|keys| !keys.is_empty());
    let keys = keys.ok_or("`jwks` is a set of public keys: `{keys: [...]}` with at least one")?;
    let secret = |key: &serde_json::Value| {
        ["k", "d", "p", "q", "dp", "dq", "qi"].iter().any(|part| key.get(part).is_some())
    };
    if keys.iter().any(secret) {
        return Err("`jwks` holds a secret or private key, which belongs under `secrets`".to_owned());
    }
    Ok(set.to_string())
}

fn wanted(name: &str, texts: &Texts) -> Result<Wanted, String> {
    let list = texts.list();
    if list.iter().any(String::is_empty) || list.is_empty() {
        return Err(format!("`{name}` is empty; write `any` where it does not matter"));
    }
    match list.as_slice() {
        [one] if one == ANY => Ok(Wanted::Any),
        several if several.iter().any(|one| one == ANY) => {
            Err(format!("`{name}` is `any` or a list, not both"))
        }
        _ => Ok(Wanted::OneOf(list)),
    }
}

/// The algorithms of keys from a set. A set that others publish never holds the secret of an HMAC.
fn algorithms(given: Option<&[JwsAlgorithm]>) -> Result<Vec<JwsAlgorithm>, String> {
    let Some(given) = given else {
        return Ok(vec![JwsAlgorithm::RS256, JwsAlgorithm::ES256, JwsAlgorithm::EdDSA]);
    };
    if given.is_empty() || given.iter().any(|algorithm| algorithm.is_symmetric()) {
        return Err("`algorithms` has at least one, and none of the HMACs".to_owned());
    }
    Ok(given.to_vec())
}

fn claim_name(given: Option<&str>) -> Result<String, String> {
    let name = given.unwrap_or("sub");
    if name.is_empty() { Err("`id` names a claim".to_owned()) } else { Ok(name.to_owned()) }
}

fn claims(given: &BTreeMap<String, Texts>) -> Result<Vec<(String, Vec<String>)>, String> {
    let list = |(name, texts): (&String, &Texts)| {
        let list = texts.list();
        let wrong = name.is_empty() || list.is_empty();
        if wrong {
            Err("a claim has a name and at least one value".to_owned())
        } else {
            Ok((name.clone(), list))
        }
    };
    given.iter().map(list).collect()
}

fn address(key: &str, url: &str, private: bool) -> Result<Address, String> {
    // What was written is not repeated: a user name and password may stand in it.
    let wrong = || format!("`{key}` is an address such as `https://id.example.com/keys`");
    let start = url.find("://").map(|at| at + 3).ok_or_else(wrong)?;
    let slash = url.get(start..).and_then(|rest| rest.find('/')).map_or(url.len(), |at| start + at);
    let (authority, target) = url.split_at_checked(slash).ok_or_else(wrong)?;
    let authority: Authority = authority.parse().map_err(|_| wrong())?;
    if authority.scheme() == Scheme::Http && !private {
        return Err(format!("`{key}` is asked over https only, but with `dangerous_allow_private`"));
    }
    let target = if target.is_empty() { "/" } else { target };
    let _: Target = target.parse().map_err(|_| wrong())?;
    Ok(Address { authority, target: target.to_owned() })
}

const ANY: &str = "any";
const GOOGLE: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];
const GOOGLE_KEYS: &str = "https://www.googleapis.com/oauth2/v3/certs";
const LEEWAY: Duration = Duration::from_secs(30);
const MOST_LEEWAY: Duration = Duration::from_secs(300);
