//! A supervisor that listens, in a folder of the test.

use super::*;

fn told(environment: &[(&str, &str)], say: impl FnOnce(&Supervisor)) -> Supervisor {
    let lookup = |name: &str| {
        environment.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
    };
    let supervisor = Supervisor::of(&lookup);
    say(&supervisor);
    supervisor
}

#[test]
fn a_supervisor_hears_each_state_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let listening = UnixDatagram::bind(&path).unwrap();
    let shown = path.to_str().unwrap();
    let beat = told(&[("NOTIFY_SOCKET", shown), ("WATCHDOG_USEC", "2000000")], |supervisor| {
        supervisor.ready();
        supervisor.reloading();
        supervisor.alive();
        supervisor.stopping();
    })
    .beat();
    assert_eq!(beat, Some(Duration::from_secs(1)));
    let mut heard = String::new();
    for _ in 0..4 {
        let mut bytes = [0; 200];
        let read = listening.recv(&mut bytes).unwrap();
        heard.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
    }
    let begins: Vec<&str> = heard.lines().filter(|line| line.ends_with("=1")).collect();
    assert_eq!(begins, ["READY=1", "RELOADING=1", "WATCHDOG=1", "STOPPING=1"]);
    assert!(heard.contains("MONOTONIC_USEC="));
}

#[test]
fn without_a_supervisor_nothing_is_told() {
    for environment in [
        &[][..],
        &[("NOTIFY_SOCKET", "relative")],
        &[("NOTIFY_SOCKET", "/nowhere/at/all"), ("WATCHDOG_USEC", "0")],
        &[("NOTIFY_SOCKET", "/nowhere"), ("WATCHDOG_USEC", "1000"), ("WATCHDOG_PID", "1")],
    ] {
        assert_eq!(told(environment, Supervisor::ready).beat(), None, "{environment:?}");
    }
}

#[test]
fn sockets_for_another_process_are_left_alone_and_several_are_refused() {
    let with = |pid: String, fds: &'static str| {
        handed(&move |name: &str| match name {
            "LISTEN_PID" => Some(OsString::from(&pid)),
            "LISTEN_FDS" => Some(OsString::from(fds)),
            _ => None,
        })
    };
    let own = std::process::id().to_string();
    assert!(with("1".to_owned(), "1").unwrap().is_none());
    assert!(with(own.clone(), "0").unwrap().is_none());
    assert!(with(own, "2").is_err());
}
