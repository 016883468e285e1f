//! Long values in small cells, and writers that stop anywhere.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::*;

/// Cells of ten bytes, of which the writing of the n-th can fail.
#[derive(Default)]
struct Small {
    cells: RefCell<BTreeMap<String, Vec<u8>>>,
    writes_left: RefCell<Option<usize>>,
}

impl Cells for Small {
    fn kind(&self) -> Kind {
        Kind::Wincred
    }

    fn most(&self) -> usize {
        10
    }

    fn read(&self, cell: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        Ok(self.cells.borrow().get(cell).cloned().map(Zeroizing::new))
    }

    fn write(&self, cell: &str, bytes: &[u8], _about: About<'_>) -> Result<(), Error> {
        assert!(bytes.len() <= 10 || bytes.starts_with(HEAD));
        if let Some(left) = self.writes_left.borrow_mut().as_mut() {
            *left =
                left.checked_sub(1).ok_or_else(|| Error::refused(Kind::Wincred, "store an entry", "full"))?;
        }
        self.cells.borrow_mut().insert(cell.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn erase(&self, cell: &str) -> Result<(), Error> {
        let removed = self.cells.borrow_mut().remove(cell);
        removed.map(drop).ok_or_else(|| Error::missing(Kind::Wincred, cell))
    }

    fn list(&self) -> Result<Vec<String>, Error> {
        Ok(self.cells.borrow().keys().cloned().collect())
    }
}

const ABOUT: About<'_> = About { label: "", description: "", trust: Trust::Nobody };

#[test]
fn values_of_every_length_read_back() {
    for length in [0, 1, 9, 10, 11, 20, 21, 1000] {
        let small = Small::default();
        let value: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
        set(&small, "a", &value, ABOUT).unwrap();
        assert_eq!(*get(&small, "a").unwrap(), value);
        assert_eq!(names(&small).unwrap(), ["a"]);
        remove(&small, "a").unwrap();
        assert!(small.cells.borrow().is_empty(), "{length}");
    }
}

#[test]
fn a_replaced_value_leaves_no_parts_behind() {
    let small = Small::default();
    set(&small, "a", &[1; 100], ABOUT).unwrap();
    set(&small, "a", &[2; 50], ABOUT).unwrap();
    assert_eq!(small.cells.borrow().len(), 6);
    set(&small, "a", b"short", ABOUT).unwrap();
    assert_eq!(small.cells.borrow().len(), 1);
}

#[test]
fn a_write_that_fails_anywhere_leaves_the_old_value() {
    for left in 0..11 {
        let small = Small::default();
        set(&small, "a", &[1; 30], ABOUT).unwrap();
        *small.writes_left.borrow_mut() = Some(left);
        let wrote = set(&small, "a", &[2; 95], ABOUT);
        let expected = if wrote.is_ok() { vec![2; 95] } else { vec![1; 30] };
        assert_eq!(*get(&small, "a").unwrap(), expected);
        assert_eq!(names(&small).unwrap(), ["a"]);
    }
}

#[test]
fn a_value_that_looks_like_a_head_is_kept_as_it_is() {
    let small = Small::default();
    let value = b"doorward-parts-1:0011223344556677:1:5";
    set(&small, "a", value, ABOUT).unwrap();
    assert_eq!(get(&small, "a").unwrap().as_slice(), value);
}

#[test]
fn a_head_without_its_parts_is_an_error() {
    let small = Small::default();
    set(&small, "a", &[1; 30], ABOUT).unwrap();
    small.cells.borrow_mut().retain(|name, _| !name.ends_with(":1"));
    assert!(matches!(get(&small, "a"), Err(Error::Malformed { .. })));
    small.cells.borrow_mut().insert("a".to_owned(), b"doorward-parts-1:zz".to_vec());
    assert!(matches!(get(&small, "a"), Err(Error::Malformed { .. })));
}

#[test]
fn a_part_is_no_entry() {
    let small = Small::default();
    assert!(matches!(set(&small, "doorward-part:x:1", b"", ABOUT), Err(Error::Name { .. })));
    assert!(matches!(get(&small, "gone"), Err(Error::NotFound { .. })));
    assert!(matches!(remove(&small, "gone"), Err(Error::NotFound { .. })));
}
