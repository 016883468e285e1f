//! Evidence: listed, shown with its proofs, exported, verified.

use std::sync::Arc;

use ::evidence::{Deed, Entry, Filter, Intent, Reader, Refused, Seen, Shown, Signed, Statement, What};
use crypto::PublicKey;
use model::{Code, Door, Refusal, TenantName, Timestamp, parse_duration};
use serde_json::{Value, json};

use super::{Done, Managing, waiting};
use crate::broker::{Lost, refused};

pub(super) async fn list(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let (filter, search) = (filter(managing).await?, Search::of(managing)?);
    let reader = reader(managing);
    waiting(move || search.list(&reader, filter)).await
}

pub(super) async fn show(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let missing = || {
        Refusal::new(Code::NotFound, "there is no such evidence in this chain")
            .hint("`doorward evidence list`; a record of a tenant is in its own chain: `--tenant NAME`")
    };
    let id = managing.input("id")?.parse().map_err(|_| missing())?;
    let (reader, tenant) = (reader(managing), chain(managing).await?);
    waiting(move || {
        let shown = reader.show(&tenant, id).map_err(|error| unread(&error))?.ok_or_else(missing)?;
        Ok(proved(&shown))
    })
    .await
}

/// Signed checkpoints, the newest first. They say nothing of any tenant but how many chains there are.
pub(super) async fn checkpoints(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let before = managing.inputs.get("before").map(|text| checkpoint_number(text)).transpose()?;
    let limit = limit(managing)?.unwrap_or(USUAL);
    let reader = reader(managing);
    waiting(move || {
        let found = reader.checkpoints(before, limit).map_err(|error| unread(&error))?;
        let next = found.last().map(|(last, _)| last.number).filter(|number| *number > 0);
        let shown: Vec<Value> = found.iter().map(|(statement, note)| stated(statement, note)).collect();
        Ok(json!({ "checkpoints": shown, "next": next }))
    })
    .await
}

/// One checkpoint; the last one with the proof of what it says of the caller's tenant.
pub(super) async fn checkpoint(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let wanted = match managing.input("number")? {
        "latest" => None,
        text => Some(checkpoint_number(text)?),
    };
    let (reader, tenant) = (reader(managing), chain(managing).await?);
    waiting(move || {
        let proof = reader.signed(&tenant).map_err(|error| unread(&error))?;
        let found = reader.checkpoints(wanted.map(|number| number.saturating_add(1)), 1);
        let found = found.map_err(|error| unread(&error))?.pop();
        let found = found.filter(|(one, _)| wanted.is_none_or(|number| one.number == number));
        let (statement, note) = found.ok_or_else(|| {
            Refusal::new(Code::NotFound, "there is no such checkpoint")
                .hint("`GET /v1/checkpoints` lists them")
        })?;
        let mut value = stated(&statement, &note);
        if let Some(fields) = value.as_object_mut() {
            // A checkpoint that was written again meanwhile is another one.
            let proof = proof.filter(|signed| signed.note == note);
            fields.insert("head".to_owned(), proof.as_ref().map_or(Value::Null, headed));
        }
        Ok(value)
    })
    .await
}

/// That evidence is lost, or rows are older than it, by whom and why: the record of this call. From its end on, the home asks for no more than there is.
pub(super) fn admit_loss(managing: &Managing<'_>) -> Result<Done, Refusal> {
    let reason = managing.input("reason")?;
    let Some(Lost { what, seen, found }) = managing.worker.broker().lost() else {
        let value = json!({ "lost": false, "what": null, "reason": reason, "seen": null, "found": null });
        return Ok(value.into());
    };
    let signed =
        |seen: &Seen| json!({ "records": seen.records, "checkpoint": seen.number, "signed": seen.time });
    let told = |seen: &Seen| format!("{} records, checkpoint {}", seen.records, seen.number);
    let none = || "nothing".to_owned();
    let fields = [
        ("reason", reason.to_owned()),
        ("lost", what.as_str().to_owned()),
        ("seen", told(&seen)),
        ("found", found.as_ref().map_or_else(none, told)),
    ];
    Ok(Done {
        value: json!({
            "lost": true, "what": what.as_str(), "reason": reason, "seen": signed(&seen),
            "found": found.as_ref().map(signed),
        }),
        fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        code: None,
    })
}

