//! Tests of the module `process`.

use super::super::tests::{Pty, QUESTION, Stage};
use super::*;

fn process(command: &str) -> Process {
    // A folder is no terminal, so whatever terminal the tests run on is left alone.
    Process::new(command.to_owned(), None, Vec::new()).on(Path::new("/"))
}

#[test]
fn stdout_is_the_code_and_stderr_is_not_mixed_in() {
    let code = process("printf '  654321 \\n\\n'; echo 999999 >&2").ask(&QUESTION);
    assert_eq!(code.ok().unwrap().digits(), "654321");
}

#[test]
fn a_failure_says_the_status() {
    let error = process("echo 123456; exit 3").ask(&QUESTION).err().unwrap();
    assert_eq!(error.to_string(), "process provider: exit status 3");
}

#[test]
fn an_answer_that_is_no_code_is_refused() {
    assert!(matches!(process("echo touch your key").ask(&QUESTION).err(), Some(Error::NotACode)));
    assert!(matches!(process("true").ask(&QUESTION).err(), Some(Error::NotACode)));
}

#[test]
fn without_a_terminal_stdin_is_empty() {
    assert_eq!(process("cat; echo 654321").ask(&QUESTION).ok().unwrap().digits(), "654321");
}

#[test]
fn the_terminal_is_its_stdin_and_its_stderr() {
    let pty = Pty::open();
    let asked = process("test -t 0 && test -t 2 && echo 'Touch your key' >&2; read code; echo \"$code\"")
        .on(&pty.device);
    let asking = std::thread::spawn(move || asked.ask(&QUESTION).map(|code| code.digits().to_owned()));
    pty.wait_for("Touch your key");
    pty.types("424242\n");
    assert_eq!(asking.join().unwrap().ok().unwrap(), "424242");
}

#[test]
fn it_does_not_see_what_is_withheld() {
    let stage = Stage::new();
    let command = format!("/usr/bin/env >'{}'; echo 123456", stage.path().join("log").display());
    let process = Process::new(command, None, vec!["PATH".to_owned()]).on(Path::new("/"));
    assert!(process.ask(&QUESTION).is_ok());
    assert!(!stage.log().contains("\nPATH=") && !stage.log().starts_with("PATH="), "{}", stage.log());
}
