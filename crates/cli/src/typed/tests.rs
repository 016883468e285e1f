//! What is taken from a pipe.

use super::piped;

fn read(text: &str) -> Vec<u8> {
    piped(&mut text.as_bytes()).unwrap()
}

#[test]
fn one_line_end_is_taken_off_and_no_more() {
    assert_eq!(read("CANARY\n"), b"CANARY");
    assert_eq!(read("CANARY\r\n"), b"CANARY");
    assert_eq!(read("CANARY\n\n"), b"CANARY\n");
    assert_eq!(read("CANARY"), b"CANARY");
    assert_eq!(read(" two\nlines \n"), b" two\nlines ");
    assert_eq!(read(""), b"");
}

#[test]
fn what_is_too_large_is_refused() {
    let large = vec![b'x'; super::LARGEST_SECRET + 1];
    assert!(piped(&mut large.as_slice()).is_err());
    let most = vec![b'x'; super::LARGEST_SECRET];
    assert_eq!(piped(&mut most.as_slice()).unwrap().len(), super::LARGEST_SECRET);
}
