//! A keyring that asynchronous code uses: each call waits on a thread that may wait.

use std::sync::{Arc, Mutex, PoisonError};

use ::secrets::Lending;
use keyring::{Error, Fault, Item, Keyring};

/// A keyring, one call at a time. Cheap to clone.
#[derive(Clone)]
pub struct Shelf(Place, Arc<str>);

#[derive(Clone)]
enum Place {
    /// One that a door opened, and which thread waits for it.
    Opened(Arc<Mutex<Box<dyn Keyring>>>, Waits),
    /// Doorward's own store, which only the call can open.
    Own,
}

/// Which thread waits for a keyring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waits {
    /// One of the runtime's that may wait.
    Apart,
    /// The one that asks.
    Here,
}

impl Shelf {
    /// Takes a keyring.
    #[must_use]
    pub fn new(keyring: Box<dyn Keyring>) -> Self {
        Self(Place::Opened(Arc::new(Mutex::new(keyring)), Waits::Apart), "".into())
    }

    /// The same for a process that lives for one call: its only thread has nothing else to do while a keyring works, and
    /// starting another one would cost more than most keyrings do.
    #[must_use]
    pub fn here(keyring: Box<dyn Keyring>) -> Self {
        Self(Place::Opened(Arc::new(Mutex::new(keyring)), Waits::Here), "".into())
    }

    /// Doorward's own store.
    #[must_use]
    pub fn own() -> Self {
        Self(Place::Own, "".into())
    }

    /// The same, with the text that tells it from others of its kind ([`keyring::Settings::place`]).
    #[must_use]
    pub fn at(self, place: &str) -> Self {
        Self(self.0, place.into())
    }

    /// What tells it from others of its kind.
    pub(super) fn place(&self) -> &str {
        &self.1
    }

    /// Whether it is Doorward's own store, not opened yet.
    #[must_use]
    pub const fn is_own(&self) -> bool {
        matches!(self.0, Place::Own)
    }

    /// Whether both are one keyring.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Place::Opened(one, _), Place::Opened(other, _)) => Arc::ptr_eq(one, other),
            (Place::Own, Place::Own) => true,
            (Place::Opened(..), Place::Own) | (Place::Own, Place::Opened(..)) => false,
        }
    }

    /// Which kind of keyring it is.
    pub(super) fn kind(&self) -> keyring::Kind {
        self.with(|keyring| Ok(keyring.kind())).unwrap_or(keyring::Kind::Doorward)
    }

    /// Uses the keyring in this thread, which may wait.
    pub(super) fn with<T>(&self, work: impl FnOnce(&dyn Keyring) -> Result<T, Error>) -> Result<T, Error> {
        match &self.0 {
            Place::Opened(keyring, _) => work(&**keyring.lock().unwrap_or_else(PoisonError::into_inner)),
            Place::Own => Err(unopened()),
        }
    }

    /// The names of all entries.
    ///
    /// # Errors
    /// What the keyring says.
    pub async fn names(&self) -> Result<Vec<String>, Error> {
        self.wait(|keyring| keyring.names()).await
    }

    /// Lends one entry.
    pub(super) async fn read(&self, lending: &Arc<Lending>, name: &str) -> Result<Item, Error> {
        let (lending, name) = (Arc::clone(lending), name.to_owned());
        self.wait(move |keyring| lending.read(keyring, &name)).await
    }

    /// Keeps an entry.
    pub(super) async fn write(&self, item: Item) -> Result<(), Error> {
        self.wait(move |keyring| keyring.set(item)).await
    }

    /// Removes one entry, which has to be there.
    pub(super) async fn remove_one(&self, name: String) -> Result<(), Error> {
        self.wait(move |keyring| keyring.remove(&name)).await
    }

    /// Removes entries; those that are gone already are none. Says how many there were.
    pub(super) async fn remove(&self, names: Vec<String>) -> Result<usize, Error> {
        self.wait(move |keyring| {
            let mut removed = 0;
            for name in names {
                match keyring.remove(&name) {
                    Ok(()) => removed += 1,
                    Err(error) if error.fault() == Fault::Missing => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(removed)
        })
        .await
    }

    async fn wait<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Keyring) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let Place::Opened(keyring, waits) = &self.0 else { return Err(unopened()) };
        if *waits == Waits::Here {
            return self.with(work);
        }
        let keyring = Arc::clone(keyring);
        let done = tokio::task::spawn_blocking(move || {
            let keyring = keyring.lock().unwrap_or_else(PoisonError::into_inner);
            work(&**keyring)
        });
        match done.await {
            Ok(result) => result,
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        }
    }
}

fn unopened() -> Error {
    let why = "it is opened by the broker, for a call".to_owned();
    Error::Unavailable { kind: keyring::Kind::Doorward, why, source: None }
}
