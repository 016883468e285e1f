//! `agent config`: shows what an agent would be told, checks a file, writes a new one.

use std::path::PathBuf;

use serde_json::Value;

use crate::args::agent::ConfigFlags;
use crate::failure::Outcome;
use crate::line::asking::Desk;
use crate::print::{Printer, problem};
use crate::settings;
use crate::settings::agent::{AgentSettings, GENERATED, Places, Typed};

/// Does what was typed.
pub(crate) fn run(
    places: &Places,
    config: Option<PathBuf>,
    typed: &ConfigFlags,
    asked: &dyn Fn() -> Outcome<Desk>,
    printer: Printer,
) -> Outcome {
    let chosen = config.is_some();
    if typed.generate {
        return hand_out(typed, GENERATED, "a configuration");
    }
    let told = Typed { config, ..Typed::default() };
    let loaded = AgentSettings::load(places, &told, &settings::environment);
    if typed.validate {
        return validate(&loaded?, printer);
    }
    let document = match running(chosen, asked) {
        Some(document) => document,
        None => loaded?.document(),
    };
    let text = if printer.is_json() { String::new() } else { shown(&document) };
    match &typed.output {
        Some(_) => hand_out(typed, &crate::print::yaml::document(&document), "the configuration"),
        None if printer.is_json() => printer.json(&document),
        None => Printer::text(&text),
    }
}

fn hand_out(typed: &ConfigFlags, text: &str, what: &str) -> Outcome {
    let Some(path) = &typed.output else { return Printer::text(text) };
    store::files::replace(path, text.as_bytes(), 0o600)?;
    Printer::say(&format!("Wrote {what} to `{}`.", path.display()));
    Ok(())
}

/// What the agent that runs here was told, which no look at files from here can say. Where a file is named, that one is meant.
fn running(chosen: bool, asked: &dyn Fn() -> Outcome<Desk>) -> Option<Value> {
    if chosen {
        return None;
    }
    match asked().and_then(|desk| desk.config()) {
        Ok(Some(document)) => return Some(document),
        Ok(None) => {
            Printer::say("No agent answers here: this is what one that is started from here would be told.")
        }
        Err(failure) => Printer::say(&format!(
            "Warning: the agent does not tell how it is configured ({}): this is what one that is started from here would be told.",
            failure.message
        )),
    }
    None
}

fn validate(settings: &AgentSettings, printer: Printer) -> Outcome {
    // What only the broker takes apart, such as the names of identities.
    let _told = settings.config(None)?;
    let file =
        settings.file.as_deref().map_or_else(|| "(defaults)".to_owned(), |path| path.display().to_string());
    let idle: Vec<Value> =
        settings.idle.iter().map(|(key, why)| serde_json::json!({ "key": key, "reason": why })).collect();
    let document = serde_json::json!({ "valid": true, "file": file, "without_effect": idle });
    if printer.is_json() {
        return printer.json(&document);
    }
    let mut text = format!("Validating configuration: {file}\n");
    for checked in CHECKED {
        text.push_str(&format!("✓ {checked}\n"));
    }
    for (key, why) in &settings.idle {
        text.push_str(&format!("  `{key}` has no effect: {why}\n"));
    }
    text.push_str("Configuration is valid\n");
    Printer::text(&text)
}

/// The settings for people: a line each, nested ones below their title.
fn shown(document: &Value) -> String {
    let mut text = "Agent Configuration:\n".to_owned();
    let fields = document.as_object().into_iter().flatten();
    let (nested, flat): (Vec<_>, Vec<_>) = fields.partition(|(_, value)| value.is_object());
    for (name, value) in flat {
        line(&mut text, name, value, 1);
    }
    for (name, value) in nested {
        text.push_str(&format!("\n{}:\n", title(name)));
        for (name, value) in value.as_object().into_iter().flatten() {
            line(&mut text, name, value, 1);
        }
    }
    text
}

fn line(text: &mut String, name: &str, value: &Value, depth: usize) {
    let cell = crate::print::table::cell(value);
    if !cell.is_empty() {
        text.push_str(&format!("{}{}: {}\n", "  ".repeat(depth), title(name), problem::clean(&cell)));
    }
}

/// `socket_path` as `Socket Path`.
fn title(name: &str) -> String {
    let words = name.split('_').map(|word| match word {
        "ttl" | "ipc" => word.to_uppercase(),
        _ => word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1)).collect(),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// What reading a configuration checks.
const CHECKED: [&str; 6] = [
    "Configuration file syntax is valid",
    "Capability engine configuration is valid",
    "Policy engine configuration is valid",
    "Audit configuration is valid",
    "IPC configuration is valid",
    "Storage and health configuration is valid",
];
