//! What a command line of AWS asks for, as plain structs, whichever program's words it was written in.
//!
//! `aws-vault …` (by [`super::read`]) and `doorward aws …` (by the arguments of the binary) both end here, and one set of
//! flows runs them. Wishes that aws-vault has no words for are off where it was spoken.
//!
//! # Invariants
//!
//! - A code of an MFA device is wiped on drop and never printed, also not by `Debug`.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

pub use super::stores::{Global, OnePassword, ProtonPass};

/// A whole command line.
#[derive(Debug)]
pub struct Invocation {
    /// What holds for every command.
    pub global: Global,
    /// What to do.
    pub command: Command,
}

/// In whose words the command line was written. It decides texts, exit statuses and a few defaults (such as `--imdsv1`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// `doorward aws …`.
    Doorward,
    /// `aws-vault …`, through a link of that name.
    AwsVault,
}

/// Every command.
#[derive(Debug)]
pub enum Command {
    /// Store keys.
    Add(Add),
    /// Forget keys.
    Remove(Remove),
    /// Copy keys to another store.
    MigrateBackend(Migrate),
    /// Show what is there.
    List(List),
    /// Replace a key in IAM.
    Rotate(Rotate),
    /// Run a command.
    Exec(Box<Exec>),
    /// Print credentials.
    Export(Export),
    /// Forget sessions.
    Clear(Clear),
    /// Sign in to the console.
    Login(Login),
    /// The helper of the EC2 server that has the rights for 169.254.169.254.
    Proxy(Proxy),
    /// Print the version.
    Version,
    /// Take keys over from elsewhere. Only in our own words.
    Import(Import),
    /// Edit a profile. Only in our own words.
    Configure(Configure),
}

/// What kind of credentials is wanted, for all commands that get some.
#[derive(Debug, Default)]
pub struct Wanted {
    /// How long; none is the profile's own. Zero was typed as none.
    pub duration: Option<Duration>,
    /// Use the stored key as it is.
    pub no_session: bool,
    /// The region, over the profile's.
    pub region: Option<String>,
    /// A code for the MFA device.
    pub mfa_token: Option<Arc<MfaToken>>,
    /// Print the address of the SSO page instead of opening it.
    pub stdout: bool,
    /// Open no browser at all, whatever page it is.
    pub no_browser: bool,
    /// Sign in to SSO with a code that is typed on another device, instead of in the browser here.
    pub device_code: bool,
    /// Do not use what is cached.
    pub refresh: bool,
    /// Narrow the session.
    pub policy: SessionPolicy,
}

/// Policies for a session, over the profile's. The effect is the intersection; see the IAM user guide, "Session policies".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionPolicy {
    /// A policy document as JSON.
    pub document: Option<String>,
    /// A file with one.
    pub file: Option<PathBuf>,
    /// ARNs of managed policies.
    pub arns: Vec<String>,
}

/// A code of an MFA device, as it was typed.
pub struct MfaToken(Zeroizing<String>);

/// `add`.
#[derive(Debug)]
pub struct Add {
    /// The profile.
    pub profile: String,
    /// Read the keys from the environment.
    pub env: bool,
    /// Add a section to the profile file where there is none.
    pub add_config: bool,
    /// Store the seed of the profile's MFA device instead of a key. Only `doorward aws` has it.
    pub mfa_seed: bool,
}

/// `remove`.
#[derive(Debug)]
pub struct Remove {
    /// The profile.
    pub profile: String,
    /// Do not ask.
    pub force: bool,
    /// Keep the keys, forget the sessions.
    pub sessions_only: bool,
    /// Forget the seed of the profile's MFA device instead. Only `doorward aws` has it.
    pub mfa_seed: bool,
}

/// `migrate-backend`.
#[derive(Debug)]
pub struct Migrate {
    /// Where the keys are.
    pub from: String,
    /// Where they go. That the two differ is checked when it runs, as a failure of the command.
    pub to: String,
    /// Only this profile.
    pub profile: Option<String>,
    /// Only say what would be done.
    pub dry_run: bool,
    /// Overwrite what is there.
    pub overwrite: bool,
    /// Delete what was copied and verified.
    pub delete_source: bool,
}

/// `list`. Without a choice it is the table.
#[derive(Debug)]
pub struct List {
    /// Only names of profiles.
    pub profiles: bool,
    /// Only labels of sessions.
    pub sessions: bool,
    /// Only names of stored keys.
    pub credentials: bool,
}

/// `rotate`.
#[derive(Debug)]
pub struct Rotate {
    /// The profile; picked without it.
    pub profile: Option<String>,
    /// The session that signs; only `no_session` can be said to aws-vault.
    pub session: Wanted,
    /// Make the old key inactive instead of deleting it. Only `doorward aws` has it.
    pub deactivate: bool,
}

