//! Reading parameters.

use super::*;

#[test]
fn values_are_decoded_once() {
    let query = Query::of(Some("a=1&b=x%2By+z&c=%2525&d&e=")).unwrap();
    assert_eq!(query.value("a"), Some("1"));
    assert_eq!(query.value("b"), Some("x+y z"));
    assert_eq!(query.value("c"), Some("%25"));
    assert_eq!((query.value("d"), query.value("e"), query.value("f")), (None, None, None));
    assert!(query.says("a", "1") && !query.says("a", "2"));
}

#[test]
fn a_parameter_that_is_there_twice_is_an_error_also_in_disguise() {
    for text in ["a=1&a=1", "a=1&%61=2", "a&a"] {
        assert!(Query::of(Some(text)).is_none(), "{text}");
    }
    assert!(Query::of(Some("a=%ff")).is_none());
    let many: String = (0..17).map(|number| format!("p{number}=1&")).collect();
    assert!(Query::of(Some(&many)).is_none());
    assert!(Query::of(None).unwrap().value("a").is_none());
}
