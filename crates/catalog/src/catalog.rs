//! Every integration: the built-in ones, and the user's own laid over them.
//!
//! A built-in file is read when it is first asked for and kept, so that a start costs nothing however many there are. The
//! user's files are read at once, so that a mistake is found at the start and not in the middle of the night.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use model::IntegrationName;

use crate::compile::{Origin, Owner, compile};
use crate::file::File;
use crate::layer::Layer;
use crate::{Error, Fetch, Integration, Reference, Written, embedded, layer, nearest, yaml};

/// Every integration. Cloning is cheap.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    layer: Arc<Layer>,
}

/// An integration as it is shown. See [`Catalog::described`].
#[derive(Debug)]
pub enum Described {
    /// One that can be called.
    Addressed(Arc<Integration>),
    /// One that lives at an address of the user's own, which nobody wrote yet. The address that it names is nobody's.
    Nowhere(Box<Integration>),
}

impl Described {
    /// What it is.
    #[must_use]
    pub fn integration(&self) -> &Integration {
        match self {
            Self::Addressed(found) => found,
            Self::Nowhere(found) => found,
        }
    }

    /// Whether it can be called.
    #[must_use]
    pub const fn is_addressed(&self) -> bool {
        matches!(self, Self::Addressed(_))
    }
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
        Self::layered(folder, &[], &[])
    }

    /// The same with integrations that are in no folder laid over it; one that has the name of a file counts instead of
    /// that file. What is in one of `former` with the same text is not read again.
    ///
    /// # Errors
    /// As [`Self::load`]; an error of one of `written` names the place that it was translated from.
    pub fn layered(folder: Option<&Path>, written: &[Written], former: &[&Self]) -> Result<Self, Error> {
        let former: Vec<&Layer> = former.iter().map(|former| &*former.layer).collect();
        let mut layer = Layer::default();
        if let Some(folder) = folder {
            layer.read(folder, &former)?;
        }
        layer.lay(written, &former)?;
        Ok(Self { layer: Arc::new(layer.finished()?) })
    }

    /// The integration that callers at the gateway ask for under this name besides its own, in lower case.
    #[must_use]
    pub fn aliased(&self, name: &str) -> Option<&IntegrationName> {
        self.layer.aliased(name)
    }

    /// Whether any integration has a name besides its own.
    #[must_use]
    pub fn has_aliases(&self) -> bool {
        self.layer.has_aliases()
    }

    /// A digest of the user's own files; the built-in ones are the same for one build of Doorward.
    #[must_use]
    pub fn layer_digest(&self) -> &crypto::Digest {
        self.layer.digest()
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

    /// A digest of what an integration was read from: its own text, and the built-in one that it is or extends. None where there is
    /// no such integration.
    #[must_use]
    pub fn text_digest(&self, name: &IntegrationName) -> Option<crypto::Digest> {
        let built_in = |name: &str| embedded::find(name).map(|(_, entry)| entry.text.as_bytes());
        let Some((own, found)) = self.layer.text_digest(name).zip(self.layer.find(name)) else {
            return built_in(name.as_str()).map(|text| crypto::sha256(&[text]));
        };
        Some(crypto::sha256(&[&own[..], built_in(found.kind().as_str()).unwrap_or_default()]))
    }

    /// Whether there is an integration of this name. None of its file is read for that.
    #[must_use]
    pub fn has(&self, name: &IntegrationName) -> bool {
        self.layer.find(name).is_some() || embedded::find(name.as_str()).is_some()
    }

    /// An integration by its name.
    ///
    /// # Errors
    /// [`Error::Unknown`] with the nearest name; [`Error::Domain`] where it lives at an address of the user's own.
    pub fn get(&self, name: &IntegrationName) -> Result<Arc<Integration>, Error> {
        if let Some(own) = self.layer.find(name) {
            return Ok(Arc::clone(own));
        }
        let Some((place, entry)) = embedded::find(name.as_str()) else {
            // Anybody may ask for what isn't there, so that costs no more with ten thousand integrations.
            let own = self.layer.names().take(MOST_COMPARED).map(IntegrationName::as_str);
            let nearest =
                nearest::word(name.as_str(), own.chain(embedded::ENTRIES.iter().map(|entry| entry.name)));
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

    /// An integration to be shown. One whose address is not written yet is whole but for that, so nothing can be sent with it.
    ///
    /// # Errors
    /// As [`Self::get`], without [`Error::Domain`].
    pub fn described(&self, name: &IntegrationName) -> Result<Described, Error> {
        match self.get(name) {
            Ok(found) => Ok(Described::Addressed(found)),
            Err(Error::Domain { .. }) => match embedded::find(name.as_str()) {
                Some((_, entry)) => Ok(Described::Nowhere(Box::new(built_in(entry, Some(STAND_IN))?))),
                None => Err(Error::Domain { name: name.clone() }),
            },
            Err(error) => Err(error),
        }
    }

    /// The integrations that can be called and give the text of a reference, the narrowest first: the user's own, else the built-in ones.
    #[must_use]
    pub fn fetching(&self, reference: &Reference) -> Vec<(Fetch, Arc<Integration>)> {
        let fitting = |found: Arc<Integration>| Some((reference.fetch(&found)?, found));
        let own = self.layer.names().filter_map(|name| self.layer.find(name).cloned());
        let mut all: Vec<_> = own.filter_map(fitting).collect();
        if all.is_empty() {
            let built_in = embedded::ENTRIES.iter().filter_map(|entry| entry.name.parse().ok());
            let built_in = built_in.filter(|name| self.layer.find(name).is_none());
            all = built_in.filter_map(|name| self.get(&name).ok()).filter_map(fitting).collect();
        }
        all.sort_by(|(a, x), (b, y)| b.depth().cmp(&a.depth()).then_with(|| x.name().cmp(y.name())));
        all
    }

    /// The names of services, sorted: all but Doorward itself. None of their files is read for it.
    #[must_use]
    pub fn services(&self) -> Vec<IntegrationName> {
        let mut names = self.names();
        names.retain(|name| !layer::HOUSE.contains(&name.as_str()));
        names
    }

    /// Every name, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<IntegrationName> {
        let built_in = embedded::ENTRIES.iter().filter_map(|entry| entry.name.parse().ok());
        let names: BTreeSet<IntegrationName> = self.layer.names().cloned().chain(built_in).collect();
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

/// So many names of the user's own are compared with one that is wrong.
const MOST_COMPARED: usize = 500;
/// Stands for a domain that nobody wrote. The name is reserved (RFC 2606, section 2), so it never leads anywhere.
const STAND_IN: &str = "your-own.invalid";
static BUILTIN: OnceLock<crypto::Digest> = OnceLock::new();
static CACHE: OnceLock<Vec<OnceLock<Arc<Integration>>>> = OnceLock::new();
