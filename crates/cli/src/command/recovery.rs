//! `doorward recovery`: prove the recovery key, make another, use it.

use secrets::{KeyProvider, Passphrase, RecoveryKey};
use serde_json::json;
use store::HomeLock;

use super::init::{hand_out, with_room};
use crate::args::broker::{Recovery, RecoveryFrom, RecoveryRenew, RecoveryRestore};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::home::Home;
use crate::keys::{KeySource, chosen};
use crate::print::Printer;
use crate::{place, typed, wire};

/// Does one of them.
pub(crate) fn run(context: &Context, args: &Recovery) -> Outcome {
    match args {
        Recovery::Drill(args) => drill(context, args),
        Recovery::Renew(args) => renew(context, args),
        Recovery::Restore(args) => restore(context, args),
    }
}

/// Changes nothing, so it may run beside a broker.
fn drill(context: &Context, args: &RecoveryFrom) -> Outcome {
    let storage = place::reading(context.home()?)?;
    let recovery = typed::recovery_key(args.recovery_file.as_deref())?;
    let drilled = secrets::drill(&*storage, &recovery).map_err(|error| match error {
        secrets::Error::Unlock(_) => Failure::of(&error)
            .hint("it is another home's, or was renewed since; `doorward recovery renew` makes another one, as long as the home opens"),
        error => error.into(),
    })?;
    let document = json!({ "status": "proven", "tenants": drilled.tenants(), "data_keys": drilled.keys() });
    context.printer.answer(&document, |_| {
        let many = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
        let (keys, tenants) = (many(drilled.keys(), "data key"), many(drilled.tenants(), "tenant"));
        format!("The recovery key opens all there is: {keys} of {tenants}.")
    })
}

fn renew(context: &Context, args: &RecoveryRenew) -> Outcome {
    let home = context.home()?;
    let _lock = alone(home)?;
    let keys = KeySource::to_change(home)?;
    let keyring = keys.keyring()?;
    let (file, printer) = (args.recovery_out.as_deref(), context.printer);
    // Whoever got it has it before it counts; where nobody did, the one before stays.
    let hand = |recovery: &RecoveryKey| {
        let mut document = json!({ "status": "renewed" });
        hand_out(recovery, file, printer, &mut document)
    };
    with_room(file, || {
        let renewed = secrets::renew_recovery(&*keys.storage, &keyring, hand);
        renewed.map_err(|failure: Failure| failure.hint("the recovery key before still counts"))
    })?;
    if printer.is_json() {
        return Ok(());
    }
    Printer::say(
        "The recovery key before opens nothing of this home any more; it still opens older copies of it.",
    );
    Ok(())
}

fn restore(context: &Context, args: &RecoveryRestore) -> Outcome {
    let home = context.home()?;
    let _lock = alone(home)?;
    let storage = place::writing(home)?;
    if args.new_passphrase && args.from.recovery_file.is_none() && !crate::print::somebody_types() {
        return Err(Failure::usage("recovery key and passphrase can't both come from stdin")
            .hint("`--recovery-file FILE`"));
    }
    let recovery = typed::recovery_key(args.from.recovery_file.as_deref())?;
    let provider: Box<dyn KeyProvider> = match (&args.key_file, &args.key_provider) {
        (Some(path), _) => wire::key_file(home, path.clone())?,
        (None, Some(choice)) => chosen(home, choice)?,
        (None, None) => Box::new(Passphrase::new(typed::new_passphrase()?)),
    };
    let _keyring = secrets::recover(&*storage, &recovery, &*provider)?;
    context.printer.answer(&json!({ "status": "restored", "key_provider": provider.name() }), |_| {
        "Restored. The passphrase or key before opens nothing of this home any more. Next: `doorward up`."
            .to_owned()
    })
}

/// The lock of a home, for what a running broker can't do: it goes on with the keys that it has.
fn alone(home: &Home) -> Outcome<HomeLock> {
    HomeLock::take(home.folder()).map_err(|error| match error {
        store::Error::Locked(_) => {
            Failure::of(&error).hint("stop the broker first, and start it again afterwards")
        }
        error => error.into(),
    })
}
