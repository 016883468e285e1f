//! Approvals: listed, shown, decided. Whoever asked does not decide.

use std::sync::Arc;

use model::{ApprovalId, Code, GrantId, PrincipalName, Refusal, Timestamp};
use serde_json::{Value, json};

use super::seen::Seen;
use super::{Managing, waiting};
use crate::approval::{Answer, Decided, LASTS, Row, Said, Standing, StillStanding, key, note};
use crate::sealed::{Desk, Held};

pub(super) async fn list(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let (desk, now) = desk(managing);
    let state = managing.inputs.get("state").map_or("pending", String::as_str).to_owned();
    waiting(move || {
        let mut shown = Vec::new();
        for row in desk.all::<Row>("apr_")? {
            let standing = row.standing(now, desk.used(row.id.to_bytes())?);
            if state == "all" || state == standing.as_str() {
                shown.push(summary(&row, standing));
            }
        }
        Ok(json!({ "approvals": shown }))
    })
    .await
}

/// How many wait for somebody's answer.
pub(super) fn pending(desk: &Desk, now: Timestamp) -> Result<usize, Refusal> {
    let mut pending = 0;
    for row in desk.all::<Row>("apr_")? {
        pending += usize::from(row.standing(now, desk.used(row.id.to_bytes())?) == Standing::Pending);
    }
    Ok(pending)
}

pub(super) async fn show(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let ((desk, now), id) = (desk(managing), id(managing)?);
    waiting(move || {
        let Held { row, .. } = desk.read::<Row>(&key(id))?.ok_or_else(|| missing(id))?;
        whole(&row, row.standing(now, desk.used(id.to_bytes())?))
    })
    .await
}

pub(super) async fn decide(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let ((desk, now), id) = (desk(managing), id(managing)?);
    let answer = match managing.input("decision")? {
        "approve" => Answer::Approved,
        _ => Answer::Denied,
    };
    let answering = Answering::of(managing);
    let (by, reason) = (managing.admitted.permit.principal().clone(), managing.inputs.get("reason").cloned());
    let (seen, same) = (managing.inputs.get("digest").cloned(), Seen::of(managing));
    waiting(move || {
        // Several answer at the same time: each answer is to what those before it left.
        let change = |row: &mut Row| {
            let standing = row.standing(now, desk.used(id.to_bytes())?);
            let _same = same.still(&whole(row, standing)?, &format!("the approval `{id}`"))?;
            let Another(by) = another(&row.principal, by.clone(), &id.to_string())?;
            if let Some(seen) = seen.as_ref().filter(|seen| **seen != row.digest) {
                let message = format!("what `{id}` is bound to is another digest than `{seen}`");
                return Err(
                    Refusal::new(Code::Denied, message).hint(format!("`doorward approval show {id}`"))
                );
            }
            match standing {
                Standing::Pending => {}
                over => return Err(decided_already(&id.to_string(), over.as_str())),
            }
            let said = answering.decided((answer, by), now, reason.clone());
            match note(&mut row.agreed, row.approvers, (said, &answering.standing), &id.to_string())? {
                // Its own time begins with the answer.
                Said::Decided(decided) => (row.decided, row.expires) = (Some(decided), now.after(LASTS)),
                Said::Waits => {}
            }
            Ok(())
        };
        let row = desk.change(&key(id), || missing(id), change)?;
        let standing = row.standing(now, false);
        Ok(summary(&row, standing))
    })
    .await
}

/// What somebody is who answers, and how it is seen whether those before are still who they were.
pub(super) struct Answering {
    roles: Vec<String>,
    grant: Option<GrantId>,
    pub(super) standing: StillStanding,
}

impl Answering {
    pub(super) fn of(managing: &Managing<'_>) -> Self {
        let (broker, permit) = (Arc::clone(managing.worker.broker()), &managing.admitted.permit);
        let known = broker.principals().find(permit.tenant(), permit.principal());
        let roles = known.roles().map(ToOwned::to_owned).collect();
        Self {
            roles,
            grant: permit.grant(),
            standing: StillStanding { broker, tenant: permit.tenant().clone() },
        }
    }

    pub(super) fn decided(
        &self,
        (answer, by): (Answer, PrincipalName),
        at: Timestamp,
        reason: Option<String>,
    ) -> Decided {
        Decided { answer, by, at, reason, roles: self.roles.clone(), grant: self.grant }
    }
}

/// Proof that who decides is not who asked.
#[must_use]
pub(super) struct Another(pub(super) PrincipalName);

/// Refuses whoever asked himself.
pub(super) fn another(asked: &PrincipalName, by: PrincipalName, about: &str) -> Result<Another, Refusal> {
    if *asked == by {
        let message = format!("`{by}` asked for `{about}`, so somebody else decides about it");
        return Err(Refusal::new(Code::Denied, message).because("requester"));
    }
    Ok(Another(by))
}

pub(super) fn decided_already(about: &str, state: &str) -> Refusal {
    Refusal::new(Code::Conflict, format!("`{about}` can't be decided any more: it is {state}"))
}

fn missing(id: ApprovalId) -> Refusal {
    Refusal::new(Code::NotFound, format!("there is no approval `{id}`"))
        .hint("`doorward approval list --state all`")
}

fn id(managing: &Managing<'_>) -> Result<ApprovalId, Refusal> {
    managing.input("id")?.parse().map_err(|error: model::ParseError| {
        Refusal::new(Code::BadRequest, error.to_string()).hint("`doorward approval list`")
    })
}

fn desk(managing: &Managing<'_>) -> (Desk, Timestamp) {
    let broker = Arc::clone(managing.worker.broker());
    let desk = Desk::of(&broker, &managing.unsealed, managing.admitted.permit.tenant());
    (desk, broker.now())
}

/// What a list shows of an approval.
fn summary(row: &Row, standing: Standing) -> Value {
    json!({
        "id": row.id, "state": standing.as_str(), "for": row.principal,
        "operation": format!("{}/{}", row.what.integration, row.what.operation),
        "resource": row.what.resource, "risk": row.what.risk, "break_glass": row.break_glass,
        "asked": row.asked, "expires": row.expires, "approvers": row.approvers,
        "agreed": row.agreed.iter().map(|one| &one.by).collect::<Vec<_>>(),
        "decided_by": row.decided.as_ref().map(|decided| &decided.by),
        "reason": row.decided.as_ref().and_then(|decided| decided.reason.as_ref()),
    })
}

/// Everything that whoever decides has to know.
fn whole(row: &Row, standing: Standing) -> Result<Value, Refusal> {
    let mut value = serde_json::to_value(row)
        .map_err(|error| Refusal::new(Code::SourceUnavailable, error.to_string()))?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("state".to_owned(), standing.as_str().into());
    }
    Ok(value)
}
