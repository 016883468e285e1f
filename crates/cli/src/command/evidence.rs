//! `doorward evidence`: list, show, verify, export, and what to do when it is lost.
//!
//! Verifying a file needs nothing but the file and the public key: no home, no broker, no network.

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::path::Path;
use std::time::Duration;

use crypto::PublicKey;
use evidence::{Finding, Report, verify_export};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::args::evidence::{Evidence, Export, List, Verify};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::management::{Management, Who};
use crate::print::table::{self, at, cell};
use crate::print::{self, BAD, GOOD, Printer, styled};
use crate::{aside, place, typed, wire};

/// Does one of them.
pub(crate) fn run(context: &Context, args: Evidence) -> Outcome {
    match args {
        Evidence::List(args) => list(context, &args),
        Evidence::Show { id, tenant } => show(context, &id, tenant.as_deref()),
        Evidence::Verify(args) => verify(context, &args),
        Evidence::Export(args) => export(context, &args),
        Evidence::VerifyAudit { file } => verify_audit(context, &file),
        Evidence::Key => key(context),
        Evidence::AdmitLoss { reason } => admit_loss(context, reason),
    }
}

fn admit_loss(context: &Context, reason: String) -> Outcome {
    let inputs = [("reason".to_owned(), reason)].into();
    let management = Management::open_admitting_loss(context)?;
    let answered = management.only(&Who::default(), "evidence.admit_loss", inputs, None)?;
    if at(&answered.value, "lost").as_bool() != Some(true) {
        let failure = Failure::new(
            "no evidence is missing, as far as this home has seen, and its rows are not older than it",
        );
        return Err(failure.hint("`doorward evidence verify` looks at what is there"));
    }
    context.printer.answer(&answered.value, |value| {
        let signed = |name: &str| match at(value, name) {
            Value::Null => "nothing".to_owned(),
            there => format!("{} records", cell(at(there, "records"))),
        };
        let (seen, found) = (signed("seen"), signed("found"));
        if at(value, "what").as_str() == Some("rows") {
            return format!(
                "The rows of this home know of {found}, and there were {seen}. That it goes on with older rows is on record: \
                 {}. Revoke once more what was revoked since, and look at `doorward evidence list` for what else changed.",
                answered.evidence
            );
        }
        format!(
            "Of {seen} that were signed, {found} are there. That the others are lost is on record: {}.",
            answered.evidence
        )
    })
}

fn list(context: &Context, args: &List) -> Outcome {
    let List { since, until, principal, integration, operation, limit, tenant } = args;
    let limit = limit.map(|limit| limit.to_string());
    let given = [
        ("since", since),
        ("until", until),
        ("principal", principal),
        ("integration", integration),
        ("operation", operation),
        ("limit", &limit),
        ("tenant", tenant),
    ];
    let inputs: Vec<(&str, &str)> =
        given.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
    let answered = context.ask("evidence.list", &inputs)?;
    context.printer.answer(&answered.value, |value| {
        let columns = [
            ("time", "time"),
            ("id", "id"),
            ("event", "event"),
            ("principal", "principal"),
            ("door", "door"),
            ("integration", "integration"),
            ("operation", "operation"),
            ("resource", "resource"),
            ("result", "result"),
            ("status", "status"),
            ("code", "code"),
        ];
        table::of(at(value, "evidence"), &columns, "Nothing was recorded in this time.")
    })
}

/// Needs nothing but the file. What it proves is that the lines belong together; the evidence proves that they are ours. Where
/// there is a home, it knows the last line of its own log.
fn verify_audit(context: &Context, file: &Path) -> Outcome {
    let found = broker::agent::verify_audit(file)?;
    let home = context.home().ok().filter(|home| place::exists(home));
    if let Some(Ok(storage)) = home.map(place::reading) {
        let broker::agent::Ended { .. } = broker::agent::verify_audit_end(file, storage)?;
    }
    let value = json!({
        "verified": true, "lines": found.lines, "follows": found.follows, "last": found.last,
    });
    context.printer.answer(&value, |_| {
        let begins = if found.follows.is_empty() { "" } else { ", and follows another file" };
        format!("{} lines are whole{begins}. The next line will follow {}.", found.lines, found.last)
    })
}

fn show(context: &Context, id: &str, tenant: Option<&str>) -> Outcome {
    let inputs: Vec<(&str, &str)> =
        [Some(("id", id)), tenant.map(|tenant| ("tenant", tenant))].into_iter().flatten().collect();
    let answered = context.ask("evidence.show", &inputs)?;
    context.printer.answer(&answered.value, |value| {
        let records = at(value, "records").as_array().cloned().unwrap_or_default();
        let shown = records.iter().filter_map(|record| {
            let fields = at(record, "text").as_object()?;
            let facts: Vec<(&str, String)> =
                fields.iter().map(|(name, value)| (name.as_str(), cell(value))).collect();
            Some(table::facts(&facts))
        });
        let signed = match at(value, "checkpoint") {
            Value::Null => "Not signed yet.",
            _ => "Signed by a checkpoint; `--json` shows the proof.",
        };
        format!("{}\n{signed}", shown.collect::<Vec<_>>().join("\n"))
    })
}

fn key(context: &Context) -> Outcome {
    let key = wire::verifier_key(&*place::reading(context.home()?)?)?;
    context.printer.answer(&json!({ "verifier_key": key }), |_| key.clone())
}

