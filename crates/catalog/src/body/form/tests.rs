//! What two readers might read differently is refused.

use super::*;

#[test]
fn a_name_written_twice_is_refused_in_any_spelling() {
    assert!(read(b"a=1&a=1").is_err());
    assert!(read(b"a=1&%61=2").is_err());
}

#[test]
fn the_name_of_a_list_is_written_once_for_each_item() {
    let lists = ["m".to_owned()];
    let (pairs, items) = read_with_lists(b"m=1&a=2&m=3", &lists).unwrap();
    assert_eq!((pairs["a"].as_str(), pairs.len()), ("2", 1));
    assert_eq!(items["m"], ["1", "3"]);
    assert!(read_with_lists(b"m=1&a=2&a=3", &lists).is_err());
}

#[test]
fn broken_escapes_and_bare_semicolons_are_refused() {
    for wrong in ["a=%", "a=%4", "a=%zz", "%=1", "a=%ff", "a=1;b=2", "a=%00"] {
        assert!(read(wrong.as_bytes()).is_err(), "{wrong}");
    }
}

#[test]
fn pairs_are_decoded_once() {
    let pairs = read(b"a=1+2%2B%253B&b&&c=").unwrap();
    assert_eq!(pairs["a"], "1 2+%3B");
    assert_eq!((pairs["b"].as_str(), pairs["c"].as_str()), ("", ""));
}

#[test]
fn a_dotted_path_is_a_bracketed_name() {
    assert_eq!(key(&["a".to_owned(), "b".to_owned()]), "a[b]");
    assert_eq!(pair("a[b]", "x y"), "a%5Bb%5D=x%20y");
}
