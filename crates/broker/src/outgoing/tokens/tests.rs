//! When a token is made, who waits, and what serves when none can be had.

use model::Code;

use super::*;

fn slot() -> Arc<Slot> {
    let at = (TenantName::local(), "house".parse().unwrap(), 0, String::new());
    Tokens::default().slot(at, [1; 32])
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + seconds * 1000)
}

fn minted(made: u64, ends: u64) -> Minted {
    let value = Secret::new(b"CANARY-token".to_vec()).unwrap();
    let mask = Arc::new(Mask::new(&value).unwrap());
    Minted::new(value, mask, at(made), at(ends))
}

/// Makes one where the slot wants it, and says whether it did.
async fn made(slot: &Slot, now: u64, life: Option<u64>) -> Result<bool, Refusal> {
    match slot.take(at(now)).await? {
        Taken::Have(_) => Ok(false),
        Taken::Make(mut making, old) => {
            let result = life
                .map(|life| minted(now, now + life))
                .ok_or_else(|| Refusal::new(Code::SourceUnavailable, "the endpoint is down"));
            slot.keep(&mut making, result, old, at(now)).map(|_| true)
        }
    }
}

#[tokio::test]
async fn a_token_is_made_anew_a_minute_before_it_ends_and_a_short_one_in_its_last_quarter() {
    let long = slot();
    assert!(made(&long, 0, Some(3600)).await.unwrap());
    assert!(!made(&long, 3539, None).await.unwrap());
    assert!(made(&long, 3540, Some(3600)).await.unwrap());
    let short = slot();
    assert!(made(&short, 0, Some(40)).await.unwrap());
    assert!(!made(&short, 29, None).await.unwrap());
    assert!(made(&short, 30, Some(40)).await.unwrap());
}

#[tokio::test]
async fn the_old_one_serves_until_it_ends_when_none_can_be_made() {
    let slot = slot();
    assert!(made(&slot, 0, Some(3600)).await.unwrap());
    assert!(made(&slot, 3541, None).await.unwrap(), "tried, and the old one given");
    assert!(!made(&slot, 3545, None).await.unwrap(), "not tried again at once");
    assert!(made(&slot, 3552, None).await.unwrap());
    let refusal = made(&slot, 3600, None).await.unwrap_err();
    assert_eq!(refusal.code, Code::SourceUnavailable);
    assert!(made(&slot, 3601, Some(60)).await.unwrap());
}

#[tokio::test]
async fn all_who_wait_get_the_token_of_the_one_who_makes_it_or_its_failure() {
    for life in [Some(3600), None] {
        let slot = slot();
        let Taken::Make(mut making, old) = slot.take(at(0)).await.unwrap() else { panic!("there is one") };
        let waiting: Vec<_> = (0..8)
            .map(|_| {
                let slot = Arc::clone(&slot);
                tokio::spawn(async move { matches!(slot.take(at(0)).await, Ok(Taken::Have(_))) })
            })
            .collect();
        while Arc::strong_count(&slot) < 9 {
            tokio::task::yield_now().await;
        }
        tokio::task::yield_now().await;
        let result = life
            .map(|life| minted(0, life))
            .ok_or_else(|| Refusal::new(Code::SourceUnavailable, "the endpoint is down"));
        let _ = slot.keep(&mut making, result, old, at(0));
        drop(making);
        for one in waiting {
            assert_eq!(one.await.unwrap(), life.is_some());
        }
    }
}

#[tokio::test]
async fn a_token_that_was_not_taken_is_forgotten_once_in_a_while() {
    let slot = slot();
    made(&slot, 0, Some(3600)).await.unwrap();
    let Taken::Have(have) = slot.take(at(5)).await.unwrap() else { panic!("there is none") };
    assert!(slot.reject(&have, at(5)));
    assert!(!slot.reject(&have, at(5)), "it is forgotten already");
    assert!(made(&slot, 6, Some(3600)).await.unwrap());
    // A service that takes none is not asked for one with each call.
    let Taken::Have(have) = slot.take(at(7)).await.unwrap() else { panic!("there is none") };
    assert!(!slot.reject(&have, at(14)));
    assert!(slot.reject(&have, at(15)));
    assert!(made(&slot, 15, Some(3600)).await.unwrap());
}

#[test]
fn other_secrets_make_another_token() {
    let tokens = Tokens::default();
    let at = || (TenantName::local(), "house".parse().unwrap(), 0, String::new());
    let first = tokens.slot(at(), [1; 32]);
    assert!(Arc::ptr_eq(&first, &tokens.slot(at(), [1; 32])));
    let second = tokens.slot(at(), [2; 32]);
    assert!(!Arc::ptr_eq(&first, &second));
    tokens.clear();
    assert!(!Arc::ptr_eq(&second, &tokens.slot(at(), [2; 32])));
}
