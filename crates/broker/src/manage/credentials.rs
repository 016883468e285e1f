//! The credentials that a tenant keeps for providers: set up, validated, shown, listed, changed, deleted.
//!
//! An answer says in words that a tenant's program knows what came of it; what was wrong with a request stands in `problem`. A
//! provider that says no is an answer, not a refusal. The bytes of a credential go into the store of secrets, and from there to
//! its provider and nowhere else.

mod answer;
mod beside;
mod keep;
mod probe;
mod request;
mod said;
mod survey;

use std::sync::Arc;
use std::time::Duration;

use catalog::{Provider, Providers, Strategy};
use model::{Code, Refusal, Retry, TenantName, Timestamp};
use serde_json::{Map, Value, json};
use tenancy::{Agenda, CredentialRow, Credentials, Plan, Revised, Status};

use super::seen::{Seen, Unchanged};
use super::{Done, Managing, waiting};
use crate::limits::{Counted, Pace};
pub use answer::credential_shown;
use answer::{described, every, none, told};
use keep::set_up;
use probe::Verdict;
use request::{Asked, Wrong, merged};
pub(super) use request::{LARGEST, SHORTEST};

/// Why nothing was done: a refusal, or a request that says something wrong.
enum Stop {
    Refused(Refusal),
    Wrong(Wrong),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Wrong> for Stop {
    fn from(wrong: Wrong) -> Self {
        Self::Wrong(wrong)
    }
}

/// What calls of a kind are counted together.
#[derive(Clone, Copy)]
enum Class {
    Setup,
    Update,
    Delete,
    Validate,
    Look,
}

impl Class {
    /// Its name, how many of it a minute, and what a stranger may not do.
    const fn facts(self) -> (&'static str, u32, &'static str) {
        match self {
            Self::Setup => ("setup", 10, "configure"),
            Self::Update => ("update", 10, "update"),
            Self::Delete => ("delete", 10, "delete"),
            Self::Validate => ("validate", 30, "validate"),
            Self::Look => ("get", 100, "view"),
        }
    }
}

/// Proof that whoever asks may ask about this tenant, and not too often. Only [`of`] makes one.
#[must_use]
struct Own {
    tenant: TenantName,
    plan: Plan,
    by_the_house: bool,
}

/// Performs one of them; `None` where the operation is another one.
pub(super) async fn run(managing: &mut Managing<'_>) -> Option<Result<Done, Refusal>> {
    let result = match managing.admitted.permit.call().operation().as_str() {
        "credential.delete" => delete(managing).await,
        "credential.list" => list(managing).await,
        "credential.setup" => setup(managing).await,
        "credential.show" => show(managing).await,
        "credential.survey" => survey::of_all(managing).await,
        "credential.update" => update(managing).await,
        "credential.validate" => validate(managing).await,
        _ => return None,
    };
    Some(match result {
        Ok(done) => Ok(done),
        Err(Stop::Refused(refusal)) => Err(refusal),
        Err(Stop::Wrong(wrong)) => Ok(wrong.into_done()),
    })
}

/// What came with the request, which has to have something in it.
fn came(managing: &mut Managing<'_>) -> Result<crate::Payload, Wrong> {
    managing.payload.take().ok_or_else(|| Wrong::body("Field required"))
}

async fn setup(managing: &mut Managing<'_>) -> Result<Done, Stop> {
    let own = of(managing, Class::Setup)?;
    let chosen = provider(managing)?;
    let asked = Asked::read(came(managing)?, request::Needs::Credential)?;
    set_up(managing, &own, &chosen, asked).await
}

/// Tries a credential again: one that waits for its validation before the one in use.
async fn validate(managing: &mut Managing<'_>) -> Result<Done, Stop> {
    let own = of(managing, Class::Validate)?;
    let Chosen { code, provider, .. } = provider(managing)?;
    let (asked, seen) = (code.clone(), Seen::of(managing));
    let found = with_rows(managing, &own, move |rows, _, now| {
        let _same = still(&seen, &asked, rows.in_use()?.get(&asked), now)?;
        Ok(rows.to_try()?.into_iter().find(|row| row.provider == asked))
    });
    let Some(row) = found.await? else { return Ok(none(&code)) };
    let verdict = match row.expires <= managing.worker.broker().now() {
        // Whatever its provider would say.
        true => None,
        false => Some(probe::verdict(managing, &own.tenant, &provider, &row).await?),
    };
    let revised = with_rows(managing, &own, move |rows, _, now| {
        rows.revise::<Refusal>(row.id, now, &|row| {
            row.tried = Some(now);
            if let Some(verdict) = &verdict {
                note(row, verdict, now);
            }
            Ok(())
        })
    });
    let Some(Revised { row, replaced }) = revised.await? else {
        return meanwhile(managing, &own, code).await;
    };
    Ok(told(&row, replaced, managing.worker.broker().now()))
}

/// What is said where what a provider was asked about was replaced or deleted before it answered.
async fn meanwhile(managing: &Managing<'_>, own: &Own, code: String) -> Result<Done, Stop> {
    let _there = managing.worker.broker().tenancy(&own.tenant)?.active(&own.tenant)?;
    let asked = code.clone();
    let replaced =
        with_rows(managing, own, move |rows, _, _| Ok(rows.in_use()?.contains_key(&asked))).await?;
    if replaced { Err(Wrong::changed(&code).into()) } else { Ok(none(&code)) }
}

/// Changes what stands beside a credential, or puts another one in its place.
async fn update(managing: &mut Managing<'_>) -> Result<Done, Stop> {
    let own = of(managing, Class::Update)?;
    let chosen = provider(managing)?;
    let asked = Asked::read(came(managing)?, request::Needs::Anything)?;
    let (code, seen) = (chosen.code.clone(), Seen::of(managing));
    let look = seen.clone();
    let found = with_rows(managing, &own, move |rows, _, now| {
        let row = rows.in_use()?.remove(&code);
        let _same = still(&look, &code, row.as_ref(), now)?;
        Ok(row)
    });
    let row = found.await?.ok_or_else(Wrong::nothing_there)?;
    if asked.credential.is_some() {
        let name = asked.name.or(Some(row.name));
        let metadata = asked.metadata.map_or(row.metadata.clone(), |given| merged(row.metadata, given));
        return set_up(managing, &own, &chosen, Asked { name, metadata: Some(metadata), ..asked }).await;
    }
    let beside = beside::Beside { name: asked.name.as_deref(), metadata: asked.metadata.as_ref() };
    let _apart = beside.without_that_of(&row.fingerprint)?;
    let Chosen { all, code, provider } = chosen;
    let revised = with_rows(managing, &own, move |rows, _, now| {
        Ok(rows.revise::<Stop>(row.id, now, &|row| {
            let _same = still(&seen, &row.provider, Some(row), now)?;
            if let Some(given) = &asked.metadata {
                let mut metadata = merged(row.metadata.clone(), given.clone());
                all.kept(&provider, &mut metadata).map_err(|unkept| Wrong::metadata(&unkept))?;
                row.metadata = metadata;
            }
            if let Some(name) = &asked.name {
                row.name.clone_from(name);
            }
            Ok(())
        }))
    });
    let Revised { row, .. } = revised.await??.ok_or_else(|| Wrong::changed(&code))?;
    let mut done = told(&row, None, managing.worker.broker().now());
    // Its provider was not asked.
    done.fields.push(("unanswered".to_owned(), "yes".to_owned()));
    if let Some(value) = done.value.as_object_mut() {
        value.insert(
            "message".to_owned(),
            format!("{} integration updated successfully", row.provider).into(),
        );
    }
    Ok(done)
}

/// Takes a provider's credentials out of use and removes their bytes; what is known of them stays.
async fn delete(managing: &mut Managing<'_>) -> Result<Done, Stop> {
    let own = of(managing, Class::Delete)?;
    let code = kept(managing, &own).await?;
    let (asked, seen) = (code.clone(), Seen::of(managing));
    let removed = with_rows(managing, &own, move |rows, _, now| {
        rows.remove(&asked, now, &|used| still(&seen, &asked, used, now).map(drop))
    });
    for row in removed.await? {
        forget(managing, &own, &row).await?;
        with_rows(managing, &own, move |rows, _, now| rows.gone(&row, now)).await?;
    }
    let message = format!("{code} integration deleted");
    let mut done = Done::from(json!({ "success": true, "message": message, "provider": code }));
    done.fields.push(("provider".to_owned(), code));
    Ok(done)
}

async fn list(managing: &mut Managing<'_>) -> Result<Done, Stop> {
    let own = of(managing, Class::Look)?;
    let mut used = with_rows(managing, &own, |rows, _, _| rows.in_use()).await?;
    let now = managing.worker.broker().now();
    let configured: Vec<String> = used.keys().cloned().collect();
    let known = managing.worker.broker().providers()?;
    let mut shown: Map<String, Value> = Map::new();
    let mut valid = Vec::new();
    for (code, _) in known.all() {
        let row = used.remove(code);
        valid.extend(row.as_ref().map(|row| row.shown(now) == "VALID"));
        shown.insert(code.to_owned(), described(code, row.as_ref(), now));
    }
    // What is left is of providers that are in the list no more: it is there, and nobody can ask whether it works.
    shown.extend(used.into_iter().map(|(code, row)| (code.clone(), described(&code, Some(&row), now))));
    let all_valid = !valid.is_empty() && valid.iter().all(|valid| *valid);
    let mut listed = json!({
        "org_slug": own.tenant, "integrations": shown, "all_valid": all_valid,
        "providers_configured": configured,
    });
    if let (true, Some(listed)) = (own.by_the_house, listed.as_object_mut()) {
        let rows = with_rows(managing, &own, |rows, _, _| Ok((rows.all()?, rows.in_use()?))).await?;
        listed.insert("credentials".to_owned(), every(&rows.0, &rows.1, now).into());
    }
    Ok(listed.into())
}

async fn show(managing: &mut Managing<'_>) -> Result<Done, Stop> {
    let own = of(managing, Class::Look)?;
    let code = kept(managing, &own).await?;
    let asked = code.clone();
    let found = with_rows(managing, &own, move |rows, _, _| Ok(rows.in_use()?.remove(&asked))).await?;
    Ok(described(&code, found.as_ref(), managing.worker.broker().now()).into())
}

// === who, what, how often ===

/// Whose credentials these are: the caller's own tenant, or, for the house, any. Then how often. In this order, so that nobody
/// uses up what another tenant may do.
fn of(managing: &Managing<'_>, class: Class) -> Result<Own, Stop> {
    let broker = managing.worker.broker();
    let (word, most, verb) = class.facts();
    let asked = managing.input("tenant")?;
    let caller = managing.admitted.permit.tenant();
    let house = *caller == broker.settings().tenant;
    if !house && caller.as_str() != asked {
        let message = format!("Cannot {verb} integrations for another organization");
        return Err(Refusal::new(Code::Denied, message).because("foreign").into());
    }
    let tenant = super::tenants::named(asked)?;
    let plan = broker.tenancy(&tenant)?.active(&tenant)?.plan;
    if !house {
        let counted = Counted::Class(tenant.clone(), word);
        let pace = Pace { calls: most, per: Duration::from_secs(60), strategy: Strategy::SlidingWindow };
        let _within = broker.limits().count(std::iter::once((counted, pace))).map_err(|quota| {
            Refusal::new(Code::RateLimited, format!("Too many requests for org {tenant}"))
                .retry(Retry::After(quota.reset))
                .quota(quota)
        })?;
    }
    Ok(Own { tenant, plan, by_the_house: house })
}

/// Sees that the credential in use is still the one that somebody saw, where they say so.
fn still(
    seen: &Seen,
    code: &str,
    used: Option<&CredentialRow>,
    now: Timestamp,
) -> Result<Unchanged, Refusal> {
    seen.still(&credential_shown(&described(code, used, now)), &format!("the credential for `{code}`"))
}

/// The provider that a request names, of those in force.
struct Chosen {
    all: Arc<Providers>,
    code: String,
    provider: Provider,
}

fn provider(managing: &Managing<'_>) -> Result<Chosen, Stop> {
    let all = managing.worker.broker().providers()?;
    let found = all.find(managing.input("provider")?).map(|(code, found)| (code.to_owned(), found.clone()));
    let (code, provider) = found.ok_or_else(|| {
        Wrong::bad("Invalid provider specified. Please check the supported providers list.".to_owned())
    })?;
    Ok(Chosen { all, code, provider })
}

/// The provider of a credential that is looked at or deleted: one in force, or one of which there is a credential still.
async fn kept(managing: &Managing<'_>, own: &Own) -> Result<String, Stop> {
    let wrong = match provider(managing) {
        Ok(chosen) => return Ok(chosen.code),
        Err(wrong) => wrong,
    };
    let asked = managing.input("provider")?.to_ascii_uppercase();
    let used = with_rows(managing, own, |rows, _, _| rows.in_use()).await?;
    if used.contains_key(&asked) { Ok(asked) } else { Err(wrong) }
}

// === rows ===

async fn with_rows<T: Send + 'static>(
    managing: &Managing<'_>,
    own: &Own,
    work: impl FnOnce(&Credentials<'_>, Plan, Timestamp) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let broker = Arc::clone(managing.worker.broker());
    let (tenant, plan) = (own.tenant.clone(), own.plan);
    waiting(move || {
        let (providers, often) = (broker.providers()?, broker.often());
        let due = |row: &CredentialRow| often.due_at(row, &providers);
        let agenda = Agenda { house: &broker.settings().tenant, due: &due };
        let known = |code: &str| providers.find(code).is_some();
        let rows = Credentials::new(&**broker.storage(), &tenant).with_grace(often.grace).with_agenda(agenda);
        let rows = rows.with_known(&known);
        work(&rows, plan, broker.now())
    })
    .await
}

async fn forget(managing: &Managing<'_>, own: &Own, row: &CredentialRow) -> Result<(), Refusal> {
    for last in [false, true] {
        let forgotten = managing.unsealed.secrets().forget(&own.tenant, &row.secret).await;
        match forgotten {
            // A round was about to do the same.
            Err(error) if error.code() == Code::Conflict && !last => {}
            Err(error) if error.code() != Code::NotFound && error.code() != Code::SecretMissing => {
                return Err(refused(&error));
            }
            _ => break,
        }
    }
    Ok(())
}

/// What a provider said, in the row. What it did not say leaves the status as it was.
fn note(row: &mut CredentialRow, verdict: &Verdict, now: Timestamp) {
    row.tried = Some(now);
    match verdict {
        Verdict::Works => {
            (row.status, row.validated, row.error) = (Status::Valid, Some(now), None);
        }
        Verdict::Refused(why) => (row.status, row.error) = (Status::Invalid, Some(why.clone())),
        Verdict::Unknown(why) => row.error = Some(why.clone()),
    }
}

/// What tells credentials apart where none may be seen.
fn fingerprint(credential: &str) -> String {
    crypto::to_hex(crypto::sha256(&[credential.as_bytes()]).get(..4).unwrap_or_default())
}

fn refused(error: &secrets::Error) -> Refusal {
    crate::broker::refused(error, error.code(), error.hint())
}
