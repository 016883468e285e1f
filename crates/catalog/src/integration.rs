//! One integration, and how it turns a request into a call.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Authority, IntegrationName, Method, OperationName, SecretRef, Target};

use crate::{
    AuthScheme, Connection, Incoming, Limits, Narrowing, Operation, Probe, Program, Right, SecretField,
    Trial, Wildcard,
};

mod behalf;
mod hidden;
mod named;
mod referred;
mod requests;
mod telling;

pub(crate) use telling::Telling;

pub use referred::Referred;

/// One external service, or Doorward itself.
#[derive(Debug, Clone)]
pub struct Integration {
    pub(crate) name: IntegrationName,
    pub(crate) kind: IntegrationName,
    pub(crate) title: String,
    pub(crate) docs: String,
    pub(crate) internal: bool,
    pub(crate) authority: Authority,
    pub(crate) base_path: String,
    pub(crate) hosts: Vec<String>,
    pub(crate) reaches: Vec<Authority>,
    pub(crate) wildcard: Option<Wildcard>,
    /// What stands in front of every query; empty where nothing does.
    pub(crate) query: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) headers: BTreeMap<String, String>,
    /// Headers that have a request done on behalf of somebody else.
    pub(crate) on_behalf: Vec<String>,
    /// What a request that nobody described may amount to, where it is no plain read.
    pub(crate) undescribed: Vec<OperationName>,
    /// Where the service looks for what is asked for, besides method and path.
    pub(crate) telling: Telling,
    pub(crate) secrets: BTreeMap<String, SecretField>,
    pub(crate) auth: Vec<AuthScheme>,
    /// What the auth schemes refer to.
    pub(crate) lent: Arc<[SecretRef]>,
    /// Whether every auth scheme is a plain one.
    pub(crate) plain: bool,
    pub(crate) incoming: Vec<Incoming>,
    pub(crate) anonymous: bool,
    pub(crate) limits: Limits,
    pub(crate) connection: Option<Arc<Connection>>,
    pub(crate) probe: Option<Probe>,
    pub(crate) rights: Vec<Right>,
    pub(crate) trials: BTreeMap<String, Trial>,
    pub(crate) program: Option<Program>,
    pub(crate) operations: BTreeMap<OperationName, Operation>,
    /// The operations that have requests, each with the place of one of its paths, narrower paths first: the first that
    /// matches is the one.
    pub(crate) order: Vec<(OperationName, usize)>,
    pub(crate) capabilities: BTreeMap<String, Narrowing>,
    pub(crate) dangerous_allow_private: bool,
    pub(crate) tls_insecure_skip_verify: bool,
    /// The name of what no operation describes.
    pub(crate) unknown: OperationName,
    /// Whether an operation hides something of its reply, so that it is done by name only.
    pub(crate) conceals: bool,
    /// Whether an operation takes a secret as an input.
    pub(crate) takes_secrets: bool,
}

/// A request as the caller wrote it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The method.
    pub method: Method,
    /// Path and query behind the service root.
    pub target: &'a Target,
    /// The values of every `Content-Type` header.
    pub content_types: &'a [&'a str],
    /// The whole body, where the route wants it; empty where there is none.
    pub body: Option<&'a [u8]>,
}

/// What a request could be, before its body is read.
#[derive(Debug, Clone, Copy)]
pub struct Route<'a> {
    operation: Option<&'a Operation>,
    looks: bool,
}

impl<'a> Route<'a> {
    /// The operation, or the first of those between which the body decides; `None` where the file describes none for this
    /// request.
    #[must_use]
    pub const fn operation(&self) -> Option<&'a Operation> {
        self.operation
    }

    /// Whether the call cannot be made before the body is there.
    #[must_use]
    pub fn wants_body(&self) -> bool {
        self.looks || self.operation.is_some_and(Operation::wants_body)
    }
}

impl Integration {
    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &IntegrationName {
        &self.name
    }

    /// The built-in integration behind `extends`; its own name where it extends none.
    #[must_use]
    pub const fn kind(&self) -> &IntegrationName {
        &self.kind
    }

    /// The name for people.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Where the service documents its API.
    #[must_use]
    pub fn docs(&self) -> &str {
        &self.docs
    }

    /// Whether it is Doorward itself: no request is ever forwarded, and [`Self::call`] refuses.
    #[must_use]
    pub const fn internal(&self) -> bool {
        self.internal
    }

    /// Where requests go. For Doorward itself, and where each call names its host, a name that never resolves (RFC 6761,
    /// section 6.4).
    #[must_use]
    pub const fn authority(&self) -> &Authority {
        &self.authority
    }

    /// What stands before every path, such as `/api/v4`; empty where nothing does.
    #[must_use]
    pub fn base_path(&self) -> &str {
        &self.base_path
    }

    /// Where requests go, for people: with `*` where each call names its host.
    #[must_use]
    pub fn upstream(&self) -> String {
        self.wildcard.as_ref().map_or_else(|| self.authority.to_string(), ToString::to_string)
    }

