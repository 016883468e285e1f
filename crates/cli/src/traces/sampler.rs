//! Which traces are kept (`OTEL_TRACES_SAMPLER`).

use broker::spans::Remote;

/// Decides about a trace, from what is known when its call begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sampler {
    /// Whether a caller that says what it does with its own span decides for this one.
    pub(super) parents: Parents,
    /// What holds else.
    pub(super) share: Share,
}

/// Whether a caller's decision counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parents {
    Count,
    DoNot,
}

/// How many of the traces are kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Share {
    All,
    None,
    /// From 0 to 1, by the trace's id, so that all who see the trace decide alike.
    Part(f64),
}

impl Sampler {
    /// Whether the spans of a call are kept.
    pub(super) fn keeps(self, trace: &[u8; 16], parent: Option<&Remote>) -> bool {
        if let (Parents::Count, Some(parent)) = (self.parents, parent) {
            return parent.sampled;
        }
        match self.share {
            Share::All => true,
            Share::None => false,
            Share::Part(part) => {
                let low = trace.last_chunk::<8>().copied().unwrap_or_default();
                // The 63 low bits, as others take them. As numbers of this kind they are a little coarse, which is all the same here.
                let chance = (u64::from_be_bytes(low) >> 1) as f64 / (1_u64 << 63) as f64;
                chance < part
            }
        }
    }
}
