//! Arguments of `doorward aws`.
//!
//! They end in the same structs as the command line of aws-vault ([`crate::compat::aws_vault::command`]), and take their
//! defaults from the same variables, so that one set of flows runs both.
//!
//! # Invariants
//!
//! - What is typed goes before the environment, and that before the defaults.
//! - A code of an MFA device is the one secret that may be an argument: it works once, for half a minute.

mod meaning;
mod stores;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand, ValueEnum};

pub(crate) use stores::Stores;

use crate::compat::aws_vault::command::MfaToken;
use crate::compat::aws_vault::grammar::BACKENDS;
use crate::compat::kingpin::value;

/// `doorward aws`.
#[derive(Debug, Args)]
pub(crate) struct Aws {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Where keys and sessions are stored, and who asks.
    #[command(flatten)]
    pub(crate) stores: Stores,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Store the keys of a profile: typed, or from the environment
    Add(Add),
    /// List profiles, with their keys and sessions
    #[command(visible_alias = "ls")]
    List(List),
    /// Replace the key of a profile in IAM; it is never lost on the way
    Rotate(Rotate),
    /// Run a command with credentials of a profile
    Exec(Box<Exec>),
    /// Print credentials of a profile
    Export(Export),
    /// Sign in to the console in the browser
    Login(Login),
    /// Forget sessions
    Clear(Clear),
    /// Forget the keys of a profile
    #[command(visible_alias = "rm")]
    Remove(Remove),
    /// Copy keys from one store to another
    MigrateBackend(Migrate),
    /// Serve 169.254.169.254 for an EC2 server; started with the rights for it
    #[command(hide = true)]
    Proxy(Proxy),
    /// Take keys over: from aws-vault, a credentials file, or the console's CSV file
    Import(Import),
    /// Edit a profile in the profile file; nothing else in it changes
    Configure(Configure),
    /// Print the version
    #[command(hide = true)]
    Version,
    /// Print the help of a command
    #[command(hide = true)]
    Help(Help),
}

/// What kind of session is wanted.
#[derive(Debug, Args)]
#[command(next_help_heading = "Session")]
pub(crate) struct Wanted {
    /// How long it lasts, such as `1h30m`
    #[arg(long, short, value_name = "DURATION", value_parser = span)]
    pub(crate) duration: Option<Duration>,
    /// Use the stored key as it is; a policy has to allow it, and the evidence says so
    #[arg(long, short)]
    pub(crate) no_session: bool,
    /// The region
    #[arg(long)]
    pub(crate) region: Option<String>,
    /// The code of the MFA device
    #[arg(long, short = 't', value_name = "CODE", value_parser = token)]
    pub(crate) mfa_token: Option<Arc<MfaToken>>,
    /// Open no browser; show the address
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// Sign in to SSO with a code, on any device
    #[arg(long)]
    pub(crate) device_code: bool,
    /// Get a new session, whatever is cached
    #[arg(long)]
    pub(crate) refresh: bool,
    /// Narrow the session: a policy document
    #[arg(long, value_name = "JSON", conflicts_with = "policy_file")]
    pub(crate) policy: Option<String>,
    /// Narrow the session: a file with a policy document
    #[arg(long, value_name = "FILE")]
    pub(crate) policy_file: Option<PathBuf>,
    /// Narrow the session: managed policies
    #[arg(long, value_name = "ARN", value_delimiter = ',')]
    pub(crate) policy_arns: Vec<String>,
}

/// `doorward aws add`.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The profile
    pub(crate) profile: String,
    /// Read AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY from the environment
    #[arg(long)]
    pub(crate) env: bool,
    /// Leave the profile file alone
    #[arg(long)]
    pub(crate) no_add_config: bool,
    /// Store the seed of the profile's MFA device instead of a key; it is typed, or read from stdin
    #[arg(long, conflicts_with_all = ["env", "no_add_config"])]
    pub(crate) mfa_seed: bool,
}

/// `doorward aws list`.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only names of profiles
    #[arg(long, conflicts_with_all = ["sessions", "credentials"])]
    pub(crate) profiles: bool,
    /// Only sessions
    #[arg(long, conflicts_with = "credentials")]
    pub(crate) sessions: bool,
    /// Only profiles with stored keys
    #[arg(long)]
    pub(crate) credentials: bool,
}

/// `doorward aws rotate`.
#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// The profile
    pub(crate) profile: Option<String>,
    /// Make the old key inactive instead of deleting it; the next rotation deletes it
    #[arg(long)]
    pub(crate) deactivate: bool,
    /// The session that signs.
    #[command(flatten)]
    pub(crate) session: Wanted,
}

/// `doorward aws exec`.
#[derive(Debug, Args)]
pub(crate) struct Exec {
    /// The profile [default: AWS_PROFILE, else you pick one]
    pub(crate) profile: Option<String>,
    /// Serve credentials by the ECS protocol, so that they are renewed
    #[arg(long, short = 's', visible_alias = "server")]
    pub(crate) ecs_server: bool,
    /// Serve credentials by the EC2 protocol, so that they are renewed
    #[arg(long)]
    pub(crate) ec2_server: bool,
    /// With a server: get credentials at the first request
    #[arg(long)]
    pub(crate) lazy: bool,
    /// With a server: where it listens
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<String>,
    /// With the EC2 server: answer version 1 as well, which any local process can read
    #[arg(long)]
    pub(crate) imdsv1: bool,
    /// Set AWS_PROFILE for the command instead of credentials
    #[arg(long)]
    pub(crate) profile_env: bool,
    /// The command and its arguments [default: your shell]
    #[arg(last = true)]
    pub(crate) command: Vec<OsString>,
    /// The session.
    #[command(flatten)]
    pub(crate) session: Wanted,
}

