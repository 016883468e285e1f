//! Doors that are shared by threads, and doors that are taken.

use super::*;
use crate::tests::{any_port, folder, one};

#[test]
fn several_threads_share_the_port_that_the_first_one_got() {
    let bound = bind_tcp(any_port(), NonZeroUsize::new(3).unwrap()).unwrap();
    let ports: Vec<_> = bound.iter().map(|bound| bound.address().unwrap().port()).collect();
    assert_eq!(ports.len(), 3);
    assert!(ports[0] != 0 && ports.iter().all(|port| *port == ports[0]));
}

#[test]
fn a_port_that_another_broker_shares_among_its_threads_is_taken() {
    let two = NonZeroUsize::new(2).unwrap();
    let bound = bind_tcp(any_port(), two).unwrap();
    let address = bound[0].address().unwrap();
    for threads in [one(), two] {
        let answer = bind_tcp(address, threads);
        assert!(matches!(answer, Err(Error::Taken { .. })), "{answer:?}");
    }
}

#[tokio::test]
async fn a_socket_is_closed_to_others_and_goes_with_its_listener() {
    let (folder, path) = folder("d.sock");
    let listener = bind_unix(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    listener.close();
    assert!(!path.exists());
}

#[tokio::test]
async fn a_live_socket_is_refused_and_a_stale_one_replaced() {
    let (_folder, path) = folder("d.sock");
    let live = bind_unix(&path).unwrap();
    let answer = bind_unix(&path);
    assert!(matches!(answer, Err(Error::Taken { .. })), "{answer:?}");
    drop(live);
    assert!(path.exists());
    let again = bind_unix(&path).unwrap();
    assert!(std::os::unix::net::UnixStream::connect(&path).is_ok());
    drop(again);
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_left_alone() {
    let (_folder, path) = folder("d.sock");
    std::fs::create_dir(&path).unwrap();
    assert!(matches!(bind_unix(&path), Err(Error::Taken { .. })));
    assert!(path.is_dir());
}

#[tokio::test]
async fn a_socket_that_another_process_put_there_meanwhile_is_not_removed() {
    let (_folder, path) = folder("d.sock");
    let first = bind_unix(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let second = bind_unix(&path).unwrap();
    first.close();
    assert!(path.exists());
    second.close();
    assert!(!path.exists());
}
