//! `doorward serve`: the preset of doors that is the API for tenants, beside the socket of the home.

use crate::args::broker::Serve;
use crate::command::up::{self, Brought};
use crate::context::Context;
use crate::failure::Outcome;

/// Serves the API until it is told to stop.
pub(crate) fn run(context: &Context, args: &Serve) -> Outcome {
    up::serve(context, &args.up(), Brought { api: Some(args.addr), ..Brought::default() })
}
