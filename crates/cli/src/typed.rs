//! What is typed or piped in: secrets, passphrases, recovery keys, files.
//!
//! # Invariants
//!
//! - Secret bytes go into guarded memory; what they passed through is wiped.
//! - A terminal shows nothing of them. A pipe is read whole, minus one line end, because tools write one.

use std::fs::File;
use std::io::{BufRead, Read, Write};
use std::path::Path;

use memory::Secret;
use rustix::termios::{self, LocalModes, OptionalActions};
use zeroize::Zeroizing;

use crate::failure::{Failure, Outcome};
use crate::print::somebody_types;

/// Asks on the terminal, which is afterwards as it was before, also where Ctrl-C is the answer.
pub(crate) fn asking<T>(ask: impl FnOnce() -> T) -> T {
    let _terminal = memory::Terminal::keep();
    ask()
}

/// Asks for a line that is shown, and may be empty.
///
/// # Errors
/// When the terminal can't be read, or the input ends before a line does.
pub(crate) fn seen(prompt: &str) -> std::io::Result<Zeroizing<String>> {
    let (stdin, mut stderr) = (std::io::stdin(), std::io::stderr());
    write!(stderr, "{prompt}: ")?;
    stderr.flush()?;
    line_of(&stdin)
}

/// Asks for a line that is not shown, and may be empty. The end of the input is no line: whoever types Ctrl-D gives up, and has not
/// said that an empty passphrase is wanted.
///
/// # Errors
/// When the terminal can't be read, or the input ends before a line does.
pub(crate) fn unseen(prompt: &str) -> std::io::Result<Zeroizing<String>> {
    let (stdin, mut stderr) = (std::io::stdin(), std::io::stderr());
    write!(stderr, "{prompt}: ")?;
    stderr.flush()?;
    let before = termios::tcgetattr(&stdin)?;
    let mut quiet = before.clone();
    quiet.local_modes.remove(LocalModes::ECHO);
    quiet.local_modes.insert(LocalModes::ICANON | LocalModes::ISIG);
    termios::tcsetattr(&stdin, OptionalActions::Flush, &quiet)?;
    let line = line_of(&stdin);
    termios::tcsetattr(&stdin, OptionalActions::Now, &before)?;
    writeln!(stderr)?;
    line
}

/// A line, byte by byte: nothing of it stays in a buffer of the library.
fn line_of(stdin: &std::io::Stdin) -> std::io::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST_LINE));
    let mut buffer = Zeroizing::new([0]);
    loop {
        if rustix::io::read(stdin, &mut buffer[..])? == 0 {
            return Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the input ended"));
        }
        let [byte] = *buffer;
        if byte == b'\n' || bytes.len() == LONGEST_LINE {
            break;
        }
        bytes.push(byte);
    }
    let text = String::from_utf8(std::mem::take(&mut *bytes));
    text.map(Zeroizing::new).map_err(|_| std::io::Error::other("what was typed is not UTF-8"))
}

/// A secret to store: typed twice is not asked for, because a wrong one is seen at its first use.
pub(crate) fn secret(prompt: &str) -> Outcome<Secret> {
    let bytes = if somebody_types() { asked(prompt)? } else { piped(&mut std::io::stdin().lock())? };
    guarded(bytes)
}

/// The same, where an empty one is none. For whoever types.
pub(crate) fn maybe_secret(prompt: &str) -> Outcome<Option<Secret>> {
    let typed = asked(prompt)?;
    if typed.trim_ascii().is_empty() { Ok(None) } else { guarded(typed).map(Some) }
}

/// An access token and, where it is wanted, a refresh token: typed without echo, or lines of stdin.
pub(crate) fn tokens(refresh: bool) -> Outcome<(Secret, Option<Secret>)> {
    if somebody_types() {
        let access = guarded(asked("Access token")?)?;
        let refresh = if refresh { Some(guarded(asked("Refresh token")?)?) } else { None };
        return Ok((access, refresh));
    }
    let bytes = Zeroizing::new(piped(&mut std::io::stdin().lock())?);
    let mut lines = bytes.split(|byte| *byte == b'\n').map(|line| guarded(line.trim_ascii().to_vec()));
    let access =
        lines.next().transpose()?.ok_or_else(|| Failure::new("there is no access token on stdin"))?;
    let second = lines.next().filter(|_| refresh).transpose()?;
    if refresh && second.is_none() {
        return Err(Failure::new("there is no refresh token on the second line of stdin"));
    }
    if lines.next().is_some() {
        return Err(Failure::new("there is more on stdin than tokens"));
    }
    Ok((access, second))
}

