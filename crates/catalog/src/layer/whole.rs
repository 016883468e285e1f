//! Built-in operations behind an address that holds more, or less, of their paths than the built-in one.
//!
//! Slack's are at `https://slack.com/api/...`. Behind `https://slack.com/api` a caller writes `/chat.postMessage`, which is the same
//! request to the same service, and has to be the same operation.

use serde_saphyr::Spanned;

use crate::Integration;
use crate::file::File;

/// Writes the paths of a built-in file as they are behind `address`. The error says which operation is not there.
pub(super) fn moved(base: &mut File, address: Option<&Spanned<String>>) -> Result<(), String> {
    let Some(address) = address else {
        return Err("`whole_paths` says where operations are below a `base_url` of your own".to_owned());
    };
    let from = base.base_url.as_ref().map(|url| path_of(&url.value)).unwrap_or_default().to_owned();
    let to = path_of(&address.value);
    let elsewhere =
        |name: &str| format!("{name} is not below the path of `base_url`, so `whole_paths` can't be");
    for (name, entry) in &mut base.operations {
        for path in entry.value.matches.iter_mut().flat_map(|matches| &mut matches.path.0) {
            *path = behind(&from, path, to).ok_or_else(|| elsewhere(&format!("the operation `{name}`")))?;
        }
    }
    if let Some(probe) = &mut base.probe
        && let Some((method, path)) = probe.value.request.split_once(' ')
    {
        let path = behind(&from, path, to).ok_or_else(|| elsewhere("the probe"))?;
        probe.value.request = format!("{method} {path}");
    }
    Ok(())
}

impl Integration {
    /// Whether all its operations could be below this base path of its service, so that a file may say `whole_paths`.
    #[must_use]
    pub fn may_be_behind(&self, base_path: &str) -> bool {
        let below = |path: String| behind(self.base_path(), &path, base_path).is_some();
        let mut paths = self.operations().values().flat_map(crate::Operation::paths).peekable();
        !self.internal() && self.wildcard().is_none() && paths.peek().is_some() && paths.all(below)
    }
}

/// The path behind `to` of what is at `path` behind `from`; `None` where it is not below `to`.
fn behind(from: &str, path: &str, to: &str) -> Option<String> {
    // The root of a service with a base path is that path, as it is sent.
    let whole = format!("{from}{}", if path == "/" && !from.is_empty() { "" } else { path });
    match whole.strip_prefix(to)? {
        "" => Some("/".to_owned()),
        rest => rest.starts_with('/').then(|| rest.to_owned()),
    }
}

/// The path of an address, without a slash at its end.
fn path_of(address: &str) -> &str {
    let behind_scheme = address.split_once("://").map_or(address, |(_, rest)| rest);
    let path = behind_scheme.find('/').and_then(|at| behind_scheme.get(at..)).unwrap_or_default();
    path.trim_end_matches('/')
}
