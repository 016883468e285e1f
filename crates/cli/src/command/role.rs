//! `doorward role`: which principal has which roles.

use serde_json::Value;

use super::approval::{ask, ask_as};
use crate::args::approval::Role;
use crate::context::Context;
use crate::failure::Outcome;
use crate::management::Who;
use crate::print::Printer;
use crate::print::table::{self, at};

/// Does one of them.
pub(crate) fn run(context: &Context, args: Role) -> Outcome {
    match args {
        Role::List { who } => {
            let answered = ask(context, &who, "role.list", &[])?;
            context.printer.answer(&answered.value, |value| {
                let principals = table::of(
                    at(value, "principals"),
                    &[
                        ("principal", "principal"),
                        ("kind", "kind"),
                        ("roles", "roles"),
                        ("changed", "changed"),
                    ],
                    "Nobody has a role yet. `doorward role grant NAME ROLE` gives one.",
                );
                let known =
                    table::of(at(value, "known"), &[("role", "role"), ("what it is for", "about")], "");
                format!("{principals}\n{known}")
            })
        }
        Role::Grant { principal, role, kind, who, approved } => {
            let principal = principal.to_string();
            let mut inputs = vec![("principal", principal.as_str()), ("role", role.as_str())];
            inputs.extend(kind.as_deref().map(|kind| ("kind", kind)));
            let who = Who::of(&who)?.approved(&approved)?;
            let answered = ask_as(context, &who, "role.grant", &inputs)?;
            // Who may give roles may not always read policies; then nothing is said.
            let policies = ask_as(context, &who, "policy.list", &[]);
            if policies.is_ok_and(|answered| !is_spoken_of(&answered.value, &role)) {
                Printer::say(&format!(
                    "warning: no policy in force speaks of the role `{role}`, so it gives nothing yet"
                ));
                Printer::say(
                    "hint: `doorward policy template team | doorward policy put team -` has the usual ones",
                );
            }
            context
                .printer
                .answer(&answered.value, |_| format!("`{principal}` has the role `{role}` from now on."))
        }
        Role::Revoke { principal, role, who, approved } => {
            let inputs = [("principal", principal.as_str()), ("role", role.as_str())];
            let who = Who::of(&who)?.approved(&approved)?;
            let answered = ask_as(context, &who, "role.revoke", &inputs)?;
            context
                .printer
                .answer(&answered.value, |_| format!("`{principal}` has not the role `{role}` any more."))
        }
    }
}

/// Whether any policy names a role: one that comes with Doorward, or one of the house.
fn is_spoken_of(policies: &Value, role: &str) -> bool {
    let wanted = format!("Role::\"{role}\"");
    let texts = at(policies, "policies").as_array().into_iter().flatten();
    let mut texts = texts.filter_map(|one| at(one, "text").as_str());
    policy::Source::DEFAULT.text.contains(&wanted) || texts.any(|text| text.contains(&wanted))
}
