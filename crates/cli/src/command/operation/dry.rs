//! What would be done, without doing it: the exact command and the exact request, with the places of secrets named, and what
//! policies say. Nothing is sent, and no secret is looked at.

use catalog::Text;
use model::EvidenceId;
use serde_json::{Map, Value, json};

use super::Named;
use crate::args::operation::Run;
use crate::command::integration::catalog;
use crate::context::{self, Context};
use crate::failure::{Failure, Outcome};
use crate::print::table::{self, at, cell};
use crate::wire;

pub(super) fn run(context: &Context, args: &Run) -> Outcome {
    let catalog = catalog(context)?;
    let named = Named::find(&catalog, &args.name)?;
    let (integration, operation) = (&named.integration, named.operation()?);
    let inputs = named.inputs(args)?;
    let id = EvidenceId::new(context::now(), crypto::array().map_err(|error| Failure::of(&error))?);
    let call = integration.named(id, &named.name, inputs.clone())?;
    let cli = operation.cli().filter(|cli| cli.suits(call.inputs())).map(|cli| {
        let shown = integration.as_if_read(&call);
        let command = cli.command(&integration.shown_inputs(&named.name, &shown))?;
        let files = integration.program_files(&named.name);
        let files: Map<String, Value> =
            files.map(|(name, text)| (name.clone(), text.to_string().into())).collect();
        let found = wire::programs(context).map(|programs| programs.find(cli.program()));
        let found = found.ok().and_then(Result::ok).map(|program| program.path().display().to_string());
        Ok::<Value, Failure>(json!({
            "program": cli.program(),
            "found": found,
            "args": command.args.iter().map(Text::to_string).collect::<Vec<_>>(),
            "stdin": command.stdin,
            "files": files,
            "more_files": command.files,
        }))
    });
    let cli = cli.transpose()?;
    let request = match call.request() {
        None => None,
        Some((method, authority, target)) => {
            let message = integration.shown_body(&named.name, inputs)?;
            let body = message.body.map(|body| String::from_utf8_lossy(&body).into_owned());
            let schemes = integration.auth().iter().flat_map(catalog::AuthScheme::fields);
            let secrets: Vec<&str> = schemes.collect();
            Some(json!({
                "method": method.as_str(),
                "url": format!("{authority}{}", target.as_str()),
                "headers": message.headers,
                "body": body,
                "credential": secrets,
            }))
        }
    };
    let used = used(cli.as_ref(), request.as_ref());
    if used == "http" {
        // What a program does without, a request may need.
        integration.check_said(&named.name, call.inputs())?;
    }
    let held =
        args.capability.as_deref().map(|path| held(context, path, (&named, call.inputs()))).transpose()?;
    let decision = decision(context, (&named, call.resource().as_str()), held.as_ref())?;
    let document = json!({
        "operation": named.shown(),
        "dry_run": true,
        "would_use": used,
        "cli": cli,
        "request": request,
        "resource": call.resource().as_str(),
        "capability": held,
        "policy": decision,
    });
    context.printer.answer(&document, described)
}

/// What it would be done by.
fn used(cli: Option<&Value>, request: Option<&Value>) -> &'static str {
    match cli {
        Some(cli) if !at(cli, "found").is_null() => "cli",
        _ if request.is_some() => "http",
        _ => "none",
    }
}

/// What the capability says of itself: whether it stands, whose it is, what it is bound to, and which of that the call would keep.
fn held(
    context: &Context,
    path: &std::path::Path,
    (named, inputs): (&Named, &model::Inputs),
) -> Outcome<Value> {
    let token = super::perform::capability(path)?;
    // Inputs that are secret decide nothing, so they stay here.
    let shown = named.integration.shown_inputs(&named.name, inputs).into_owned();
    let about = [
        ("integration", named.integration.name().to_string()),
        ("operation", named.name.to_string()),
        ("inputs", json!(shown).to_string()),
    ];
    let about = about.map(|(name, value)| (name.to_owned(), value));
    let told = context.operate("capability.validate", model::Inputs::from(about), Some(token))?.value;
    let blocks = at(&told, "blocks").as_array().into_iter().flatten();
    let caveats: Vec<&Value> = blocks.flat_map(|block| at(block, "caveats").as_array()).flatten().collect();
    let [broken, open] = ["call.broken", "call.open"].map(|key| at(&told, key));
    Ok(
        json!({ "state": at(&told, "state"), "for": at(&told, "for"), "caveats": caveats, "broken": broken, "not_evaluated": open }),
    )
}

