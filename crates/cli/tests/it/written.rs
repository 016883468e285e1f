//! Every command line in the pages and in the files that are shipped is one that the program knows.

use std::path::{Path, PathBuf};

use crate::home;

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// All files below a folder of the repository, in order.
pub(crate) fn below(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

#[test]
fn commands_in_pages_and_shipped_files_are_those_of_the_program() {
    let mut files = vec![root().join("README.md")];
    for folder in ["docs/guide", "docs/concepts", "deploy", ".github"] {
        files.extend(below(folder));
    }
    // What an entry point passes on is only known when it runs: `deploy.rs` runs them.
    files.retain(|path| path.file_name().is_none_or(|name| name != "entrypoint.sh"));
    let (mut seen, mut unknown) = (0, Vec::new());
    for file in files {
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        for (line, command) in commands(&text, file.extension().is_some_and(|kind| kind == "md")) {
            seen += 1;
            if let Some(problem) = refused(&command) {
                unknown.push(format!("{}:{line}: {}: {problem}", file.display(), command.join(" ")));
            }
        }
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
    assert!(seen > 200, "{seen} commands were found, which are too few: they are no longer recognised");
}

#[test]
fn a_command_that_does_not_exist_is_found_wherever_it_stands() {
    let page = "text `doorward nonsense`\n```sh\ncat x | doorward secret putt a/b < file   # doorward no\n\
                cap=$(doorward capability request --fro ada)\nsudo -u doorward doorward up \\\n  --nothing\npidof doorward\n\
                doorward --home /x status && vault agent begin\n```\n";
    let found: Vec<String> =
        commands(page, true).iter().map(|(line, words)| format!("{line} {}", words.join(" "))).collect();
    assert_eq!(
        found,
        [
            "3 doorward secret putt a/b",
            "4 doorward capability request --fro ada",
            "5 doorward up --nothing",
            "8 doorward --home /x status",
            "8 vault agent begin",
        ]
    );
    let wrong: Vec<bool> = commands(page, true).iter().map(|(_, words)| refused(words).is_some()).collect();
    assert_eq!(wrong, [true, true, true, false, true]);
}

#[test]
fn every_guide_and_concept_is_in_the_book() {
    let summary = std::fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let pages = ["docs/guide", "docs/concepts"].into_iter().flat_map(below);
    let missing: Vec<String> = pages
        .map(|page| page.strip_prefix(root().join("docs")).unwrap().display().to_string())
        .filter(|page| !summary.contains(&format!("]({page})")))
        .collect();
    assert!(missing.is_empty(), "add a line to docs/SUMMARY.md for {missing:?}");
}

/// What the program says about a command line whose help is asked for instead of running it.
fn refused(words: &[String]) -> Option<String> {
    let doorward = home();
    let (program, arguments) = words.split_first()?;
    let mut command = doorward.command_as(program);
    command.args(arguments.iter().take_while(|word| *word != "--")).arg("--help");
    let output = doorward.run_command(command, "");
    let said = output.stderr.lines().next().unwrap_or("it failed").to_owned();
    (!output.status.success()).then_some(said)
}

/// The command lines of a text with the number of their line: those in blocks of code of a page, or all of another file.
fn commands(text: &str, page: bool) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let mut fence: Option<&str> = None;
    let (mut begun, mut whole) = (0, String::new());
    for (number, line) in (1..).zip(text.lines()) {
        if page && let Some(language) = line.trim_start().strip_prefix("```") {
            fence = fence.is_none().then_some(language);
            continue;
        }
        if page && !fence.is_some_and(|language| matches!(language, "sh" | "bash" | "console")) {
            continue;
        }
        if whole.is_empty() {
            begun = number;
        }
        if let Some(part) = line.trim_end().strip_suffix('\\') {
            whole.push_str(part);
            whole.push(' ');
            continue;
        }
        whole.push_str(line);
        let line = std::mem::take(&mut whole);
        found.extend(simple(start(&line)).iter().filter_map(|words| ours(words)).map(|words| (begun, words)));
    }
    found
}

/// A line without what stands in front of a command: a prompt, a comment or a list item, a key.
fn start(line: &str) -> &str {
    let mut rest = line.trim_start();
    let marks = ["$ ", "- ", "# ", "// ", "run: ", "sh '", "ExecStart=", "test: ", "CMD ", "command: "];
    while let Some(next) = marks.iter().find_map(|mark| rest.strip_prefix(mark)) {
        rest = next.trim_start();
    }
    rest
}

/// The simple commands of a line, each as its words. Quotes only keep words together; what is put in by `$(…)` is a command of
/// its own wherever it stands; redirections and comments are left out.
fn simple(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut quoted: Option<char> = None;
    let mut letters = line.chars().peekable();
    let end = |word: &mut Option<String>, commands: &mut Vec<Vec<String>>| {
        if let (Some(word), Some(command)) = (word.take(), commands.last_mut()) {
            command.push(word);
        }
    };
    while let Some(letter) = letters.next() {
        match letter {
            '$' if letters.peek() == Some(&'(') && quoted != Some('\'') => {
                let _ = letters.next();
                end(&mut word, &mut commands);
                commands.push(Vec::new());
                quoted = None;
            }
            '\'' | '"' if quoted.is_none() => quoted = Some(letter),
            _ if quoted == Some(letter) => quoted = None,
            _ if quoted.is_some() => word.get_or_insert_default().push(letter),
            '\\' => word.get_or_insert_default().extend(letters.next()),
            '#' if word.is_none() => break,
            '|' | ';' | '&' | '(' | ')' | '`' => {
                end(&mut word, &mut commands);
                commands.push(Vec::new());
            }
            // Lists of words in YAML and in a Containerfile.
            '[' | ']' | ',' if line.contains("[\"") => end(&mut word, &mut commands),
            '<' | '>' => {
                end(&mut word, &mut commands);
                commands.last_mut().unwrap().push(letter.to_string());
            }
            ' ' | '\t' => end(&mut word, &mut commands),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    end(&mut word, &mut commands);
    for command in &mut commands {
        while let Some(at) = command.iter().position(|word| word == "<" || word == ">") {
            command.drain(at..(at + 2).min(command.len()));
        }
    }
    commands
}

/// The part of a command that runs this program, from its name on. `…` stands for words that a page leaves out.
fn ours(words: &[String]) -> Option<Vec<String>> {
    let name = |word: &String| word.strip_prefix("/usr/bin/").unwrap_or(word).to_owned();
    let at =
        (0..words.len()).find(|at| NAMES.contains(&name(&words[*at]).as_str()) && begins(&words[..*at]))?;
    let mut words = words[at..].iter().filter(|word| !matches!(word.as_str(), "…" | "..."));
    let first = name(words.next()?);
    Some(std::iter::once(first).chain(words.cloned()).collect())
}

/// Whether what follows these words is a program, and not an argument as in `pidof doorward`.
fn begins(before: &[String]) -> bool {
    let assigned =
        |word: &String| word.split_once('=').is_some_and(|(name, _)| name.chars().all(is_of_a_name));
    before.iter().all(assigned)
        || before.last().is_some_and(|last| LEADS.contains(&last.as_str()))
        || before.iter().rev().nth(1).is_some_and(|word| word == "-u")
}

fn is_of_a_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// Names under which the program is called in pages.
const NAMES: [&str; 3] = ["doorward", "vault", "aws-vault"];
/// Words after which the name of a program stands.
const LEADS: [&str; 11] =
    ["exec", "--", "nice", "!", "if", "then", "do", "CMD", "gateway", "vault-agent", "vault-cli"];
