//! The log: on stderr, warnings and worse where nobody asks for more. It holds ids, names and codes, never secrets.

use tracing::Level;
use tracing_subscriber::filter::LevelFilter;

use crate::args::LogFormat;

/// Starts the log. Called once.
pub(crate) fn start(format: LogFormat, verbose: u8) {
    let level = match verbose {
        0 => Level::WARN,
        1 => Level::INFO,
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
