//! The steps: each does one thing as a person would, and checks what came of it.

use std::path::Path;

use super::Shown;
use super::curl::Exchange;
use super::stage::Stage;
use crate::failure::{Failure, Outcome};

/// One step.
type Act = fn(&mut Stage) -> Outcome<Shown>;

/// Every step, in order.
pub(super) const ALL: [(&str, Act); 9] = [
    ("put", put),
    ("request", request),
    ("read", read),
    ("refuse", refuse),
    ("narrow", narrow),
    ("mask", mask),
    ("never", never),
    ("verify", verify),
    ("tamper", tamper),
];

fn put(stage: &mut Stage) -> Outcome<Shown> {
    let secret = stage.secret.clone();
    stage.program.run(&["secret", "put", "notes/token"], secret.as_bytes())?.held(&["secret", "put"])?;
    shown(
        "The service's secret goes in once, and nothing can show it again.",
        "doorward secret put notes/token < secret",
    )
}

fn request(stage: &mut Stage) -> Outcome<Shown> {
    let file = stage.capability_file();
    let path = file.to_string_lossy();
    let arguments = [
        "capability",
        "request",
        "--for",
        "demo-agent",
        "--integrations",
        "notes",
        "--access",
        "read",
        "--expires",
        "15m",
        "--output",
        &path,
    ];
    stage.program.run(&arguments, b"")?.held(&["capability", "request"])?;
    shown(
        "An agent gets a capability instead: it may read notes, for 15 minutes.",
        &format!("doorward {}", arguments.join(" ")),
    )
}

fn read(stage: &mut Stage) -> Outcome<Shown> {
    let file = stage.capability_file();
    let exchange = stage.ask("GET", "/notes", &file)?;
    status(&exchange, 200)?;
    holds(exchange.output.contains("Water the plants"), "the service's answer came back")?;
    let name = stage.caller.name();
    done(format!("With it, {name} reads the notes: 200. The broker put the secret on the request."), exchange)
}

fn refuse(stage: &mut Stage) -> Outcome<Shown> {
    let (file, before) = (stage.capability_file(), stage.service.notes());
    let exchange = stage.ask("POST", "/notes", &file)?;
    status(&exchange, 403)?;
    holds(exchange.output.contains("denied"), "the answer says `denied`")?;
    holds(stage.service.notes() == before, "nothing was written")?;
    done("Writing is refused: 403 `denied`. The service never saw the request.".to_owned(), exchange)
}

fn narrow(stage: &mut Stage) -> Outcome<Shown> {
    let (whole, narrower) = (stage.capability_file(), stage.file("narrower"));
    let (from, to) = (whole.to_string_lossy(), narrower.to_string_lossy());
    let arguments =
        ["capability", "narrow", "--capability", &from, "--operations", "notes/notes.list", "--output", &to];
    stage.program.offline(&arguments)?.held(&["capability", "narrow"])?;
    status(&stage.ask("GET", "/echo", &whole)?, 200)?;
    status(&stage.ask("GET", "/echo", &narrower)?, 403)?;
    status(&stage.ask("GET", "/notes", &narrower)?, 200)?;
    shown(
        "The agent gives a narrower one to its helper, without asking anybody. That one lists notes, and nothing else.",
        &format!("doorward {}", arguments.join(" ")),
    )
}

fn mask(stage: &mut Stage) -> Outcome<Shown> {
    let file = stage.capability_file();
    let exchange = stage.ask("GET", "/echo", &file)?;
    status(&exchange, 200)?;
    holds(exchange.output.contains("you_sent"), "the service sent back what it got")?;
    holds(!exchange.output.contains(&stage.secret), "the secret is not in the reply")?;
    done(
        "A service that sends the secret back does not leak it: it is masked on the way.".to_owned(),
        exchange,
    )
}

fn never(stage: &mut Stage) -> Outcome<Shown> {
    let (shown_it, turned_away) = stage.service.counted();
    holds(shown_it >= 4 && turned_away == 0, "the service got its secret each time")?;
    if let Some(how) = stage.leaked() {
        return Err(Failure::new(format!("the caller held the secret {how}")));
    }
    let name = stage.caller.name();
    Ok(Shown {
        text: format!(
            "The service got its secret {shown_it} times; {name} never had it: not in its arguments, its environment or its output."
        ),
        command: None,
    })
}

