//! Buckets over time that the test makes.

use super::*;

const RATE: Rate = Rate { per_second: 2.0, burst: 3.0, of: Throttled::Everybody };

#[tokio::test]
async fn a_user_has_a_burst_and_then_so_many_a_second() {
    let (buckets, start) = (Buckets::default(), Instant::now());
    let taken = |uid, after| buckets.take(&RATE, uid, start + Duration::from_millis(after)).is_some();
    assert!(taken(1, 0) && taken(1, 0) && taken(1, 0));
    assert!(!taken(1, 0) && !taken(1, 400));
    assert!(taken(1, 600) && !taken(1, 700));
    assert!(taken(1, 1200));
    // Waiting for long fills it to its burst and no further.
    assert!(taken(1, 900_000) && taken(1, 900_000) && taken(1, 900_000) && !taken(1, 900_000));
}

#[tokio::test]
async fn one_user_takes_nothing_from_another() {
    let (buckets, now) = (Buckets::default(), Instant::now());
    while buckets.take(&RATE, 1, now).is_some() {}
    assert!(buckets.take(&RATE, 2, now).is_some());
}

#[tokio::test]
async fn a_flood_of_users_is_bounded_and_refuses_rather_than_forgets() {
    let (buckets, now) = (Buckets::default(), Instant::now());
    for uid in 0..u32::try_from(MOST_USERS).unwrap() {
        assert!(buckets.take(&RATE, uid, now).is_some());
    }
    assert!(buckets.take(&RATE, u32::MAX, now).is_none());
    assert!(buckets.take(&RATE, 7, now).is_some());
    assert!(buckets.take(&RATE, u32::MAX, now + Duration::from_secs(60)).is_some());
}