/// A new passphrase: asked for twice.
pub(crate) fn new_passphrase() -> Outcome<Secret> {
    if !somebody_types() {
        return passphrase();
    }
    loop {
        let mut typed = Zeroizing::new(asked("New passphrase")?);
        let again = Zeroizing::new(asked("Once more")?);
        if crypto::same(&typed, &again).is_ok() {
            return guarded(std::mem::take(&mut *typed));
        }
        crate::print::Printer::say("They differ; type both again");
    }
}

/// The passphrase of a home: asked for, or one line of stdin.
pub(crate) fn passphrase() -> Outcome<Secret> {
    line("Passphrase")
}

/// A passphrase or a PIN: asked for, or one line of stdin.
pub(crate) fn line(prompt: &str) -> Outcome<Secret> {
    if somebody_types() {
        return guarded(asked(prompt)?);
    }
    let mut bytes = Zeroizing::new(piped(&mut std::io::stdin().lock())?);
    let line = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    bytes.truncate(line);
    guarded(std::mem::take(&mut *bytes))
}

/// The same for a broker that starts: asked for, or one line of stdin; none where stdin has nothing.
pub(crate) fn line_if_any(prompt: &str) -> Outcome<Option<Secret>> {
    if somebody_types() {
        return guarded(asked(prompt)?).map(Some);
    }
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST_LINE));
    let mut input = std::io::stdin().lock();
    let mut byte = Zeroizing::new([0_u8; 1]);
    while line.len() < LONGEST_LINE {
        match input.read(&mut *byte) {
            Ok(0) => break,
            Ok(_) if *byte == [b'\n'] => break,
            Ok(_) => line.extend_from_slice(&*byte),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Failure::doing("could not read stdin", &error)),
        }
    }
    if line.is_empty() { Ok(None) } else { guarded(std::mem::take(&mut *line)).map(Some) }
}

/// A recovery key, from a file, a terminal or stdin.
pub(crate) fn recovery_key(file: Option<&Path>) -> Outcome<secrets::RecoveryKey> {
    let bytes = Zeroizing::new(match file {
        Some(path) => piped(&mut opened(path)?)?,
        None if somebody_types() => asked("Recovery key")?,
        None => piped(&mut std::io::stdin().lock())?,
    });
    let text = std::str::from_utf8(&bytes).map_err(|_| Failure::new("the recovery key is not text"))?;
    if text.trim().is_empty() {
        return Err(Failure::usage("no recovery key was given")
            .hint("type it when asked, pipe it in, or `--recovery-file FILE`"));
    }
    secrets::RecoveryKey::read(text.trim()).map_err(|error| Failure::of(&error))
}

/// A capability: a bearer of rights, so it is wiped as well. `-` is stdin.
pub(crate) fn capability(path: &Path) -> Outcome<policy::Token> {
    let bytes = Zeroizing::new(if is_stdin(path) {
        piped(&mut std::io::stdin().lock())?
    } else {
        piped(&mut opened(path)?)?
    });
    let text = std::str::from_utf8(&bytes).map_err(|_| Failure::new("the capability is not text"))?.trim();
    if !text.starts_with('{') {
        return Ok(policy::Token::parse(text)?);
    }
    // The answer of an agent, as `--output` writes it.
    #[derive(serde::Deserialize)]
    struct Granted<'a> {
        #[serde(borrow)]
        capability: Token<'a>,
    }
    #[derive(serde::Deserialize)]
    struct Token<'a> {
        #[serde(borrow)]
        token: &'a str,
    }
    let granted: Granted<'_> = serde_json::from_str(text).map_err(|_| {
        Failure::new("the file holds JSON, but no capability with a token")
            .hint("`--bearer` or `--output` asks for one")
    })?;
    Ok(policy::Token::parse(granted.capability.token)?)
}

