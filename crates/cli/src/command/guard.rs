//! `doorward guard`: the hook that keeps credential code of a project behind the API, and `guard install`, which enters it and the
//! command `/integration-setup`.
//!
//! A coding agent asks it before it writes a file: a document on stdin, an answer on stdout, always status 0. What can't be read
//! is let through, as such hooks do: it guards against mistakes, not against whoever means it.

use std::io::Read;
use std::path::Path;

use regex::RegexBuilder;
use serde_json::{Value, json};

use crate::args::guard::Guard;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::print::{self, Printer};

/// What is refused, and in which words.
const RULES: [(&str, &str, &str); 4] = [
    (
        // Over several lines, with a type, as a constant that is handed on, in SQL with or without quotes, and at the table's address.
        // A key of a type (`Tables["..."]`) and the name in a sentence reach nothing.
        r#"[=(,:?]\s*\\?["'`](public\.)?cloud_provider_integrations\\?["'`]|\b(from|into|update|join|table|truncate|only|exists|on)\s+(\\?"?public\\?"?\s*\.\s*)?\\?"?cloud_provider_integrations\b|/rest/v1/cloud_provider_integrations\b"#,
        "Don't use cloud_provider_integrations table.",
        "Use API which stores in BigQuery. See /integration-setup",
    ),
    (
        "integration_[a-z0-9_]+_(status|configured_at|enabled)",
        "Don't write integration status to Supabase.",
        "API stores status in BigQuery. See /integration-setup",
    ),
    (
        r"createServiceRoleClient\s*(<[^()]*>)?\s*\(\s*\)[\s\S]{0,200}(integration|cloud_provider)",
        "Don't use createServiceRoleClient for integrations.",
        "Use BackendClient API. See /integration-setup",
    ),
    (
        // Declared, assigned, as a member of an object or as a method. A call, an import and a sentence define nothing.
        r"function\s+save\w*IntegrationStatus\b|\b(const|let|var)\s+save\w*IntegrationStatus\s*[=:]|\bsave\w*IntegrationStatus\s*[=:]\s*(async\b\s*)?(function\b|\w+\s*=>|(<[^()]*>)?\([^()]*\)\s*(:[^=;{]+)?=>)|\bsave\w*IntegrationStatus\s*(<[^()]*>)?\([^()]*\)\s*(:[^;={}]+)?\{",
        "Don't create save*IntegrationStatus functions.",
        "API handles all writes. See /integration-setup",
    ),
];

/// Answers one question, or enters the hook into a project.
pub(crate) fn run(context: &Context, args: Option<Guard>) -> Outcome {
    match args {
        None => {
            let mut asked = Vec::new();
            let read = std::io::stdin().lock().take(MOST).read_to_end(&mut asked);
            let denied =
                read.ok().and_then(|_| serde_json::from_slice(&asked).ok()).and_then(|asked| denied(&asked));
            denied.map_or(Ok(()), |document| Printer::text(&document.to_string()))
        }
        Some(Guard::Install { project }) => install(context, &project),
    }
}

/// The answer to a question where it is no.
fn denied(asked: &Value) -> Option<Value> {
    let tool = asked.get("tool_name")?.as_str()?;
    let given = asked.get("tool_input")?;
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let path = text(given, "file_path").or_else(|| text(given, "notebook_path"))?;
    if !TOOLS.contains(&tool) || !path.contains(GUARDED) {
        return None;
    }
    let mut written: Vec<String> =
        ["content", "new_string", "new_source"].iter().filter_map(|name| text(given, name)).collect();
    let edits = given.get("edits").and_then(Value::as_array).into_iter().flatten();
    written.extend(edits.filter_map(|edit| text(edit, "new_string")));
    let broken = RULES.iter().find(|(pattern, ..)| {
        let regex = RegexBuilder::new(pattern).case_insensitive(true).multi_line(true).build();
        regex.is_ok_and(|regex| written.iter().any(|text| regex.is_match(text)))
    });
    let (_, what, instead) = broken?;
    Some(json!({ "hookSpecificOutput": {
        "hookEventName": "PreToolUse", "permissionDecision": "deny",
        "permissionDecisionReason": format!("❌ BLOCKED: {what}\n{instead}"),
    }}))
}

/// Enters the hook into the settings of a project, beside what is there.
fn install(context: &Context, project: &Path) -> Outcome {
    if !project.is_dir() {
        return Err(Failure::new(format!("there is no project `{}`", project.display()))
            .hint("name the folder of a project; none is made"));
    }
    let folder = project.join(".claude");
    let file = folder.join("settings.json");
    let mut settings: Value = match std::fs::read(&file) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|error| Failure::doing(format!("`{}` can't be read", file.display()), &error))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => json!({}),
        Err(error) => return Err(Failure::doing(format!("could not read `{}`", file.display()), &error)),
    };
    let strange = || Failure::new(format!("`{}` has another shape than such a file has", file.display()));
    let hooks = settings.as_object_mut().ok_or_else(strange)?.entry("hooks").or_insert_with(|| json!({}));
    let before = hooks.as_object_mut().ok_or_else(strange)?.entry("PreToolUse").or_insert_with(|| json!([]));
    let list = before.as_array_mut().ok_or_else(strange)?;
    let there = list.iter().any(|entry| entry.to_string().contains(COMMAND));
    if !there {
        let hook = json!({ "type": "command", "command": COMMAND });
        list.push(json!({ "matcher": TOOLS.join("|"), "hooks": [hook] }));
        std::fs::create_dir_all(&folder)
            .map_err(|error| Failure::doing(format!("could not make `{}`", folder.display()), &error))?;
        let text = format!("{settings:#}\n");
        store::files::replace(&file, text.as_bytes(), 0o644)?;
    }
    let command = folder.join("commands/integration-setup.md");
    let placed = place(&command)?;
    let document = json!({
        "settings": print::path(&file), "changed": !there, "command": print::path(&command), "command_changed": placed == Placed::Written,
    });
    context.printer.answer(&document, |_| {
        let hook = if there {
            format!("`{}` has the hook already.", file.display())
        } else {
            format!("Entered the hook into `{}`.", file.display())
        };
        let shown = command.display();
        let placed = match placed {
            Placed::Written => format!("Wrote the command `/integration-setup` into `{shown}`."),
            Placed::Same => format!("`{shown}` is there already."),
            Placed::Other => {
                format!("`{shown}` is another one and was left as it is; delete it to have ours.")
            }
        };
        format!("{hook}\n{placed}")
    })
}

/// What became of the file of the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placed {
    Written,
    Same,
    Other,
}

/// Writes the command for coding agents, unless there is one that somebody changed.
fn place(path: &Path) -> Outcome<Placed> {
    match std::fs::read(path) {
        Ok(there) if there == SETUP.as_bytes() => Ok(Placed::Same),
        Ok(_) => Ok(Placed::Other),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(|error| {
                    Failure::doing(format!("could not make `{}`", folder.display()), &error)
                })?;
            }
            store::files::replace(path, SETUP.as_bytes(), 0o644)?;
            Ok(Placed::Written)
        }
        Err(error) => Err(Failure::doing(format!("could not read `{}`", path.display()), &error)),
    }
}

const TOOLS: [&str; 4] = ["Write", "Edit", "MultiEdit", "NotebookEdit"];
const GUARDED: &str = "integrations.ts";
const COMMAND: &str = "doorward guard";
const MOST: u64 = 16 << 20;
/// The command `/integration-setup` for coding agents.
const SETUP: &str = include_str!("../../../../deploy/agents/integration-setup.md");
