//! The fake of AWS, which runs as a process of its own: the tasks do not link the test kit.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::failure::{Failure, Outcome};
use crate::program::Program;

/// A running fake; ends when dropped.
pub(super) struct Fake {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    url: String,
}

impl Fake {
    /// Builds it (`examples/fake_aws.rs` of this crate) and starts it.
    pub(super) fn start(root: &Path) -> Outcome<Self> {
        Program::cargo(root, &["build", "--quiet", "--package", "xtask", "--example", "fake_aws"]).run()?;
        let failed = |error: std::io::Error| Failure::doing("start the fake of AWS", &error);
        let mut child = Command::new(root.join("target/debug/examples/fake_aws"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let questions = child.stdin.take();
        let answers = child.stdout.take().map(BufReader::new);
        let answers = answers.ok_or_else(|| Failure::new("the fake of AWS has no output"))?;
        let mut fake = Self { child, questions, answers, url: String::new() };
        fake.url = fake.line()?;
        Ok(fake)
    }

    /// What `AWS_ENDPOINT_URL` has to be.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// How many calls there were so far whose name begins like this, such as `sts.`.
    pub(super) fn calls(&mut self, beginning: &str) -> Outcome<u64> {
        let questions =
            self.questions.as_mut().ok_or_else(|| Failure::new("the fake of AWS has no input"))?;
        writeln!(questions, "{beginning}").map_err(|error| Failure::doing("ask the fake of AWS", &error))?;
        let answer = self.line()?;
        answer.parse().map_err(|error| Failure::doing("read the answer of the fake of AWS", &error))
    }

    fn line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        self.answers
            .read_line(&mut line)
            .map_err(|error| Failure::doing("read from the fake of AWS", &error))?;
        if line.is_empty() {
            return Err(Failure::new("the fake of AWS has ended"));
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.questions.take());
        if self.child.wait().is_err() {
            println!("note: the fake of AWS could not be waited for");
        }
    }
}
