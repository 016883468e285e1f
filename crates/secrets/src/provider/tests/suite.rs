//! What every key provider has to pass, whatever stands behind it.

use std::any::Any;

use memory::Secret;
use model::{SecretName, TenantName};
use serde_json::Value;
use store::{Embedded, Storage, Table};

use super::super::*;
use crate::stored::{Disclosure, Stored};
use crate::tests::fixture::{CANARY, Fixed, at, canary, secret, shown, texts};
use crate::{Error, Keyring, Setup, drill, init, recover, rewrap, unseal};

/// A provider that is there, and another key at the same place.
pub(super) struct Stage {
    pub(super) setup: Setup,
    /// How it is chosen.
    pub(super) choice: String,
    /// The same with another key.
    pub(super) other: String,
    /// What somebody types for it.
    pub(super) typed: Option<&'static str>,
    /// Takes it away, where it can be out of reach.
    pub(super) away: Option<Box<dyn Fn()>>,
    pub(super) keep: Box<dyn Any>,
}

impl Stage {
    pub(super) fn new(setup: Setup, choice: &str, other: &str, keep: impl Any) -> Self {
        let (choice, other) = (choice.to_owned(), other.to_owned());
        Self { setup, choice, other, typed: None, away: None, keep: Box::new(keep) }
    }

    pub(super) fn out_of_reach(mut self, away: impl Fn() + 'static) -> Self {
        self.away = Some(Box::new(away));
        self
    }

    fn chosen(&self, choice: &str) -> Box<dyn KeyProvider> {
        let choice = KeyChoice::parse(choice).unwrap();
        choice.provider(&self.setup, self.typed()).unwrap_or_else(|why| panic!("{why}"))
    }

    fn typed(&self) -> Option<Secret> {
        self.typed.map(secret)
    }

    /// The provider as a home remembers it.
    fn opens(&self, storage: &dyn Storage) -> Result<Keyring, Error> {
        let facts = crate::provider_facts(storage)?;
        unseal(storage, &*provider_of(&facts, &self.setup, self.typed().filter(|_| facts.asks().is_some()))?)
    }

    fn home(&self) -> (Embedded, crate::RecoveryKey) {
        let storage = Embedded::in_memory().unwrap();
        let (_, recovery) =
            init(&storage, &*self.chosen(&self.choice), &TenantName::local(), |_| Ok::<_, Error>(()))
                .unwrap();
        (storage, recovery)
    }
}

/// The facts in the record of a home.
fn facts(storage: &dyn Storage) -> Value {
    let row = storage.get(Table::Meta, &TenantName::local(), b"home").unwrap().unwrap();
    serde_json::from_slice::<Value>(&row).unwrap()["provider"].clone()
}

fn put_facts(storage: &dyn Storage, facts: &Value) {
    crate::tests::fixture::tamper(storage, Table::Meta, &TenantName::local(), b"home", |row| {
        let mut home: Value = serde_json::from_slice(row).unwrap();
        home["provider"] = facts.clone();
        *row = serde_json::to_vec(&home).unwrap();
    });
}

/// No error says what a service answered, and none holds a secret.
fn refused(opened: Result<Keyring, Error>, what: &str) -> Error {
    let Err(error) = opened else { panic!("it opened: {what}") };
    assert!(!texts(&error).contains("CANARY"), "{what}: {error}");
    error
}

pub(super) fn a_home_opens_again_and_its_facts_survive(stage: &Stage) {
    let (storage, recovery) = stage.home();
    let keyring = stage.opens(&storage).unwrap();
    assert_eq!(keyring.tenants().count(), 1);
    assert_eq!(drill(&storage, &recovery).unwrap().keys(), 1);
    let facts = crate::provider_facts(&storage).unwrap();
    assert_eq!(facts.provider(), KeyChoice::parse(&stage.choice).unwrap().name());
    let text = serde_json::to_string(&facts).unwrap();
    assert_eq!(serde_json::from_str::<Facts>(&text).unwrap(), facts);
    if let Some(home) = facts.home() {
        assert_eq!(*home, keyring.house_keys().home_id());
    }
}

