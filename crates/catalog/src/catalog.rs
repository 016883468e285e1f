//! Every integration: the built-in ones, and the user's own laid over them.
//!
//! A built-in file is read when it is first asked for and kept, so that a start costs nothing however many there are. The
//! user's files are read at once, so that a mistake is found at the start and not in the middle of the night.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use model::IntegrationName;

use crate::compile::{Origin, Owner, compile};
use crate::file::File;
use crate::{Error, Integration, embedded, layer, nearest, yaml};

/// Every integration. Cloning is cheap.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    layer: Arc<BTreeMap<IntegrationName, Arc<Integration>>>,
    layer_digest: crypto::Digest,
}

impl Catalog {
    /// The built-in integrations alone.
    #[must_use]
    pub fn builtin() -> Self {
        Self::default()
    }

    /// The built-in integrations, and the user's own in a folder.
    ///
    /// # Errors
    /// When the folder cannot be read, or one of its files is not a whole, sound integration.
    pub fn load(folder: Option<&Path>) -> Result<Self, Error> {
        let (layer, layer_digest) = folder.map(layer::read).transpose()?.unwrap_or_default();
        Ok(Self { layer: Arc::new(layer), layer_digest })
    }

    /// A digest of the user's own files; the built-in ones are the same for one build of Doorward.
    #[must_use]
    pub const fn layer_digest(&self) -> &crypto::Digest {
        &self.layer_digest
    }

    /// A digest of the built-in files.
    #[must_use]
    pub fn builtin_digest() -> &'static crypto::Digest {
        BUILTIN.get_or_init(|| {
            let mut hasher = crypto::Hasher::new();
            for part in embedded::ENTRIES.iter().flat_map(|entry| [entry.name, entry.text]) {
                hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
                hasher.update(part.as_bytes());
            }
            hasher.finish()
        })
    }

    /// An integration by its name.
    ///
    /// # Errors
    /// [`Error::Unknown`] with the nearest name; [`Error::Domain`] where it lives at an address of the user's own.
    pub fn get(&self, name: &IntegrationName) -> Result<Arc<Integration>, Error> {
        if let Some(own) = self.layer.get(name) {
            return Ok(Arc::clone(own));
        }
        let Some((place, entry)) = embedded::find(name.as_str()) else {
            let names = self.names();
            let nearest = nearest::word(name.as_str(), names.iter().map(IntegrationName::as_str));
            return Err(Error::Unknown { name: name.clone(), nearest });
        };
        let kept =
            CACHE.get_or_init(|| embedded::ENTRIES.iter().map(|_| OnceLock::new()).collect()).get(place);
        if let Some(found) = kept.and_then(OnceLock::get) {
            return Ok(Arc::clone(found));
        }
        let found = Arc::new(built_in(entry, None)?);
        Ok(kept.map_or(&found, |cell| cell.get_or_init(|| Arc::clone(&found))).clone())
    }

    /// Every name, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<IntegrationName> {
        let built_in = embedded::ENTRIES.iter().filter_map(|entry| entry.name.parse().ok());
        let names: BTreeSet<IntegrationName> = self.layer.keys().cloned().chain(built_in).collect();
        names.into_iter().collect()
    }
}

/// Reads a built-in file; `domain` stands for the user's own where a case file needs one.
pub(crate) fn built_in(entry: &embedded::Entry, domain: Option<&str>) -> Result<Integration, Error> {
    house(entry.name, entry.text, domain)
}

/// Reads the text of a built-in file.
pub(crate) fn house(name: &str, text: &str, domain: Option<&str>) -> Result<Integration, Error> {
    let label = layer::built_in(name);
    let mut file: File = yaml::read(text, &label)?;
    if file.name.as_str() != name || file.extends.is_some() {
        let problem = "a built-in file has its own name and extends nothing".to_owned();
        return Err(Error::Invalid { file: label, line: 0, problem });
    }
    if file.internal && !layer::HOUSE.contains(&name) {
        let problem = "`internal` is for Doorward's own operations".to_owned();
        return Err(Error::Invalid { file: label, line: 0, problem });
    }
    let wants = file.base_url.as_ref().is_some_and(|url| url.value.contains("{domain}"));
    if let (Some(domain), None, true, Some(url)) = (domain, &file.domain, wants, &file.base_url) {
        file.domain = Some(serde_saphyr::Spanned { value: domain.to_owned(), ..url.clone() });
    }
    let origin = Origin { file: label, kind: file.name.clone(), owner: Owner::House };
    compile(&file, &origin)
}

static BUILTIN: OnceLock<crypto::Digest> = OnceLock::new();
static CACHE: OnceLock<Vec<OnceLock<Arc<Integration>>>> = OnceLock::new();
