//! A set of public keys (RFC 7517), each pinned to one algorithm when the set is read.

use catalog::incoming::JwsAlgorithm;
use crypto::from_base64url;
use crypto::jws::{Algorithm, VerifyingKey};
use serde_json::Value;

/// Public keys of one issuer.
#[derive(Debug)]
pub(super) struct KeySet(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    kid: Option<String>,
    key: VerifyingKey,
}

impl KeySet {
    /// Reads a set. Keys that are for something else, or of a kind that is not accepted, are left out; a set of which nothing is
    /// left is an error, so that a page of an error that happens to be JSON is never kept as "no keys".
    pub(super) fn read(json: &[u8], accepted: &[JwsAlgorithm]) -> Result<Self, &'static str> {
        let set: Value = serde_json::from_slice(json).map_err(|_| "the set of keys is not JSON")?;
        let keys = set.get("keys").and_then(Value::as_array).ok_or("there is no list of keys")?;
        if keys.len() > MOST {
            return Err("there are too many keys");
        }
        let found: Vec<Entry> = keys.iter().filter_map(|key| entry(key, accepted)).collect();
        if found.is_empty() { Err("no key is of a kind that is accepted") } else { Ok(Self(found)) }
    }

    /// Whether there is a key of this id.
    pub(super) fn knows(&self, kid: &str) -> bool {
        self.0.iter().any(|entry| entry.kid.as_deref() == Some(kid))
    }

    /// The keys of this id; all where a token names none.
    pub(super) fn of(&self, kid: Option<&str>) -> impl Iterator<Item = &VerifyingKey> {
        let fits = move |entry: &&Entry| kid.is_none() || entry.kid.as_deref() == kid;
        self.0.iter().filter(fits).map(|entry| &entry.key)
    }
}

fn entry(key: &Value, accepted: &[JwsAlgorithm]) -> Option<Entry> {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    if text("use").is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let operations = key.get("key_ops").and_then(Value::as_array);
    if operations.is_some_and(|operations| !operations.iter().any(|one| one == "verify")) {
        return None;
    }
    let raw = |name: &str| from_base64url(text(name)?).ok();
    let algorithm = pinned(text("kty")?, text("crv"), text("alg"), accepted)?;
    let key = match algorithm {
        rsa if rsa.is_rsa() => VerifyingKey::from_rsa(rsa, &raw("n")?, &raw("e")?),
        Algorithm::EdDSA => VerifyingKey::from_ed25519(&raw("x")?),
        curve => VerifyingKey::from_point(curve, &raw("x")?, &raw("y")?),
    };
    Some(Entry { kid: text("kid").map(str::to_owned), key: key.ok()? })
}

/// The one algorithm of a key: the one that it names, where that is of its kind; else the one of its curve; an RSA key that
/// names none is for the first RSA algorithm that is accepted.
fn pinned(
    kind: &str,
    curve: Option<&str>,
    named: Option<&str>,
    accepted: &[JwsAlgorithm],
) -> Option<Algorithm> {
    let accepted: Vec<Algorithm> = accepted.iter().filter_map(|one| public(*one)).collect();
    let of_kind = |algorithm: &Algorithm| match (kind, curve) {
        ("RSA", _) => algorithm.is_rsa(),
        ("EC", Some("P-256")) => *algorithm == Algorithm::ES256,
        ("EC", Some("P-384")) => *algorithm == Algorithm::ES384,
        ("EC", Some("P-521")) => *algorithm == Algorithm::ES512,
        ("OKP", Some("Ed25519")) => *algorithm == Algorithm::EdDSA,
        _ => false,
    };
    let names = |algorithm: &Algorithm| match named {
        // The newer name of the same (RFC 9864).
        Some("Ed25519") => *algorithm == Algorithm::EdDSA,
        Some(named) => algorithm.as_str() == named,
        None => true,
    };
    accepted.into_iter().find(|algorithm| of_kind(algorithm) && names(algorithm))
}

/// The algorithm, where it has a public key.
pub(super) const fn public(algorithm: JwsAlgorithm) -> Option<Algorithm> {
    Some(match algorithm {
        JwsAlgorithm::HS256 | JwsAlgorithm::HS384 | JwsAlgorithm::HS512 => return None,
        JwsAlgorithm::RS256 => Algorithm::RS256,
        JwsAlgorithm::RS384 => Algorithm::RS384,
        JwsAlgorithm::RS512 => Algorithm::RS512,
        JwsAlgorithm::PS256 => Algorithm::PS256,
        JwsAlgorithm::PS384 => Algorithm::PS384,
        JwsAlgorithm::PS512 => Algorithm::PS512,
        JwsAlgorithm::ES256 => Algorithm::ES256,
        JwsAlgorithm::ES384 => Algorithm::ES384,
        JwsAlgorithm::ES512 => Algorithm::ES512,
        JwsAlgorithm::EdDSA => Algorithm::EdDSA,
    })
}

/// Most keys of a set.
const MOST: usize = 64;

#[cfg(test)]
mod tests;