fn export(context: &Context, args: &Export) -> Outcome {
    // Looked at first: an export takes long, and what stands there may be the only copy of an older one.
    if let Some(path) = args.out.as_ref().filter(|path| path.symlink_metadata().is_ok()) {
        let failure = Failure::new(format!("there is a file `{}` already", path.display()));
        return Err(failure.hint("choose another name, or move it away"));
    }
    let inputs: Vec<(&str, &str)> = args.tenant.iter().map(|tenant| ("tenant", tenant.as_str())).collect();
    let answered = context.ask("evidence.export", &inputs)?;
    let text = answered.value.get("text").and_then(Value::as_str).unwrap_or_default();
    let Some(path) = &args.out else {
        // The export is lines of JSON already, whatever the format.
        return Printer::text(text);
    };
    store::files::replace(path, text.as_bytes(), 0o600)?;
    let document = json!({ "file": print::path(path), "records": at(&answered.value, "records") });
    context.printer.answer(&document, |value| {
        format!("Wrote {} records to `{}`.", cell(at(value, "records")), path.display())
    })
}

fn verify(context: &Context, args: &Verify) -> Outcome {
    let Some(path) = &args.file else { return verify_home(context) };
    let key = match (&args.key, &args.key_file) {
        (Some(text), _) => public_key(text)?,
        (None, Some(file)) => public_key(&typed::text(file)?)?,
        (None, None) => {
            return Err(Failure::usage("a file is verified with a public key").hint(
                "`--key KEY`, where `doorward evidence key` prints it on the machine that wrote the evidence",
            ));
        }
    };
    let found = if path.as_os_str() == "-" {
        verify_export(&mut BufReader::new(std::io::stdin().lock()), &key)
    } else {
        with_progress(path, &key)?
    };
    report(context, found)
}

/// A bar on stderr, where somebody looks and it takes longer than a moment.
fn with_progress(path: &Path, key: &PublicKey) -> Outcome<Result<Report, Finding>> {
    let file = File::open(path)
        .map_err(|error| Failure::doing(format!("could not read `{}`", path.display()), &error))?;
    let size = file.metadata().map_or(0, |seen| seen.len());
    if size < LARGE || !std::io::stderr().is_terminal() {
        return Ok(verify_export(&mut BufReader::new(file), key));
    }
    let style = ProgressStyle::with_template("verifying {bar:40} {bytes}/{total_bytes} {eta}");
    let bar = ProgressBar::new(size).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(200));
    let mut read: Box<dyn BufRead> = Box::new(BufReader::new(Counted { file, bar: bar.clone() }));
    let found = verify_export(&mut *read, key);
    bar.finish_and_clear();
    Ok(found)
}

struct Counted {
    file: File,
    bar: ProgressBar,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(into)?;
        self.bar.inc(u64::try_from(count).unwrap_or(0));
        Ok(count)
    }
}

fn report(context: &Context, found: Result<Report, Finding>) -> Outcome {
    match found {
        // A chain begins with a record and has a checkpoint: a file without any was cut off, or is of nothing.
        Ok(report) if report.records == 0 && report.checkpoints == 0 => {
            let document = json!({ "verified": false, "finding": NOTHING, "records": 0, "checkpoints": 0 });
            context.printer.answer(&document, |_| format!("{} {NOTHING}", styled(BAD, "EMPTY")))?;
            Err(Failure::silent())
        }
        Ok(report) => {
            let document = json!({
                "verified": true, "records": report.records, "checkpoints": report.checkpoints,
                "signed_until": report.signed_until, "unsigned": report.unsigned, "open": report.open.len(),
            });
            context.printer.answer(&document, verified)
        }
        Err(finding) => {
            let document = json!({ "verified": false, "finding": finding.to_string() });
            context.printer.answer(&document, |_| format!("{} {finding}", styled(BAD, "CHANGED")))?;
            Err(Failure::silent())
        }
    }
}

fn verify_home(context: &Context) -> Outcome {
    let answered = context.ask("evidence.verify", &[])?;
    let well = at(&answered.value, "verified").as_bool() == Some(true);
    context.printer.answer(&answered.value, |value| {
        if well {
            verified(value)
        } else {
            format!("{} {}", styled(BAD, "CHANGED"), cell(at(value, "finding")))
        }
    })?;
    for file in context.home().map(aside::files).unwrap_or_default() {
        Printer::say(&format!("note: {}", aside::said(&file)));
    }
    if well { Ok(()) } else { Err(Failure::silent()) }
}

fn verified(value: &Value) -> String {
    let many = if at(value, "checkpoints").as_u64() == Some(1) { "" } else { "s" };
    format!(
        "{} {} records under {} checkpoint{many}, signed until {}; {} not signed yet, {} open.",
        styled(GOOD, "unchanged"),
        cell(at(value, "records")),
        cell(at(value, "checkpoints")),
        cell(at(value, "signed_until")),
        cell(at(value, "unsigned")),
        cell(at(value, "open")),
    )
}

/// A public key as `evidence key` prints it: `NAME+HASH+BASE64`. The hash finds mistyping.
pub(crate) fn public_key(text: &str) -> Outcome<PublicKey> {
    let text = text.trim();
    let wrong = || {
        Failure::usage("this is not a public key of evidence")
            .hint("`doorward evidence key` prints one: `doorward/local+...+...`")
    };
    let (name, rest) = text.split_once('+').ok_or_else(wrong)?;
    let (_, coded) = rest.split_once('+').ok_or_else(wrong)?;
    let bytes = crypto::from_base64(coded).map_err(|_| wrong())?;
    let key: [u8; 32] = bytes.get(1..).and_then(|key| key.try_into().ok()).ok_or_else(wrong)?;
    let key = PublicKey::new(key);
    let origin = evidence::Origin::parse(name).map_err(|_| wrong())?;
    if evidence::verifier_key(&origin, &key) == text { Ok(key) } else { Err(wrong()) }
}

/// From this size on, verifying takes longer than a moment.
const NOTHING: &str = "nothing is in it: no record and no checkpoint, so it proves nothing";
const LARGE: u64 = 32 << 20;
