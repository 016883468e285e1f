//! What is looked at when the doors open: a secret that can't be had would otherwise be a caller's surprise.

use std::sync::Arc;

use broker::{Broker, Named};
use catalog::{Catalog, Integration};
use model::SecretRef;
use secrets::Stands;

use crate::failure::{Failure, Outcome};
use crate::wire;

/// Refuses where a variable or file that an integration names holds nothing that could be a credential. One that is not there
/// yet is no reason: a service may be set up before its secret.
pub(crate) fn refuse_empty(broker: &Broker) -> Outcome {
    refuse_unfit(broker, broker.references())
}

/// What a start would refuse, a reload refuses too: else each call would find it out. It also refuses to take an integration that
/// has its secrets to a variable or file that is not there. That of a new integration may come later, as at a start.
pub(crate) fn refuse_worse(broker: &Broker, next: &Catalog) -> Outcome {
    refuse_unfit(broker, Broker::references_of(next))?;
    let (now, runtime) = (broker.catalog(), wire::runtime()?);
    let probed = |reference: &SecretRef| {
        runtime.block_on(broker.probe_secret((reference, Stands::Elsewhere))).map(drop)
    };
    for name in next.names() {
        let (Ok(next), Ok(now)) = (next.get(&name), now.get(&name)) else { continue };
        let had = |reference: &SecretRef| now.secrets().values().any(|secret| secret.reference == *reference);
        for (field, reference) in at_hand(&next).filter(|(_, reference)| !had(reference)) {
            let Err(error) = probed(reference) else { continue };
            if at_hand(&now).all(|(_, reference)| probed(reference).is_ok()) {
                let what =
                    format!("could not read the secret `{field}` of `{name}`, which has its secrets now");
                return Err(Failure::doing(what, &error).hint(
                    "put the secret there first, or give the integration another name until it is there",
                ));
            }
        }
    }
    Ok(())
}

/// The secrets of an integration that are on this machine: asking for them costs nothing and reaches nobody.
fn at_hand(integration: &Integration) -> impl Iterator<Item = (&String, &SecretRef)> {
    let all = integration.secrets().iter().map(|(field, secret)| (field, &secret.reference));
    all.filter(|(_, reference)| matches!(reference.scheme(), "env" | "file"))
}

/// The same for what integrations name that are not in force yet.
fn refuse_unfit(broker: &Broker, references: Vec<Named>) -> Outcome {
    let runtime = wire::runtime()?;
    for Named { integration: name, field, reference, stands } in references {
        if !matches!(reference.scheme(), "env" | "file") {
            continue;
        }
        let probed = runtime.block_on(broker.probe_secret((&reference, stands)));
        if let Err(error @ secrets::Error::Unfit { .. }) = probed {
            let failure = Failure::doing(format!("could not use the secret `{field}` of `{name}`"), &error);
            return Err(failure
                .hint("give it a value, or name another place: `store:NAME`, `env:VARIABLE`, `file:PATH`"));
        }
    }
    Ok(())
}

/// Asks every source for what integrations name there, and says what can't be read: by its name, never by its bytes. Nothing
/// waits for it; a secret may come after the service that uses it.
pub(crate) fn announce_unreadable(broker: &Arc<Broker>) -> Outcome {
    let (broker, runtime) = (Arc::clone(broker), wire::runtime()?);
    // Thread `sources`; it ends when every source has answered or was waited for long enough.
    let started = std::thread::Builder::new().name("sources".to_owned()).spawn(move || {
        runtime.block_on(async {
            for Named { integration, field, reference, stands } in broker.references() {
                if let Err(error) = broker.probe_secret((&reference, stands)).await {
                    let hint = error.hint().unwrap_or_default();
                    tracing::warn!(%integration, field, %error, hint, "a secret can't be read");
                }
            }
        });
    });
    started.map(drop).map_err(|error| Failure::doing("could not start a thread", &error))
}
