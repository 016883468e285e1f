//! How much of a rate is left: what a caller is told, so that it can pace itself.

use std::time::Duration;

/// How a rate stands after a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Whose rate it is: `integration`, `caller` or `capability`.
    pub policy: &'static str,
    /// How many calls it allows.
    pub calls: u32,
    /// In how much time.
    pub per: Duration,
    /// How many are left now.
    pub left: u32,
    /// When more of them are there: all of them after a call that was admitted, one after a refusal.
    pub reset: Duration,
}
