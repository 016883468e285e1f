//! `[store.credentials]`: a table of BigQuery in which the home keeps what tenants set up for providers.

use bigquery::Place;
use model::SecretRef;
use serde::Deserialize;

use super::file;
use crate::failure::{Failure, Outcome};
use crate::home::Home;

/// As it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::settings) struct Written {
    url: String,
    endpoint: Option<String>,
    key: Option<String>,
}

/// The table of this home; `None` where credentials stay in its store.
pub(crate) fn of(home: &Home) -> Outcome<Option<Place>> {
    let written = file::read(&home.settings())?.store.and_then(|store| store.credentials);
    let Some(Written { url, endpoint, key }) = written else { return Ok(None) };
    let key = key.map(|text| {
        // What was written is not repeated: it may be the key itself.
        let read: Result<SecretRef, _> = text.parse();
        let read = read.ok().filter(|read| read.scheme() != "store");
        read.ok_or_else(|| {
            Failure::usage("`store.credentials.key` is the reference of a key file, such as `file:PATH`; not `store:`, which it is about")
        })
    });
    let place = Place::parse(&url, endpoint, key.transpose()?);
    let failed = |error: bigquery::Error| {
        let hint = error.hint().map(str::to_owned);
        Failure::usage(error.to_string()).maybe_hint(hint)
    };
    place.map(Some).map_err(failed)
}
