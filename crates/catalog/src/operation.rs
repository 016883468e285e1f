//! One named read or write of an integration.

use std::collections::{BTreeMap, BTreeSet};

use model::{Access, Inputs, Method, OperationName, Refusal, Risk, Target};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::body::Fixed;
use crate::input::Place;
use crate::{Around, Cli, InputField, path, reply, resource};

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
    /// It uses one, and is for emergencies: only for a caller who breaks the glass.
    BreakGlass,
    /// It changes or looks at Doorward itself.
    Manage,
    /// It asks for a capability or looks after one: what anybody may do whom the kernel proves at the agent's socket.
    Agent,
    /// It looks after tenants and their keys.
    Tenancy,
    /// It makes a tenant, or a key of one: what a root key does.
    Enrol,
    /// It looks after the credentials of a tenant.
    Credential,
    /// It looks after the session of whoever signed in.
    Session,
    /// It hands one out.
    Disclose,
    /// It hands out the stored key of an AWS profile.
    NoSession,
}

/// The requests of an operation.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) method: Method,
    /// At least one.
    pub(crate) paths: Vec<path::Template>,
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
    /// Whether nobody does it before the user's file says so.
    pub(crate) held_back: bool,
    /// Whether it says so.
    pub(crate) enabled: bool,
    pub(crate) rule: Option<Rule>,
    pub(crate) body: Body,
    /// Fields that the body has to have.
    pub(crate) fixed: Vec<Fixed>,
    /// Whether another operation has the same requests but for what stands in the body.
    pub(crate) shared: bool,
    /// The host of its requests, below that of the integration.
    pub(crate) host: Option<resource::Template>,
    pub(crate) by_name: bool,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) content_type: Option<String>,
    pub(crate) expect: BTreeMap<String, serde_json::Value>,
    pub(crate) hides: Vec<String>,
    pub(crate) shows: Vec<String>,
    pub(crate) output: crate::Output,
    pub(crate) poll: Option<crate::Poll>,
    pub(crate) tried_with: Inputs,
    pub(crate) why: Option<String>,
    pub(crate) inputs: BTreeMap<String, InputField>,
    pub(crate) query: BTreeSet<String>,
    /// Fields of a body that have it done on behalf of somebody else.
    pub(crate) on_behalf: Vec<Vec<String>>,
    pub(crate) resource: resource::Template,
    pub(crate) evidence: BTreeMap<String, reply::Origin>,
    pub(crate) cli: Option<Cli>,
    pub(crate) scopes: Vec<String>,
    /// Reads beside it, for its evidence.
    pub(crate) before: Vec<Around>,
    pub(crate) after: Vec<Around>,
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

    /// Whether nobody does it before a file of the user's enables it.
    #[must_use]
    pub const fn is_held_back(&self) -> bool {
        self.held_back
    }

    /// What holds it back, in the word of files: `break_glass`, or `disabled` where nothing enables it.
    #[must_use]
    pub fn guard(&self) -> Option<&'static str> {
        match self.effect {
            Effect::BreakGlass => Some("break_glass"),
            _ => self.is_disabled().then_some("disabled"),
        }
    }

    /// Whether nobody does it, as no file of the user's enables it.
    pub(crate) const fn is_disabled(&self) -> bool {
        self.held_back && !self.enabled
    }

    /// What it does with secrets.
    #[must_use]
    pub const fn effect(&self) -> Effect {
        self.effect
    }

    /// The method of its requests; `None` for an operation of Doorward itself.
    #[must_use]
    pub fn method(&self) -> Option<Method> {
        self.rule.as_ref().map(|rule| rule.method)
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

    /// Reads that are made before it is done by name, for its evidence.
    #[must_use]
    pub fn before(&self) -> &[Around] {
        &self.before
    }

    /// Reads that are made when it was done by name, for its evidence.
    #[must_use]
    pub fn after(&self) -> &[Around] {
        &self.after
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

    /// Whether an input has to be there: where only a program does without it, requests still need it.
    pub(crate) fn requires(&self, name: &str) -> bool {
        self.inputs.get(name).is_some_and(InputField::required)
            && self.cli.as_ref().is_none_or(|cli| !cli.ignores.contains(name))
    }

    /// Why there are no requests for it, and only a program can do it.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        self.why.as_deref()
    }

    /// Whether it is done by its name only: a request that looks like it is not taken for it.
    #[must_use]
    pub fn by_name_only(&self) -> bool {
        !self.is_placed() || self.conceals()
    }

    /// Whether requests are compared with its paths.
    pub(crate) fn is_placed(&self) -> bool {
        !self.by_name && self.rule.is_some() && self.host.is_none() && self.headers.is_empty()
    }

    /// Whether something of its reply is hidden, which only the answer to a call by name is without.
    pub(crate) const fn conceals(&self) -> bool {
        !self.hides.is_empty() || !self.shows.is_empty()
    }

    /// Inputs with which it shows that what it needs is granted, and tells little; empty where it has none for that.
    #[must_use]
    pub const fn tried_with(&self) -> &Inputs {
        &self.tried_with
    }

    /// What in the reply says that it was not done, beside the status; `None` where nothing does.
    #[must_use]
    pub fn unmet(&self, body: &[u8]) -> Option<String> {
        reply::unmet(&self.expect, body)
    }

    /// Whether a reply with a good status says that it was not done. Unlike [`Self::unmet`] this takes silence for consent: a request that its
    /// sender wrote may ask for a part of the reply only.
    #[must_use]
    pub fn is_denied(&self, body: &[u8]) -> bool {
        reply::denied(&self.expect, body)
    }

    /// Whether the reply says, beside its status, if it was done.
    #[must_use]
    pub fn is_judged(&self) -> bool {
        !self.expect.is_empty()
    }

    /// Whether something in the body of the reply counts: what it says of the outcome, or a field of the evidence.
    #[must_use]
    pub fn reads_reply(&self) -> bool {
        self.is_judged()
            || self.poll.is_some()
            || self.evidence.values().any(|origin| !matches!(origin, reply::Origin::Header(_)))
    }

    /// A reply, or what a program printed, without what is secret in it: a call by name gets this.
    ///
    /// # Errors
    /// `upstream_reply` where something is secret in it and it is not JSON that has one reading.
    pub fn shown(&self, body: &[u8]) -> Result<Vec<u8>, Refusal> {
        reply::without(&self.hides, &self.shows, body)
    }

    /// How its reply is written.
    #[must_use]
    pub const fn output(&self) -> crate::Output {
        self.output
    }

    /// What it waits for, where it is asked again.
    #[must_use]
    pub const fn poll(&self) -> Option<&crate::Poll> {
        self.poll.as_ref()
    }

    /// Whether a request with this body and content type is this operation and none of those that share its requests.
    pub(crate) const fn needs_look(&self) -> bool {
        self.shared || !self.fixed.is_empty()
    }

    /// The decoded inputs of the path, where method and path are this operation's. HEAD is a GET without the body.
    pub(crate) fn matches(&self, method: Method, place: usize, segments: &[&str]) -> Option<Inputs> {
        let rule = self.rule.as_ref()?;
        let method = if method == Method::Head { Method::Get } else { method };
        if method != rule.method {
            return None;
        }
        self.read(rule.paths.get(place)?, segments)
    }

    /// Whether a service that minds neither letter case nor a slash at the end may take a request for this operation.
    pub(crate) fn resembles(&self, method: Method, segments: &[&str]) -> bool {
        let method = if method == Method::Head { Method::Get } else { method };
        self.rule.as_ref().is_some_and(|rule| {
            rule.method == method && rule.paths.iter().any(|template| template.resembles(segments))
        })
    }

    /// The decoded inputs of the path, where it is that of the template.
    pub(crate) fn read(&self, template: &path::Template, segments: &[&str]) -> Option<Inputs> {
        template.read(segments, &|name| self.encodes_slash(name))
    }

    /// The path that these inputs make, and its template: the one that has all of them that stand in a path.
    pub(crate) fn path(&self, inputs: &Inputs) -> Option<(&path::Template, String)> {
        let given = self.inputs.iter().filter(|(name, field)| {
            field.place == Place::Path && inputs.get(*name).is_some_and(|value| !value.is_empty())
        });
        let given: BTreeSet<&str> = given.map(|(name, _)| name.as_str()).collect();
        let template = self
            .rule
            .as_ref()?
            .paths
            .iter()
            .find(|template| template.inputs().collect::<BTreeSet<_>>() == given)?;
        template.write(inputs, &|name| self.encodes_slash(name)).map(|path| (template, path))
    }

    fn encodes_slash(&self, name: &str) -> bool {
        self.inputs.get(name).is_some_and(|input| input.encoded_slash)
    }

    /// Whether every name in the query is known to this operation, as an input or as one that does not matter.
    pub(crate) fn knows_query(&self, target: &Target) -> bool {
        target.query().is_none() || target.pairs().all(|(name, _)| self.knows(&name))
    }

    /// The first name in the query that is not known to it.
    pub(crate) fn stranger(&self, target: &Target) -> Option<String> {
        target.pairs().map(|(name, _)| name).find(|name| !self.knows(name)).map(Into::into)
    }

    fn knows(&self, name: &str) -> bool {
        self.query.contains(name)
            || self.inputs.iter().any(|(input, field)| match &field.place {
                Place::Query(key) => key == name,
                // It is known, and it is wrong there: `call` refuses it.
                Place::Body(path) => input == name || path.first().is_some_and(|first| first == name),
                Place::Path | Place::Whole | Place::Named => false,
            })
    }
}
