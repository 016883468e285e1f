//! A caller with the run that it belongs to.

use std::sync::Arc;

use model::{Code, Holder, Needs, Refusal, RunId};
use net::Peer;

use super::{Run, Runs, Stands, ended};
use crate::holder::{Proven, Still};

/// What is known of a caller, and the run that it belongs to.
#[derive(Debug)]
pub(crate) struct Known {
    proven: Proven,
    run: Option<Arc<Run>>,
}

impl Known {
    /// Finds out what is known of a peer. `over` is the run whose socket it came through.
    ///
    /// # Errors
    /// `unauthenticated` when it is gone or its run has ended, `denied` at the socket of a run that it does not belong to.
    pub(crate) async fn of(
        peer: &Peer,
        needs: Needs,
        runs: &Runs,
        over: Option<RunId>,
    ) -> Result<Self, Refusal> {
        let proven = Proven::of(peer, needs)?.with_hash(needs).await?;
        let run = runs.of(&proven)?;
        match over {
            Some(over) if run.as_ref().is_none_or(|run| run.id != over) => Err(Refusal::new(
                Code::Denied,
                format!("this socket belongs to the run `{over}`, and the caller does not"),
            )
            .hint("`doorward run` starts programs that belong to a run")),
            _ => Ok(Self { proven, run }),
        }
    }

    /// The facts.
    pub(crate) fn holder(&self) -> Holder {
        Holder { run: self.run.as_ref().map(|run| run.id), ..self.proven.holder().clone() }
    }

    /// The run that it belongs to.
    pub(crate) fn run(&self) -> Option<&Arc<Run>> {
        self.run.as_ref()
    }

    /// Looks again, after the work and before the answer.
    ///
    /// # Errors
    /// `unauthenticated` when something does not hold any more.
    pub(crate) fn still(&self) -> Result<Still, Refusal> {
        let Stands { .. } = self.stands()?;
        self.proven.still()
    }

    /// Looks whether its run still stands, where it belongs to one. Costs nothing, so it is asked before the work as well.
    ///
    /// # Errors
    /// `unauthenticated` when it has ended.
    pub(crate) fn stands(&self) -> Result<Stands, Refusal> {
        self.run.as_ref().map_or(Ok(Stands(())), |run| run.stands().ok_or_else(|| ended(run.id)))
    }
}
