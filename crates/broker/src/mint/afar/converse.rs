//! The broker's side.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use keyring::Item;
use model::{Code, Door, Fact, Inputs, Refusal};
use net::Draining;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::distant::{self, Line, Post};
use super::letter::{Enclosed, Letter, Malformed, sealed};
use super::turns::{self, Turns};
use super::wish;
use super::words::{Answered, Calling, Opening, Recorded, Refused, Said};
use crate::mint::{Tools, What, Wish};
use crate::{Answer, Asked, Inbound, Operate, Outbound, Worker};

/// Talks with programs that run beside this broker.
pub struct Conversations {
    worker: Arc<Worker>,
    turns: Turns,
}

/// Proof that a door has looked at the program once more, and that it is who it was.
#[derive(Debug)]
#[must_use]
pub struct Stays(());

impl Stays {
    /// For a door that has just looked.
    pub const fn seen() -> Self {
        Self(())
    }
}

/// Looks at the program once more.
pub type Staying = dyn Fn() -> Result<Stays, Refusal> + Send + Sync;

impl Conversations {
    /// Calls run on this worker.
    #[must_use]
    pub fn new(worker: Arc<Worker>) -> Self {
        Self { worker, turns: Turns::default() }
    }

    /// Talks with the program at the other end until one of both is done. The facts are what the kernel says of it, now and
    /// before each answer.
    pub async fn talk<S>(&self, stream: S, of: (Fact, Box<Staying>), draining: Draining)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        // Dropped, the connection is closed: that is all there is to do about a program that can't be understood.
        if let Err(error) = self.talked(stream, of, draining).await {
            tracing::debug!(%error, "a program that asked for a lease broke off");
        }
    }

    async fn talked<S>(
        &self,
        mut stream: S,
        (facts, stays): (Fact, Box<Staying>),
        draining: Draining,
    ) -> Result<(), Malformed>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let opening = timeout(FIRST, Letter::receive(&mut stream)).await;
        let letter = opening.map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))??;
        match letter.head() {
            Ok(Opening::Call(calling)) => self.call(&mut stream, (*calling, letter), (facts, &*stays)).await,
            Ok(Opening::Answers) => {
                letter.done()?;
                self.answers(stream, facts, draining).await
            }
            Err(error) => refuse(&mut stream, &strange(&error)).await,
        }
    }

    /// One call, to its end: a program that hangs up cancels nothing.
    async fn call<S>(
        &self,
        stream: &mut S,
        (calling, letter): (Calling, Letter),
        (facts, stays): (Fact, &Staying),
    ) -> Result<(), Malformed>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let (line, mut posts) = mpsc::unbounded_channel();
        let (inbound, name) = match inbound(calling, letter, &Line(line), facts) {
            Ok(read) => read,
            Err(refusal) => return refuse(stream, &refusal).await,
        };
        let turn = tokio::select! {
            turn = timeout(PATIENCE, self.turns.wait(name)) => turn,
            // Nobody waits for it any more, and nothing was done.
            () = hung_up(stream) => return Ok(()),
        };
        let Ok(turn) = turn else {
            let message = "another command has been waiting for its keyring all the time";
            let refusal = Refusal::new(Code::Conflict, message).hint("answer what it asks for, or end it");
            return refuse(stream, &refusal).await;
        };
        let mut call = pin!(self.worker.call(inbound));
        let mut turn = Some(turn);
        let done = loop {
            tokio::select! {
                biased;
                Some(post) = posts.recv() => passed(stream, post).await,
                done = call.as_mut() => break done,
                // The call goes on to its end, without a keyring; others need not wait for that.
                () = hung_up(stream), if turn.is_some() => turn = None,
            }
        };
        drop(turn);
        while let Ok(post) = posts.try_recv() {
            passed(stream, post).await;
        }
        match stays() {
            Ok(Stays(())) => finished(stream, &done).await,
            // Whoever asked may be gone by now, and somebody else hold the connection.
            Err(refusal) => refuse(stream, &refusal).await,
        }
    }

    /// Records answers of a metadata server, many at a time, until the program ends or the house drains.
    async fn answers<S>(&self, stream: S, facts: Fact, mut draining: Draining) -> Result<(), Malformed>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (reader, writer) = tokio::io::split(stream);
        let (told, tellings) = mpsc::channel(MOST);
        let telling = tell_all(writer, tellings);
        let reading = async {
            let mut reader = BufReader::with_capacity(BUFFER, reader);
            let mut tasks = JoinSet::new();
            let room = Arc::new(Semaphore::new(MOST));
            let (line, _posts) = mpsc::unbounded_channel();
            let tools = wish::nothing(&Line(line))?;
            let end = loop {
                let letter = tokio::select! {
                    biased;
                    () = draining.started() => break Ok(()),
                    letter = Letter::receive(&mut reader) => match letter {
                        Ok(letter) => letter,
                        Err(error) => break Err(error),
                    },
                };
                let answered: Answered = letter.head()?;
                let Ok(place) = Arc::clone(&room).acquire_owned().await else { break Ok(()) };
                let (worker, told) = (Arc::clone(&self.worker), told.clone());
                let (facts, tools) = (facts.clone(), tools.clone());
                // Owned by the set, which is emptied below.
                tasks.spawn(async move {
                    let recorded = record(&worker, answered, facts, tools).await;
                    // Whoever went away is told nothing.
                    let _ = told.send(recorded).await;
                    drop(place);
                });
                while tasks.try_join_next().is_some() {}
            };
            while tasks.join_next().await.is_some() {}
            drop(told);
            end
        };
        let (end, written) = tokio::join!(reading, telling);
        end.and(written)
    }
}

