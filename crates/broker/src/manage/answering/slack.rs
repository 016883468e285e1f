//! Slack: a message with two buttons, and the signed request that Slack sends when somebody presses one.
//!
//! Texts go as `plain_text`: nothing in them is a link, a mention or a command.

use std::collections::BTreeMap;
use std::time::Duration;

use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use model::{Code, Method, Refusal};
use net::Body;
use net::body::{Bounds, collect_bounded};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Deciding, asked as asked_about, carried, decided, named, read, strange, text, told};
use crate::answering::Slack;
use crate::approval::{Row, Standing};
use crate::inbound::{Asked, Forward, Outbound};
use crate::manage::{Done, Managing};
use crate::path::identify::incoming::{self, Signed};

/// Writes the message, or over it what became of the question. `at` is the channel and the time of the message.
pub(super) async fn tell(
    managing: &Managing<'_>,
    slack: &Slack,
    (row, standing): (&Row, Standing),
    at: Option<&str>,
) -> Result<Done, Refusal> {
    let headline = told::headline(row);
    let facts = told::details(row).into_iter().map(|(name, value)| format!("{name}: {value}"));
    let mut blocks = vec![section(&headline, true), section(&facts.collect::<Vec<_>>().join("\n"), false)];
    if standing == Standing::Pending {
        let value = format!("{} {}", row.id, row.digest);
        let button = |id: &str, name: &str, style: &str| json!({ "type": "button", "action_id": id, "style": style, "value": value, "text": { "type": "plain_text", "text": name } });
        let buttons = [button(APPROVE, "Approve", "primary"), button(DENY, "Deny", "danger")];
        blocks.push(json!({ "type": "actions", "block_id": "doorward", "elements": buttons }));
    } else {
        blocks.push(section(&told::standing(row, standing), false));
    }
    let (method, channel, ts) = match at {
        None => ("/api/chat.postMessage", slack.channel.as_str(), None),
        Some(at) => {
            let (channel, ts) = at
                .split_once('/')
                .ok_or_else(|| Refusal::new(Code::BadRequest, "`at` is a channel, a slash, and a time"))?;
            ("/api/chat.update", channel, Some(ts))
        }
    };
    let text_of_it = format!("{}: {headline}", row.id);
    let mut message = json!({ "channel": channel, "text": text_of_it, "blocks": blocks });
    if let (Some(ts), Some(fields)) = (ts, message.as_object_mut()) {
        fields.insert("ts".to_owned(), ts.into());
    }
    let said = asked(managing, slack, method, &message).await?;
    let place = text(&said, "/channel").zip(text(&said, "/ts"));
    let at = place.map(|(channel, ts)| format!("{channel}/{ts}"));
    let at =
        at.ok_or_else(|| Refusal::new(Code::UpstreamReply, "Slack does not say where the message is"))?;
    let fields = vec![("slack".to_owned(), at.clone())];
    let value = json!({ "id": row.id, "state": standing.as_str(), "at": at });
    Ok(Done { value, fields, code: None })
}

fn section(words: &str, bold: bool) -> Value {
    let (kind, most) = if bold { ("header", LONGEST_HEADER) } else { ("section", LONGEST_BLOCK) };
    let mut shown: String = words.chars().take(most).collect();
    if words.chars().nth(most).is_some() {
        shown = shown.chars().take(most.saturating_sub(CUT.len())).collect();
        shown.push_str(CUT);
    }
    json!({ "type": kind, "text": { "type": "plain_text", "text": shown, "emoji": false } })
}

/// One call of a method. Slack says in its answer whether it was done, whatever the status is.
async fn asked(managing: &Managing<'_>, slack: &Slack, method: &str, body: &Value) -> Result<Value, Refusal> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    let (integration, target) = (slack.integration.clone(), named(method)?);
    let forward = Forward::new(integration, Method::Post, target, headers, Body::full(body.to_string()));
    let reply = match carried(managing, None, Asked::Forward(Box::new(forward))).await? {
        Outbound::Reply(_, reply) => reply,
        Outbound::Answer(_) | Outbound::Lease(..) => return Err(strange()),
    };
    let bounds = Bounds { bytes: LARGEST, frame: PATIENCE, whole: PATIENCE };
    let bytes = collect_bounded(reply.into_body(), bounds)
        .await
        .map_err(|_| Refusal::new(Code::UpstreamReply, "Slack's answer can't be read"))?;
    let said: Value = serde_json::from_slice(&bytes)
        .map_err(|_| Refusal::new(Code::UpstreamReply, "Slack's answer is not JSON"))?;
    if said.get("ok") == Some(&Value::Bool(true)) {
        return Ok(said);
    }
    let why = text(&said, "/error").unwrap_or("it says nothing").chars().take(80);
    Err(Refusal::new(Code::UpstreamReply, format!("Slack refused `{method}`: {}", why.collect::<String>())))
}