pub(super) fn another_key_does_not_open_it(stage: &Stage) {
    let (storage, _) = stage.home();
    let keyring = stage.opens(&storage).unwrap();
    let other = stage.chosen(&stage.other).facts(&keyring.house_keys().home_id()).unwrap();
    put_facts(&storage, &serde_json::to_value(other).unwrap());
    let error = refused(stage.opens(&storage), "another key");
    assert!(matches!(error, Error::Unlock(_) | Error::Provider { .. }), "{error}");
}

pub(super) fn changed_facts_are_refused(stage: &Stage) {
    let (storage, _) = stage.home();
    let good = facts(&storage);
    let names: Vec<String> = good.as_object().unwrap().keys().cloned().collect();
    let mut changed = 0;
    for name in names.iter().filter(|name| !MAY_MOVE.contains(&name.as_str()) && *name != "provider") {
        for end in [true, false] {
            let mut bad = good.clone();
            if !change(&mut bad[name], end) {
                continue;
            }
            put_facts(&storage, &bad);
            refused(stage.opens(&storage), &format!("{name}: {bad}"));
            changed += 1;
        }
    }
    assert!(changed > 0 || names.iter().all(|name| name == "provider" || MAY_MOVE.contains(&name.as_str())));
    put_facts(&storage, &good);
    assert!(stage.opens(&storage).is_ok());
}

/// Changes one character of a text, or a number, near the front or the end.
fn change(value: &mut Value, end: bool) -> bool {
    match value {
        Value::String(text) => {
            let at = if end { text.len() * 3 / 4 } else { text.len() / 4 };
            let old = text.as_bytes()[at];
            let new = if old == b'a' { "b" } else { "a" };
            text.replace_range(at..=at, new);
            true
        }
        Value::Number(number) => {
            *value = Value::from(number.as_u64().unwrap() + 1);
            true
        }
        Value::Array(all) => change(&mut all[0], end),
        Value::Object(all) => all.values_mut().next().is_some_and(|first| change(first, end)),
        _ => false,
    }
}

pub(super) fn facts_of_one_home_do_not_open_another(stage: &Stage) {
    let ((one, _), (two, _)) = (stage.home(), stage.home());
    let (first, second) = (facts(&one), facts(&two));
    put_facts(&two, &first);
    if first == second {
        // A key file is the same key for all homes that name it.
        return;
    }
    refused(stage.opens(&two), "the facts of another home");
    // What was sealed for one home, in the facts of the other.
    let mut mixed = second.clone();
    for part in ["wrapped", "entry", "private", "public"] {
        if let Some(sealed) = first.get(part) {
            mixed[part] = sealed.clone();
        }
    }
    if mixed == second {
        // Nothing is sealed there: the key comes from what somebody types.
        return;
    }
    put_facts(&two, &mixed);
    let error = refused(stage.opens(&two), "what was sealed for another home");
    assert!(matches!(error, Error::Provider { .. } | Error::Unlock(_)), "{error}");
}

pub(super) fn the_recovery_key_opens_it_without_the_provider(stage: &Stage) {
    let (storage, recovery) = stage.home();
    if let Some(away) = &stage.away {
        away();
    }
    assert_eq!(drill(&storage, &recovery).unwrap().keys(), 1);
    assert!(recover(&storage, &recovery, &Fixed(9)).is_ok());
    assert!(unseal(&storage, &Fixed(9)).is_ok());
}

