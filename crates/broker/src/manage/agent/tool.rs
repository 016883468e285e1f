//! Tools: commands that the owner declared, as operations of the catalogue. `tool:/backup` is the operation `backup` of the
//! integration `tools`, and `tool:/db/backup` the operation `backup` of `db`.

use model::{IntegrationName, OperationName, Refusal};
use policy::files::{ResourceKind, ResourceName};
use serde_json::{Map, Value};

use super::request::{unread, wrong};
use crate::inbound::Answer;

/// The operation behind a tool's name, which may be written as the resource that it is: `backup`, `db/backup`, `tool:/backup`.
pub(super) fn meant(name: &str) -> Result<(IntegrationName, OperationName), Refusal> {
    let name = name.strip_prefix("tool:").unwrap_or(name);
    let name = name.strip_prefix('/').unwrap_or(name);
    let resource: ResourceName = format!("tool:/{name}").parse().map_err(unread)?;
    if resource.kind() != ResourceKind::Tool || resource.prefix().is_some() {
        return Err(wrong("a `tool` has the name of one tool, such as `backup` or `db/backup`"));
    }
    let (integration, operation) = name.split_once('/').unwrap_or((policy::TOOLS, name));
    if integration == "doorward" {
        return Err(wrong("management is no tool; it has commands of its own"));
    }
    Ok((integration.parse().map_err(unread)?, operation.parse().map_err(unread)?))
}

/// What it did, in the words of the protocol: status, exit, and what was printed.
pub(super) fn said(answer: &Answer) -> Map<String, Value> {
    let mut said = Map::new();
    said.insert("status".to_owned(), if answer.failed { "error" } else { "ok" }.into());
    let at = |key: &str| answer.value.get(key).filter(|value| !value.is_null());
    for (key, from) in
        [("message", "failed"), ("exit", "exit"), ("http_status", "status"), ("stderr", "stderr")]
    {
        said.extend(at(from).map(|value| (key.to_owned(), value.clone())));
    }
    match at("output") {
        Some(Value::String(text)) => said.insert("stdout".to_owned(), text.as_str().into()),
        Some(value) => said.insert("stdout".to_owned(), format!("{value}\n").into()),
        None => None,
    };
    said
}

#[cfg(test)]
mod tests;
