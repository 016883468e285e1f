//! Two builds of one commit, byte by byte.
//!
//! # Invariants
//!
//! - Both are built anew from the same files, in folders of other names, so that a path that got into the program is seen.

use std::path::Path;

use super::build;
use crate::failure::{Failure, Outcome};
use crate::program::Program;

/// `dist --twice`: builds twice, and says where the two differ first.
pub(super) fn run(root: &Path) -> Outcome {
    let first = build::shipped(root)?;
    let again = root.join("target/shipped-again");
    if again.exists() {
        std::fs::remove_dir_all(&again).map_err(|error| Failure::doing("forget the build before", &error))?;
    }
    let second = build::shipped_in(root, &again)?;
    let (first_text, second_text) = (first.to_string_lossy(), second.to_string_lossy());
    println!("{}", Program::new(root, "sha256sum", &[&first_text, &second_text]).output()?.trim_end());
    let read = |file: &Path| {
        std::fs::read(file).map_err(|error| Failure::doing(&format!("read `{}`", file.display()), &error))
    };
    match difference(&read(&first)?, &read(&second)?) {
        None => {
            println!("two builds of this commit are the same, byte by byte");
            Ok(())
        }
        Some(found) => Err(Failure::new(format!("two builds of this commit differ: {found}"))),
    }
}

/// Where two programs differ first, in words; nothing where they are the same.
pub(super) fn difference(first: &[u8], second: &[u8]) -> Option<String> {
    if first == second {
        return None;
    }
    let at = first.iter().zip(second).position(|(left, right)| left != right);
    let bytes = first.iter().zip(second).filter(|(left, right)| left != right).count();
    let Some(at) = at else {
        return Some(format!("one ends where the other goes on, at byte {}", first.len().min(second.len())));
    };
    let place = section(first, at)
        .map_or_else(|| "outside of all sections".to_owned(), |name| format!("in `{name}`"));
    let around = |bytes: &[u8]| {
        let text = bytes.get(at.saturating_sub(32)..(at + 32).min(bytes.len())).unwrap_or_default();
        text.escape_ascii().to_string()
    };
    Some(format!(
        "first at byte {at} {place}, {bytes} bytes in all, lengths {} and {}\n  {}\n  {}",
        first.len(),
        second.len(),
        around(first),
        around(second)
    ))
}

/// The section of an ELF file (64 bits, little-endian) that a byte of it belongs to.
fn section(file: &[u8], at: usize) -> Option<String> {
    if file.get(..6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let (table, size) = (number(file, 0x28, 8)?, number(file, 0x3a, 2)?);
    let (count, names) = (number(file, 0x3c, 2)?, number(file, 0x3e, 2)?);
    let names = number(file, table + names * size + 0x18, 8)?;
    for index in 0..count {
        let header = table + index * size;
        let (kind, offset, length) =
            (number(file, header + 4, 4)?, number(file, header + 0x18, 8)?, number(file, header + 0x20, 8)?);
        // One without contents, such as `.bss`, has a place in memory only.
        if kind != NOBITS && (offset..offset + length).contains(&at) {
            let name = file.get(names + number(file, header, 4)?..)?;
            let name = name.split(|byte| *byte == 0).next()?;
            return Some(String::from_utf8_lossy(name).into_owned());
        }
    }
    None
}

fn number(file: &[u8], at: usize, length: usize) -> Option<usize> {
    let bytes = file.get(at..at.checked_add(length)?)?;
    Some(bytes.iter().rev().fold(0, |number, byte| (number << 8) | usize::from(*byte)))
}

const NOBITS: usize = 8;
