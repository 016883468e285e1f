//! JSON Web Tokens (RFC 7519, RFC 8725): read strictly, verified with a key that is made for one algorithm.
//!
//! What a token says of its algorithm is compared with that of the key; it never chooses. `exp` has to be there; `crit` and kinds of
//! tokens that are made for something else are refused.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use catalog::incoming::{JwsAlgorithm, Jwt, JwtKey, JwtKeys, Material, Wanted};
use crypto::jws::{Hash, VerifyingKey};
use serde_json::{Map, Value};

use super::issuers::Source;
use super::keys::{KeySet, public};
use super::{Accepted, Asking, Came, No, presented, unchecked};

/// A token, taken apart and not yet believed.
pub(super) struct Written<'a> {
    algorithm: String,
    kid: Option<String>,
    signed: &'a [u8],
    signature: Vec<u8>,
    claims: Map<String, Value>,
}

/// Proof that the token was signed with one of the keys.
#[must_use]
pub(super) struct Proven(());

impl Written<'_> {
    /// The key that it says it was signed with.
    pub(super) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// What it says, once it is believed.
    pub(super) fn into_claims(self) -> Map<String, Value> {
        self.claims
    }
}

impl Asking<'_> {
    pub(super) async fn jwt(&self, jwt: &Jwt, came: &Came<'_>) -> Result<Accepted, No> {
        let token = read(presented(&jwt.place, came.headers)?)?;
        let Proven(()) = self.verified(jwt, &token).await?;
        timely(&token.claims, self.now.millis() / 1_000, jwt.leeway.as_secs())?;
        wanted(&jwt.issuer, token.claims.get("iss"), "the issuer is another one")?;
        wanted(&jwt.audience, token.claims.get("aud"), "it is for another audience")?;
        for (name, values) in &jwt.claims {
            let claim = token.claims.get(name);
            let fits = claim.is_some_and(|claim| texts(claim).iter().any(|text| values.contains(text)));
            if !fits {
                return Err(No::Wrong("a claim has another value"));
            }
        }
        let id = named(token.claims.get(&jwt.id))?;
        if id.is_none() && !jwt.unnamed {
            return Err(No::Wrong("the claim that names the caller is missing"));
        }
        Ok(Accepted { id, spent: vec![jwt.place.header.clone()], ..Accepted::default() })
    }

    async fn verified(&self, jwt: &Jwt, token: &Written<'_>) -> Result<Proven, No> {
        let source = match &jwt.keys {
            JwtKeys::Named(keys) => return self.by_named(keys, token).await,
            JwtKeys::Set(text) => {
                let set = KeySet::read(text.as_bytes(), &jwt.algorithms).map_err(|why| {
                    tracing::warn!(integration = %self.integration.name(), why, "the keys in a file can't be used");
                    No::Ours(unchecked(self.integration, model::Code::SecretMissing))
                })?;
                return by_set(&set, token);
            }
            JwtKeys::At(address) => Source {
                issuer: None,
                address: address.clone(),
                private: self.integration.dangerous_allow_private(),
                algorithms: jwt.algorithms.clone(),
            },
            JwtKeys::Discovered(issuer, address) => Source {
                issuer: Some(issuer.clone()),
                address: address.clone(),
                private: self.integration.dangerous_allow_private(),
                algorithms: jwt.algorithms.clone(),
            },
        };
        let issuers = &self.worker.broker().incoming().issuers;
        let set = issuers.keys(self.worker, &source, token.kid.as_deref(), self.now).await.map_err(|why| {
            let name = self.integration.name();
            tracing::warn!(integration = %name, address = %source.address.authority, why, "the keys of an issuer can't be had");
            No::Ours(unchecked(self.integration, model::Code::SourceUnavailable))
        })?;
        by_set(&set, token)
    }

    /// Keys of the file or of secrets, each for one algorithm.
    async fn by_named(&self, keys: &[JwtKey], token: &Written<'_>) -> Result<Proven, No> {
        let mut trouble = None;
        let fitting = keys.iter().filter(|key| {
            name(key.algorithm) == token.algorithm
                && (token.kid.is_none() || key.kid.is_none() || key.kid == token.kid)
        });
        for key in fitting {
            match self.by_one(key, is_of_either_kind(key, keys), token).await {
                Ok(proven) => return Ok(proven),
                Err(No::Wrong(_)) => {}
                Err(ours) => trouble = Some(ours),
            }
        }
        Err(trouble.unwrap_or(No::Wrong("no key verifies the token")))
    }

    /// `either`: what is secret may be a key of another kind, and then it verifies nothing of this one.
    async fn by_one(&self, key: &JwtKey, either: bool, token: &Written<'_>) -> Result<Proven, No> {
        let forged = || No::Wrong("no key verifies the token");
        let unusable = |field: &str, why| if either { forged() } else { self.unusable(field, why) };
        let hash = match key.algorithm {
            JwsAlgorithm::HS256 => Some(Hash::Sha256),
            JwsAlgorithm::HS384 => Some(Hash::Sha384),
            JwsAlgorithm::HS512 => Some(Hash::Sha512),
            _ => None,
        };
        let verifying = match (&key.material, hash) {
            (Material::Secret(field), Some(hash)) => {
                let checking = self.checking(field).await?;
                if let Some(why) = checking.unfit_for_hmac() {
                    return Err(unusable(field, why));
                }
                let answer = checking.signed(hash, &[token.signed], &token.signature);
                return answer.map(|_| Proven(())).map_err(|_| forged());
            }
            (Material::Secret(field), None) => {
                let algorithm = public(key.algorithm).ok_or_else(forged)?;
                let checking = self.checking(field).await?;
                checking
                    .public_key(algorithm)
                    .map_err(|_| unusable(field, "it is no public key of its algorithm"))?
            }
            (Material::Public(pem), _) => {
                let algorithm = public(key.algorithm).ok_or_else(forged)?;
                VerifyingKey::from_pem(algorithm, pem.as_bytes())
                    .map_err(|_| self.unusable("public_key", "it is no public key of its algorithm"))?
            }
        };
        verifying.verify(token.signed, &token.signature).map(|_| Proven(())).map_err(|_| forged())
    }

    fn unusable(&self, field: &str, why: &'static str) -> No {
        tracing::warn!(integration = %self.integration.name(), field, why, "a key that tokens are checked with can't be used");
        No::Ours(unchecked(self.integration, model::Code::SecretMissing))
    }
}

