//! The payloads of the agent's messages, as they are described in docs/concepts/agent-protocol.md.

use serde::Deserialize;

use super::json::Unique;
use crate::document::Once;
use crate::inbound::StatedInputs;

/// `capability_request`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Request {
    pub(super) identity: Option<String>,
    pub(super) resource: Option<String>,
    pub(super) actions: Option<Vec<String>>,
    pub(super) ttl: Option<i64>,
    #[serde(alias = "maxUses")]
    pub(super) max_uses: Option<i64>,
    pub(super) constraints: Option<Once>,
    pub(super) context: Option<Context>,
    pub(super) purpose: Option<String>,
    pub(super) bearer: Option<bool>,
    pub(super) holder: Option<Bound>,
}

/// To what a name is bound, beside the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Bound {
    /// The user alone.
    Uid,
    /// The control group of the asking process, and those below it.
    Cgroup,
    /// The login session: the scope that logind made for it.
    Session,
}

/// What a client says about itself. It proves nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Context {
    #[serde(alias = "sourceIP", alias = "sourceIp")]
    pub(super) source_ip: Option<String>,
    #[serde(alias = "userAgent")]
    pub(super) user_agent: Option<String>,
    pub(super) runtime: Option<Once>,
    pub(super) session: Option<Once>,
    pub(super) metadata: Option<Unique<Once>>,
}

/// `capability_validate`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Validate {
    #[serde(alias = "capabilityId")]
    pub(super) capability_id: String,
    #[serde(default)]
    pub(super) context: Option<Context>,
}

/// `capability_revoke`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Revoke {
    #[serde(alias = "capabilityId")]
    pub(super) capability_id: String,
    #[serde(default)]
    pub(super) reason: Option<String>,
    #[serde(default, alias = "revokedBy")]
    pub(super) revoked_by: Option<String>,
}

/// `capability_list`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct List {
    pub(super) filter: Option<Filter>,
}

/// Which capabilities, and in which order.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Filter {
    pub(super) identity: Option<String>,
    pub(super) resource: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) status: Option<Status>,
    pub(super) issuer: Option<String>,
    pub(super) parent: Option<String>,
    #[serde(alias = "timeRange")]
    pub(super) time_range: Option<TimeRange>,
    pub(super) metadata: Option<Unique<Once>>,
    pub(super) limit: Option<i64>,
    pub(super) offset: Option<i64>,
    #[serde(alias = "sortBy")]
    pub(super) sort_by: Option<SortBy>,
    #[serde(alias = "sortOrder")]
    pub(super) sort_order: Option<Order>,
}

/// How a capability is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Active,
    Expired,
    Revoked,
    /// Go clients send an empty word for none.
    #[serde(rename = "")]
    Any,
}

impl Status {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Any => "",
        }
    }
}

/// When they were issued.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TimeRange {
    pub(super) start: Option<String>,
    pub(super) end: Option<String>,
}

/// By what a list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SortBy {
    /// The time of making.
    #[default]
    #[serde(alias = "issuedAt", alias = "id", rename = "issued_at", alias = "")]
    IssuedAt,
    #[serde(alias = "expiresAt")]
    ExpiresAt,
    #[serde(alias = "usedCount")]
    UsedCount,
    Identity,
    Resource,
}

/// Which end of a list comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Order {
    Asc,
    #[default]
    #[serde(alias = "")]
    Desc,
}

/// `capability_narrow`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Narrow {
    #[serde(alias = "capabilityId")]
    pub(super) capability_id: String,
    #[serde(default)]
    pub(super) actions: Option<Vec<String>>,
    #[serde(default)]
    pub(super) resource: Option<String>,
    #[serde(default)]
    pub(super) ttl: Option<i64>,
    #[serde(default, alias = "maxUses")]
    pub(super) max_uses: Option<i64>,
    #[serde(default)]
    pub(super) constraints: Option<Once>,
    #[serde(default)]
    pub(super) purpose: Option<String>,
    #[serde(default)]
    pub(super) bearer: Option<bool>,
    /// A run that it is to be bound to as well.
    #[serde(default)]
    pub(super) run: Option<String>,
}

/// `capability_use` and `secret_use`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Use {
    #[serde(alias = "capabilityId")]
    pub(super) capability_id: String,
    #[serde(default)]
    pub(super) action: Option<String>,
    #[serde(default)]
    pub(super) request: Option<Wanted>,
    #[serde(default)]
    pub(super) tool: Option<Tool>,
}

/// A tool that the owner declared.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tool {
    pub(super) name: String,
    #[serde(default)]
    pub(super) inputs: StatedInputs,
}

/// A request of an integration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    pub(super) integration: String,
    #[serde(default)]
    pub(super) method: Option<String>,
    pub(super) path: String,
    #[serde(default)]
    pub(super) headers: Option<Unique<String>>,
    #[serde(default)]
    pub(super) body: Option<Once>,
    #[serde(default, alias = "bodyBase64")]
    pub(super) body_base64: Option<String>,
}

/// `secret_read`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reveal {
    #[serde(alias = "capabilityId")]
    pub(super) capability_id: String,
    #[serde(default)]
    pub(super) resource: Option<String>,
}

/// `log_append`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Append {
    #[serde(alias = "capabilityId")]
    pub(super) capability_id: String,
    #[serde(default)]
    pub(super) resource: Option<String>,
    pub(super) message: String,
    #[serde(default)]
    pub(super) fields: Option<Unique<Once>>,
}
