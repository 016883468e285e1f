//! An integration's file that is in no folder.

use std::sync::Arc;

use model::IntegrationName;

use crate::{Error, Integration, layer};

/// The text of an integration's file that was translated from a file of another program. It means exactly what the same
/// text means in the user's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its name, the same as in the text.
    pub name: IntegrationName,
    /// The text.
    pub text: Arc<str>,
    /// The file that it was translated from, as errors name it.
    pub file: Arc<str>,
    /// The line there, from 1.
    pub line: u64,
}

impl Written {
    /// Whether the text makes sense.
    ///
    /// # Errors
    /// What is wrong with it, at the place that it was translated from.
    pub fn check(&self) -> Result<(), Error> {
        self.read().map(drop)
    }

    /// The integration that the text describes.
    pub(crate) fn read(&self) -> Result<Integration, Error> {
        // Lines of the text are lines of nothing that the user wrote.
        layer::integration(&self.text, &self.file, self.name.as_str()).map_err(|error| match error {
            Error::Syntax { file, problem, nearest, .. } => {
                Error::Syntax { file, line: self.line, problem, nearest }
            }
            Error::Invalid { file, problem, .. } => Error::Invalid { file, line: self.line, problem },
            other => other,
        })
    }

    /// The place that it was translated from.
    pub(crate) fn place(&self) -> String {
        crate::error::place(&self.file, self.line)
    }
}
