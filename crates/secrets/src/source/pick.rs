//! One secret out of what a source gave: all of it, or with `#field` the text member of that name of a JSON object.

use memory::Secret;
use model::SecretRef;
use zeroize::Zeroizing;

use super::lines::{self, Wrong};
use super::{Fetched, Trouble, aged, guarded};
use crate::Error;

/// What a reference asks for in these bytes.
pub(crate) fn from(reference: &SecretRef, bytes: Zeroizing<Vec<u8>>) -> Result<Fetched, Error> {
    match reference.field() {
        None => aged(reference, guarded(bytes)?),
        Some(field) => aged(reference, member(reference, &bytes, &[field])?),
    }
}

/// The text at a path in a JSON document.
pub(crate) fn member(reference: &SecretRef, document: &[u8], path: &[&str]) -> Result<Secret, Error> {
    match lines::json_at(document, path) {
        Ok(Some(value)) => guarded(value),
        Ok(None) => Err(Error::Missing(reference.to_string())),
        Err(Wrong::Twice) => Err(Error::source(reference, Trouble::Wrong("the member stands in it twice"))),
        Err(Wrong::Form) => {
            let why = "it is no JSON object that has this member as a text";
            Err(Error::source(reference, Trouble::Wrong(why)))
        }
    }
}

/// Without one line end, which programs print behind a secret.
pub(crate) fn without_line_end(mut bytes: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    bytes
}

/// The bytes of a secret, to look for a member in them.
#[expect(clippy::disallowed_methods, reason = "looks for the member that a reference names")]
pub(crate) fn plain(secret: &Secret) -> Zeroizing<Vec<u8>> {
    secret.expose(|bytes| Zeroizing::new(bytes.to_vec()))
}

/// The bytes of a secret that came in base 64.
#[expect(clippy::disallowed_methods, reason = "decodes a secret that came in base 64")]
pub(crate) fn decoded(secret: &Secret) -> Option<Zeroizing<Vec<u8>>> {
    secret.expose(|bytes| from_base64(std::str::from_utf8(bytes).ok()?))
}

/// The bytes of base 64, as several clouds carry a secret.
pub(crate) fn from_base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    crypto::from_base64(text).ok().map(Zeroizing::new)
}
