//! Programs that read, talk, fail and hang.

use super::*;

fn shell() -> Program {
    Program::find(Kind::Pass, Some(Path::new("/bin/sh")), "sh", &Programs::default()).unwrap()
}

fn script(text: &str) -> Vec<OsString> {
    vec!["-c".into(), text.into()]
}

#[test]
fn what_a_program_reads_and_says_passes_through() {
    let input = vec![7; 300_000];
    let ran =
        shell().run(&Call { arguments: script("cat"), input: Some(&input), ..Call::default() }).unwrap();
    assert!(ran.status.success());
    assert_eq!(*ran.output, input);
}

#[test]
fn a_program_that_fails_says_why() {
    let ran = shell().run(&Call { arguments: script("echo no >&2; exit 3"), ..Call::default() }).unwrap();
    let error = ran.succeeded(Kind::Pass, "read an entry").unwrap_err();
    assert_eq!(error.to_string(), "the keyring `pass` could not read an entry: no");
}

#[test]
fn a_program_that_hangs_is_ended_with_its_children() {
    let within = Some(Duration::from_millis(50));
    let call = Call { arguments: script("sleep 600 & sleep 600"), within, ..Call::default() };
    assert!(matches!(shell().run(&call), Err(Error::Unavailable { .. })));
}

#[test]
fn a_program_that_does_not_read_is_no_trouble() {
    let input = vec![7; 300_000];
    let call = Call { arguments: script("exec <&-; echo done"), input: Some(&input), ..Call::default() };
    assert_eq!(shell().run(&call).unwrap().output.as_slice(), b"done\n");
}

#[test]
fn a_program_is_looked_for_in_the_search_path_only() {
    let missing = Program::find(Kind::Op, None, "sh", &Programs::default()).unwrap_err();
    assert_eq!(missing.to_string(), "the keyring `op` can't be used here: the program `sh` is not installed");
    let path = Programs { path: "/nowhere:/bin".into(), ..Programs::default() };
    assert!(Program::find(Kind::Op, None, "sh", &path).is_ok());
    assert!(Program::find(Kind::Op, Some(Path::new("/nowhere/op")), "sh", &path).is_err());
}
