//! `doorward seal` and `doorward unseal`: take the keys out of a running broker's memory, and give them back.

use serde_json::json;

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::management::Running;
use crate::typed;

/// Drops the keys of the running broker.
pub(crate) fn seal(context: &Context) -> Outcome {
    let status = running(context)?.status()?;
    if status.get("state").and_then(serde_json::Value::as_str) == Some("sealed") {
        return context.printer.answer(&json!({ "state": "sealed" }), |_| "It is sealed already.".to_owned());
    }
    let answered = context.ask("broker.seal", &[])?;
    context
        .printer
        .answer(&answered.value, |_| "Sealed. Every call is refused until `doorward unseal`.".to_owned())
}

/// Gives the keys back. Something is typed only where the key provider asks for it.
pub(crate) fn unseal(context: &Context) -> Outcome {
    let running = running(context)?;
    let status = running.status()?;
    if status.get("state").and_then(serde_json::Value::as_str) == Some("unsealed") {
        return context
            .printer
            .answer(&json!({ "state": "unsealed" }), |_| "It is unsealed already.".to_owned());
    }
    let storage = context.home()?.storage()?;
    let typed = secrets::provider_facts(&*storage)?.asks().map(typed::line).transpose()?;
    drop(running.unseal(typed.as_ref())?);
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
