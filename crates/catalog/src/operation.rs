//! One named read or write of an integration.

use std::collections::{BTreeMap, BTreeSet};

use model::{Access, Inputs, Method, OperationName, Risk, Target};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::InputField;
use crate::input::Place;
use crate::{path, resource};

/// How the body of a request is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// There is none; a request that has one is refused.
    None,
    /// JSON.
    Json,
    /// A form.
    Form,
    /// JSON or a form.
    JsonOrForm,
    /// Anything; it is not read.
    Any,
}

/// What an operation does with secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It uses one.
    Use,
    /// It changes or looks at Doorward itself.
    Manage,
    /// It asks for a capability or looks after one: what anybody may do whom the kernel proves at the agent's socket.
    Agent,
    /// It hands one out.
    Disclose,
    /// It hands out the stored key of an AWS profile.
    NoSession,
}

/// An operation as a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cli {
    pub(crate) program: String,
    pub(crate) args: Vec<resource::Template>,
}

impl Cli {
    /// The program.
    #[must_use]
    pub fn program(&self) -> &str {
        &self.program
    }

    /// The arguments with these inputs; one that names an input that is not there is left out. An input never makes a
    /// second argument.
    #[must_use]
    pub fn args(&self, inputs: &Inputs) -> Vec<String> {
        self.args.iter().filter_map(|arg| arg.fill(|name| inputs.get(name).cloned())).collect()
    }
}

/// One named read or write.
#[derive(Debug, Clone)]
pub struct Operation {
    pub(crate) name: OperationName,
    pub(crate) title: String,
    pub(crate) docs: Option<String>,
    pub(crate) access: Access,
    pub(crate) risk: Risk,
    pub(crate) effect: Effect,
    pub(crate) rule: Option<(Method, path::Template)>,
    pub(crate) body: Body,
    pub(crate) inputs: BTreeMap<String, InputField>,
    pub(crate) query: BTreeSet<String>,
    pub(crate) resource: resource::Template,
    pub(crate) evidence: BTreeMap<String, crate::reply::Origin>,
    pub(crate) cli: Option<Cli>,
    pub(crate) scopes: Vec<String>,
}

impl Operation {
    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &OperationName {
        &self.name
    }

    /// What it does, for people.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Where the service documents it.
    #[must_use]
    pub fn docs(&self) -> Option<&str> {
        self.docs.as_deref()
    }

    /// Whether it changes anything.
    #[must_use]
    pub const fn access(&self) -> Access {
        self.access
    }

    /// How much harm it can do.
    #[must_use]
    pub const fn risk(&self) -> Risk {
        self.risk
    }

    /// What it does with secrets.
    #[must_use]
    pub const fn effect(&self) -> Effect {
        self.effect
    }

    /// The method of its requests; `None` for an operation of Doorward itself.
    #[must_use]
    pub fn method(&self) -> Option<Method> {
        self.rule.as_ref().map(|(method, _)| *method)
    }

    /// How its body is written.
    #[must_use]
    pub const fn body(&self) -> Body {
        self.body
    }

    /// What it takes, by name.
    #[must_use]
    pub const fn inputs(&self) -> &BTreeMap<String, InputField> {
        &self.inputs
    }

    /// The names of the evidence fields of its reply.
    pub fn evidence(&self) -> impl Iterator<Item = &str> {
        self.evidence.keys().map(String::as_str)
    }

    /// The same as a command.
    #[must_use]
    pub const fn cli(&self) -> Option<&Cli> {
        self.cli.as_ref()
    }

    /// What the service has to have granted to the credential, in the service's words.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// Whether its call cannot be made before the body is there.
    #[must_use]
    pub const fn wants_body(&self) -> bool {
        !matches!(self.body, Body::Any)
    }

    /// The decoded inputs of the path, where method and path are this operation's. HEAD is a GET without the body.
    pub(crate) fn matches(&self, method: Method, segments: &[&str]) -> Option<Inputs> {
        let (wanted, template) = self.rule.as_ref()?;
        let method = if method == Method::Head { Method::Get } else { method };
        if method != *wanted {
            return None;
        }
        template.read(segments, &|name| self.inputs.get(name).is_some_and(|input| input.encoded_slash))
    }

    /// Whether every name in the query is known to this operation, as an input or as one that does not matter.
    pub(crate) fn knows_query(&self, target: &Target) -> bool {
        target.query().is_none()
            || target.pairs().all(|(name, _)| {
                self.query.contains(name.as_ref())
                    || self.inputs.iter().any(|(input, field)| match &field.place {
                        Place::Query(key) => *key == *name,
                        // It is known, and it is wrong there: `call` refuses it.
                        Place::Body(path) => {
                            *input == *name || path.first().is_some_and(|first| *first == *name)
                        }
                        Place::Path | Place::Named => false,
                    })
            })
    }
}
