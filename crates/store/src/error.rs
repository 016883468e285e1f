//! Why something could not be read or made durable.

use std::path::PathBuf;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No space left for the batch; nothing of it was written.
    #[error("the disk is full")]
    Full,
    /// The file can't be written.
    #[error("the database can't be written")]
    ReadOnly,
    /// The file under the open database was removed or replaced.
    #[error("the database file `{0}` was removed or replaced while it was open")]
    Gone(PathBuf),
    /// Another program holds the database; nothing of the batch was written.
    #[error("the database is in use by another program")]
    Busy,
    /// A row that must not exist is there, or one changed meanwhile.
    #[error("the row exists already or has changed")]
    Conflict,
    /// Another process has the home open.
    #[error("another process has `{0}` open")]
    Locked(PathBuf),
    /// The database was made by a later version of Doorward.
    #[error("the database has format {found}, this program knows {known}")]
    Newer {
        /// Format of the file.
        found: i64,
        /// The latest format that this program knows.
        known: i64,
    },
    /// A row could not be understood.
    #[error("a row of `{table}` could not be read")]
    Row {
        /// The table.
        table: &'static str,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// A file could not be read or written.
    #[error("could not {what} `{path}`")]
    File {
        /// What was attempted.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The disk did not confirm a write; what is on it is unknown, and nothing more is written.
    #[error("the disk did not confirm a write to `{path}`")]
    Unconfirmed {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file does not hold what was written into it.
    #[error("`{path}` is damaged at byte {offset}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The first byte that is wrong.
        offset: u64,
    },
    /// PostgreSQL failed, or can't be used.
    #[error(transparent)]
    Postgres(#[from] crate::postgres::Error),
    /// Rows that are kept elsewhere could not be read or written there.
    #[error(transparent)]
    Outside(#[from] Outside),
    /// The database failed in another way.
    #[error("the database failed")]
    Database(#[source] rusqlite::Error),
}

/// Why rows that are kept in another place could not be read or written there.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct Outside {
    /// What was attempted, on what, and what came of it.
    pub text: String,
    /// What to do about it.
    pub hint: Option<&'static str>,
    /// Whether the next attempt may succeed without anybody's doing.
    pub passing: bool,
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match self {
            Self::Full => Some("free space on the disk of the home; a running broker goes on by itself"),
            Self::ReadOnly => {
                Some("make the home writable for this user; a running broker goes on by itself")
            }
            Self::Gone(_) => Some("put the file back, or stop the broker and restore a backup"),
            Self::Busy => {
                Some("end the backup or tool that has the database open; a running broker goes on by itself")
            }
            Self::Locked(_) => Some("use the running broker, or stop it first: `doorward status`"),
            Self::Newer { .. } => Some("use the newer `doorward` that made this home"),
            Self::Unconfirmed { .. } => {
                Some("look at the disk, then start the broker again: it checks what is there")
            }
            Self::Damaged { .. } => {
                Some("keep the file as it is, and restore a backup into another folder: `doorward restore`")
            }
            Self::Postgres(error) => error.hint(),
            Self::Database(error)
                if matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase)) =>
            {
                Some("keep the file as it is, and restore a backup into another folder: `doorward restore`")
            }
            Self::Outside(outside) => outside.hint,
            Self::Conflict | Self::Row { .. } | Self::File { .. } | Self::Database(_) => None,
        }
    }
}

impl Error {
    /// Whether nothing was written, and the next attempt may succeed without anybody's doing: a full disk, a home that is read-only, gone or in
    /// use by another program, a server that does not answer.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Full | Self::ReadOnly | Self::Gone(_) | Self::Busy => true,
            Self::Postgres(error) => error.is_passing(),
            Self::Outside(outside) => outside.passing,
            _ => false,
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => Self::ReadOnly,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::ConstraintViolation) => Self::Conflict,
            _ => Self::Database(error),
        }
    }
}

#[cfg(test)]
mod tests;
