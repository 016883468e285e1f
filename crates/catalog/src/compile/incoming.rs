//! How callers and webhooks prove themselves.

use std::collections::BTreeMap;

use super::Origin;
use super::wiring::check_field;
use crate::file::File;
use crate::{Error, Incoming, SecretField, Verification, reply};

/// How the service signs its webhooks.
pub(super) fn schemes(
    file: &File,
    origin: &Origin,
    secrets: &BTreeMap<String, SecretField>,
) -> Result<Vec<Incoming>, Error> {
    let mut found = Vec::new();
    for entry in file.incoming.iter().flatten() {
        let line = entry.referenced.line();
        check_field(&entry.value.secret, secrets).map_err(|problem| origin.wrong(line, problem))?;
        let header = entry.value.header.as_deref().map(str::to_ascii_lowercase);
        let fits = match (&entry.value.scheme, &header) {
            (Verification::Hmac, Some(header)) => reply::is_header(header),
            (Verification::Hmac, None) => false,
            (_, header) => header.is_none(),
        };
        if !fits {
            return Err(origin.wrong(line, "`hmac` has a `header`, and no other signature has one"));
        }
        found.push(Incoming { scheme: entry.value.scheme, secret: entry.value.secret.clone(), header });
    }
    Ok(found)
}
