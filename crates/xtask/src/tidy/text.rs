//! Rules for every text file: white space, and names that belong to one machine or one network.

use super::File;

// In halves, so that the checker doesn't find itself.
const REGISTRIES: &[&str] = &[
    concat!("crates", ".io"),
    concat!("registry.", "npmjs"),
    concat!("registry.", "yarnpkg"),
    concat!("py", "pi.org"),
    concat!("files.python", "hosted"),
    concat!("proxy.", "golang.org"),
    concat!("sum.", "golang.org"),
    concat!("repo.maven.", "apache"),
    concat!("repo1.", "maven"),
    concat!("ruby", "gems.org"),
    concat!("deb.", "debian.org"),
];

/// Folders of one machine. A path below them is somebody's own.
const FOLDERS: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];

/// What is wrong with one file.
pub(super) fn problems(file: &File) -> Vec<String> {
    let mut problems = Vec::new();
    // Cargo writes lock files, and writes the name of the registry into them.
    if file.path.rsplit('/').next() != Some("Cargo.lock") {
        for (number, line) in file.lines() {
            if let Some(found) = REGISTRIES.iter().find(|host| line.contains(*host)) {
                problems.push(
                    file.problem(
                        number,
                        &format!("names the registry `{found}`; the tools know where it is"),
                    ),
                );
            }
            if let Some(found) = FOLDERS.iter().find(|folder| has_path(line, folder)) {
                problems
                    .push(file.problem(number, &format!("a path below `{found}` is of one machine only")));
            }
        }
    }
    if file.is_fixture() {
        return problems;
    }
    // Not `lines()`, which takes a carriage return off.
    for (number, line) in (1..).zip(file.text.split('\n')) {
        if line.ends_with([' ', '\t', '\r']) {
            problems.push(file.problem(number, "white space at the end of the line"));
        }
    }
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        problems.push(file.problem(file.text.lines().count(), "no newline at the end of the file"));
    }
    problems
}

/// Whether an absolute path below `folder` is in `line`, and not a part of an address or of a longer path.
fn has_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line.get(..at).unwrap_or_default();
        !before.ends_with(|letter: char| letter.is_alphanumeric() || "._-~}])>/*$".contains(letter))
    })
}

#[cfg(test)]
mod tests;
