//! The log: on stderr. It holds ids, names and codes, never secrets.
//!
//! A broker that serves logs warnings; a command that is asked once prints what went wrong itself, so only errors are logged
//! where nobody asks for more.

use tracing::Level;
use tracing_subscriber::filter::LevelFilter;

use crate::args::LogFormat;

/// What is logged where nobody asks for more.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Quiet {
    /// Of a command.
    Errors,
    /// Of a broker.
    Warnings,
}

/// Starts the log. Called once.
pub(crate) fn start(format: LogFormat, verbose: u8, quiet: Quiet) {
    let level = match (verbose, quiet) {
        (0, Quiet::Errors) => Level::ERROR,
        (0, Quiet::Warnings) => Level::WARN,
        (1, _) => Level::INFO,
        _ => Level::DEBUG,
    };
    let builder = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(LevelFilter::from_level(level))
        .with_target(verbose > 1)
        .with_ansi(false);
    // A second subscriber would be refused; there is none.
    let _ = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}
