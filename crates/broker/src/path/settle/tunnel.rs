//! A WebSocket that both ends agreed to: passes bytes on, looks for the credential in what the upstream says, and settles its
//! end.
//!
//! # Invariants
//!
//! - What the upstream says is read frame by frame. Bytes that could be the beginning of the credential wait until it is clear
//!   that they are not; where it is the credential, the line is cut before its first byte, with a close frame where one can stand. It is not masked: whoever speaks
//!   behind the frames could not tell a masked message from a true one.
//! - A line ends: when nobody says anything for [`IDLE`], after [`LONGEST`], when the house drains, and when what allowed it was
//!   revoked or has ended, which is looked at each [`LOOK`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use evidence::{Closed, Ending, OpenStream};
use model::Code;
use net::Draining;
use net::websocket::Line;
use secrets::Mask;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::path::perform::standing::Standing;
use crate::path::record::Trace;
use crate::path::scrub::Tunnel;
use crate::{Worker, metrics};
use watched::Watched;

mod watched;

/// A line that is about to be opened, and what its end is settled with.
pub(super) struct Opening {
    pub(super) worker: Arc<Worker>,
    pub(super) open: OpenStream,
    pub(super) trace: Box<Trace>,
    pub(super) tunnel: Tunnel,
    /// Held for as long as the line lives.
    pub(super) lives: watch::Sender<()>,
}

/// How a line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// One of the two closed it.
    Over,
    /// Nobody said anything for too long, or we have to go.
    Ours,
    /// The upstream sent what is no frame, or the credential.
    Cut,
    /// What allowed it does not stand any more.
    Fallen(Code),
}

impl Opening {
    /// Task `tunnel`; its owner is the caller's connection, which counts as one of its door's until this ends.
    pub(super) async fn run(self) {
        let Self { worker, open, trace, tunnel, lives } = self;
        let Tunnel { asked, line, mask, standing } = tunnel;
        let counts = Arc::<Counts>::default();
        metrics::tunnels(worker.broker().metrics()).inc();
        // A caller who went away before it had its answer has said nothing either.
        let end = match timeout(HEAD, asked.line()).await {
            Ok(Ok((caller, draining))) => {
                let watched = (mask, &standing);
                pass((caller, line), watched, &worker, &counts, draining).await
            }
            Ok(Err(_)) | Err(_) => End::Over,
        };
        metrics::tunnels(worker.broker().metrics()).dec();
        let (ending, code) = match end {
            End::Over | End::Ours => (Ending::Done, None),
            End::Cut => (Ending::Failed, Some(Code::UpstreamReply)),
            End::Fallen(code) => (Ending::Failed, Some(code)),
        };
        let closed = Closed {
            ending,
            code,
            duration: trace.elapsed(),
            bytes_in: counts.up.load(Ordering::Relaxed),
            bytes_out: counts.down.load(Ordering::Relaxed),
            fields: Vec::new(),
        };
        // Nobody waits for it any more; what could not be written is settled as unknown at the next start.
        let _ = worker.lane(&trace.home()).settle_close(open, closed).await;
        drop(lives);
    }
}

/// What passed.
#[derive(Debug, Default)]
struct Counts {
    up: AtomicU64,
    down: AtomicU64,
    /// Something is on its way to the caller, who has not taken all of it.
    writing: AtomicBool,
}

impl Counts {
    fn all(&self) -> u64 {
        self.up.load(Ordering::Relaxed).wrapping_add(self.down.load(Ordering::Relaxed))
    }
}