/// One answer of a server, recorded.
async fn record(worker: &Arc<Worker>, answered: Answered, facts: Fact, tools: Tools) -> Recorded {
    let Answered { number, integration, inputs, fields } = answered;
    let wish = Wish { what: What::Answered { fields }, tools, given: Arc::default() };
    let result = match operate((&integration, "metadata.answer"), inputs, wish, facts) {
        Ok(inbound) => worker.call(inbound).await,
        Err(refusal) => Err(refusal),
    };
    let result = match result {
        Ok(Outbound::Answer(answer) | Outbound::Lease(answer, _)) => Ok(answer.evidence),
        Ok(Outbound::Reply(id, _)) => Ok(id),
        Err(refusal) => Err(Refused::from(&refusal)),
    };
    Recorded { number, result }
}

/// Writes what there is to tell, as much at a time as has gathered.
async fn tell_all<W>(mut writer: W, mut tellings: mpsc::Receiver<Recorded>) -> Result<(), Malformed>
where
    W: AsyncWrite + Unpin,
{
    let mut gathered = Vec::new();
    while tellings.recv_many(&mut gathered, MOST).await > 0 {
        let mut bytes = Vec::with_capacity(gathered.len() * 128);
        for recorded in gathered.drain(..) {
            bytes.extend_from_slice(&sealed(&recorded, &[])?);
        }
        timeout(WRITE, writer.write_all(&bytes)).await.map_err(|_| stalled())??;
    }
    Ok(())
}

/// Says something to the program, and gives its answer to whoever waits for it. Where there is none, that one notices.
async fn passed<S>(stream: &mut S, post: Post)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (said, item, answer): (Said, Option<Item>, _) = post.split();
    let enclosed: Vec<Enclosed<'_>> = distant::enclosed(item.as_ref()).into_iter().collect();
    if send(stream, &said, &enclosed).await.is_err() {
        return;
    }
    if let Some(answer) = answer
        && let Ok(Ok(letter)) = timeout(PATIENCE, Letter::receive(stream)).await
    {
        let _ = answer.send(letter);
    }
}

