//! Tests of the path's shape; what it does is tested through `Worker::call` in `tests/it`.

use super::*;

/// A future is moved whole when it is spawned and when a connection takes it, so its size is paid for with every request.
#[test]
fn the_futures_of_a_call_stay_small() {
    fn size<'a, A, F: Future>(_: impl FnOnce(&'a Arc<Worker>, A) -> F) -> usize {
        size_of::<F>()
    }
    fn owned<F: Future>(_: impl FnOnce(Arc<Worker>, Box<Admitted>, Box<Trace>) -> F) -> usize {
        size_of::<F>()
    }
    let (call, rest) = (size(Worker::call), owned(Worker::go_through_with));
    assert!(call < 4 * 1024 && rest < 4 * 1024, "call {call}, go_through_with {rest}");
}
