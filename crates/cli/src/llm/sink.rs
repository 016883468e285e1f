//! Where sign-ins are kept: in our own store, by operations that leave evidence, or in a file of another program's form.

use std::path::PathBuf;

use cloud::sign_in::{Profile, Rank, Renew};
use memory::Secret;
use model::Inputs;
use serde_json::Value;

use super::endpoint;
use super::file::Held;
use super::found::folder;
use crate::args::llm::Issuer;
use crate::compat::environment;
use crate::context::{self, Context};
use crate::failure::{Failure, Outcome};
use crate::print::table::at;

/// A place for sign-ins.
pub(crate) enum Sink<'a> {
    /// The store of a home.
    Home(&'a Context),
    /// A file.
    File(PathBuf),
}

impl Sink<'_> {
    /// Keeps one.
    pub(super) fn put(&self, profile: Profile, rank: Rank) -> Outcome {
        match self {
            Self::File(path) => Held::change(path, |all| {
                all.put(profile, rank);
                Ok(())
            }),
            Self::Home(context) => {
                let default = if rank == Rank::Default { "true" } else { "false" };
                let inputs =
                    [("id", profile.id.as_str()), ("provider", &profile.provider), ("default", default)];
                let inputs = inputs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
                let mut document = profile.write().map_err(|error| super::failed(&error))?;
                let document =
                    Secret::new(std::mem::take(&mut *document)).map_err(|error| Failure::of(&error))?;
                context.operate("llm.import", inputs, Some(document)).map(drop)
            }
        }
    }

    /// Every one without its tokens.
    pub(super) fn list(&self) -> Outcome<Value> {
        match self {
            Self::File(path) => Ok(Held::read(path)?.list(context::now())),
            Self::Home(context) => Ok(at(&context.ask("llm.list", &[])?.value, "profiles").clone()),
        }
    }

    /// Makes one the default of its provider.
    pub(super) fn prefer(&self, id: &str, renew: Option<Renew>) -> Outcome {
        match self {
            Self::File(path) => Held::change(path, |all| all.prefer(id, renew).map(drop)),
            Self::Home(context) => {
                let mut inputs = Inputs::from([("id".to_owned(), id.to_owned())]);
                if let Some(renew) = renew {
                    let word = if renew == Renew::WhenDue { "true" } else { "false" };
                    inputs.insert("refresh".to_owned(), word.to_owned());
                }
                context.operate("llm.use", inputs, None).map(drop)
            }
        }
    }

    /// Forgets one.
    pub(super) fn remove(&self, id: &str) -> Outcome {
        match self {
            Self::File(path) => Held::change(path, |all| all.take(id).map(drop)),
            Self::Home(context) => context.ask("llm.remove", &[("id", id)]).map(drop),
        }
    }

    /// Renews one where it is due, and gives its name.
    pub(super) fn refresh(&self, id: Option<&str>, issuer: &Issuer) -> Outcome<String> {
        match self {
            Self::File(path) => endpoint::refresh(path, id, issuer),
            Self::Home(_) => Err(Failure::usage("a sign-in of the store is renewed when it is used")
                .hint("`doorward llm auth use ID --refresh` says that it is")),
        }
    }
}

/// The file of the command line `assistantctl`.
pub(crate) fn default_file() -> Outcome<PathBuf> {
    if let Some(path) = environment("CARAPULSE_AUTH_PATH") {
        return Ok(path.into());
    }
    Ok(folder("CARAPULSE_STATE_DIR", ".carapulse")?.join("auth-profiles.json"))
}
