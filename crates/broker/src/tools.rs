//! Operations in the words of a tool router: which tools there are, which operation two words mean, and how an output is written.

use std::sync::Arc;

use model::{Code, IntegrationName, OperationName, Refusal};
use serde_json::{Value, json};

use crate::Broker;

impl Broker {
    /// Whether an integration has this name, so that a path that begins with it is its own.
    #[must_use]
    pub fn has_integration(&self, name: &str) -> bool {
        name.parse().is_ok_and(|name| self.catalog().has(&name)) || self.aliased(name).is_some()
    }

    /// The tools that such a router knows, with the program of each and whether requests can do it as well. It says nothing of this
    /// home: what a caller may do is decided call by call.
    #[must_use]
    pub fn tools(&self) -> Value {
        let catalog = self.catalog();
        // One whose address nobody wrote yet is described all the same.
        let described = |name: &IntegrationName| {
            catalog.get(name).ok().or_else(|| catalog::cases::integration(name).ok().map(Arc::new))
        };
        let tools = catalog::known_tools().map(|(tool, operations)| {
            let found = operations
                .iter()
                .filter_map(|(integration, operation)| Some((described(integration)?, operation)));
            let (mut program, mut requests) = (String::new(), false);
            for (integration, operation) in found {
                let Some(operation) = integration.operations().get(operation) else { continue };
                requests |= operation.method().is_some();
                if program.is_empty() {
                    program = operation.cli().map(|cli| cli.program().to_owned()).unwrap_or_default();
                }
            }
            json!({ "Name": tool, "CLI": program, "SupportsAPI": requests })
        });
        json!({ "tools": tools.collect::<Vec<_>>() })
    }
}

/// The operation that two words of such a router mean; words of ours are the integration and its operation.
#[must_use]
pub fn tool(tool: &str, action: &str) -> Option<(IntegrationName, OperationName)> {
    catalog::known_tool(tool, action).or_else(|| Some((tool.parse().ok()?, action.parse().ok()?)))
}

/// A refusal in the words of such a router, where it is about the two words or an input that is missing. It is told to callers who are
/// known: which integrations a home has is nobody else's business.
#[must_use]
pub fn tool_refusal(broker: &Broker, (tool, action): (&str, &str), refusal: Refusal) -> Refusal {
    let reworded = |message: String, hint: &str| {
        let told = Refusal { code: Code::BadRequest, message, hint: None, ..refusal.clone() };
        told.hint(hint)
    };
    if !matches!(refusal.code, Code::NotFound | Code::BadRequest) {
        return refusal;
    }
    if let Some(missing) = refusal.reason.as_deref().filter(|reason| reason.ends_with(" required")) {
        return reworded(missing.to_owned(), &refusal.message);
    }
    if catalog::known_tool(tool, action).is_some() {
        return refusal;
    }
    let catalog = broker.catalog();
    let name: Option<IntegrationName> = tool.parse().ok().filter(|name| catalog.has(name));
    let found = name.as_ref().map(|name| catalog.get(name));
    match found {
        Some(Ok(found)) if found.operations().keys().any(|name| name.as_str() == action) => refusal,
        // Its address is not written yet, which is what the refusal says.
        Some(Err(_)) => refusal,
        None if !catalog::known_tools().any(|(known, _)| known == tool.to_ascii_lowercase()) => {
            reworded("unknown tool".to_owned(), "`GET /v1/tools`, and `doorward integration list`")
        }
        Some(Ok(_)) | None => {
            let action: String = action.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
            reworded(format!("unsupported action: {action}"), "`doorward op list` says what there is")
        }
    }
}

/// What an operation gave, as such a router writes it: its output in base 64, and by what it was done.
#[must_use]
pub fn tool_output(answer: &Value) -> (String, &'static str) {
    let bytes = match answer.get("output") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(text)) => text.clone().into_bytes(),
        Some(other) => other.to_string().into_bytes(),
    };
    let used = if answer.get("used").and_then(Value::as_str) == Some("cli") { "cli" } else { "api" };
    (crypto::to_base64(&bytes), used)
}

/// How much of a word is repeated.
const LONGEST: usize = 64;
