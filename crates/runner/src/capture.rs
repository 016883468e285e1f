//! What a program says, bounded.

use tokio::io::{AsyncRead, AsyncReadExt};
use zeroize::Zeroizing;

/// The beginning of what a program said, and how much it was.
#[derive(Debug)]
pub struct Captured {
    /// The beginning.
    pub bytes: Zeroizing<Vec<u8>>,
    /// How many bytes it was in all.
    pub total: u64,
}

impl Captured {
    /// Whether something is missing.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        u64::try_from(self.bytes.len()).unwrap_or(u64::MAX) < self.total
    }
}

/// Reads to the end and keeps the beginning. A program that is not read any more stands still or is ended by a signal in the
/// middle of a write, so the rest is read and dropped.
pub(crate) async fn read(from: Option<impl AsyncRead + Unpin>, into: &mut Captured, most: usize) {
    let Some(mut from) = from else { return };
    let mut piece = Zeroizing::new(vec![0; PIECE]);
    loop {
        match from.read(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(read) => {
                into.total = into.total.saturating_add(u64::try_from(read).unwrap_or_default());
                let kept = read.min(most.saturating_sub(into.bytes.len()));
                into.bytes.extend_from_slice(piece.get(..kept).unwrap_or_default());
            }
        }
    }
}

impl Captured {
    pub(crate) fn nothing() -> Self {
        Self { bytes: Zeroizing::new(Vec::new()), total: 0 }
    }
}

const PIECE: usize = 16 * 1024;
