//! Tests of lending: proofs, bindings, sealing, rotation, files, disclosure.

#![expect(clippy::disallowed_methods, reason = "tests look at what was lent")]

use std::sync::Arc;
use std::time::Duration;

use model::{Access, CallParts, EvidenceId, Resource, Risk, SecretName};
use store::Embedded;

use super::*;
use crate::tests::fixture::{CANARY, Fixed, Hand, at, canary, home, secret, shown, tenant, texts};
use crate::{Bindings, Disclosure, Seal, Setup};

#[expect(clippy::disallowed_methods, reason = "a test makes a call without the catalogue")]
fn call(integration: &str, kind: &str, operation: &str, name: Option<&str>) -> Call {
    Call::found(CallParts {
        id: EvidenceId::new(at(0), [1; 10]),
        integration: integration.parse().unwrap(),
        kind: kind.parse().unwrap(),
        operation: operation.parse().unwrap(),
        access: Access::Read,
        risk: Risk::Low,
        resource: Resource::any(),
        inputs: name.map(|name| (NAME.to_owned(), name.to_owned())).into_iter().collect(),
        request: None,
        secrets: Arc::from([]),
    })
}

struct Case {
    storage: Arc<Embedded>,
    clock: Arc<Hand>,
    secrets: Secrets,
    folder: tempfile::TempDir,
}

impl Case {
    async fn new() -> Self {
        let (storage, keyring, _) = home();
        let clock = Hand::new();
        let secrets = Secrets::new(storage.clone(), clock.clone(), Setup::default());
        secrets.unseal(keyring);
        secrets.add_tenant(&tenant("acme"), store::Batch::new()).await.unwrap();
        let case = Self { storage, clock, secrets, folder: tempfile::tempdir().unwrap() };
        let slack = "slack".parse().unwrap();
        let mut bindings = Bindings::new();
        for reference in ["store:slack/token".to_owned(), "env:CARGO_MANIFEST_DIR".to_owned(), case.file()] {
            bindings = bindings.bind(&TenantName::local(), &slack, reference.parse().unwrap());
        }
        case.secrets.bind(bindings);
        case
    }

    fn file(&self) -> String {
        format!("file:{}", self.folder.path().join("slack").display())
    }

    fn write(&self, text: &str) {
        store::files::replace(&self.folder.path().join("slack"), text.as_bytes(), 0o600).unwrap();
    }

    async fn open_as(
        &self,
        tenant: &TenantName,
        integration: &str,
        reference: &str,
    ) -> Result<Opened, Error> {
        let call = call(integration, "slack", "chat.post", None);
        let asked = Asked::joined((tenant, &call), (tenant, call.id())).unwrap();
        self.secrets.lend(&asked, &reference.parse().unwrap()).await
    }

    async fn open(&self, reference: &str) -> Result<Vec<u8>, Error> {
        let opened = self.open_as(&TenantName::local(), "slack", reference).await?;
        Ok(opened.expose(<[u8]>::to_vec))
    }

    async fn put(&self, name: &str, disclosure: Disclosure) -> SecretName {
        let name: SecretName = name.parse().unwrap();
        let _ = self.secrets.put(&TenantName::local(), &name, canary(), disclosure).await.unwrap();
        name
    }
}

#[test]
fn permit_and_receipt_must_be_for_one_call_and_one_tenant() {
    let call = call("slack", "slack", "chat.post", None);
    let (local, acme) = (TenantName::local(), tenant("acme"));
    let joined = |recorded, id| Asked::joined((&local, &call), (recorded, id)).err();
    assert_eq!(joined(&local, call.id()), None);
    assert_eq!(joined(&local, EvidenceId::new(at(0), [2; 10])), Some(NotLent::OtherCall));
    assert_eq!(joined(&acme, call.id()), Some(NotLent::OtherTenant));
}

#[tokio::test]
async fn a_declared_secret_is_lent_with_its_mask() {
    let case = Case::new().await;
    case.put("slack/token", Disclosure::Never).await;
    let opened = case.open_as(&TenantName::local(), "slack", "store:slack/token").await.unwrap();
    assert_eq!(opened.expose(<[u8]>::to_vec), CANARY.as_bytes());
    assert_eq!((opened.version(), opened.reference().as_str()), (1, "store:slack/token"));
    assert!(opened.previous().is_none());
    let masked = opened.mask().text(format!("it is {CANARY}").as_bytes()).unwrap();
    assert!(masked.bytes.starts_with(b"it is [masked**"));
}

