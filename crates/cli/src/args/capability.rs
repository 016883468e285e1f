//! Arguments of `doorward capability`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::PrincipalName;

use super::agent::At;
use super::approval::Approved;
use super::vault::{How, Out};
use crate::line::wanted::{Filter, Wanted};

/// `doorward capability`.
#[derive(Debug, Subcommand)]
pub(crate) enum Capability {
    /// Ask for a capability: `--for NAME` for one that works at the gateway, `--resource R --action A` for one of the agent
    Request(Request),
    /// Make a narrower one: from a file, which needs no home and no network, or of the agent by its id
    Narrow(Narrow),
    /// Use one: one request through the gateway, or whatever a capability of the agent is for
    Use(Use),
    /// List what was given; with a filter, the capabilities of the agent
    List(List),
    /// Revoke a grant, or one narrowing and all below it
    Revoke(Revoke),
    /// Say what a capability allows, and whether it still stands
    Validate(Validate),
    /// Show whether an agent answers
    Status(At),
}

/// `doorward capability list`.
#[derive(Debug, Args, Default)]
pub(crate) struct List {
    /// Only those of this name
    #[arg(long, value_name = "NAME")]
    pub(crate) identity: Option<String>,
    /// Only those of this type: `read`, `write`, `delete`, `execute`, `admin`
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// Only those that are `active`, `expired` or `revoked`
    #[arg(long, value_name = "STATUS")]
    pub(crate) status: Option<String>,
    /// Only those for this resource
    #[arg(long, value_name = "RESOURCE")]
    pub(crate) resource: Option<String>,
    /// At most so many [default: 50]
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// Leave out so many
    #[arg(long, value_name = "N")]
    pub(crate) offset: Option<u64>,
    /// Which agent.
    #[command(flatten)]
    pub(crate) at: At,
}

/// `doorward capability revoke`.
#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// `grt_...` or `cap_...`
    pub(crate) id: String,
    /// Why; asks the agent
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Which agent.
    #[command(flatten)]
    pub(crate) at: At,
}

/// `doorward capability validate`.
#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// The file with it, `-` for stdin; or the id of one of the agent, `cap_...`
    #[arg(default_value = "-")]
    pub(crate) capability: PathBuf,
    /// What is known of the use that it is for, as JSON; for one of the agent
    #[arg(long, value_name = "JSON")]
    pub(crate) context: Option<String>,
    /// Which agent.
    #[command(flatten)]
    pub(crate) at: At,
}

/// What a capability takes away.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "What it is limited to")]
pub(crate) struct Caveats {
    /// Only these integrations, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) integrations: Vec<String>,
    /// Only these operations, such as `slack/chat.post,github/*`
    #[arg(long, value_name = "PATTERNS", value_delimiter = ',')]
    pub(crate) operations: Vec<String>,
    /// `read` allows no write
    #[arg(long, value_name = "ACCESS", value_parser = clap::builder::PossibleValuesParser::new(["read", "write"]))]
    pub(crate) access: Option<String>,
    /// Only these resources, such as `channel:C1` or `repo:octo/*`
    #[arg(long, value_name = "PATTERNS", value_delimiter = ',')]
    pub(crate) resources: Vec<String>,
    /// Only at or below these paths of the service
    #[arg(long, value_name = "PATHS", value_delimiter = ',')]
    pub(crate) paths: Vec<String>,
    /// Only these hosts
    #[arg(long, value_name = "HOSTS", value_delimiter = ',')]
    pub(crate) hosts: Vec<String>,
    /// Only these methods
    #[arg(long, value_name = "METHODS", value_delimiter = ',')]
    pub(crate) methods: Vec<String>,
    /// Not before this time, such as `2026-11-22T09:00:00Z`
    #[arg(long, value_name = "TIME")]
    pub(crate) not_before: Option<String>,
    /// How long it holds, such as `15m`
    #[arg(long, value_name = "DURATION")]
    pub(crate) expires: Option<String>,
    /// How often it may be used
    #[arg(long, value_name = "N")]
    pub(crate) uses: Option<u64>,
    /// At most so many calls in a time, such as `10/1m`
    #[arg(long, value_name = "CALLS/TIME")]
    pub(crate) rate: Option<String>,
    /// Only from these networks
    #[arg(long, value_name = "NETWORKS", value_delimiter = ',')]
    pub(crate) cidr: Vec<String>,
    /// Only in these hours, such as `mon-fri 09:00-17:00 Europe/Berlin`
    #[arg(long, value_name = "HOURS")]
    pub(crate) hours: Option<String>,
    /// Only where the broker serves one of these environments
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) environment: Vec<String>,
    /// Only for this purpose, such as a ticket
    #[arg(long, value_name = "TEXT")]
    pub(crate) purpose: Option<String>,
    /// Only this process, such as `uid=1000`, `cgroup=/system.slice/ci` or both with a comma
    #[arg(long, value_name = "FACTS")]
    pub(crate) holder: Option<String>,
    /// Somebody approves first: `all` calls, or `writes`
    #[arg(long, value_name = "CALLS", value_parser = clap::builder::PossibleValuesParser::new(["all", "writes"]))]
    pub(crate) approval: Option<String>,
    /// A ready-made narrowing of an integration, such as `slack/post_as`; `integration show` lists them
    #[arg(long, value_name = "INTEGRATION/NAME")]
    pub(crate) preset: Option<String>,
    /// A parameter of the preset, such as `channels=C1,C2`; may be repeated
    #[arg(long = "param", value_name = "NAME=VALUE", requires = "preset")]
    pub(crate) params: Vec<String>,
}

