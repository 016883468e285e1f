//! `doorward store`: prepares a PostgreSQL, and copies what a home keeps from one place to another.

mod copy;
mod digest;
mod side;

use serde_json::json;
use store::Postgres;

use crate::args::store::{Prepare, Store};
use crate::context::Context;
use crate::failure::Outcome;
use crate::settings;

/// Does one of them.
pub(crate) fn run(context: &Context, args: Store) -> Outcome {
    match args {
        Store::Prepare(args) => prepare(context, &args),
        Store::Copy(args) => copy::run(context, &args),
    }
}

fn prepare(context: &Context, args: &Prepare) -> Outcome {
    let Prepare { url, role, password, ca } = args;
    let store = settings::store::Store::typed(url, password.clone(), ca.clone())?;
    let version = Postgres::prepare(&store.setup()?.target, role)?;
    let document = json!({ "status": "prepared", "version": version, "role": role });
    context.printer.answer(&document, |_| {
        format!("The schema has version {version}; `{role}` may use it. Next: `doorward init --store postgres://{role}@...`.")
    })
}
