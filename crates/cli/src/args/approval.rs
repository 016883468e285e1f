//! Arguments of `doorward approval` and `doorward role`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::{ApprovalId, PrincipalName};

/// As whom a command asks.
#[derive(Debug, Args, Clone, Default)]
pub(crate) struct As {
    /// Ask with this capability instead of as whoever the kernel says; `-` for stdin
    #[arg(long = "as", value_name = "FILE")]
    pub(crate) capability: Option<PathBuf>,
}

/// What a call says of approvals.
#[derive(Debug, Args, Clone, Default)]
#[command(next_help_heading = "Where somebody has to approve it")]
pub(crate) struct Approved {
    /// The approval that it has
    #[arg(long, value_name = "APPROVAL")]
    pub(crate) approval: Option<ApprovalId>,
    /// Ask for more than is usual; it is said aloud in log, metrics and evidence
    #[arg(long, requires = "reason")]
    pub(crate) break_glass: bool,
    /// Why the glass is broken
    #[arg(long, value_name = "TEXT", requires = "break_glass")]
    pub(crate) reason: Option<String>,
}

/// `doorward approval`.
#[derive(Debug, Subcommand)]
pub(crate) enum Approval {
    /// List what waits for an approval
    List {
        /// `pending`, `approved`, `denied`, `expired`, `used` or `all`
        #[arg(long, value_name = "STATE", default_value = "pending")]
        state: String,
        /// As whom.
        #[command(flatten)]
        who: As,
    },
    /// Show exactly what would be done
    Show {
        /// Which one
        id: ApprovalId,
        /// Wait until somebody decides, for this long at most [default where it stands alone: 10m]
        #[arg(long, value_name = "DURATION", num_args = 0..=1, default_missing_value = "10m")]
        wait: Option<String>,
        /// As whom.
        #[command(flatten)]
        who: As,
    },
    /// Approve what somebody else asked for; it can be done once, within an hour
    Approve(Decide),
    /// Deny what somebody else asked for
    Deny(Decide),
    /// Carry questions to Slack and Linear, and answers back, as `[approvals]` in settings.toml says
    Relay {
        /// Take answers from Slack at this address, under `/slack/interactivity`
        #[arg(long, value_name = "ADDR")]
        listen: Option<SocketAddr>,
        /// How often is looked what waits
        #[arg(long, value_name = "DURATION", default_value = "10s")]
        every: String,
    },
}

/// A decision.
#[derive(Debug, Args)]
pub(crate) struct Decide {
    /// Which one
    pub(crate) id: ApprovalId,
    /// Why, for whoever asked and for the evidence
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// As whom.
    #[command(flatten)]
    pub(crate) who: As,
}

/// `doorward role`.
#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// List principals and their roles, and which roles there are
    List {
        /// As whom.
        #[command(flatten)]
        who: As,
    },
    /// Give a principal a role; it holds at once
    Grant {
        /// Whom
        principal: PrincipalName,
        /// Which one
        role: String,
        /// What the principal is: `person`, `service`, `workload` or `agent`
        #[arg(long, value_name = "KIND")]
        kind: Option<String>,
        /// As whom.
        #[command(flatten)]
        who: As,
        /// What is said of approvals.
        #[command(flatten)]
        approved: Approved,
    },
    /// Take a role back
    Revoke {
        /// From whom
        principal: PrincipalName,
        /// Which one
        role: String,
        /// As whom.
        #[command(flatten)]
        who: As,
        /// What is said of approvals.
        #[command(flatten)]
        approved: Approved,
    },
}
