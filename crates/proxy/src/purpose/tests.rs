//! The purpose that a caller gives.

use http::header::HeaderValue;

use super::*;

fn read(values: &[&str]) -> Result<Option<String>, Refused> {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(&PURPOSE, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    given(&headers)
}

#[test]
fn a_purpose_is_kept_as_it_is_written() {
    assert_eq!(read(&[]).unwrap(), None);
    assert_eq!(read(&["run:1/OPS-12"]).unwrap().as_deref(), Some("run:1/OPS-12"));
    let long = "x".repeat(128);
    assert_eq!(read(&[&long]).unwrap().as_deref(), Some(&*long));
}

#[test]
fn a_purpose_that_cannot_be_written_down_safely_is_refused() {
    let long = "x".repeat(129);
    for values in [&[""][..], &["two words"], &["a\tb"], &["ü"], &[&long], &["a", "b"], &["a", "a"]] {
        assert_eq!(read(values).unwrap_err().refusal().code.as_str(), "bad_request", "{values:?}");
    }
}
