//! Tests of the module `csv`.

use super::*;

fn read(text: &str) -> Vec<(usize, Vec<String>)> {
    let rows = rows(text).unwrap();
    rows.into_iter().map(|row| (row.line, row.cells.iter().map(|cell| (**cell).clone()).collect())).collect()
}

fn refused(text: &str) -> String {
    rows(text).unwrap_err().to_string()
}

fn row(line: usize, cells: &[&str]) -> (usize, Vec<String>) {
    (line, cells.iter().map(|cell| (*cell).to_owned()).collect())
}

#[test]
fn values_with_and_without_quotes_are_read() {
    assert_eq!(read("a,b\n1, 2 \n"), [row(1, &["a", "b"]), row(2, &["1", "2"])]);
    assert_eq!(read("\"a\",\"b\"\n\"doe,jane\",\"\""), [row(1, &["a", "b"]), row(2, &["doe,jane", ""])]);
    assert_eq!(read("\"say \"\"hi\"\"\",\"\"\"\"\n"), [row(1, &["say \"hi\"", "\""])]);
}

#[test]
fn lines_end_as_on_any_system_and_are_counted_within_quotes() {
    assert_eq!(read("\u{feff}a,b\r\n\r\n1,2\r\n"), [row(1, &["a", "b"]), row(3, &["1", "2"])]);
    assert_eq!(read("a,\"b\r\nc\"\r\n1,\"2\""), [row(1, &["a", "b\r\nc"]), row(3, &["1", "2"])]);
    assert_eq!(read(""), []);
    assert_eq!(read("a,b"), [row(1, &["a", "b"])]);
}

#[test]
fn what_is_malformed_is_named_by_its_line_and_not_shown() {
    assert_eq!(refused("a,b\n1,x\"y\n"), "line 2: a quote within a value that does not begin with one");
    assert_eq!(
        refused("a,b\n1,\"x\"y\n"),
        "line 2: something stands between a closing quote and the next comma"
    );
    assert_eq!(refused("a,b\n1,\"x\n3,4\n"), "line 2: a quote is opened and never closed");
    assert_eq!(refused("a,b\n1,2\n1,2,3\n"), "line 3: it has 3 values, and the head has 2");
    assert_eq!(refused("a,b\n1\n"), "line 2: it has 1 values, and the head has 2");
}
