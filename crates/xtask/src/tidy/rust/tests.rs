//! Rust rules on made-up files.

use super::*;

fn found(path: &str, text: &str) -> Vec<String> {
    problems(&File { path: path.to_owned(), text: text.to_owned() })
}

fn line(text: &str) -> usize {
    found("crates/net/src/dial.rs", &format!("//! Header.\n{text}\n")).len()
}

#[test]
fn a_file_has_a_header_and_a_limit() {
    assert_eq!(found("crates/net/src/lib.rs", "//! Header.\n"), Vec::<String>::new());
    assert_eq!(
        found("crates/net/src/lib.rs", "use std::fmt;\n"),
        ["crates/net/src/lib.rs:1: has no header; its first line is `//!` and says what it is"]
    );
    let long = format!("//! Header.\n{}", "const A: u8 = 1;\n".repeat(400));
    assert_eq!(found("crates/net/src/lib.rs", &long).len(), 1);
    for test in ["crates/net/src/dial/tests.rs", "crates/net/tests/it/main.rs"] {
        assert_eq!(found(test, &long), Vec::<String>::new(), "{test}");
        assert_eq!(found(test, &format!("{long}{long}")).len(), 1, "{test}");
    }
}

#[test]
fn a_module_is_named_after_its_subject() {
    for bad in ["mod util;", "pub mod helpers {", "pub(crate) mod manager;", "    mod common;"] {
        assert_eq!(line(bad), 1, "{bad}");
    }
    for good in ["mod utility;", "mod manager_of_keys;", "// mod util;", "let mod_util = 1;"] {
        assert_eq!(line(good), 0, "{good}");
    }
}

#[test]
fn lints_are_expected_and_not_allowed() {
    for (start, end) in
        [("#[all", "ow(dead_code)]"), ("#![all", "ow(x)]"), ("#[cfg_attr(test, all", "ow(x))]")]
    {
        assert_eq!(line(&format!("{start}{end}")), 1, "{start}{end}");
    }
    assert_eq!(line("#[expect(dead_code, reason = \"why\")]"), 0);
}

#[test]
fn nothing_unwraps_outside_tests() {
    let code = format!("//! Header.\nlet a = b{UNWRAP};\n");
    assert_eq!(found("crates/net/src/lib.rs", &code).len(), 1);
    assert_eq!(found("crates/net/src/dial/tests.rs", &code), Vec::<String>::new());
    assert_eq!(line(&format!("/// let a = b{UNWRAP};")), 0);
    assert_eq!(line("let a = b.unwrap_or_default();"), 0);
}

#[test]
fn unfinished_work_is_found_in_tests_too() {
    for word in UNFINISHED {
        let text = format!("//! Header.\n    {word}\n");
        assert_eq!(found("crates/net/src/dial/tests.rs", &text).len(), 1, "{word}");
    }
}

#[test]
fn unsafe_code_is_in_memory_only() {
    for (start, end) in
        [("let a = unsa", "fe { b };"), ("pub unsa", "fe fn a() {}"), ("unsa", "fe impl Send for A {}")]
    {
        let code = format!("//! Header.\n{start}{end}\n");
        assert_eq!(found("crates/net/src/lib.rs", &code).len(), 1, "{code}");
        assert_eq!(found("crates/memory/src/region.rs", &code), Vec::<String>::new(), "{code}");
    }
    assert_eq!(line("let text = \"an unsafe thing\"; // unsafe code"), 0);
}

#[test]
fn the_refusal_table_has_no_wildcard() {
    let arm = "//! Header.\nmatch code {\n    _ => 500,\n}\n";
    assert_eq!(found(REFUSALS, arm).len(), 1);
    assert_eq!(found(REFUSALS, &arm.replace("_ =>", "Self::A | _ =>")).len(), 1);
    assert_eq!(found(REFUSALS, &arm.replace("_ =>", "Self::Not_ =>")), Vec::<String>::new());
    assert_eq!(found("crates/model/src/call.rs", arm), Vec::<String>::new());
}
