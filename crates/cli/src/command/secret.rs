//! `doorward secret`: put, list, rotate, forget. Nothing here shows a secret.

use model::{Code, Inputs};
use serde_json::Value;

use crate::args::secret::{Forget, Put, Rotate, Secret};
use crate::context::Context;
use crate::failure::{Kind, Outcome};
use crate::print::table::{self, at, cell};
use crate::{start, typed};

/// Does one of them.
pub(crate) fn run(context: &Context, args: Secret) -> Outcome {
    match args {
        Secret::Put(args) => put(context, &args),
        Secret::List => list(context),
        Secret::Rotate(args) => rotate(context, args),
        Secret::Forget(args) => forget(context, &args),
    }
}

fn put(context: &Context, args: &Put) -> Outcome {
    let Put { name, rest, disclosable, imprint } = args;
    if !rest.is_empty() {
        return Err(start::as_argument());
    }
    let mut inputs = Inputs::from([("name".to_owned(), name.to_string())]);
    if *disclosable {
        inputs.insert("disclosable".to_owned(), "true".to_owned());
    }
    if *imprint {
        inputs.insert("imprint".to_owned(), "true".to_owned());
    }
    let secret = typed::secret(&format!("Secret for `{name}`"))?;
    let answered =
        context.operate("secret.put", inputs, Some(secret)).map_err(|failure| match failure.kind {
            Kind::Refused(Code::Conflict, _) => {
                failure.hint(format!("`doorward secret rotate {name}` stores the next version"))
            }
            _ => failure,
        })?;
    context.printer.answer(&answered.value, |value| stored(value, "Stored"))
}

fn rotate(context: &Context, args: Rotate) -> Outcome {
    let Rotate { name, rest, overlap, imprint } = args;
    if !rest.is_empty() {
        return Err(start::as_argument());
    }
    let mut inputs = Inputs::from([("name".to_owned(), name.to_string())]);
    if let Some(overlap) = overlap {
        model::parse_duration(&overlap)?;
        inputs.insert("overlap".to_owned(), overlap);
    }
    if imprint {
        inputs.insert("imprint".to_owned(), "true".to_owned());
    }
    let secret = typed::secret(&format!("Next version of `{name}`"))?;
    let answered = context.operate("secret.rotate", inputs, Some(secret))?;
    context.printer.answer(&answered.value, |value| stored(value, "Rotated"))
}

fn forget(context: &Context, args: &Forget) -> Outcome {
    let Forget { name, yes } = args;
    if !yes {
        typed::confirmed(&format!("Remove the bytes of `{name}` for good?"), "--yes")?;
    }
    let answered = context.ask("secret.forget", &[("name", name.as_str())])?;
    context
        .printer
        .answer(&answered.value, |_| format!("Forgot `{name}`. Its name stays known; its bytes are gone."))
}

fn list(context: &Context) -> Outcome {
    let answered = context.ask("secret.list", &[])?;
    context.printer.answer(&answered.value, |value| {
        table::of(
            at(value, "secrets"),
            &[("name", "name"), ("state", "state"), ("version", "current"), ("created", "created")],
            "No secrets yet. `doorward secret put slack/token` stores one.",
        )
    })
}

fn stored(value: &Value, did: &str) -> String {
    format!("{did} `{}`, version {}.", cell(at(value, "reference")), cell(at(value, "version")))
}
