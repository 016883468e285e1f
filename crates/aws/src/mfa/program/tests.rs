//! Tests of the module `program`: how each is called.

use super::super::tests::{QUESTION, Stage};
use super::*;

fn program(stage: &Stage, driver: Driver, then: &str) -> Program {
    let name = driver.name().trim_end_matches("-otp").to_owned();
    let path = stage.program(&name, then);
    Program {
        driver,
        path,
        title: "aws-vault".to_owned(),
        ykman: YkmanSettings::default(),
        withheld: Vec::new(),
    }
}

fn called(driver: Driver, ykman: YkmanSettings) -> String {
    let stage = Stage::new();
    let program = Program { ykman, ..program(&stage, driver, "echo ' 654321 '") };
    assert_eq!(program.ask(&QUESTION).ok().unwrap().digits(), "654321");
    stage.log()
}

#[test]
fn windows_get_the_question_and_the_title() {
    let question = "Enter MFA code for arn:aws:iam::111111111111:mfa/user: ";
    let none = YkmanSettings::default;
    assert_eq!(called(Driver::Kdialog, none()), format!("--inputbox\n{question}\n--title\naws-vault\n"));
    assert_eq!(called(Driver::Zenity, none()), format!("--entry\n--title\naws-vault\n--text\n{question}\n"));
    let script = called(Driver::Osascript, none());
    assert!(script.starts_with(&format!(
        "-e\ndisplay dialog \"{question}\" with title \"aws-vault\" default answer \"\""
    )));
    assert!(script.ends_with("-e\ntext returned of result\n"));
}

#[test]
fn a_quote_in_a_name_does_not_end_the_text_of_a_script() {
    assert_eq!(apple_text(r#"a" & (do shell script "x") & "\"#), r#""a\" & (do shell script \"x\") & \"\\""#);
}

#[test]
fn ykman_is_called_with_the_account_the_device_and_the_words_of_its_version() {
    assert_eq!(
        called(Driver::Ykman, YkmanSettings::default()),
        "oath\naccounts\ncode\n--single\narn:aws:iam::111111111111:mfa/user\n"
    );
    let named = YkmanSettings {
        account: Some("nm".to_owned()),
        device: Some("42".to_owned()),
        version: Some("3".to_owned()),
    };
    assert_eq!(called(Driver::Ykman, named.clone()), "--device\n42\noath\ncode\n--single\nnm\n");
    let newer = YkmanSettings { version: Some("5".to_owned()), ..named };
    assert_eq!(called(Driver::Ykman, newer), "--device\n42\noath\naccounts\ncode\n--single\nnm\n");
}

#[test]
fn the_password_store_is_asked_for_the_name_of_the_device() {
    assert_eq!(
        called(Driver::PassOtp, YkmanSettings::default()),
        "otp\narn:aws:iam::111111111111:mfa/user\n"
    );
}

#[test]
fn a_name_that_looks_like_an_option_is_refused() {
    let stage = Stage::new();
    for driver in [Driver::PassOtp, Driver::Ykman] {
        let program = program(&stage, driver, "echo 654321");
        let error = program.ask(&Question { serial: "--help" }).err().unwrap();
        assert_eq!(error.to_string(), "`--help` can't be the name of a device");
    }
    assert_eq!(stage.log(), "");
}

#[test]
fn a_window_that_was_closed_is_an_error() {
    let stage = Stage::new();
    let error = program(&stage, Driver::Zenity, "echo 654321; exit 1").ask(&QUESTION).err().unwrap();
    assert_eq!(error.to_string(), "`zenity` gave no code: exit status 1");
}

#[test]
fn an_answer_that_is_no_code_is_refused() {
    let stage = Stage::new();
    let error = program(&stage, Driver::Kdialog, "echo CANARY-password").ask(&QUESTION).err().unwrap();
    assert!(matches!(error, Error::NotACode));
}

#[test]
fn a_program_that_writes_without_end_is_stopped() {
    let stage = Stage::new();
    assert!(program(&stage, Driver::Zenity, "exec yes 2>/dev/null").ask(&QUESTION).is_err());
}

#[test]
fn a_program_does_not_see_what_is_withheld() {
    let stage = Stage::new();
    // PATH is a variable that is surely there; the shell sets a default of its own, which it does not export.
    let script = "env | grep -q ^PATH= && exit 3; echo 654321";
    let program = Program { withheld: vec!["PATH".to_owned()], ..program(&stage, Driver::Zenity, script) };
    assert!(program.ask(&QUESTION).is_ok());
}
