//! Linear: an issue for each question, and a label as the answer. Other labels of the issue stay.
//!
//! Who put the label is read in the history of the issue, by ourselves. What the person read has to be what we wrote: an issue whose
//! title or description somebody changed approves nothing.

use model::{ApprovalId, Code, Refusal};
use serde_json::{Value, json};

use super::{Deciding, asked, decided, operated, text, told};
use crate::answering::Linear;
use crate::approval::{self, Row, Standing};
use crate::manage::{Done, Managing};

/// Opens the issue; or, where `at` is its id, says there what became of the question.
pub(super) async fn tell(
    managing: &Managing<'_>,
    linear: &Linear,
    (row, standing): (&Row, Standing),
    at: Option<&str>,
) -> Result<Done, Refusal> {
    let issue = match at {
        None => opened(managing, linear, row).await?,
        Some(issue) => {
            closed(managing, linear, (row, standing), issue).await?;
            issue.to_owned()
        }
    };
    let fields = vec![("linear".to_owned(), issue.clone())];
    let value = json!({ "id": row.id, "state": standing.as_str(), "at": issue });
    Ok(Done { value, fields, code: None })
}

async fn opened(managing: &Managing<'_>, linear: &Linear, row: &Row) -> Result<String, Refusal> {
    let pending = label(managing, linear, PENDING).await?;
    // They have to be there, or nobody could answer.
    for name in [APPROVED, DENIED] {
        let _ = label(managing, linear, name).await?;
    }
    let facts = told::details(row).into_iter().map(|(name, value)| format!("{name}: {value}"));
    // Indented, so that nothing of it is read as anything but text.
    let facts = facts.flat_map(|fact| fact.lines().map(|line| format!("    {line}")).collect::<Vec<_>>());
    let description = format!(
        "{}\n\n{}\n\nTo answer, add the label `{APPROVED}` or `{DENIED}`. Whoever asked does not decide. Leave title and description as they \
         are: what was changed approves nothing.",
        told::headline(row),
        facts.collect::<Vec<_>>().join("\n"),
    );
    let title = format!("Approval required: {}", row.id);
    let labels = json!([pending]).to_string();
    let inputs = [
        ("team", linear.team.as_str()),
        ("title", &title),
        ("description", &description),
        ("labels", &labels),
    ];
    let said = operated(managing, &linear.integration, "issues.create", &inputs).await?;
    let issue = text(&said, "/data/issueCreate/issue/id");
    issue
        .map(str::to_owned)
        .ok_or_else(|| Refusal::new(Code::UpstreamReply, "Linear does not say which issue it made"))
}

async fn closed(
    managing: &Managing<'_>,
    linear: &Linear,
    (row, standing): (&Row, Standing),
    issue: &str,
) -> Result<(), Refusal> {
    let name = match standing {
        Standing::Pending => return Ok(()),
        Standing::Approved | Standing::Used => APPROVED,
        Standing::Denied => DENIED,
        Standing::Expired => EXPIRED,
    };
    let (pending, state) = (label(managing, linear, PENDING).await?, label(managing, linear, name).await?);
    let (add, remove) = (json!([state]).to_string(), json!([pending]).to_string());
    let inputs = [("issue", issue), ("add", &add), ("remove", &remove)];
    operated(managing, &linear.integration, "issues.label", &inputs).await?;
    let said = told::standing(row, standing);
    let inputs = [("issue", issue), ("text", said.as_str())];
    operated(managing, &linear.integration, "comments.create", &inputs).await.map(|_| ())
}

/// The id of a label, which is made where it is not there.
async fn label(managing: &Managing<'_>, linear: &Linear, name: &str) -> Result<String, Refusal> {
    let found = operated(managing, &linear.integration, "labels.find", &[("name", name)]).await?;
    if let Some(id) = text(&found, "/data/issueLabels/nodes/0/id") {
        return Ok(id.to_owned());
    }
    let inputs = [("name", name), ("team", linear.team.as_str())];
    let made = operated(managing, &linear.integration, "labels.create", &inputs).await?;
    let id = text(&made, "/data/issueLabelCreate/issueLabel/id");
    id.map(str::to_owned)
        .ok_or_else(|| Refusal::new(Code::UpstreamReply, format!("Linear made no label `{name}`")))
}

