//! The server: tools from offers, calls of tools as calls of operations, refusals as answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::HeaderValue;
use model::{Code, Inputs, Refusal, Retry};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, CustomRequest, CustomResult,
    ErrorCode, Implementation, ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Map, Value, json};

use crate::known::{Known, Tools};
use crate::waiting::{self, Next};
use crate::{Answer, Kind, Offer, Operations, Performing};

/// Speaks the protocol for one client.
pub struct Server<O> {
    operations: Arc<O>,
    /// What the client holds. Of a tool that several of them speak of, the first one counts.
    callers: Vec<Option<HeaderValue>>,
    known: Arc<Known>,
}

impl<O> Clone for Server<O> {
    fn clone(&self) -> Self {
        let Self { operations, callers, known } = self;
        Self { operations: Arc::clone(operations), callers: callers.clone(), known: Arc::clone(known) }
    }
}

impl<O> Server<O> {
    /// A server over these operations; all calls are made with this capability.
    #[must_use]
    pub fn new(operations: Arc<O>, capability: Option<HeaderValue>) -> Self {
        Self { operations, callers: vec![capability], known: Arc::default() }
    }

    /// The same with what the door listed before.
    #[must_use]
    pub fn knowing(self, known: Arc<Known>) -> Self {
        Self { known, ..self }
    }

    /// The same for a client who holds several capabilities.
    #[must_use]
    pub fn holding(self, capabilities: Vec<HeaderValue>) -> Self {
        Self { callers: capabilities.into_iter().map(Some).collect(), ..self }
    }
}

/// A tool, and what it is called with.
type Found = (Option<HeaderValue>, Offer);

impl<O: Operations> Server<O> {
    /// Whether what the client holds stands: it was listed a moment ago, or can be listed now.
    ///
    /// # Errors
    /// What kept it from being listed.
    pub(crate) async fn stands(&self) -> Result<(), Refusal> {
        for caller in &self.callers {
            if self.known.find(caller.as_ref()).is_none() {
                let _tools = self.listed(caller.as_ref()).await?;
            }
        }
        Ok(())
    }

    /// The tools of one capability, asked for now.
    async fn listed(&self, caller: Option<&HeaderValue>) -> Result<Arc<Tools>, Refusal> {
        let offers = self.operations.offers(caller.cloned()).await?;
        let mut tools = BTreeMap::new();
        for offer in offers {
            let name = offer.tool_name();
            // Two that would be called the same can't be told apart, so neither is offered.
            if tools.insert(name.clone(), Some(offer)).is_some() {
                tools.insert(name, None);
            }
        }
        let tools = Arc::new(tools.into_iter().filter_map(|(name, offer)| Some((name, offer?))).collect());
        self.known.keep(caller.cloned(), &tools);
        Ok(tools)
    }

    /// All tools of the client.
    async fn tools(&self) -> Result<Tools, ErrorData> {
        let mut all = Tools::new();
        for caller in &self.callers {
            let listed = self.listed(caller.as_ref()).await.map_err(|refusal| unlisted(&refusal))?;
            for (name, offer) in &*listed {
                all.entry(name.clone()).or_insert_with(|| offer.clone());
            }
        }
        Ok(all)
    }

    /// The tool of this name. One that is not among those that were listed a moment ago may be new.
    async fn tool(&self, name: &str) -> Result<Option<Found>, ErrorData> {
        for caller in &self.callers {
            let listed = match self.known.find(caller.as_ref()) {
                Some(known) => known,
                None => self.listed(caller.as_ref()).await.map_err(|refusal| unlisted(&refusal))?,
            };
            if let Some(offer) = listed.get(name) {
                return Ok(Some((caller.clone(), offer.clone())));
            }
        }
        for caller in &self.callers {
            let listed = self.listed(caller.as_ref()).await.map_err(|refusal| unlisted(&refusal))?;
            if let Some(offer) = listed.get(name) {
                return Ok(Some((caller.clone(), offer.clone())));
            }
        }
        Ok(None)
    }

    /// Performs a call. One that waits for an approval is made again when whoever sits at the client says so.
    async fn carried(
        &self,
        (capability, call): (Option<HeaderValue>, Performing),
        (request, context): (&CallToolRequestParams, &RequestContext<RoleServer>),
    ) -> CallToolResponse {
        if let Some(refusal) = waiting::declined(request) {
            return refused(&refusal).into();
        }
        let refusal = match self.operations.perform(capability.clone(), call.clone()).await {
            Ok(answer) => return answered(&answer).into(),
            Err(refusal) => refusal,
        };
        if refusal.code != Code::ApprovalRequired {
            return refused(&refusal).into();
        }
        match waiting::next(context, request, &refusal).await {
            Next::Pending => refused(&refusal).into(),
            Next::Ask(question) => (*question).into(),
            Next::Again => match self.operations.perform(capability, call).await {
                Ok(answer) => answered(&answer).into(),
                Err(refusal) => refused(&refusal).into(),
            },
        }
    }
}

