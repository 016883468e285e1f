//! `doorward lists`: read allowlists and denylists, and say what they would decide. Needs no broker: the lists and the
//! catalogue are those of the files.

use std::path::Path;

use catalog::{Asked, Catalog};
use http::{HeaderMap, HeaderName, HeaderValue};
use model::{EvidenceId, Target, Timestamp};
use policy::lists::{File, Headers, Lists as Compiled, Request, Side};
use serde_json::json;

use crate::args::lists::{Explain, Files, Lists};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::print::table::{at, cell};
use crate::typed;

/// Does one of them.
pub(crate) fn run(context: &Context, args: Lists) -> Outcome {
    match args {
        Lists::Check(files) => check(context, &files),
        Lists::Explain(args) => explain(context, &args),
    }
}

fn check(context: &Context, files: &Files) -> Outcome {
    let (integrations, rules) = read(context, &super::integration::catalog(context)?, files)?.counts();
    let document = json!({ "ok": true, "integrations": integrations, "rules": rules });
    context.printer.answer(&document, |_| {
        let nobody = if rules == 0 { " Nobody is allowed anything by them." } else { "" };
        let many = if integrations == 1 { "integration" } else { "integrations" };
        format!("The lists are right: {rules} rules for {integrations} {many}.{nobody}")
    })
}

/// The files that were named, else those of the home.
fn read(context: &Context, catalog: &Catalog, files: &Files) -> Outcome<Compiled> {
    let Files { allowlist, denylist } = files;
    if allowlist.is_none() && denylist.is_none() {
        return Ok(broker::home_lists(&context.home()?.lists(), catalog)?);
    }
    let named = |side, path: &Path| Ok::<_, Failure>((side, path.display().to_string(), typed::text(path)?));
    let allow = allowlist.as_deref().map(|path| named(Side::Allow, path)).transpose()?;
    let deny = denylist.as_deref().map(|path| named(Side::Deny, path)).transpose()?;
    let texts: Vec<_> = allow.into_iter().chain(deny).collect();
    let files: Vec<File<'_>> =
        texts.iter().map(|(side, name, text)| File { side: *side, name, text }).collect();
    Ok(broker::read_lists(catalog, &files)?)
}

fn explain(context: &Context, args: &Explain) -> Outcome {
    let Explain { method, target, integration, caller, headers, body, files } = args;
    let catalog = super::integration::catalog(context)?;
    let lists = read(context, &catalog, files)?;
    let aliased = catalog.aliased(&integration.to_ascii_lowercase()).cloned();
    let parsed = || integration.parse().map_err(|error: model::ParseError| Failure::of(&error));
    let integration = &aliased.map_or_else(parsed, Ok)?;
    let found = catalog.get(integration)?;
    let target: Target = target.parse().map_err(|error: model::ParseError| Failure::of(&error))?;
    let body = match body.as_deref().map(|body| (body, body.strip_prefix('@'))) {
        None => Vec::new(),
        Some((_, Some(path))) => typed::bytes(Path::new(path))?,
        Some((text, None)) => text.as_bytes().to_vec(),
    };
    let lines = Lines(headers.iter().map(|line| header(line)).collect::<Outcome<_>>()?);
    let types: Vec<&str> =
        lines.0.get_all("content-type").iter().filter_map(|value| value.to_str().ok()).collect();
    let asked = Asked { method: *method, target: &target, content_types: &types, body: Some(&body) };
    let id = EvidenceId::new(Timestamp::from_millis(0), [0; 10]);
    // What can't be read as the operation whose path it has is `unknown` to lists.
    let call = found.call(id, &asked).or_else(|refusal| {
        let opaque = found.opaque(id, (*method, &target), None);
        opaque.map_err(|_| refusal)
    })?;
    let behind = found.stripped(&target);
    let request = Request {
        integration,
        caller: caller.as_deref(),
        method: *method,
        path: behind.path(),
        query: behind.query(),
        headers: &lines,
    };
    let verdict = lists.check(&request, &call, Some(&body));
    let answer = match (verdict.allowed_by(), verdict.denied_by()) {
        (Some(_), _) => "allow",
        (_, Some(_)) => "deny",
        _ => "silent",
    };
    let reason = verdict.reason().map(ToString::to_string);
    let document = json!({
        "answer": answer, "rule": verdict.allowed_by().or(verdict.denied_by()), "reason": reason,
        "observed": verdict.observed(), "operation": call.operation().as_str(),
    });
    context.printer.answer(&document, |value| {
        let rule = cell(at(value, "rule"));
        let why = reason.as_deref().unwrap_or("there are no lists");
        let mut text = match answer {
            "allow" => format!("allow: {rule}"),
            "deny" => format!("deny: {rule}: {why}"),
            _ => format!("silent: {why}; only a policy could allow it"),
        };
        if let Some(observed) = verdict.observed() {
            text.push_str(&format!("\nwould be denied by {observed}, which only observes"));
        }
        text
    })?;
    if answer == "allow" { Ok(()) } else { Err(Failure::silent()) }
}

/// `name: value`.
fn header(line: &str) -> Outcome<(HeaderName, HeaderValue)> {
    let wrong = || Failure::usage("a header is written `name: value`");
    let (name, value) = line.split_once(':').ok_or_else(wrong)?;
    let name = HeaderName::try_from(name.trim()).map_err(|_| wrong())?;
    Ok((name, HeaderValue::try_from(value.trim()).map_err(|_| wrong())?))
}

struct Lines(HeaderMap);

impl Lines {
    fn of(headers: &HeaderMap, name: &str) -> Vec<Vec<u8>> {
        net::headers::alike(headers, name).map(|(_, value)| value.as_bytes().to_vec()).collect()
    }
}

impl Headers for Lines {
    fn received(&self, name: &str) -> Vec<Vec<u8>> {
        Self::of(&self.0, name)
    }

    fn sent(&self, name: &str) -> Vec<Vec<u8>> {
        let mut left = self.0.clone();
        net::headers::outgoing(&mut left, net::headers::Cookies::Dropped);
        // As in a call: written otherwise and alone, it allows nothing.
        if left.contains_key(name) { Self::of(&left, name) } else { Vec::new() }
    }

    fn resembled(&self, name: &str) -> bool {
        net::headers::alike(&self.0, name).any(|(known, _)| known.as_str() != name)
    }
}