/// `doorward capability request`.
#[derive(Debug, Args)]
pub(crate) struct Request {
    /// Who will hold it, in whose name it is used
    #[arg(
        long = "for",
        value_name = "PRINCIPAL",
        required_unless_present = "resource",
        conflicts_with = "resource"
    )]
    pub(crate) principal: Option<PrincipalName>,
    /// What it is limited to.
    #[command(flatten)]
    pub(crate) caveats: Caveats,
    /// Into which file.
    #[command(flatten)]
    pub(crate) out: Out,
    /// Of the agent.
    #[command(flatten)]
    pub(crate) agent: OfAgent,
}

/// What is asked of the agent.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Of the agent")]
pub(crate) struct OfAgent {
    /// What for, such as `secret:/db/primary`
    #[arg(long, value_name = "RESOURCE")]
    pub(crate) resource: Option<String>,
    /// What may be done: `read`, `write`, `delete`, `execute`, `admin`; may be repeated, or separated by commas
    #[arg(long = "action", value_name = "ACTIONS", value_delimiter = ',')]
    pub(crate) actions: Vec<String>,
    /// For how many seconds [default: 300]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) ttl: Option<u64>,
    /// How often it may be used [default: 100]
    #[arg(long, value_name = "N")]
    pub(crate) max_uses: Option<u64>,
    /// In whose name; the agent's configuration says who may use which
    #[arg(long, value_name = "NAME")]
    pub(crate) identity: Option<String>,
    /// Further limits, as JSON
    #[arg(long, value_name = "JSON")]
    pub(crate) constraints: Option<String>,
    /// What is known of the use that it is for, as JSON
    #[arg(long, value_name = "JSON")]
    pub(crate) context: Option<String>,
    /// Give a token with it that works for whoever has it
    #[arg(long)]
    pub(crate) bearer: bool,
    /// Which agent.
    #[command(flatten)]
    pub(crate) at: At,
}

/// `doorward capability narrow`.
#[derive(Debug, Args)]
pub(crate) struct Narrow {
    /// The id of one of the agent, `cap_...`
    #[arg(conflicts_with = "capability")]
    pub(crate) id: Option<String>,
    /// The file with the capability; `-` for stdin
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub(crate) capability: PathBuf,
    /// What it is limited to as well.
    #[command(flatten)]
    pub(crate) caveats: Caveats,
    /// Into which file.
    #[command(flatten)]
    pub(crate) out: Out,
    /// Of the agent.
    #[command(flatten)]
    pub(crate) agent: OfAgent,
}

/// `doorward capability use`.
#[derive(Debug, Args)]
pub(crate) struct Use {
    /// The id of one of the agent, `cap_...`; the method and the path of a request, such as `GET /user`
    #[arg(value_names = ["ID", "METHOD", "PATH"], num_args = 0..=3)]
    pub(crate) words: Vec<String>,
    /// The file with a capability for the gateway; `-` for stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) capability: Option<PathBuf>,
    /// How it is used.
    #[command(flatten)]
    pub(crate) how: How,
    /// The gateway [default: the one of the running broker]
    #[arg(long, value_name = "URL", requires = "capability")]
    pub(crate) gateway: Option<String>,
    /// Print the head of the reply as well
    #[arg(long, short, requires = "capability")]
    pub(crate) include: bool,
    /// What is said of approvals.
    #[command(flatten)]
    pub(crate) approved: Approved,
    /// Which agent.
    #[command(flatten)]
    pub(crate) at: At,
}

impl OfAgent {
    /// With what both forms have: a purpose, a holder, a file.
    pub(crate) fn wanted(self, caveats: &Caveats, out: Out) -> Wanted {
        let Self { resource, actions, ttl, max_uses, identity, constraints, context, bearer, at: _ } = self;
        Wanted {
            resource,
            actions,
            ttl,
            max_uses,
            identity,
            purpose: caveats.purpose.clone(),
            constraints,
            context,
            holder: caveats.holder.clone(),
            bearer,
            output: out.into(),
        }
    }

    /// Whether something was said that only the agent understands.
    pub(crate) fn is_said(&self) -> bool {
        let Self { resource, actions, ttl, max_uses, identity, constraints, context, bearer, at } = self;
        resource.is_some()
            || !actions.is_empty()
            || ttl.is_some()
            || max_uses.is_some()
            || identity.is_some()
            || constraints.is_some()
            || context.is_some()
            || *bearer
            || at.socket_path.is_some()
    }
}

impl List {
    /// The filter, where one was typed.
    pub(crate) fn filter(self) -> Option<Filter> {
        let Self { identity, kind, status, resource, limit, offset, at: At { socket_path } } = self;
        let said = [&identity, &kind, &status, &resource].into_iter().any(Option::is_some);
        let said = said || limit.is_some() || offset.is_some() || socket_path.is_some();
        let (limit, offset) = (limit.unwrap_or(50), offset.unwrap_or_default());
        said.then_some(Filter { identity, kind, status, resource, limit, offset })
    }
}
