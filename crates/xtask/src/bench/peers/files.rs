//! A peer's configuration and allowlist with as many integrations and rules as are asked for.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Outcome};

/// How much is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) integrations: usize,
    /// All rules of the allowlist together.
    pub(super) rules: usize,
}

impl Size {
    /// One integration, and the two rules that it needs.
    pub(super) const ONE: Self = Self { integrations: 1, rules: 2 };
}

/// Files that were written.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) config: PathBuf,
    pub(super) allowlist: PathBuf,
    pub(super) denylist: PathBuf,
}

impl Files {
    /// Writes them into `folder`; `bench` stands in the middle of the others.
    pub(super) fn write(folder: &Path, size: Size, upstream: u16) -> Outcome<Self> {
        let files = Self {
            config: folder.join("config.yaml"),
            allowlist: folder.join("allowlist.yaml"),
            denylist: folder.join("denylist.yaml"),
        };
        let (config, allowlist) = texts(size, upstream);
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&files.config, config))
            .and_then(|()| std::fs::write(&files.allowlist, allowlist))
            .and_then(|()| std::fs::write(&files.denylist, "[]\n"))
            .map_err(|error| Failure::doing("write the configuration of the bench", &error))?;
        Ok(files)
    }

    /// Adds one more integration behind all others, with the rules that it needs.
    pub(super) fn add(&self, name: &str, upstream: u16) -> Outcome {
        let failed =
            |error: std::io::Error| Failure::doing("add an integration to the configuration", &error);
        for (path, more) in [(&self.config, integration(name, upstream)), (&self.allowlist, rules(name, 2))] {
            let text = std::fs::read_to_string(path).map_err(failed)?;
            // Replaced at once: nobody reads half of it.
            let fresh = path.with_extension("fresh");
            std::fs::write(&fresh, text + &more)
                .and_then(|()| std::fs::rename(&fresh, path))
                .map_err(failed)?;
        }
        Ok(())
    }
}

fn texts(size: Size, upstream: u16) -> (String, String) {
    let mut config = "integrations:\n".to_owned();
    let mut allowlist = String::new();
    let each = size.rules.div_ceil(size.integrations.max(1)).max(2);
    for number in 0..size.integrations {
        let name =
            if number == size.integrations / 2 { NAME.to_owned() } else { format!("other-{number:05}") };
        config.push_str(&integration(&name, upstream));
        allowlist.push_str(&rules(&name, each));
    }
    (config, allowlist)
}

/// As a user of the peer writes it who has read what its default of two connections costs.
fn integration(name: &str, upstream: u16) -> String {
    format!(
        "  - name: {name}
    destination: http://127.0.0.1:{upstream}
    max_idle_conns_per_host: 64
    outgoing_auth:
      - type: token
        params: {{secrets: [\"env:{VARIABLE}\"], header: Authorization, prefix: \"Bearer \"}}
"
    )
}

/// What the bench asks for, and other paths up to `count` rules.
fn rules(name: &str, count: usize) -> String {
    let mut text = format!("- integration: {name}\n  callers:\n    - id: \"*\"\n      rules:\n");
    for rule in 0..count {
        let path = match rule {
            0 => "/".to_owned(),
            1 => "/__auth".to_owned(),
            _ => format!("/part-{rule}/*/items/**"),
        };
        // Writing to a `String` can't fail.
        let _ = writeln!(text, "        - {{path: \"{path}\", methods: {{GET: {{}}}}}}");
    }
    text
}

/// The integration that is called.
pub(super) const NAME: &str = "bench";
/// The variable that holds the credential.
pub(super) const VARIABLE: &str = "BENCH_TOKEN";

#[cfg(test)]
mod tests;
