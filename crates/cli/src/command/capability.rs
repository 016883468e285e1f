//! `doorward capability`: ask for one, narrow it without anybody's help, use, list and revoke.

use std::io::IsTerminal;
use std::path::Path;

use model::{CapabilityId, Code, Inputs};
use policy::Token;
use serde_json::{Value, json};

use super::agent::{aloud, desk};
use super::usage;
use crate::args::agent::At;
use crate::args::approval::Approved;
use crate::args::capability::{Capability, Caveats, Narrow, OfAgent, Request, Revoke, Use, Validate};
use crate::args::vault::{MANUALLY, Out};
use crate::context::{self, Context};
use crate::failure::{Failure, Kind, Outcome};
use crate::line::output::Rights;
use crate::line::wanted::Output;
use crate::print::problem;
use crate::print::table::{self, at, cell};
use crate::print::{self, Printer};
use crate::typed;

/// Does one of them.
pub(crate) fn run(context: &Context, args: Capability) -> Outcome {
    match args {
        Capability::Request(args) if args.principal.is_some() => request(context, args),
        Capability::Request(args) => of_agent(context, None, args.agent, &args.caveats, args.out),
        Capability::Narrow(args) => match &args.id {
            Some(id) => of_agent(context, Some(&id.clone()), args.agent, &args.caveats, args.out),
            None => narrow(context, args),
        },
        Capability::Use(args) => used(context, args),
        Capability::List(args) => {
            let socket = args.at.socket_path.clone();
            match args.filter() {
                Some(filter) => aloud(context.printer, desk(context, socket)?.list(&filter)),
                None => list(context),
            }
        }
        Capability::Revoke(Revoke { id, reason: None, at: At { socket_path: None } }) => revoke(context, &id),
        Capability::Revoke(Revoke { id, reason, at }) => {
            let reason = reason.as_deref().unwrap_or(MANUALLY);
            aloud(context.printer, desk(context, at.socket_path)?.revoke(&id, reason))
        }
        Capability::Validate(Validate { capability, context: known, at }) => match named(&capability) {
            Some(id) => aloud(context.printer, desk(context, at.socket_path)?.validate(id, known.as_deref())),
            None => validate(context, &capability),
        },
        Capability::Status(at) => aloud(context.printer, desk(context, at.socket_path)?.capability_status()),
    }
}

/// A request or a narrowing that the agent is asked for.
fn of_agent(context: &Context, id: Option<&str>, agent: OfAgent, caveats: &Caveats, out: Out) -> Outcome {
    let foreign = words(caveats).into_keys().find(|word| !matches!(word.as_str(), "purpose" | "holder"));
    if let Some(word) = foreign.or_else(|| caveats.preset.is_some().then(|| "preset".to_owned())) {
        let flag = word.replace('_', "-");
        return Err(Failure::usage(format!("`--{flag}` limits a capability for the gateway, and this is one of the agent"))
            .hint("`--ttl`, `--max-uses` and `--constraints` limit one of the agent; `--for NAME` asks for one for the gateway"));
    }
    if id.is_none() && agent.actions.is_empty() {
        return Err(Failure::usage("nothing was said that may be done with it").hint("`--action read`"));
    }
    let desk = desk(context, agent.at.socket_path.clone())?;
    let wanted = agent.wanted(caveats, out);
    let asked = match id {
        Some(id) => desk.narrow(id, &wanted),
        None => desk.request(&wanted),
    };
    aloud(context.printer, asked)
}

/// By the gateway, with a capability from a file; or by the agent, with the id of one.
fn used(context: &Context, args: Use) -> Outcome {
    let Use { mut words, capability, mut how, gateway, include, approved, at } = args;
    how.headers.extend(said(&approved)?);
    let file = match capability {
        Some(path) => match named(&path) {
            Some(id) => {
                words.insert(0, id.to_owned());
                None
            }
            None => Some(path),
        },
        None => None,
    };
    match (file, words.as_slice()) {
        (Some(capability), [method, path]) => {
            let integration = how.integration.ok_or_else(|| {
                Failure::usage("the request has no integration").hint("`--integration NAME METHOD PATH`")
            })?;
            let (method, path) = (method.clone(), path.clone());
            let (data, headers, integration) = (how.data, how.headers, integration.parse()?);
            usage::run(
                context,
                &usage::Use { capability, integration, method, path, data, headers, gateway, include },
            )
        }
        (None, [id, request @ ..]) if id.starts_with(CAPABILITY) => {
            let how = crate::line::how::read(how, request)?;
            aloud(context.printer, desk(context, at.socket_path)?.use_it(id, &how))
        }
        _ => Err(Failure::usage("it is not clear which capability is to be used, and how").hint(
            "`--capability FILE --integration NAME METHOD PATH`, or `cap_... --integration NAME METHOD PATH`",
        )),
    }
}

/// What is said of approvals, as headers.
fn said(approved: &Approved) -> Outcome<Vec<String>> {
    let mut headers = Vec::new();
    headers.extend(approved.approval.map(|id| format!("x-doorward-approval: {id}")));
    if let Some(reason) = approved.reason.as_deref().filter(|_| approved.break_glass) {
        let reason = broker::presented::broken_glass(reason)?;
        headers.push("x-break-glass: true".to_owned());
        headers.push(format!("x-break-glass-reason: {reason}"));
    }
    Ok(headers)
}

/// The id of a capability of the agent, where this is one and no file.
fn named(path: &Path) -> Option<&str> {
    path.to_str().filter(|text| text.starts_with(CAPABILITY) && !text.contains(['/', '.']))
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
    let Request { principal, caveats, out, agent } = args;
    if agent.is_said() {
        return Err(Failure::usage(
            "`--for` asks for a capability for the gateway, and other flags are for one of the agent",
        )
        .hint(
            "limit it with `--operations`, `--resources`, `--expires` and `--uses`, or leave `--for` out",
        ));
    }
    let Some(principal) = principal else {
        return Err(Failure::usage("nobody was named who will hold it").hint("`--for NAME`"));
    };
    let output = Output::from(out);
    let rights = output.rights()?;
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
        Err(failure) if is_denied(&failure) && context.printer.is_json() && output.file.is_none() => {
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
    hand_out(context, &token, (&output, rights), value, &said)
}

/// Needs no home, no network and no key.
fn narrow(context: &Context, args: Narrow) -> Outcome {
    let Narrow { id: _, capability, caveats, out, agent } = args;
    if agent.is_said() {
        return Err(Failure::usage(
            "a capability from a file is narrowed by caveats, and other flags are for one of the agent",
        )
        .hint("`--expires 5m`, `--uses 1`; or `doorward capability narrow cap_... --ttl 300`"));
    }
    let output = Output::from(out);
    let rights = output.rights()?;
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
    hand_out(context, &narrowed, (&output, rights), document, &text)
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
    (output, rights): (&Output, Rights),
    mut document: Value,
    said: &str,
) -> Outcome {
    if let Some(path) = &output.file {
        token.expose(|text| rights.write(path, format!("{text}\n").as_bytes()))?;
        if let Some(fields) = document.as_object_mut() {
            fields.insert("file".to_owned(), print::path(path));
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

/// How the id of a capability begins.
const CAPABILITY: &str = "cap_";
