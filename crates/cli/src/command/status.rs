//! `doorward status`: is it running, is it sealed, what is missing. Exit 0 only where calls can be served.

use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::management::Running;
use crate::print::table::{self, at, cell};
use crate::print::{self, BAD, GOOD, WARN, styled};

/// Prints it.
pub(crate) fn run(context: &Context) -> Outcome {
    let home = context.home()?;
    let mut document = match Running::find(context)? {
        None => match store::HomeLock::keeper(home.folder()) {
            Some(pid) => json!({ "state": "unreachable", "pid": pid }),
            None => json!({ "state": if crate::wire::is_there(home) { "stopped" } else { "no home" } }),
        },
        Some(running) => running.status()?,
    };
    let unsealed = at(&document, "state").as_str() == Some("unsealed");
    if unsealed {
        let more = context.ask("broker.status", &[])?;
        let list = context.ask("integration.list", &[])?;
        let missing: Vec<Value> = at(&list.value, "integrations")
            .as_array()
            .into_iter()
            .flatten()
            .filter(|one| at(one, "ready").as_bool() == Some(false))
            .map(|one| {
                let own = home.integrations().join(format!("{}.yaml", cell(at(one, "name")))).exists();
                json!({ "name": at(one, "name"), "missing": at(one, "missing"), "own": own })
            })
            .collect();
        if let (Some(fields), Some(more)) = (document.as_object_mut(), more.value.as_object()) {
            fields.extend(more.iter().map(|(name, value)| (name.clone(), value.clone())));
            fields.insert("not_ready".to_owned(), json!(missing));
        }
    }
    if let Some(fields) = document.as_object_mut() {
        fields.insert("home".to_owned(), print::path(home.folder()));
        fields.insert("socket".to_owned(), print::path(&home.socket()));
    }
    context.printer.answer(&document, human)?;
    if unsealed { Ok(()) } else { Err(Failure::silent()) }
}

fn human(value: &Value) -> String {
    let state = cell(at(value, "state"));
    let (style, next) = match state.as_str() {
        "unsealed" => (GOOD, ""),
        "sealed" => (BAD, "Next: `doorward unseal`.\n"),
        "stopped" => (BAD, "Next: `doorward up`.\n"),
        "unreachable" => (
            BAD,
            "It has the home open, and nothing listens at its socket. Next: `kill PID`, then `doorward up`.\n",
        ),
        _ => (BAD, "Next: `doorward up`, or `doorward demo` to see it work.\n"),
    };
    let doors = at(value, "doors").as_object().into_iter().flatten();
    let doors: Vec<String> = doors.map(|(name, place)| format!("{name} {}", cell(place))).collect();
    let mut text = format!("{}\n", styled(style, &state));
    text.push_str(&table::facts(&[
        ("home", cell(at(value, "home"))),
        ("doors", doors.join(", ")),
        ("pid", cell(at(value, "pid"))),
        ("version", cell(at(value, "version"))),
        ("uptime", cell(at(value, "uptime"))),
        ("environment", cell(at(value, "environment"))),
        ("integrations", cell(at(value, "integrations"))),
        ("open intents", cell(at(value, "evidence.open_intents"))),
        ("evidence key", cell(at(value, "evidence.verifier_key"))),
    ]));
    // Nobody uses all services that are built in: only what the user wrote is wanted for sure.
    let not_ready = at(value, "not_ready").as_array().into_iter().flatten();
    let (own, built_in): (Vec<&Value>, Vec<&Value>) =
        not_ready.partition(|one| at(one, "own").as_bool() == Some(true));
    for one in own {
        let missing = format!("{} needs {}", cell(at(one, "name")), cell(at(one, "missing")));
        text.push_str(&format!("{} {missing}\n", styled(WARN, "warning:")));
    }
    if !built_in.is_empty() {
        let count = built_in.len();
        text.push_str(&format!(
            "{count} built-in integrations have no credential: `doorward integration list`\n"
        ));
    }
    for warning in at(value, "warnings").as_array().into_iter().flatten() {
        text.push_str(&format!("{} {}\n", styled(WARN, "warning:"), cell(warning)));
    }
    text.push_str(next);
    text
}