impl<O: Operations> ServerHandler for Server<O> {
    fn get_info(&self) -> ServerConfig {
        let mut config = ServerConfig::new(ServerCapabilities::builder().enable_tools().build());
        config.server_info = Implementation::new("doorward", env!("CARGO_PKG_VERSION"));
        config.with_instructions(
            "Each tool is an operation on a service. Credentials are put on by Doorward; never ask for one, and never send one. An \
             answer with `code` was refused by Doorward: `approval_required` means that a person has been asked, so call again with \
             the same arguments later.",
        )
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = self.tools().await?;
        Ok(ListToolsResult::with_all_items(tools.values().map(Offer::tool).collect()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some((capability, offer)) = self.tool(&request.name).await? else {
            return Err(ErrorData::invalid_params(format!("there is no tool `{}`", request.name), None));
        };
        let inputs = match inputs(request.arguments.clone().unwrap_or_default(), &offer) {
            Ok(inputs) => inputs,
            Err(name) => {
                let refusal = Refusal::new(
                    Code::BadRequest,
                    format!("`{name}` is neither text, a whole number, a boolean nor a list of texts"),
                );
                return Ok(refused(&refusal).into());
            }
        };
        let call = Performing { integration: offer.integration, operation: offer.operation, inputs };
        Ok(self.carried((capability, call), (&request, &context)).await)
    }

    /// A method that is none, or one of ours whose parameters are none: the library takes both for somebody's own method.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        let CustomRequest { method, .. } = request;
        if OURS.contains(&method.as_str()) {
            let message = format!("the parameters of `{method}` are missing, or not what it takes");
            return Err(ErrorData::invalid_params(message, None));
        }
        Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, method, None))
    }
}

/// Arguments as inputs; a list or an object as the JSON that the catalogue reads. The name of one that is nothing of that.
fn inputs(arguments: Map<String, Value>, offer: &Offer) -> Result<Inputs, String> {
    let mut inputs = Inputs::new();
    for (name, value) in arguments {
        let text = match &value {
            Value::String(text) => text.clone(),
            Value::Bool(yes) => yes.to_string(),
            Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
            Value::Array(items) if items.iter().all(Value::is_string) => value.to_string(),
            Value::Array(_) | Value::Object(_) if is_json(offer, &name) => value.to_string(),
            // As good as not there.
            Value::Null => continue,
            _ => return Err(name),
        };
        inputs.insert(name, text);
    }
    Ok(inputs)
}

fn is_json(offer: &Offer, name: &str) -> bool {
    offer.inputs.iter().any(|input| input.name == name && input.kind == Kind::Json)
}

fn answered(answer: &Answer) -> CallToolResult {
    // What the service or the program said; how it was done is beside it.
    let said = answer.value.get("output").filter(|_| !answer.failed).unwrap_or(&answer.value);
    let text = match said {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    let structured = json!({ "evidence": answer.evidence, "answer": answer.value });
    result(text, structured, answer.failed)
}

/// A refusal is an answer: a model that reads why can do better.
fn refused(refusal: &Refusal) -> CallToolResult {
    let mut text = format!("Refused ({}): {}", refusal.code, refusal.message);
    if let Some(hint) = &refusal.hint {
        text.push_str(&format!(". {hint}"));
    }
    let again = match refusal.retry {
        Retry::After(wait) => Some(wait.as_secs()),
        _ => None,
    };
    let structured = json!({
        "code": refusal.code.to_string(), "message": refusal.message, "hint": refusal.hint,
        "evidence": refusal.evidence, "retry_after_seconds": again,
        "pending": refusal.code == Code::ApprovalRequired,
    });
    result(text, structured, true)
}

fn result(text: String, structured: Value, is_error: bool) -> CallToolResult {
    let content = vec![ContentBlock::text(text)];
    let mut result = if is_error { CallToolResult::error(content) } else { CallToolResult::success(content) };
    result.structured_content = Some(structured);
    result
}

/// What kept tools from being listed, as an error of the protocol.
fn unlisted(refusal: &Refusal) -> ErrorData {
    let details = json!({ "code": refusal.code.to_string(), "hint": refusal.hint });
    ErrorData::new(
        rmcp::model::ErrorCode(refusal.code.mcp_code()),
        refusal.message.to_string(),
        Some(details),
    )
}

const OURS: [&str; 4] = ["initialize", "ping", "tools/call", "tools/list"];
