//! Webhooks: who is told of what, and how that goes.

use std::sync::Arc;
use std::time::Duration;

use ::evidence::Reader;
use memory::Secret;
use model::{Code, DeliveryId, Refusal, SecretName, SecretRef, Timestamp, WebhookId, parse_duration};
use secrets::{Disclosure, Opened};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::seen::Seen;
use super::{Done, Managing, waiting};
use crate::Broker;
use crate::hooks::events::{self, EVENTS, TEST};
use crate::hooks::known::Known;
use crate::hooks::rows::{self, Cursor, Delivery, Standing, State, Try, Webhook, missing};
use crate::hooks::send::{PREFIX, Receiver, Sent};
use crate::hooks::unread;
use crate::sealed::{Desk, Held};

pub(super) async fn run(managing: &mut Managing<'_>) -> Option<Result<Done, Refusal>> {
    let operation = managing.admitted.permit.call().operation().as_str();
    // What is told is the house's, whatever the policies of a tenant say.
    let house = *managing.admitted.permit.tenant() == managing.worker.broker().settings().tenant;
    if operation.starts_with("webhook.") && !house {
        return Some(Err(missing()));
    }
    let result = match operation {
        "webhook.create" => create(managing).await,
        "webhook.deliver" => return Some(deliver(managing).await),
        "webhook.deliveries" => deliveries(managing).await,
        "webhook.enable" => enable(managing).await,
        "webhook.forget" => forget(managing).await,
        "webhook.list" => list(managing).await,
        "webhook.redeliver" => redeliver(managing).await,
        "webhook.rotate" => rotate(managing).await,
        "webhook.show" => show(managing).await,
        "webhook.test" => return Some(test(managing).await),
        _ => return None,
    };
    Some(result.map(Done::from))
}

/// The answer holds the signing key, once.
async fn create(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let at = At::of(managing);
    let url = managing.input("url")?.to_owned();
    let _there = Receiver::of(&url, at.broker.hooks().telling())?;
    let events = managing.inputs.get("events").map(|text| wanted(text)).transpose()?.unwrap_or_default();
    let label = managing.inputs.get("label").cloned();
    let id = WebhookId::new(at.now, at.broker.random()?);
    let (secret, by) = (named(id)?, managing.admitted.permit.principal().clone());
    let (house, key) = (managing.admitted.permit.tenant(), key()?);
    let put = managing.unsealed.secrets().put(house, &secret, as_secret(&key)?, Disclosure::Never);
    let _version = put.await.map_err(|error| unkept(&error))?;
    let (state, former_until) = (State::Active, None);
    let row =
        Webhook { id, url, events, label, secret, former_until, created: at.now, by, state, given_up: 0 };
    let reader = super::evidence::reader(managing);
    let name = row.secret.clone();
    let written = waiting(move || {
        let mut known = at.broker.hooks().alone();
        if at.desk.all::<Webhook>(rows::WEBHOOKS)?.len() >= MOST {
            return Err(Refusal::new(Code::Conflict, format!("there are {MOST} webhooks already")));
        }
        let number = newest(&reader)?;
        let steps = [
            at.desk.insert(&rows::webhook(id), &row)?,
            at.desk.insert(&rows::cursor(id), &Cursor { number })?,
        ];
        at.desk.commit(steps)?;
        *known = None;
        Ok(row.shown())
    });
    match written.await {
        Ok(shown) => Ok(with_key(shown, &key)),
        Err(refusal) => {
            // Nobody knows the key, so nothing is lost if it stays.
            let _ = managing.unsealed.secrets().forget(house, &name).await;
            Err(refusal)
        }
    }
}

async fn list(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let at = At::of(managing);
    waiting(move || {
        let all = at.desk.all::<Webhook>(rows::WEBHOOKS)?;
        let shown: Vec<Value> = all.iter().map(Webhook::shown).collect();
        Ok(json!({ "webhooks": shown, "known": EVENTS }))
    })
    .await
}