/// `doorward aws export`.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The profile [default: you pick one]
    pub(crate) profile: Option<String>,
    /// The form [default: env]
    #[arg(long = "as", value_name = "FORM", value_enum)]
    pub(crate) form: Option<Form>,
    /// The session.
    #[command(flatten)]
    pub(crate) session: Wanted,
}

/// The forms of `export`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// `NAME=value`
    Env,
    /// `export NAME=value`
    ExportEnv,
    /// What `credential_process` reads; the same as `--json`
    Json,
    /// A section of a credentials file
    Ini,
}

/// `doorward aws login`.
#[derive(Debug, Args)]
pub(crate) struct Login {
    /// The profile [default: AWS_PROFILE, then keys of the environment, else you pick one]
    pub(crate) profile: Option<String>,
    /// The page to open, such as `ec2`
    #[arg(long)]
    pub(crate) path: Option<String>,
    /// Print the address instead of opening it; it signs in whoever has it
    #[arg(long, short = 's')]
    pub(crate) stdout: bool,
    /// Sign out of what is open before
    #[arg(long, short = 'a')]
    pub(crate) auto_logout: bool,
    /// The session.
    #[command(flatten)]
    pub(crate) session: Wanted,
}

/// `doorward aws clear`.
#[derive(Debug, Args)]
pub(crate) struct Clear {
    /// The profile [default: all]
    pub(crate) profile: Option<String>,
}

/// `doorward aws remove`.
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// The profile
    pub(crate) profile: String,
    /// Do not ask
    #[arg(long, short, visible_alias = "yes")]
    pub(crate) force: bool,
    /// Keep the keys, forget the sessions
    #[arg(long)]
    pub(crate) sessions_only: bool,
    /// Forget the seed of the profile's MFA device instead; the key stays
    #[arg(long, conflicts_with = "sessions_only")]
    pub(crate) mfa_seed: bool,
}

/// `doorward aws migrate-backend`.
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// Where the keys are
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(BACKENDS), hide_possible_values = true)]
    pub(crate) from: String,
    /// Where they go
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(BACKENDS), hide_possible_values = true)]
    pub(crate) to: String,
    /// Only this profile
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// What happens to what is there.
    #[command(flatten)]
    pub(crate) copying: Copying,
}

/// How keys are copied.
#[derive(Debug, Args)]
pub(crate) struct Copying {
    /// Only say what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Overwrite what is there
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Delete from the source what was copied and read back
    #[arg(long)]
    pub(crate) delete_source: bool,
}

/// `doorward aws proxy`.
#[derive(Debug, Args)]
pub(crate) struct Proxy {
    /// Stop the one that runs
    #[arg(long)]
    pub(crate) stop: bool,
}

/// `doorward aws import`.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// From where
    #[arg(value_enum)]
    pub(crate) from: Source,
    /// The file; `~/.aws/credentials` for a credentials file without one
    pub(crate) path: Option<PathBuf>,
    /// To which keyring, from that of aws-vault [default: doorward, its own store]
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(BACKENDS), hide_possible_values = true)]
    pub(crate) to: Option<String>,
    /// Only this profile; may be repeated
    #[arg(long = "profile", value_name = "NAME")]
    pub(crate) profiles: Vec<String>,
    /// What happens to what is there.
    #[command(flatten)]
    pub(crate) copying: Copying,
}

/// Where `import` takes keys from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Source {
    /// The keyring of aws-vault; `--backend` says which
    AwsVault,
    /// A credentials file of AWS's own tools
    CredentialsFile,
    /// The CSV file that the console gives with a new key
    Csv,
}

/// `doorward aws help`: whoever knows aws-vault types it.
#[derive(Debug, Args)]
pub(crate) struct Help {
    /// The command
    pub(crate) of: Option<String>,
}

/// `doorward aws configure`.
#[derive(Debug, Args)]
pub(crate) struct Configure {
    /// The profile
    pub(crate) profile: String,
    /// Settings to write
    #[arg(value_name = "KEY=VALUE", value_parser = setting)]
    pub(crate) set: Vec<(String, String)>,
    /// A setting to take out; may be repeated
    #[arg(long, value_name = "KEY", value_parser = setting_name)]
    pub(crate) unset: Vec<String>,
}

fn span(text: &str) -> Result<Duration, String> {
    // What was typed is not repeated: it may have been meant for another place.
    value::duration(text).map_err(|_| "it is a duration such as `30m` or `1h30m`".to_owned())
}

#[expect(clippy::unnecessary_wraps, reason = "clap's parsers return a result")]
fn token(text: &str) -> Result<Arc<MfaToken>, String> {
    Ok(Arc::new(MfaToken::new(text.to_owned())))
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("a setting is `KEY=VALUE`")?;
    // A line end would begin another setting, or another section.
    if value.chars().any(char::is_control) {
        return Err("a value can't hold line ends or other control characters".to_owned());
    }
    Ok((setting_name(key)?, value.trim().to_owned()))
}

fn setting_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c)) {
        return Err("the name of a setting has letters, digits, `_` and `-`".to_owned());
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests;
