//! Tests of the module `error`.

use rusqlite::ffi;

use super::*;

#[test]
fn a_database_that_another_program_holds_is_busy_and_not_broken() {
    for code in [ffi::SQLITE_BUSY, ffi::SQLITE_BUSY_SNAPSHOT, ffi::SQLITE_LOCKED] {
        let error = Error::from(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        assert!(matches!(error, Error::Busy) && error.hint().is_some());
    }
    let broken = Error::from(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_IOERR), None));
    assert!(matches!(broken, Error::Database(_)));
}
