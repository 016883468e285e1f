//! Reads comma-separated values as RFC 4180 has them: a value in quotes may hold commas, line ends and doubled quotes.
//!
//! What is malformed is an error with the number of its line and never shown: a part of it may be a key.

use std::fmt;

use zeroize::Zeroizing;

/// A record, and the line that it begins in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The line, the first one being 1.
    pub(super) line: usize,
    /// Its values. White space around one that has no quotes is none of it.
    pub(super) cells: Vec<Zeroizing<String>>,
}

/// Why a text is no table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    /// The line, the first one being 1.
    pub(super) line: usize,
    what: What,
}

#[derive(Debug, PartialEq, Eq)]
enum What {
    QuoteInside,
    BehindQuote,
    NeverClosed,
    Cells { here: usize, head: usize },
}

impl std::error::Error for Malformed {}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        match self.what {
            What::QuoteInside => f.write_str("a quote within a value that does not begin with one"),
            What::BehindQuote => f.write_str("something stands between a closing quote and the next comma"),
            What::NeverClosed => f.write_str("a quote is opened and never closed"),
            What::Cells { here, head } => write!(f, "it has {here} values, and the head has {head}"),
        }
    }
}

/// The records of a text, without blank lines. All have as many values as the first.
pub(super) fn rows(text: &str) -> Result<Vec<Row>, Malformed> {
    let mut reader = Reader { rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1 };
    let mut rows: Vec<Row> = Vec::new();
    while !reader.rest.is_empty() {
        let row = reader.row()?;
        // One empty value and a blank line look the same.
        if matches!(&*row.cells, [only] if only.is_empty()) {
            continue;
        }
        let (here, head) = (row.cells.len(), rows.first().map_or(row.cells.len(), |head| head.cells.len()));
        if here != head {
            return Err(Malformed { line: row.line, what: What::Cells { here, head } });
        }
        rows.push(row);
    }
    Ok(rows)
}

struct Reader<'t> {
    rest: &'t str,
    line: usize,
}

impl Reader<'_> {
    fn row(&mut self) -> Result<Row, Malformed> {
        let mut row = Row { line: self.line, cells: Vec::new() };
        loop {
            row.cells.push(if self.takes("\"") { self.quoted()? } else { self.bare()? });
            if self.takes(",") {
                continue;
            }
            // What is left is an end of a line, or that of the text.
            if self.takes("\r\n") || self.takes("\n") {
                self.line += 1;
            }
            return Ok(row);
        }
    }

    fn takes(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Whether a value may end here.
    fn at_end(&self) -> bool {
        self.rest.is_empty() || [",", "\n", "\r\n"].iter().any(|end| self.rest.starts_with(end))
    }

    fn bare(&mut self) -> Result<Zeroizing<String>, Malformed> {
        let end = self.rest.find([',', '\n', '"']).unwrap_or(self.rest.len());
        let (value, rest) = self.rest.split_at(end);
        if rest.starts_with('"') {
            return Err(self.malformed(What::QuoteInside));
        }
        self.rest = rest;
        Ok(Zeroizing::new(value.trim().to_owned()))
    }

    /// A value whose opening quote was taken.
    fn quoted(&mut self) -> Result<Zeroizing<String>, Malformed> {
        let opened = self.line;
        // As large as it may get: one that grew would leave parts of itself behind.
        let mut value = Zeroizing::new(String::with_capacity(self.rest.len()));
        loop {
            let Some((part, rest)) = self.rest.split_once('"') else {
                return Err(Malformed { line: opened, what: What::NeverClosed });
            };
            self.line += part.matches('\n').count();
            self.rest = rest;
            value.push_str(part);
            if self.takes("\"") {
                value.push('"');
            } else if self.at_end() {
                return Ok(value);
            } else {
                return Err(self.malformed(What::BehindQuote));
            }
        }
    }

    fn malformed(&self, what: What) -> Malformed {
        Malformed { line: self.line, what }
    }
}

#[cfg(test)]
mod tests;
