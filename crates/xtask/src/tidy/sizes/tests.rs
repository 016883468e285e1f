//! Sizes of made-up crates.

use super::*;

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

#[test]
fn a_crate_has_a_limit_that_its_tests_do_not_count_for() {
    let half = "let a = 1;\n".repeat(5_001);
    let both = [file("crates/net/src/a.rs", &half), file("crates/net/src/b.rs", &half)];
    assert_eq!(problems(&both), ["crates/net: 10002 lines; at most 10000"]);
    let tested = [file("crates/net/src/a.rs", &half), file("crates/net/src/a/tests.rs", &half)];
    assert_eq!(problems(&tested), Vec::<String>::new());
}

#[test]
fn the_unsafe_crate_stays_small_however_much_it_explains() {
    let code = "let a = 1;\n".repeat(MEMORY_LINES);
    let explained = format!("//! Why.\n\n// SAFETY: because.\n{code}");
    assert_eq!(problems(&[file("crates/memory/src/lib.rs", &explained)]), Vec::<String>::new());
    let grown = format!("{code}let b = 2;\n");
    assert_eq!(problems(&[file("crates/memory/src/lib.rs", &grown)]).len(), 1);
}

#[test]
fn each_crate_has_the_lints_of_the_workspace() {
    let without = "[package]\nname = \"net\"\n";
    assert_eq!(problems(&[file("crates/net/Cargo.toml", without)]).len(), 1);
    let with = format!("{without}\n[lints]\nworkspace = true\n");
    assert_eq!(problems(&[file("crates/net/Cargo.toml", &with)]), Vec::<String>::new());
}

#[test]
fn a_header_that_is_too_short_is_only_a_warning() {
    let files =
        [file("crates/net/src/lib.rs", "//! Short.\n"), file("crates/net/src/dial.rs", "//! Short.\n")];
    assert_eq!(headers(&files).len(), 1);
    assert_eq!(headers(&[file("crates/net/src/lib.rs", &"//! Line.\n".repeat(12))]), Vec::<String>::new());
}
