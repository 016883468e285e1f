//! Tests of the module `terminal`, on a pseudo-terminal.

use super::super::tests::{Pty, QUESTION};
use super::*;

#[test]
fn the_question_is_shown_and_one_line_is_the_code() {
    let pty = Pty::open();
    let terminal = Terminal::at(&pty.device);
    let asking = std::thread::spawn(move || terminal.ask(&QUESTION).map(|code| code.digits().to_owned()));
    let shown = pty.wait_for("mfa/user: ");
    assert_eq!(shown, "Enter MFA code for arn:aws:iam::111111111111:mfa/user: ");
    pty.types("123456\n");
    assert_eq!(asking.join().unwrap().ok().unwrap(), "123456");
}

#[test]
fn what_is_no_code_is_refused() {
    let pty = Pty::open();
    let terminal = Terminal::at(&pty.device);
    let asking = std::thread::spawn(move || terminal.ask(&QUESTION).err());
    pty.wait_for("mfa/user: ");
    pty.types("\n");
    assert!(matches!(asking.join().unwrap(), Some(Error::NotACode)));
}

#[test]
fn a_name_does_not_steer_the_terminal() {
    let pty = Pty::open();
    let terminal = Terminal::at(&pty.device);
    let asking = std::thread::spawn(move || terminal.ask(&Question { serial: "a\x1b[2Jb" }).is_ok());
    assert_eq!(pty.wait_for(": "), "Enter MFA code for a[2Jb: ");
    pty.types("123456\n");
    assert!(asking.join().unwrap());
}

#[test]
fn without_a_terminal_it_is_an_error() {
    let error = Terminal::at(Path::new("/nonexistent/tty")).ask(&QUESTION).err().unwrap();
    assert_eq!(error.to_string(), "could not ask on the terminal");
}
