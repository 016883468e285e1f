//! One fetch for all, reading again in the background, and what is used while a source is out of reach.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::Error;
use crate::Secrets;
use crate::source::Environment;
use crate::source::SecretSource;
use crate::tests::fixture::{Fixed, Hand, home, shown_held, tenant};

/// What a source answers from now on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answers {
    Secret(&'static str),
    /// One that ends so many seconds after it was asked for.
    Ending(&'static str, u64),
    Missing,
    Refused,
    OutOfReach,
}

/// A source that counts how often it is asked, and answers when it is let.
struct Counting {
    asked: AtomicUsize,
    answers: Mutex<Answers>,
    gate: tokio::sync::Semaphore,
}

impl Counting {
    fn say(&self, answers: Answers) {
        *self.answers.lock().unwrap() = answers;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

struct Shared(Arc<Counting>);

#[async_trait]
impl SecretSource for Shared {
    fn scheme(&self) -> &'static str {
        "vault"
    }

    async fn fetch(&self, reference: &SecretRef, lender: &dyn Lender) -> Result<Fetched, Error> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        self.0.gate.acquire().await.unwrap().forget();
        self.0.gate.add_permits(1);
        let answers = *self.0.answers.lock().unwrap();
        let given = |text: &str, ends| {
            let secret = crate::tests::fixture::secret(text);
            Ok(Fetched { secret, stamp: Stamp::Aged, ends })
        };
        match answers {
            Answers::Secret(text) => given(text, None),
            Answers::Ending(text, seconds) => {
                given(text, Some(lender.now().after(Duration::from_secs(seconds))))
            }
            Answers::Missing => Err(Error::Missing(reference.to_string())),
            Answers::Refused => {
                Err(Error::source(reference, Trouble::Refused { at: "it".into(), why: "no".into() }))
            }
            Answers::OutOfReach => Err(Error::source(reference, Trouble::late("it"))),
        }
    }
}

struct Case {
    source: Arc<Counting>,
    clock: Arc<Hand>,
    fetching: Arc<Fetching>,
}

impl Case {
    fn new(answers: Answers) -> Self {
        let gate = tokio::sync::Semaphore::new(1);
        let source = Arc::new(Counting { asked: AtomicUsize::new(0), answers: Mutex::new(answers), gate });
        let (storage, keyring, _) = home();
        let sources = Sources::of_one(Box::new(Shared(Arc::clone(&source))));
        let unsealed = Unsealed { keyring: Arc::new(keyring), sources };
        let clock = Hand::new();
        let fetching = Arc::new(Fetching {
            storage,
            clock: clock.clone(),
            unsealed: ArcSwapOption::from_pointee(unsealed),
            cache: Arc::new(Cache::new()),
            ages: Ages { refresh: Duration::from_secs(100), stale: Duration::from_secs(1000) },
        });
        Self { source, clock, fetching }
    }

    /// What a call is lent, as `Secrets` does it.
    async fn open(&self) -> Result<Vec<u8>, Error> {
        let (tenant, reference) = (tenant("local"), "vault:x".parse().unwrap());
        let opened = self.fetching.open(&tenant, &reference, self.clock.now()).await?;
        Ok(shown_held(&opened))
    }

    fn seconds(&self, seconds: u64) {
        self.clock.advance(seconds * 1000);
    }

    /// Waits for what goes on in the background.
    async fn until_asked(&self, times: usize) {
        for _ in 0..10_000 {
            if self.source.asked() >= times {
                // One more turn, for what comes after the answer.
                for _ in 0..50 {
                    tokio::task::yield_now().await;
                    tokio::task::spawn_blocking(|| {}).await.unwrap();
                }
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("the source was asked {} times", self.source.asked());
    }
}

#[tokio::test]
async fn a_hundred_calls_at_once_ask_the_source_once() {
    let case = Arc::new(Case::new(Answers::Secret("CANARY-one")));
    case.source.gate.acquire().await.unwrap().forget();
    let calls: Vec<_> = (0..100)
        .map(|_| {
            tokio::spawn({
                let case = Arc::clone(&case);
                async move { case.open().await.unwrap() }
            })
        })
        .collect();
    while case.source.asked() == 0 {
        tokio::task::yield_now().await;
    }
    case.source.gate.add_permits(1);
    for call in calls {
        assert_eq!(call.await.unwrap(), b"CANARY-one");
    }
    assert_eq!(case.source.asked(), 1);
}

#[tokio::test]
async fn a_hundred_calls_that_wait_for_a_failing_source_learn_it_from_one_fetch() {
    for answers in [Answers::Missing, Answers::OutOfReach, Answers::Refused] {
        let case = Arc::new(Case::new(answers));
        case.source.gate.acquire().await.unwrap().forget();
        let calls: Vec<_> = (0..100)
            .map(|_| {
                tokio::spawn({
                    let case = Arc::clone(&case);
                    async move { case.open().await.unwrap_err() }
                })
            })
            .collect();
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        case.source.gate.add_permits(1);
        for call in calls {
            let missing = matches!(call.await.unwrap(), Error::Missing(_));
            assert_eq!(missing, answers == Answers::Missing);
        }
        assert_eq!(case.source.asked(), 1);
        assert!(case.open().await.is_err());
        assert_eq!(case.source.asked(), 2, "who comes later asks again");
    }
}

#[tokio::test]
async fn a_slow_source_keeps_no_other_secret_waiting() {
    let case = Case::new(Answers::Secret("CANARY-one"));
    let local = tenant("local");
    let slow: SecretRef = "vault:slow".parse().unwrap();
    let _held = case.fetching.cache.flight(&local, &slow).await.unwrap();
    for n in 0..200 {
        let other: SecretRef = format!("vault:other/{n}").parse().unwrap();
        case.fetching.fetch(&local, &other).await.unwrap();
    }
}

#[tokio::test]
async fn a_secret_is_read_again_in_the_background_before_it_is_as_old_as_it_may_get() {
    let case = Case::new(Answers::Secret("CANARY-one"));
    case.open().await.unwrap();
    case.source.say(Answers::Secret("CANARY-two"));
    case.seconds(79);
    assert_eq!(case.open().await.unwrap(), b"CANARY-one");
    assert_eq!(case.source.asked(), 1);
    case.seconds(2);
    for _ in 0..10 {
        assert_eq!(case.open().await.unwrap(), b"CANARY-one", "nobody waits for it");
    }
    case.until_asked(2).await;
    assert_eq!(case.open().await.unwrap(), b"CANARY-two");
    assert_eq!(case.source.asked(), 2);
}

#[tokio::test]
async fn behind_its_age_a_secret_is_read_before_it_is_lent() {
    let case = Case::new(Answers::Secret("CANARY-one"));
    case.open().await.unwrap();
    case.source.say(Answers::Secret("CANARY-two"));
    case.seconds(100);
    assert_eq!(case.open().await.unwrap(), b"CANARY-two");
}

#[tokio::test]
async fn while_its_source_is_out_of_reach_a_secret_is_lent_for_the_stated_time_and_said_to_be_stale() {
    let case = Case::new(Answers::Secret("CANARY-one"));
    case.open().await.unwrap();
    case.source.say(Answers::OutOfReach);
    case.seconds(100);
    assert!(case.fetching.cache.stale(&tenant("local")).is_empty());
    assert_eq!(case.open().await.unwrap(), b"CANARY-one");
    let stale = case.fetching.cache.stale(&tenant("local"));
    assert_eq!(stale.len(), 1);
    assert_eq!(stale[0].until, crate::tests::fixture::at(1000));
    assert!(!format!("{stale:?}").contains("CANARY"));
    let asked = case.source.asked();
    for _ in 0..100 {
        case.open().await.unwrap();
    }
    assert_eq!(case.source.asked(), asked, "a source that is out of reach is left alone for a while");
    case.seconds(899);
    assert_eq!(case.open().await.unwrap(), b"CANARY-one");
    case.until_asked(asked + 1).await;
    case.seconds(1);
    assert!(matches!(case.open().await.unwrap_err(), Error::Source { .. }));
    case.source.say(Answers::Secret("CANARY-two"));
    assert_eq!(case.open().await.unwrap(), b"CANARY-two");
    assert!(case.fetching.cache.stale(&tenant("local")).is_empty());
}

#[tokio::test]
async fn a_source_that_says_no_ends_a_secret_at_once() {
    for no in [Answers::Missing, Answers::Refused] {
        let case = Case::new(Answers::Secret("CANARY-one"));
        case.open().await.unwrap();
        case.source.say(no);
        case.seconds(100);
        assert!(case.open().await.is_err(), "behind its age");
        let case = Case::new(Answers::Secret("CANARY-one"));
        case.open().await.unwrap();
        case.source.say(no);
        case.seconds(90);
        assert!(case.open().await.is_ok(), "before it, until the background knows");
        case.until_asked(2).await;
        assert!(case.open().await.is_err());
    }
}

#[tokio::test]
async fn what_ends_is_never_lent_behind_its_end_and_is_read_again_before_it() {
    let case = Case::new(Answers::Ending("CANARY-one", 10));
    case.open().await.unwrap();
    case.source.say(Answers::OutOfReach);
    case.seconds(9);
    assert_eq!(case.open().await.unwrap(), b"CANARY-one");
    case.until_asked(2).await;
    case.seconds(1);
    assert!(case.open().await.is_err(), "it has ended, whatever its age may be");
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_no_secret_younger() {
    let case = Case::new(Answers::Secret("CANARY-one"));
    case.seconds(500);
    case.open().await.unwrap();
    case.clock.set_back(400);
    case.source.say(Answers::Secret("CANARY-two"));
    assert_eq!(case.open().await.unwrap(), b"CANARY-two");
}

#[tokio::test]
async fn a_source_is_lent_what_it_needs_one_level_deep() {
    let (storage, keyring, _) = home();
    let environment = Environment::with(&[("TOKEN", "CANARY-token")]);
    let setup = Setup { environment, ..Setup::default() };
    let secrets = Secrets::new(storage.clone(), Hand::new(), setup.clone());
    let asked = |keyring| Asked {
        storage: storage.clone(),
        unsealed: Arc::new(Unsealed::new(keyring, &setup)),
        tenant: TenantName::local(),
        now: crate::tests::fixture::at(0),
    };
    secrets.unseal(keyring);
    let name: SecretName = "vault/token".parse().unwrap();
    let stored = crate::tests::fixture::secret("CANARY-stored");
    let _ = secrets.put(&TenantName::local(), &name, stored, crate::Disclosure::Never).await.unwrap();
    let asked = asked(crate::unseal(&*storage, &Fixed(1)).unwrap());
    let lent = async |text: &str| {
        asked.lend(&text.parse().unwrap()).await.map(|secret| crate::tests::fixture::shown(&secret))
    };
    assert_eq!(lent("env:TOKEN").await.unwrap(), b"CANARY-token");
    assert_eq!(lent("store:vault/token").await.unwrap(), b"CANARY-stored");
    let deep = Deepest(crate::tests::fixture::at(0)).lend(&"env:TOKEN".parse().unwrap()).await;
    assert!(deep.err().unwrap().to_string().contains("one level deep"));
}
