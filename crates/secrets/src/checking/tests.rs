//! What a secret answers, and to whom.

use std::time::Duration;

use model::{IntegrationName, SecretName};

use super::*;
use crate::tests::fixture::{CANARY, Hand, canary, home, secret};
use crate::{Bindings, Declared, Disclosure, NotLent, Setup};

/// `hooks` checks with `store:hooks/key`, and may be lent `store:hooks/token`.
struct Hooks;

impl Declared for Hooks {
    fn references(&self, integration: &IntegrationName) -> Vec<SecretRef> {
        named(integration, "store:hooks/token")
    }

    fn checked(&self, integration: &IntegrationName) -> Vec<SecretRef> {
        named(integration, "store:hooks/key")
    }
}

fn named(integration: &IntegrationName, reference: &str) -> Vec<SecretRef> {
    if integration.as_str() == "hooks" { vec![reference.parse().unwrap()] } else { Vec::new() }
}

struct Case {
    secrets: Secrets,
}

impl Case {
    async fn with(key: &[u8]) -> Self {
        let (storage, keyring, _) = home();
        let secrets = Secrets::new(storage, Hand::new(), Setup::default());
        secrets.unseal(keyring);
        secrets.bind(Bindings::declared(Arc::new(Hooks)));
        let key = memory::Secret::new(key.to_vec()).unwrap();
        secrets.put(&TenantName::local(), &name("hooks/key"), key, Disclosure::Never).await.unwrap();
        secrets.put(&TenantName::local(), &name("hooks/token"), canary(), Disclosure::Never).await.unwrap();
        Self { secrets }
    }

    async fn open(&self, integration: &str, reference: &str) -> Result<Checking, Error> {
        let (integration, reference) = (integration.parse().unwrap(), reference.parse().unwrap());
        self.secrets.checking(&TenantName::local(), &integration, &reference).await
    }

    async fn key(&self) -> Checking {
        self.open("hooks", "store:hooks/key").await.unwrap()
    }
}

fn name(text: &str) -> SecretName {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_text_fits_only_whole() {
    let case = Case::with(CANARY.as_bytes()).await;
    let key = case.key().await;
    assert!(key.is(CANARY.as_bytes()).is_ok());
    for wrong in ["", "xoxb-CANARY", &format!("{CANARY} "), &CANARY.to_uppercase()] {
        assert_eq!(key.is(wrong.as_bytes()).unwrap_err(), Mismatch, "{wrong}");
    }
    assert!(!format!("{key:?}").contains("CANARY"));
}

#[tokio::test]
async fn what_is_checked_is_not_lent_and_what_is_lent_is_not_checked() {
    let case = Case::with(CANARY.as_bytes()).await;
    for (integration, reference) in [("hooks", "store:hooks/token"), ("other", "store:hooks/key")] {
        let refused = case.open(integration, reference).await.unwrap_err();
        assert!(matches!(refused, Error::NotLent { why: NotLent::Unbound, .. }), "{refused}");
    }
    let (hooks, key) = ("hooks".parse().unwrap(), "store:hooks/key".parse().unwrap());
    let lent = case.secrets.resolve(&TenantName::local(), &hooks, &key).await;
    assert!(matches!(lent.err().unwrap(), Error::NotLent { why: NotLent::Unbound, .. }));
}

#[tokio::test]
async fn a_sealed_broker_checks_nothing() {
    let case = Case::with(CANARY.as_bytes()).await;
    case.secrets.seal();
    assert!(matches!(case.open("hooks", "store:hooks/key").await, Err(Error::Sealed)));
}

#[tokio::test]
async fn the_version_before_fits_as_long_as_it_overlaps() {
    let case = Case::with(CANARY.as_bytes()).await;
    let next = secret("xoxb-CANARY-next-0123456789");
    let overlap = Duration::from_secs(60);
    case.secrets.rotate(&TenantName::local(), &name("hooks/key"), next, overlap).await.unwrap();
    let key = case.key().await;
    assert!(key.is(CANARY.as_bytes()).is_ok() && key.is(b"xoxb-CANARY-next-0123456789").is_ok());
    let last = secret("xoxb-CANARY-last-0123456789");
    case.secrets.rotate(&TenantName::local(), &name("hooks/key"), last, Duration::ZERO).await.unwrap();
    assert!(case.key().await.is(CANARY.as_bytes()).is_err());
}

#[tokio::test]
async fn an_hmac_fits_and_a_public_key_is_no_secret_of_one() {
    let case = Case::with(b"It's a Secret to Everybody").await;
    let tag = crypto::from_hex("757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17").unwrap();
    let key = case.key().await;
    assert!(key.signed(Hash::Sha256, &[b"Hello, ", b"World!"], &tag).is_ok());
    assert!(key.signed(Hash::Sha256, &[b"Hello, World"], &tag).is_err());
    assert!(key.unfit_for_hmac().is_none());
    let case = Case::with(b"-----BEGIN PUBLIC KEY-----\nCANARY\n-----END PUBLIC KEY-----\n").await;
    assert!(case.key().await.unfit_for_hmac().is_some());
}

#[tokio::test]
async fn an_imprint_fits_its_text_and_nothing_else_does() {
    let case = Case::with(CANARY.as_bytes()).await;
    let imprint = case.secrets.imprint(&canary()).unwrap();
    let written = crate::tests::fixture::shown(&imprint);
    case.secrets.rotate(&TenantName::local(), &name("hooks/key"), imprint, Duration::ZERO).await.unwrap();
    let key = case.key().await;
    assert!(key.is_of_imprint(CANARY.as_bytes()).is_ok());
    assert!(!String::from_utf8(written.clone()).unwrap().contains("CANARY"));
    assert!(key.is_of_imprint(&written).is_err(), "the imprint itself is no text that fits");
    let plain = Case::with(CANARY.as_bytes()).await;
    assert!(plain.key().await.is_of_imprint(CANARY.as_bytes()).is_err(), "a text is no imprint");
    assert!(plain.secrets.imprint(&secret("CANARY-15-bytes")).is_err(), "could be searched");
}