/// Looks whether somebody answered in the issue, and who.
pub(super) async fn answer(
    managing: &Managing<'_>,
    linear: &Linear,
    id: ApprovalId,
) -> Result<Done, Refusal> {
    let issue = managing.input("at")?;
    let said = operated(managing, &linear.integration, "issues.history", &[("issue", issue)]).await?;
    let nothing = |why: &str| Done::from(json!({ "decided": null, "why": why }));
    let refused =
        |why: String| Refusal::new(Code::Denied, why).hint("answer with `doorward approval` instead");
    let labels = names(&said, "/data/issue/labels/nodes");
    let approve = match (labels.contains(&APPROVED), labels.contains(&DENIED)) {
        (false, false) => return Ok(nothing("it has no label that answers")),
        // Whoever says no wins.
        (_, true) => false,
        (true, false) => true,
    };
    let title = format!("Approval required: {id}");
    let history = said.pointer("/data/issue/history/nodes").and_then(Value::as_array);
    let history = history.map(Vec::as_slice).unwrap_or_default();
    let changed = history.iter().any(|node| {
        node.get("updatedDescription") == Some(&Value::Bool(true)) || text(node, "/fromTitle").is_some()
    });
    if approve && (changed || text(&said, "/data/issue/title") != Some(&title)) {
        return Err(refused(format!("the issue of `{id}` is not as it was written")));
    }
    let wanted = if approve { APPROVED } else { DENIED };
    let set = history.iter().filter(|node| names(node, "/addedLabels").contains(&wanted));
    let node = set.max_by_key(|node| text(node, "/createdAt").unwrap_or_default());
    let member = node.and_then(|node| text(node, "/actor/id"));
    let (Some(node), Some(member)) = (node, member) else {
        return Err(refused(format!("nobody is known who put `{wanted}` on the issue of `{id}`")));
    };
    let by = linear.people.get(member).ok_or_else(|| {
        Refusal::new(Code::Denied, format!("the user `{member}` of Linear is nobody here"))
            .hint("`[approvals.linear.people]` in settings.toml")
    })?;
    let (row, standing) = asked(managing, id).await?;
    if standing != Standing::Pending {
        return Ok(nothing("it is decided already"));
    }
    if approve && row.agreed.iter().any(|one| one.by == *by) {
        // It was counted, and the label is still there.
        again(managing, linear, &row, issue).await?;
        return Ok(nothing("whoever put the label approved it already"));
    }
    let when = text(node, "/createdAt").unwrap_or("at an unknown time");
    let reason = format!("in Linear, by the label of the user {member}, {when}");
    let deciding = Deciding { id, by, approve, digest: &row.digest, reason };
    let value = decided(managing, deciding).await?;
    let (row, standing) = asked(managing, id).await?;
    if standing == Standing::Pending {
        again(managing, linear, &row, issue).await?;
    }
    let changes: Vec<&str> = history.iter().filter_map(|node| text(node, "/id")).collect();
    let fields = [
        ("approval", id.to_string()),
        ("linear", issue.to_owned()),
        ("linear_user", member.to_owned()),
        ("by", by.to_string()),
        ("history", changes.join(" ")),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value)).to_vec();
    Ok(Done { value: json!({ "decided": value, "at": issue }), fields, code: None })
}

/// Others have to answer as well: takes the label away, so that the next one can put it, and says who did.
async fn again(managing: &Managing<'_>, linear: &Linear, row: &Row, issue: &str) -> Result<(), Refusal> {
    let approved = json!([label(managing, linear, APPROVED).await?]).to_string();
    let inputs = [("issue", issue), ("add", "[]"), ("remove", approved.as_str())];
    operated(managing, &linear.integration, "issues.label", &inputs).await?;
    let so_far = approval::progress(&row.agreed, row.approvers).unwrap_or_default();
    let said = format!("{so_far}. Somebody else adds `{APPROVED}` as well.");
    let inputs = [("issue", issue), ("text", said.as_str())];
    operated(managing, &linear.integration, "comments.create", &inputs).await.map(|_| ())
}

fn names<'a>(value: &'a Value, pointer: &str) -> Vec<&'a str> {
    let all = value.pointer(pointer).and_then(Value::as_array);
    all.into_iter().flatten().filter_map(|label| text(label, "/name")).collect()
}

const PENDING: &str = "approval:pending";
const APPROVED: &str = "approval:approved";
const DENIED: &str = "approval:denied";
const EXPIRED: &str = "approval:expired";
