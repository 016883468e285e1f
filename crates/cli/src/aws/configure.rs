//! `configure`: edits one profile of the profile file in place.

use std::process::ExitCode;

use aws::file::File;

use super::desk;
use super::speech::{self, Wrong};
use crate::compat::aws_vault::command::Configure;
use crate::failure::Failure;

/// Writes and takes out settings of a profile, and touches nothing else.
pub(super) fn run(configure: &Configure) -> Result<ExitCode, Wrong> {
    let wrong = |error: aws::file::Error| Wrong(Failure::of(&error).maybe_hint(error.hint()));
    let path = desk::config_path();
    let before = File::load(&path).map_err(wrong)?;
    let name = &configure.profile;
    let mut text = before.text().to_owned();
    if before.section(name).is_none() {
        text = before.with_profile(name, &[]).map_err(wrong)?;
    }
    for (key, value) in &configure.set {
        text =
            File::parse(&text, &path).and_then(|file| file.with_setting(name, key, value)).map_err(wrong)?;
    }
    for key in &configure.unset {
        text = File::parse(&text, &path).map_err(wrong)?.without_setting(name, key);
    }
    before.save(&text).map_err(wrong)?;
    let said = format!("Wrote profile `{name}` to `{}`.\n", path.display());
    speech::told(&said, || serde_json::json!({ "profile": name, "file": path }))
}
