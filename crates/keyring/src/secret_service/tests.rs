//! Paths and attributes of the Secret Service, without a bus.

use super::*;

#[test]
fn a_path_is_read_as_it_was_meant() {
    let read = |path: &'static str| plain(&ObjectPath::try_from(path).unwrap());
    assert_eq!(
        read("/org/freedesktop/secrets/collection/aws_2dvault"),
        "/org/freedesktop/secrets/collection/aws-vault"
    );
    assert_eq!(read("/a/_"), "/a/_");
    assert_eq!(read("/a/_zz_5f"), "/a/_zz_");
}

#[test]
fn only_items_with_our_attribute_alone_are_entries() {
    let attributes = |pairs: &[(&str, &str)]| -> HashMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    assert_eq!(is_ours(&attributes(&[("profile", "a")])), Some("a"));
    assert_eq!(
        is_ours(&attributes(&[("profile", "a"), ("xdg:schema", "org.freedesktop.Secret.Generic")])),
        Some("a")
    );
    assert_eq!(is_ours(&attributes(&[("profile", "a"), ("application", "browser")])), None);
    assert_eq!(is_ours(&attributes(&[("xdg:schema", "x")])), None);
}
