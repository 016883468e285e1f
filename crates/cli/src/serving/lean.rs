//! What only the start needed goes back to the kernel, once the doors have been open for a moment.

use std::time::Duration;

use net::Draining;

/// Waits until the start is over, threads of the gateway included, and gives its memory back.
pub(super) async fn after_the_start(mut draining: Draining) {
    tokio::select! {
        () = draining.started() => return,
        () = tokio::time::sleep(A_MOMENT) => {}
    }
    let given = memory::give_back();
    tracing::debug!(bytes = given, "gave back what the start needed");
}

const A_MOMENT: Duration = Duration::from_secs(1);