async fn pass(
    (caller, upstream): (Line, Line),
    (mask, standing): (Option<Arc<Mask>>, &Standing),
    worker: &Worker,
    counts: &Counts,
    mut draining: Draining,
) -> End {
    let (from_caller, mut to_caller) = split(caller);
    let (from_upstream, mut to_upstream) = split(upstream);
    let mut watched = Watched::new(mask.as_ref());
    let mut end = End::Over;
    {
        let up = up(from_caller, &mut to_upstream, counts);
        let down = down(from_upstream, &mut to_caller, &mut watched, counts);
        let (mut up, mut down) = (std::pin::pin!(up), std::pin::pin!(down));
        let quiet = quiet(counts);
        let mut quiet = std::pin::pin!(quiet);
        let longest = sleep(LONGEST);
        let mut longest = std::pin::pin!(longest);
        let fallen = fallen(standing, worker);
        let mut fallen = std::pin::pin!(fallen);
        // The caller's end alone does not end it: an upstream may still answer what it was told last.
        let mut said = false;
        loop {
            tokio::select! {
                () = &mut up, if !said => said = true,
                ended = &mut down => {
                    end = ended;
                    break;
                }
                () = sleep(LINGER), if said => break,
                () = &mut quiet => end = End::Ours,
                () = &mut longest => end = End::Ours,
                () = draining.started() => end = End::Ours,
                code = &mut fallen => end = End::Fallen(code),
            }
            if end != End::Over {
                break;
            }
        }
    }
    if watched.hits() > 0 {
        metrics::masked(worker.broker().metrics(), watched.hits());
        tracing::warn!("a WebSocket was cut: the upstream said the credential");
    }
    let word = match end {
        End::Ours => Some(GOING_AWAY),
        End::Fallen(_) | End::Cut => Some(NOT_ALLOWED),
        End::Over => None,
    };
    if let Some(word) = word.filter(|_| watched.is_between() && !counts.writing.load(Ordering::Relaxed)) {
        let _ = timeout(LINGER, to_caller.write_all(word)).await;
    }
    let _ = timeout(LINGER, async { tokio::join!(to_caller.shutdown(), to_upstream.shutdown()) }).await;
    end
}

/// From the caller to the upstream, as it is: what a caller says holds no credential of ours.
async fn up(mut from: ReadHalf<Line>, to: &mut WriteHalf<Line>, counts: &Counts) {
    let mut piece = BytesMut::with_capacity(PIECE);
    loop {
        piece.clear();
        match from.read_buf(&mut piece).await {
            Ok(0) | Err(_) => break,
            Ok(read) => counts.up.fetch_add(u64::try_from(read).unwrap_or(u64::MAX), Ordering::Relaxed),
        };
        if to.write_all(&piece).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}

/// From the upstream to the caller, frame by frame.
async fn down(
    mut from: ReadHalf<Line>,
    to: &mut WriteHalf<Line>,
    watched: &mut Watched,
    counts: &Counts,
) -> End {
    let mut piece = BytesMut::with_capacity(PIECE);
    loop {
        piece.clear();
        match from.read_buf(&mut piece).await {
            // What is held back is the beginning of a frame that never ended; nobody misses it.
            Ok(0) | Err(_) => return End::Over,
            Ok(_) => {}
        }
        let (sound, cut) = match watched.push(&piece) {
            Ok(sound) => (sound, false),
            Err(watched::Unsound) => (watched.innocent(), true),
        };
        counts.writing.store(true, Ordering::Relaxed);
        if to.write_all(&sound).await.is_err() {
            return End::Over;
        }
        counts.writing.store(false, Ordering::Relaxed);
        counts.down.fetch_add(u64::try_from(sound.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
        if cut {
            return End::Cut;
        }
    }
}

/// Ends when nothing has passed for a while.
async fn quiet(counts: &Counts) {
    let (mut before, mut since) = (counts.all(), Instant::now());
    while since.elapsed() < IDLE {
        sleep(IDLE / 8).await;
        let now = counts.all();
        if now != before {
            (before, since) = (now, Instant::now());
        }
    }
}

/// Ends when what allowed the line does not stand any more, with the reason.
async fn fallen(standing: &Standing, worker: &Worker) -> Code {
    loop {
        sleep(LOOK).await;
        if let Some(code) = standing.fallen(worker.broker()) {
            return code;
        }
    }
}

/// How often it is looked at whether a line is still allowed.
const LOOK: Duration = Duration::from_secs(1);
/// Longest wait for the caller to take the head that agrees.
const HEAD: Duration = Duration::from_secs(30);
/// Longest time in which nobody says anything.
const IDLE: Duration = Duration::from_secs(600);
/// As long as server-sent events may go on: behind it a capability is looked at again.
const LONGEST: Duration = Duration::from_secs(3_600);
/// How long the other end has when one is done.
const LINGER: Duration = Duration::from_secs(2);
const PIECE: usize = 8 * 1024;
/// A close frame with the status 1001, going away (RFC 6455, section 7.4.1).
const GOING_AWAY: &[u8] = &[0x88, 0x02, 0x03, 0xE9];
/// The same with 1008, a violation of policy.
const NOT_ALLOWED: &[u8] = &[0x88, 0x02, 0x03, 0xF0];
