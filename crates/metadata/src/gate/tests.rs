//! The gate alone: peers that no test can be.

use http::Request;

use super::*;

fn gate(peers: Peers) -> Gate {
    Gate { hosts: vec!["169.254.169.254".into(), "127.0.0.1:9099".into()], peers }
}

fn from(peer: Option<&str>) -> Peer {
    Peer { address: peer.map(|address| address.parse().unwrap()), ..Peer::default() }
}

fn parts(uri: &str, host: Option<&str>) -> Parts {
    let mut request = Request::get(uri);
    if let Some(host) = host {
        request = request.header("host", host);
    }
    request.body(()).unwrap().into_parts().0
}

#[test]
fn only_this_machine_is_admitted_unless_names_are_listed() {
    let request = parts("/", Some("127.0.0.1:9099"));
    for here in ["127.0.0.1", "127.8.8.8", "::1", "169.254.169.254"] {
        assert!(gate(Peers::Machine).admit(&request, &from(Some(here))).is_ok(), "{here}");
    }
    for there in [Some("10.0.0.1"), Some("169.254.169.253"), Some("fe80::1"), None] {
        assert_eq!(
            gate(Peers::Machine).admit(&request, &from(there)).unwrap_err(),
            Reason::Peer,
            "{there:?}"
        );
    }
    assert!(gate(Peers::Any).admit(&request, &from(Some("172.17.0.2"))).is_ok());
}

#[test]
fn both_places_where_a_host_stands_have_to_be_ours() {
    let admit =
        |uri, host| gate(Peers::Machine).admit(&parts(uri, host), &from(Some("127.0.0.1"))).map(|_| ());
    assert_eq!(admit("http://169.254.169.254/", None), Ok(()));
    for (uri, host) in [
        ("/", None),
        ("/", Some("")),
        ("http://evil.example/", Some("169.254.169.254")),
        ("http://169.254.169.254/", Some("evil.example")),
        ("/", Some("user@169.254.169.254")),
        ("/", Some("169.254.169.254.")),
    ] {
        assert_eq!(admit(uri, host), Err(Reason::Host), "{uri} {host:?}");
    }
}

#[test]
fn a_server_on_port_80_is_known_without_its_port() {
    let names = own_names("127.0.0.1:80".parse().unwrap());
    assert!(
        names.iter().any(|name| &**name == "localhost") && names.iter().any(|name| &**name == "127.0.0.1:80")
    );
    assert_eq!(own_names("[::1]:9099".parse().unwrap()).len(), 3);
}