/// Waits until the program goes away. It says nothing of its own accord, so whatever it says is the end as well.
async fn hung_up(stream: &mut (impl AsyncRead + Unpin)) {
    let _ = stream.read(&mut [0]).await;
}

/// The call that a message asks for, and whose turn it needs.
fn inbound(
    calling: Calling,
    mut letter: Letter,
    line: &Line,
    facts: Fact,
) -> Result<(Inbound, String), Refusal> {
    let Calling { integration, operation, inputs, what, tools, given } = calling;
    let read = || {
        let what = wish::what(what, line, &mut letter)?;
        let tools = wish::tools(tools, line, &mut letter)?;
        let given = wish::given(given, &mut letter)?;
        Ok::<_, Malformed>(Wish { what, tools, given: Arc::new(given) })
    };
    let wish = read().and_then(|wish| letter.done().map(|()| wish)).map_err(|error| strange(&error))?;
    let name = turns::of(&wish.what);
    Ok((operate((&integration, &operation), inputs, wish, facts)?, name))
}

fn operate(
    (integration, operation): (&str, &str),
    inputs: Inputs,
    wish: Wish,
    facts: Fact,
) -> Result<Inbound, Refusal> {
    let wrong = |error: model::ParseError| Refusal::new(Code::BadRequest, error.to_string());
    let (integration, operation) = (integration.parse().map_err(wrong)?, operation.parse().map_err(wrong)?);
    let wish = Some(Box::new(wish));
    let mut operate = Operate::new(integration, operation, inputs);
    operate.wish = wish;
    let asked = Asked::Operate(operate);
    Ok(Inbound { door: Door::Socket, facts, capability: None, asked })
}

/// Says what came of the call.
async fn finished(
    stream: &mut (impl AsyncWrite + Unpin),
    done: &Result<Outbound, Refusal>,
) -> Result<(), Malformed> {
    let mut enclosed = Vec::new();
    match done {
        Ok(Outbound::Answer(Answer { evidence, value, failed: _ })) => {
            let said = Said::Answer { evidence: *evidence, value: value.clone(), lease: None };
            send(stream, &said, &[]).await
        }
        Ok(Outbound::Lease(Answer { evidence, value, failed: _ }, lease)) => {
            let lease = Some(wish::leased(lease, &mut enclosed));
            let said = Said::Answer { evidence: *evidence, value: value.clone(), lease };
            send(stream, &said, &enclosed).await
        }
        Ok(Outbound::Reply(id, _)) => {
            let message = "a reply came instead of an answer";
            refuse(stream, &Refusal::new(Code::SourceUnavailable, message).recorded(*id)).await
        }
        Err(refusal) => refuse(stream, refusal).await,
    }
}

async fn refuse(stream: &mut (impl AsyncWrite + Unpin), refusal: &Refusal) -> Result<(), Malformed> {
    send(stream, &Said::Refused(Refused::from(refusal)), &[]).await
}

async fn send(
    stream: &mut (impl AsyncWrite + Unpin),
    said: &Said,
    enclosed: &[Enclosed<'_>],
) -> Result<(), Malformed> {
    let bytes = sealed(said, enclosed)?;
    timeout(WRITE, stream.write_all(&bytes)).await.map_err(|_| stalled())??;
    Ok(())
}

fn stalled() -> std::io::Error {
    std::io::ErrorKind::TimedOut.into()
}

fn strange(error: &Malformed) -> Refusal {
    Refusal::new(Code::BadRequest, format!("the program that asks can't be understood: {error}"))
        .hint("is the running broker of another version? `doorward status`")
}

/// A program says what it wants at once.
const FIRST: Duration = Duration::from_secs(10);
/// Somebody may be typing a passphrase.
const PATIENCE: Duration = Duration::from_secs(130);
const WRITE: Duration = Duration::from_secs(30);
/// Answers of one server that are being recorded at a time.
const MOST: usize = 1024;
const BUFFER: usize = 64 * 1024;
