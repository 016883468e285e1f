//! What is a list of items, and what may be something else.

use super::*;

#[test]
fn a_list_is_taken_apart_at_its_own_items_only() {
    let text = "# all of them\nlist:\n  - name: a\n    parts:\n      - - 1\n      - 2\n\n  # the second\n  - name: b\n  - {c: [\n      - x]}\n";
    let (head, found) = items(text).unwrap();
    assert_eq!(head, "# all of them\nlist:\n");
    let found: Vec<(usize, &str)> = found.iter().map(|item| (item.before, item.text)).collect();
    let first = "  - name: a\n    parts:\n      - - 1\n      - 2\n\n  # the second\n";
    assert_eq!(found, [(2, first), (8, "  - name: b\n"), (9, "  - {c: [\n      - x]}\n")]);
}

#[test]
fn what_may_be_something_else_is_not_taken_apart() {
    for text in [
        "",
        "list: []\n",
        "list:\n  - a\nother: 1\n",
        "- a\nb\n",
        "- a\n---\n- b\n",
        "- a\r\n- b\r\n",
        "-\ta\n- b\n",
        "  - a\n - b\n",
        "  - a\n-\n",
    ] {
        assert_eq!(items(text), None, "{text:?}");
    }
}

#[test]
fn nothing_of_the_text_is_lost() {
    let text = "# head\n---\n- a: |\n    - b\n    -c\n- 'd'\n\n# end";
    let (head, found) = items(text).unwrap();
    assert_eq!(head.to_owned() + &found.iter().map(|item| item.text).collect::<String>(), text);
}
