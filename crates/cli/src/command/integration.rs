//! `doorward integration`: list, show, add, start from a template, run the cases.

use std::path::{Path, PathBuf};

use catalog::cases::{self, Outcome as CaseOutcome};
use catalog::{Catalog, Integration as Found};
use model::{Inputs, IntegrationName, SecretRef};
use serde_json::{Value, json};

use crate::args::integration::{Add, Integration, New, Test};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::print::table::{self, at, cell};
use crate::print::{self, BAD, GOOD, Printer, styled};

/// Does one of them.
pub(crate) fn run(context: &Context, args: Integration) -> Outcome {
    match args {
        Integration::List => list(context),
        Integration::Show { name: Some(name) } => show(context, &name),
        Integration::Show { name: None } => super::tenant_integration::architecture(context),
        Integration::Status { tenant } => super::tenant_integration::status(context, &tenant),
        Integration::Debug { tenant, api } => super::tenant_debug::run(context, &tenant, api.as_deref()),
        Integration::Setup(args) => super::tenant_integration::setup(context, &args),
        Integration::Add(args) => add(context, &args),
        // Taken out before: their flags may have one dash.
        Integration::Update(_) | Integration::Delete(_) => Err(crate::inplace::unread()),
        Integration::New(args) => new(context, args),
        Integration::Test(args) if args.live => live(context, &args),
        Integration::Test(args) => test(context, &args),
        Integration::Schema => Printer::text(&catalog::json_schema()),
    }
}

/// The built-in integrations, with the user's own where there is a home.
pub(crate) fn catalog(context: &Context) -> Outcome<Catalog> {
    let layer = context.home().ok().map(|home| home.integrations()).filter(|layer| layer.is_dir());
    Ok(Catalog::load(layer.as_deref())?)
}

fn list(context: &Context) -> Outcome {
    let answered = context.ask("integration.list", &[])?;
    context.printer.answer(&answered.value, |value| {
        let columns = [
            ("name", "name"),
            ("title", "title"),
            ("upstream", "upstream"),
            ("operations", "operations"),
            ("ready", "ready"),
            ("missing", "missing"),
        ];
        table::of(at(value, "integrations"), &columns, "There is none.")
    })
}

fn show(context: &Context, name: &IntegrationName) -> Outcome {
    let answered = context.ask("integration.show", &[("name", name.as_str())])?;
    context.printer.answer(&answered.value, described)
}

fn described(value: &Value) -> String {
    let base = format!("{}{}", cell(at(value, "upstream")), cell(at(value, "base_path")));
    let facts = table::facts(&[
        ("name", cell(at(value, "name"))),
        ("title", cell(at(value, "title"))),
        ("upstream", base),
        ("docs", cell(at(value, "docs"))),
        ("file", cell(at(value, "file"))),
    ]);
    let secrets = table::of(
        at(value, "secrets"),
        &[("secret", "field"), ("title", "title"), ("reference", "reference")],
        "It needs no secret.\n",
    );
    let operations = table::of(
        at(value, "operations"),
        &[
            ("operation", "name"),
            ("access", "access"),
            ("risk", "risk"),
            ("title", "title"),
            ("inputs", "inputs"),
        ],
        "It has no operations.\n",
    );
    let presets =
        table::of(at(value, "presets"), &[("preset", "name"), ("title", "title"), ("params", "params")], "");
    [facts, secrets, operations, presets]
        .iter()
        .filter(|part| !part.is_empty())
        .cloned()
        .collect::<Vec<_>>()
        .join("\n")
}

