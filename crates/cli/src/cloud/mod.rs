//! `doorward metadata gcp` and `azure`: metadata servers for SDKs of these clouds, with tokens from keys in our own store.
//!
//! # Invariants
//!
//! - The key is opened in the broker, for one call, and is never here.
//! - Every token and every answer of a server is a record of its own.

mod azure;
mod gcp;
mod source;

use std::net::SocketAddr;
use std::process::ExitCode;

use broker::mint::{CloudWish, Place, What, Wish};
use broker::{Answer, Outbound};
use cloud::Talk;
use model::Inputs;
use net::Listener;
use net::drain::Drain;
use serde_json::{Value, json};

use crate::args::Global;
use crate::args::metadata::{Metadata, Serving};
use crate::aws::child::Child;
use crate::aws::reach::reach;
use crate::aws::{Wrong, counter, desk, serve};
use crate::failure::{Failure, Outcome};
use crate::print::{Printer, problem};

/// Does what was typed behind `doorward metadata`.
pub(crate) fn typed(typed: Metadata, global: &Global, printer: Printer) -> ExitCode {
    if let Some(home) = &global.home {
        counter::at(home.clone());
    }
    let hidden = memory::conceal().map_err(|error| Wrong(Failure::of(&error)));
    let done = hidden.and_then(|()| match typed {
        Metadata::Gcp(gcp) => gcp::run(gcp, printer),
        Metadata::Azure(azure) => azure::run(azure, printer),
    });
    match done {
        Ok(code) => code,
        Err(Wrong(failure)) => {
            problem::print(&failure, printer);
            ExitCode::from(failure.exit_status())
        }
    }
}

/// Asks whose key it is: a mistake is seen before a server runs.
fn about(integration: &'static str, key: &str) -> Result<Value, Wrong> {
    let wish = wish(Place::About)?;
    match counter::call_of(integration, "key.check", input(key), wish)? {
        Outbound::Answer(Answer { value, .. }) | Outbound::Lease(Answer { value, .. }, _) => Ok(value),
        Outbound::Reply(..) => Err(Wrong(Failure::new("the broker gave a reply instead of an answer"))),
    }
}

/// What a call is to do. How the cloud is reached belongs to the runtime of the call, so each has its own.
fn wish(place: Place) -> Result<Wish, Wrong> {
    let talk = std::sync::Arc::new(Talk::new(egress()?, secrets::said_without));
    let what = What::OfCloud(Box::new(CloudWish { place, talk }));
    Ok(Wish { what, tools: desk::bare_tools()?, given: std::sync::Arc::default() })
}

/// Through which proxies, and whom to believe.
fn egress() -> Result<net::egress::EgressConfig, Wrong> {
    reach(None).egress().map_err(|error| Wrong(Failure::of(&error).maybe_hint(error.hint())))
}

fn input(key: &str) -> Inputs {
    Inputs::from([("key".to_owned(), key.to_owned())])
}

/// Opens the address of a server, which is for programs of this machine: none of them has to show anything.
fn opened(listen: Option<&str>) -> Result<(Listener, SocketAddr), Wrong> {
    let (bound, address) = serve::bind(listen, 0)?;
    if !address.ip().is_loopback() {
        let message = format!("the server asks nobody who they are, so it may not listen on `{address}`");
        return Err(Wrong(Failure::new(message).hint("leave `--listen` away, or name a port of 127.0.0.1")));
    }
    Ok((bound.listener().map_err(|error| Wrong(Failure::of(&error)))?, address))
}

/// Runs the command beside the server, or serves until somebody stops it.
async fn until_the_end(
    serving: Serving,
    (variables, stale): (Vec<(&'static str, String)>, &[&str]),
    printer: Printer,
    drain: Drain,
) -> Result<ExitCode, Wrong> {
    let status = if serving.command.is_empty() {
        tell(&variables, printer)?;
        stopped().await.map(|()| ExitCode::SUCCESS)
    } else {
        let child = Child::bare(serving.command, stale);
        let child = variables.iter().fold(child, |child, (name, value)| child.with(name, value));
        serve::beside(child).await
    };
    drain.start();
    status
}

/// The variables by which SDKs find the server.
fn tell(variables: &[(&'static str, String)], printer: Printer) -> Outcome {
    let document: Value = variables.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    printer.answer(&document, |_| {
        variables.iter().map(|(name, value)| format!("export {name}={value}\n")).collect()
    })
}

async fn stopped() -> Result<(), Wrong> {
    use tokio::signal::unix::{SignalKind, signal};
    let failed = |error: std::io::Error| Wrong(Failure::doing("could not wait for a signal", &error));
    let mut term = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    tokio::select! {
        _ = term.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
