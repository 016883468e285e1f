//! Asks on the controlling terminal, whatever stdin and stdout are.
//!
//! # Invariants
//!
//! - One line is read, byte by byte: what was typed ahead for the child stays in the terminal.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::driver::{TERMINAL, opened};
use super::{Code, Driver, Error, Prompt, Question};

/// A terminal.
pub struct Terminal {
    input: PathBuf,
    output: PathBuf,
}

impl Terminal {
    /// The controlling terminal of the process: `/dev/tty`, or the console.
    #[must_use]
    pub fn controlling() -> Self {
        let output = if cfg!(windows) { "CONOUT$" } else { TERMINAL };
        Self { input: PathBuf::from(TERMINAL), output: PathBuf::from(output) }
    }

    /// Another terminal, by its device.
    #[must_use]
    pub fn at(device: &Path) -> Self {
        Self { input: device.to_owned(), output: device.to_owned() }
    }

    fn answer(&self, question: &str) -> std::io::Result<Zeroizing<Vec<u8>>> {
        let mut output = opened(&self.output)?;
        let mut input = opened(&self.input)?;
        output.write_all(question.as_bytes())?;
        output.flush()?;
        let mut line = Zeroizing::new(Vec::with_capacity(LONGEST_LINE));
        let mut byte = Zeroizing::new([0_u8; 1]);
        while line.len() < LONGEST_LINE {
            match input.read(&mut *byte) {
                Ok(0) => break,
                Ok(_) if *byte == [b'\n'] => break,
                Ok(_) => line.extend_from_slice(&*byte),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(line)
    }
}

impl Prompt for Terminal {
    fn name(&self) -> &'static str {
        Driver::Terminal.name()
    }

    fn ask(&self, question: &Question<'_>) -> Result<Code, Error> {
        let shown: String = question.text().chars().filter(|c| !c.is_control()).collect();
        Code::read(&self.answer(&shown).map_err(Error::Terminal)?)
    }
}

/// A terminal gives no longer line than this at once.
const LONGEST_LINE: usize = 256;

#[cfg(test)]
mod tests;
