//! The runner, with a shell in the place of the binary.

use super::*;

#[test]
fn a_run_sees_its_home_and_nothing_of_the_test() {
    let home = Doorward::home("/bin/sh");
    let out = home.run(&["-c", "cat; echo $HOME >&2; env | cut -d= -f1 | sort | tr '\\n' ' '; exit 3"], "in");
    assert_eq!(out.status.code(), Some(3));
    assert!(out.stdout.starts_with("in"), "{}", out.stdout);
    assert!(!out.stdout.contains("CARGO"), "{}", out.stdout);
    assert_eq!(out.stderr.trim_end().trim_end_matches('/'), home.folder().to_str().unwrap());
    assert!(home.printed().starts_with(b"in"));
}

#[test]
fn a_program_that_reads_nothing_holds_nobody_up() {
    let home = Doorward::home("/bin/sh");
    assert_eq!(home.run(&["-c", "echo done"], vec![b'x'; 1 << 20]).succeeded(), "done\n");
}

#[test]
#[should_panic(expected = "a canary is in what was printed, as raw")]
fn a_canary_that_is_printed_fails_the_test() {
    let home = Doorward::home("/bin/sh");
    let canary = home.plant("printed");
    let _ = home.run(&["-c", "cat"], &canary);
    home.assert_no_canary();
}

#[test]
#[should_panic(expected = "a canary is in ")]
fn a_canary_in_a_file_fails_the_test() {
    let home = Doorward::home("/bin/sh");
    let canary = home.plant("file");
    let _ = home.run(&["-c", "mkdir -p data/doorward && cat > data/doorward/home.db"], &canary);
    home.assert_no_canary();
}

#[test]
fn a_canary_that_went_nowhere_is_found_nowhere() {
    let home = Doorward::home("/bin/sh");
    let canary = home.plant("nowhere");
    let _ = home.run(&["-c", "cat > /dev/null; echo fine > tmp/file"], &canary);
    home.assert_no_canary();
}

/// A shell that stands in for `doorward up --json`: it says that it is ready, and ends when it is told to.
const UP: &str = r#"#!/bin/sh
trap 'echo "{\"event\":\"stopped\"}"; exit 0' TERM
echo "starting: $*" >&2
echo '{"event":"other"}'
echo '{"event":"ready","gateway":"http://127.0.0.1:1","socket":"/s"}'
while :; do sleep 0.05; done
"#;

#[test]
fn a_broker_is_started_asked_to_stop_and_killed() {
    let home = Doorward::home("/bin/sh");
    let _ = home.run(&["-c", "cat > up && chmod +x up"], UP);
    let home = Doorward { binary: home.folder().join("up"), ..home };
    let running = home.start_up(&["--development"]);
    assert_eq!(running.gateway_url, "http://127.0.0.1:1");
    assert_eq!(running.socket, Path::new("/s"));
    assert!(running.stop().success());
    let printed = String::from_utf8(home.printed()).unwrap();
    assert!(printed.contains("starting: up --json --development --gateway 127.0.0.1:0"), "{printed}");
    assert!(printed.contains("stopped"), "{printed}");
    assert_eq!(home.start_up(&["--gateway=127.0.0.1:1"]).kill9().code(), None);
}
