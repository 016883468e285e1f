//! `doorward key-provider`: what protects the keys of a home, and another one in its place.

use secrets::KEY_PROVIDERS;
use serde_json::{Value, json};

use crate::args::broker::KeyProvider;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::keys::{KeySource, understood};
use crate::management::{Management, Running, Who};
use crate::print::table;
use crate::typed;

/// Does one of them.
pub(crate) fn run(context: &Context, args: &KeyProvider) -> Outcome {
    match args {
        KeyProvider::List => list(context),
        KeyProvider::Show => show(context),
        KeyProvider::Check => check(context),
        KeyProvider::Change { choice } => change(context, choice),
    }
}

fn list(context: &Context) -> Outcome {
    let rows: Vec<_> = KEY_PROVIDERS
        .iter()
        .map(|listed| json!({ "name": listed.name, "what": listed.summary, "example": listed.example }))
        .collect();
    context.printer.answer(&json!({ "key_providers": rows }), |value| {
        table::of(
            table::at(value, "key_providers"),
            &[("name", "name"), ("what", "what"), ("example", "example")],
            "",
        )
    })
}

/// Reads what the home remembers; nobody is asked.
fn show(context: &Context) -> Outcome {
    let facts = secrets::provider_facts(&*crate::place::reading(context.home()?)?)?;
    let (name, place, asks) = (facts.provider(), facts.place(), facts.asks());
    let document = json!({ "key_provider": name, "place": place, "asks": asks, "home_id": facts.home() });
    context.printer.answer(&document, |_| match (&place, asks) {
        (Some(place), _) => format!("{name}: {place}"),
        (None, _) => name.to_owned(),
    })
}

/// Asks the provider, beside a running broker as well: nothing is changed.
fn check(context: &Context) -> Outcome {
    let keys = KeySource::of(context.home()?)?;
    let keyring = keys.keyring()?;
    let (name, tenants) = (keys.facts()?.provider(), keyring.tenants().count());
    let document = json!({ "status": "opens", "key_provider": name, "tenants": tenants });
    context.printer.answer(&document, |_| format!("The key provider `{name}` opens the home."))
}

/// A running broker does it, or this process over the home. Whoever does it asks the provider itself, so its environment counts;
/// what has to be typed is typed here.
fn change(context: &Context, choice: &str) -> Outcome {
    let storage = crate::place::reading(context.home()?)?;
    let before = secrets::provider_facts(&*storage)?;
    // One line of stdin can't be two secrets.
    let asks = understood(choice)?.asks();
    let alone = Running::find(context)?.is_none();
    if alone && before.asks().is_some() && asks.is_some() && !crate::print::somebody_types() {
        return Err(Failure::usage("the old and the new one can't both come from stdin")
            .hint("run it in a terminal, or go by way of a key file"));
    }
    let management = Management::open(context)?;
    let typed = asks.map(|prompt| match prompt {
        "Passphrase" => typed::new_passphrase(),
        prompt => typed::line(prompt),
    });
    let inputs = [("choice".to_owned(), choice.to_owned())].into_iter().collect();
    let _answered = management.only(&Who::default(), "broker.rewrap", inputs, typed.transpose()?)?;
    let after = secrets::provider_facts(&*storage)?;
    let document = json!({
        "status": "changed", "before": before.provider(), "key_provider": after.provider(), "place": after.place(),
    });
    changed(context, &document)
}

fn changed(context: &Context, document: &Value) -> Outcome {
    context.printer.answer(document, |value| {
        format!(
            "The key provider is `{}` now. What was before still opens older copies of this home, so keep it as long as they \
             are kept.",
            table::cell(table::at(value, "key_provider"))
        )
    })
}