fn add(context: &Context, args: &Add) -> Outcome {
    let name = args.name.as_ref().unwrap_or(&args.kind);
    if args.domain.is_none()
        && args.base_url.is_none()
        && let Err(error @ catalog::Error::Domain { .. }) = catalog(context)?.get(&args.kind)
    {
        return Err(Failure::of(&error)
            .hint("say where yours is: `--domain DOMAIN`, such as `--domain ghe.example.com`"));
    }
    // JSON strings are YAML strings, whatever is in them.
    let quoted = |text: &str| json!(text).to_string();
    let mut text = format!("name: {name}\nextends: {}\n", args.kind);
    if let Some(domain) = &args.domain {
        text.push_str(&format!("domain: {}\n", quoted(domain)));
    }
    if let Some(url) = &args.base_url {
        text.push_str(&format!("base_url: {}\n", quoted(url)));
    }
    if !args.secrets.is_empty() {
        text.push_str("secrets:\n");
    }
    for secret in &args.secrets {
        // Neither part is repeated: people paste raw secrets where a reference belongs.
        let (field, reference) = secret.split_once('=').ok_or_else(|| {
            Failure::usage("a secret is written `FIELD=REFERENCE`, such as `token=env:SLACK_TOKEN`")
        })?;
        let reference: SecretRef = reference.parse()?;
        text.push_str(&format!("  {}: {}\n", quoted(field), quoted(reference.as_str())));
    }
    if args.dangerous_allow_private {
        text.push_str("dangerous_allow_private: true\n");
    }
    let payload = memory::Secret::new(text.into_bytes()).map_err(|error| Failure::of(&error))?;
    let inputs = Inputs::from([("name".to_owned(), name.to_string())]);
    let answered = context.operate("integration.add", inputs, Some(payload))?;
    context.printer.answer(&answered.value, described)
}

fn new(context: &Context, args: New) -> Outcome {
    let New { name, dir } = args;
    let folder = match dir {
        Some(dir) => dir,
        None => context.home()?.integrations(),
    };
    let (integration, cases) = catalog::template(&name);
    let file = folder.join(format!("{name}.yaml"));
    let case_file = case_file(&folder, &name);
    for path in [&file, &case_file] {
        if path.exists() {
            return Err(
                Failure::new(format!("`{}` exists already", path.display())).hint("choose another name")
            );
        }
    }
    if let Some(parent) = case_file.parent() {
        std::fs::create_dir_all(parent)
            .map_err(|error| Failure::doing(format!("could not make `{}`", parent.display()), &error))?;
    }
    store::files::replace(&file, integration.as_bytes(), 0o644)?;
    store::files::replace(&case_file, cases.as_bytes(), 0o644)?;
    let document = json!({ "status": "written", "files": [print::path(&file), print::path(&case_file)] });
    context.printer.answer(&document, |_| format!("{}\n{}", file.display(), case_file.display()))?;
    if Catalog::load(None)?.get(&name).is_ok() {
        Printer::say(&format!(
            "note: `{name}` is built in, and this file takes its place; with `extends: {name}` a file says only what differs"
        ));
    }
    if !context.printer.is_json() {
        Printer::say(&format!("Next: edit them, then `doorward integration test {name}`."));
    }
    Ok(())
}

fn test(context: &Context, args: &Test) -> Outcome {
    let layer: Option<PathBuf> = match &args.dir {
        Some(dir) => Some(dir.clone()),
        None => context.home().ok().map(|home| home.integrations()).filter(|layer| layer.is_dir()),
    };
    let catalog = Catalog::load(layer.as_deref())?;
    let names = args.name.as_ref().map_or_else(|| catalog.names(), |name| vec![name.clone()]);
    let (mut text, mut results, mut failed) = (String::new(), Vec::new(), 0_usize);
    for name in &names {
        let Some((integration, outcomes, uncovered)) = cases_of(&catalog, layer.as_deref(), name)? else {
            if args.name.is_some() {
                if let Err(error @ catalog::Error::Unknown { .. }) = catalog.get(name) {
                    return Err(error.into());
                }
                return Err(Failure::new(format!("`{name}` has no cases")).hint(
                    "they stand in `cases/NAME.yaml` beside it; `doorward integration new` shows how",
                ));
            }
            continue;
        };
        let wrong = outcomes.iter().filter(|outcome| !outcome.problems.is_empty()).count() + uncovered.len();
        failed += wrong;
        text.push_str(&report(&integration, &outcomes, &uncovered));
        results.push(json!({
            "name": name, "ok": wrong == 0, "cases": outcomes.len(), "uncovered": uncovered,
            "problems": outcomes.iter().filter(|outcome| !outcome.problems.is_empty())
                .map(|outcome| json!({ "case": outcome.place, "name": outcome.name, "problems": outcome.problems }))
                .collect::<Vec<_>>(),
        }));
    }
    context.printer.answer(&json!({ "ok": failed == 0, "integrations": results }), |_| text)?;
    if failed == 0 { Ok(()) } else { Err(Failure::silent()) }
}