/// What Slack sent, as our door got it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Came {
    headers: BTreeMap<String, String>,
    body: String,
}

/// Somebody pressed a button.
pub(super) async fn answer(managing: &Managing<'_>, slack: &Slack, came: &str) -> Result<Done, Refusal> {
    let wrong = |why: &str| Refusal::new(Code::BadRequest, format!("what Slack sent can't be used: {why}"));
    let Came { headers, body } = serde_json::from_str(came).map_err(|_| wrong("it is no request"))?;
    let mut sent = HeaderMap::new();
    for (name, value) in &headers {
        let pair = name.parse::<HeaderName>().ok().zip(HeaderValue::from_str(value).ok());
        let (name, value) = pair.ok_or_else(|| wrong("a header is none"))?;
        sent.insert(name, value);
    }
    let came = (&sent, body.clone().into());
    let Signed(delivery) = incoming::signed(managing.worker, &managing.unsealed, &slack.signed, came).await?;
    let form = body.split('&').find_map(|pair| pair.strip_prefix("payload="));
    let form = form.ok_or_else(|| wrong("there is no `payload`"))?.replace('+', " ");
    let decoded = percent_decode_str(&form).decode_utf8().map_err(|_| wrong("it is not text"))?;
    let said: Value = serde_json::from_str(&decoded).map_err(|_| wrong("it is not JSON"))?;
    if text(&said, "/type") != Some("block_actions") {
        return Err(wrong("nobody pressed a button"));
    }
    if let Some(team) = &slack.team
        && text(&said, "/team/id") != Some(team)
    {
        return Err(Refusal::new(Code::Denied, "the answer comes from another workspace"));
    }
    let member = text(&said, "/user/id").ok_or_else(|| wrong("it does not say who"))?;
    let by = slack.people.get(member).ok_or_else(|| {
        Refusal::new(Code::Denied, format!("the member `{member}` of Slack is nobody here"))
            .hint("`[approvals.slack.people]` in settings.toml")
    })?;
    let actions = said.get("actions").and_then(Value::as_array).map(Vec::as_slice);
    let Some([action]) = actions else { return Err(wrong("it is not one button")) };
    let approve = match text(action, "/action_id") {
        Some(APPROVE) => true,
        Some(DENY) => false,
        _ => return Err(wrong("it is no button of ours")),
    };
    let value = text(action, "/value").and_then(|value| value.split_once(' '));
    let (id, digest) = value.ok_or_else(|| wrong("the button says nothing"))?;
    let id = read(id)?;
    let reason = format!("in Slack, by the member {member}");
    let value = decided(managing, Deciding { id, by, approve, digest, reason }).await?;
    if let Some(delivery) = delivery {
        delivery.carried();
    }
    let place = text(&said, "/channel/id").zip(text(&said, "/message/ts"));
    let at = place.map(|(channel, ts)| format!("{channel}/{ts}"));
    let (row, standing) = asked_about(managing, id).await?;
    if let (Standing::Pending, Some(at)) = (standing, &at) {
        // Others have to answer as well: the message says who did. It counts, whether Slack takes this or not.
        if let Err(refusal) = tell(managing, slack, (&row, standing), Some(at)).await {
            tracing::warn!(approval = %id, why = %refusal.message, "Slack does not show who approved until now");
        }
    }
    let fields = [("approval", id.to_string()), ("slack_user", member.to_owned()), ("by", by.to_string())];
    let fields = fields.map(|(name, value)| (name.to_owned(), value)).to_vec();
    Ok(Done { value: json!({ "decided": value, "at": at }), fields, code: None })
}

const APPROVE: &str = "doorward_approve";
const DENY: &str = "doorward_deny";
/// What stands where there was no room for the rest.
const CUT: &str = " [not all of it shown]";
/// Slack's own limits, in characters.
const LONGEST_BLOCK: usize = 3_000;
const LONGEST_HEADER: usize = 150;
const LARGEST: usize = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(30);
