//! Tests of the module `rules`.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use model::{Access, Code, Proof, Risk, TenantName};

use super::*;
use crate::cedar::Source;
use crate::lists::Verdict;
use crate::principal::{Known, OWNER, PrincipalKind, Principals};
use crate::tests::{Ask, specs};
use crate::{Authority, Denial, Grants, Permit};

#[derive(Default)]
struct Shelf(Mutex<HashMap<Digest, Vec<u8>>>);

impl Rulings for Shelf {
    fn find(&self, question: &Digest) -> Option<Vec<u8>> {
        self.0.lock().unwrap().get(question).cloned()
    }

    fn keep(&self, question: &Digest, ruling: &[u8]) {
        self.0.lock().unwrap().insert(*question, ruling.to_vec());
    }
}

struct House {
    shelf: Arc<Shelf>,
    compiled: Arc<AtomicUsize>,
}

impl House {
    fn new() -> Self {
        Self { shelf: Arc::default(), compiled: Arc::default() }
    }

    /// A new process over the same home.
    fn rules(&self, text: &'static str, fingerprint: u8) -> Rules {
        let compiled = Arc::clone(&self.compiled);
        let compile = move || {
            compiled.fetch_add(1, Ordering::SeqCst);
            Policies::compile(&[Source { name: "test.cedar", text }], &specs())
                .map_err(|error| Refusal::new(Code::BadRequest, error.to_string()))
        };
        let rulings = Arc::clone(&self.shelf) as Arc<dyn Rulings>;
        Rules::on_demand([fingerprint; 32], Box::new(compile), Some(rulings))
    }

    fn compiled(&self) -> usize {
        self.compiled.load(Ordering::SeqCst)
    }
}

fn ask(rules: &Rules, ask: &Ask) -> Result<Permit, Denial> {
    let (grants, principals) = (Grants::new(), Principals::new());
    let known = Known::new(PrincipalKind::Person, [OWNER]).unwrap();
    principals.put(&TenantName::local(), &"ada".parse().unwrap(), known);
    let authority = Authority { rules, grants: &grants, principals: &principals };
    authority.authorise(&ask.caller("ada", Proof::Kernel), ask.call(), None, Verdict::silent(), ask.now())
}

#[test]
fn an_allowance_is_decided_once_and_remembered_by_the_next_process() {
    let house = House::new();
    let first = ask(&house.rules(crate::cedar::DEFAULT, 1), &Ask::default()).unwrap();
    assert_eq!(house.compiled(), 1);
    let second = ask(&house.rules(crate::cedar::DEFAULT, 1), &Ask::default()).unwrap();
    assert_eq!(house.compiled(), 1, "the second was answered from the ruling");
    assert_eq!(first.policy_version(), second.policy_version());
    assert_eq!(first.determining(), second.determining());
}

#[test]
fn another_question_or_another_policy_is_decided_anew() {
    let house = House::new();
    let _ = ask(&house.rules(crate::cedar::DEFAULT, 1), &Ask::default()).unwrap();
    for other in [
        Ask { resource: "channel:C2", ..Ask::default() },
        Ask { access: Access::Read, operation: "chat.list", risk: Risk::Low, ..Ask::default() },
        Ask { risk: Risk::Low, ..Ask::default() },
    ] {
        let before = house.compiled();
        let _ = ask(&house.rules(crate::cedar::DEFAULT, 1), &other);
        assert_eq!(house.compiled(), before + 1);
    }
    let before = house.compiled();
    let _ = ask(&house.rules(crate::cedar::DEFAULT, 2), &Ask::default()).unwrap();
    assert_eq!(house.compiled(), before + 1);
}

#[test]
fn a_denial_is_never_remembered() {
    let house = House::new();
    let forbids = "@id(\"no\") forbid (principal, action, resource);";
    for _ in 0..2 {
        assert!(ask(&house.rules(forbids, 1), &Ask::default()).is_err());
    }
    assert_eq!(house.compiled(), 2);
}

#[test]
fn what_reads_the_context_is_never_remembered() {
    let house = House::new();
    let reads = "@id(\"door\") permit (principal, action, resource) when { context.door != \"no\" };";
    for _ in 0..2 {
        let _ = ask(&house.rules(reads, 1), &Ask::default()).unwrap();
    }
    assert_eq!(house.compiled(), 2);
}

#[test]
fn policies_that_cannot_be_compiled_allow_nothing() {
    let house = House::new();
    let denial = ask(&house.rules("permit (", 1), &Ask::default()).unwrap_err();
    assert!(denial.message().contains("the policies can't be read"), "{}", denial.message());
}

#[test]
fn a_ruling_that_cannot_be_read_is_none() {
    let whole = encode(
        &Decision {
            outcome: Outcome::Allow { approvers: 3 },
            determining: [Arc::from("a")].into(),
            errors: vec![],
        },
        Version::of([7; 32]),
    )
    .unwrap();
    let (decision, version) = decode(&whole).unwrap();
    assert_eq!(decision.outcome, Outcome::Allow { approvers: 3 });
    assert_eq!(version.as_bytes(), &[7; 32]);
    for cut in 0..whole.len() {
        let read = decode(&whole[..cut]);
        assert!(cut == 34 || read.is_none(), "cut to {cut}");
    }
    assert!(decode(&[FORMAT, 2]).is_none());
}
