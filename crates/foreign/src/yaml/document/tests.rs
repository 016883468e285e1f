//! Edits change what was asked for and nothing else, in every shape that people write.

use proptest::prelude::*;

use super::*;

fn key(key: &str) -> Step {
    Step::Key(key.to_owned())
}

fn list() -> Vec<Step> {
    vec![key("integrations")]
}

fn item(name: &str) -> Node {
    Node::map([
        ("name", Node::text(name)),
        (
            "outgoing_auth",
            Node::List(vec![Node::map([("type", Node::text("token")), ("params", Node::Map(vec![]))])]),
        ),
    ])
}

fn appended(text: &str) -> String {
    let mut document = Document::read(text, "x.yaml").unwrap();
    document.append(&list(), &item("new")).unwrap();
    document.text().to_owned()
}

fn removed(text: &str, index: usize) -> String {
    let mut document = Document::read(text, "x.yaml").unwrap();
    document.remove(&list(), index).unwrap();
    document.text().to_owned()
}

const NEW: &str = "  - name: new\n    outgoing_auth:\n      - type: token\n        params: {}\n";

#[test]
fn an_item_is_added_at_the_end_of_a_list_whatever_follows() {
    let text = "# top\nintegrations:\n  # one\n  - name: a # here\n  # after\nother: 1 # kept\n# end\n";
    let expected = format!(
        "# top\nintegrations:\n  # one\n  - name: a # here\n{NEW}  # after\nother: 1 # kept\n# end\n"
    );
    assert_eq!(appended(text), expected);
}

#[test]
fn a_list_that_is_not_there_is_made() {
    for text in
        ["", "# hello\n", "integrations:\n", "integrations: []\n", "# hello", "---\n", "{}\n", "other: 1\n"]
    {
        let made = appended(text);
        let document = Document::read(&made, "x.yaml").unwrap();
        assert_eq!(document.value()["integrations"][0]["name"], "new", "{text:?} became {made:?}");
        assert!(made.contains("- name: new\n") && !made.contains("[{"), "{text:?} became {made:?}");
        assert_eq!(made.contains("# hello"), text.contains("# hello"));
    }
}

#[test]
fn a_list_at_the_root_is_made_and_added_to() {
    for text in ["", "[]\n", "# head\n[] # none\n", "- a: 1\n", "- a: 1"] {
        let mut document = Document::read(text, "x.yaml").unwrap();
        document.append(&[], &Node::map([("b", Node::Number(2))])).unwrap();
        assert!(document.text().contains("- b: 2"), "{text:?} became {:?}", document.text());
        assert_eq!(document.text().matches('#').count(), text.matches('#').count(), "{:?}", document.text());
    }
}

#[test]
fn line_ends_and_a_missing_last_one_stay() {
    let crlf = appended("integrations:\r\n  - name: a\r\n");
    assert_eq!(crlf.matches('\n').count(), crlf.matches("\r\n").count(), "{crlf:?}");
    assert!(!appended("integrations:\n- name: a").ends_with('\n'));
}

#[test]
fn json_stays_json() {
    let made = appended("{\n  \"integrations\": [\n    {\"name\": \"a\"}\n  ]\n}\n");
    assert_eq!(serde_json::from_str::<Value>(&made).unwrap()["integrations"][1]["name"], "new", "{made}");
    let mut document = Document::read(&made, "x.json").unwrap();
    document.set(&[key("integrations"), Step::Item(0)], "in_rate_limit", &Node::Number(5)).unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(document.text()).unwrap()["integrations"][0]["in_rate_limit"],
        5
    );
    document.remove(&list(), 0).unwrap();
    assert!(serde_json::from_str::<Value>(document.text()).is_ok(), "{}", document.text());
}

#[test]
fn an_item_goes_with_its_own_comments_and_no_others() {
    let text = "# file\nintegrations:\n  # about a\n  - name: a # same line\n    # inside\n    x: 1\n\n  # about b\n  # still b\n  - name: b\n  # the end\n";
    assert_eq!(
        removed(text, 0),
        "# file\nintegrations:\n\n  # about b\n  # still b\n  - name: b\n  # the end\n"
    );
    assert_eq!(
        removed(text, 1),
        "# file\nintegrations:\n  # about a\n  - name: a # same line\n    # inside\n    x: 1\n\n  # the end\n"
    );
}

#[test]
fn the_head_of_a_file_is_not_the_comment_of_its_first_item() {
    let mut document = Document::read("# about the file\n- a: 1\n- b: 2\n", "x.yaml").unwrap();
    document.remove(&[], 0).unwrap();
    assert_eq!(document.text(), "# about the file\n- b: 2\n");
}

#[test]
fn a_value_is_replaced_and_its_line_keeps_its_comment() {
    let mut document =
        Document::read("integrations:\n  - name: a\n    in_rate_limit: 100 # enough\n", "x").unwrap();
    document.set(&[key("integrations"), Step::Item(0)], "in_rate_limit", &Node::Number(5)).unwrap();
    document.set(&[key("integrations"), Step::Item(0)], "destination", &Node::text("https://a: b")).unwrap();
    assert_eq!(
        document.text(),
        "integrations:\n  - name: a\n    in_rate_limit: 5 # enough\n    destination: \"https://a: b\"\n"
    );
}

