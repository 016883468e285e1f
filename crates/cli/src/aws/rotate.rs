//! `rotate`: replaces a key, and says how far it is.

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use aws::chain::Purpose;
use aws::mfa::Serving;
use broker::mint::{self, OldKey, Progress, Stage, What};
use serde_json::json;

use super::desk::{self, Desk};
use super::speech::{self, Wrong, masked};
use super::{exec, lent};
use crate::compat::aws_vault::command::Rotate;

/// Replaces the key.
pub(super) fn run(desk: &Desk, rotate: Rotate) -> Result<ExitCode, Wrong> {
    let Rotate { profile, session, deactivate } = rotate;
    let old = if deactivate { OldKey::Deactivated } else { OldKey::Deleted };
    let name = exec::chosen(desk, profile)?;
    let profile = desk.known_profile(&name, &session)?;
    let master = aws::chain::master(&profile, &|name| desk.stored(name))
        .map_err(|error| lent::planless(desk, &error))?;
    let inputs = desk::input(&master.name);
    let want = lent::want(desk, &session, Purpose::Rotate);
    let lines = Arc::new(Lines { name: name.clone(), done: Mutex::default() });
    let what = || {
        let session = mint::OfProfile { profile: Box::new(profile.clone()), want, refresh: true };
        What::Rotate(session, old, Arc::clone(&lines) as Arc<dyn Progress>)
    };
    desk.get(("key.rotate", inputs), &profile, (&session, Serving::No), what)?;
    speech::told("", || {
        let done = lines.done.lock().unwrap_or_else(PoisonError::into_inner);
        let Done { created, old, sessions } = &*done;
        let old = old.as_ref().map(|(id, state)| json!({ "id": id, "state": state }));
        json!({ "profile": name, "keys_of": master.name, "created": created, "old": old, "sessions_deleted": sessions })
    })
}

/// Says each stage, and keeps what programs are told at the end.
struct Lines {
    name: String,
    done: Mutex<Done>,
}

/// What a rotation has done.
#[derive(Default)]
struct Done {
    created: Option<String>,
    /// The key before, and what became of it.
    old: Option<(String, &'static str)>,
    sessions: u64,
}

impl Lines {
    fn keep(&self, stage: &Stage<'_>) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        match stage {
            Stage::Created(id) => done.created = Some((*id).to_owned()),
            Stage::Deactivated(id) => done.old = Some(((*id).to_owned(), "inactive")),
            Stage::Deleted(id) => done.old = Some(((*id).to_owned(), "deleted")),
            Stage::Forgotten(count, _) => done.sessions += u64::try_from(*count).unwrap_or(u64::MAX),
            _ => {}
        }
    }
}

impl Progress for Lines {
    fn say(&self, stage: Stage<'_>) {
        self.keep(&stage);
        let name = &self.name;
        let line = match stage {
            Stage::Begun { master, session: true } => format!(
                "Rotating credentials stored for profile '{master}' using a session from profile '{name}' (takes 10-20 seconds)"
            ),
            Stage::Begun { master, session: false } => format!(
                "Rotating credentials stored for profile '{master}' using master credentials (takes 10-20 seconds)"
            ),
            Stage::Mending(id) => format!("Deleting access key {id} that an earlier rotation left"),
            Stage::Left(id) => {
                speech::say(&format!(
                    "warning: an interrupted rotation of `{name}` may have left access key {id}; delete it if nothing uses it"
                ));
                return;
            }
            Stage::Creating => "Creating a new access key".to_owned(),
            Stage::Created(id) => format!("Created new access key {}", masked(id)),
            Stage::Forgotten(count, profile) => format!("Deleted {count} sessions for {profile}"),
            Stage::Deactivated(id) => {
                format!("Made old access key {id} inactive; the next rotation deletes it")
            }
            Stage::Deleting(id) => format!("Deleting old access key {}", masked(id)),
            Stage::Deleted(id) => format!("Deleted old access key {}", masked(id)),
            Stage::Finished => "Finished rotating access key".to_owned(),
        };
        speech::progress(&line);
    }
}
