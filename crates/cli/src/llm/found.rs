//! Where other programs keep their sign-ins.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use cloud::sign_in::{self, Found, Renew};
use model::Timestamp;
use zeroize::Zeroizing;

use super::failed;
use crate::compat::environment;
use crate::failure::{Failure, Outcome};

/// The sign-in of Codex.
pub(super) fn codex(file: Option<&Path>, renew: Renew, now: Timestamp) -> Outcome<Found> {
    let path = match file {
        Some(file) => file.to_owned(),
        None => folder("CODEX_HOME", ".codex")?.join("auth.json"),
    };
    let shown = path.display().to_string();
    let bytes = read(&path)?
        .ok_or_else(|| Failure::new(format!("codex auth file not found: `{shown}`")).hint(KEYRING))?;
    let found = sign_in::codex(&bytes, &shown, now).and_then(|found| found.fresh("codex", renew, now));
    found.map_err(|error| failed(&error))
}

/// The sign-in of OpenClaw.
pub(super) fn openclaw(file: Option<&Path>, renew: Renew, now: Timestamp) -> Outcome<Found> {
    let missing = || failed(&sign_in::Error::OpenClawMissing);
    let paths = match file {
        Some(file) => vec![file.to_owned()],
        None => newest()?,
    };
    for path in paths {
        let shown = path.display().to_string();
        let bytes = read(&path)?.ok_or_else(missing)?;
        let found = match sign_in::openclaw(&bytes, &shown, now) {
            // Another agent may have one.
            Err(sign_in::Error::OpenClawMissing) => continue,
            found => found.and_then(|found| found.fresh("openclaw", renew, now)),
        };
        return found.map_err(|error| failed(&error));
    }
    Err(missing())
}

/// The files of all agents, that of the one that was used last in front; without agents the one of before there were several.
fn newest() -> Outcome<Vec<PathBuf>> {
    if let Some(agent) = environment("OPENCLAW_AGENT_DIR") {
        return Ok(vec![Path::new(&agent).join(PROFILES)]);
    }
    let state = folder("OPENCLAW_STATE_DIR", ".openclaw")?;
    let mut found: Vec<(std::time::SystemTime, PathBuf)> = Vec::new();
    let agents = state.join("agents");
    let entries = match std::fs::read_dir(&agents) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(legacy(&state).into_iter().collect()),
        Err(error) => {
            return Err(Failure::doing(format!("could not look into `{}`", agents.display()), &error));
        }
    };
    for entry in entries.flatten() {
        let path = entry.path().join("agent").join(PROFILES);
        let Some(changed) = path.metadata().ok().and_then(|facts| facts.modified().ok()) else { continue };
        found.push((changed, path));
    }
    found.sort_by_key(|(changed, _)| std::cmp::Reverse(*changed));
    Ok(found.into_iter().map(|(_, path)| path).chain(legacy(&state)).collect())
}

fn legacy(state: &Path) -> Option<PathBuf> {
    Some(state.join("agent").join(PROFILES)).filter(|path| path.is_file())
}

/// A folder that a variable names, else one in the home of the user.
pub(super) fn folder(variable: &str, usual: &str) -> Outcome<PathBuf> {
    if let Some(named) = environment(variable) {
        return Ok(named.into());
    }
    let home = environment("HOME").ok_or_else(|| {
        Failure::new(format!("there is no home folder to look for `{usual}` in"))
            .hint("set HOME, or name the file")
    })?;
    Ok(Path::new(&home).join(usual))
}

/// All of a file, wiped when it was used; nothing where there is none.
pub(super) fn read(path: &Path) -> Outcome<Option<Zeroizing<Vec<u8>>>> {
    let doing =
        |error: &std::io::Error| Failure::doing(format!("could not read `{}`", path.display()), error);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(doing(&error)),
    };
    let is_file = file.metadata().map_err(|error| doing(&error))?.is_file();
    if !is_file {
        return Err(Failure::new(format!("`{}` is not a file", path.display())));
    }
    // Reserved whole, so that no growing buffer leaves a part of a token behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LARGEST + 1));
    let most = u64::try_from(LARGEST + 1).unwrap_or(u64::MAX);
    file.take(most).read_to_end(&mut bytes).map_err(|error| doing(&error))?;
    if bytes.len() > LARGEST {
        return Err(Failure::new(format!("`{}` is larger than 1 MiB", path.display())));
    }
    Ok(Some(bytes))
}

const PROFILES: &str = "auth-profiles.json";
const LARGEST: usize = 1 << 20;
const KEYRING: &str = "sign in with `codex login`; where Codex keeps its tokens in a keyring, `cli_auth_credentials_store = \"file\"` in `~/.codex/config.toml` makes it write the file";
