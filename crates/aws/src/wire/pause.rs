//! Waiting, as an inversion: tests do not wait.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// Waits between attempts and between polls.
pub trait Pause: Send + Sync {
    /// Waits for so long.
    fn pause(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// Waits on the runtime's timer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sleep;

impl Pause for Sleep {
    fn pause(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(duration))
    }
}
