//! `doorward tenant`: make, list, show, erase tenants.

use serde_json::Value;

use crate::args::tenant::Tenant;
use crate::context::Context;
use crate::failure::Outcome;
use crate::print::table::{self, at, cell};
use crate::typed;

/// Does one of them.
pub(crate) fn run(context: &Context, args: Tenant) -> Outcome {
    match args {
        Tenant::Create { name, plan } => {
            let answered = context.ask("tenant.create", &[("name", &name), ("plan", plan.as_str())])?;
            context.printer.answer(&answered.value, |_| {
                format!(
                    "Made the tenant `{name}`. `doorward key create --tenant {name}` makes a key for its API."
                )
            })
        }
        Tenant::List => {
            let answered = context.ask("tenant.list", &[])?;
            context.printer.answer(&answered.value, |value| {
                let columns = [
                    ("name", "name"),
                    ("status", "status"),
                    ("plan", "plan"),
                    ("keys", "keys"),
                    ("created", "created"),
                    ("erased", "erased"),
                ];
                let none = "No tenants yet. `doorward tenant create NAME` makes one.";
                table::of(at(value, "tenants"), &columns, none)
            })
        }
        Tenant::Show { name } => {
            let answered = context.ask("tenant.show", &[("name", name.as_str())])?;
            context.printer.answer(&answered.value, described)
        }
        Tenant::Erase { name, yes } => {
            if !yes {
                let question = format!("Destroy the keys of `{name}`, and all that it keeps, for good?");
                typed::confirmed(&question, "--yes")?;
            }
            let answered = context.ask("tenant.erase", &[("name", name.as_str())])?;
            context.printer.answer(&answered.value, |_| {
                format!(
                    "Erased `{name}`. What was sealed for it can't be opened any more; its evidence stays."
                )
            })
        }
    }
}

fn described(value: &Value) -> String {
    let fact = |key| (key, cell(at(value, key)));
    let facts = ["name", "status", "plan", "providers", "keys", "created", "erased"].map(fact);
    table::facts(&facts)
}
