//! What a capability speaks of, as a list for people and programs. No decision: each call is decided on its own.

use std::collections::BTreeMap;

use catalog::{Integration, Operation};
use http::HeaderValue;
use model::{Code, Door, Fact, Inputs, Refusal};
use serde_json::{Value, json};

use crate::Worker;
use crate::inbound::{Asked, Inbound, Operate};
use crate::path::identify;

impl Worker {
    /// The operations of services that a capability speaks of, with what they take: a JSON list. Only those that can be performed
    /// by name. Nothing is counted, and nothing is used.
    ///
    /// # Errors
    /// When the capability is none; when it speaks of everything, because that would be thousands.
    pub fn offers(&self, door: Door, facts: Fact, capability: HeaderValue) -> Result<Value, Refusal> {
        let broker = self.broker();
        let asked = Asked::Operate(Operate::new(named("doorward")?, named("operation.list")?, Inputs::new()));
        let inbound = Inbound { door, facts, capability: Some(capability), asked };
        let identified = identify::caller(broker, &*broker.unsealed()?, &inbound)?;
        let verified = identified
            .verified
            .ok_or_else(|| Refusal::new(Code::Unauthenticated, "no capability was presented"))?;
        if !verified.names_services() {
            let message = "the capability speaks of every service, which is too much for a list";
            return Err(Refusal::new(Code::BadRequest, message)
                .hint("narrow it: `doorward capability narrow --integrations NAME,NAME`"));
        }
        let catalog = broker.catalog();
        let mut offers = Vec::new();
        for name in catalog.services().into_iter().filter(|name| verified.mentions(name, None)) {
            // One that can't be read is nobody's offer; `doorward doctor` says what is wrong with it.
            let Ok(integration) = catalog.get(&name) else { continue };
            // Where each call names its host, a call by name has none.
            if integration.internal() || integration.wildcard().is_some() {
                continue;
            }
            let operations = integration.operations().values();
            let spoken_of = operations
                .filter(|operation| operation.method().is_some() || operation.cli().is_some())
                .filter(|operation| verified.mentions(&name, Some((operation.name(), operation.access()))));
            offers.extend(spoken_of.map(|operation| offer(&integration, operation)));
        }
        Ok(Value::Array(offers))
    }
}

fn offer(integration: &Integration, operation: &Operation) -> Value {
    let inputs: BTreeMap<&String, Value> = operation
        .inputs()
        .iter()
        .map(|(name, input)| {
            let required = input.required() && input.default().is_none();
            let described = json!({
                "type": input.kind().as_str(), "title": input.title(), "pattern": input.pattern(), "max": input.max(),
                "default": input.default(), "required": required,
            });
            (name, described)
        })
        .collect();
    json!({
        "integration": integration.name(),
        "operation": operation.name(),
        "title": format!("{}: {}", integration.title(), operation.title()),
        "docs": operation.docs(),
        "access": operation.access(),
        "risk": operation.risk(),
        "inputs": inputs,
    })
}

fn named<T: std::str::FromStr<Err = model::ParseError>>(text: &str) -> Result<T, Refusal> {
    text.parse().map_err(|error: model::ParseError| Refusal::new(Code::BadRequest, error.to_string()))
}
