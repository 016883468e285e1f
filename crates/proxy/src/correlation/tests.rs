//! Names of requests that are kept, and those that are not.

use super::*;

fn read(values: &[&str]) -> (Option<String>, usize) {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(&REQUEST_ID, HeaderValue::from_str(value).unwrap());
    }
    let id = request_id(&mut headers).map(|id| id.to_str().unwrap().to_owned());
    (id, headers.get_all(&REQUEST_ID).iter().count())
}

#[test]
fn a_plain_name_is_kept_and_any_other_is_taken_away() {
    assert_eq!(read(&[]), (None, 0));
    for plain in [
        "a",
        "f058ebd6-02f7-4d3f-942e-904344e8cde5",
        "Root=1-67891233-abcdef012345678912345678",
        "a.b:c/d+e=",
    ] {
        assert_eq!(read(&[plain]), (Some(plain.to_owned()), 1), "{plain}");
    }
    let long = "a".repeat(129);
    for odd in ["", "a b", "a\"b", "a,b", "<script>", &long] {
        assert_eq!(read(&[odd]), (None, 0), "{odd}");
    }
    assert_eq!(read(&["a", "a"]), (None, 0));
}

#[test]
fn a_service_that_names_it_itself_is_not_overruled() {
    let mut headers = HeaderMap::new();
    echo(&mut headers, Some(HeaderValue::from_static("ours")));
    echo(&mut headers, Some(HeaderValue::from_static("later")));
    assert_eq!(headers[&REQUEST_ID], "ours");
    echo(&mut headers, None);
    assert_eq!(headers.len(), 1);
}
