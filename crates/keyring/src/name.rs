//! Which names an entry may have.

use crate::Error;

/// Proof that a name can be stored by every member: it is not empty, has no control characters, and is no `.` or `..`.
#[derive(Debug)]
#[must_use]
pub(crate) struct Valid(());

/// Checks a name.
pub(crate) fn check(name: &str) -> Result<Valid, Error> {
    let wrong = |why| Err(Error::Name { name: name.chars().filter(|c| !c.is_control()).collect(), why });
    if name.is_empty() {
        return wrong("it is empty");
    }
    if name.len() > LONGEST {
        return wrong("it is too long");
    }
    if name.chars().any(char::is_control) {
        return wrong("it has control characters");
    }
    if name == "." || name == ".." {
        return wrong("it is the name of a folder");
    }
    Ok(Valid(()))
}

/// What the files of a writer begin with that has not finished. They are never entries.
pub(crate) const UNFINISHED: &str = ".doorward-unfinished-";

/// Longest name in bytes: session names carry a profile, a device and a time, and a file name has no more.
const LONGEST: usize = 1024;
