//! Who is next.

use super::*;

/// Polls a waiting future once; `None` while it waits.
async fn now<T>(waiting: &mut (impl Future<Output = T> + Unpin)) -> Option<T> {
    tokio::select! {
        biased;
        done = waiting => Some(done),
        () = std::future::ready(()) => None,
    }
}

#[tokio::test]
async fn tenants_take_turns_whoever_came_first() {
    let turns = Turns::new(1, 8);
    let held = turns.wait("a").await.unwrap();
    let mut waiting: Vec<_> =
        ["a", "a", "b", "c"].into_iter().map(|tenant| (tenant, Box::pin(turns.wait(tenant)))).collect();
    for (_, one) in &mut waiting {
        assert!(now(one).await.is_none());
    }
    let (mut order, mut held) = (Vec::new(), Some(held));
    while !waiting.is_empty() {
        drop(held.take());
        let mut next = None;
        for (place, (_, one)) in waiting.iter_mut().enumerate() {
            if let Some(turn) = now(one).await {
                next = Some((place, turn.unwrap()));
                break;
            }
        }
        let (place, turn) = next.unwrap();
        order.push(waiting.remove(place).0);
        held = Some(turn);
    }
    assert_eq!(order, ["a", "b", "c", "a"]);
    drop(held);
    drop(turns.wait("d").await.unwrap());
}

#[tokio::test]
async fn whoever_went_away_keeps_nobody_waiting() {
    let turns = Turns::new(1, 8);
    let held = turns.wait("a").await.unwrap();
    let mut gone = Box::pin(turns.wait("a"));
    let mut next = Box::pin(turns.wait("a"));
    assert!(now(&mut gone).await.is_none());
    assert!(now(&mut next).await.is_none());
    drop(gone);
    drop(held);
    assert!(now(&mut next).await.unwrap().is_ok());
}

#[tokio::test]
async fn a_tenant_with_too_many_waiting_is_refused_and_others_are_not() {
    let turns = Turns::new(1, 1);
    let _held = turns.wait("a").await.unwrap();
    let mut first = Box::pin(turns.wait("a"));
    assert!(now(&mut first).await.is_none());
    assert!(matches!(turns.wait("a").await, Err(Error::Busy)));
    assert!(now(&mut Box::pin(turns.wait("b"))).await.is_none());
}
