//! `doorward capability`: ask for one, narrow it without anybody's help, use, list and revoke.

use std::io::IsTerminal;
use std::path::Path;

use model::{CapabilityId, Code, Inputs};
use policy::Token;
use serde_json::{Value, json};

use super::usage;
use crate::args::capability::{Capability, Caveats, Narrow, Request};
use crate::context::{self, Context};
use crate::failure::{Failure, Kind, Outcome};
use crate::print::Printer;
use crate::print::problem;
use crate::print::table::{self, at, cell};
use crate::typed;

/// Does one of them.
pub(crate) fn run(context: &Context, args: Capability) -> Outcome {
    match args {
        Capability::Request(args) => request(context, args),
        Capability::Narrow(args) => narrow(context, args),
        Capability::Use(args) => usage::run(context, &args),
        Capability::List => list(context),
        Capability::Revoke { id } => revoke(context, &id),
        Capability::Validate { capability } => validate(context, &capability),
    }
}

/// `--param name=value`, several, as a JSON object.
fn params(written: &[String]) -> Outcome<Value> {
    let pairs = written.iter().map(|param| {
        let wrong = || Failure::usage("a parameter is written `name=value`").hint("`--param channels=C1,C2`");
        param.split_once('=').map(|(name, value)| (name.to_owned(), Value::from(value))).ok_or_else(wrong)
    });
    Ok(Value::Object(pairs.collect::<Outcome<_>>()?))
}

fn request(context: &Context, args: Request) -> Outcome {
    let Request { principal, caveats, output } = args;
    let mut inputs = words(&caveats);
    if let Some(preset) = caveats.preset {
        inputs.insert("preset".to_owned(), preset);
        if !caveats.params.is_empty() {
            inputs.insert("params".to_owned(), params(&caveats.params)?.to_string());
        }
    }
    inputs.insert("for".to_owned(), principal.to_string());
    let answered = match context.operate("capability.request", inputs, None) {
        // Programs read the status: a denied request was asked and answered.
        Err(failure) if is_denied(&failure) && context.printer.is_json() && output.is_none() => {
            return context.printer.json(&problem::document(&failure));
        }
        other => other?,
    };
    let mut value = answered.value;
    let text = value.get("token").and_then(Value::as_str).unwrap_or_default().to_owned();
    let token = Token::parse(&text)?;
    let said = format!(
        "A capability for `{principal}`, grant {}, until {}.\n{}",
        cell(at(&value, "grant")),
        cell(at(&value, "expires")),
        listed(at(&value, "caveats"))
    );
    if let Some(fields) = value.as_object_mut() {
        fields.insert("status".to_owned(), json!("granted"));
        fields.insert("evidence".to_owned(), json!(answered.evidence));
        fields.remove("token");
    }
    hand_out(context, &token, output.as_deref(), value, &said)
}

/// Needs no home, no network and no key.
fn narrow(context: &Context, args: Narrow) -> Outcome {
    let Narrow { capability, caveats, output } = args;
    if caveats.preset.is_some() {
        return Err(Failure::usage("a preset is expanded by the broker, when a capability is asked for")
            .hint(
                "`doorward capability request --preset ...`, or narrow with `--operations` and `--resources`",
            ));
    }
    let words = words(&caveats);
    if words.is_empty() {
        return Err(Failure::usage("nothing was said that the new capability should not be able to do")
            .hint("for example `--operations slack/chat.post` or `--expires 5m`"));
    }
    let token = typed::capability(&capability)?;
    let now = context::now();
    let id = CapabilityId::new(now, crypto::array().map_err(|error| Failure::of(&error))?);
    let added = broker::caveats::read(&words, now)?;
    let said: Vec<String> = added.iter().map(ToString::to_string).collect();
    let narrowed = token.narrow(&added, id)?;
    let document =
        json!({ "status": "narrowed", "grant": narrowed.grant(), "capability": id, "caveats": said });
    let text = format!("Narrowed, as {id}.\n{}", listed(at(&document, "caveats")));
    hand_out(context, &narrowed, output.as_deref(), document, &text)
}

