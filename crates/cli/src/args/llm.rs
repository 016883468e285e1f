//! Arguments of `doorward llm`.
//!
//! A token is never an argument here: it is typed without echo, or piped in.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{ArgAction, Args, Subcommand};

/// `doorward llm`.
#[derive(Debug, Subcommand)]
pub(crate) enum Llm {
    /// Take over, make, list, choose and forget sign-ins
    #[command(subcommand)]
    Auth(Auth),
}

/// `doorward llm auth`.
#[derive(Debug, Subcommand)]
pub(crate) enum Auth {
    /// Take a sign-in over from Codex, from OpenClaw, or as tokens
    Import(Import),
    /// Sign in: with `codex login`, or with a browser alone (`--pkce`)
    Login(Login),
    /// List sign-ins; nothing shows a token
    List(Place),
    /// Make a sign-in the one that its provider takes
    Use(Use),
    /// Forget a sign-in
    Remove(Remove),
    /// Renew a sign-in of a file (`--auth-path`) where it is due; one of the store is renewed when it is used
    Refresh(Refresh),
}

/// Where sign-ins are kept.
#[derive(Debug, Args, Default)]
pub(crate) struct Place {
    /// Keep sign-ins in this file instead of in the encrypted store
    #[arg(long, value_name = "FILE")]
    pub(crate) auth_path: Option<PathBuf>,
}

/// How a sign-in is kept.
#[derive(Debug, Args)]
pub(crate) struct Kept {
    /// The name of the sign-in [default: `PROVIDER:ACCOUNT`]
    #[arg(long, value_name = "ID")]
    pub(crate) profile_id: Option<String>,
    /// Whether the provider takes it from now on
    #[arg(long, value_name = "YES", default_value_t = true, num_args = 0..=1, default_missing_value = "true", action = ArgAction::Set)]
    pub(crate) set_default: bool,
    /// Renew it when it ends. A refresh token can be used once: whoever it was taken over from will be signed out
    #[arg(long)]
    pub(crate) refresh: bool,
    /// Where.
    #[command(flatten)]
    pub(crate) place: Place,
}

/// `doorward llm auth import`.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The file of Codex [default: `$CODEX_HOME/auth.json`, else `~/.codex/auth.json`]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["openclaw_auth", "access_token"])]
    pub(crate) codex_auth: Option<PathBuf>,
    /// The file of OpenClaw; without a value the newest of its agents
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "", value_parser = any_path(), conflicts_with = "access_token")]
    pub(crate) openclaw_auth: Option<PathBuf>,
    /// Type an access token, or pipe it in as the first line
    #[arg(long)]
    pub(crate) access_token: bool,
    /// Type a refresh token as well, or pipe it in as the second line
    #[arg(long, requires = "access_token")]
    pub(crate) refresh_token: bool,
    /// When the access token ends, such as `2027-01-01T00:00:00Z`
    #[arg(long, value_name = "DATE", requires = "access_token")]
    pub(crate) expires_at: Option<String>,
    /// Whose sign-in it is; another than `openai-codex` with `--access-token` only
    #[arg(long, value_name = "NAME", default_value = cloud::sign_in::CODEX)]
    pub(crate) provider: String,
    /// Whatever else was typed; it is refused, because it may be a token.
    #[arg(hide = true, num_args = 0..)]
    pub(crate) rest: Vec<OsString>,
    /// How.
    #[command(flatten)]
    pub(crate) kept: Kept,
}

/// Who signs people in.
#[derive(Debug, Args, Clone)]
pub(crate) struct Issuer {
    /// Who signs people in
    #[arg(long, value_name = "URL", default_value = cloud::sign_in::ISSUER, hide_short_help = true)]
    pub(crate) issuer: String,
    /// As which client; the default is that of the Codex command line
    #[arg(long, value_name = "ID", default_value = cloud::sign_in::CLIENT, hide_short_help = true)]
    pub(crate) client_id: String,
}

/// `doorward llm auth login`.
#[derive(Debug, Args)]
pub(crate) struct Login {
    /// Where Codex writes its file [default: `$CODEX_HOME/auth.json`, else `~/.codex/auth.json`]
    #[arg(long, value_name = "FILE", conflicts_with = "pkce")]
    pub(crate) codex_auth: Option<PathBuf>,
    /// Sign in with a browser, without Codex: the sign-in is ours alone, and is renewed here
    #[arg(long)]
    pub(crate) pkce: bool,
    /// The port that the browser comes back to; the client is registered with the default
    #[arg(long, value_name = "PORT", default_value_t = 1455, requires = "pkce", hide_short_help = true)]
    pub(crate) port: u16,
    /// Who.
    #[command(flatten)]
    pub(crate) issuer: Issuer,
    /// How.
    #[command(flatten)]
    pub(crate) kept: Kept,
}

/// `doorward llm auth use`.
#[derive(Debug, Args)]
pub(crate) struct Use {
    /// Which sign-in
    pub(crate) id: String,
    /// Renew it when it ends, from now on. Whoever it was taken over from will be signed out
    #[arg(long, conflicts_with = "no_refresh")]
    pub(crate) refresh: bool,
    /// Do not renew it any more
    #[arg(long)]
    pub(crate) no_refresh: bool,
    /// Where.
    #[command(flatten)]
    pub(crate) place: Place,
}

/// `doorward llm auth remove`.
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Which sign-in
    pub(crate) id: String,
    /// Where.
    #[command(flatten)]
    pub(crate) place: Place,
}

/// `doorward llm auth refresh`.
#[derive(Debug, Args)]
pub(crate) struct Refresh {
    /// Which sign-in [default: the one that `openai-codex` takes]
    #[arg(long, value_name = "ID")]
    pub(crate) profile_id: Option<String>,
    /// The file
    #[arg(long, value_name = "FILE")]
    pub(crate) auth_path: PathBuf,
    /// Who.
    #[command(flatten)]
    pub(crate) issuer: Issuer,
}

/// A path that may be empty: without a value the newest is meant.
fn any_path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}
