//! `doorward init`: makes a home, and shows its recovery key once.

use std::path::Path;

use secrets::{KeyProvider, Passphrase, RecoveryKey};
use serde_json::{Value, json};

use crate::args::broker::Init;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::keys::chosen;
use crate::print::{BOLD, Printer, styled};
use crate::{place, typed, wire};

/// Makes the home.
pub(crate) fn run(context: &Context, args: &Init) -> Outcome {
    let home = context.home()?;
    place::choose(home, args.store.as_deref())?;
    let provider = || {
        if args.passphrase {
            return Ok(Box::new(Passphrase::new(typed::new_passphrase()?)) as Box<dyn KeyProvider>);
        }
        match &args.key_provider {
            Some(choice) => chosen(home, choice),
            None => wire::key_file(home, args.key_file.clone().unwrap_or_else(|| home.key())),
        }
    };
    let recovery = with_room(args.recovery_out.as_deref(), || wire::create(home, provider))?;
    let provider = secrets::provider_facts(&*place::reading(home)?)?.provider();
    let mut document = json!({ "status": "created", "home": home.folder(), "key_provider": provider });
    if !context.printer.is_json() {
        Printer::say(&format!("Made the home `{}`.", home.folder().display()));
    }
    let unseen = |failure: Failure| {
        failure.hint(
            "the home is there, and nobody has its recovery key: `doorward recovery renew` makes another one",
        )
    };
    hand_out(&recovery, args.recovery_out.as_deref(), context.printer, &mut document).map_err(unseen)?;
    if context.printer.is_json() {
        return context.printer.json(&document).map_err(unseen);
    }
    Printer::say("Next: `doorward up` starts the broker, `doorward secret put slack/token` stores a secret.");
    Ok(())
}

/// Makes a home when there is room for its recovery key: a home whose key nobody got could not be recovered, and a file that is
/// there may hold the key of another one.
pub(crate) fn with_room<T>(file: Option<&Path>, make: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    let Some(path) = file else { return make() };
    if std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() > 0) {
        let message = format!("there is a file `{}` already", path.display());
        return Err(
            Failure::new(message).hint("it may hold the recovery key of another home: name a new file")
        );
    }
    store::files::replace(path, b"", 0o600)?;
    make().inspect_err(|_| drop(std::fs::remove_file(path)))
}

/// Gives a recovery key to whoever keeps it: in a file for its owner only, or shown once. For programs it is added to the
/// document.
pub(crate) fn hand_out(
    recovery: &RecoveryKey,
    file: Option<&Path>,
    printer: Printer,
    document: &mut Value,
) -> Outcome {
    if let Some(path) = file {
        recovery.show(|text| store::files::replace(path, format!("{text}\n").as_bytes(), 0o600))?;
        if let Some(fields) = document.as_object_mut() {
            fields.insert("recovery_file".to_owned(), json!(path));
        }
        if !printer.is_json() {
            Printer::say(&format!("The recovery key is in `{}`. Move it off this machine.", path.display()));
        }
        return Ok(());
    }
    if printer.is_json() {
        if let Some(fields) = document.as_object_mut() {
            fields.insert("recovery_key".to_owned(), recovery.show(|text| json!(text)));
        }
        return Ok(());
    }
    Printer::say(&format!(
        "{} It opens this home if the key or passphrase is lost. It is shown once and kept nowhere: write it down.",
        styled(BOLD, "The recovery key.")
    ));
    recovery.show(Printer::text)
}