type Run = (std::sync::Arc<Found>, Vec<CaseOutcome>, Vec<model::OperationName>);

/// Runs the cases of one integration; `None` where it has none.
fn cases_of(catalog: &Catalog, layer: Option<&Path>, name: &IntegrationName) -> Outcome<Option<Run>> {
    let own = layer.map(|layer| case_file(layer, name)).filter(|file| file.exists());
    let (text, shown) = match &own {
        Some(file) => (crate::typed::text(file)?, file.display().to_string()),
        None => match cases::built_in(name.as_str()) {
            Some(text) if !text.is_empty() => (text.to_owned(), format!("built-in cases of {name}")),
            _ => return Ok(None),
        },
    };
    let integration = match (&own, catalog.get(name)) {
        (Some(_), found) => found?,
        (None, _) => std::sync::Arc::new(cases::integration(name)?),
    };
    let cases = cases::load(&text, &shown)?;
    let outcomes = cases::run(&integration, &cases, &cases::canary);
    let uncovered = cases::uncovered(&integration, &cases);
    Ok(Some((integration, outcomes, uncovered)))
}

fn report(integration: &Found, outcomes: &[CaseOutcome], uncovered: &[model::OperationName]) -> String {
    let name = integration.name();
    let wrong: Vec<&CaseOutcome> = outcomes.iter().filter(|outcome| !outcome.problems.is_empty()).collect();
    let well = wrong.is_empty() && uncovered.is_empty();
    let mark = if well { styled(GOOD, "ok  ") } else { styled(BAD, "FAIL") };
    let mut text = format!("{mark} {name}: {} cases\n", outcomes.len());
    for outcome in wrong {
        for problem in &outcome.problems {
            text.push_str(&format!("     case {} ({}): {problem}\n", outcome.place, outcome.name));
        }
    }
    for operation in uncovered {
        text.push_str(&format!("     `{operation}` has no case\n"));
    }
    text
}

/// Sends the probe of an integration along the broker's path, through the gateway, with a capability for nothing else.
fn live(context: &Context, args: &Test) -> Outcome {
    let Some(name) = &args.name else { return Err(Failure::usage("`--live` needs a name")) };
    let found = catalog(context)?.get(name)?;
    let probe = found.probe().ok_or_else(|| {
        Failure::new(format!("`{name}` has no probe")).hint("`probe:` in its file names a harmless read")
    })?;
    let inputs = [
        ("for", "doctor"),
        ("integrations", name.as_str()),
        ("methods", probe.method().as_str()),
        ("expires", "1m"),
        ("uses", "1"),
        ("purpose", "integration-test"),
    ];
    let answered = context.ask("capability.request", &inputs)?;
    let token =
        policy::Token::parse(answered.value.get("token").and_then(Value::as_str).unwrap_or_default())?;
    let reply = super::usage::probe(context, &found, probe, &token)?;
    let unmet = probe.unmet(reply.status().as_u16(), reply.body());
    let document =
        json!({ "name": name, "ok": unmet.is_none(), "status": reply.status().as_u16(), "problem": unmet });
    context.printer.answer(&document, |_| match &unmet {
        None => format!("{} {name}: the credential works", styled(GOOD, "ok  ")),
        Some(problem) => format!("{} {name}: {problem}", styled(BAD, "FAIL")),
    })?;
    if unmet.is_none() { Ok(()) } else { Err(Failure::silent()) }
}

fn case_file(folder: &Path, name: &IntegrationName) -> PathBuf {
    folder.join("cases").join(format!("{name}.yaml"))
}
