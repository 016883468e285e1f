//! The pages as a site with search, by mdBook, in `target/book`: `cargo xtask book`.
//!
//! # Invariants
//!
//! - The site has the pages of the repository under their own paths, so that a link is the same in both.
//! - Every link and anchor of the site that was made leads somewhere within it. Links that leave it are listed, not followed.

mod links;

use std::path::Path;

use crate::failure::{Failure, Outcome};
use crate::program::Program;
use crate::setup;

/// Makes the site and looks at all links in it.
pub(crate) fn run(root: &Path) -> Outcome {
    let tool = setup::tool("mdbook")
        .ok_or_else(|| Failure::new("mdBook is not installed; `cargo xtask setup` installs it"))?;
    let (stage, out) = (root.join("target/book-pages"), root.join("target/book"));
    for folder in [&stage, &out] {
        if folder.exists() {
            std::fs::remove_dir_all(folder)
                .map_err(|error| Failure::doing("forget the site before", &error))?;
        }
    }
    gather(root, &stage)?;
    let (stage, out_text) = (stage.to_string_lossy(), out.to_string_lossy());
    Program::at(root, &tool, &["build", "--dest-dir", &out_text, &stage]).run()?;
    let seen = links::look(&out)?;
    let list: String = seen.outside.iter().map(|(url, page)| format!("{url}\t{page}\n")).collect();
    std::fs::write(out.join("external-links.txt"), list)
        .map_err(|error| Failure::doing("write the list of links that leave the site", &error))?;
    if seen.broken.is_empty() {
        println!(
            "target/book: {} pages, {} links within them; {} addresses elsewhere are in external-links.txt",
            seen.pages,
            seen.inside,
            seen.outside.len()
        );
        return Ok(());
    }
    Err(Failure::new(format!("links of the site lead nowhere:\n{}", seen.broken.join("\n"))))
}

/// Copies what belongs to the site: pages, and files that pages link to.
fn gather(root: &Path, stage: &Path) -> Outcome {
    let tracked =
        Program::new(root, "git", &["ls-files", "--cached", "--others", "--exclude-standard"]).output()?;
    let pages = stage.join("pages");
    let mut clients = Vec::new();
    for path in tracked.lines().filter(|path| belongs(path)) {
        copy(&root.join(path), &pages.join(path))?;
        if path.starts_with("clients/") {
            let text = read(&root.join(path))?;
            let title = text.lines().next().unwrap_or_default().trim_start_matches('#').trim().to_owned();
            clients.push((title, path));
        }
    }
    copy(&root.join("book.toml"), &stage.join("book.toml"))?;
    let summary = read(&root.join("docs/SUMMARY.md"))?;
    std::fs::write(pages.join("SUMMARY.md"), moved(&summary, &clients))
        .map_err(|error| Failure::doing("write the summary of the site", &error))
}

/// Whether a file of the repository is a page, or something that pages show.
fn belongs(path: &str) -> bool {
    let kind = Path::new(path).extension().and_then(|kind| kind.to_str()).unwrap_or_default();
    let of_top = !path.contains('/') && (kind == "md" || path == "LICENSE");
    of_top
        || (path.starts_with("docs/") && path != "docs/SUMMARY.md")
        || (path.starts_with("clients/") && kind == "md")
        || FILES.iter().any(|folder| path.starts_with(folder))
}

/// The summary as seen from the top of the repository, with the pages that stand there.
fn moved(summary: &str, clients: &[(String, &str)]) -> String {
    let mut text = String::new();
    let mut lines = summary.lines().peekable();
    while let Some(line) = lines.next() {
        text.push_str(&line.replace("](", "](docs/"));
        text.push('\n');
        if line == "# Doorward" {
            text.push_str("\n[Doorward](README.md)\n");
        }
        if line == "# The project" {
            text.push('\n');
            let top = TOP.iter().map(|(title, path)| (*title, *path));
            let clients = clients.iter().map(|(title, path)| (title.as_str(), *path));
            for (title, path) in top.chain(clients) {
                text.push_str(&format!("- [{title}]({path})\n"));
            }
            // One list: a blank line between its halves would end it.
            let _ = lines.next_if(|line| line.is_empty());
        }
    }
    text
}

fn copy(from: &Path, to: &Path) -> Outcome {
    let made = to.parent().map_or(Ok(()), std::fs::create_dir_all);
    made.and_then(|()| std::fs::copy(from, to).map(|_| ()))
        .map_err(|error| Failure::doing(&format!("copy `{}`", from.display()), &error))
}

fn read(file: &Path) -> Outcome<String> {
    std::fs::read_to_string(file)
        .map_err(|error| Failure::doing(&format!("read `{}`", file.display()), &error))
}

/// Pages outside of `docs`, as parts of the site.
const TOP: [(&str, &str); 4] = [
    ("Architecture", "ARCHITECTURE.md"),
    ("Contributing", "CONTRIBUTING.md"),
    ("Security", "SECURITY.md"),
    ("Changes", "CHANGELOG.md"),
];

/// Folders with files that pages link to.
const FILES: [&str; 3] = ["deploy/", "crates/policy/src/cedar/", "crates/catalog/providers.yaml"];
