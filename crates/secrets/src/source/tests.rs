//! The suite of secret sources, and the list of them.

mod conformance;

use self::conformance::{Placed, conformance};
use super::*;

fn in_the_environment(bytes: Option<&[u8]>) -> Placed {
    use std::os::unix::ffi::OsStringExt;
    let bytes = bytes.map(<[u8]>::to_vec);
    let read = move |name: &str| {
        if name == "SLACK" { bytes.clone().map(std::ffi::OsString::from_vec) } else { None }
    };
    Placed { source: Box::new(Env::reading(read)), reference: "env:SLACK".parse().unwrap(), _folder: None }
}

fn in_a_file(bytes: Option<&[u8]>) -> Placed {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slack");
    if let Some(bytes) = bytes {
        store::files::replace(&path, bytes, 0o600).unwrap();
    }
    let reference = format!("file:{}", path.display()).parse().unwrap();
    Placed { source: Box::new(File::new(Vec::new())), reference, _folder: Some(folder) }
}

conformance!(env, super::in_the_environment);
conformance!(file, super::in_a_file);

#[test]
fn every_scheme_that_a_reference_may_have_is_a_source() {
    for source in SOURCES {
        assert!(format!("{}:x", source.scheme).parse::<SecretRef>().is_ok(), "{}", source.scheme);
        let example: SecretRef = source.example.parse().unwrap();
        assert_eq!(example.scheme(), source.scheme);
    }
    for scheme in
        ["", "http", "https", "vault", "keyring", "aws", "gcp", "op", "cmd", "exec", "stdin", "pass", "house"]
    {
        assert!(
            format!("{scheme}:x").parse::<SecretRef>().is_err(),
            "`{scheme}` parses, but no source answers to it"
        );
    }
}

#[test]
fn the_members_of_the_list_are_what_they_say() {
    for source in SOURCES {
        if let Some(make) = source.make {
            assert_eq!(make(&Setup::default()).scheme(), source.scheme);
        }
    }
}