fn stated(statement: &Statement, note: &str) -> Value {
    let Statement { origin, heads, root, number, time, previous } = statement;
    json!({
        "number": number, "time": time, "origin": origin, "heads": heads, "root": crypto::to_base64(root),
        "previous": crypto::to_base64(previous), "note": note,
    })
}

fn checkpoint_number(text: &str) -> Result<u64, Refusal> {
    text.parse().map_err(|_| Refusal::new(Code::BadRequest, "the number of a checkpoint is a whole number"))
}

/// The whole chain of a tenant as lines of text, which verify offline.
pub(super) async fn export(managing: &Managing<'_>) -> Result<Value, Refusal> {
    if let Some(word) = managing.inputs.keys().find(|word| *word != "tenant") {
        let message =
            format!("an export is the whole chain, or it would not verify: `{word}` can't be chosen");
        return Err(Refusal::new(Code::BadRequest, message).hint("`doorward evidence list` shows a part"));
    }
    let (reader, tenant) = (reader(managing), chain(managing).await?);
    waiting(move || {
        let mut out = Vec::new();
        let records = reader.export(&tenant, &mut out).map_err(|error| unread(&error))?;
        let text = String::from_utf8(out)
            .map_err(|_| Refusal::new(Code::SourceUnavailable, "the export is not text"))?;
        Ok(json!({ "records": records, "text": text }))
    })
    .await
}

/// Verifies what is exported, beside the running log: the same lines that an auditor would get, through a pipe.
pub(super) async fn verify(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let (reader, key, tenant) = (reader(managing), key(managing), chain(managing).await?);
    waiting(move || {
        let broken = |error: std::io::Error| Refusal::new(Code::SourceUnavailable, error.to_string());
        let (lines, mut out) = std::io::pipe().map_err(broken)?;
        let exporting = std::thread::spawn(move || reader.export(&tenant, &mut out));
        let found = ::evidence::verify_export(&mut std::io::BufReader::new(lines), &key);
        let exported =
            exporting.join().map_err(|_| Refusal::new(Code::SourceUnavailable, "the export broke off"))?;
        match (exported, found) {
            (Ok(_), Ok(report)) => Ok(json!({
                "verified": true, "records": report.records, "checkpoints": report.checkpoints,
                "signed_until": report.signed_until, "unsigned": report.unsigned, "open": report.open.len(),
            })),
            (Err(error @ ::evidence::Error::Damaged(_)), _) => {
                Ok(json!({ "verified": false, "finding": error.to_string() }))
            }
            (Err(error), _) => Err(unread(&error)),
            (Ok(_), Err(finding)) => Ok(json!({ "verified": false, "finding": finding.to_string() })),
        }
    })
    .await
}

/// What is looked for in the lines themselves.
struct Search {
    result: Option<String>,
    door: Option<String>,
    /// In lower case.
    text: Option<String>,
}

impl Search {
    fn of(managing: &Managing<'_>) -> Result<Self, Refusal> {
        let input = |name: &str| managing.inputs.get(name).cloned();
        let door = input("door");
        if let Some(door) = door.as_ref().filter(|door| !Door::ALL.iter().any(|one| one.as_str() == **door)) {
            let known: Vec<&str> = Door::ALL.iter().map(|door| door.as_str()).collect();
            let message = format!("there is no door `{}`", door.escape_default());
            return Err(Refusal::new(Code::BadRequest, message).hint(format!("one of {}", known.join(", "))));
        }
        Ok(Self { result: input("result"), door, text: input("text").map(|text| text.to_lowercase()) })
    }

