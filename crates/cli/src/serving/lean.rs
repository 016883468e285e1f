//! What only the start needed goes back to the kernel, once the doors have been open for a moment; and so does what connections
//! gave back that wait, where they are many.

use std::time::Duration;

use net::Draining;

/// Gives memory back, until the house drains.
pub(super) async fn stay(mut draining: Draining) {
    let mut before = net::gave_back();
    let mut pause = A_MOMENT;
    loop {
        tokio::select! {
            () = draining.started() => return,
            () = tokio::time::sleep(pause) => {}
        }
        let now = net::gave_back();
        if pause == A_MOMENT {
            before = now;
            let given = memory::give_back();
            tracing::debug!(bytes = given, "gave back what the start needed");
        // The allocator looks through all that it has, so it is not asked for a few pages.
        } else if now.saturating_sub(before) >= MANY {
            before = now;
            let _ = tokio::task::spawn_blocking(memory::give_back_heap).await;
        }
        pause = NOW_AND_THEN;
    }
}

const A_MOMENT: Duration = Duration::from_secs(1);
const NOW_AND_THEN: Duration = Duration::from_secs(5);
/// Connections whose buffers are some ten megabytes.
const MANY: u64 = 512;
