//! One function a command: asks an agent and prints what it says.

use std::path::PathBuf;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::{Value, json};

use super::client::Connection;
use super::output::{self, Rights};
use super::wanted::{Filter, Use, Wanted, object, put};
use super::{Voice, tables};
use crate::failure::{Failure, Outcome};
use crate::print::Printer;
use crate::print::table::{at, cell};

/// Where an agent is, and how its answers are printed.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    pub(crate) places: Vec<PathBuf>,
    pub(crate) printer: Printer,
    pub(crate) voice: Voice,
}

impl Desk {
    fn ask(&self, kind: &str, payload: &Value) -> Outcome<Value> {
        Connection::connect(&self.places)?.ask(kind, payload)
    }

    /// `capability request`.
    pub(crate) fn request(&self, wanted: &Wanted) -> Outcome {
        let rights = wanted.output.rights()?;
        let payload = wanted.payload(None)?;
        let mut client = Connection::connect(&self.places)?;
        let told = client.ask("capability_request", &payload)?;
        self.granted(client, wanted, rights, &told)
    }

    /// `capability narrow`.
    pub(crate) fn narrow(&self, id: &str, wanted: &Wanted) -> Outcome {
        let rights = wanted.output.rights()?;
        let payload = wanted.payload(Some(id))?;
        let mut client = Connection::connect(&self.places)?;
        let told = client.ask("capability_narrow", &payload)?;
        self.granted(client, wanted, rights, &told)
    }

    /// Hands out what was granted. A denial ends with 0 only where a program reads the status on stdout.
    fn granted(&self, mut client: Connection, wanted: &Wanted, rights: Rights, told: &Value) -> Outcome {
        let granted = at(told, "status").as_str() == Some("granted");
        let denied = at(told, "status").as_str() == Some("denied");
        let file = wanted.output.file.as_deref();
        if let Some(file) = file.filter(|_| granted)
            && let Err(failure) = output::write(file, rights, told)
        {
            // Nobody has it, so nobody shall be able to use it.
            let payload = json!({ "capability_id": at(told, "capability.id"), "reason": "its file could not be written" });
            let _ = client.ask("capability_revoke", &payload);
            return Err(failure);
        }
        let printed = if file.is_some() { output::without_bearer(told) } else { told.clone() };
        self.printer.answer(&printed, tables::request)?;
        match file {
            Some(file) if granted => {
                if !self.printer.is_json() {
                    Printer::text(&format!("Output written to {}", file.display()))?;
                }
                Ok(())
            }
            None if granted || (denied && self.printer.is_json()) => Ok(()),
            _ => {
                if let Some(file) = file {
                    output::remove(file)?;
                }
                let message = at(told, "message").as_str().unwrap_or("the capability was not granted");
                Printer::say(&format!("{}: {message}", self.voice.error()));
                Err(Failure::silent())
            }
        }
    }

    /// `capability validate`. An invalid one is an answer, not a failure, where a program reads it.
    pub(crate) fn validate(&self, id: &str, context: Option<&str>) -> Outcome {
        let mut payload = json!({ "capability_id": id });
        if let Some(context) = object("--context", context)? {
            put(&mut payload, "context", context);
        }
        let told = self.ask("capability_validate", &payload)?;
        self.printer.answer(&told, tables::validation)?;
        let valid = at(&told, "valid").as_bool() == Some(true);
        if valid || self.printer.is_json() { Ok(()) } else { Err(Failure::silent()) }
    }

    /// What the agent was told, where one answers.
    pub(crate) fn config(&self) -> Outcome<Option<Value>> {
        let Ok(mut client) = Connection::connect(&self.places) else { return Ok(None) };
        client.ask("agent_config", &json!({})).map(|told| Some(at(&told, "config").clone()))
    }

    /// `capability revoke`.
    pub(crate) fn revoke(&self, id: &str, reason: &str) -> Outcome {
        let told = self.ask("capability_revoke", &json!({ "capability_id": id, "reason": reason }))?;
        self.printer.answer(&told, |_| tables::revoked(id, &told, reason))
    }

    /// `capability list`.
    pub(crate) fn list(&self, filter: &Filter) -> Outcome {
        let told = self.ask("capability_list", &filter.payload()?)?;
        self.printer.answer(&told, tables::list)
    }

    /// `capability status`.
    pub(crate) fn capability_status(&self) -> Outcome {
        let told = self.ask("status_request", &json!({}))?;
        let told = json!({
            "version": at(&told, "version"),
            "uptime": at(&told, "uptime"),
            "connections": at(&told, "connections"),
            "capabilities": ["capability-management", "policy-evaluation", "audit-logging", "ipc-server"],
        });
        self.printer.answer(&told, tables::capability_status)
    }

