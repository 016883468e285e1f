//! `doorward seal` and `doorward unseal`: take the keys out of a running broker's memory, and give them back.

use serde_json::json;

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::management::Running;
use crate::typed;

/// Drops the keys of the running broker.
pub(crate) fn seal(context: &Context) -> Outcome {
    running(context)?;
    let answered = context.ask("broker.seal", &[])?;
    context
        .printer
        .answer(&answered.value, |_| "Sealed. Every call is refused until `doorward unseal`.".to_owned())
}

/// Gives the keys back. A home with a key file needs nothing typed.
pub(crate) fn unseal(context: &Context) -> Outcome {
    let running = running(context)?;
    let status = running.status()?;
    if status.get("state").and_then(serde_json::Value::as_str) == Some("unsealed") {
        return context
            .printer
            .answer(&json!({ "state": "unsealed" }), |_| "It is unsealed already.".to_owned());
    }
    let storage = context.home()?.storage()?;
    let answer = match secrets::provider_facts(&*storage)? {
        secrets::Facts::KeyFile { .. } => running.unseal(None)?,
        secrets::Facts::Passphrase { .. } => running.unseal(Some(&typed::passphrase()?))?,
    };
    drop(answer);
    context.printer.answer(&json!({ "state": "unsealed" }), |_| "Unsealed.".to_owned())
}

fn running(context: &Context) -> Outcome<Running> {
    Running::find(context)?.ok_or_else(|| {
        Failure::new(format!(
            "no broker runs over `{}`",
            context.home().map_or_else(|_| String::new(), |home| home.folder().display().to_string())
        ))
        .hint("`doorward up` starts one")
    })
}