/// A text that is no secret, such as a policy. `-` is stdin.
pub(crate) fn text(path: &Path) -> Outcome<String> {
    let bytes =
        if is_stdin(path) { whole(&mut std::io::stdin().lock())? } else { whole(&mut opened(path)?)? };
    String::from_utf8(bytes).map_err(|_| Failure::new(format!("`{}` is not UTF-8 text", path.display())))
}

/// Bytes that are no secret, such as a request's body. `-` is stdin.
pub(crate) fn bytes(path: &Path) -> Outcome<Vec<u8>> {
    if is_stdin(path) { whole(&mut std::io::stdin().lock()) } else { whole(&mut opened(path)?) }
}

/// Asks before something that can't be undone; a pipe has to say so with a flag.
pub(crate) fn confirmed(question: &str, flag: &str) -> Outcome {
    if !somebody_types() {
        return Err(Failure::usage("nobody is there to be asked").hint(format!("add `{flag}`")));
    }
    // A line as the terminal gives it: a Ctrl-C here leaves the terminal as it was.
    let asked = write!(anstream::stderr().lock(), "{question} [y/N] ");
    let mut answer = String::new();
    let read = asked.and_then(|()| std::io::stdin().lock().take(LONGEST_ANSWER).read_line(&mut answer));
    read.map_err(|error| Failure::doing("could not ask", &error))?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::new("nothing was done")),
    }
}

/// A bearer or a recovery key where its file is meant. It is not repeated: what is printed ends in the logs of builds.
pub(crate) fn not_a_bearer(path: &Path) -> Outcome {
    let typed = path.as_os_str().as_encoded_bytes();
    let what = match typed {
        _ if typed.starts_with(b"cap1_") => "a capability",
        _ if typed.starts_with(b"DWR1-") => "a recovery key",
        _ => return Ok(()),
    };
    Err(Failure::usage(format!("a file is wanted here, and what was given is {what} itself (not shown)"))
        .hint("arguments and variables are seen by others and end in logs: keep it in a file, and name the file"))
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn asked(prompt: &str) -> Outcome<Vec<u8>> {
    let typed = asking(|| unseen(prompt)).map_err(|error| Failure::doing("could not ask for it", &error));
    typed.map(|mut line| std::mem::take(&mut *line).into_bytes())
}

fn opened(path: &Path) -> Outcome<File> {
    not_a_bearer(path)?;
    File::open(path).map_err(|error| Failure::doing(format!("could not read `{}`", path.display()), &error))
}

/// All bytes but one line end.
pub(crate) fn piped(from: &mut dyn Read) -> Outcome<Vec<u8>> {
    // Reserved whole, so that no growing buffer leaves a part of a secret behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LARGEST_SECRET + 1));
    let limit = u64::try_from(LARGEST_SECRET + 1).unwrap_or(u64::MAX);
    from.take(limit)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::doing("could not read stdin", &error))?;
    if bytes.len() > LARGEST_SECRET {
        return Err(Failure::new("what was piped in is larger than 1 MiB"));
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    Ok(std::mem::take(&mut *bytes))
}

fn whole(from: &mut dyn Read) -> Outcome<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LARGEST_TEXT + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::doing("could not read it", &error))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LARGEST_TEXT {
        return Err(Failure::new("it is larger than 64 MiB"));
    }
    Ok(bytes)
}

fn guarded(bytes: Vec<u8>) -> Outcome<Secret> {
    if bytes.is_empty() {
        return Err(
            Failure::new("it is empty").hint("type it, or pipe it in: `printf %s ... | doorward ...`")
        );
    }
    Secret::new(bytes).map_err(|error| Failure::of(&error))
}

const LARGEST_SECRET: usize = 1 << 20;
const LONGEST_LINE: usize = 4096;
const LONGEST_ANSWER: u64 = 16;
const LARGEST_TEXT: u64 = 64 << 20;

#[cfg(test)]
mod tests;
