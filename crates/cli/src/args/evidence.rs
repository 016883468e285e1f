//! Arguments of `doorward evidence`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `doorward evidence`.
#[derive(Debug, Subcommand)]
pub(crate) enum Evidence {
    /// List calls, the newest first
    List(List),
    /// Show one call with its proof
    Show {
        /// Its id, `evd_...`
        id: String,
        /// The tenant in whose chain it stands [default: the house]
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
    },
    /// Verify an exported file with nothing but the public key, or the home where no file is given
    Verify(Verify),
    /// Write the evidence as lines of JSON that anybody with the public key can verify
    Export(Export),
    /// Verify an audit log of the agent: that no line was changed, is missing or was added
    VerifyAudit {
        /// The file, such as `~/.aether-vault/audit.log`
        file: PathBuf,
    },
    /// Print the public key that verifies the evidence of this home
    Key,
    /// Go on without evidence that was there and is gone for good; that it is, and why, is the first that is recorded
    AdmitLoss {
        /// Why, in a few words
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// `doorward evidence list`.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Not before: a time such as `2026-11-22T09:00:00Z`, or how long ago, such as `1h`
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Not at or after
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Only this principal
    #[arg(long, value_name = "NAME")]
    pub(crate) principal: Option<String>,
    /// Only this integration
    #[arg(long, value_name = "NAME")]
    pub(crate) integration: Option<String>,
    /// Only this operation
    #[arg(long, value_name = "NAME")]
    pub(crate) operation: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u32>,
    /// The chain of this tenant [default: that of the house]
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
}

/// `doorward evidence verify`.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// An exported file; `-` for stdin
    pub(crate) file: Option<PathBuf>,
    /// The public key, as `doorward evidence key` prints it
    #[arg(long, value_name = "KEY", conflicts_with = "key_file")]
    pub(crate) key: Option<String>,
    /// A file with the public key
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
}

/// `doorward evidence export`.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Where it goes [default: stdout]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// The chain of this tenant [default: that of the house]
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
}
