//! Generated pages beside those that are there.

use super::*;

fn pages(list: &[(&str, &str)]) -> Pages {
    list.iter().map(|(name, text)| (PathBuf::from(name), text.as_bytes().to_vec())).collect()
}

#[test]
fn pages_that_are_up_to_date_are_no_difference() {
    let fresh = pages(&[("cli.md", "a\nb\n"), ("catalog/slack.md", "c\n")]);
    assert_eq!(differences(&fresh, &fresh.clone()), Vec::<String>::new());
}

#[test]
fn a_changed_a_missing_and_a_forgotten_page_are_named() {
    let fresh = pages(&[("cli.md", "a\nb\nc\n"), ("new.md", "")]);
    let present = pages(&[("cli.md", "a\nB\nc\n"), ("old.md", "")]);
    assert_eq!(
        differences(&fresh, &present),
        [
            "docs/reference/cli.md:2: is out of date",
            "docs/reference/new.md: is missing",
            "docs/reference/old.md: is no longer generated"
        ]
    );
}

#[test]
fn a_page_that_only_grew_differs_where_it_grew() {
    assert_eq!(first_difference(b"a\nb\n", b"a\nb\nc\n"), 3);
    assert_eq!(first_difference(b"", b"a\n"), 1);
}

#[test]
fn writing_makes_the_folder_equal_to_what_was_generated() {
    let folder = std::env::temp_dir().join(format!("xtask-generate-{}", std::process::id()));
    let first = pages(&[("cli.md", "a\n"), ("deep/old.md", "b\n")]);
    write(&folder, &first, &Pages::new()).unwrap();
    let second = pages(&[("cli.md", "changed\n"), ("deep/new.md", "c\n")]);
    write(&folder, &second, &pages_in(&folder).unwrap()).unwrap();
    assert_eq!(pages_in(&folder).unwrap(), second);
    std::fs::remove_dir_all(&folder).unwrap();
}