/// The name of a caller; `None` where the token says none.
fn named(claim: Option<&Value>) -> Result<Option<String>, No> {
    let plain = |id: &&str| id.len() <= LONGEST_ID && !id.chars().any(char::is_control);
    match claim {
        None => Ok(None),
        Some(Value::String(id)) if id.is_empty() => Ok(None),
        Some(claim) => match claim.as_str().filter(plain) {
            Some(id) => Ok(Some(id.to_owned())),
            None => Err(No::Wrong("the claim that names the caller is no name")),
        },
    }
}

/// Whether the same secret is named for another algorithm as well, so that what it is says for which one it is meant.
fn is_of_either_kind(key: &JwtKey, keys: &[JwtKey]) -> bool {
    let Material::Secret(field) = &key.material else { return false };
    keys.iter().any(|other| {
        other.algorithm != key.algorithm
            && matches!(&other.material, Material::Secret(named) if named == field)
    })
}

pub(super) fn by_set(set: &KeySet, token: &Written<'_>) -> Result<Proven, No> {
    let mut fitting = set.of(token.kid.as_deref()).filter(|key| key.algorithm().as_str() == token.algorithm);
    let found = fitting.find(|key| key.verify(token.signed, &token.signature).is_ok());
    found.map(|_| Proven(())).ok_or(No::Wrong("no key verifies the token"))
}

