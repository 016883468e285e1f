//! What travels between lanes and writer.

use std::ops::Range;

use model::{EvidenceId, TenantName};
use tokio::sync::oneshot;

use crate::event::{CounterId, Use};
use crate::receipt::Held;
use crate::{Error, Kind, Receipt};

/// Where the answer about one entry goes. It stays with the lane, so that one timer of the lane serves all who wait.
pub(super) enum Waiter {
    /// About an intent.
    Intent(oneshot::Sender<Result<Receipt, Error>>),
    /// About anything else.
    Plain(oneshot::Sender<Result<(), Error>>),
}

/// One record on its way to the disk. Its event lies encoded in the bytes of its [`Pending`].
pub(super) struct Entry {
    pub(super) tenant: TenantName,
    pub(super) kind: Kind,
    /// The call that is begun, settled or refused; `None` for what stands alone: an answer, and what happened to Doorward itself.
    pub(super) id: Option<EvidenceId>,
    pub(super) body: Range<usize>,
    pub(super) what: What,
}

/// What is to happen with a record beside being written.
pub(super) enum What {
    /// An intent: counts uses, gives a receipt. Forgotten when its group fails, for nothing has been done yet.
    Intend { uses: Vec<Use> },
    /// An outcome, head or close. Something has been done, so it is kept and tried again when its group fails.
    /// An answer has nothing to settle: `held` is `None`, and it is kept only where nobody waits to be told.
    /// `gives_back`: nothing was sent, so the uses of the intent are given back with it.
    Settle { held: Option<Held>, gives_back: bool, awaited: Awaited },
    /// A refusal or notice. Forgotten when its group fails: whoever waits is told.
    Note,
    /// Counters to remove. Its event is written by the writer, which alone knows which of them there are.
    Forget { counters: Vec<CounterId> },
}

/// Whether somebody waits for the answer about an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaited {
    Yes,
    No,
}

/// Records that wait, and the bytes of their events.
#[derive(Default)]
pub(super) struct Pending {
    pub(super) bytes: Vec<u8>,
    pub(super) entries: Vec<Entry>,
}

impl Pending {
    pub(super) fn body(&self, entry: &Entry) -> &[u8] {
        self.bytes.get(entry.body.clone()).unwrap_or_default()
    }
}

/// What a lane is told about one of its entries.
pub(super) enum Answer {
    /// About an intent.
    Intent(Result<Receipt, Error>),
    /// About anything else.
    Plain(Result<(), Error>),
}

/// To the writer.
pub(super) enum Message {
    /// Records of one lane, and where the answers go, where somebody waits: one for each entry that is awaited, in order.
    Records(Pending, Option<oneshot::Sender<Vec<Answer>>>),
    /// Write what is there and this, sign it and end. Both come as one message: what lanes still held must not be committed
    /// before the writer hears of the end, for then the checkpoint costs a commit of its own.
    Close(Vec<Pending>),
}
