//! Adding and taking away, on a system that only remembers.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use super::*;

const LOOPBACK: &str =
    "1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever";
const OURS: &str = "1: lo    inet 169.254.169.254/32 scope global lo:doorward\\       valid_lft forever";
const THEIRS: &str =
    "3: eth1    inet 169.254.169.254/16 brd 169.254.255.255 scope link eth1\\       valid_lft forever";

#[derive(Default)]
struct Fake {
    root: bool,
    addresses: String,
    answers: bool,
    deaf: bool,
    ran: Arc<Mutex<Vec<String>>>,
}

impl System for Fake {
    fn is_root(&self) -> bool {
        self.root
    }

    fn addresses(&self) -> Result<String, Error> {
        Ok(self.addresses.clone())
    }

    fn answers(&self) -> bool {
        self.answers
    }

    fn run(&self, command: &[&str]) -> Result<(), Error> {
        self.ran.lock().unwrap().push(command.get(..3).unwrap().join(" "));
        Ok(())
    }

    fn listen(&self) -> Result<Bound, Error> {
        if self.deaf {
            return Err(Error::Taken);
        }
        Ok(net::bind_tcp((Ipv4Addr::LOCALHOST, 0).into(), NonZeroUsize::MIN)?.pop().unwrap())
    }
}

/// Opens on this system, and says which commands were run by then and by the end.
fn opened(fake: Fake) -> (Result<(), Error>, Vec<String>, Vec<String>) {
    let ran = Arc::clone(&fake.ran);
    let opened = Alias::open_on(Box::new(fake));
    let then = ran.lock().unwrap().clone();
    let outcome = opened.map(drop);
    let ran = ran.lock().unwrap().clone();
    (outcome, then, ran)
}

fn rooted(addresses: &str) -> Fake {
    Fake { root: true, addresses: addresses.to_owned(), ..Fake::default() }
}

#[cfg(not(target_os = "macos"))]
mod linux {
    use super::*;

    #[test]
    fn the_address_is_added_and_taken_away_with_the_alias() {
        let (outcome, then, ran) = opened(rooted(LOOPBACK));
        outcome.unwrap();
        assert_eq!(then, ["ip address add"]);
        assert_eq!(ran, ["ip address add", "ip address del"]);
    }

    #[test]
    fn one_that_an_earlier_run_left_behind_is_used_again() {
        let (outcome, then, ran) = opened(rooted(&format!("{LOOPBACK}\n{OURS}")));
        outcome.unwrap();
        assert!(then.is_empty());
        assert_eq!(ran, ["ip address del"]);
    }

    #[test]
    fn where_somebody_answers_nothing_is_changed() {
        for addresses in [LOOPBACK, OURS] {
            let (outcome, _, ran) = opened(Fake { answers: true, ..rooted(addresses) });
            assert!(matches!(outcome, Err(Error::Taken)));
            assert!(ran.is_empty());
        }
    }

    #[test]
    fn an_address_of_another_interface_is_left_alone() {
        let (outcome, _, ran) = opened(rooted(&format!("{LOOPBACK}\n{THEIRS}")));
        assert!(matches!(outcome, Err(Error::Foreign(interface)) if interface == "eth1"));
        assert!(ran.is_empty());
    }

    #[test]
    fn when_listening_fails_the_address_is_taken_away_again() {
        let (outcome, _, ran) = opened(Fake { deaf: true, ..rooted(LOOPBACK) });
        assert!(outcome.is_err());
        assert_eq!(ran, ["ip address add", "ip address del"]);
    }

    #[test]
    fn the_commands_for_a_person_are_whole() {
        let [add, remove] = Alias::commands();
        assert_eq!(add, "sudo ip address add 169.254.169.254/32 dev lo label lo:doorward");
        assert_eq!(remove, "sudo ip address del 169.254.169.254/32 dev lo");
    }
}

#[test]
fn without_the_rights_nothing_is_run_and_the_hint_says_what_to_do() {
    let (outcome, _, ran) = opened(Fake { root: false, ..rooted(LOOPBACK) });
    let error = outcome.unwrap_err();
    assert!(matches!(error, Error::NotRoot));
    assert!(error.hint().unwrap().contains("AWS_EC2_METADATA_SERVICE_ENDPOINT"));
    assert!(ran.is_empty());
}

#[test]
fn the_owner_of_the_address_is_read_from_either_program() {
    assert_eq!(owner(LOOPBACK), Owner::Nobody);
    assert_eq!(owner(THEIRS), Owner::Other("eth1".to_owned()));
    assert_eq!(owner("2: eth0 inet 169.254.169.25/24 scope link eth0"), Owner::Nobody);
    let plain = "1: lo    inet 169.254.169.254/32 scope global lo\\   valid_lft forever";
    #[cfg(not(target_os = "macos"))]
    assert_eq!(owner(plain), Owner::Other("lo".to_owned()));
    let mac = "lo0: flags=8049<UP> mtu 16384\n\tinet 127.0.0.1 netmask 0xff000000\n\tinet 169.254.169.254 netmask 0xffffffff\n";
    #[cfg(target_os = "macos")]
    assert_eq!(owner(mac), Owner::Us);
    #[cfg(not(target_os = "macos"))]
    assert_eq!(owner(mac), Owner::Other("lo0".to_owned()));
    let _ = plain;
}
