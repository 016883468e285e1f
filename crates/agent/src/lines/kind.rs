//! The types of messages, and the operation that each of them is.

/// A message that is one operation of the integration `doorward`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The type of the request.
    pub(crate) request: &'static str,
    /// The operation.
    pub(crate) operation: &'static str,
    /// The type of its answer.
    pub(crate) response: &'static str,
}

/// What a message asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `ping_request`.
    Ping,
    /// `status_request`.
    Status,
    /// `agent_status`.
    AgentStatus,
    /// `agent_stop`.
    Stop,
    /// `agent_reload`.
    Reload,
    /// `agent_config`.
    Config,
    /// An operation.
    Operation(&'static Row),
}

impl Kind {
    /// The message of this type.
    pub(crate) fn read(written: &str) -> Option<Self> {
        match written {
            "ping_request" => Some(Self::Ping),
            "status_request" => Some(Self::Status),
            "agent_status" => Some(Self::AgentStatus),
            "agent_stop" => Some(Self::Stop),
            "agent_reload" => Some(Self::Reload),
            "agent_config" => Some(Self::Config),
            other => OPERATIONS.iter().find(|row| row.request == other).map(Self::Operation),
        }
    }

    /// The type of the answer.
    pub(crate) const fn response(self) -> &'static str {
        match self {
            Self::Ping => "ping_response",
            Self::Status => "status_response",
            Self::AgentStatus => "agent_status_response",
            Self::Stop | Self::Reload => "agent_response",
            Self::Config => "agent_config_response",
            Self::Operation(row) => row.response,
        }
    }
}

/// Every message that is an operation.
pub(crate) const OPERATIONS: [Row; 9] = [
    row("capability_request", "agent.request", "capability_response"),
    row("capability_validate", "agent.validate", "validation_response"),
    row("capability_revoke", "agent.revoke", "capability_response"),
    row("capability_list", "agent.list", "capability_response"),
    row("capability_narrow", "agent.narrow", "capability_response"),
    row("capability_use", "agent.use", "use_response"),
    row("secret_use", "agent.use", "use_response"),
    row("secret_read", "agent.reveal", "secret_response"),
    row("log_append", "agent.append", "log_response"),
];

/// The type of an answer that says what is wrong.
pub(crate) const ERROR: &str = "error_response";

const fn row(request: &'static str, operation: &'static str, response: &'static str) -> Row {
    Row { request, operation, response }
}
