//! What is known of subscriptions and of what they are to be told, in memory: the rows are read once, not with each look.

use std::collections::{BTreeMap, BTreeSet};

use crypto::Digest;
use model::{DeliveryId, Refusal, TenantName, Timestamp, WebhookId};

use super::rows::{self, Cursor, Delivery, Standing, Try, Webhook};
use super::{Telling, events};
use crate::sealed::Desk;

/// Every subscription.
pub(crate) struct Known {
    pub(super) hooks: BTreeMap<WebhookId, Kept>,
    /// The newest checkpoint when all that are told had read everything.
    pub(super) seen: Option<Digest>,
}

/// One subscription.
pub(super) struct Kept {
    pub(super) row: Webhook,
    /// The number of the checkpoint that it reads.
    pub(super) number: u64,
    /// That checkpoint as it was read last; it may be written again.
    pub(super) seen: Option<Digest>,
    /// Up to where chains were read, and what of that is written down: where nothing was to be told it is not, each time.
    pub(super) places: BTreeMap<TenantName, (u64, u64)>,
    /// What waits, and until when.
    pub(super) waiting: BTreeMap<DeliveryId, Timestamp>,
    /// What is through, the oldest first.
    through: BTreeSet<DeliveryId>,
}

impl Known {
    /// What is known; read from the rows where it is not.
    pub(crate) fn read<'a>(known: &'a mut Option<Self>, desk: &Desk) -> Result<&'a mut Self, Refusal> {
        if known.is_none() {
            let hooks = desk.all::<Webhook>(rows::WEBHOOKS)?.into_iter();
            let hooks = hooks.map(|row| Ok((row.id, Kept::read(row, desk)?)));
            *known = Some(Self { hooks: hooks.collect::<Result<_, Refusal>>()?, seen: None });
        }
        Ok(known.get_or_insert_with(|| Self { hooks: BTreeMap::new(), seen: None }))
    }

    /// Writes what came of a try, and takes what is too old out of the log.
    ///
    /// # Errors
    /// When the delivery is gone, or rows can't be read or written.
    pub(crate) fn tried(
        &mut self,
        desk: &Desk,
        (hook, id): (WebhookId, DeliveryId),
        tried: Try,
        (telling, now): (Telling, Timestamp),
    ) -> Result<Delivery, Refusal> {
        let (taken, gone) = (tried.is_taken(), tried.is_gone());
        let kept = self.hooks.get_mut(&hook).ok_or_else(rows::missing)?;
        let key = rows::delivery(hook, id);
        let held = desk.read::<Delivery>(&key)?.ok_or_else(rows::missing)?;
        let mut row = held.row.clone();
        row.note(tried, telling.retry, now);
        let mut steps = vec![desk.swap(&key, held, &row)?];
        let mut fared = kept.row.clone();
        if row.event != events::TEST && (gone || row.state != Standing::Waiting) {
            fared.fared(taken, gone);
        }
        if fared != kept.row {
            let place = rows::webhook(hook);
            let held = desk.read::<Webhook>(&place)?.ok_or_else(rows::missing)?;
            steps.push(desk.swap(&place, held, &fared)?);
        }
        let mut through = kept.through.clone();
        if row.state != Standing::Waiting {
            through.insert(id);
        }
        while through.len() > rows::TOLD {
            steps.extend(through.pop_first().map(|old| desk.delete(&rows::delivery(hook, old))));
        }
        desk.commit(steps)?;
        if fared.state != kept.row.state {
            tracing::warn!(webhook = %hook, "a webhook takes nothing and is told nothing any more");
        }
        (kept.row, kept.through) = (fared, through);
        match row.state {
            Standing::Waiting => drop(kept.waiting.insert(id, row.next)),
            Standing::Delivered | Standing::Dead => drop(kept.waiting.remove(&id)),
        }
        Ok(row)
    }
}

impl Kept {
    fn read(row: Webhook, desk: &Desk) -> Result<Self, Refusal> {
        let cursor = desk.read::<Cursor>(&rows::cursor(row.id))?.ok_or_else(rows::missing)?.row;
        let (mut waiting, mut through) = (BTreeMap::new(), BTreeSet::new());
        for delivery in rows::deliveries(desk, row.id)? {
            match delivery.state {
                Standing::Waiting => drop(waiting.insert(delivery.id, delivery.next)),
                Standing::Delivered | Standing::Dead => drop(through.insert(delivery.id)),
            }
        }
        Ok(Self { row, number: cursor.number, seen: None, places: BTreeMap::new(), waiting, through })
    }

    /// What is to be tried now. What failed and waits does not hold up what comes behind it.
    pub(super) fn due(&self, now: Timestamp) -> Option<DeliveryId> {
        let due = self.waiting.iter().filter(|(_, next)| **next <= now);
        due.min_by_key(|(id, next)| (**next, **id)).map(|(id, _)| *id)
    }
}
