//! Files of the home that a start reads, as it reads them: what would stop it is said before.

use std::sync::Arc;

use catalog::{Catalog, Providers};
use store::Storage;

use super::Checks;
use crate::failure::{Failure, Outcome};
use crate::home::Home;
use crate::line::Voice;
use crate::settings::agent::{AgentSettings, Places, Typed};
use crate::{settings, wire};

/// Lists, providers, and the agent with its policies.
pub(super) fn check(checks: &mut Checks, home: &Home, catalog: &Catalog) {
    match broker::home_lists(&home.lists(), catalog) {
        Ok(lists) => {
            let (integrations, rules) = lists.counts();
            checks.fine(format!("the lists can be read: {rules} rules for {integrations} integrations"));
        }
        Err(refusal) => checks.failed("the lists", &refusal.into()),
    }
    match Providers::load(&home.providers(), catalog) {
        Ok(providers) => {
            checks.fine(format!("{} providers for tenants can be read", providers.all().count()));
        }
        Err(error) => checks.failed("the providers", &error.into()),
    }
    match agent(home) {
        Ok(None) => checks.fine("the settings of the agent are sound; it has no policy files".to_owned()),
        Ok(Some((policies, warnings))) => {
            checks.fine(format!("the settings of the agent are sound; it has {policies} policies"));
            for warning in warnings {
                checks.doubtful(warning, "`doorward policy check-files FOLDER` says the same");
            }
        }
        Err(failure) => checks.failed("the agent", &failure),
    }
}

/// The policies that are stored.
pub(super) fn policies(checks: &mut Checks, catalog: &Catalog, storage: &Arc<dyn Storage>) {
    match broker::check_policies(&**storage, catalog) {
        Ok(()) => checks.fine("the policies can be read".to_owned()),
        Err(refusal) => checks.wrong(
            format!("the policies can't be read: {}", refusal.message),
            "`doorward policy list` shows them, `doorward policy forget NAME` or `doorward policy put NAME FILE` mends them",
        ),
    }
}

/// Whether `sources.toml` can be read. All that opens secrets needs it.
pub(super) fn sources(checks: &mut Checks, home: &Home) -> bool {
    let read = wire::setup(home, None);
    if let Err(failure) = &read {
        checks.failed("the secret sources", failure);
    }
    read.is_ok()
}

fn agent(home: &Home) -> Outcome<Option<(usize, Vec<String>)>> {
    let lookup = &settings::environment;
    let places = Places::of(Voice::Doorward, home, lookup);
    let agent = AgentSettings::load(&places, &Typed { beside: true, ..Typed::default() }, lookup)?;
    let _told = agent.config(None)?;
    let folder = &agent.policies.value;
    if !folder.is_dir() {
        return Ok(None);
    }
    let set = policy::files::Set::load(folder).map_err(Failure::from)?;
    Ok(Some((set.len(), set.warnings().to_vec())))
}
