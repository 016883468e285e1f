//! The signal reaches every listener, and its loss counts as the signal.

use super::*;

#[tokio::test]
async fn every_listener_hears_the_signal() {
    let (drain, mut first) = channel();
    let mut second = drain.listener();
    assert!(!first.has_started());
    drain.start();
    drain.start();
    first.started().await;
    second.started().await;
    assert!(second.has_started());
}

#[tokio::test]
async fn a_signal_whose_holder_is_gone_counts_as_given() {
    let (drain, mut listener) = channel();
    drop(drain);
    listener.started().await;
    assert!(listener.has_started());
}
