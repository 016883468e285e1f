//! A layer as it is asked: by name, and by the names that callers use besides.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::IntegrationName;

use super::integration;
use crate::{Error, Integration, Written};

/// The user's integrations, and a digest of all that they were read from.
#[derive(Debug, Default)]
pub(crate) struct Layer {
    found: HashMap<IntegrationName, Laid>,
    aliases: HashMap<String, IntegrationName>,
    digest: crypto::Digest,
}

/// One integration, and the digest of its text.
#[derive(Debug, Clone)]
struct Laid {
    digest: crypto::Digest,
    integration: Arc<Integration>,
    /// The file that errors name.
    file: String,
}

impl Layer {
    /// Reads every `*.yaml` of a folder. Hidden files, folders and files of other kinds are left alone. What one of `former` has
    /// from the same file with the same text is taken from there.
    pub(crate) fn read(&mut self, folder: &Path, former: &[&Self]) -> Result<(), Error> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Read { path, source }
        };
        let mut paths: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(folder).map_err(unreadable(folder))? {
            paths.push(entry.map_err(unreadable(folder))?.path());
        }
        paths.sort();
        for path in paths {
            let hidden =
                path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with('.'));
            let extension =
                path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
            let yaml = matches!(extension.as_deref(), Some("yaml" | "yml"));
            if hidden || !yaml || path.is_dir() {
                continue;
            }
            let file = path.display().to_string();
            if path.extension().is_none_or(|extension| extension != "yaml") {
                let problem = "an integration's file ends with `.yaml`".to_owned();
                return Err(Error::Invalid { file, line: 0, problem });
            }
            let size = fs::metadata(&path).map_err(unreadable(&path))?.len();
            if size > LARGEST {
                let problem = "the file is larger than 1 MiB".to_owned();
                return Err(Error::Invalid { file, line: 0, problem });
            }
            let text = fs::read_to_string(&path).map_err(unreadable(&path))?;
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            let digest = crypto::sha256(&[text.as_bytes()]);
            let known = known(former, stem, &digest).filter(|laid| laid.file == file);
            let integration = match known {
                Some(laid) => Arc::clone(&laid.integration),
                None => Arc::new(integration(&text, &file, stem)?),
            };
            self.found.insert(integration.name().clone(), Laid { digest, integration, file });
        }
        Ok(())
    }

    /// Lays integrations over what was read. Those that one of `former` has with the same text are taken from there.
    pub(crate) fn lay(&mut self, written: &[Written], former: &[&Self]) -> Result<(), Error> {
        for one in written {
            let digest = crypto::sha256(&[one.text.as_bytes()]);
            let integration = match known(former, one.name.as_str(), &digest) {
                Some(laid) => Arc::clone(&laid.integration),
                None => Arc::new(one.read()?),
            };
            let file = one.place();
            self.found.insert(one.name.clone(), Laid { digest, integration, file });
        }
        Ok(())
    }

    /// The same with its digest, and with the names besides. Two integrations never share one.
    pub(crate) fn finished(mut self) -> Result<Self, Error> {
        let mut names: Vec<&IntegrationName> = self.found.keys().collect();
        names.sort();
        let mut hasher = crypto::Hasher::new();
        let mut aliases: HashMap<String, IntegrationName> = HashMap::new();
        for name in names {
            let Some(laid) = self.found.get(name) else { continue };
            let authorities =
                laid.integration.connection().and_then(|connection| connection.authorities.as_deref());
            for part in
                [name.as_str().as_bytes(), &laid.digest[..], authorities.unwrap_or_default().as_bytes()]
            {
                hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
                hasher.update(part);
            }
            for alias in laid.integration.aliases() {
                if let Some(other) = aliases.insert(alias.clone(), name.clone()) {
                    let problem = format!("`{other}` and `{name}` both go by the name `{alias}`");
                    return Err(Error::Invalid { file: laid.file.clone(), line: 0, problem });
                }
            }
        }
        self.digest = if self.found.is_empty() { crypto::Digest::default() } else { hasher.finish() };
        self.aliases = aliases;
        Ok(self)
    }

    /// The integration of this name.
    pub(crate) fn find(&self, name: &IntegrationName) -> Option<&Arc<Integration>> {
        self.found.get(name).map(|laid| &laid.integration)
    }

    /// The digest of the text that this integration was read from.
    pub(crate) fn text_digest(&self, name: &IntegrationName) -> Option<&crypto::Digest> {
        self.found.get(name).map(|laid| &laid.digest)
    }

    /// The integration that goes by this name besides its own.
    pub(crate) fn aliased(&self, name: &str) -> Option<&IntegrationName> {
        self.aliases.get(name)
    }

    /// Whether there is any such name.
    pub(crate) fn has_aliases(&self) -> bool {
        !self.aliases.is_empty()
    }

    /// Every name, in no order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &IntegrationName> {
        self.found.keys()
    }

    /// A digest of all texts.
    pub(crate) const fn digest(&self) -> &crypto::Digest {
        &self.digest
    }
}

/// What was read before under this name from the same text.
fn known<'a>(former: &[&'a Layer], name: &str, digest: &crypto::Digest) -> Option<&'a Laid> {
    let name: IntegrationName = name.parse().ok()?;
    // A file that the text only names may have changed beside it.
    let as_read =
        |laid: &&Laid| laid.integration.connection().is_none_or(|connection| connection.is_as_read());
    let same = former.iter().filter_map(|former| former.found.get(&name)).find(|laid| laid.digest == *digest);
    same.filter(as_read)
}

/// Largest file, in bytes.
const LARGEST: u64 = 1 << 20;
