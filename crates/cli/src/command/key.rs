//! `doorward key`: keys for the API of a tenant. One is shown once, when it is made.

use model::{Inputs, TenantName};
use serde_json::Value;

use crate::args::tenant::{Create, Key, Rotate};
use crate::context::Context;
use crate::failure::Outcome;
use crate::print::Printer;
use crate::print::table::{self, at, cell};

/// Does one of them.
pub(crate) fn run(context: &Context, args: Key) -> Outcome {
    match args {
        Key::Create(args) => create(context, args),
        Key::List { tenant } => {
            let tenant = of(tenant);
            let answered = context.ask("key.list", &[("tenant", tenant.as_str())])?;
            context.printer.answer(&answered.value, |value| {
                let columns = [
                    ("id", "id"),
                    ("state", "state"),
                    ("label", "label"),
                    ("scopes", "scopes"),
                    ("created", "created"),
                    ("expires", "expires"),
                ];
                table::of(at(value, "keys"), &columns, "No keys. `doorward key create` makes one.")
            })
        }
        Key::Rotate(args) => rotate(context, args),
        Key::Revoke { id, tenant } => {
            let (id, tenant) = (id.to_string(), of(tenant));
            let answered = context.ask("key.revoke", &[("tenant", tenant.as_str()), ("id", &id)])?;
            context.printer.answer(&answered.value, |_| format!("Revoked `{id}`."))
        }
    }
}

fn create(context: &Context, args: Create) -> Outcome {
    let Create { tenant, root, scopes, expires, label } = args;
    let scopes = if root { Some("root".to_owned()) } else { scopes };
    let tenant = of(tenant).to_string();
    let given = [("tenant", Some(tenant)), ("scopes", scopes), ("expires", expires), ("label", label)];
    made(context, "key.create", given)
}

fn rotate(context: &Context, args: Rotate) -> Outcome {
    let Rotate { id, tenant, overlap, expires } = args;
    let (id, tenant) = (id.to_string(), of(tenant).to_string());
    let given = [("id", Some(id)), ("tenant", Some(tenant)), ("overlap", overlap), ("expires", expires)];
    made(context, "key.rotate", given)
}

fn made(context: &Context, operation: &str, given: [(&str, Option<String>); 4]) -> Outcome {
    let inputs: Inputs =
        given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    let answered = context.operate(operation, inputs, None)?;
    context.printer.answer(&answered.value, shown)
}

/// The key alone is data; what is said about it goes to whoever reads.
fn shown(value: &Value) -> String {
    let about = format!(
        "`{}` for the tenant `{}`. It is shown once: only a hash of it is kept.",
        cell(at(value, "id")),
        cell(at(value, "tenant")),
    );
    Printer::say(&about);
    cell(at(value, "key"))
}

/// The tenant of a key; the root's keys are those of the house.
fn of(tenant: Option<TenantName>) -> TenantName {
    tenant.unwrap_or_else(TenantName::local)
}