    /// Lines until there are enough, or enough was looked through: then `next` says where to go on.
    fn list(&self, reader: &Reader, mut filter: Filter) -> Result<Value, Refusal> {
        let wanted = filter.limit;
        let narrow = self.result.is_some() || self.door.is_some() || self.text.is_some();
        if narrow {
            filter.limit = PAGE;
        }
        let mut found: Vec<Value> = Vec::new();
        for _ in 0..PAGES {
            let entries = reader.list(&filter).map_err(|error| unread(&error))?;
            let ended = entries.len() < filter.limit;
            for one in &entries {
                let line = entry(one);
                if self.admits(&line) {
                    found.push(line);
                }
                if found.len() == wanted {
                    let more = !ended || entries.last().is_some_and(|last| last.seq != one.seq);
                    return Ok(json!({ "evidence": found, "next": more.then_some(one.seq) }));
                }
            }
            if ended {
                return Ok(json!({ "evidence": found, "next": null }));
            }
            filter.after = entries.last().map(|last| last.seq);
        }
        Ok(json!({ "evidence": found, "next": filter.after }))
    }

    fn admits(&self, line: &Value) -> bool {
        let is = |wanted: &Option<String>, member: &str| {
            wanted.as_ref().is_none_or(|wanted| line.get(member).and_then(Value::as_str) == Some(wanted))
        };
        is(&self.result, "result")
            && is(&self.door, "door")
            && self.text.as_ref().is_none_or(|text| line.to_string().to_lowercase().contains(text))
    }
}

/// One line of a list: who did what, and what came of it.
fn entry(entry: &Entry) -> Value {
    let mut line = match &entry.what {
        What::Call(intent) => call(intent),
        What::Refused(refused) => refusal(refused),
        What::House(event) => json!({ "event": event.kind().as_str(), "result": event.kind().as_str() }),
    };
    let Some(fields) = line.as_object_mut() else { return line };
    fields.insert("seq".to_owned(), json!(entry.seq));
    fields.insert("time".to_owned(), json!(entry.time));
    if matches!(entry.what, What::Call(_)) {
        fields.insert("result".to_owned(), json!(entry.ending().map_or("open", ::evidence::Ending::as_str)));
    }
    if let Some(outcome) = &entry.outcome {
        fields.insert("status".to_owned(), json!(outcome.status));
        fields.insert("code".to_owned(), json!(outcome.code));
        fields.insert(
            "duration_us".to_owned(),
            json!(u64::try_from(outcome.duration.as_micros()).unwrap_or(u64::MAX)),
        );
        let read: serde_json::Map<String, Value> =
            outcome.fields.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        fields.insert("fields".to_owned(), Value::Object(read));
    }
    line
}

fn call(intent: &Intent) -> Value {
    let mut line = deed(&intent.deed);
    if let Some(fields) = line.as_object_mut() {
        fields.insert("id".to_owned(), json!(intent.id));
        fields.insert("principal".to_owned(), json!(intent.principal));
        fields.insert("proof".to_owned(), json!(intent.proof.as_str()));
        fields.insert("door".to_owned(), json!(intent.door.as_str()));
        fields.insert("grant".to_owned(), json!(intent.grant));
        fields.insert("purpose".to_owned(), json!(intent.purpose));
    }
    line
}

fn refusal(refused: &Refused) -> Value {
    let mut line = refused.deed.as_ref().map_or_else(|| json!({}), deed);
    if let Some(fields) = line.as_object_mut() {
        fields.insert("id".to_owned(), json!(refused.id));
        fields.insert("principal".to_owned(), json!(refused.principal));
        fields.insert("door".to_owned(), json!(refused.door.as_str()));
        fields.insert("grant".to_owned(), json!(refused.grant));
        fields.insert("result".to_owned(), json!("refused"));
        fields.insert("code".to_owned(), json!(refused.code));
    }
    line
}

fn deed(deed: &Deed) -> Value {
    json!({
        "integration": deed.integration, "operation": deed.operation, "access": deed.access, "resource": deed.resource,
        "method": deed.request.as_ref().map(|request| request.method.as_str()),
        "path": deed.request.as_ref().map(|request| request.path.clone()),
    })
}

/// The records of one call with their proofs, all bytes in base 64.
fn proved(shown: &Shown) -> Value {
    let records: Vec<Value> = shown
        .records
        .iter()
        .map(|record| {
            let text: Value = serde_json::from_str(&record.leaf.said().to_json()).unwrap_or(Value::Null);
            json!({ "leaf": crypto::to_base64(&record.bytes), "text": text, "path": record.path.as_deref().map(nodes) })
        })
        .collect();
    json!({ "records": records, "checkpoint": shown.checkpoint.as_ref().map(headed) })
}

