//! Every check and every test, in the order in which they are likely to fail.
//!
//! # Invariants
//!
//! - The last line printed is `N passed, N failed, N skipped`: all test programs together, and one more `failed` for each
//!   step that failed without a failed test, such as a build.
//! - A run in which no test ran has failed.
//! - What tests that failed said is told again at the end.
//! - Whatever was skipped is named. In CI, a skip that `docs/checks/not-here.toml` doesn't list is a failure.

mod changed;
mod count;
mod machine;
mod skips;
mod told;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use crate::failure::{Failure, Outcome};
use crate::program::Program;
use crate::{book, deny, generate, layers, setup, tidy};
use changed::Changed;
pub(crate) use count::Tally;
use skips::{Listed, Skip};
use told::Told;

/// How much is tested.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Everything.
    Full,
    /// What changed since the last commit.
    Quick,
}

/// Runs the steps, all of them even if one fails, and says how it went.
pub(crate) fn run(root: &Path, extent: Extent) -> Outcome<ExitCode> {
    let mut run =
        Run { root, tally: Tally::default(), failures: Vec::new(), told: Told::default(), skips: Vec::new() };
    match extent {
        Extent::Full => run.full()?,
        Extent::Quick => run.quick()?,
    }
    run.finish(extent)
}

struct Run<'a> {
    root: &'a Path,
    tally: Tally,
    failures: Vec<String>,
    told: Told,
    skips: Vec<Skip>,
}

