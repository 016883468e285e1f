//! `doorward role`: which principal has which roles.

use super::approval::{ask, ask_as};
use crate::args::approval::Role;
use crate::context::Context;
use crate::failure::Outcome;
use crate::management::Who;
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
