//! `doorward init`: makes a home, and shows its recovery key once.

use std::path::Path;

use secrets::{KeyProvider, Passphrase, RecoveryKey};
use serde_json::{Value, json};

use crate::args::broker::Init;
use crate::context::Context;
use crate::failure::{Failure, Kind, Outcome};
use crate::keys::chosen;
use crate::print::{self, BOLD, Printer, styled};
use crate::{place, typed, wire};

/// Makes the home.
pub(crate) fn run(context: &Context, args: &Init) -> Outcome {
    let home = context.home()?;
    let chosen_store = place::choose(home, args.store.as_deref())?;
    let provider = || {
        if args.passphrase {
            return Ok(Box::new(Passphrase::new(typed::new_passphrase()?)) as Box<dyn KeyProvider>);
        }
        match &args.key_provider {
            Some(choice) => chosen(home, choice),
            None => wire::key_file(home, args.key_file.clone().unwrap_or_else(|| home.key())),
        }
    };
    let (file, printer) = (args.recovery_out.as_deref(), context.printer);
    let hand = |recovery: &RecoveryKey, provider: &str| {
        let mut document =
            json!({ "status": "created", "home": print::path(home.folder()), "key_provider": provider });
        hand_out(recovery, file, printer, &mut document)
    };
    with_room(file, || wire::create(home, args.key_file.as_deref(), provider, hand))
        .inspect_err(|_| chosen_store.take_back())?;
    if !printer.is_json() {
        Printer::say(&format!("Made the home `{}`.", home.folder().display()));
        Printer::say(
            "Next: `doorward up` starts the broker, `doorward secret put slack/token` stores a secret.",
        );
    }
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

/// Gives a recovery key to whoever keeps it: in a file for its owner only, or shown once. For programs it is in the document, which is
/// printed. What nobody takes is a failure: the key would be nobody's.
pub(crate) fn hand_out(
    recovery: &RecoveryKey,
    file: Option<&Path>,
    printer: Printer,
    document: &mut Value,
) -> Outcome {
    let mut add = |name: &str, value: Value| {
        if let Some(fields) = document.as_object_mut() {
            fields.insert(name.to_owned(), value);
        }
    };
    if let Some(path) = file {
        recovery.show(|text| store::files::replace(path, format!("{text}\n").as_bytes(), 0o600))?;
        add("recovery_file", print::path(path));
    } else if print::is_closed() {
        return Err(untaken(Failure { causes: vec!["stdout is closed".to_owned()], ..Failure::new("") }));
    } else if printer.is_json() {
        add("recovery_key", recovery.show(|text| json!(text)));
    }
    if printer.is_json() {
        return printer.json(document).map_err(untaken);
    }
    match file {
        Some(path) => {
            Printer::say(&format!("The recovery key is in `{}`. Move it off this machine.", path.display()));
            Ok(())
        }
        None => {
            Printer::say(&format!(
                "{} It opens this home if the key or passphrase is lost. It is shown once and kept nowhere: write it down.",
                styled(BOLD, "The recovery key.")
            ));
            recovery.show(Printer::text).map_err(untaken)
        }
    }
}

/// The failure of a recovery key that nobody got, whoever went away.
fn untaken(failure: Failure) -> Failure {
    let causes = match failure.kind {
        Kind::ReaderGone => vec!["nobody reads the output".to_owned()],
        _ => failure.causes,
    };
    let failure = Failure { causes, ..Failure::new("could not show the recovery key") };
    failure.hint("let somebody read stdout, or name a file for it: `--recovery-out FILE`")
}