/// A checkpoint with what it says of a tenant, and the proof of that.
fn headed(signed: &Signed) -> Value {
    let ::evidence::ChainHead { tenant, nth, size, root, last } = &signed.head;
    let head = json!({
        "tenant": tenant, "nth": nth, "size": size, "root": crypto::to_base64(root), "last": crypto::to_base64(last),
    });
    json!({ "note": signed.note, "head": head, "place": signed.place, "path": nodes(&signed.path) })
}

fn nodes(path: &[crypto::Digest]) -> Vec<String> {
    path.iter().map(|node| crypto::to_base64(node)).collect()
}

pub(super) fn reader(managing: &Managing<'_>) -> Reader {
    Reader::new(Arc::clone(managing.worker.broker().evidence_storage()), key(managing))
}

fn key(managing: &Managing<'_>) -> PublicKey {
    managing.unsealed.log().public_key()
}

/// Whose chain is meant: that of the caller's tenant, or the one that is named. The house may name each; nobody else learns which there are.
async fn chain(managing: &Managing<'_>) -> Result<TenantName, Refusal> {
    let own = managing.admitted.permit.tenant();
    let Some(text) = managing.inputs.get("tenant") else { return Ok(own.clone()) };
    let none = || Refusal::new(Code::NotFound, "there is no such tenant").hint("`doorward tenant list`");
    let named: TenantName = text.parse().map_err(|_| none())?;
    if named == *own {
        return Ok(named);
    }
    if *own != managing.worker.broker().settings().tenant {
        return Err(none());
    }
    let reader = reader(managing);
    waiting(move || match reader.has_chain(&named) {
        Ok(true) => Ok(named),
        Ok(false) => Err(none()),
        Err(error) => Err(unread(&error)),
    })
    .await
}

async fn filter(managing: &Managing<'_>) -> Result<Filter, Refusal> {
    let wrong = |error: model::ParseError| Refusal::new(Code::BadRequest, error.to_string());
    let tenant = chain(managing).await?;
    let now = managing.worker.broker().now();
    let input = |name: &str| managing.inputs.get(name);
    let mut filter = Filter::of(tenant);
    filter.since = input("since").map(|text| moment(text, now)).transpose().map_err(wrong)?;
    filter.until = input("until").map(|text| moment(text, now)).transpose().map_err(wrong)?;
    filter.integration = input("integration").map(|text| text.parse()).transpose().map_err(wrong)?;
    filter.principal = input("principal").map(|text| text.parse()).transpose().map_err(wrong)?;
    filter.operation = input("operation").map(|text| text.parse()).transpose().map_err(wrong)?;
    filter.after = input("before")
        .map(|text| text.parse::<u64>())
        .transpose()
        .map_err(|_| Refusal::new(Code::BadRequest, "`before` is the `seq` of a line"))?;
    if let Some(limit) = limit(managing)? {
        filter.limit = limit;
    }
    Ok(filter)
}

fn limit(managing: &Managing<'_>) -> Result<Option<usize>, Refusal> {
    let wrong = || Refusal::new(Code::BadRequest, "`limit` is a number from 1 to 10000");
    let read = |text: &String| text.parse::<usize>().ok().filter(|limit| (1..=10_000).contains(limit));
    managing.inputs.get("limit").map(|text| read(text).ok_or_else(wrong)).transpose()
}

/// A point in time, or how long ago.
fn moment(text: &str, now: Timestamp) -> Result<Timestamp, model::ParseError> {
    if text.contains('T') {
        return text.parse();
    }
    let ago = parse_duration(text)?;
    Ok(Timestamp::from_millis(
        now.millis().saturating_sub(u64::try_from(ago.as_millis()).unwrap_or(u64::MAX)),
    ))
}

fn unread(error: &::evidence::Error) -> Refusal {
    refused(error, Code::SourceUnavailable, error.hint())
}

/// Lines that are read at once, and how often, where lines are looked through.
const PAGE: usize = 1_000;
const USUAL: usize = 100;
const PAGES: usize = 20;