#[tokio::test]
async fn what_the_integration_or_the_tenant_did_not_declare_is_not_lent() {
    let case = Case::new().await;
    case.put("slack/token", Disclosure::Never).await;
    case.put("github/token", Disclosure::Never).await;
    let local = TenantName::local();
    for (tenant, integration, reference) in [
        (&local, "slack", "store:github/token"),
        (&local, "github", "store:slack/token"),
        (&tenant("acme"), "slack", "env:CARGO_MANIFEST_DIR"),
        (&local, "slack", "env:PATH"),
    ] {
        let error = case.open_as(tenant, integration, reference).await.err().unwrap();
        assert!(matches!(error, Error::NotLent { why: NotLent::Unbound, .. }), "{error}");
    }
}

#[tokio::test]
async fn a_sealed_broker_lends_nothing_and_keeps_nothing() {
    let case = Case::new().await;
    case.put("slack/token", Disclosure::Never).await;
    case.write("CANARY-in-a-file");
    let all = ["store:slack/token".to_owned(), "env:CARGO_MANIFEST_DIR".to_owned(), case.file()];
    for reference in &all {
        case.open(reference).await.unwrap();
    }
    case.secrets.seal();
    assert_eq!(case.secrets.state(), Seal::Sealed);
    for reference in &all {
        assert!(matches!(case.open(reference).await.err().unwrap(), Error::Sealed));
    }
    let local = TenantName::local();
    assert!(matches!(case.secrets.list(&local).await.err().unwrap(), Error::Sealed));
    assert!(matches!(
        case.secrets.add_tenant(&tenant("new"), store::Batch::new()).await.err().unwrap(),
        Error::Sealed
    ));
    std::fs::remove_file(case.folder.path().join("slack")).unwrap();
    case.secrets.unseal(crate::unseal(&*case.storage, &Fixed(1)).unwrap());
    assert_eq!(case.open(&all[0]).await.unwrap(), CANARY.as_bytes());
    assert!(matches!(case.open(&all[2]).await.err().unwrap(), Error::Missing(_)));
}

#[tokio::test]
async fn a_rotation_is_seen_at_once_and_the_version_before_until_its_overlap_ends() {
    let case = Case::new().await;
    let (local, name) = (TenantName::local(), case.put("slack/token", Disclosure::Never).await);
    case.open("store:slack/token").await.unwrap();
    let overlap = Duration::from_secs(60);
    let _ = case.secrets.rotate(&local, &name, secret("xoxb-CANARY-2"), overlap).await.unwrap();
    let opened = case.open_as(&local, "slack", "store:slack/token").await.unwrap();
    assert_eq!((opened.version(), opened.expose(<[u8]>::to_vec)), (2, b"xoxb-CANARY-2".to_vec()));
    assert_eq!(opened.previous().unwrap().expose(<[u8]>::to_vec), CANARY.as_bytes());
    // Both are taken by the service, and so both are looked for in what it says; as a pair as well.
    let said = format!("{CANARY} xoxb-CANARY-2");
    assert_eq!(opened.mask().text(said.as_bytes()).unwrap().hits, 2);
    assert_eq!(opened.pair_mask().unwrap().text(said.as_bytes()).unwrap().hits, 2);
    let _ = case.secrets.rotate(&local, &name, secret("xoxb-CANARY-3"), overlap).await.unwrap();
    let opened = case.open_as(&local, "slack", "store:slack/token").await.unwrap();
    let said = format!("{said} xoxb-CANARY-3");
    assert_eq!(opened.mask().text(said.as_bytes()).unwrap().hits, 3, "two rotations within one overlap");
    case.clock.advance(60_000);
    let opened = case.open_as(&local, "slack", "store:slack/token").await.unwrap();
    assert!(opened.previous().is_none());
    case.secrets.forget(&local, &name).await.unwrap();
    assert!(matches!(case.open("store:slack/token").await.err().unwrap(), Error::Missing(_)));
    assert_eq!(case.secrets.list(&local).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_changed_file_is_seen_within_a_second_and_a_removed_one_is_not_lent() {
    let case = Case::new().await;
    case.write("CANARY-one");
    let file = case.file();
    assert_eq!(case.open(&file).await.unwrap(), b"CANARY-one");
    case.write("CANARY-two");
    assert_eq!(case.open(&file).await.unwrap(), b"CANARY-one");
    case.clock.advance(1_000);
    assert_eq!(case.open(&file).await.unwrap(), b"CANARY-two");
    std::fs::remove_file(case.folder.path().join("slack")).unwrap();
    case.clock.advance(1_000);
    assert!(matches!(case.open(&file).await.err().unwrap(), Error::Missing(_)));
}

#[tokio::test]
async fn many_calls_at_once_get_the_same_secret() {
    let case = Arc::new(Case::new().await);
    case.put("slack/token", Disclosure::Never).await;
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let case = Arc::clone(&case);
            tokio::spawn(
                async move { case.open_as(&TenantName::local(), "slack", "store:slack/token").await },
            )
        })
        .collect();
    let mut masks = Vec::new();
    for task in tasks {
        masks.push(Arc::as_ptr(task.await.unwrap().unwrap().mask()) as usize);
    }
    masks.dedup();
    assert_eq!(masks.len(), 1);
}

