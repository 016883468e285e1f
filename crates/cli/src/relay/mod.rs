//! `doorward approval relay`: carries questions to Slack and Linear, and answers back.
//!
//! It decides nothing and believes nobody: the running broker checks what Slack signed and reads in Linear who answered. What it keeps
//! is where each question was written, so that it is written once and changed when it is over.

mod door;
mod kept;
mod later;
mod rounds;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::mpsc;

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::management::Running;
use crate::print::Printer;
use crate::serving::Stops;
use crate::wire;
use kept::Kept;
use rounds::{Places, Rounds};

/// Serves until it is told to stop.
pub(crate) fn run(context: &Context, listen: Option<SocketAddr>, every: &str) -> Outcome {
    let every = model::parse_duration(every)?;
    let answering = context.settings()?.approvals.answering;
    let places =
        Places { slack: answering.slack.is_some(), linear: answering.linear.map(|one| one.integration) };
    if !places.any() {
        return Err(Failure::usage("nobody is set up to answer elsewhere")
            .hint("`[approvals.slack]` or `[approvals.linear]` in settings.toml"));
    }
    if listen.is_some() && !places.slack {
        return Err(Failure::usage("only Slack sends something here, and it is not set up")
            .hint("`[approvals.slack]` in settings.toml, or leave `--listen` out"));
    }
    let running = running(context)?;
    let kept = Kept::open(context.home()?.told())?;
    let (wake, woken) = mpsc::channel();
    let (stop, stopped) = mpsc::channel();
    let asking = std::thread::Builder::new()
        .name("relay".to_owned())
        .spawn(move || Rounds::new(running, places, kept).go(every, &woken, &stopped))
        .map_err(|error| Failure::doing("could not start a thread", &error))?;
    let served = serve(context, listen, wake.clone());
    // It is woken, and looks whether it is to end.
    let _ = (stop.send(()), wake.send(()));
    let asked = asking.join().map_err(|_| Failure::new("the relay broke off"))?;
    served.and(asked)
}

/// The running broker: without one there is nobody to be asked while this process waits.
fn running(context: &Context) -> Outcome<Running> {
    Running::find(context)?.ok_or_else(|| {
        Failure::new("no broker runs over this home").hint("`doorward up`, then `doorward approval relay`")
    })
}

fn serve(context: &Context, listen: Option<SocketAddr>, wake: mpsc::Sender<()>) -> Outcome {
    let runtime = wire::runtime()?;
    let bound = listen.map(|address| net::bind_tcp(address, NonZeroUsize::MIN)).transpose()?;
    let (drain, draining) = net::drain::channel();
    let door = Arc::new(door::Door::new(context.home()?.socket(), wake));
    runtime.block_on(async {
        // Before anybody is told that it is there: whoever stops it then must not cut off what a round is writing down.
        let stops = Stops::listen()?;
        let mut serving = Vec::new();
        for one in bound.into_iter().flatten() {
            Printer::say(&format!("Slack's answers are taken at http://{}{}.", one.address()?, door::PATH));
            let door = Arc::clone(&door);
            let service = move |request, _peer: net::Peer| {
                let door = Arc::clone(&door);
                async move { door.answer(request).await }
            };
            serving.push(net::serve(one.listener()?, service, net::ServeLimits::default(), draining.clone()));
        }
        Printer::say("Questions are carried.");
        stops.drained(&drain, serving).await;
        Ok(())
    })
}
