//! Text rules on made-up files.

use super::*;

fn found(path: &str, text: &str) -> Vec<String> {
    problems(&File { path: path.to_owned(), text: text.to_owned() })
}

#[test]
fn a_line_ends_with_ink_and_a_file_with_a_newline() {
    assert_eq!(found("a.md", "one\n\ntwo\n"), Vec::<String>::new());
    assert_eq!(found("a.md", ""), Vec::<String>::new());
    assert_eq!(found("a.md", "one \ntwo\n"), ["a.md:1: white space at the end of the line"]);
    assert_eq!(found("a.md", "one\r\ntwo\t\n").len(), 2);
    assert_eq!(found("a.md", "one\ntwo"), ["a.md:2: no newline at the end of the file"]);
    assert_eq!(found("crates/net/tests/fixtures/raw", "one \r\ntwo"), Vec::<String>::new());
}

#[test]
fn no_file_names_a_package_registry() {
    for host in REGISTRIES {
        assert_eq!(found("README.md", &format!("see {host}/x\n")).len(), 1, "{host}");
    }
    let lock = format!("source = \"registry+{}\"\n", REGISTRIES.first().unwrap());
    for path in ["Cargo.lock", "tests/sdk/rust/Cargo.lock"] {
        assert_eq!(found(path, &lock), Vec::<String>::new());
    }
    assert_eq!(found("NotCargo.lock", &lock).len(), 1);
}

#[test]
fn no_file_names_a_path_of_one_machine() {
    for folder in FOLDERS {
        for line in [
            format!("{folder}me"),
            format!("cd {folder}me"),
            format!("\"{folder}me\""),
            format!("HOME={folder}x"),
        ] {
            assert_eq!(found("README.md", &format!("{line}\n")).len(), 1, "{line}");
        }
        for line in
            [format!("https://example.com{folder}x"), format!("a{folder}x"), format!("$ROOT{folder}x")]
        {
            assert_eq!(found("README.md", &format!("{line}\n")), Vec::<String>::new(), "{line}");
        }
    }
}