fn list(context: &Context) -> Outcome {
    let answered = context.ask("capability.list", &[])?;
    context.printer.answer(&answered.value, |value| {
        let columns = [
            ("grant", "grant"),
            ("for", "for"),
            ("state", "state"),
            ("expires", "expires"),
            ("limits", "caveats"),
        ];
        table::of(
            at(value, "grants"),
            &columns,
            "Nothing was given yet. `doorward capability request --for NAME` asks.",
        )
    })
}

fn revoke(context: &Context, id: &str) -> Outcome {
    let answered = context.ask("capability.revoke", &[("id", id)])?;
    context
        .printer
        .answer(&answered.value, |_| format!("Revoked `{id}`, and everything that was narrowed from it."))
}

fn validate(context: &Context, file: &Path) -> Outcome {
    let token = typed::capability(file)?;
    let payload = memory::Secret::new(token.expose(|text| text.as_bytes().to_vec()))
        .map_err(|error| Failure::of(&error))?;
    let answered = context.operate("capability.validate", Inputs::new(), Some(payload))?;
    context.printer.answer(&answered.value, |value| {
        let facts = [
            ("state", cell(at(value, "state"))),
            ("grant", cell(at(value, "grant"))),
            ("for", cell(at(value, "for"))),
        ];
        let blocks = at(value, "blocks").as_array().cloned().unwrap_or_default();
        let blocks: String = blocks
            .iter()
            .map(|block| format!("{}\n{}", cell(at(block, "capability")), listed(at(block, "caveats"))))
            .collect();
        format!("{}{blocks}", table::facts(&facts))
    })?;
    if at(&answered.value, "valid").as_bool() == Some(true) { Ok(()) } else { Err(Failure::silent()) }
}

/// Gives a capability to its holder: into a file for its owner only, or alone on stdout, so that `$(...)` works.
fn hand_out(
    context: &Context,
    token: &Token,
    output: Option<&Path>,
    mut document: Value,
    said: &str,
) -> Outcome {
    if let Some(path) = output {
        token.expose(|text| store::files::replace(path, format!("{text}\n").as_bytes(), 0o600))?;
        if let Some(fields) = document.as_object_mut() {
            fields.insert("file".to_owned(), json!(path));
        }
        return context.printer.answer(&document, |_| format!("{said}It is in `{}`.", path.display()));
    }
    if context.printer.is_json() {
        if let Some(fields) = document.as_object_mut() {
            fields.insert("token".to_owned(), token.expose(|text| json!(text)));
        }
        return context.printer.json(&document);
    }
    if std::io::stdout().is_terminal() {
        Printer::say(said.trim_end());
    }
    token.expose(Printer::text)
}

/// The caveats as the words and values that the broker reads as well.
fn words(caveats: &Caveats) -> Inputs {
    let Caveats {
        integrations,
        operations,
        access,
        resources,
        paths,
        hosts,
        methods,
        not_before,
        expires,
        uses,
        rate,
        cidr,
        hours,
        environment,
        purpose,
        holder,
        approval,
        preset: _,
        params: _,
    } = caveats;
    let lists = [
        ("integrations", integrations),
        ("operations", operations),
        ("resources", resources),
        ("paths", paths),
        ("hosts", hosts),
        ("methods", methods),
        ("cidr", cidr),
        ("environment", environment),
    ];
    let uses = uses.map(|uses| uses.to_string());
    let texts = [
        ("access", access),
        ("not_before", not_before),
        ("expires", expires),
        ("uses", &uses),
        ("rate", rate),
        ("hours", hours),
        ("purpose", purpose),
        ("holder", holder),
        ("approval", approval),
    ];
    let lists =
        lists.into_iter().filter(|(_, list)| !list.is_empty()).map(|(word, list)| (word, list.join(",")));
    let texts = texts.into_iter().filter_map(|(word, text)| Some((word, text.clone()?)));
    lists.chain(texts).map(|(word, value)| (word.to_owned(), value)).collect()
}

fn listed(caveats: &Value) -> String {
    caveats.as_array().into_iter().flatten().map(|caveat| format!("  {}\n", cell(caveat))).collect()
}

fn is_denied(failure: &Failure) -> bool {
    matches!(failure.kind, Kind::Refused(Code::Denied, _))
}
