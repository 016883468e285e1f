//! An operation that is offered, and the tool that it is.

use std::sync::Arc;

use model::{Access, IntegrationName, OperationName, Risk};
use rmcp::model::{Tool, ToolAnnotations};
use serde_json::{Map, Value, json};

/// An operation that a caller may ask for.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Of which service.
    pub integration: IntegrationName,
    /// Which operation.
    pub operation: OperationName,
    /// The service and what the operation does, for people and models.
    pub title: String,
    /// Where the service documents it.
    pub docs: Option<String>,
    /// Whether it changes anything.
    pub access: Access,
    /// How much harm it can do.
    pub risk: Risk,
    /// What it takes.
    pub inputs: Vec<Input>,
}

/// One input of it.
#[derive(Debug, Clone)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// What it is, for people and models.
    pub title: Option<String>,
    /// Which kind of value.
    pub kind: Kind,
    /// A regular expression that the whole text has to match.
    pub pattern: Option<String>,
    /// Most characters.
    pub most: Option<usize>,
    /// Whether it has to be there.
    pub required: bool,
}

/// Which kind of value an input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// Texts, one behind the other.
    List,
    /// An object or a list of anything.
    Json,
}

impl Offer {
    /// The name of the tool: letters, digits and `_` only, because clients differ in what else they take.
    #[must_use]
    pub fn tool_name(&self) -> String {
        let plain = |text: &str| -> String {
            text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
        };
        format!("{}__{}", plain(self.integration.as_str()), plain(self.operation.as_str()))
    }

    /// The tool. Hints for people who are asked whether it may be called; nothing here relies on them.
    pub(crate) fn tool(&self) -> Tool {
        let mut about = self.title.clone();
        match (self.access, self.risk) {
            (Access::Read, _) => {}
            (Access::Write, Risk::High) => about.push_str(". Changes something, and can do much harm"),
            (Access::Write, _) => about.push_str(". Changes something"),
        }
        if let Some(docs) = &self.docs {
            about.push_str(&format!(". See {docs}"));
        }
        let reads = self.access == Access::Read;
        let hints = ToolAnnotations::with_title(self.title.clone())
            .read_only(reads)
            .destructive(!reads && self.risk == Risk::High)
            .idempotent(reads)
            .open_world(true);
        let mut tool = Tool::new(self.tool_name(), about, Arc::new(self.schema())).annotate(hints);
        tool.title = Some(format!("{} {}", self.integration, self.operation));
        tool
    }

    /// The JSON Schema of its arguments.
    fn schema(&self) -> Map<String, Value> {
        let properties: Map<String, Value> =
            self.inputs.iter().map(|input| (input.name.clone(), input.schema())).collect();
        let required: Vec<&str> =
            self.inputs.iter().filter(|input| input.required).map(|input| input.name.as_str()).collect();
        let mut schema = Map::new();
        schema.insert("type".to_owned(), json!("object"));
        schema.insert("properties".to_owned(), Value::Object(properties));
        schema.insert("required".to_owned(), json!(required));
        // A misspelt input is refused, not dropped.
        schema.insert("additionalProperties".to_owned(), json!(false));
        schema
    }
}

impl Input {
    fn schema(&self) -> Value {
        let text = || {
            let mut schema = json!({ "type": "string" });
            if let Some(fields) = schema.as_object_mut() {
                if let Some(pattern) = &self.pattern {
                    fields.insert("pattern".to_owned(), json!(format!("^(?:{pattern})$")));
                }
                if let Some(most) = self.most {
                    fields.insert("maxLength".to_owned(), json!(most));
                }
            }
            schema
        };
        let mut schema = match self.kind {
            Kind::Text => text(),
            Kind::Integer => json!({ "type": "integer" }),
            Kind::Boolean => json!({ "type": "boolean" }),
            Kind::Json => json!({ "type": ["object", "array"] }),
            Kind::List => json!({ "type": "array", "items": text() }),
        };
        if let (Some(title), Some(fields)) = (&self.title, schema.as_object_mut()) {
            fields.insert("description".to_owned(), json!(title));
        }
        schema
    }
}
