//! The side of a metadata server: its answers are recorded by the broker, many at a time over one connection.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use model::{Code, EvidenceId, Inputs, Refusal};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::{mpsc, oneshot};

use super::letter::{Letter, Malformed, sealed};
use super::words::{Answered, Opening, Recorded};

/// Has answers recorded by the broker at the other end.
pub struct Answers {
    next: AtomicU64,
    waiting: Arc<Waiting>,
    line: mpsc::Sender<Answered>,
}

type Waiting = Mutex<Open>;

/// Who waits for what, until the connection ends.
#[derive(Default)]
struct Open {
    ended: bool,
    by_number: HashMap<u64, oneshot::Sender<Result<EvidenceId, Refusal>>>,
}

impl Answers {
    /// Takes a connection that speaks [`PROTOCOL`](super::PROTOCOL). Its tasks end with it.
    #[must_use]
    pub fn over(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        let waiting = Arc::<Waiting>::default();
        let (line, lines) = mpsc::channel(MOST);
        let (told, wrote) = (Arc::clone(&waiting), Arc::clone(&waiting));
        // Task `answers-told`; ends with the connection.
        tokio::spawn(async move {
            if let Err(error) = told_all(reader, &told).await {
                tracing::debug!(%error, "the connection to the broker ended");
            }
            ended(&told);
        });
        // Task `answers-asked`; ends with this value, and closes the connection by that.
        tokio::spawn(async move {
            if let Err(error) = asked_all(writer, lines).await {
                tracing::debug!(%error, "the connection to the broker ended");
                ended(&wrote);
            }
        });
        Self { next: AtomicU64::new(0), waiting, line }
    }

    /// Whether the broker has gone.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).ended
    }

    /// Has one answer recorded, and waits until it is.
    ///
    /// # Errors
    /// The broker's refusal, or that it went away.
    pub async fn record(
        &self,
        integration: &str,
        inputs: Inputs,
        fields: Vec<(String, String)>,
    ) -> Result<EvidenceId, Refusal> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        {
            let mut open = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if open.ended {
                return Err(gone());
            }
            open.by_number.insert(number, sender);
        }
        let integration = integration.to_owned();
        self.line.send(Answered { number, integration, inputs, fields }).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

async fn asked_all(
    mut writer: impl AsyncWrite + Unpin,
    mut lines: mpsc::Receiver<Answered>,
) -> Result<(), Malformed> {
    writer.write_all(&sealed(&Opening::Answers, &[])?).await?;
    let mut gathered = Vec::new();
    while lines.recv_many(&mut gathered, MOST).await > 0 {
        let mut bytes = Vec::with_capacity(gathered.len() * 256);
        for answered in gathered.drain(..) {
            bytes.extend_from_slice(&sealed(&answered, &[])?);
        }
        writer.write_all(&bytes).await?;
    }
    Ok(writer.shutdown().await?)
}

async fn told_all(reader: impl AsyncRead + Unpin, waiting: &Waiting) -> Result<(), Malformed> {
    let mut reader = BufReader::with_capacity(BUFFER, reader);
    loop {
        let Recorded { number, result } = Letter::receive(&mut reader).await?.head()?;
        let result = match result {
            Ok(id) => Ok(id),
            Err(refused) => Err(Refusal::try_from(refused)?),
        };
        let waits = waiting.lock().unwrap_or_else(PoisonError::into_inner).by_number.remove(&number);
        if let Some(waits) = waits {
            // Whoever hung up needs no answer.
            let _ = waits.send(result);
        }
    }
}

/// Nobody is told anything any more: everybody who waits is told that.
fn ended(waiting: &Waiting) {
    let mut open = waiting.lock().unwrap_or_else(PoisonError::into_inner);
    open.ended = true;
    open.by_number.clear();
}

fn gone() -> Refusal {
    Refusal::new(Code::EvidenceUnavailable, "the running broker that records the answers went away")
        .hint("`doorward status` says whether one runs; the next answer looks for it again")
}

/// Answers that wait to be written.
const MOST: usize = 1024;
const BUFFER: usize = 64 * 1024;
