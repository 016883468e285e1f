//! Links between made-up pages.

use super::*;

fn found(page: &str) -> Vec<String> {
    let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
    problems(&[
        file("docs/guide/a.md", page),
        file("docs/b.md", "# The title\n\n## What's `new`, 2\n"),
        file("README.md", "# Doorward\n"),
        file("docs/c.svg", ""),
    ])
}

#[test]
fn links_to_files_folders_headings_and_the_world_are_fine() {
    for link in [
        "../b.md",
        "../../README.md",
        "./../c.svg",
        "../b.md#the-title",
        "../b.md#whats-new-2",
        "https://example.com/x",
        "mailto:a@example.com",
        "../",
        "#here",
        "../b.md \"with a title\"",
    ] {
        assert_eq!(found(&format!("# Here\n\nSee [it]({link}).\n")), Vec::<String>::new(), "{link}");
    }
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    for link in ["b.md", "../d.md", "../../../README.md", "/docs/b.md", "../b.md#gone", "#gone"] {
        assert_eq!(found(&format!("# Here\n\nSee [it]({link}).\n")).len(), 1, "{link}");
    }
    assert_eq!(
        found("See [one](../b.md) and [`two`](no.md).\n"),
        ["docs/guide/a.md:1: the link `no.md` leads to no file of the repository"]
    );
    assert_eq!(found("[it]: no.md\n").len(), 1);
}

#[test]
fn code_is_not_a_link() {
    assert_eq!(found("```\n[it](no.md)\n```\nand `[it](no.md)`\n"), Vec::<String>::new());
}
