//! Whatever the text, both parsers read back what was written.

use std::str::FromStr;
use yaml_edit::Document as Tree;

use super::*;
use crate::yaml::read;

const AWKWARD: [&str; 41] = [
    "",
    " ",
    "yes",
    "No",
    "on",
    "null",
    "~",
    "true",
    "0",
    "00",
    "1e3",
    "0x1F",
    "1_000",
    "12:30:45",
    "2026-01-02",
    ".inf",
    "-",
    "- a",
    "a: b",
    "a:",
    ": a",
    "# x",
    "a # x",
    "a\nb",
    "a\r\nb",
    "\t",
    "\u{feff}",
    "<<",
    "*a",
    "&a",
    "!a",
    "|",
    ">",
    "%a",
    "@a",
    "`a",
    "'a'",
    "\"a\"",
    "{a}",
    "[a, b]",
    "\u{85}\u{2028}\u{1f512}",
];

#[test]
fn awkward_texts_stay_the_texts_that_they_are() {
    for text in AWKWARD {
        let node = Node::map([("key", Node::text(text)), ("list", Node::List(vec![Node::text(text)]))]);
        for written in [node.block(), node.json()] {
            let means = read::value(&written, "x").unwrap_or_else(|error| panic!("{error}: {written}"));
            assert_eq!(means, node.value(), "{written}");
            let tree = Tree::from_str(&written).unwrap();
            assert_eq!(tree.get_string("key").as_deref(), Some(text), "{written}");
        }
        assert_eq!(serde_json::from_str::<Value>(&node.json()).unwrap(), node.value());
    }
}

#[test]
fn what_is_plainly_a_word_has_no_quotes() {
    let node = Node::map([
        ("a", Node::text("env:SLACK_TOKEN")),
        ("b", Node::text("https://slack.com/")),
        ("c", Node::text("Bearer ")),
    ]);
    assert_eq!(node.block(), "a: env:SLACK_TOKEN\nb: https://slack.com/\nc: \"Bearer \"\n");
}

#[test]
fn empty_lists_and_maps_are_written_as_such() {
    let node = Node::map([("a", Node::List(vec![])), ("b", Node::Map(vec![])), ("c", Node::Nothing)]);
    assert_eq!(node.block(), "a: []\nb: {}\nc: null\n");
}
