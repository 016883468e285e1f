//! `doorward integration setup genai ORG`: the keys of all language models of a tenant at once.
//!
//! Typed one after another without echo, where an empty one is left out; or as lines such as `OPENAI=sk-...`, in a file or on stdin, as
//! people keep them in an environment file.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use catalog::{Group, Providers};
use memory::Secret;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::tenant_integration::{one, told};
use crate::args::integration::Setup;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::print::somebody_types;
use crate::print::table::{self, at};
use crate::typed;

/// Sets all of them up that are given.
pub(super) fn setup(context: &Context, args: &Setup) -> Outcome {
    if args.name.is_some() || args.metadata.is_some() {
        return Err(Failure::usage("`--name` and `--metadata` are for one provider"));
    }
    let catalog = super::integration::catalog(context)?;
    let providers = Providers::load(&context.home()?.providers(), &catalog)?;
    let given = match args.credential_file.as_deref() {
        None if somebody_types() => asked(&providers, args)?,
        None => listed(&providers, &typed::piped(&mut std::io::stdin().lock())?, "stdin")?,
        Some(path) if path == Path::new("-") => {
            listed(&providers, &typed::piped(&mut std::io::stdin().lock())?, "stdin")?
        }
        Some(path) => {
            let bytes =
                Zeroizing::new(std::fs::read(path).map_err(|error| {
                    Failure::doing(format!("could not read `{}`", path.display()), &error)
                })?);
            listed(&providers, &bytes, &path.display().to_string())?
        }
    };
    if given.is_empty() {
        return Err(Failure::new("no key was given").hint("lines such as `OPENAI=sk-...`, or type them"));
    }
    let mut rows: Vec<Value> = Vec::new();
    for (code, credential) in &given {
        let answer = one(context, args, code, credential)?;
        rows.push(match answer.get("problem") {
            Some(problem) => {
                json!({ "provider": code, "validation_status": "REFUSED", "message": told(problem) })
            }
            None => answer,
        });
    }
    let failed = |row: &Value| !matches!(at(row, "validation_status").as_str(), Some("VALID" | "PENDING"));
    let all_well = !rows.iter().any(failed);
    let document = json!({ "tenant": args.tenant, "success": all_well, "providers": rows });
    context.printer.answer(&document, |document| {
        let columns = [("provider", "provider"), ("status", "validation_status"), ("", "message")];
        table::of(at(document, "providers"), &columns, "There is none.")
    })?;
    if all_well { Ok(()) } else { Err(Failure::silent()) }
}

/// Those that are typed.
fn asked(providers: &Providers, args: &Setup) -> Outcome<BTreeMap<String, Secret>> {
    let mut given = BTreeMap::new();
    for (code, provider) in providers.all().filter(|(_, provider)| provider.group == Group::Genai) {
        let prompt = format!("{} of `{}` (empty: leave it as it is)", provider.title, args.tenant);
        if let Some(secret) = typed::maybe_secret(&prompt)? {
            given.insert(code.to_owned(), secret);
        }
    }
    Ok(given)
}

/// Those of a file. What stands behind a `=` is not repeated.
fn listed(providers: &Arc<Providers>, bytes: &[u8], place: &str) -> Outcome<BTreeMap<String, Secret>> {
    let mut given = BTreeMap::new();
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let wrong = |what: &str| {
            Failure::usage(format!("{place}:{number}: {what}")).hint("a line is `OPENAI=sk-...`")
        };
        let at = line.iter().position(|byte| *byte == b'=').ok_or_else(|| wrong("there is no `=`"))?;
        let (name, value) = line.split_at_checked(at).ok_or_else(|| wrong("there is no `=`"))?;
        let name = std::str::from_utf8(name).map_err(|_| wrong("the name is not text"))?;
        let name = name.trim().trim_start_matches("export ").trim();
        let bare = name.strip_suffix("_API_KEY").or_else(|| name.strip_suffix("_KEY")).unwrap_or(name);
        let (code, _) = providers
            .find(bare)
            .filter(|(_, provider)| provider.group == Group::Genai)
            .ok_or_else(|| wrong("the name is none of a language model's provider"))?;
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        let value = unquoted(value);
        if value.is_empty() {
            continue;
        }
        let secret = Secret::new(value.to_vec()).map_err(secrets::Error::from)?;
        if given.insert(code.to_owned(), secret).is_some() {
            return Err(wrong("there is another key for the same provider above"));
        }
    }
    Ok(given)
}

fn unquoted(value: &[u8]) -> &[u8] {
    for quote in [b"\"", b"'"] {
        let bare = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        if let Some(bare) = bare {
            return bare;
        }
    }
    value
}

/// What the providers of language models are called together.
pub(super) const GENAI: &str = "genai";
