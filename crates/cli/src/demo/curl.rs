//! The unmodified program of the demo: `curl` with an empty environment; where there is none, our own `capability use`.

use std::path::PathBuf;
use std::process::Command;

use super::broker::{Program, finish};
use crate::failure::{Failure, Outcome};
use crate::settings;

/// A program that sends requests and knows nothing of Doorward.
#[derive(Debug)]
pub(super) struct Caller {
    curl: Option<PathBuf>,
    program: Program,
}

/// What it was told and what it saw: all that it could leak.
#[derive(Debug)]
pub(super) struct Exchange {
    /// The status of the reply.
    pub(super) status: u16,
    /// Head and body, and whatever was said besides.
    pub(super) output: String,
    /// Everything that the program had: arguments and output.
    pub(super) held: Vec<u8>,
    /// The command line to copy.
    pub(super) command: String,
}

/// What is asked for.
pub(super) struct Ask<'a> {
    pub(super) gateway: &'a str,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) capability: &'a std::path::Path,
}

impl Caller {
    /// The `curl` of this machine, if it has one.
    pub(super) fn find(program: &Program) -> Self {
        let folders = settings::environment("PATH").unwrap_or_default();
        let curl = std::env::split_paths(&folders)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join("curl"))
            .find(|path| path.is_file());
        Self { curl, program: program.clone() }
    }

    /// What people call it.
    pub(super) const fn name(&self) -> &'static str {
        if self.curl.is_some() { "curl" } else { "a plain program" }
    }

    /// Sends one request.
    pub(super) fn ask(&self, ask: &Ask<'_>) -> Outcome<Exchange> {
        match &self.curl {
            Some(curl) => curl_it(curl, ask),
            None => self.use_it(ask),
        }
    }

    fn use_it(&self, ask: &Ask<'_>) -> Outcome<Exchange> {
        let file = ask.capability.to_string_lossy();
        let arguments = [
            "capability",
            "use",
            "--json",
            "--gateway",
            ask.gateway,
            "--capability",
            &file,
            "--integration",
            "notes",
            ask.method,
            ask.path,
        ];
        let printed = self.program.offline(&arguments)?;
        let said: serde_json::Value = serde_json::from_slice(&printed.stdout)
            .map_err(|error| Failure::doing("could not read the reply", &error))?;
        let status =
            said.get("status").and_then(serde_json::Value::as_u64).and_then(|code| u16::try_from(code).ok());
        let output = String::from_utf8_lossy(&printed.stdout).into_owned();
        let mut held = arguments.join(" ").into_bytes();
        held.extend_from_slice(&printed.stdout);
        held.extend_from_slice(&printed.stderr);
        let command = format!("doorward {}", arguments.join(" "));
        Ok(Exchange { status: status.unwrap_or(0), output, held, command })
    }
}

fn curl_it(curl: &std::path::Path, ask: &Ask<'_>) -> Outcome<Exchange> {
    let text = std::fs::read_to_string(ask.capability)
        .map_err(|error| Failure::doing("could not read the capability", &error))?;
    let (bearer, url) =
        (format!("Authorization: Bearer {}", text.trim()), format!("{}/notes{}", ask.gateway, ask.path));
    let arguments = ["-sS", "-i", "--max-time", "20", "-X", ask.method, "-H", &bearer, &url];
    let mut command = Command::new(curl);
    // No configuration of the user's, no proxy, and nothing that could carry a secret.
    command.env_clear().arg("-q").args(arguments);
    let printed = finish(command, b"")?;
    if !printed.status.success() {
        let said = String::from_utf8_lossy(&printed.stderr);
        return Err(Failure::new(format!("curl could not reach the gateway: {}", said.trim())));
    }
    let output = String::from_utf8_lossy(&printed.stdout).into_owned();
    let status = output.split_whitespace().nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    let mut held = arguments.join(" ").into_bytes();
    held.extend_from_slice(&printed.stdout);
    held.extend_from_slice(&printed.stderr);
    let method = if ask.method == "GET" { String::new() } else { format!(" -X {}", ask.method) };
    let command =
        format!("curl -i{method} -H \"Authorization: Bearer $(cat {})\" {url}", ask.capability.display());
    Ok(Exchange { status, output, held, command })
}
