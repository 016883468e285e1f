//! Asks a key service: from a thread that may wait, within a limit, and again a few times where it is out of reach for a
//! moment. Its credentials are those of the secret sources, which the home can't hold itself while it is sealed.

use std::time::Duration;

use crate::fetching::Locked;
use crate::source::aws::system_time;
use crate::source::{Lender, Setup, Sources, Trouble};

/// Asks, and waits for the answer. Whoever unlocks a home waits anyway, perhaps within a runtime, so this is another thread.
pub(crate) fn ask<T: Send>(
    setup: &Setup,
    work: impl AsyncFn(&dyn Lender) -> Result<T, Trouble> + Sync,
) -> Result<T, Trouble> {
    ask_within(setup, DEADLINE, work)
}

/// The same with another limit on one answer.
pub(crate) fn ask_within<T: Send>(
    setup: &Setup,
    deadline: Duration,
    work: impl AsyncFn(&dyn Lender) -> Result<T, Trouble> + Sync,
) -> Result<T, Trouble> {
    let failed = |source| Trouble::System { what: "start a thread", source };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("key-provider".to_owned());
        let asked = thread.spawn_scoped(scope, || asked(setup, deadline, &work)).map_err(failed)?;
        asked.join().unwrap_or(Err(Trouble::Wrong("asking it broke off inside Doorward")))
    })
}

fn asked<T>(
    setup: &Setup,
    deadline: Duration,
    work: &impl AsyncFn(&dyn Lender) -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = built.map_err(|source| Trouble::System { what: "start a runtime", source })?;
    let sources = Sources::new(setup);
    runtime.block_on(async {
        let mut pauses = PAUSES.iter();
        loop {
            let answer = tokio::time::timeout(deadline, work(&Locked(&sources, system_time()))).await;
            let answer = answer.unwrap_or_else(|_| Err(Trouble::late("it")));
            match (answer, pauses.next()) {
                (Err(error), Some(pause)) if error.is_passing() => {
                    tracing::warn!(%error, "a key provider is out of reach; asking again");
                    tokio::time::sleep(*pause).await;
                }
                (answer, _) => return answer,
            }
        }
    })
}

/// How long one answer may take.
const DEADLINE: Duration = Duration::from_secs(10);
/// How long it is left alone before it is asked again.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(1)];