    /// `capability use`. What was performed is printed; a tool's status becomes ours.
    pub(crate) fn use_it(&self, id: &str, wanted: &Use) -> Outcome {
        let (kind, payload) = wanted.message(id)?;
        let told = self.ask(kind, &payload)?;
        let done = matches!(at(&told, "status").as_str(), Some("ok" | "appended"));
        if self.printer.is_json() {
            self.printer.json(&told)?;
        } else {
            Printer::raw(&body(&told)?)?;
            if let Some(text) = at(&told, "stderr").as_str().filter(|text| !text.is_empty()) {
                Printer::say(text.trim_end());
            }
        }
        if done && at(&told, "exit").as_i64().unwrap_or_default() == 0 {
            return Ok(());
        }
        if let Some(message) = at(&told, "message").as_str() {
            Printer::say(&format!("{}: {message}", self.voice.error()));
        }
        Err(Failure::silent())
    }

    /// `agent status`. With a time it waits until an agent answers.
    pub(crate) fn agent_status(&self, verbose: bool, wait: Option<Duration>) -> Outcome {
        let told = match wait {
            Some(within) => Connection::ask_within(&self.places, within, "agent_status")?,
            None => self.ask("agent_status", &json!({}))?,
        };
        self.printer.answer(&told, |told| tables::agent_status(told, verbose, crate::context::now()))
    }

    /// `agent reload`.
    pub(crate) fn reload(&self) -> Outcome {
        let told = self.ask("agent_reload", &json!({}))?;
        for warning in at(&told, "warnings").as_array().into_iter().flatten() {
            Printer::say(&format!("Warning: {}", cell(warning)));
        }
        self.printer.answer(&told, lines)
    }

    /// `agent stop`. Ends when the agent has ended.
    pub(crate) fn stop(&self) -> Outcome {
        let mut client = Connection::connect(&self.places)?;
        let process = client.process();
        let mut told = client.ask("agent_stop", &json!({}))?;
        let mut last = None;
        if let Some(messages) = told.get_mut("messages").and_then(Value::as_array_mut) {
            last = messages.pop();
        }
        if !self.printer.is_json() {
            Printer::text(&lines(&told))?;
        }
        let gone = match process {
            Some(process) => ended(&process),
            None => closed(&self.places),
        };
        if !gone {
            return Err(Failure::new("the agent is still ending after 60 seconds")
                .hint("`agent status` says what it waits for"));
        }
        let last = last.unwrap_or_else(|| json!("Agent stopped successfully"));
        if !self.printer.is_json() {
            return Printer::text(&cell(&last));
        }
        put(&mut told, "status", json!("stopped"));
        put(&mut told, "message", last.clone());
        if let Some(messages) = told.get_mut("messages").and_then(Value::as_array_mut) {
            messages.push(last);
        }
        self.printer.json(&told)
    }
}

impl Voice {
    /// How a failure begins.
    pub(crate) const fn error(self) -> &'static str {
        match self {
            Self::Doorward => "error",
            Self::Vault => "Error",
        }
    }
}

/// What was performed: the body of a reply, the output of a tool, a value that may be disclosed.
fn body(told: &Value) -> Outcome<Vec<u8>> {
    use base64::Engine as _;
    for key in ["value", "body", "stdout"] {
        if let Some(text) = at(told, key).as_str() {
            let end = if key == "value" && !text.ends_with('\n') { "\n" } else { "" };
            return Ok(format!("{text}{end}").into_bytes());
        }
    }
    match at(told, "body_base64").as_str() {
        None => Ok(Vec::new()),
        Some(text) => base64::engine::general_purpose::STANDARD
            .decode(text)
            .map_err(|error| Failure::doing("the agent's answer can't be understood", &error)),
    }
}

/// The lines that an agent says.
fn lines(told: &Value) -> String {
    let lines = at(told, "messages").as_array().into_iter().flatten();
    lines.map(|line| format!("{}\n", crate::print::problem::clean(&cell(line)))).collect()
}

/// Whether the process ends in time.
fn ended(process: &std::os::fd::OwnedFd) -> bool {
    let mut watched = [PollFd::new(process, PollFlags::IN)];
    let within = Timespec { tv_sec: LONGEST_END, tv_nsec: 0 };
    matches!(poll(&mut watched, Some(&within)), Ok(ready) if ready > 0)
}

/// The same where the process can't be seen: nobody answers any more.
fn closed(places: &[PathBuf]) -> bool {
    let until = std::time::Instant::now() + Duration::from_secs(LONGEST_END.unsigned_abs());
    while std::time::Instant::now() < until {
        if Connection::connect(places).is_err() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

/// Seconds that an agent may take to end: its grace, and what its evidence needs.
const LONGEST_END: i64 = 60;