/// Takes a token apart (RFC 7515, section 5.2).
pub(super) fn read(written: &[u8]) -> Result<Written<'_>, No> {
    let wrong = || No::Wrong("it is no token");
    if written.len() > LONGEST {
        return Err(No::Wrong("the token is too long"));
    }
    let text = str::from_utf8(written).map_err(|_| wrong())?;
    let (signed, signature) = text.rsplit_once('.').ok_or_else(wrong)?;
    let (header, claims) = signed.split_once('.').ok_or_else(wrong)?;
    if claims.contains('.') {
        return Err(wrong());
    }
    let raw = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| wrong());
    // Of what is there twice, another reader may take the other one.
    let object = |part: &str| match crate::document::read(&raw(part)?) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(wrong()),
    };
    let header = object(header)?;
    if header.contains_key("crit") || header.contains_key("b64") {
        return Err(No::Wrong("the token asks for what is not understood here"));
    }
    let kind = header.get("typ").map(|kind| kind.as_str().unwrap_or("?").to_ascii_lowercase());
    if kind.as_deref().is_some_and(|kind| !KINDS.contains(&kind.trim_start_matches("application/"))) {
        return Err(No::Wrong("it is a token for something else"));
    }
    let algorithm = header.get("alg").and_then(Value::as_str).ok_or_else(wrong)?.to_owned();
    let kid = match header.get("kid") {
        None => None,
        Some(Value::String(kid)) => Some(kid.clone()),
        Some(_) => return Err(wrong()),
    };
    Ok(Written {
        algorithm,
        kid,
        signed: signed.as_bytes(),
        signature: raw(signature)?,
        claims: object(claims)?,
    })
}

/// `exp` is there and not over; what else is said of times is true.
pub(super) fn timely(claims: &Map<String, Value>, now: u64, leeway: u64) -> Result<(), No> {
    let seconds = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => {
            let seconds = value.as_f64().filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
            seconds.map(Some).ok_or(No::Wrong("a time in the token is no number"))
        }
    };
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^52")]
    let (now, leeway) = (now as f64, leeway as f64);
    let exp = seconds("exp")?.ok_or(No::Wrong("the token has no end"))?;
    if now >= exp + leeway {
        return Err(No::Wrong("the token is over"));
    }
    if seconds("nbf")?.is_some_and(|nbf| now + leeway < nbf) {
        return Err(No::Wrong("the token does not count yet"));
    }
    if seconds("iat")?.is_some_and(|iat| now + leeway < iat) {
        return Err(No::Wrong("the token was issued in the future"));
    }
    Ok(())
}

fn wanted(wanted: &Wanted, claim: Option<&Value>, otherwise: &'static str) -> Result<(), No> {
    match wanted {
        Wanted::Any => Ok(()),
        Wanted::OneOf(list) => {
            let texts = match claim {
                Some(Value::String(text)) => vec![text.as_str()],
                Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
                _ => Vec::new(),
            };
            if texts.iter().any(|text| list.iter().any(|one| one == text)) {
                Ok(())
            } else {
                Err(No::Wrong(otherwise))
            }
        }
    }
}

/// A claim as texts: itself, or what is in its list.
fn texts(claim: &Value) -> Vec<String> {
    match claim {
        Value::String(text) => vec![text.clone()],
        Value::Bool(value) => vec![value.to_string()],
        Value::Number(number) => vec![number.to_string()],
        Value::Array(several) => several.iter().filter(|one| !one.is_array()).flat_map(texts).collect(),
        Value::Null | Value::Object(_) => Vec::new(),
    }
}

const fn name(algorithm: JwsAlgorithm) -> &'static str {
    match algorithm {
        JwsAlgorithm::HS256 => "HS256",
        JwsAlgorithm::HS384 => "HS384",
        JwsAlgorithm::HS512 => "HS512",
        JwsAlgorithm::RS256 => "RS256",
        JwsAlgorithm::RS384 => "RS384",
        JwsAlgorithm::RS512 => "RS512",
        JwsAlgorithm::PS256 => "PS256",
        JwsAlgorithm::PS384 => "PS384",
        JwsAlgorithm::PS512 => "PS512",
        JwsAlgorithm::ES256 => "ES256",
        JwsAlgorithm::ES384 => "ES384",
        JwsAlgorithm::ES512 => "ES512",
        JwsAlgorithm::EdDSA => "EdDSA",
    }
}

/// Kinds of tokens that name a caller (RFC 8725, section 3.11): others are made for something else.
const KINDS: [&str; 2] = ["jwt", "at+jwt"];
/// Longest token, in bytes.
const LONGEST: usize = 16 * 1024;
const LONGEST_ID: usize = 255;

#[cfg(test)]
mod tests;
