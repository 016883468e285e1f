//! Cache, keeper and mock.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use doorward_client::mock::Mock;
use doorward_client::{
    Asks, Cache, Capability, CapabilityRequest, Error, Keeper, NarrowRequest, Revoke, secure_use,
};

fn allowing() -> Mock {
    let agent = Mock::new();
    agent.allow("secret:/db/*", &["read", "write"]);
    agent
}

fn request() -> CapabilityRequest {
    CapabilityRequest::new("secret:/db/primary", ["read"]).ttl(300)
}

fn asked(agent: &Mock, name: &str) -> usize {
    agent.calls().iter().filter(|(call, _)| *call == name).count()
}

fn capability(id: &str, end: &str) -> Arc<Capability> {
    Arc::new(Capability { id: id.to_owned(), expires_at: end.to_owned(), ..Capability::default() })
}

#[test]
fn threads_that_want_one_capability_ask_once() {
    let keeper = Keeper::new(allowing(), Revoke::No);
    thread::scope(|scope| {
        for _ in 0..30 {
            scope.spawn(|| keeper.capability(&request()).unwrap());
        }
    });
    assert_eq!(asked(keeper.agent(), "request"), 1);
    let counted = keeper.agent().metrics().now();
    assert_eq!((counted.cache_misses, counted.cache_hits), (1, 29));
}

#[test]
fn the_order_of_actions_is_no_difference_and_another_resource_is() {
    let keeper = Keeper::new(allowing(), Revoke::No);
    for (resource, actions) in [
        ("secret:/db/a", ["read", "write"]),
        ("secret:/db/a", ["write", "read"]),
        ("secret:/db/b", ["read", "write"]),
    ] {
        keeper.capability(&CapabilityRequest::new(resource, actions)).unwrap();
    }
    assert_eq!((asked(keeper.agent(), "request"), keeper.count()), (2, 2));
}

#[test]
fn a_denial_is_an_error_and_is_not_kept() {
    let keeper = Keeper::new(Mock::new(), Revoke::No);
    let denied = keeper.capability(&request()).unwrap_err();
    assert_eq!(
        (denied.kind(), denied.to_string().as_str()),
        ("denied", "capability denied: Request denied by policy")
    );
    keeper.agent().allow("secret:/db/primary", &["read"]);
    assert!(keeper.capability(&request()).is_ok());
}

#[test]
fn a_capability_near_its_end_is_not_given_out() {
    let at = |seconds: u64| UNIX_EPOCH + Duration::from_secs(seconds);
    let mut cache = Cache::new(2, Duration::from_secs(5));
    cache.keep("a", capability("1", "1970-01-01T00:01:40Z"), at(0));
    assert!(cache.take("a", at(94)).is_some());
    assert!(cache.take("a", at(95)).is_none());
    cache.keep("a", capability("1", "1970-01-01T00:00:10Z"), at(0));
    cache.keep("b", capability("2", "1970-01-01T00:01:40Z"), at(0));
    assert!(cache.take("a", at(0)).is_some());
    cache.keep("c", capability("3", "1970-01-01T00:01:40Z"), at(0));
    assert!(cache.take("b", at(0)).is_none(), "the least recently used goes first");
    assert_eq!(cache.sweep(at(9)), 1);
    cache.forget("3");
    cache.keep("d", capability("4", "never"), at(0));
    assert_eq!(cache.count(), 0);
}

#[test]
fn a_revoked_capability_is_forgotten_when_its_use_fails() {
    let keeper = Keeper::new(allowing(), Revoke::No);
    let first = keeper.capability(&request()).unwrap();
    keeper.agent().revoke(&first.id, "").unwrap();
    let mut ran = false;
    let failed = keeper.use_with(&request(), Revoke::No, |_| {
        ran = true;
        Ok::<_, Error>(())
    });
    assert_eq!((failed.unwrap_err().kind(), ran), ("not_valid", false));
    assert!(keeper.use_with(&request(), Revoke::No, |_| Ok::<_, Error>(())).is_ok());
}

#[test]
fn a_use_that_fails_is_revoked_too() {
    let agent = allowing();
    let id = agent.request(&request()).unwrap().capability.unwrap().id;
    let failed: Result<(), Error> =
        secure_use(&agent, &id, Revoke::Afterwards, || Err(Error::TimedOut("no database".to_owned())));
    assert_eq!(failed.unwrap_err().to_string(), "no database");
    assert!(!agent.validate(&id).unwrap().valid);
}

#[test]
fn closing_a_keeper_revokes_what_it_keeps_where_that_was_asked_for() {
    let agent = Arc::new(allowing());
    struct Shared(Arc<Mock>);
    impl Asks for Shared {
        fn request(&self, request: &CapabilityRequest) -> Result<doorward_client::CapabilityResponse, Error> {
            self.0.request(request)
        }
        fn validate(&self, id: &str) -> Result<doorward_client::ValidationResult, Error> {
            self.0.validate(id)
        }
        fn revoke(&self, id: &str, reason: &str) -> Result<(), Error> {
            self.0.revoke(id, reason)
        }
        fn metrics(&self) -> &doorward_client::Metrics {
            self.0.metrics()
        }
    }
    for revoke in [Revoke::No, Revoke::Afterwards] {
        let keeper = Keeper::new(Shared(Arc::clone(&agent)), revoke);
        let id = keeper.capability(&request()).unwrap().id.clone();
        keeper.close().unwrap();
        assert_eq!(agent.validate(&id).unwrap().valid, revoke == Revoke::No);
    }
}

#[test]
fn the_mock_counts_uses_of_a_child_for_its_parent_too_and_ends_with_time() {
    let agent = allowing();
    agent.at(1_000_000);
    agent.disclose("secret:/db/primary", b"canary");
    let parent = agent.request(&request().max_uses(2)).unwrap().capability.unwrap();
    let child = agent.narrow(&parent.id, &NarrowRequest { max_uses: Some(50), ..NarrowRequest::default() });
    let child = child.unwrap().capability.unwrap();
    assert_eq!((child.max_uses, child.parent), (2, Some(parent.id.clone())));
    let wider = NarrowRequest { actions: Some(vec!["write".to_owned()]), ..NarrowRequest::default() };
    assert_eq!(agent.narrow(&parent.id, &wider).unwrap_err().kind(), "refused");
    let read = |id: &str| agent.read_secret(id, None).unwrap().status;
    assert_eq!(
        [read(&child.id), read(&child.id), read(&child.id), read(&parent.id)],
        ["ok", "ok", "denied", "denied"]
    );
    let other = agent.request(&request()).unwrap().capability.unwrap();
    agent.at(1_000_300);
    let ended = agent.validate(&other.id).unwrap();
    assert_eq!(ended.errors[0].code, "EXPIRED");
    assert!(ended.errors[0].message.ends_with("1970-01-12T13:51:40Z"), "{}", ended.errors[0].message);
}
