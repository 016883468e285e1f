//! Connections that are handed on, over loopback.

use std::net::Ipv4Addr;

use http::{Request, Response};
use tokio::task::JoinHandle;

use super::*;
use crate::tests::listener;
use crate::{Body, Drain, Peer, ServeLimits, drain, serve};

/// A broker that leads, whose API says who asks.
async fn leads(keys: &FellowKeys) -> (String, Drain, JoinHandle<()>) {
    let (drain, draining) = drain::channel();
    let (taking, mut entrances) = (listener(), Entrances::default());
    let place = taking.address().unwrap().to_string();
    let door = listener().with_handed(entrances.to(Entrance::Api));
    let service = |_request: Request<hyper::body::Incoming>, peer: Peer| async move {
        Response::new(Body::full(format!("from {}", peer.address.unwrap())))
    };
    let served = tokio::spawn(serve(door, service, ServeLimits::default(), draining.clone()));
    let keys = keys.clone();
    let task = tokio::spawn(async move {
        take(taking, &keys, entrances, draining).await;
        let _ = served.await;
    });
    (place, drain, task)
}

/// A door of a broker that stands by; what a caller is answered there.
async fn asked_of(onward: Onward, entrance: Entrance) -> String {
    let (_drain, draining) = drain::channel();
    let door = listener();
    let address = door.address().unwrap();
    let task = tokio::spawn(onward.serve(door, entrance, Plain::Http, draining));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut told = String::new();
    stream.read_to_string(&mut told).await.unwrap();
    task.abort();
    told
}

fn keys(seed: u8) -> FellowKeys {
    FellowKeys::new(&[seed; 32], &[seed + 1; 32]).unwrap()
}

fn at(place: &str) -> Leader {
    let place = place.to_owned();
    Arc::new(move || {
        let place = place.clone();
        Box::pin(async move { Some(place) })
    })
}

#[tokio::test]
async fn a_connection_reaches_the_door_of_the_broker_that_leads_from_where_its_caller_is() {
    let (place, drain, task) = leads(&keys(1)).await;
    let told = asked_of(Onward::new(keys(1), at(&place)), Entrance::Api).await;
    assert!(told.starts_with("HTTP/1.1 200") && told.ends_with("from 127.0.0.1"), "{told}");
    drain.start();
    task.await.unwrap();
}

#[tokio::test]
async fn whoever_has_other_keys_a_door_that_is_not_there_and_nobody_who_leads_are_told_as_503() {
    let (place, drain, task) = leads(&keys(1)).await;
    let none: Leader = Arc::new(|| Box::pin(async { None }));
    for (keys, leader, entrance) in [
        (keys(7), at(&place), Entrance::Api),
        (keys(1), at(&place), Entrance::Gateway),
        (keys(1), none, Entrance::Api),
    ] {
        let told = asked_of(Onward::new(keys, leader).within(PAUSE), entrance).await;
        assert!(told.starts_with("HTTP/1.1 503") && told.contains("retry-after: 1"), "{told}");
    }
    drain.start();
    task.await.unwrap();
}

#[test]
fn what_is_said_in_front_of_a_connection_is_read_as_it_was_meant() {
    for (entrance, caller) in [
        (Entrance::Api, IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7))),
        (Entrance::Gateway, "2001:db8::7".parse().unwrap()),
    ] {
        assert_eq!(understood(&preface(entrance, caller)).unwrap(), (entrance, caller));
    }
    let mut said = preface(Entrance::Api, IpAddr::V4(Ipv4Addr::LOCALHOST));
    said[1] = 9;
    assert!(understood(&said).is_err());
    said[0] = 2;
    assert!(understood(&said).is_err());
}
