//! Uses, rates, and how they are refused.

use std::sync::Arc;
use std::time::Duration;

use model::{CapabilityId, Code, Retry};
use policy::{Caveat, Token};
use testkit::canary;

use crate::asking::Ask;
use crate::house::{House, described, is};
use crate::service::Service;

#[tokio::test]
async fn five_uses_are_five_however_many_callers_race_for_them() {
    let service = Service::saying("{}");
    let house = Arc::new(House::at(&service.url(), &canary::plant("race")).await);
    let five = house.capability(&[("integrations", "house"), ("uses", "5")]).await;
    let calls: Vec<_> = (0..32)
        .map(|_| {
            let (house, five) = (Arc::clone(&house), five.clone());
            tokio::spawn(async move { house.ask(Ask::post("/a", "x").with(&five)).await })
        })
        .collect();
    let mut done = 0;
    for call in calls {
        match call.await.unwrap() {
            Ok(_) => done += 1,
            Err(refusal) => is(&refusal, Code::UsesExhausted),
        }
    }
    assert_eq!((done, service.seen().len()), (5, 5));
    is(&house.refused(Ask::get("/a").with(&five)).await, Code::UsesExhausted);
    house.spotless();
}

#[tokio::test]
async fn a_narrowing_counts_its_own_uses_and_those_of_its_grant() {
    let service = Service::saying("{}");
    let house = House::at(&service.url(), &canary::plant("narrow-uses")).await;
    let three = house.capability(&[("integrations", "house"), ("uses", "3")]).await;
    let narrowed = |nth: u8| {
        let token = Token::parse(&three).unwrap();
        let id = CapabilityId::from_bytes([nth; 16]);
        token.narrow(&[Caveat::Uses(2.try_into().unwrap())], id).unwrap().expose(ToOwned::to_owned)
    };
    let (one, other) = (narrowed(1), narrowed(2));
    for _ in 0..2 {
        house.got(Ask::get("/a").with(&one)).await.unwrap();
    }
    is(&house.refused(Ask::get("/a").with(&one)).await, Code::UsesExhausted);
    house.got(Ask::get("/a").with(&other)).await.unwrap();
    // The other narrowing has a use left, and the grant has none.
    is(&house.refused(Ask::get("/a").with(&other)).await, Code::UsesExhausted);
    assert_eq!(service.seen().len(), 3);
}

#[tokio::test]
async fn uses_are_counted_across_a_sealing() {
    let service = Service::saying("{}");
    let house = House::at(&service.url(), &canary::plant("sealed-uses")).await;
    let two = house.capability(&[("integrations", "house"), ("uses", "2")]).await;
    house.got(Ask::get("/a").with(&two)).await.unwrap();
    house.manage("broker.seal", &[]).await.unwrap();
    house.unseal().await.unwrap();
    house.got(Ask::get("/a").with(&two)).await.unwrap();
    is(&house.refused(Ask::get("/a").with(&two)).await, Code::UsesExhausted);
}

#[tokio::test]
async fn a_rate_of_the_integration_the_caller_and_the_capability_says_when_to_come_back() {
    let house_rate = ", rate: {calls: 3, per: 1h}";
    let caller_rate = ", caller_rate: {calls: 3, per: 1h}";
    for (limits, words, same) in [
        (house_rate, vec![("integrations", "house")], true),
        (caller_rate, vec![("integrations", "house")], true),
        ("", vec![("integrations", "house"), ("rate", "3/1h")], false),
    ] {
        let service = Service::saying("{}");
        let text = described(&service.url(), "token: {title: T}", "{scheme: bearer, secret: token}", limits);
        let house = House::start(&[("house", text)]).await;
        house.put("house/token", &canary::plant("rate")).await;
        let (pass, other) = (house.capability(&words).await, house.capability(&words).await);
        for _ in 0..3 {
            house.got(Ask::get("/a").with(&pass)).await.unwrap();
        }
        let refusal = house.refused(Ask::get("/a").with(&pass)).await;
        is(&refusal, Code::RateLimited);
        assert_eq!(refusal.code.http_status(), 429);
        let Retry::After(wait) = refusal.retry else { panic!("{refusal:?}") };
        // Of a file a bucket fills again; what a capability says holds for each hour.
        let longest = Duration::from_secs(if same { 1_200 } else { 3_600 });
        assert!(wait > Duration::from_secs(60) && wait <= longest, "{wait:?}");
        // Both capabilities are of one principal: what counts callers counts them together.
        assert_eq!(house.ask(Ask::get("/a").with(&other)).await.is_err(), same, "{limits}");
        assert_eq!(service.seen().len(), if same { 3 } else { 4 });
    }
}

#[tokio::test]
async fn an_address_that_proves_nothing_cannot_fill_the_evidence() {
    let service = Service::saying("{}");
    let house = Arc::new(House::at(&service.url(), &canary::plant("flood")).await);
    let (mut recorded, mut flood) = (0, None);
    while flood.is_none() {
        // Many at once, which are written together: on a slow disk, one behind the other would not be too many.
        let mut asked = tokio::task::JoinSet::new();
        for _ in 0..200 {
            let house = Arc::clone(&house);
            asked.spawn(async move { house.refused(Ask::get("/a")).await });
        }
        for refusal in asked.join_all().await {
            if refusal.evidence.is_none() {
                flood = Some(refusal);
                continue;
            }
            assert_eq!(refusal.code, Code::Unauthenticated);
            recorded += 1;
        }
        assert!(recorded < 5_000, "every one of them is recorded");
    }
    let flood = flood.unwrap();
    assert_eq!(flood.code, Code::RateLimited);
    assert!(recorded >= 600, "only {recorded} were");
    // Whoever proves who it is, from the same address, is served.
    house.got(Ask::get("/a").with(&house.pass().await)).await.unwrap();
}

#[tokio::test]
async fn callers_without_a_name_are_counted_by_the_address_that_they_come_from() {
    let service = Service::saying("{}");
    let limits = ", caller_rate: {calls: 1, per: 1h}";
    let text = described(&service.url(), "token: {title: T}", "{scheme: bearer, secret: token}", limits);
    let house = House::start(&[("house", format!("{text}anonymous: true\n"))]).await;
    house.put("house/token", &canary::plant("nameless")).await;
    let everything =
        "- {integration: house, callers: [{capabilities: [{name: dangerously_allow_full_access}]}]}";
    let file =
        policy::lists::File { side: policy::lists::Side::Allow, name: "allowlist.yaml", text: everything };
    house.broker.replace_lists(broker::read_lists(&house.broker.catalog(), &[file]).unwrap());
    let from = |address: &str| {
        let mut ask = Ask::get("/a");
        ask.facts.address = Some(address.parse().unwrap());
        ask
    };
    for (address, other, another) in [
        ("203.0.113.1", "203.0.113.1", "203.0.113.2"),
        ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"),
        ("::ffff:203.0.113.3", "203.0.113.3", "203.0.113.4"),
    ] {
        house.got(from(address)).await.unwrap();
        let refusal = house.refused(from(other)).await;
        is(&refusal, Code::RateLimited);
        assert_eq!(refusal.reason.as_deref(), Some(other));
        house.got(from(another)).await.unwrap();
    }
    assert_eq!(service.seen().len(), 6);
    house.spotless();
}
