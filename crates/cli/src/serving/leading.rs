//! What a broker does when another one has taken its store over: it stops. Nothing is lent without a record from then on anyway.

use std::sync::Arc;
use std::time::Duration;

use net::{Drain, Draining};
use store::Postgres;

use crate::failure::{Failure, Outcome};

/// Closes the doors once another broker leads.
pub(super) async fn watched(server: Arc<Postgres>, drain: Arc<Drain>, mut draining: Draining) {
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            () = draining.started() => return,
            _ = look.tick() => if server.is_lost() {
                tracing::error!("another broker has taken the store over");
                drain.start();
                return;
            }
        }
    }
}

/// Why a broker has stopped that no longer leads.
pub(super) fn still(server: Option<&Postgres>) -> Outcome {
    if !server.is_some_and(Postgres::is_lost) {
        return Ok(());
    }
    let message = "another broker has taken the store over, so this one has stopped";
    Err(Failure::new(message).hint("start it again to stand by: `wait` below `[store]` in `settings.toml`"))
}

/// How often it is looked at. It is in memory: whoever holds the lead learns it from the server.
const LOOK: Duration = Duration::from_secs(1);
