//! `doorward tenant`: make, list, show, erase tenants.

use model::TenantName;
use serde_json::Value;

use crate::args::tenant::Tenant;
use crate::context::Context;
use crate::failure::Outcome;
use crate::management::Running;
use crate::print::Printer;
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
        Tenant::RotateKey { name } => rotate(context, &name),
        Tenant::Rotation { name } => {
            let answered = context.ask("tenant.rotation", &[("name", name.as_str())])?;
            context.printer.answer(&answered.value, |value| {
                table::facts(
                    &["name", "status", "version", "older", "rows", "left"]
                        .map(|key| (key, cell(at(value, key)))),
                )
            })
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

/// Waits to the end, and shows meanwhile how far it is where a broker runs that can be asked.
fn rotate(context: &Context, name: &TenantName) -> Outcome {
    let over = std::sync::atomic::AtomicBool::new(false);
    let running = Running::find(context)?.filter(|_| !context.printer.is_json() && Printer::is_watched());
    let answered = std::thread::scope(|scope| {
        if let Some(running) = &running {
            scope.spawn(|| watch(running, name, &over));
        }
        let answered = context.ask("tenant.rotate", &[("name", name.as_str())]);
        over.store(true, std::sync::atomic::Ordering::Release);
        answered
    })?;
    context.printer.answer(&answered.value, |value| {
        let (version, rows) = (cell(at(value, "version")), cell(at(value, "sealed_anew")));
        format!(
            "`{name}` has data key {version} now, {rows} rows were sealed anew, and the key before is gone."
        )
    })
}

/// A line on stderr that says how many rows are left.
fn watch(running: &Running, name: &TenantName, over: &std::sync::atomic::AtomicBool) {
    while !over.load(std::sync::atomic::Ordering::Acquire) {
        let Ok(found) = running.look("tenant.rotation", &[("name", name.as_str())]) else { return };
        let number = |key| at(&found, key).as_u64().unwrap_or_default();
        let (rows, left) = (number("rows"), number("left"));
        Printer::progress(rows.saturating_sub(left), rows, "rows sealed anew");
        for _ in 0..LOOKS {
            if !over.load(std::sync::atomic::Ordering::Acquire) {
                std::thread::sleep(GLANCE);
            }
        }
    }
    Printer::progress_over();
}

/// How often is looked whether it is over, and after how many of these how far it is: each look is a record.
const GLANCE: std::time::Duration = std::time::Duration::from_millis(100);
const LOOKS: usize = 20;

fn described(value: &Value) -> String {
    let fact = |key| (key, cell(at(value, key)));
    let facts = ["name", "status", "plan", "providers", "keys", "created", "erased"].map(fact);
    table::facts(&facts)
}
