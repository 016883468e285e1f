//! `kwallet`: KDE's wallet, by the interface `org.kde.KWallet` of `kwalletd5` or `kwalletd6`.
//!
//! An entry is one of the folder `aws-vault` in the wallet `aws-vault`, with the JSON form as its bytes. Opening the wallet
//! may ask the person for its password.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use zbus::DynamicType;
use zeroize::Zeroizing;

use crate::bus::{self, read};
use crate::settings::Kwallet as Place;
use crate::worker::Worker;
use crate::{Error, Item, Keyring, Kind, Settings, item, name};

/// The service that keeps the wallets. The wallet is opened with each call, which costs nothing while it is open.
pub(crate) struct Wallet {
    worker: Worker,
    link: Link,
}

#[derive(Clone)]
struct Link {
    service: bus::Service,
    path: &'static str,
    place: Arc<Place>,
}

impl Wallet {
    /// Connects to the service. Starts it where the bus knows how.
    pub(crate) fn open(settings: &Settings) -> Result<Self, Error> {
        if settings.kwallet.disabled {
            return Err(Error::unavailable(KIND, "the settings switch it off (`DISABLE_KWALLET`)"));
        }
        let address = bus::address(KIND, &settings.bus)?;
        let place = Arc::new(settings.kwallet.clone());
        let worker = Worker::start(KIND)?;
        let link = worker.run(QUICK, move || async move {
            for (name, path) in SERVICES {
                let service = bus::Service::connect(KIND, &address, name).await?;
                if !service.is_there().await? {
                    continue;
                }
                let link = Link { service, path, place };
                if !link.call::<_, bool>("isEnabled", &()).await? {
                    return Err(Error::unavailable(KIND, "the wallet system is switched off"));
                }
                return Ok(link);
            }
            Err(Error::unavailable(KIND, "no KWallet runs on the session bus"))
        })?;
        Ok(Self { worker, link })
    }

    /// A password that another program keeps in the folder.
    pub(crate) fn password(&self, name: &str) -> Result<memory::Secret, Error> {
        let name = name.to_owned();
        self.run(|link, handle| async move {
            link.must_have(handle, &name).await?;
            let folder = &link.place.folder;
            let text: String = link.call("readPassword", &(handle, folder, &name, APPLICATION)).await?;
            Ok(memory::Secret::new(text.into_bytes())?)
        })
    }

    fn run<T, F, W>(&self, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>>,
        W: FnOnce(Link, i32) -> F + Send + 'static,
    {
        let link = self.link.clone();
        self.worker.run(QUICK + link.place.prompt, move || async move {
            let handle = link.opened().await?;
            work(link, handle).await
        })
    }
}

impl Keyring for Wallet {
    fn kind(&self) -> Kind {
        KIND
    }

    fn names(&self) -> Result<Vec<String>, Error> {
        self.run(|link, handle| async move {
            let folder = &link.place.folder;
            let mut names: Vec<String> = link.call("entryList", &(handle, folder, APPLICATION)).await?;
            names.sort_unstable();
            Ok(names)
        })
    }

    fn get(&self, name: &str) -> Result<Item, Error> {
        let _valid = name::check(name)?;
        let name = name.to_owned();
        self.run(|link, handle| async move {
            link.must_have(handle, &name).await?;
            let folder = &link.place.folder;
            let bytes: Vec<u8> = link.call("readEntry", &(handle, folder, &name, APPLICATION)).await?;
            item::decode(KIND, &name, &Zeroizing::new(bytes))
        })
    }

    fn set(&self, item: Item) -> Result<(), Error> {
        let _valid = name::check(&item.name)?;
        let text = item::encode(&item)?;
        let name = item.name;
        self.run(|link, handle| async move {
            let folder = &link.place.folder;
            if !link.has_folder(handle).await? {
                let made: bool = link.call("createFolder", &(handle, folder, APPLICATION)).await?;
                // Another process may have been quicker.
                let there = made || link.has_folder(handle).await?;
                done(i32::from(!there), "make its folder")?;
            }
            let body = (handle, folder, &name, text.as_slice(), APPLICATION);
            done(link.call("writeEntry", &body).await?, "store an entry")
        })
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        let _valid = name::check(name)?;
        let name = name.to_owned();
        self.run(|link, handle| async move {
            link.must_have(handle, &name).await?;
            let folder = &link.place.folder;
            let answer = link.call("removeEntry", &(handle, folder, &name, APPLICATION)).await?;
            done(answer, "remove an entry")
        })
    }
}

impl Link {
    async fn has_folder(&self, handle: i32) -> Result<bool, Error> {
        self.call("hasFolder", &(handle, &self.place.folder, APPLICATION)).await
    }

    async fn call<B, T>(&self, member: &str, body: &B) -> Result<T, Error>
    where
        B: Serialize + DynamicType,
        T: for<'b> zbus::wire::DynamicDeserialize<'b>,
    {
        let reply = self.service.call(self.path, INTERFACE, member, body).await?;
        read(KIND, &reply)
    }

    /// A handle of the wallet; the service gives a negative one when the person turned its prompt down.
    async fn opened(&self) -> Result<i32, Error> {
        let handle: i32 = self.call("open", &(&self.place.wallet, 0_i64, APPLICATION)).await?;
        if handle < 0 {
            return Err(Error::Locked { kind: KIND, why: "its prompt was turned down" });
        }
        Ok(handle)
    }

    async fn must_have(&self, handle: i32, name: &str) -> Result<(), Error> {
        let there: bool = self.call("hasEntry", &(handle, &self.place.folder, name, APPLICATION)).await?;
        if there { Ok(()) } else { Err(Error::missing(KIND, name)) }
    }
}

/// The service answers 0 when it has done something.
fn done(answer: i32, what: &'static str) -> Result<(), Error> {
    if answer == 0 { Ok(()) } else { Err(Error::refused(KIND, what, &format!("it answered {answer}"))) }
}

const KIND: Kind = Kind::Kwallet;
const INTERFACE: &str = "org.kde.KWallet";
/// As whom the service knows us: the name under which aws-vault was allowed.
const APPLICATION: &str = "aws-vault";
const SERVICES: [(&str, &str); 2] =
    [("org.kde.kwalletd6", "/modules/kwalletd6"), ("org.kde.kwalletd5", "/modules/kwalletd5")];
/// Longest time for what needs no person.
const QUICK: Duration = Duration::from_secs(10);
