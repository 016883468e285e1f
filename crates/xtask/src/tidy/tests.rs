//! The checks as one, on the made-up and on the real repository.

use super::*;

#[test]
fn a_tidy_repository_has_no_problems_and_an_untidy_one_says_where() {
    let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
    let words = Words::parse(include_str!("../../words.toml")).unwrap();
    let mut files = vec![
        file("crates/net/src/lib.rs", "//! Header.\n\npub struct Dial;\n"),
        file("README.md", "# Doorward\n\nSee [the code](crates/net/src/lib.rs).\n"),
    ];
    assert_eq!(problems(&files, &words), Vec::<String>::new());

    files.push(file("crates/net/src/bad.rs", "pub struct DialManager; \n"));
    files.push(file("docs/a.md", "[gone](b.md)\n"));
    let found = problems(&files, &words);
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(
        found.iter().all(|problem| problem.starts_with("crates/net/src/bad.rs:1: ")
            || problem.starts_with("docs/a.md:1: "))
    );
}

#[test]
fn test_code_and_fixtures_are_known_by_their_folder() {
    let file = |path: &str| File { path: path.to_owned(), text: String::new() };
    assert!(file("crates/net/src/dial/tests.rs").is_test());
    assert!(file("crates/net/tests/it/main.rs").is_test());
    assert!(file("crates/testkit/src/lib.rs").is_test());
    assert!(file("crates/net/tests/fixtures/a.http").is_fixture());
}
