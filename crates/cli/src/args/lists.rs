//! Arguments of `doorward lists`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::Method;

/// `doorward lists`.
#[derive(Debug, Subcommand)]
pub(crate) enum Lists {
    /// Read the lists, and say what is wrong
    Check(Files),
    /// Say which rule decides about a request; exits 0 where it is allowed, else 1
    Explain(Explain),
}

/// Which files.
#[derive(Debug, Args)]
pub(crate) struct Files {
    /// The allowlist [default: those of the home]
    #[arg(long, value_name = "FILE")]
    pub(crate) allowlist: Option<PathBuf>,
    /// The denylist [default: those of the home]
    #[arg(long, value_name = "FILE")]
    pub(crate) denylist: Option<PathBuf>,
}

/// `doorward lists explain`.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The method, such as `POST`
    pub(crate) method: Method,
    /// Path and query behind the root of the integration, such as `/api/chat.postMessage`
    pub(crate) target: String,
    /// The integration, by its name or by one that callers may use for it
    #[arg(long, value_name = "NAME")]
    pub(crate) integration: String,
    /// The id of the caller; nobody in particular where none is given
    #[arg(long, value_name = "ID")]
    pub(crate) caller: Option<String>,
    /// A header of the request, such as `content-type: application/json`
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<String>,
    /// The body: a text, or `@FILE`, or `@-` for stdin
    #[arg(long, value_name = "BODY")]
    pub(crate) body: Option<String>,
    /// Which lists
    #[command(flatten)]
    pub(crate) files: Files,
}