#[test]
fn an_alias_to_what_goes_keeps_its_value() {
    let text = "integrations:\n  - name: a\n    p: &p {h: X}\n  - name: b\n    p: *p\n";
    let mut document = Document::read(text, "x").unwrap();
    if document.remove(&list(), 0).is_ok() {
        assert_eq!(document.value()["integrations"][0]["p"]["h"], "X");
    } else {
        assert_eq!(document.text(), text);
    }
}

#[test]
fn an_edit_that_would_change_two_places_is_refused_and_changes_none() {
    let text = "a: &shared {limit: 1}\nb: *shared\n";
    let mut document = Document::read(text, "x").unwrap();
    let said = document.set(&[key("a")], "limit", &Node::Number(2)).unwrap_err();
    assert!(matches!(said, Error::Unsafe { .. }), "{said}");
    assert_eq!(document.text(), text);
}

#[test]
fn what_is_not_one_document_of_yaml_is_refused_with_its_line_and_without_its_text() {
    for (text, line) in [
        ("a: [1\nb: CANARY\n", 0),
        ("a: 1\na: CANARY\n", 2),
        ("a: 1\n---\nb: CANARY\n", 0),
        ("a:\n\t- CANARY\n", 0),
    ] {
        let said = Document::read(text, "x.yaml").unwrap_err().to_string();
        assert!(said.starts_with("x.yaml:") && !said.contains("CANARY"), "{said}");
        assert!(line == 0 || said.contains(&format!(":{line}:")), "{said}");
    }
}

/// A file as people write it: comments everywhere, several styles.
fn files() -> impl Strategy<Value = (String, usize)> {
    let comment = proptest::option::of("# [a-zé:{}'\\- ]{0,12}");
    let value = prop_oneof![
        Just("x".to_owned()),
        Just("\"a # b\"".to_owned()),
        Just("'it''s'".to_owned()),
        Just("[1, 2]".to_owned()),
        Just("{a: b, c: [d]}".to_owned()),
        Just("|\n        text\n        # not a comment".to_owned()),
        Just("&anchor 5".to_owned()),
        Just("\n      - deep: 1\n        more: 2".to_owned()),
    ];
    let entry = (comment.clone(), comment.clone(), value, any::<bool>());
    (proptest::collection::vec(entry, 1..6), comment, any::<bool>(), any::<bool>()).prop_map(
        |(entries, head, crlf, open)| {
            let count = entries.len();
            let mut text = String::new();
            let line = |indent: &str, comment: &Option<String>| {
                comment.as_ref().map_or_else(String::new, |comment| format!("{indent}{comment}\n"))
            };
            text.push_str(&line("", &head));
            text.push_str("integrations:\n");
            for (index, (above, inside, value, blank)) in entries.iter().enumerate() {
                text.push_str(if *blank { "\n" } else { "" });
                text.push_str(&line("  ", above));
                text.push_str(&format!("  - name: n{index}\n"));
                text.push_str(&line("    ", inside));
                text.push_str(&format!("    value: {value}\n"));
            }
            text.push_str("last: 1 # end\n");
            // A second anchor of one name would be another document.
            let text = text.replacen("&anchor ", "&first ", 1);
            let text = if open { text.trim_end().to_owned() } else { text };
            (if crlf { text.replace('\n', "\r\n") } else { text }, count)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn adding_keeps_every_line_and_taking_it_out_again_gives_back_the_file((text, count) in files()) {
        let mut document = Document::read(&text, "x").unwrap();
        document.append(&list(), &item("new")).unwrap();
        for line in text.lines() {
            prop_assert!(document.text().lines().any(|kept| kept == line), "{line:?} is not in {}", document.text());
        }
        document.remove(&list(), count).unwrap();
        prop_assert_eq!(document.text(), text);
    }

    #[test]
    fn taking_out_one_item_leaves_all_others_as_they_were((text, count) in files(), which in 0_usize..6) {
        let which = which % count;
        let mut document = Document::read(&text, "x").unwrap();
        document.remove(&list(), which).unwrap();
        let left = document.text();
        let mut lines = text.lines();
        // What is left is what was there, in its order.
        prop_assert!(left.lines().all(|line| lines.any(|old| old == line)) || count == 1, "{left}");
        prop_assert!(!left.contains(&format!("name: n{which}\n")), "{left}");
        prop_assert!(left.contains("last: 1 # end"));
    }

    #[test]
    fn setting_a_key_changes_one_item((text, count) in files(), which in 0_usize..6, new in ".{0,20}") {
        let which = which % count;
        let mut document = Document::read(&text, "x").unwrap();
        let path = [key("integrations"), Step::Item(which)];
        document.set(&path, "destination", &Node::text(new.as_str())).unwrap();
        let once = document.text().to_owned();
        for line in text.lines() {
            prop_assert!(once.lines().any(|kept| kept == line), "{line:?} is not in {once}");
        }
        document.set(&path, "destination", &Node::text(new)).unwrap();
        prop_assert_eq!(document.text(), once);
    }

    #[test]
    fn no_text_makes_the_editor_panic(text in "[a-z:#\\[\\]{}&*!|>'\"\\- \n\t\r]{0,60}") {
        if let Ok(mut document) = Document::read(&text, "x") {
            let before = document.text().to_owned();
            if document.append(&list(), &item("new")).is_err() {
                prop_assert_eq!(document.text(), before);
            }
        }
    }
}
