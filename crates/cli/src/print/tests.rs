//! What people and programs see.

use model::{Code, Refusal};
use serde_json::json;

use super::problem::{clean, document, text};
use super::table;
use crate::failure::Failure;

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[test]
fn a_failure_is_its_message_what_it_came_from_and_the_next_thing_to_type() {
    let error = std::io::Error::other("the disk is gone");
    let failure = Failure::doing("could not read `home.db`", &error).hint("`doorward doctor`");
    assert_eq!(
        plain(&text(&failure)),
        "error: could not read `home.db`\n  caused by: the disk is gone\nhint: `doorward doctor`\n"
    );
}

#[test]
fn a_refusal_tells_programs_its_code_and_record() {
    let id = model::EvidenceId::from_bytes([1; 16]);
    let refusal = Refusal::new(Code::RateLimited, "too many calls").recorded(id);
    let document = document(&refusal.into());
    assert_eq!(document["status"], "refused");
    assert_eq!(document["error"]["code"], "rate_limited");
    assert_eq!(document["error"]["evidence"], id.to_string());
}

#[test]
fn a_denial_has_a_status_of_its_own() {
    let document = document(&Refusal::new(Code::Denied, "no policy permits it").into());
    assert_eq!(document["status"], "denied");
}

#[test]
fn text_from_elsewhere_does_not_steer_the_terminal() {
    assert_eq!(clean("a\u{1b}[31mb\u{7}"), "a\u{fffd}[31mb\u{fffd}");
}

#[test]
fn a_table_leaves_out_columns_in_which_nothing_stands() {
    let rows =
        json!([{ "name": "a", "list": [1, 2], "none": null }, { "name": "b", "list": [], "none": "" }]);
    let text = table::of(&rows, &[("name", "name"), ("what", "list"), ("gone", "none")], "empty");
    assert_eq!(text, " NAME  WHAT\n a     1, 2\n b\n");
    assert_eq!(table::of(&json!([]), &[("name", "name")], "empty"), "empty");
}

#[test]
fn facts_that_are_empty_are_left_out() {
    let text = table::facts(&[("a", "1".to_owned()), ("longer", "2".to_owned()), ("none", String::new())]);
    assert_eq!(plain(&text), "a       1\nlonger  2\n");
}