    /// The hosts that a call may name, where it has to name one.
    #[must_use]
    pub const fn wildcard(&self) -> Option<&Wildcard> {
        self.wildcard.as_ref()
    }

    /// Every host that the credential may go to, but those of [`Self::wildcard`].
    #[must_use]
    pub fn hosts(&self) -> &[String] {
        &self.hosts
    }

    /// Further places that its program may reach; the credential is not for them.
    #[must_use]
    pub fn reaches(&self) -> &[Authority] {
        &self.reaches
    }

    /// Names under which callers ask for it at the gateway besides its own, in lower case.
    #[must_use]
    pub fn aliases(&self) -> &[String] {
        &self.aliases
    }

    /// Pairs that stand in front of every query; empty where there are none.
    #[must_use]
    pub fn query(&self) -> &str {
        &self.query
    }

    /// Headers, by name in lower case, that are set where the caller set none.
    #[must_use]
    pub const fn headers(&self) -> &BTreeMap<String, String> {
        &self.headers
    }

    /// The secrets that it needs, by field.
    #[must_use]
    pub const fn secrets(&self) -> &BTreeMap<String, SecretField> {
        &self.secrets
    }

    /// The same integration with this secret in place of all that its file names.
    #[must_use]
    pub fn keeping(&self, reference: &SecretRef) -> Self {
        let mut kept = self.clone();
        for field in kept.secrets.values_mut() {
            field.reference = reference.clone();
        }
        kept.lent = Arc::from([reference.clone()]);
        kept
    }

    /// How the credential is put on a request.
    #[must_use]
    pub fn auth(&self) -> &[AuthScheme] {
        &self.auth
    }

    /// Whether every auth scheme only writes a secret that is there into one place; see [`AuthScheme::is_plain`].
    #[must_use]
    pub const fn has_plain_auth(&self) -> bool {
        self.plain
    }

    /// Whether the secret of a field stands in a header as it is.
    #[must_use]
    pub fn stands_in_header(&self, field: &str) -> bool {
        self.auth.iter().any(|scheme| scheme.stands_in_header(field))
    }

    /// How callers without a capability prove who they are. All have to accept; where there are none, nobody is proven by
    /// what comes with a request.
    #[must_use]
    pub fn incoming(&self) -> &[Incoming] {
        &self.incoming
    }

    /// Whether callers without any proof are let to the lists. Only a file of the user's own can say so.
    #[must_use]
    pub const fn anonymous(&self) -> bool {
        self.anonymous
    }

    /// Time-outs, sizes and rates.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How the service is reached, where its file says more than where it is.
    #[must_use]
    pub const fn connection(&self) -> Option<&Arc<Connection>> {
        self.connection.as_ref()
    }

    /// A read that tells whether the credential works.
    #[must_use]
    pub const fn probe(&self) -> Option<&Probe> {
        self.probe.as_ref()
    }

    /// Harmless questions about what the credential may do.
    #[must_use]
    pub fn rights(&self) -> &[Right] {
        &self.rights
    }

    /// A read by name that tells the same with what the credential says of itself.
    #[must_use]
    pub fn trial(&self, name: &str) -> Option<&Trial> {
        self.trials.get(name)
    }

    /// How the program that does its operations is run.
    #[must_use]
    pub const fn program(&self) -> Option<&Program> {
        self.program.as_ref()
    }

    /// The files that its program finds in a run of this operation, by name.
    pub fn program_files<'a>(
        &'a self,
        operation: &OperationName,
    ) -> impl Iterator<Item = (&'a String, &'a crate::Text)> + use<'a> {
        let cli = self.operations.get(operation).and_then(Operation::cli);
        let both = self.program.as_ref().zip(cli);
        both.into_iter().flat_map(|(program, cli)| program.files(cli))
    }

    /// Scheme, host, port and base path of its requests; `None` where each call names its host, and for Doorward itself.
    #[must_use]
    pub fn address(&self) -> Option<String> {
        (self.wildcard.is_none() && !self.internal).then(|| format!("{}{}", self.authority, self.base_path))
    }

    /// Its operations.
    #[must_use]
    pub const fn operations(&self) -> &BTreeMap<OperationName, Operation> {
        &self.operations
    }

    /// Its ready-made narrowings.
    #[must_use]
    pub const fn capabilities(&self) -> &BTreeMap<String, Narrowing> {
        &self.capabilities
    }

    /// Whether the credential may go to private addresses and over plain http. Only a file of the user's own can say so.
    #[must_use]
    pub const fn dangerous_allow_private(&self) -> bool {
        self.dangerous_allow_private
    }

    /// Whether any certificate is taken. Only a file of the user's own can say so.
    #[must_use]
    pub const fn tls_insecure_skip_verify(&self) -> bool {
        self.tls_insecure_skip_verify
    }
}
