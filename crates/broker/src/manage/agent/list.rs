//! `agent.list`: the capabilities of the caller; the owner sees all.

use std::sync::Arc;

use model::{CapabilityId, Refusal, TenantName, Timestamp};
use policy::{Named, NamedState};
use serde_json::{Value, json};
use store::Table;

use super::ask::{Filter, List, Order, SortBy, Status};
use super::request::{shown, unread, wrong};
use super::row::{Row, kind_of, reached};
use super::{Asker, answered, json as strict, key};
use crate::broker::Broker;
use crate::manage::{Done, Managing, unstored, waiting};

pub(crate) async fn list(managing: &mut Managing<'_>) -> Result<Done, Refusal> {
    let asked: List = match managing.payload.take() {
        Some(payload) if !payload.is_empty() => strict::read(&payload.text()?)?,
        _ => List::default(),
    };
    let asker = Asker::of(managing)?;
    let (broker, root) = (Arc::clone(managing.worker.broker()), key(managing)?);
    let tenant = managing.admitted.permit.tenant().clone();
    let wanted = Wanted::read(asked.filter.unwrap_or_default())?;
    waiting(move || {
        let found = Found::of(&broker, &asker, &tenant, &wanted, &|id| stored(&broker, &root, &tenant, id))?;
        let count = found.shown.len();
        let value = json!({
            "capabilities": found.shown, "count": count, "total": found.total,
            "limit": wanted.limit, "offset": wanted.offset,
        });
        Ok(answered(value, &[("count", count.to_string())]))
    })
    .await
}

/// A filter, understood.
struct Wanted {
    filter: Filter,
    parent: Option<CapabilityId>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    limit: usize,
    offset: usize,
}

impl Wanted {
    fn read(filter: Filter) -> Result<Self, Refusal> {
        let time = |text: Option<&String>| match text.filter(|text| !text.is_empty()) {
            Some(text) => text.parse::<Timestamp>().map(Some).map_err(unread),
            None => Ok(None),
        };
        let range = filter.time_range.as_ref();
        let (from, to) = (
            time(range.and_then(|range| range.start.as_ref()))?,
            time(range.and_then(|range| range.end.as_ref()))?,
        );
        let parent = match filter.parent.as_deref().filter(|text| !text.is_empty()) {
            Some(text) => Some(text.parse().map_err(unread)?),
            None => None,
        };
        let number = |given: Option<i64>, usual: usize, what: &str| match given {
            None => Ok(usual),
            Some(number) => usize::try_from(number).map_err(|_| wrong(format!("{what} cannot be negative"))),
        };
        let limit = match number(filter.limit, USUAL, "limit")? {
            0 => USUAL,
            limit if limit > MOST => return Err(wrong(format!("limit is {MOST} at most"))),
            limit => limit,
        };
        let offset = number(filter.offset, 0, "offset")?;
        Ok(Self { filter, parent, from, to, limit, offset })
    }

    /// Whether what is in memory of a capability fits.
    fn fits(&self, named: &Named, now: Timestamp) -> bool {
        let Filter { identity, resource, kind, status, .. } = &self.filter;
        let same = |wanted: &Option<String>, is: &str| {
            wanted.as_deref().filter(|text| !text.is_empty()).is_none_or(|wanted| {
                match wanted.strip_suffix('*') {
                    Some(prefix) => is.starts_with(prefix),
                    None => wanted == is,
                }
            })
        };
        let (actions, name) = reached(&named.caveats);
        let issued = issued(named);
        same(identity, &named.identity)
            && same(resource, name.as_ref().map_or("", |name| name.as_str()))
            && same(kind, kind_of(&actions))
            && status.is_none_or(|status| status == Status::Any || status_of(named, now) == status)
            && self.parent.is_none_or(|parent| named.parent == Some(parent))
            && self.from.is_none_or(|from| issued >= from)
            && self.to.is_none_or(|to| issued <= to)
    }

    /// Whether its row has to be read to know.
    fn asks_row(&self) -> bool {
        let Filter { issuer, metadata, .. } = &self.filter;
        issuer.as_ref().is_some_and(|text| !text.is_empty())
            || metadata.as_ref().is_some_and(|map| !map.0.is_empty())
    }

