//! What the keyrings of an operating system have in common: where they are, and how their errors are read. Nobody is asked for
//! anything by us; the desktop may show a prompt of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ::keyring::{Ask, Error as Ring, NoAnswer, Question, Settings};
use memory::Secret;
use model::SecretRef;

use super::{Environment, Trouble, program};
use crate::Error;
use crate::secrets::waiting;

/// Nobody is there to be asked.
struct Nobody;

impl Ask for Nobody {
    fn ask(&self, _question: &Question) -> Result<Secret, NoAnswer> {
        Err(NoAnswer::Nobody)
    }

    fn tell(&self, _line: &str) {}
}

/// Where the keyrings of this person are.
pub(crate) fn settings(environment: &Environment) -> Settings {
    let home = environment.raw("HOME").map_or_else(|| PathBuf::from("/nonexistent"), PathBuf::from);
    let mut settings = Settings::new(home, Arc::new(Nobody));
    settings.bus.address = environment.text("DBUS_SESSION_BUS_ADDRESS");
    settings.bus.runtime = environment.raw("XDG_RUNTIME_DIR").map(PathBuf::from);
    settings.secret_service.prompt = PROMPT;
    settings.kwallet.prompt = PROMPT;
    settings.pass.password_store = environment.raw("PASSWORD_STORE_DIR").map(PathBuf::from);
    settings.pass.passage_store = environment.raw("PASSAGE_DIR").map(PathBuf::from);
    settings.programs.path = environment.raw("PATH").unwrap_or_default();
    settings.programs.environment = program::inherited(environment, ["HOME", "GNUPGHOME"]);
    settings
}

/// Asks a keyring, on a thread that may wait.
pub(crate) async fn asked(
    reference: &SecretRef,
    ask: impl FnOnce() -> Result<Secret, Ring> + Send + 'static,
) -> Result<Secret, Error> {
    let owned = reference.clone();
    waiting(move || ask().map_err(|error| failed(&owned, &error))).await
}

/// What a keyring says is not repeated, but for what it is.
fn failed(reference: &SecretRef, error: &Ring) -> Error {
    match error {
        Ring::NotFound { .. } => Error::Missing(reference.to_string()),
        error => Error::source(reference, trouble(error)),
    }
}

/// The same for whoever asked for no secret.
pub(crate) fn trouble(error: &Ring) -> Trouble {
    match error {
        Ring::Locked { kind, why } => {
            Trouble::Refused { at: format!("the keyring `{kind}`"), why: format!("it stays locked: {why}") }
        }
        Ring::Unavailable { kind, why, .. } => {
            Trouble::setting(format!("the keyring `{kind}` can't be used here: {why}"))
        }
        Ring::Setting { kind, what } => Trouble::setting(format!("the keyring `{kind}` needs {what}")),
        Ring::Malformed { what, .. } => Trouble::Wrong(what),
        Ring::Name { why, .. } => Trouble::Wrong(why),
        Ring::File { what, source, .. } => Trouble::Unreachable {
            at: "the keyring".into(),
            what: format!("could not {what} ({})", source.kind()),
        },
        Ring::Refused { kind, what, .. } => {
            Trouble::Refused { at: format!("the keyring `{kind}`"), why: format!("it could not {what}") }
        }
        Ring::Ask { kind, .. } => {
            Trouble::setting(format!("the keyring `{kind}` wants an answer from a person"))
        }
        _ => Trouble::setting("the keyring could not be used"),
    }
}

/// Longer than a call waits; a person who is late finds it open for the next one.
const PROMPT: Duration = Duration::from_secs(30);