async fn show(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let (at, id) = (At::of(managing), id(managing)?);
    waiting(move || Ok(at.webhook(id)?.row.shown())).await
}

/// What it was not told yet, it is not told any more.
async fn forget(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let (at, id, seen) = (At::of(managing), id(managing)?, Seen::of(managing));
    let name = waiting(move || {
        let mut known = at.broker.hooks().alone();
        let row = at.webhook(id)?.row;
        let _same = seen.still(&row.shown(), &format!("the webhook `{id}`"))?;
        let mut steps = vec![at.desk.delete(&rows::webhook(id)), at.desk.delete(&rows::cursor(id))];
        let told = rows::deliveries(&at.desk, id)?;
        steps.extend(told.iter().map(|one| at.desk.delete(&rows::delivery(id, one.id))));
        let places = rows::in_chains(&at.desk, id)?;
        steps.extend(places.iter().map(|place| at.desk.delete(&rows::in_chain(id, &place.chain))));
        at.desk.commit(steps)?;
        *known = None;
        Ok(row.secret)
    })
    .await?;
    match managing.unsealed.secrets().forget(managing.admitted.permit.tenant(), &name).await {
        Err(error) if !matches!(error.code(), Code::NotFound | Code::SecretMissing) => Err(unkept(&error)),
        _ => Ok(json!({ "name": id, "state": "forgotten" })),
    }
}

/// The answer holds the new signing key, once. The former one signs beside it until the overlap is over.
async fn rotate(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let (at, id, key) = (At::of(managing), id(managing)?, key()?);
    let overlap = match managing.inputs.get("overlap") {
        None => OVERLAP,
        // A key that somebody else has seen ends at once.
        Some(text) if text == "0s" => Duration::ZERO,
        Some(text) => parse_duration(text)
            .ok()
            .filter(|overlap| *overlap <= LONGEST_OVERLAP)
            .ok_or_else(|| Refusal::new(Code::BadRequest, "`overlap` is a duration from `0s` to `7d`"))?,
    };
    let looked = At::of(managing);
    let name = waiting(move || Ok(looked.webhook(id)?.row.secret)).await?;
    let house = managing.admitted.permit.tenant();
    let rotated = managing.unsealed.secrets().rotate(house, &name, as_secret(&key)?, overlap);
    let _version = rotated.await.map_err(|error| unkept(&error))?;
    let until = at.now.after(overlap);
    let shown = changed(at, id, move |row| {
        row.former_until = Some(until);
        Ok(row.shown())
    })
    .await?;
    Ok(with_key(shown, &key))
}

/// Told again from where it was, after it was switched off.
async fn enable(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let (at, id, seen) = (At::of(managing), id(managing)?, Seen::of(managing));
    changed(at, id, move |row| {
        let _same = seen.still(&row.shown(), &format!("the webhook `{id}`"))?;
        (row.state, row.given_up) = (State::Active, 0);
        Ok(row.shown())
    })
    .await
}

async fn deliveries(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let (at, id) = (At::of(managing), id(managing)?);
    waiting(move || {
        let _there = at.webhook(id)?;
        let mut all = rows::deliveries(&at.desk, id)?;
        all.sort_by_key(|one| std::cmp::Reverse(one.id));
        Ok(json!({ "deliveries": all.iter().map(Delivery::shown).collect::<Vec<_>>() }))
    })
    .await
}

/// Tried from the beginning, also one that was taken: its id is the same.
async fn redeliver(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let (at, (id, delivery)) = (At::of(managing), ids(managing)?);
    waiting(move || {
        let mut known = at.broker.hooks().alone();
        let held = at.delivery(id, delivery)?;
        let mut row = held.row.clone();
        row.again(at.now);
        at.desk.commit([at.desk.swap(&rows::delivery(id, delivery), held, &row)?])?;
        *known = None;
        Ok(row.shown())
    })
    .await
}

