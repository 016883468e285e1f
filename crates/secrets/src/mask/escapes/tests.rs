//! What is escaped is read as what it means, and found where it stands.

use super::*;

/// Where `wanted` stands in a text, escapes undone.
fn places(text: &str, wanted: &str) -> Vec<String> {
    let search = |meant: &[u8]| {
        let all = meant.windows(wanted.len()).enumerate().filter(|(_, part)| *part == wanted.as_bytes());
        all.map(|(at, _)| (at, at + wanted.len())).collect::<Vec<_>>()
    };
    let mut found = Vec::new();
    hits(text.as_bytes(), 6 * wanted.len(), search, &mut found);
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(|(start, end)| text[start..end].to_owned()).collect()
}

#[test]
fn an_escape_is_inside_as_a_whole_and_its_neighbours_are_not() {
    for written in [
        r#"a\u002Bb\"c"#,
        r#"a\x2bb\u0022c"#,
        "a&#43;b&quot;c",
        "a&#x0002b;b&QUOT;c",
        "a&plus;b&#34c",
        "a%2bb%22c",
    ] {
        let text = format!("\\u0041&amp;%20-{written}-{written}&quot;%22\\\"");
        assert_eq!(places(&text, "a+b\"c"), [written, written], "{written}");
        let far = format!("{written}{}{written}", "x".repeat(500));
        assert_eq!(places(&far, "a+b\"c"), [written, written], "{written}");
    }
    assert_eq!(places(r"\ud83d\ude00\u00e9-b", "\u{1f600}\u{e9}"), [r"\ud83d\ude00\u00e9"]);
    assert_eq!(places(r"\ud83d\ude00-b", "\u{1f600}-"), [r"\ud83d\ude00-"]);
}

#[test]
fn a_text_without_escapes_is_not_searched_again() {
    let mut found = Vec::new();
    for text in [
        "",
        "plain text",
        "100 % & more \\",
        "&",
        "%",
        "\\",
        "&#;",
        "&#x",
        "%4",
        "\\u12",
        "\\ud800",
        "&#99999999;",
    ] {
        let never = |_: &[u8]| -> Vec<(usize, usize)> { panic!("{text}") };
        hits(text.as_bytes(), 60, never, &mut found);
    }
    assert!(found.is_empty());
}

#[test]
fn what_stands_behind_a_back_slash_that_is_escaped_is_no_escape() {
    assert_eq!(places(r"a\\u002b", "a+"), Vec::<String>::new());
    assert_eq!(places(r"a\\u002b", r"a\u002b"), [r"a\\u002b"]);
}

#[test]
fn many_escapes_cost_no_more_than_the_text_is_long() {
    let text = "\\\"".repeat(200_000);
    let count = std::cell::Cell::new(0);
    let search = |meant: &[u8]| {
        count.set(count.get() + meant.len());
        Vec::new()
    };
    hits(text.as_bytes(), 240, search, &mut Vec::new());
    assert!(count.get() <= text.len());
    let sparse = format!("{}\\n", "x".repeat(300)).repeat(1_000);
    count.set(0);
    hits(sparse.as_bytes(), 240, search, &mut Vec::new());
    assert!(count.get() <= 2 * sparse.len());
}
