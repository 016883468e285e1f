//! Step 8 for a program: waits for its turn, runs it to its end, wipes its files.

use std::sync::Arc;

use evidence::Receipt;
use model::{Access, Code, Refusal, Retry};
use runner::{Exit, Ran};
use secrets::Mask;

use crate::Worker;
use crate::outgoing::{Kept, Minter};
use crate::path::admit::Admitted;
use crate::path::inject::Prepared;

/// What a program did, before it is scrubbed.
pub(crate) struct Run {
    pub(crate) ran: Ran,
    pub(crate) mask: Option<Arc<Mask>>,
}

/// Runs it. A token that was made for the run is taken back when it is over, however it ended.
pub(super) async fn run(
    worker: &Worker,
    admitted: &mut Admitted,
    receipt: &Receipt,
    mut prepared: Prepared,
) -> Result<Run, Refusal> {
    let token = prepared.token.take();
    let run = alone(worker, admitted, prepared).await;
    if let Some(token) = token {
        let Admitted { permit, integration, notes, .. } = admitted;
        let minter = Minter { worker, permit, receipt, integration, lent: &[], kept: Kept::Fresh };
        let told = match minter.take_back(&token).await {
            Ok(()) => "taken back".to_owned(),
            Err(refusal) => {
                tracing::warn!(integration = %integration.name(), why = %refusal.message, "a token was not taken back");
                format!("not taken back: {}", refusal.message)
            }
        };
        notes.push((TOKEN.to_owned(), told));
    }
    run
}

async fn alone(worker: &Worker, admitted: &mut Admitted, prepared: Prepared) -> Result<Run, Refusal> {
    let Prepared { room, command, sandbox, mask, token: _, facts } = prepared;
    admitted.notes.extend(facts);
    let program = command.program.name().to_owned();
    let time = command.limits.time;
    let ready = worker.broker().machine().ready();
    let ready = ready.map_err(|why| Refusal::new(Code::SourceUnavailable, why))?;
    let turn = ready.turns.wait(admitted.permit.tenant().as_str()).await;
    let turn = turn.map_err(|error| {
        Refusal::new(Code::RateLimited, error.to_string()).retry(Retry::Safe).hint("try again in a moment")
    })?;
    let ran = sandbox.run(&room, command).await;
    drop(turn);
    if let Err(error) = room.wipe() {
        tracing::error!(%error, "the private folder of a run could not be wiped");
        admitted.notes.push(("room".to_owned(), "not wiped".to_owned()));
    }
    let ran = ran.map_err(|error| {
        let refusal =
            Refusal::new(Code::SourceUnavailable, format!("`{program}` was not run: {error}{}", why(&error)));
        match error.hint() {
            Some(hint) => refusal.hint(hint),
            None => refusal,
        }
    })?;
    if ran.exit == Exit::TimedOut {
        let message = format!("`{program}` was ended, as it took longer than {} s", time.as_secs());
        return Err(match admitted.permit.call().access() {
            Access::Write => Refusal::new(Code::OutcomeUnknown, message),
            Access::Read => Refusal::new(Code::UpstreamTimeout, message),
        });
    }
    Ok(Run { ran, mask })
}

fn why(error: &runner::Error) -> String {
    std::error::Error::source(error).map_or_else(String::new, |source| format!(": {source}"))
}

/// The field of the evidence that says what became of the token of the run.
const TOKEN: &str = "token";