/// Tells a receiver something that it can forget, at once, and says how that went.
async fn test(managing: &Managing<'_>) -> Result<Done, Refusal> {
    let (at, id) = (At::of(managing), id(managing)?);
    let random: [u8; 10] = at.broker.random()?;
    let made = waiting(move || {
        let mut known = at.broker.hooks().alone();
        let _there = at.webhook(id)?;
        let delivery = DeliveryId::new(at.now, random);
        let body = events::test(&at.broker.settings().tenant, at.now);
        let row = Delivery::once(delivery, id, at.now, TEST, body);
        at.desk.commit([at.desk.insert(&rows::delivery(id, delivery), &row)?])?;
        *known = None;
        Ok(delivery)
    })
    .await?;
    attempt(managing, id, made).await
}

/// Tells a receiver what is due.
async fn deliver(managing: &Managing<'_>) -> Result<Done, Refusal> {
    let (id, delivery) = ids(managing)?;
    attempt(managing, id, delivery).await
}

async fn attempt(managing: &Managing<'_>, id: WebhookId, delivery: DeliveryId) -> Result<Done, Refusal> {
    let at = At::of(managing);
    let (webhook, row) = waiting(move || Ok((at.webhook(id)?.row, at.delivery(id, delivery)?.row))).await?;
    if row.state != Standing::Waiting {
        return Err(Refusal::new(Code::Conflict, format!("`{delivery}` does not wait")));
    }
    let at = At::of(managing);
    let sent = sent(managing, (&webhook, &row), at.now).await;
    // What we can't do is a try as well, or it would be due again at once.
    let sent = sent.unwrap_or_else(|refusal| Sent::not(&refusal));
    let evidence = managing.receipt.id();
    let took_ms = u64::try_from(sent.took.as_millis()).unwrap_or(u64::MAX);
    let one = Try { at: at.now, evidence, status: sent.status, error: sent.error, took_ms };
    let taken = one.is_taken();
    let status = one.status.map_or_else(|| "none".to_owned(), |status| status.to_string());
    let row = waiting(move || {
        let mut alone = at.broker.hooks().alone();
        let (telling, now) = (at.broker.hooks().telling(), at.broker.now());
        let known = Known::read(&mut alone, &at.desk)?;
        known.tried(&at.desk, (id, delivery), one, (telling, now)).inspect_err(|_| *alone = None)
    })
    .await?;
    let fields = [("event", row.event.clone()), ("delivery", delivery.to_string()), ("status", status)];
    let fields = fields.map(|(name, value)| (name.to_owned(), value)).to_vec();
    let code = (!taken).then_some(Code::UpstreamReply);
    Ok(Done { value: row.shown(), fields, code })
}

async fn sent(
    managing: &Managing<'_>,
    (webhook, row): (&Webhook, &Delivery),
    now: Timestamp,
) -> Result<Sent, Refusal> {
    let receiver = Receiver::of(&webhook.url, managing.worker.broker().hooks().telling())?;
    let key = lent(managing, &webhook.secret).await?;
    Ok(receiver.send(managing.worker, (&key, row), now).await)
}

// === the signing key ===

/// The signing key, lent to this call.
#[expect(clippy::disallowed_methods, reason = "signs a delivery, after permit and receipt")]
async fn lent(managing: &Managing<'_>, name: &SecretName) -> Result<Opened, Refusal> {
    let reference: SecretRef = format!("store:{name}")
        .parse()
        .map_err(|error: model::ParseError| Refusal::new(Code::BadRequest, error.to_string()))?;
    managing.worker.broker().bound()?;
    let (permit, receipt) = (&managing.admitted.permit, managing.receipt);
    let opened = managing.unsealed.secrets().open(permit, receipt, &reference).await;
    opened.map_err(|error| unkept(&error))
}

