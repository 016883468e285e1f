//! What a compiler doesn't see: sizes, headers, words, links, white space, numbering.
//!
//! Reads every file that git tracks or would track. A check is a function from files to problems, so it is tested on
//! made-up files.

mod docs;
mod markdown;
mod rust;
mod sizes;
mod text;
mod words;

use std::path::Path;

use crate::failure::{Failure, Outcome, none_of};
use crate::program::Program;
use words::Words;

/// A text file of the repository, its path as git writes it.
struct File {
    path: String,
    text: String,
}

impl File {
    /// Whether this is Rust code.
    fn is_rust(&self) -> bool {
        self.is_a("rs")
    }

    fn is_a(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }

    /// Whether this is test code, which may do what the product may not.
    fn is_test(&self) -> bool {
        // The test kit is a library for tests: a step of it that fails is a test that fails.
        self.path.starts_with("crates/testkit/")
            || self
                .path
                .split('/')
                .any(|part| matches!(part, "tests.rs" | "tests" | "benches" | "fuzz" | "examples"))
    }

    /// Whether this is input for tests, kept byte by byte.
    fn is_fixture(&self) -> bool {
        self.path.split('/').any(|part| matches!(part, "fixtures" | "corpus"))
    }

    /// The lines of code with their numbers: no blank lines, no comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines().filter(|(_, line)| {
            let line = line.trim_start();
            !line.is_empty() && !line.starts_with("//")
        })
    }

    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    fn problem(&self, line: usize, what: &str) -> String {
        format!("{}:{line}: {what}", self.path)
    }
}

/// Checks the whole repository.
pub(crate) fn run(root: &Path) -> Outcome {
    let files = files(root)?;
    let words = Words::of(&files)?;
    for warning in sizes::headers(&files) {
        println!("note: {warning}");
    }
    none_of(&problems(&files, &words))
}

fn problems(files: &[File], words: &Words) -> Vec<String> {
    let mut problems = Vec::new();
    for file in files {
        problems.extend(rust::problems(file));
        problems.extend(text::problems(file));
        problems.extend(words.problems(file));
    }
    problems.extend(sizes::problems(files));
    problems.extend(markdown::problems(files));
    problems.extend(docs::problems(files));
    problems
}

/// Every text file that git tracks or would track.
fn files(root: &Path) -> Outcome<Vec<File>> {
    let list = ["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "-z"];
    let list = Program::new(root, "git", &list).output()?;
    let mut files = Vec::new();
    for path in list.split('\0').filter(|path| !path.is_empty()) {
        let full = root.join(path);
        // Deleted but not yet committed, or a link to a folder.
        if !full.is_file() {
            continue;
        }
        let bytes =
            std::fs::read(&full).map_err(|error| Failure::doing(&format!("read `{path}`"), &error))?;
        match String::from_utf8(bytes) {
            Ok(text) => files.push(File { path: path.to_owned(), text }),
            Err(_) if is_text(path) => return Err(Failure::new(format!("`{path}` is not UTF-8"))),
            // An image or the like still has to be there for links to it.
            Err(_) => files.push(File { path: path.to_owned(), text: String::new() }),
        }
    }
    Ok(files)
}

fn is_text(path: &str) -> bool {
    let text = ["rs", "md", "toml", "yaml", "yml", "json", "sh", "sql", "html", "css", "js"];
    Path::new(path).extension().is_some_and(|found| text.iter().any(|known| found == *known))
}

#[cfg(test)]
mod tests;