pub(super) fn keys_are_rewrapped_to_it_and_away_again(stage: &Stage) {
    let (storage, local) = (Embedded::in_memory().unwrap(), TenantName::local());
    let (keyring, recovery) = init(&storage, &Fixed(1), &local, |_| Ok::<_, Error>(())).unwrap();
    let name: SecretName = "slack/token".parse().unwrap();
    Stored::new(&storage, &keyring, &local).put(&name, &canary(), Disclosure::Never, at(0)).unwrap();
    let read = |keyring: &Keyring| {
        let opened = Stored::new(&storage, keyring, &local).open(&name, at(1)).unwrap();
        assert_eq!(shown(&opened.current.1), CANARY.as_bytes());
    };
    read(&rewrap(&storage, &keyring, &*stage.chosen(&stage.choice)).unwrap());
    assert!(unseal(&storage, &Fixed(1)).is_err());
    let keyring = stage.opens(&storage).unwrap();
    read(&keyring);
    let (first, again) =
        (facts(&storage), rewrap(&storage, &keyring, &*stage.chosen(&stage.choice)).unwrap());
    read(&again);
    read(&stage.opens(&storage).unwrap());
    if first != facts(&storage) {
        let now = facts(&storage);
        put_facts(&storage, &first);
        refused(stage.opens(&storage), "the facts from before");
        put_facts(&storage, &now);
    }
    read(&rewrap(&storage, &again, &Fixed(2)).unwrap());
    assert!(stage.opens(&storage).is_err());
    read(&unseal(&storage, &Fixed(2)).unwrap());
    assert_eq!(drill(&storage, &recovery).unwrap().keys(), 1);
}

pub(super) fn out_of_reach_it_stays_sealed_and_says_so(stage: &Stage) {
    let (storage, _) = stage.home();
    let Some(away) = &stage.away else { return };
    away();
    let error = refused(stage.opens(&storage), "out of reach");
    assert!(matches!(&error, Error::Provider { .. }), "{error:?}");
    assert!(error.to_string().starts_with("the key provider `"), "{error}");
    assert!(error.hint().unwrap().contains("recovery"), "{error}");
    assert_eq!(error.code(), model::Code::Sealed);
    let keyring = Embedded::in_memory().unwrap();
    assert!(
        init(&keyring, &*stage.chosen(&stage.choice), &TenantName::local(), |_| Ok::<_, Error>(())).is_err()
    );
    assert!(matches!(crate::provider_facts(&keyring), Err(Error::NoHome)), "nothing half-made stays");
}

/// Files that may be moved, and where a PIN is.
const MAY_MOVE: [&str; 5] = ["path", "module", "pin", "auth", "identity"];

/// Runs a test once more in a process with a variable that only a library looks at; `None` in that process.
pub(super) fn with_variable(variable: &str, value: &std::path::Path, test: &str) -> Option<()> {
    if crate::Environment::default().raw(MARK).is_some() {
        return None;
    }
    let us = std::env::current_exe().unwrap();
    let mut again = std::process::Command::new(us);
    again.args([test, "--exact", "--nocapture"]).env(variable, value).env(MARK, value.parent().unwrap());
    let said = again.output().unwrap();
    let text = String::from_utf8_lossy(&said.stdout);
    assert!(said.status.success(), "{text}{}", String::from_utf8_lossy(&said.stderr));
    assert!(text.contains("1 passed"), "{text}");
    Some(())
}

/// Where the outer process put what the inner one needs.
pub(super) const MARK: &str = "CANARY_STAGE_FOLDER";

/// One test for each thing that a provider has to do.
macro_rules! conformance {
    ($name:ident, $make:path) => { conformance!(@ $name, |_test: &str| Some($make()),
        a_home_opens_again_and_its_facts_survive, another_key_does_not_open_it, changed_facts_are_refused,
        facts_of_one_home_do_not_open_another, the_recovery_key_opens_it_without_the_provider,
        keys_are_rewrapped_to_it_and_away_again, out_of_reach_it_stays_sealed_and_says_so); };
    ($name:ident, $make:path, in $variable:literal) => { conformance!(@ $name, |test: &str| $make($variable, test),
        a_home_opens_again_and_its_facts_survive, another_key_does_not_open_it, changed_facts_are_refused,
        facts_of_one_home_do_not_open_another, the_recovery_key_opens_it_without_the_provider,
        keys_are_rewrapped_to_it_and_away_again, out_of_reach_it_stays_sealed_and_says_so); };
    (@ $name:ident, $make:expr, $($test:ident),+) => {
        mod $name { $(
            #[test]
            fn $test() {
                let path = concat!(module_path!(), "::", stringify!($test));
                let test = path.split_once("::").unwrap().1;
                if let Some(stage) = ($make)(test) {
                    super::suite::$test(&stage);
                }
            }
        )+ }
    };
}
pub(super) use conformance;
