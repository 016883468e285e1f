//! What the tests of this crate share: a home in memory, a clock that is set by hand, canaries.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crypto::WrapKey;
use memory::Secret;
use model::{Clock, TenantName, Timestamp};
use store::{Embedded, Storage, Table};

use crate::provider::{Facts, KeyProvider, KeyWrap};
use crate::{Error, Keyring, RecoveryKey};

/// A secret that must never be seen in any text.
pub(crate) const CANARY: &str = "xoxb-CANARY-7f3d/Q+z&9 \"é";

pub(crate) fn canary() -> Secret {
    secret(CANARY)
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec()).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a test looks at what it stored")]
pub(crate) fn shown(secret: &Secret) -> Vec<u8> {
    secret.expose(<[u8]>::to_vec)
}

#[expect(clippy::disallowed_methods, reason = "a test looks at what it was lent")]
pub(crate) fn shown_held(opened: &crate::Opened) -> Vec<u8> {
    opened.expose(<[u8]>::to_vec)
}

pub(crate) fn tenant(name: &str) -> TenantName {
    name.parse().unwrap()
}

pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + seconds * 1000)
}

/// A provider that costs nothing.
pub(crate) struct Fixed(pub(crate) u8);

impl KeyProvider for Fixed {
    fn name(&self) -> &'static str {
        "key-file"
    }

    fn facts(&self, _home: &crate::HomeId) -> Result<Facts, Error> {
        Ok(Facts::KeyFile { path: "/nowhere/key".into() })
    }

    fn ready(&self, _facts: &Facts) -> Result<Box<dyn KeyWrap>, Error> {
        Ok(Box::new(WrapKey::new([self.0; 32])))
    }
}

/// A home with the tenant `local`.
pub(crate) fn home() -> (Arc<Embedded>, Keyring, RecoveryKey) {
    let storage = Arc::new(Embedded::in_memory().unwrap());
    let (keyring, recovery) =
        crate::init(&*storage, &Fixed(1), &TenantName::local(), |_| Ok::<_, crate::Error>(())).unwrap();
    (storage, keyring, recovery)
}

/// Changes one row.
pub(crate) fn tamper(
    storage: &dyn Storage,
    table: Table,
    tenant: &TenantName,
    key: &[u8],
    change: impl FnOnce(&mut Vec<u8>),
) {
    let mut value = storage.get(table, tenant, key).unwrap().unwrap();
    change(&mut value);
    storage.commit(&store::Batch::new().put(table, tenant, key, value)).unwrap();
}

/// Every text that an error shows to anybody.
pub(crate) fn texts(error: &Error) -> String {
    let mut all = format!("{error} {error:?} {error:#?} {:?}", error.hint());
    let mut source = std::error::Error::source(error);
    while let Some(next) = source {
        all.push_str(&format!(" {next} {next:?}"));
        source = next.source();
    }
    all
}

/// Lends what a source needs itself.
pub(crate) struct Purse(pub(crate) Vec<(&'static str, &'static str)>);

/// Lends nothing.
pub(crate) const EMPTY: Purse = Purse(Vec::new());

#[async_trait::async_trait]
impl crate::Lender for Purse {
    fn now(&self) -> Timestamp {
        at(0)
    }

    async fn lend(&self, reference: &model::SecretRef) -> Result<Secret, Error> {
        let found = self.0.iter().find(|(known, _)| *known == reference.as_str());
        found.map(|(_, text)| secret(text)).ok_or_else(|| Error::Missing(reference.to_string()))
    }
}

/// A clock that is set by hand.
pub(crate) struct Hand(AtomicU64);

impl Hand {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(at(0).millis())))
    }

    pub(crate) fn set_back(&self, seconds: u64) {
        self.0.fetch_sub(seconds * 1000, Ordering::SeqCst);
    }

    pub(crate) fn advance(&self, millis: u64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}