#[tokio::test]
async fn a_short_secret_of_a_source_is_not_lent_because_it_could_not_be_masked() {
    let case = Case::new().await;
    case.write("CANARY7");
    let error = case.open(&case.file()).await.err().unwrap();
    assert!(error.hint().unwrap().contains("masked"));
    assert!(!texts(&error).contains("CANARY"));
}

#[tokio::test]
async fn the_key_of_the_home_is_not_lent_as_a_file() {
    let case = Case::new().await;
    let path = case.folder.path().join("slack");
    let provider = crate::KeyFile::create(path).unwrap();
    let keyring = crate::unseal(&*case.storage, &Fixed(1)).unwrap();
    case.secrets.unseal(crate::rewrap(&*case.storage, &keyring, &provider).unwrap());
    let error = case.open(&case.file()).await.err().unwrap();
    assert!(error.to_string().contains("never lent"), "{error}");
}

#[tokio::test]
async fn a_secret_is_disclosed_for_the_revealing_of_this_very_one_only() {
    let case = Case::new().await;
    case.put("may", Disclosure::Disclosable).await;
    case.put("never", Disclosure::Never).await;
    let local = TenantName::local();
    let show = async |call: &Call, reference: &str| {
        let asked = Asked::joined((&local, call), (&local, call.id())).unwrap();
        case.secrets.show(&asked, &reference.parse().unwrap()).await
    };
    let reveal = call(HOUSE, HOUSE, REVEAL, Some("may"));
    assert_eq!(shown(&show(&reveal, "store:may").await.unwrap()), CANARY.as_bytes());
    for wrong in [
        call("slack", HOUSE, REVEAL, Some("may")),
        call(HOUSE, "slack", REVEAL, Some("may")),
        call(HOUSE, HOUSE, "secret.list", Some("may")),
        call(HOUSE, HOUSE, REVEAL, Some("other")),
        call(HOUSE, HOUSE, REVEAL, None),
    ] {
        let error = show(&wrong, "store:may").await.err().unwrap();
        assert!(matches!(error, Error::NotLent { why: NotLent::OtherOperation, .. }), "{wrong:?}");
    }
    let never = show(&call(HOUSE, HOUSE, REVEAL, Some("never")), "store:never").await.err().unwrap();
    assert!(matches!(never, Error::NotLent { why: NotLent::NotDisclosable, .. }));
    assert!(show(&call(HOUSE, HOUSE, REVEAL, Some("PATH")), "env:PATH").await.is_err());
    assert!(show(&reveal, "store:may#field").await.is_err());
}

#[tokio::test]
async fn a_tenant_that_was_added_keeps_secrets_of_its_own() {
    let case = Case::new().await;
    let (acme, slack) = (tenant("acme"), "slack".parse().unwrap());
    let name: SecretName = "slack/token".parse().unwrap();
    let _ = case.secrets.put(&acme, &name, secret("xoxb-CANARY-acme"), Disclosure::Never).await.unwrap();
    case.secrets.bind(Bindings::new().bind(&acme, &slack, "store:slack/token".parse().unwrap()));
    let opened = case.open_as(&acme, "slack", "store:slack/token").await.unwrap();
    assert_eq!(opened.expose(<[u8]>::to_vec), b"xoxb-CANARY-acme");
    assert!(case.open("store:slack/token").await.is_err());
}