/// The name binds it to the operations of Doorward itself.
fn named(id: WebhookId) -> Result<SecretName, Refusal> {
    format!("credentials/doorward/{id}")
        .parse()
        .map_err(|error: model::ParseError| Refusal::new(Code::BadRequest, error.to_string()))
}

/// A new signing key as it is shown and stored: 32 random bytes in base 64.
fn key() -> Result<Zeroizing<String>, Refusal> {
    let bytes: Result<[u8; 32], crypto::Error> = crypto::array();
    let bytes =
        Zeroizing::new(bytes.map_err(|error| Refusal::new(Code::SourceUnavailable, error.to_string()))?);
    let text = Zeroizing::new(crypto::to_base64(bytes.as_slice()));
    Ok(Zeroizing::new(format!("{PREFIX}{}", text.as_str())))
}

fn as_secret(key: &str) -> Result<Secret, Refusal> {
    Secret::new(key.as_bytes().to_vec())
        .map_err(|error| Refusal::new(Code::SourceUnavailable, error.to_string()))
}

fn with_key(mut shown: Value, key: &str) -> Value {
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("secret".to_owned(), key.into());
    }
    shown
}

fn unkept(error: &secrets::Error) -> Refusal {
    crate::broker::refused(error, error.code(), error.hint())
}

// === the rows ===

/// The rows of the house, now.
struct At {
    broker: Arc<Broker>,
    desk: Desk,
    now: Timestamp,
}

impl At {
    fn of(managing: &Managing<'_>) -> Self {
        let broker = Arc::clone(managing.worker.broker());
        let desk = Desk::of(&broker, &managing.unsealed, &broker.settings().tenant);
        let now = broker.now();
        Self { broker, desk, now }
    }

    fn webhook(&self, id: WebhookId) -> Result<Held<Webhook>, Refusal> {
        self.desk.read(&rows::webhook(id))?.ok_or_else(missing)
    }

    fn delivery(&self, id: WebhookId, delivery: DeliveryId) -> Result<Held<Delivery>, Refusal> {
        self.desk.read(&rows::delivery(id, delivery))?.ok_or_else(missing)
    }
}

async fn changed(
    at: At,
    id: WebhookId,
    change: impl FnOnce(&mut Webhook) -> Result<Value, Refusal> + Send + 'static,
) -> Result<Value, Refusal> {
    waiting(move || {
        let mut known = at.broker.hooks().alone();
        let held = at.webhook(id)?;
        let mut row = held.row.clone();
        let shown = change(&mut row)?;
        at.desk.commit([at.desk.swap(&rows::webhook(id), held, &row)?])?;
        *known = None;
        Ok(shown)
    })
    .await
}

/// Where a subscription begins to read.
fn newest(reader: &Reader) -> Result<u64, Refusal> {
    Ok(reader.newest().map_err(|error| unread(&error))?.map_or(0, |mark| mark.number))
}

fn wanted(text: &str) -> Result<Vec<String>, Refusal> {
    let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
    match names.iter().find(|name| !EVENTS.contains(&name.as_str())) {
        Some(unknown) => Err(Refusal::new(Code::BadRequest, format!("there is no event `{unknown}`"))
            .hint(format!("one of {}", EVENTS.join(", ")))),
        None => Ok(names),
    }
}

fn id(managing: &Managing<'_>) -> Result<WebhookId, Refusal> {
    managing.input("id")?.parse().map_err(|_| missing())
}

fn ids(managing: &Managing<'_>) -> Result<(WebhookId, DeliveryId), Refusal> {
    Ok((id(managing)?, managing.input("delivery")?.parse().map_err(|_| missing())?))
}

/// How long a key signs beside the one that followed it, where nobody says.
const OVERLAP: Duration = Duration::from_secs(86_400);
const LONGEST_OVERLAP: Duration = Duration::from_secs(7 * 86_400);
/// Most webhooks of a house: each of them reads on by itself.
const MOST: usize = 20;
