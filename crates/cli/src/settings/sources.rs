//! `sources.toml` of the home: where secret sources are, and the programs that `command:` may start.

use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use secrets::Config;

use crate::failure::{Failure, Outcome};

/// Reads the file; where there is none, nothing was said. One that others may write is refused, because it names programs
/// that are started.
pub(crate) fn read(path: &Path) -> Outcome<Config> {
    let shown = path.display();
    let failed = |error: &std::io::Error| Failure::doing(format!("could not read `{shown}`"), error);
    let mut file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Config::default()),
        Err(error) => return Err(failed(&error)),
    };
    let seen = file.metadata().map_err(|error| failed(&error))?;
    let own = [rustix::process::geteuid().as_raw(), 0].contains(&seen.uid());
    if !own || seen.mode() & 0o022 != 0 || !seen.is_file() {
        let message = format!("`{shown}` names programs that are started, and others may write it");
        return Err(Failure::new(message).hint(format!("`chown $USER {shown}` and `chmod go-w {shown}`")));
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(|error| failed(&error))?;
    parse(&text, &shown.to_string())
}

fn parse(text: &str, shown: &str) -> Outcome<Config> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map_or(1, |before| before.matches('\n').count() + 1);
        // The reader's own words repeat what it read, which may be a secret in the wrong place.
        let message = error.message();
        let unknown = message.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`'));
        let word = |key: &str| key.len() < 24 && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let missing = message.strip_prefix("missing field ");
        let what = match (unknown, missing) {
            (Some((key, _)), _) if word(key) => format!("there is no key `{key}` here"),
            (_, Some(key)) => format!("the key {key} is missing"),
            _ => "this is not what is expected here".to_owned(),
        };
        let hint = super::file::nearest(message);
        let hint = hint.map(|near| format!("did you mean `{near}`?"));
        let page = "docs/guide/sources.md has an example of each source";
        Failure::usage(format!("{shown}:{line}: {what}")).hint(hint.unwrap_or_else(|| page.to_owned()))
    })
}

#[cfg(test)]
mod tests;