impl Run<'_> {
    fn full(&mut self) -> Outcome {
        let root = self.root;
        self.step("setup", "cargo xtask setup", |_| setup::run(root));
        self.cargo("format", &["fmt", "--all", "--check"]);
        self.step("layers", "cargo xtask layers", |_| layers::run(root));
        self.step("tidy", "cargo xtask tidy", |_| tidy::run(root));
        self.cargo("clippy", &["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]);
        self.step("deny", "cargo xtask deny", |_| deny::run(root));
        if deny::has_advisories() {
            self.step("advisories", "cargo xtask deny", |_| deny::advisories(root));
        } else {
            self.skips.push(Skip::new("advisories", "there is no database of advisories on this machine"));
        }
        self.step("generated docs", "cargo xtask generate --check", |_| {
            generate::run(root, generate::Mode::Check)
        });
        self.step("book", "cargo xtask book", |_| book::run(root));
        self.tests(&["--workspace"])?;
        self.hooks()
    }

    fn quick(&mut self) -> Outcome {
        let root = self.root;
        let changed = Changed::since_the_last_commit(root)?;
        self.cargo("format", &["fmt", "--all", "--check"]);
        self.step("layers", "cargo xtask layers", |_| layers::run(root));
        self.step("tidy", "cargo xtask tidy", |_| tidy::run(root));
        println!(
            "a quick run leaves out deny, the generated docs, crates that didn't change, and tests/*/run\n"
        );
        let packages = changed.arguments();
        if packages.is_empty() {
            println!("no crate has changed since the last commit, so there is nothing to test");
            return Ok(());
        }
        let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
        let mut clippy = vec!["clippy", "--all-targets", "--quiet"];
        clippy.extend(&packages);
        clippy.extend(["--", "-D", "warnings"]);
        self.cargo("clippy", &clippy);
        self.tests(&packages)
    }

    /// A step that is one cargo command, which is also what to run again.
    fn cargo(&mut self, name: &str, arguments: &[&str]) {
        let again = format!("cargo {}", arguments.join(" "));
        let root = self.root;
        self.step(name, &again, |_| Program::cargo(root, arguments).run());
    }

    fn tests(&mut self, packages: &[&str]) -> Outcome {
        let root = self.root;
        let note = self.skip_file()?;
        let mut arguments = vec!["test", "--no-fail-fast"];
        arguments.extend(packages);
        let again = format!("cargo {}", arguments.join(" "));
        let mut told = Told::default();
        self.step("tests", &again, |tally| {
            let tests = Program::cargo(root, &arguments).env(skips::FILE, &note);
            tests.read_along(|line| {
                tally.read(line);
                told.read(line);
            })
        });
        self.told = told;
        self.skips.extend(skips::noted(&note)?);
        Ok(())
    }

    /// The tests in other languages: each `tests/NAME/run` prints our closing line as its own last line.
    fn hooks(&mut self) -> Outcome {
        let root = self.root;
        for hook in hooks_of(root)? {
            let note = self.skip_file()?;
            let shown = hook.strip_prefix(root).unwrap_or(&hook).display().to_string();
            self.step(&shown, &shown, |tally| {
                let mut closing = None;
                let ended = Program::at(root, &hook, &[])
                    .env(skips::FILE, &note)
                    .read_along(|line| closing = Tally::closing(line).or(closing));
                let Some(counted) = closing else {
                    return Err(Failure::new("it printed no line `N passed, N failed, N skipped`"));
                };
                tally.add(counted);
                ended
            });
            self.skips.extend(skips::noted(&note)?);
        }
        Ok(())
    }

    /// An empty file for tests to note in what they skip.
    fn skip_file(&self) -> Outcome<PathBuf> {
        let file = self.root.join("target/skips");
        let made = std::fs::create_dir_all(self.root.join("target")).and_then(|()| std::fs::write(&file, ""));
        made.map_err(|error| Failure::doing("make the file for skips", &error))?;
        Ok(file)
    }

    fn step(&mut self, name: &str, again: &str, work: impl FnOnce(&mut Tally) -> Outcome) {
        println!("== {name}");
        let started = Instant::now();
        let failed_before = self.tally.failed;
        let outcome = work(&mut self.tally);
        let seconds = started.elapsed().as_secs_f64();
        let Err(failure) = outcome else {
            println!("== {name}: done in {seconds:.1} s\n");
            return;
        };
        println!("== {name}: failed after {seconds:.1} s: {failure}\n== run again: {again}\n");
        if self.tally.failed == failed_before {
            self.tally.failed += 1;
        }
        self.failures.push(format!("{name}: {failure}; run again: {again}"));
    }

    fn finish(mut self, extent: Extent) -> Outcome<ExitCode> {
        let listed = Listed::read(self.root)?;
        let verdict = listed.judge(&machine::kinds(), &self.skips);
        let strict = std::env::var_os("CI").is_some_and(|value| value == "true");
        for Skip { check, reason } in &self.skips {
            println!("skipped: {check}: {reason}");
        }
        // A quick run leaves out checks on purpose, so it can't tell what is stale.
        let stale = verdict.stale.iter().filter(|_| extent == Extent::Full);
        for problem in verdict.unlisted.iter().chain(stale) {
            if strict {
                self.tally.failed += 1;
                self.failures.push(problem.clone());
            } else {
                println!("note: {problem}");
            }
        }
        self.tally.skipped += self.skips.len();
        let nothing_to_do = extent == Extent::Quick && self.tally.passed == 0 && self.tally.failed == 0;
        if self.tally.passed == 0 && self.failures.is_empty() && !nothing_to_do {
            self.tally.failed += 1;
            self.failures.push("no test ran".to_owned());
        }
        self.told.lines().for_each(|line| println!("{line}"));
        for failure in &self.failures {
            println!("failed: {failure}");
        }
        println!("{}", self.tally);
        let good = self.failures.is_empty() && self.tally.failed == 0;
        Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Every `tests/NAME/run`, sorted.
fn hooks_of(root: &Path) -> Outcome<Vec<PathBuf>> {
    let folder = root.join("tests");
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let failed = |error: std::io::Error| Failure::doing("list the folder `tests`", &error);
    let mut hooks = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(failed)? {
        let hook = entry.map_err(failed)?.path().join("run");
        if hook.is_file() {
            hooks.push(hook);
        }
    }
    hooks.sort();
    Ok(hooks)
}
