//! `doorward gateway`: the preset of doors that is a gateway only, over a peer's files or the home's own.

use crate::args::gateway::Gateway;
use crate::command::up::{self, Brought};
use crate::context::Context;
use crate::failure::Outcome;
use crate::gateway::Peer;
use crate::print::Printer;

/// Runs the gateway until it is told to stop.
pub(crate) fn run(context: &Context, args: &Gateway) -> Outcome {
    if args.version {
        return Printer::text(concat!("doorward ", env!("CARGO_PKG_VERSION")));
    }
    args.sound()?;
    let (up, limits) = (args.as_up()?, args.serve_limits()?);
    let peer = Peer::named(args)?;
    if peer.is_none() && std::path::Path::new(USUAL).is_file() {
        // The program whose flags these are reads it without being told.
        Printer::say(&format!(
            "note: `{USUAL}` of this folder is not read, as nobody named it; `-config {USUAL}` serves it"
        ));
    }
    let speaks = args.clone();
    let dialect = Box::new(move |listens| speaks.dialect(listens));
    up::serve(context, &up, Brought { dialect: Some(dialect), limits, peer, api: None })
}

/// What the peer's configuration is called where nobody says otherwise.
const USUAL: &str = "config.yaml";
