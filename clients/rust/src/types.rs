//! What is asked of an agent and what it answers. The names in JSON are those of the protocol; whatever a later agent
//! adds to its answers is ignored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Secret;

/// Asks for a capability. What is left out is up to the agent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CapabilityRequest {
    /// Such as `secret:/db/primary`, `op:/slack/chat.post`, `log:/app` or `tool:/deploy`.
    pub resource: String,
    /// `read`, `write`, `delete`, `execute` or `admin`. Each of them has to be allowed.
    pub actions: Vec<String>,
    /// Life in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u64>,
    /// How often it may be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<u64>,
    /// A wish; who asks is proven by the kernel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Stands in the evidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// When and where it works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraints: Option<Value>,
    /// What the program says about itself; the agent believes none of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Value>,
    /// A token besides the name, which works for whoever has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bearer: Option<bool>,
    /// What the name is bound to: `uid`, `cgroup` or `session`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
}

impl CapabilityRequest {
    /// A request for these actions on a resource.
    #[must_use]
    pub fn new<A: Into<String>>(resource: impl Into<String>, actions: impl IntoIterator<Item = A>) -> Self {
        let actions = actions.into_iter().map(Into::into).collect();
        Self { resource: resource.into(), actions, ..Self::default() }
    }

    /// The same for so many seconds.
    #[must_use]
    pub fn ttl(self, seconds: u64) -> Self {
        Self { ttl: Some(seconds), ..self }
    }

    /// The same for so many uses.
    #[must_use]
    pub fn max_uses(self, most: u64) -> Self {
        Self { max_uses: Some(most), ..self }
    }

    /// The same for this purpose.
    #[must_use]
    pub fn purpose(self, purpose: impl Into<String>) -> Self {
        Self { purpose: Some(purpose.into()), ..self }
    }
}

/// What a child allows less than its parent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "as in a request")]
pub struct NarrowRequest {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actions: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraints: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bearer: Option<bool>,
}

/// A capability. Its id is a name that works for its holder only.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Capability {
    /// The name.
    pub id: String,
    /// `YYYY-MM-DDTHH:MM:SSZ`; [`Capability::ends`] has it in seconds.
    pub expires_at: String,
    /// `read`, `write`, `delete`, `execute` or `admin`.
    pub r#type: String,
    /// What it is for.
    pub resource: String,
    /// What may be done.
    pub actions: Vec<String>,
    /// Who holds it.
    pub identity: String,
    /// Who granted it.
    pub issuer: String,
    /// When it was granted.
    pub issued_at: String,
    /// Life in seconds.
    pub ttl: u64,
    /// How often it may be used.
    pub max_uses: u64,
    /// How often it was.
    pub used_count: u64,
    /// What it was narrowed from.
    pub parent: Option<String>,
    /// There where a bearer was asked for.
    pub token: Option<Secret>,
    /// When and where it works.
    pub constraints: Option<Value>,
}

impl Capability {
    /// Its end in seconds since 1970; nothing where the agent said no time.
    #[must_use]
    pub fn ends(&self) -> Option<u64> {
        crate::token::time::read(&self.expires_at).map(|millis| millis / 1000)
    }
}

/// The answer to a request. Look at `status` first.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct CapabilityResponse {
    /// `granted`, `denied`, `revoked` or `error`.
    pub status: String,
    /// Why.
    pub message: String,
    /// What was granted.
    pub capability: Option<Capability>,
    /// The agent's name of the request.
    pub request_id: String,
    /// Such as `45ms`.
    pub processing_time: String,
    /// What the policies say.
    pub policy_result: Option<Value>,
    /// What else there is to say.
    pub issues: Vec<Issue>,
}

impl CapabilityResponse {
    /// The capability, where one was granted.
    #[must_use]
    pub fn granted(&self) -> Option<&Capability> {
        self.capability.as_ref().filter(|_| self.status == "granted")
    }
}

/// An error or a warning, such as `EXPIRED`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Issue {
    pub code: String,
    pub message: String,
    pub field: String,
    pub severity: String,
}

/// Whether a capability is valid now. Asking consumes nothing.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ValidationResult {
    pub valid: bool,
    pub errors: Vec<Issue>,
    pub warnings: Vec<Issue>,
    pub validation_time: String,
    pub context: Option<Value>,
}

/// Chooses among capabilities.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct CapabilityFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// `active`, `expired` or `revoked`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
}

/// One page of capabilities.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct CapabilityList {
    pub capabilities: Vec<Capability>,
    pub count: u64,
    pub limit: u64,
    pub offset: u64,
}

/// A request to an integration, whose credential the agent puts on it.
#[derive(Debug, Clone, Default)]
pub struct UseRequest {
    /// The integration.
    pub integration: String,
    /// The method of HTTP.
    pub method: String,
    /// The path at the service.
    pub path: String,
    /// More headers.
    pub headers: BTreeMap<String, String>,
    /// What is sent.
    pub body: Option<Vec<u8>>,
    /// Asked for where the capability has several.
    pub action: Option<String>,
}

impl UseRequest {
    /// A request without a body.
    #[must_use]
    pub fn new(integration: &str, method: &str, path: &str) -> Self {
        Self {
            integration: integration.to_owned(),
            method: method.to_owned(),
            path: path.to_owned(),
            ..Self::default()
        }
    }
}

/// The reply of the service, or of the tool.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct UseResult {
    /// `ok`, `denied` or `error`.
    pub status: String,
    /// Why.
    pub message: String,
    /// The status of HTTP.
    pub http_status: Option<u16>,
    /// The headers of the reply.
    pub headers: BTreeMap<String, String>,
    /// The body; [`UseResult::bytes`] has it where it is no text.
    pub body: String,
    /// The body in base 64, where it is no text.
    pub body_base64: Option<String>,
    /// How a tool ended.
    pub exit: Option<i32>,
    /// What a tool said.
    pub stdout: String,
    /// What else it said.
    pub stderr: String,
    /// The record.
    pub evidence: String,
    /// Uses that are left.
    pub uses_left: Option<u64>,
}

impl UseResult {
    /// The bytes of the body; nothing where the agent's base 64 is none.
    #[must_use]
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match &self.body_base64 {
            Some(coded) => crate::token::base64::from_standard(coded),
            None => Some(self.body.clone().into_bytes()),
        }
    }
}

/// A disclosed secret, or why there is none.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SecretResponse {
    pub status: String,
    pub value: Option<Secret>,
    pub message: String,
    pub evidence: String,
}

/// That a line is in the evidence, and under which id.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct LogResponse {
    pub status: String,
    pub message: String,
    pub evidence: String,
}
