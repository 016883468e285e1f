//! Who counts as the owner.

use net::Process;

use super::*;

fn peer(uid: u32) -> Peer {
    Peer { address: None, process: Some(Process { uid, gid: 7, pid: Some(1) }) }
}

#[test]
fn the_owner_and_root_are_let_in_and_nobody_else() {
    assert!(Owner::proven(&peer(1000), 1000).is_ok());
    assert!(Owner::proven(&peer(0), 1000).is_ok());
    assert_eq!(Owner::proven(&peer(1001), 1000).unwrap_err().code, Code::Denied);
    assert_eq!(Owner::proven(&peer(7), 1000).unwrap_err().code, Code::Denied);
    assert_eq!(Owner::proven(&Peer::default(), 0).unwrap_err().code, Code::Denied);
}
