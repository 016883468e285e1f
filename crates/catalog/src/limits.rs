//! How long and how much: the limits of one integration.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

/// The limits of one integration. The time-outs have no default: a file without them is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Until the connection stands.
    pub connect: Duration,
    /// From the last byte of the request to the head of the reply.
    pub head: Duration,
    /// The whole exchange.
    pub total: Duration,
    /// Between two pieces of a body.
    pub idle: Duration,
    /// Largest body of a request, in bytes.
    pub body: u64,
    /// How often the service is called, by everybody together.
    pub rate: Option<Rate>,
    /// How often one caller may call it.
    pub caller_rate: Option<Rate>,
}

impl Limits {
    /// The limits of an integration that is never called over the network.
    pub(crate) const INTERNAL: Self = Self {
        connect: Duration::from_secs(5),
        head: Duration::from_secs(30),
        total: Duration::from_secs(60),
        idle: Duration::from_secs(30),
        body: DEFAULT_BODY,
        rate: None,
        caller_rate: None,
    };
}

/// So many calls in so much time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many; never zero.
    pub calls: u32,
    /// In how much time.
    pub per: Duration,
    /// How they are counted.
    pub strategy: Strategy,
}

/// How calls are counted against a rate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// A bucket that holds all the calls and fills evenly: a burst at first, then a steady pace.
    #[default]
    TokenBucket,
    /// A bucket that runs out evenly and refuses what would make it run over. As a meter, which never lets a call wait, it admits
    /// what a token bucket admits.
    LeakyBucket,
    /// A count that begins anew when its window is over. Twice the calls can fall around the border of two windows.
    FixedWindow,
    /// A count of the window that ends now, from two windows by their share: no double burst, and two numbers to keep.
    SlidingWindow,
    /// Every call by itself: all of them at once, and never more in any time of that length. For capabilities; no file says it.
    #[serde(skip)]
    #[schemars(skip)]
    Exact,
}

/// Reads a size such as `512KiB`, `1MiB` or `2097152B`. A bare number is refused, for it has no unit.
pub(crate) fn parse_size(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let factor: u64 = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor).filter(|size| *size > 0)
}

/// Largest body of a request where the file gives none.
pub(crate) const DEFAULT_BODY: u64 = 1 << 20;

#[cfg(test)]
mod tests;
