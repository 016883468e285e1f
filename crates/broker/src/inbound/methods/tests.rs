//! What a request says of its method, however it is written.

use super::*;

#[test]
fn a_pair_that_names_another_method_is_refused_however_it_is_written() {
    for pairs in [
        "_method=DELETE",
        "a=b&_method=delete",
        "_METHOD=PUT",
        "%5Fmethod=PUT",
        "_meth%6Fd=P%55T",
        "a=b;_method=PUT",
        "_method",
        "_method=",
        "_method=POST&_method=PUT",
        "+_method=PUT",
        ".method=PUT",
        "X-HTTP-Method-Override=PATCH",
        "_httpMethod=DELETE",
    ] {
        let refusal = named_in(pairs.as_bytes(), Method::Post).map(|_| ()).unwrap_err();
        assert_eq!(refusal.code, Code::BadRequest, "{pairs}");
    }
}

#[test]
fn other_pairs_and_the_same_method_pass() {
    for pairs in
        ["", "a=_method", "method=PUT", "payment_method=card", "_method=POST", "_method=post", "a%=_", "%"]
    {
        assert!(named_in(pairs.as_bytes(), Method::Post).is_ok(), "{pairs}");
    }
    assert!(named_in(b"_method=PUT", Method::Put).is_ok());
}
