//! The metadata address for real, in a network of its own: this program starts itself again there.
//!
//! Inside it is root of an empty network with nothing but a loopback interface, so neither this machine's addresses nor a
//! cloud's server can be touched.

use std::process::Command;
use std::sync::Arc;

use metadata::{Alias, Ec2, Error, Instance, LINK_LOCAL, Refreshing, Relay, Version1};

use crate::house::{KEY, Reply, Running, Source, Still, limits, speak};
use crate::skip;

const INSIDE: &str = "METADATA_TEST_INSIDE";
const CREDENTIALS: &str = "/latest/meta-data/iam/security-credentials/local-credentials";

/// Runs the test `name` of this program again, in a network of its own.
fn in_a_network_of_its_own(name: &str) {
    let possible = Command::new("unshare").args(["--net", "ip", "link", "set", "lo", "up"]).output();
    if !possible.is_ok_and(|output| output.status.success()) {
        skip("own-network", "a network of its own can be made by root only");
        return;
    }
    let script = "ip link set lo up && exec \"$0\" --exact --nocapture \"$1\"";
    let ran = Command::new("unshare")
        .args(["--net", "sh", "-c", script])
        .arg(std::env::current_exe().unwrap())
        .arg(name)
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
}

#[expect(clippy::disallowed_methods, reason = "tells the program inside from the one outside")]
fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

fn addresses() -> String {
    let shown = Command::new("ip").args(["-o", "-4", "address", "show"]).output().unwrap();
    String::from_utf8(shown.stdout).unwrap()
}

fn ask(target: &str) -> Reply {
    speak((LINK_LOCAL, 80).into(), "169.254.169.254", "GET", target, &[])
}

/// Serves in the background while `meanwhile` asks, as far as both are in one runtime.
fn serving(serve: impl AsyncFnOnce(net::Draining), meanwhile: impl FnOnce() + Send + 'static) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (drain, draining) = net::drain::channel();
    runtime.block_on(async move {
        let asking = async move {
            tokio::task::spawn_blocking(meanwhile).await.unwrap();
            drain.start();
        };
        tokio::join!(serve(draining), asking);
    });
}

#[test]
fn the_address_is_there_while_a_server_listens_on_it_and_gone_afterwards() {
    if !is_inside() {
        return in_a_network_of_its_own(
            "alias::the_address_is_there_while_a_server_listens_on_it_and_gone_afterwards",
        );
    }
    let (alias, bound) = Alias::open().unwrap();
    assert!(addresses().contains("169.254.169.254/32") && addresses().contains("lo:doorward"));
    assert!(matches!(Alias::open().map(drop), Err(Error::Taken)), "one is enough");
    assert!(addresses().contains("169.254.169.254/32"), "the second attempt changed nothing");
    serving(
        async |draining| {
            let clock = Still::start();
            let leases = Arc::new(Refreshing::new(Source::new(&clock), clock));
            let server = Ec2::new(Instance::local(None, Version1::Allowed));
            server.serve(bound.listener().unwrap(), leases, limits(), draining).await.unwrap();
        },
        || assert_eq!(ask(CREDENTIALS).json()["AccessKeyId"], KEY),
    );
    alias.remove().unwrap();
    assert!(!addresses().contains("169.254.169.254"));
}

#[test]
fn an_address_that_was_left_behind_is_used_and_a_strange_one_is_not() {
    if !is_inside() {
        return in_a_network_of_its_own(
            "alias::an_address_that_was_left_behind_is_used_and_a_strange_one_is_not",
        );
    }
    let (alias, bound) = Alias::open().unwrap();
    // As a process that is killed leaves it: the socket is closed, the address stays.
    std::mem::forget(alias);
    drop(bound);
    assert!(addresses().contains("lo:doorward"));
    let again = Alias::open().unwrap();
    drop(again);
    assert!(!addresses().contains("169.254.169.254"));
    let strange =
        Command::new("ip").args(["address", "add", "169.254.169.254/32", "dev", "lo"]).status().unwrap();
    assert!(strange.success());
    assert!(matches!(Alias::open().map(drop), Err(Error::Foreign(interface)) if interface == "lo"));
    assert!(addresses().contains("169.254.169.254/32"));
}

#[test]
fn a_relay_on_the_address_ends_when_the_server_behind_it_has_ended() {
    if !is_inside() {
        return in_a_network_of_its_own(
            "alias::a_relay_on_the_address_ends_when_the_server_behind_it_has_ended",
        );
    }
    let (_alias, bound) = Alias::open().unwrap();
    let server = Running::ec2(Version1::Allowed);
    let relay = Relay::new(server.address, rustix::process::geteuid().as_raw()).unwrap();
    serving(
        async |draining| {
            relay.serve(bound.listener().unwrap(), limits(), draining).await.unwrap();
        },
        || assert_eq!(ask(CREDENTIALS).json()["AccessKeyId"], KEY),
    );
    drop(server);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(relay.until_gone(std::time::Duration::from_millis(1)));
}
