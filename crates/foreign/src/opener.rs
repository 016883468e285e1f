//! Opens a page in a browser.
//!
//! # Invariants
//!
//! - Only `https` addresses, and `http` ones of this machine, are opened; the address is one argument and no shell reads it.
//! - A command that a profile names is never replaced by another browser: it may be there to keep accounts apart.
//! - The browser has no part in our stdin, stdout and stderr, and sees none of our secrets.

use std::ffi::OsString;
use std::io;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::aws_vault::OUR_SECRETS;

/// Why a page was not opened.
#[derive(Debug, thiserror::Error)]
pub enum NotOpened {
    /// An address of another kind.
    #[error("the address is not one that a browser is given")]
    Address,
    /// The profile's command is not a command.
    #[error("the browser command of the profile {0}")]
    Template(&'static str),
    /// No browser could be started; the last error.
    #[error("could not start a browser")]
    Start(#[source] io::Error),
    /// The last browser ended at once, and not well.
    #[error("the browser `{program}` ended with {status}")]
    Ended {
        /// The program.
        program: String,
        /// How it ended.
        status: ExitStatus,
    },
}

/// Which browsers there are.
#[derive(Debug, Clone, Copy, Default)]
pub struct Browsers<'a> {
    /// The profile's own command, with `{url}` where the address goes; behind it without.
    pub template: Option<&'a str>,
    /// `BROWSER`: commands between colons, with `%s` where the address goes; behind it without.
    pub variable: Option<&'a str>,
}

/// A program and its arguments.
pub type Argv = Vec<String>;

/// Starts the first browser that can be started, and does not wait for it. For an address that was shown already.
///
/// # Errors
/// When the address is refused, the template is none, or nothing could be started.
pub fn open(url: &str, browsers: Browsers<'_>) -> Result<(), NotOpened> {
    opened(url, browsers, SYSTEM, Duration::ZERO)
}

/// Starts the first browser that does not end with a failure `within` this time. Programs that open pages hand them over and
/// end; a browser that runs for longer shows the page itself.
///
/// # Errors
/// As [`open`], and when the last one ended with a failure. A caller shows the address then.
pub fn open_within(url: &str, browsers: Browsers<'_>, within: Duration) -> Result<(), NotOpened> {
    opened(url, browsers, SYSTEM, within)
}

fn opened(url: &str, browsers: Browsers<'_>, system: &[&str], within: Duration) -> Result<(), NotOpened> {
    let mut last = NotOpened::Start(io::ErrorKind::NotFound.into());
    for argv in candidates(url, browsers, system)? {
        let ended = start(&argv).and_then(|child| ended(child, within));
        last = match (ended, argv.into_iter().next()) {
            (Ok(Some(status)), Some(program)) if !status.success() => NotOpened::Ended { program, status },
            (Ok(_), _) => return Ok(()),
            (Err(error), _) => NotOpened::Start(error),
        };
    }
    Err(last)
}

/// How a program ended `within` this time; `None` while it runs.
fn ended(mut child: Child, within: Duration) -> io::Result<Option<ExitStatus>> {
    let until = Instant::now() + within;
    loop {
        let ended = if within.is_zero() { None } else { child.try_wait()? };
        if ended.is_some() || Instant::now() >= until {
            return Ok(ended);
        }
        std::thread::sleep(LOOK);
    }
}

/// What would be tried, in order.
pub fn candidates(url: &str, browsers: Browsers<'_>, system: &[&str]) -> Result<Vec<Argv>, NotOpened> {
    if !may_be_opened(url) {
        return Err(NotOpened::Address);
    }
    if let Some(template) = browsers.template {
        return Ok(vec![filled(words(template)?, "{url}", url).ok_or(NotOpened::Template("is empty"))?]);
    }
    let named = browsers
        .variable
        .unwrap_or_default()
        .split(':')
        .filter_map(|command| filled(command.split_whitespace().map(str::to_owned).collect(), "%s", url));
    let system = filled(system.iter().map(|word| (*word).to_owned()).collect(), "%s", url);
    Ok(named.chain(system).collect())
}

/// Puts the address into a command, or behind it.
fn filled(mut words: Argv, place: &str, url: &str) -> Option<Argv> {
    words.first()?;
    if !words.iter().skip(1).any(|word| word.contains(place)) {
        words.push(url.to_owned());
        return Some(words);
    }
    let mut words = words.into_iter();
    let program = words.next();
    Some(program.into_iter().chain(words.map(|word| word.replace(place, url))).collect())
}

/// Splits a command into words as a shell does: quotes of both kinds and the backslash keep spaces; nothing else is special.
fn words(template: &str) -> Result<Argv, NotOpened> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = template.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' => words.extend(word.take()),
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or(NotOpened::Template("has a quote without end"))? {
                        end if end == c => break,
                        '\\' if c == '"' => word.extend(chars.next()),
                        inner => word.push(inner),
                    }
                }
            }
            '\\' => {
                let kept = chars.next().ok_or(NotOpened::Template("ends with a backslash"))?;
                word.get_or_insert_default().push(kept);
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

fn may_be_opened(url: &str) -> bool {
    let local = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"];
    let known = url.starts_with("https://") || local.iter().any(|start| url.starts_with(start));
    known && url.chars().all(|c| c.is_ascii_graphic())
}

fn start(argv: &[String]) -> io::Result<Child> {
    let (program, arguments) = argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(OsString::from(program));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    for variable in OUR_SECRETS {
        command.env_remove(variable);
    }
    apart(&mut command);
    command.spawn()
}

/// A group of its own, so that Ctrl-C at our terminal does not close the browser.
#[cfg(unix)]
fn apart(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(not(unix))]
fn apart(_: &mut Command) {}

/// Between two looks whether a program has ended.
const LOOK: Duration = Duration::from_millis(10);

/// The system's own way.
pub const SYSTEM: &[&str] = if cfg!(target_os = "macos") {
    &["/usr/bin/open"]
} else if cfg!(windows) {
    &["rundll32", "url.dll,FileProtocolHandler"]
} else {
    &["xdg-open"]
};

#[cfg(test)]
mod tests;
