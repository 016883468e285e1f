//! What is looked at when the doors open: a secret that can't be had would otherwise be a caller's surprise.

use std::sync::Arc;

use broker::Broker;
use model::{IntegrationName, SecretRef};

use crate::failure::{Failure, Outcome};
use crate::wire;

/// Refuses where a variable or file that an integration names holds nothing that could be a credential. One that is not there
/// yet is no reason: a service may be set up before its secret.
pub(crate) fn refuse_empty(broker: &Broker) -> Outcome {
    refuse_unfit(broker, broker.references())
}

/// The same for what integrations name that are not in force yet.
pub(crate) fn refuse_unfit(
    broker: &Broker,
    references: Vec<(IntegrationName, String, SecretRef)>,
) -> Outcome {
    let runtime = wire::runtime()?;
    for (name, field, reference) in references {
        if !matches!(reference.scheme(), "env" | "file") {
            continue;
        }
        if let Err(error @ secrets::Error::Unfit { .. }) = runtime.block_on(broker.probe_secret(&reference)) {
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
            for (integration, field, reference) in broker.references() {
                if let Err(error) = broker.probe_secret(&reference).await {
                    let hint = error.hint().unwrap_or_default();
                    tracing::warn!(%integration, field, %error, hint, "a secret can't be read");
                }
            }
        });
    });
    started.map(drop).map_err(|error| Failure::doing("could not start a thread", &error))
}
