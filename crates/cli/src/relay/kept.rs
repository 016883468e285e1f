//! Where each question was written: a small file in the home, replaced whole.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Outcome};

/// Questions by the place where they were written, each with where it is there.
pub(super) struct Kept {
    file: PathBuf,
    told: Told,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    #[serde(default)]
    slack: BTreeMap<String, String>,
    #[serde(default)]
    linear: BTreeMap<String, String>,
}

impl Kept {
    /// Reads the file. One that can't be read ends the relay: it would write every question once more.
    pub(super) fn open(file: PathBuf) -> Outcome<Self> {
        let told = match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                Failure::doing(format!("could not read `{}`", file.display()), &error)
                    .hint("remove it, and every question that waits is written once more")
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Told::default(),
            Err(error) => return Err(Failure::doing(format!("could not read `{}`", file.display()), &error)),
        };
        Ok(Self { file, told })
    }

    /// All at a place.
    pub(super) fn at(&self, place: &str) -> &BTreeMap<String, String> {
        if place == "slack" { &self.told.slack } else { &self.told.linear }
    }

    /// Keeps where a question is, or forgets it.
    pub(super) fn put(&mut self, place: &str, id: &str, at: Option<String>) -> Outcome {
        let all = if place == "slack" { &mut self.told.slack } else { &mut self.told.linear };
        match at {
            Some(at) => all.insert(id.to_owned(), at),
            None => all.remove(id),
        };
        let text = serde_json::to_vec(&self.told)
            .map_err(|error| Failure::doing("could not write down where questions are", &error))?;
        store::files::replace(&self.file, &text, 0o600)
            .map_err(|error| Failure::doing(format!("could not write `{}`", self.file.display()), &error))
    }
}