/// `exec`.
#[derive(Debug)]
pub struct Exec {
    /// The profile, from the command line or `AWS_PROFILE`; picked without it.
    pub profile: Option<String>,
    /// The command and its arguments; none is the shell.
    pub command: Vec<OsString>,
    /// The session.
    pub session: Wanted,
    /// Print JSON for `credential_process` instead of running anything.
    pub json: bool,
    /// Serve credentials by the ECS protocol.
    pub ecs_server: bool,
    /// Serve credentials by the EC2 protocol.
    pub ec2_server: bool,
    /// Get credentials at the first request.
    pub lazy: bool,
    /// Set `AWS_PROFILE` instead of keys.
    pub profile_env: bool,
    /// Where the server listens, `ADDRESS:PORT`; the server's own default without it.
    pub listen: Option<String>,
    /// Answer version 1 of the EC2 protocol, which has no token.
    pub imdsv1: bool,
}

/// `export`.
#[derive(Debug)]
pub struct Export {
    /// The profile; picked without it.
    pub profile: Option<String>,
    /// The session.
    pub session: Wanted,
    /// The form.
    pub format: ExportFormat,
}

/// The form of `export`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// `NAME=value`.
    Env,
    /// `export NAME=value`.
    ExportEnv,
    /// What `credential_process` reads.
    Json,
    /// A section of a credentials file.
    Ini,
}

/// `clear`.
#[derive(Debug)]
pub struct Clear {
    /// The profile; all without it.
    pub profile: Option<String>,
}

/// `login`.
#[derive(Debug)]
pub struct Login {
    /// The profile, from the command line or `AWS_PROFILE`; then keys of the environment, then picked.
    pub profile: Option<String>,
    /// The session.
    pub session: Wanted,
    /// The page to open.
    pub path: Option<String>,
    /// Print the address of the console instead of opening it.
    pub stdout: bool,
    /// Sign out of what is open before.
    pub auto_logout: bool,
}

/// `proxy`.
#[derive(Debug)]
pub struct Proxy {
    /// Stop the one that runs.
    pub stop: bool,
}

/// `import`.
#[derive(Debug, PartialEq, Eq)]
pub struct Import {
    /// From where.
    pub from: ImportFrom,
    /// From a keyring to which; Doorward's own store without it.
    pub to: Option<String>,
    /// Only these profiles; all without any.
    pub profiles: Vec<String>,
    /// Overwrite what is there.
    pub overwrite: bool,
    /// Only say what would be done.
    pub dry_run: bool,
    /// Delete what was taken over and read back.
    pub delete_source: bool,
}

/// Where `import` takes keys from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportFrom {
    /// The keyring of aws-vault, in the backend of [`Global::backend`].
    AwsVault,
    /// A credentials file; `~/.aws/credentials` without a path.
    CredentialsFile(Option<PathBuf>),
    /// The CSV file that the console gives with a new key.
    Csv(PathBuf),
}

/// `configure`.
#[derive(Debug, PartialEq, Eq)]
pub struct Configure {
    /// The profile.
    pub profile: String,
    /// Settings to write, in their order.
    pub set: Vec<(String, String)>,
    /// Settings to take out.
    pub unset: Vec<String>,
}

// === impl MfaToken ===

impl MfaToken {
    /// What was typed. Whether it can be a code is for `aws::mfa::Code::given`.
    pub fn new(typed: String) -> Self {
        Self(Zeroizing::new(typed))
    }

    /// What was typed.
    pub fn typed(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MfaToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MfaToken(..)")
    }
}

// === impl Exec ===

impl Exec {
    /// Whether a server is wanted.
    pub const fn serves(&self) -> bool {
        self.ecs_server || self.ec2_server
    }

    /// Two wishes that can't both be granted; the text is what aws-vault says behind `exec: `. It is a failure of the
    /// command, not of the command line, and comes after the refusal of a shell within a shell.
    pub const fn contradiction(&self) -> Option<&'static str> {
        let no_session = self.session.no_session;
        match (self.ec2_server, self.ecs_server) {
            (true, true) => Some("Can't use --ec2-server with --ecs-server"),
            (true, false) if self.json => Some("Can't use --ec2-server with --json"),
            (true, false) if no_session => Some("Can't use --ec2-server with --no-session"),
            (false, true) if self.json => Some("Can't use --ecs-server with --json"),
            (false, true) if no_session => Some("Can't use --ecs-server with --no-session"),
            _ => None,
        }
    }
}

// === impl ExportFormat ===

impl ExportFormat {
    /// The format of a name in [`super::grammar::FORMATS`].
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "env" => Some(Self::Env),
            "export-env" => Some(Self::ExportEnv),
            "json" => Some(Self::Json),
            "ini" => Some(Self::Ini),
            _ => None,
        }
    }
}

// === impl Command ===

impl Command {
    /// As it stands in messages.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Add(_) => "add",
            Self::Remove(_) => "remove",
            Self::MigrateBackend(_) => "migrate-backend",
            Self::List(_) => "list",
            Self::Rotate(_) => "rotate",
            Self::Exec(_) => "exec",
            Self::Export(_) => "export",
            Self::Clear(_) => "clear",
            Self::Login(_) => "login",
            Self::Proxy(_) => "proxy",
            Self::Version => "version",
            Self::Import(_) => "import",
            Self::Configure(_) => "configure",
        }
    }
}
