//! What is looked at before the doors open: a reference whose value is empty would otherwise be a caller's 401.

use broker::Broker;
use secrets::{Env, File, SecretSource};

use crate::failure::{Failure, Outcome};
use crate::wire;

/// Refuses where a variable or file that an integration names holds nothing that could be a credential. One that is not there
/// yet is no reason: a service may be set up before its secret.
pub(crate) fn refuse_empty(broker: &Broker) -> Outcome {
    let catalog = broker.catalog();
    let runtime = wire::runtime()?;
    let (env, file) = (Env::new(), File::new(Vec::new()));
    for name in catalog.names() {
        let Ok(integration) = catalog.get(&name) else { continue };
        for (field, secret) in integration.secrets() {
            let source: &dyn SecretSource = match secret.reference.scheme() {
                "env" => &env,
                "file" => &file,
                _ => continue,
            };
            if let Err(error @ secrets::Error::Unfit { .. }) =
                runtime.block_on(source.probe(&secret.reference))
            {
                let failure =
                    Failure::doing(format!("could not use the secret `{field}` of `{name}`"), &error);
                return Err(failure.hint(
                    "give it a value, or name another place: `store:NAME`, `env:VARIABLE`, `file:PATH`",
                ));
            }
        }
    }
    Ok(())
}