    fn fits_row(&self, row: &Row) -> bool {
        let Filter { issuer, metadata, .. } = &self.filter;
        let issued = issuer.as_ref().is_none_or(|issuer| issuer.is_empty() || *issuer == row.issuer);
        let said = metadata.iter().flat_map(|map| &map.0).all(|(key, value)| {
            row.metadata.as_ref().and_then(|known| known.get(key)).is_some_and(|known| *known == value.0)
        });
        issued && said
    }

    /// By what one sorts.
    fn place(&self, named: &Named) -> (u64, String) {
        match self.filter.sort_by.unwrap_or_default() {
            SortBy::IssuedAt => (0, String::new()),
            SortBy::ExpiresAt => (named.expires.millis(), String::new()),
            SortBy::UsedCount => (named.used.into(), String::new()),
            SortBy::Identity => (0, named.identity.to_string()),
            SortBy::Resource => {
                (0, reached(&named.caveats).1.map(|name| name.as_str().to_owned()).unwrap_or_default())
            }
        }
    }
}

/// One page, and how many there are in all.
struct Found {
    shown: Vec<Value>,
    total: usize,
}

impl Found {
    fn of(
        broker: &Broker,
        asker: &Asker,
        tenant: &TenantName,
        wanted: &Wanted,
        stored: &dyn Fn(CapabilityId) -> Result<Option<(Row, String)>, Refusal>,
    ) -> Result<Self, Refusal> {
        let now = broker.now();
        let (mut places, mut after) = (Vec::new(), None);
        loop {
            // In pieces, so that nobody who asks for a capability waits for a long list.
            let page = broker.grants().named_after(after, PIECE);
            after = page.last().map(|named| named.id);
            let full = page.len() == PIECE;
            for named in page {
                if named.tenant == *tenant && asker.sees(&named).is_some() && wanted.fits(&named, now) {
                    let row = if wanted.asks_row() { stored(named.id)? } else { None };
                    if !wanted.asks_row() || row.is_some_and(|(row, _)| wanted.fits_row(&row)) {
                        places.push((wanted.place(&named), named.id));
                    }
                }
            }
            if !full {
                break;
            }
        }
        places.sort_unstable();
        if wanted.filter.sort_order.unwrap_or_default() == Order::Desc {
            places.reverse();
        }
        let total = places.len();
        let mut shown_now = Vec::new();
        for (_, id) in places.into_iter().skip(wanted.offset).take(wanted.limit) {
            let Some(named) = broker.grants().named(id) else { continue };
            shown_now.push(one(&named, stored(id)?, now));
        }
        Ok(Self { shown: shown_now, total })
    }
}

/// One of a list. Of a row that was changed nothing is repeated but the name.
fn one(named: &Named, row: Option<(Row, String)>, now: Timestamp) -> Value {
    let Some((row, signature)) = row.filter(|_| named.state != NamedState::Forged) else {
        return json!({ "id": named.id, "status": "invalid" });
    };
    let mut value = shown(&row, named.used, &signature);
    if let Some(map) = value.as_object_mut() {
        map.insert("status".to_owned(), status_of(named, now).as_str().into());
    }
    value
}

fn stored(
    broker: &Broker,
    key: &crypto::MacKey,
    tenant: &TenantName,
    id: CapabilityId,
) -> Result<Option<(Row, String)>, Refusal> {
    let name = id.to_string();
    let value =
        broker.storage().get(Table::Grants, tenant, name.as_bytes()).map_err(|error| unstored(&error))?;
    Ok(value
        .and_then(|value| Row::read(key, tenant, name.as_bytes(), &value))
        .map(|found| (found.row, found.signature)))
}

fn status_of(named: &Named, now: Timestamp) -> Status {
    match named.state {
        NamedState::Active if named.expires > now => Status::Active,
        NamedState::Active => Status::Expired,
        NamedState::Revoked { .. } | NamedState::Forged => Status::Revoked,
    }
}

fn issued(named: &Named) -> Timestamp {
    let [a, b, c, d, e, f, ..] = named.id.to_bytes();
    Timestamp::from_millis(u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
}

/// How many are shown where nobody says, and at most.
const USUAL: usize = 50;
const MOST: usize = 10_000;
/// How many are looked at before others have their turn.
const PIECE: usize = 1_000;
