//! Arguments of `doorward plan`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::PlanId;

use super::approval::{Approved, As};

/// `doorward plan`.
#[derive(Debug, Subcommand)]
pub(crate) enum Plan {
    /// Check a plan or a playbook; nothing is stored
    Check(Written),
    /// Propose a plan; somebody else approves it
    Create(Written),
    /// List plans
    List {
        /// As whom.
        #[command(flatten)]
        who: As,
    },
    /// Show a plan, and how far it got
    Show {
        /// Which one
        id: PlanId,
        /// As whom.
        #[command(flatten)]
        who: As,
    },
    /// Approve a plan that somebody else proposed; it can be run once
    Approve(Decide),
    /// Deny a plan that somebody else proposed
    Deny(Decide),
    /// Run an approved plan; it runs once
    Run {
        /// Which one
        id: PlanId,
        /// Only where this file is what was approved
        file: Option<PathBuf>,
        /// A parameter of the file, such as `replicas=3`; may be repeated
        #[arg(long = "param", value_name = "NAME=VALUE", requires = "file")]
        params: Vec<String>,
        /// As whom.
        #[command(flatten)]
        who: As,
        /// What is said of approvals.
        #[command(flatten)]
        approved: Approved,
    },
    /// Go on with a plan that was broken off
    Resume {
        /// Which one
        id: PlanId,
        /// A step of which nobody knows what came of it
        #[arg(long, requires = "outcome")]
        step: Option<String>,
        /// What came of it: `done` or `failed`
        #[arg(long, requires = "step", value_parser = ["done", "failed"])]
        outcome: Option<String>,
        /// As whom.
        #[command(flatten)]
        who: As,
        /// What is said of approvals.
        #[command(flatten)]
        approved: Approved,
    },
    /// End a plan: at once where it has not begun, else behind the step that is under way
    Cancel {
        /// Which one
        id: PlanId,
        /// As whom.
        #[command(flatten)]
        who: As,
    },
}

/// A file with a plan.
#[derive(Debug, Args)]
pub(crate) struct Written {
    /// The file, YAML or JSON; `-` for stdin
    pub(crate) file: PathBuf,
    /// A parameter, such as `replicas=3`; may be repeated
    #[arg(long = "param", value_name = "NAME=VALUE")]
    pub(crate) params: Vec<String>,
    /// As whom.
    #[command(flatten)]
    pub(crate) who: As,
}

/// A decision about a plan.
#[derive(Debug, Args)]
pub(crate) struct Decide {
    /// Which one
    pub(crate) id: PlanId,
    /// The digest that was seen [default: that of the plan as it is, which is shown]
    #[arg(long, value_name = "DIGEST")]
    pub(crate) digest: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// As whom.
    #[command(flatten)]
    pub(crate) who: As,
}
