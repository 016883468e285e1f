//! Ready-made capabilities that the catalogue can't say: of services with GraphQL alone, whose one operation is everything.
//! And the one that every integration has.

use model::{IntegrationName, Method};

use super::path::Part;
use super::rule::{Constraints, Graphql};
use super::services::{Param, Params, Unready};
use super::test::Test;

/// What everything is allowed with.
pub(super) const EVERYTHING: &str = "dangerously_allow_full_access";

/// One capability of a kind of integrations: its requests, as the root fields that a mutation may have.
struct Ready {
    kind: &'static str,
    name: &'static str,
    path: &'static [&'static str],
    fields: &'static [&'static str],
}

/// A rule that a capability stands for.
pub(super) struct Made {
    pub(super) path: String,
    pub(super) pattern: Vec<Part>,
    pub(super) method: Method,
    pub(super) wants: Constraints,
}

/// The names of those of a kind.
pub(super) fn names(kind: &IntegrationName) -> Vec<&'static str> {
    READY.iter().filter(|ready| ready.kind == kind.as_str()).map(|ready| ready.name).collect()
}

/// The rule of a capability; `None` where there is none of this name.
pub(super) fn rule(kind: &IntegrationName, name: &str, params: &Params) -> Option<Result<Made, Unready>> {
    let ready = READY.iter().find(|ready| ready.kind == kind.as_str() && ready.name == name)?;
    Some(ready.made(params))
}

impl Ready {
    fn made(&self, params: &Params) -> Result<Made, Unready> {
        let wrong = |what: String| Err(Unready::Wrong(what));
        let labelled = self.kind == "monday";
        let mut names = None;
        for (param, value) in params {
            match (param.as_str(), value) {
                ("operationName", Param::Text(name)) if labelled && !name.trim().is_empty() => {
                    names = Some(Box::from([Test::Is(name.as_str().into())]));
                }
                ("operationName", _) if labelled => {
                    return wrong("the parameter `operationName` is the name of an operation".to_owned());
                }
                _ => return wrong(format!("`{}` takes no such parameter", self.name)),
            }
        }
        let fields = self.fields.iter().map(|field| Test::Is((*field).into())).collect();
        let graphql = Graphql { kinds: Some(Box::from(["mutation".into()])), names, fields: Some(fields) };
        Ok(Made {
            path: format!("/{}", self.path.join("/")),
            pattern: self.path.iter().map(|part| Part::Literal((*part).into())).collect(),
            method: Method::Post,
            wants: Constraints { graphql: Some(graphql), ..Constraints::default() },
        })
    }
}

const READY: &[Ready] = &[
    Ready { kind: "linear", name: "add_comment", path: &["graphql"], fields: &["commentCreate"] },
    Ready { kind: "linear", name: "create_task", path: &["graphql"], fields: &["issueCreate"] },
    Ready { kind: "linear", name: "update_status", path: &["graphql"], fields: &["issueUpdate"] },
    Ready { kind: "monday", name: "add_comment", path: &[], fields: &["create_update"] },
    Ready { kind: "monday", name: "create_item", path: &[], fields: &["create_item"] },
    Ready {
        kind: "monday",
        name: "update_status",
        path: &[],
        fields: &["change_column_value", "change_simple_column_value", "change_multiple_column_values"],
    },
];