fn verify(stage: &mut Stage) -> Outcome<Shown> {
    let (export, key) = (stage.file("evidence.jsonl"), stage.file("evidence.key"));
    let (file, key_file) = (export.to_string_lossy(), key.to_string_lossy());
    let said = stage.program.json(&["evidence", "key"], b"")?;
    let text = said.get("verifier_key").and_then(serde_json::Value::as_str).unwrap_or_default();
    store::files::replace(&key, text.as_bytes(), 0o644)?;
    let arguments = ["evidence", "verify", &file, "--key-file", &key_file];
    let mut records = String::new();
    for _ in 0..LOOKS {
        let exported = stage.program.run(&["evidence", "export"], b"")?.held(&["evidence", "export"])?;
        store::files::replace(&export, &exported.stdout, 0o600)?;
        let mut asked = arguments.to_vec();
        asked.push("--json");
        let printed = stage.program.offline(&asked)?.held(&["evidence", "verify"])?;
        let said: serde_json::Value = serde_json::from_slice(&printed.stdout)
            .map_err(|error| Failure::doing("could not read the verification", &error))?;
        let number = |name: &str| said.get(name).and_then(serde_json::Value::as_u64).unwrap_or(0);
        records = format!(
            "{} records, {} of them signed",
            number("records"),
            number("records").saturating_sub(number("unsigned"))
        );
        // A checkpoint is signed each second; what was asked meanwhile waits for the next one.
        if number("unsigned") < number("records") / 2 {
            break;
        }
        std::thread::sleep(PAUSE);
    }
    shown(
        &format!(
            "All of it is in the evidence, which anybody can verify with the public key alone: {records}."
        ),
        &format!("doorward {}", arguments.join(" ")),
    )
}

fn tamper(stage: &mut Stage) -> Outcome<Shown> {
    let (export, changed, key) =
        (stage.file("evidence.jsonl"), stage.file("changed.jsonl"), stage.file("evidence.key"));
    change_one_byte(&export, &changed)?;
    let (file, key_file) = (changed.to_string_lossy(), key.to_string_lossy());
    let arguments = ["evidence", "verify", &file, "--key-file", &key_file];
    let printed = stage.program.offline(&arguments)?;
    let said = String::from_utf8_lossy(&printed.stdout).trim().to_owned();
    holds(!printed.status.success(), "the verification fails")?;
    holds(said.contains("line "), "it names the place")?;
    shown(
        &format!("One byte changed in a copy is found, with its place: {said}"),
        &format!("doorward {}", arguments.join(" ")),
    )
}

/// Changes who did it, in the middle of the evidence: one character of the name.
fn change_one_byte(from: &Path, to: &Path) -> Outcome {
    let mut bytes = std::fs::read(from)
        .map_err(|error| Failure::doing(format!("could not read `{}`", from.display()), &error))?;
    let name = b"demo-agent";
    let place = bytes.windows(name.len()).position(|window| window == name);
    let byte = place
        .and_then(|place| bytes.get_mut(place))
        .ok_or_else(|| Failure::new("the evidence does not say who did it"))?;
    *byte = b'D';
    Ok(store::files::replace(to, &bytes, 0o600)?)
}

fn status(exchange: &Exchange, wanted: u16) -> Outcome {
    if exchange.status == wanted {
        return Ok(());
    }
    let body = exchange.output.lines().last().unwrap_or_default();
    Err(Failure::new(format!("expected {wanted}, the reply was {}: {body}", exchange.status)))
}

fn holds(it: bool, what: &str) -> Outcome {
    if it { Ok(()) } else { Err(Failure::new(format!("this should hold, and does not: {what}"))) }
}

fn done(text: String, exchange: Exchange) -> Outcome<Shown> {
    Ok(Shown { text, command: Some(exchange.command) })
}

fn shown(text: &str, command: &str) -> Outcome<Shown> {
    Ok(Shown { text: text.to_owned(), command: Some(command.to_owned()) })
}

/// How often the evidence is looked at until a checkpoint covers what was done.
const LOOKS: usize = 10;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(250);
