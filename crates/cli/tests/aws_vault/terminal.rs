//! A step on a terminal: a pseudo-terminal is made by `script`, and the conversation waits for each prompt before it types.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use regex::Regex;

use crate::case::Turn;
use crate::run::{Binary, Ended, ended};

/// Runs a command on a terminal and holds the conversation. Everything shown, typed input included, is `stdout`.
pub(crate) fn converse(
    turns: &[Turn],
    words: &[String],
    mut command: Command,
    binary: &Binary,
    limit: Duration,
) -> Ended {
    let until = Instant::now() + limit;
    // `script` runs the line with $SHELL, which a case may have set to something else: it is given back in the line.
    let shell = command.get_envs().find(|(name, _)| *name == "SHELL").and_then(|(_, value)| value);
    let shell = format!("SHELL={}", shell.map(|shell| shell.to_string_lossy()).unwrap_or_default());
    // Whoever runs the tests in the background ignores Ctrl-C, and so would everything that they start.
    let heard = "--default-signal=INT,QUIT,HUP".to_owned();
    let line = ["exec".to_owned(), "env".to_owned(), heard, quoted(&shell)]
        .into_iter()
        .chain(words.iter().map(|word| quoted(word)))
        .collect::<Vec<_>>()
        .join(" ");
    command.arg(&binary.script).args(["-qefc", &line, "/dev/null"]).env("SHELL", "/bin/sh");
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut keyboard = child.stdin.take().unwrap();
    let screen = Arc::new(Mutex::new(Vec::new()));
    let reader = std::thread::spawn({
        let (screen, mut from) = (Arc::clone(&screen), child.stdout.take().unwrap());
        move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = from.read(&mut bytes) {
                let mut screen = screen.lock().unwrap_or_else(PoisonError::into_inner);
                screen.extend_from_slice(bytes.get(..count).unwrap_or_default());
            }
        }
    });
    let shown = || {
        let screen = screen.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&screen).into_owned()
    };
    let mut from = 0;
    let mut unanswered = String::new();
    for turn in turns {
        let pattern = Regex::new(&turn.wait).unwrap();
        match appeared(&pattern, &shown, from, &mut child, until) {
            Some(end) => from = end,
            None => {
                unanswered = format!("nothing matched {:?}", turn.wait);
                break;
            }
        }
        // A program may show its prompt a moment before it stops to echo; nobody types that fast, and a slow machine takes its time.
        std::thread::sleep(REACTION);
        if keyboard.write_all(turn.say.as_bytes()).and_then(|()| keyboard.flush()).is_err() {
            break;
        }
    }
    let rc = ended(&mut child, until.saturating_duration_since(Instant::now()));
    // Not before its end: to `script`, the end of its input is the end of the terminal.
    drop(keyboard);
    let _ = reader.join();
    Ended { rc, stdout: shown().replace("\r\n", "\n"), stderr: unanswered }
}

/// Waits until a pattern is on the screen behind `from`, and gives its end.
fn appeared(
    pattern: &Regex,
    shown: &impl Fn() -> String,
    from: usize,
    child: &mut std::process::Child,
    until: Instant,
) -> Option<usize> {
    loop {
        let over = child.try_wait().unwrap().is_some() || Instant::now() > until;
        let text = shown();
        if let Some(found) = text.get(from..).and_then(|text| pattern.find(text)) {
            return Some(from + found.end());
        }
        if over {
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A word for `sh`.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// What a person needs at the least to answer.
const REACTION: Duration = Duration::from_millis(500);
