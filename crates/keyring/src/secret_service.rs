//! `secret-service`: the Secret Service of a Linux desktop (freedesktop.org, Secret Service API, version 0.2).
//!
//! An entry is an item of the collection `awsvault`, labelled with its name, with the attribute `profile` of the same name,
//! whose secret is the JSON form. A new collection needs a prompt of the desktop. Where there is nobody to answer it, new
//! entries go to the default collection, or to `login`; both places are read.
//!
//! Secrets pass the bus in the clear (the API's algorithm `plain`): it is a socket that only this user's programs reach,
//! and each of them can ask the service for the same secrets.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zbus::{ObjectPath, OwnedObjectPath, Variant, as_variant};
use zeroize::Zeroizing;

use crate::bus::{self, read};
use crate::worker::Worker;
use crate::{Ask, Error, Item, Keyring, Kind, Settings, item, name};

/// The service, with a session on it.
pub(crate) struct Service {
    worker: Worker,
    link: Link,
}

#[derive(Clone)]
struct Link {
    service: bus::Service,
    session: OwnedObjectPath,
    collection: Arc<str>,
    prompt: Duration,
    ask: Arc<dyn Ask>,
}

impl Service {
    /// Connects and opens a session. Starts the service where the bus knows how.
    pub(crate) fn open(settings: &Settings) -> Result<Self, Error> {
        let address = bus::address(KIND, &settings.bus)?;
        let (collection, prompt) =
            (settings.secret_service.collection.as_str().into(), settings.secret_service.prompt);
        let ask = Arc::clone(&settings.ask);
        let worker = Worker::start(KIND)?;
        let link = worker.run(QUICK, move || async move {
            let service = bus::Service::connect(KIND, &address, NAME).await?;
            if !service.is_there().await? {
                return Err(Error::unavailable(KIND, "no Secret Service runs on the session bus"));
            }
            let reply =
                service.call(ROOT, SERVICE, "OpenSession", &("plain", as_variant::Serialize(&""))).await?;
            let (_, session): (Variant<'_>, OwnedObjectPath) = read(KIND, &reply)?;
            Ok(Link { service, session, collection, prompt, ask })
        })?;
        Ok(Self { worker, link })
    }

    /// The secret of the one item with these attributes, wherever it is; other programs give theirs more than one.
    pub(crate) fn with(&self, attributes: &[(String, String)]) -> Result<memory::Secret, Error> {
        let wanted: HashMap<String, String> = attributes.iter().cloned().collect();
        let shown: Vec<String> = attributes.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.run(|link| async move {
            let reply = link.service.call(ROOT, SERVICE, "SearchItems", &(wanted,)).await?;
            let (mut unlocked, locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) = read(KIND, &reply)?;
            unlocked.extend(locked);
            let path = match unlocked.as_slice() {
                [path] => path,
                [] => return Err(Error::missing(KIND, &shown.join(","))),
                _ => {
                    return Err(Error::malformed(
                        KIND,
                        &shown.join(","),
                        "more than one item has these attributes",
                    ));
                }
            };
            link.unlocked(path).await?;
            let reply = link.service.call(path, ITEM, "GetSecret", &(&link.session,)).await?;
            let secret: Carried = read(KIND, &reply)?;
            Ok(memory::Secret::new(secret.value)?)
        })
    }

    fn run<T, F, W>(&self, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>>,
        W: FnOnce(Link) -> F + Send + 'static,
    {
        let link = self.link.clone();
        self.worker.run(QUICK + link.prompt, move || work(link))
    }
}

impl Keyring for Service {
    fn kind(&self) -> Kind {
        KIND
    }

    fn names(&self) -> Result<Vec<String>, Error> {
        self.run(|link| async move { link.names().await })
    }

    fn get(&self, name: &str) -> Result<Item, Error> {
        let _valid = name::check(name)?;
        let name = name.to_owned();
        self.run(|link| async move {
            let (path, _) = link.find(&name).await?.ok_or_else(|| Error::missing(KIND, &name))?;
            link.unlocked(&path).await?;
            let reply = link.service.call(&path, ITEM, "GetSecret", &(&link.session,)).await?;
            let secret: Carried = read(KIND, &reply)?;
            let value = Zeroizing::new(secret.value);
            item::decode(KIND, &name, &value)
        })
    }

    fn set(&self, item: Item) -> Result<(), Error> {
        let _valid = name::check(&item.name)?;
        let text = item::encode(&item)?;
        let name = item.name;
        self.run(|link| async move { link.store(&name, text).await })
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        let _valid = name::check(name)?;
        let name = name.to_owned();
        self.run(|link| async move {
            let (path, collection) = link.find(&name).await?.ok_or_else(|| Error::missing(KIND, &name))?;
            link.unlocked(&collection).await?;
            let reply = link.service.call(&path, ITEM, "Delete", &()).await?;
            let prompt: OwnedObjectPath = read(KIND, &reply)?;
            link.answered(&prompt).await
        })
    }
}

impl Link {
    /// The collection of the settings, and the one that stands in for it.
    async fn collections(&self) -> Result<Collections, Error> {
        let all: Vec<OwnedObjectPath> = self.service.property(ROOT, SERVICE, "Collections").await?;
        let wanted = format!("{ROOT}/collection/{}", self.collection);
        let own = all.iter().find(|path| plain(path) == wanted).cloned();
        let reply = self.service.call(ROOT, SERVICE, "ReadAlias", &("default",)).await?;
        let default: OwnedObjectPath = read(KIND, &reply)?;
        let login = format!("{ROOT}/collection/login");
        let other = match default.as_str() {
            "/" => all.into_iter().find(|path| path.as_str() == login),
            _ => Some(default),
        };
        let other = other.filter(|other| own.as_ref() != Some(other));
        Ok(Collections { own, other })
    }

    async fn names(&self) -> Result<Vec<String>, Error> {
        let Collections { own, other } = self.collections().await?;
        let mut names = BTreeSet::new();
        if let Some(own) = own {
            // What an item is called can't be read while it is locked.
            self.unlocked(&own).await?;
            self.collect(&own, &mut names).await?;
        }
        if let Some(other) = other {
            // It is only a stand-in, so nobody is asked to unlock it for a list.
            let locked: bool = self.service.property(&other, COLLECTION, "Locked").await?;
            if !locked {
                self.collect(&other, &mut names).await?;
            }
        }
        Ok(names.into_iter().collect())
    }

    async fn collect(&self, collection: &ObjectPath<'_>, names: &mut BTreeSet<String>) -> Result<(), Error> {
        let items: Vec<OwnedObjectPath> = self.service.property(collection, COLLECTION, "Items").await?;
        for path in items {
            let attributes: Result<HashMap<String, String>, Error> =
                self.service.property(&path, ITEM, "Attributes").await;
            // An item that somebody removed meanwhile has none.
            let Ok(attributes) = attributes else { continue };
            if let Some(name) = is_ours(&attributes) {
                names.insert(name.to_owned());
            }
        }
        Ok(())
    }

    /// The path of an item and of its collection.
    async fn find(&self, name: &str) -> Result<Option<(OwnedObjectPath, OwnedObjectPath)>, Error> {
        let Collections { own, other } = self.collections().await?;
        for collection in [own, other].into_iter().flatten() {
            if let Some(item) = self.search(&collection, name).await? {
                return Ok(Some((item, collection)));
            }
        }
        Ok(None)
    }

    async fn search(
        &self,
        collection: &ObjectPath<'_>,
        name: &str,
    ) -> Result<Option<OwnedObjectPath>, Error> {
        let wanted = HashMap::from([(PROFILE, name)]);
        let reply = self.service.call(collection, COLLECTION, "SearchItems", &(wanted,)).await?;
        let found: Vec<OwnedObjectPath> = read(KIND, &reply)?;
        for path in found {
            let attributes: HashMap<String, String> =
                self.service.property(&path, ITEM, "Attributes").await?;
            if is_ours(&attributes) == Some(name) {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    async fn store(&self, name: &str, text: Zeroizing<Vec<u8>>) -> Result<(), Error> {
        // What is already somewhere is replaced there.
        let place = match self.find(name).await? {
            Some((_, collection)) => collection,
            None => self.place().await?,
        };
        self.unlocked(&place).await?;
        let attributes = HashMap::from([(PROFILE, name)]);
        let properties = HashMap::from([
            ("org.freedesktop.Secret.Item.Label", Variant::from(name)),
            ("org.freedesktop.Secret.Item.Attributes", Variant::from(attributes)),
        ]);
        let secret =
            Lent { session: &self.session, parameters: &[], value: &text, content_type: "application/json" };
        let reply = self.service.call(&place, COLLECTION, "CreateItem", &(properties, secret, true)).await?;
        let (_, prompt): (OwnedObjectPath, OwnedObjectPath) = read(KIND, &reply)?;
        self.answered(&prompt).await
    }

    /// Where new entries go.
    async fn place(&self) -> Result<OwnedObjectPath, Error> {
        let Collections { own, other } = self.collections().await?;
        if let Some(own) = own {
            return Ok(own);
        }
        let label = Variant::from(&*self.collection);
        let properties = HashMap::from([("org.freedesktop.Secret.Collection.Label", label)]);
        let reply = self.service.call(ROOT, SERVICE, "CreateCollection", &(properties, "")).await?;
        let (made, prompt): (OwnedObjectPath, OwnedObjectPath) = read(KIND, &reply)?;
        if made.as_str() != "/" {
            return Ok(made);
        }
        match self.answered(&prompt).await {
            Ok(()) => {}
            Err(Error::Locked { .. }) if other.is_some() => {}
            Err(error) => return Err(error),
        }
        if let Some(own) = self.collections().await?.own {
            return Ok(own);
        }
        let other =
            other.ok_or_else(|| locked("no prompt could make a collection, and there is no other"))?;
        let stands_in = plain(&other);
        let stands_in = stands_in.rsplit('/').next().unwrap_or_default();
        self.ask.tell(&format!(
            "the collection `{}` could not be made, as nobody answered for it; using `{stands_in}`",
            self.collection
        ));
        Ok(other)
    }

    /// Unlocks a collection or an item, with a prompt of the desktop where one is needed.
    async fn unlocked(&self, path: &ObjectPath<'_>) -> Result<(), Error> {
        let reply = self.service.call(ROOT, SERVICE, "Unlock", &(vec![path],)).await?;
        let (unlocked, prompt): (Vec<OwnedObjectPath>, OwnedObjectPath) = read(KIND, &reply)?;
        if unlocked.iter().any(|done| done.as_str() == path.as_str()) {
            return Ok(());
        }
        if prompt.as_str() == "/" {
            return Err(locked("the service did not unlock it"));
        }
        self.answered(&prompt).await
    }

    /// Shows a prompt, where there is one, and waits for its answer.
    async fn answered(&self, prompt: &ObjectPath<'_>) -> Result<(), Error> {
        if prompt.as_str() == "/" {
            return Ok(());
        }
        let show = self.service.call(prompt, PROMPT, "Prompt", &("",));
        let completed = self.service.signal_after(prompt, PROMPT, "Completed", show);
        let body = tokio::time::timeout(self.prompt, completed)
            .await
            .map_err(|_| locked("the prompt of the desktop was not answered"))??;
        let (dismissed, _): (bool, Variant<'_>) = read(KIND, &body)?;
        if dismissed { Err(locked("the prompt of the desktop was turned down")) } else { Ok(()) }
    }
}

struct Collections {
    own: Option<OwnedObjectPath>,
    other: Option<OwnedObjectPath>,
}

/// The name of an item that is an entry: other programs keep theirs in the same collections.
fn is_ours(attributes: &HashMap<String, String>) -> Option<&str> {
    let name = attributes.get(PROFILE)?;
    let alone = attributes.keys().all(|key| key == PROFILE || key == "xdg:schema");
    alone.then_some(name.as_str())
}

/// A path as it was meant: what an element can't hold stands in it as `_` and two digits.
fn plain(path: &ObjectPath<'_>) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_str().as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after.first_chunk::<2>().and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (first, escaped) {
            (b'_', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

const fn locked(why: &'static str) -> Error {
    Error::Locked { kind: KIND, why }
}

/// A secret as the API carries it.
#[derive(Deserialize, zbus::Type)]
struct Carried {
    #[expect(dead_code, reason = "a part of the form")]
    session: OwnedObjectPath,
    #[expect(dead_code, reason = "a part of the form")]
    parameters: Vec<u8>,
    value: Vec<u8>,
    #[expect(dead_code, reason = "a part of the form")]
    content_type: String,
}

/// The same on its way there.
#[derive(Serialize, zbus::Type)]
struct Lent<'a> {
    session: &'a ObjectPath<'a>,
    parameters: &'a [u8],
    value: &'a [u8],
    content_type: &'a str,
}

const KIND: Kind = Kind::SecretService;
const NAME: &str = "org.freedesktop.secrets";
const ROOT: &str = "/org/freedesktop/secrets";
const SERVICE: &str = "org.freedesktop.Secret.Service";
const COLLECTION: &str = "org.freedesktop.Secret.Collection";
const ITEM: &str = "org.freedesktop.Secret.Item";
const PROMPT: &str = "org.freedesktop.Secret.Prompt";
/// The attribute by which an entry is found.
const PROFILE: &str = "profile";
/// Longest time for what needs no person.
const QUICK: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
