//! What tests that failed said, told once more at the end: a long run is read from its last lines.

/// Reads the lines of test programs and keeps what stands under the name of each test that failed.
#[derive(Default)]
pub(crate) struct Told {
    kept: Vec<Said>,
    reading: bool,
    /// Within a backtrace, whose lines say little and are many.
    within: bool,
}

struct Said {
    test: String,
    lines: Vec<String>,
}

impl Told {
    /// Reads one line. A test's words begin with `---- NAME stdout ----` and end with the next one, or with the list of names.
    pub(crate) fn read(&mut self, line: &str) {
        let named = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----"));
        if let Some(test) = named {
            self.kept.push(Said { test: test.to_owned(), lines: Vec::new() });
            self.reading = true;
            self.within = false;
        } else if line == "failures:" {
            self.reading = false;
        } else if line == "stack backtrace:" || line.starts_with("note: Some details are omitted") {
            self.within = line == "stack backtrace:";
        } else if self.reading && !self.within && !line.trim().is_empty() {
            let lines = self.kept.last_mut().map(|said| &mut said.lines);
            lines.into_iter().for_each(|lines| lines.push(line.to_owned()));
        }
    }

    /// The last lines of each test that failed, with the test's name in front.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.kept.iter().flat_map(|said| {
            let from = said.lines.len().saturating_sub(LINES);
            said.lines.iter().skip(from).map(|line| {
                let line: String = line.chars().take(LONGEST).collect();
                format!("{}: {line}", said.test)
            })
        })
    }
}

/// The lines that are told of each test, and the characters of a line.
const LINES: usize = 40;
const LONGEST: usize = 400;

#[cfg(test)]
mod tests;
