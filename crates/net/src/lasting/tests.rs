//! A wait ends when it should, whatever the timer was set for before.

use hyper::rt::Timer as _;

use super::*;

const SHORT: Duration = Duration::from_millis(30);

#[tokio::test]
async fn a_wait_behind_a_dropped_one_ends_no_earlier_than_it_should() {
    let lasting = Lasting::default();
    let mut dropped = lasting.sleep(SHORT);
    assert!(poll_once(dropped.as_mut()).is_pending());
    drop(dropped);
    let end = Instant::now() + SHORT * 3;
    lasting.sleep_until(end).await;
    assert!(Instant::now() >= end);
}

#[tokio::test]
async fn a_wait_that_ends_before_the_one_it_follows_is_not_late() {
    let lasting = Lasting::default();
    let mut long = lasting.sleep(Duration::from_secs(3_600));
    assert!(poll_once(long.as_mut()).is_pending());
    drop(long);
    tokio::time::timeout(Duration::from_secs(60), lasting.sleep(SHORT)).await.unwrap();
}

/// Polls once, with a waker of its own.
fn poll_once(sleep: Pin<&mut dyn hyper::rt::Sleep>) -> Poll<()> {
    sleep.poll(&mut Context::from_waker(Waker::noop()))
}
