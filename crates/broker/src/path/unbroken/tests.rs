//! Tests of what nobody waits for.

use std::future::poll_fn;

use tokio::sync::oneshot;

use super::*;

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
fn whoever_waits_gets_the_answer() {
    assert_eq!(run(Unbroken::new(async { 7 })), Ok(7));
}

#[test]
fn a_caller_who_goes_away_cancels_nothing() {
    run(async {
        let (go_on, going) = oneshot::channel::<()>();
        let (told, ended) = oneshot::channel();
        let mut call = Unbroken::new(async move {
            going.await.unwrap();
            told.send("ended").unwrap();
        });
        let pending = poll_fn(|cx| Poll::Ready(Pin::new(&mut call).poll(cx).is_pending())).await;
        assert!(pending);
        drop(call);
        go_on.send(()).unwrap();
        assert_eq!(ended.await, Ok("ended"));
    });
}

#[test]
fn a_task_that_is_aborted_cancels_nothing() {
    run(async {
        let (go_on, going) = oneshot::channel::<()>();
        let (told, ended) = oneshot::channel();
        let call = Unbroken::new(async move {
            going.await.unwrap();
            told.send("ended").unwrap();
        });
        let waiting = tokio::spawn(call);
        tokio::task::yield_now().await;
        waiting.abort();
        assert!(waiting.await.unwrap_err().is_cancelled());
        go_on.send(()).unwrap();
        assert_eq!(ended.await, Ok("ended"));
    });
}

#[test]
fn what_was_never_polled_runs_as_well() {
    run(async {
        let (told, ended) = oneshot::channel();
        drop(Unbroken::new(async move { told.send("ended").unwrap() }));
        assert_eq!(ended.await, Ok("ended"));
    });
}

#[test]
fn a_panic_ends_the_call_only() {
    let call = Unbroken::new(async {
        tokio::task::yield_now().await;
        assert!(std::hint::black_box(false), "on purpose");
    });
    assert_eq!(run(call), Err(Panicked));
}
