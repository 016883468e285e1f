//! Tests of the module `told`.

use super::{LINES, Told};

#[test]
fn only_what_tests_that_failed_said_is_told() {
    let mut told = Told::default();
    let output = "running 2 tests\ntest a ... ok\ntest b::c ... FAILED\n\nfailures:\n\n---- b::c stdout ----\n\nthread 'b::c' panicked\n\
                  left: 1\nstack backtrace:\n   0: x\n             at y\nnote: Some details are omitted, run\n\n\nfailures:\n    b::c\n\ntest result: FAILED. 1 passed; 1 failed";
    output.lines().for_each(|line| told.read(line));
    assert_eq!(told.lines().collect::<Vec<_>>(), ["b::c: thread 'b::c' panicked", "b::c: left: 1"]);
}

#[test]
fn of_much_the_end_is_told() {
    let mut told = Told::default();
    told.read("---- a stdout ----");
    (0..100).for_each(|number| told.read(&format!("line {number} {}", "é".repeat(1000))));
    let lines: Vec<String> = told.lines().collect();
    assert_eq!(lines.len(), LINES);
    assert!(lines.last().unwrap().starts_with("a: line 99 é"));
    assert!(lines.iter().all(|line| line.chars().count() <= 403));
}