/// What policies say about this user, or about whoever holds the capability, and what its caveats say about the call. Those about who calls, from
/// where and how often are looked at when it is made.
fn decision(context: &Context, (named, resource): (&Named, &str), held: Option<&Value>) -> Outcome<Value> {
    let mut inputs = vec![
        ("integration", named.integration.name().as_str()),
        ("operation", named.name.as_str()),
        ("resource", resource),
    ];
    if let Some(held) = held {
        inputs.extend([("for", at(held, "for").as_str().unwrap_or_default()), ("roles", policy::HOLDER)]);
    }
    inputs.retain(|(_, value)| !value.is_empty());
    let mut decision = context.ask("policy.explain", &inputs)?.value;
    let state = held.map(|held| cell(at(held, "state"))).filter(|state| state != "active");
    let state = state.map(|state| format!("the capability is {state}"));
    let broken = held.and_then(|held| at(held, "broken").as_array()?.first());
    let broken = broken.map(|caveat| format!("the capability is limited to {}", cell(caveat)));
    if let (Some(why), Some(decision)) = (state.or(broken), decision.as_object_mut()) {
        decision.insert("answer".to_owned(), "deny".into());
        decision.insert("reason".to_owned(), why.into());
    }
    Ok(decision)
}

fn described(value: &Value) -> String {
    let quoted = |word: &Value| {
        let word = cell(word);
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,{}%+".contains(c);
        if !word.is_empty() && word.chars().all(plain) { word } else { format!("{word:?}") }
    };
    let words = at(value, "cli.args").as_array();
    let words = words.map(|args| args.iter().map(quoted).collect::<Vec<_>>().join(" "));
    let command = words.map(|words| format!("{} {words}", cell(at(value, "cli.program"))));
    let mut text = table::facts(&[
        ("operation", cell(at(value, "operation"))),
        ("would use", cell(at(value, "would_use"))),
        ("command", command.unwrap_or_default()),
        ("found", cell(at(value, "cli.found"))),
        ("stdin", cell(at(value, "cli.stdin"))),
        ("request", format!("{} {}", cell(at(value, "request.method")), cell(at(value, "request.url")))),
        ("body", cell(at(value, "request.body"))),
        ("credential", cell(at(value, "request.credential"))),
        ("resource", cell(at(value, "resource"))),
        ("policy", format!("{}: {}", cell(at(value, "policy.answer")), cell(at(value, "policy.reason")))),
    ]);
    if !at(value, "capability").is_null() {
        let caveats = at(value, "capability.caveats").as_array().into_iter().flatten();
        let caveats: Vec<String> = caveats.map(cell).collect();
        text.push_str(&table::facts(&[
            (
                "capability",
                format!("{} for {}", cell(at(value, "capability.state")), cell(at(value, "capability.for"))),
            ),
            ("only where", caveats.join("; ")),
        ]));
        let open: Vec<String> =
            at(value, "capability.not_evaluated").as_array().into_iter().flatten().map(cell).collect();
        text.push_str("What policies say is said for whoever holds it.\n");
        if !open.is_empty() {
            text.push_str(&format!(
                "Not evaluated, as it depends on who calls, from where and how often: {}\n",
                open.join("; ")
            ));
        }
    }
    for key in ["cli.files", "cli.more_files"] {
        for (name, file) in at(value, key).as_object().into_iter().flatten() {
            text.push_str(&format!("\nfile {name}:\n{}\n", cell(file)));
        }
    }
    text.push_str("\nNothing was sent.\n");
    text
}
