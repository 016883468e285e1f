//! Tests of the module `code`.

use super::*;

#[test]
fn a_code_is_trimmed_and_has_six_to_eight_digits() {
    for (answer, digits) in [("  654321 \n", "654321"), ("1234567", "1234567"), ("12345678\r\n", "12345678")]
    {
        assert_eq!(Code::read(answer.as_bytes()).ok().unwrap().digits(), digits);
    }
}

#[test]
fn what_is_no_code_is_refused_and_not_repeated() {
    for answer in ["", " ", "12345", "123456789", "12345a", "123 456", "１２３４５６", "hunter2-CANARY"]
    {
        let error = Code::read(answer.as_bytes()).err().unwrap();
        assert_eq!(error.to_string(), "the answer is not a code of 6 to 8 digits");
        assert!(!format!("{error:?}").contains("CANARY"));
    }
}

#[test]
fn a_code_of_the_command_line_may_be_shorter() {
    assert_eq!(Code::given("1").ok().unwrap().digits(), "1");
    assert!(Code::given("").is_err());
    assert!(Code::given("--stdout").is_err());
}
