//! Decisions and promises of made-up repositories.

use super::*;

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

fn pages(names: &[&str]) -> Vec<String> {
    let files: Vec<File> = names.iter().map(|name| file(&format!("{DECISIONS}{name}"), "")).collect();
    decisions(&files)
}

const TEST: &str = "#[test]\nfn it_holds() {}\n#[tokio::test(flavor = \"current_thread\")]\nasync fn it_waits() {}\n\
    fn it_is_no_test() {}\n";

fn promises(text: &str) -> Vec<String> {
    problems(&[file("crates/net/src/a/tests.rs", TEST), file(PROMISES, text)])
}

#[test]
fn decisions_are_numbered_without_a_gap() {
    assert_eq!(pages(&["0001-a.md", "0003-c.md", "0002-b.md", "README.md"]), Vec::<String>::new());
    assert_eq!(
        pages(&["0001-a.md", "0003-c.md"]),
        ["docs/decisions/0003-c.md: has number 3, but the next in the row is 2"]
    );
    assert_eq!(pages(&["0001-a.md", "0001-b.md"]).len(), 1);
    assert_eq!(pages(&["idea.md"]).len(), 1);
    assert_eq!(pages(&["one-idea.md"]).len(), 1);
}

#[test]
fn a_promise_names_tests_that_exist() {
    let kept =
        "[[promise]]\nid = \"a\"\ntext = \"It holds.\"\ntests = [\"net::a::it_holds\", \"it_waits\"]\n";
    assert_eq!(promises(kept), Vec::<String>::new());
    assert_eq!(
        promises(&kept.replace("it_waits", "it_flies")),
        ["docs/promises.toml: `a` names the test `it_flies`, which does not exist"]
    );
    assert_eq!(promises(&kept.replace("it_waits", "it_is_no_test")).len(), 1);
}

#[test]
fn a_promise_without_a_test_or_an_id_is_found() {
    assert_eq!(promises("[[promise]]\nid = \"a\"\ntext = \"It holds.\"\ntests = []\n").len(), 1);
    assert_eq!(promises("[[promise]]\ntext = \"It holds.\"\ntests = [\"it_holds\"]\n").len(), 1);
    assert_eq!(promises("[[promises]]\nid = \"a\"\n").len(), 1);
    assert_eq!(promises("not toml").len(), 1);
}
