//! An answer in a file: whole, at once, for whoever may read it and nobody else.

use std::path::Path;

use serde_json::Value;

use super::wanted::Output;
use crate::failure::{Failure, Outcome};

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rights {
    mode: u32,
    group: Option<u32>,
}

impl Output {
    /// Mode and group of the file. Others than owner and group never read it: it may hold a bearer.
    pub(crate) fn rights(&self) -> Outcome<Rights> {
        let group = self.group.as_deref().map(|name| match name.parse::<u32>() {
            Ok(id) => Ok(id),
            Err(_) => crate::settings::agent::group_id(name, "--output-group"),
        });
        let group = group.transpose()?;
        let mode = match self.mode.as_deref() {
            None if group.is_some() => 0o640,
            None => 0o600,
            Some(written) => octal(written)?,
        };
        if self.file.is_none() && (self.mode.is_some() || self.group.is_some()) {
            return Err(Failure::usage(
                "`--output-mode` and `--output-group` are about the file of `--output`",
            ));
        }
        Ok(Rights { mode, group })
    }
}

/// Writes the whole answer.
pub(crate) fn write(file: &Path, rights: Rights, told: &Value) -> Outcome {
    let text = zeroize::Zeroizing::new(format!("{told:#}\n"));
    rights.write(file, text.as_bytes())
}

/// Removes an older answer: whoever looks for the file must not take that for the one that was denied.
pub(crate) fn remove(file: &Path) -> Outcome {
    // A device, a pipe or a link of the system holds no answer.
    if store::files::kept(file).is_some() || std::fs::symlink_metadata(file).is_err() {
        return Ok(());
    }
    std::fs::remove_file(file).map_err(|error| {
        Failure::doing(format!("could not remove the older `{}`", file.display()), &error)
            .hint("what is in it is not the answer to this request")
    })
}

impl Rights {
    /// Writes a file with these rights.
    pub(crate) fn write(self, file: &Path, bytes: &[u8]) -> Outcome {
        Ok(store::files::replace_for(file, bytes, self.mode, self.group)?)
    }
}

/// The same without what only its holder may see.
pub(crate) fn without_bearer(told: &Value) -> Value {
    let mut told = told.clone();
    if let Some(capability) = told.get_mut("capability").and_then(Value::as_object_mut) {
        capability.remove("token");
    }
    told
}

fn octal(written: &str) -> Outcome<u32> {
    let mode = u32::from_str_radix(written.trim_start_matches("0o"), 8).ok();
    let allowed = mode.filter(|mode| mode & !0o660 == 0 && mode & 0o400 != 0);
    allowed.ok_or_else(|| {
        Failure::usage("`--output-mode` lets nobody read the file but its owner and a group")
            .hint("one of 0600, 0640, 0660, 0400, 0440")
    })
}
