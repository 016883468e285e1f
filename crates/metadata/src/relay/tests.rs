//! Who holds a port, by the kernel's table.

use super::*;

const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:238B 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 632 1 00000000c61d7d3e 100 0 0 10 0
   1: 0100007F:238B 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1001        0 633 1 00000000c61d7d3e 100 0 0 10 0
   2: 0100007F:238C 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1002        0 634 1 00000000c61d7d3e 100 0 0 10 0
   3: 00000000:238D 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1003        0 635 1 00000000c61d7d3e 100 0 0 10 0
";

#[cfg(target_endian = "little")]
#[test]
fn only_those_who_listen_at_the_address_hold_it() {
    for (port, users) in [(0x238b, vec![1000]), (0x238c, vec![1002]), (0x238d, vec![1003]), (0x238e, vec![])]
    {
        assert_eq!(holders(TABLE, SocketAddr::from(([127, 0, 0, 1], port))), users, "{port:x}");
    }
    assert!(holders(TABLE, SocketAddr::from(([127, 0, 0, 2], 0x238b))).is_empty());
}

#[test]
fn only_a_loopback_address_is_relayed_to() {
    for address in ["10.0.0.1:9099", "169.254.169.254:80", "0.0.0.0:9099", "[::1]:9099"] {
        assert!(Relay::new(address.parse().unwrap(), 0).is_err(), "{address}");
    }
}
