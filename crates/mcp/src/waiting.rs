//! A call that waits for the approval of somebody else: whoever sits at the client is told, and says when to go on.
//!
//! The answer of the client approves nothing, for a program can give it: who asked does not decide. It only says when the call is made again, and
//! the path looks whether it was approved.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{Code, Refusal};
use rmcp::RoleServer;
use rmcp::model::{
    CallToolRequestParams, ClientResult, ElicitRequest, ElicitRequestParams, ElicitationAction,
    ElicitationSchema, InputRequest, InputRequiredResult, ProtocolVersion, ServerRequest,
};
use rmcp::service::RequestContext;
use serde_json::Value;

/// What is done with a call that waits.
pub(crate) enum Next {
    /// It is made again.
    Again,
    /// The client asks its person, and calls again.
    Ask(Box<InputRequiredResult>),
    /// It stays refused; whoever wants it calls again.
    Pending,
}

/// Asks whoever sits at the client, where the client can.
pub(crate) async fn next(
    context: &RequestContext<RoleServer>,
    request: &CallToolRequestParams,
    refusal: &Refusal,
) -> Next {
    // Once for each call: a client that says yes to everything would go round in a circle.
    if request.input_responses.is_some() || !asks_people(context) {
        return Next::Pending;
    }
    let Some(question) = question(refusal) else { return Next::Pending };
    if context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28) {
        let asked = BTreeMap::from([(APPROVAL.to_owned(), InputRequest::Elicitation(question))]);
        return Next::Ask(Box::new(InputRequiredResult::from_input_requests(asked)));
    }
    let answer = context.peer.send_request(ServerRequest::ElicitRequest(question));
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(Ok(ClientResult::ElicitResult(result))) if result.action == ElicitationAction::Accept => {
            Next::Again
        }
        _ => Next::Pending,
    }
}

/// What a call is refused with that comes back from a question whose answer was no, or none that can be read: nothing is done
/// then, also where somebody else has approved it meanwhile.
///
/// Source: the Model Context Protocol of 2026-07-28, `inputResponses`; `action` is that of an elicitation's result.
pub(crate) fn declined(request: &CallToolRequestParams) -> Option<Refusal> {
    let answers = request.input_responses.as_ref()?;
    let action = answers.get(APPROVAL).and_then(|answer| answer.get("action")).and_then(Value::as_str);
    if action == Some("accept") {
        return None;
    }
    let message = "whoever sits at the client did not say that this call is to go on, so it was not made";
    Some(
        Refusal::new(Code::ApprovalRequired, message)
            .hint("call again, with the same arguments, when it is wanted"),
    )
}

fn asks_people(context: &RequestContext<RoleServer>) -> bool {
    // A request over HTTP without a session has nobody who could be asked within it.
    let within = context.extensions.get::<http::request::Parts>().is_none();
    let newer = context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28);
    let can = context.client_capabilities().and_then(|can| can.elicitation);
    (within || newer) && can.is_some_and(|can| can.form.is_some() || can.url.is_none())
}

fn question(refusal: &Refusal) -> Option<ElicitRequest> {
    let hint = refusal.hint.as_deref().unwrap_or_default();
    let message =
        format!("{}. {hint}. Somebody else has to approve it; go on when that was done.", refusal.message);
    let requested_schema = ElicitationSchema::builder().build().ok()?;
    Some(ElicitRequest::new(ElicitRequestParams::FormElicitationParams {
        meta: None,
        message,
        requested_schema,
    }))
}

const APPROVAL: &str = "approval";
/// How long a person may take.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
