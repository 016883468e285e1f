//! Tests of `file:` beyond the suite.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;
use crate::tests::fixture::{EMPTY, shown, texts};

fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    store::files::replace(&path, bytes, 0o600).unwrap();
    (folder, path)
}

async fn fetch(path: &Path, field: &str) -> Result<Vec<u8>, Error> {
    let reference = format!("file:{}{field}", path.display()).parse().unwrap();
    File::new(Vec::new()).fetch(&reference, &EMPTY).await.map(|fetched| shown(&fetched.secret))
}

#[tokio::test]
async fn white_space_around_a_text_is_left_out_and_one_line_end_of_other_bytes() {
    for (bytes, expected) in [
        (b"CANARY-8\n".as_slice(), b"CANARY-8".as_slice()),
        (b"CANARY-8\r\n", b"CANARY-8"),
        (b"CANARY-8 \n\n", b"CANARY-8"),
        (b"\n CANARY-8\tx ", b"CANARY-8\tx"),
        (b" CANARY-\xff \n\n", b" CANARY-\xff \n"),
    ] {
        let (_folder, path) = file("slack", bytes);
        assert_eq!(fetch(&path, "").await.unwrap(), expected);
    }
}

#[tokio::test]
async fn one_key_is_read_from_lines_and_from_json() {
    let (_folder, path) = file("all.env", b"OTHER=x\nexport SLACK='CANARY-8'\n");
    assert_eq!(fetch(&path, "#SLACK").await.unwrap(), b"CANARY-8");
    let missing = fetch(&path, "#GITHUB").await.err().unwrap();
    assert!(matches!(missing, Error::Missing(_)));
    let (_folder, path) = file("all.json", br#"{"a":{"SLACK":1},"SLACK":"CANARY-8"}"#);
    assert_eq!(fetch(&path, "#SLACK").await.unwrap(), b"CANARY-8");
}

#[tokio::test]
async fn what_is_in_a_broken_file_is_not_repeated() {
    for (name, bytes) in [
        ("all.env", b"SLACK='CANARY-8".as_slice()),
        ("all.env", b"CANARY-8"),
        ("all.env", b"SLACK=CANARY-8\nSLACK=CANARY-9"),
        ("all.json", b"SLACK=CANARY-8"),
        ("all.json", br#"{"SLACK":["CANARY-8"]}"#),
        ("all.json", br#"{"SLACK":"CANARY-8","SLACK":"CANARY-9"}"#),
    ] {
        let (_folder, path) = file(name, bytes);
        let error = fetch(&path, "#SLACK").await.err().unwrap();
        assert!(matches!(error, Error::Source { .. }), "{error:?}");
        assert!(!texts(&error).contains("CANARY"), "{error:?}");
    }
}

#[tokio::test]
async fn relative_paths_folders_and_devices_are_refused_and_links_are_followed() {
    let (folder, path) = file("slack", b"CANARY-8");
    for wrong in ["file:slack", "file:./slack", "file:~/slack", "file:/dev/zero"] {
        let reference: SecretRef = wrong.parse().unwrap();
        assert!(File::new(Vec::new()).fetch(&reference, &EMPTY).await.is_err(), "{wrong}");
    }
    assert!(fetch(folder.path(), "").await.is_err());
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    assert_eq!(fetch(&link, "").await.unwrap(), b"CANARY-8");
}

#[tokio::test]
async fn files_of_the_home_are_never_read_by_whatever_name() {
    let (folder, path) = file("key", b"CANARY-8");
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    let source = File::new(vec![path.clone()]);
    for path in [path, link] {
        let reference = format!("file:{}", path.display()).parse().unwrap();
        let error = source.fetch(&reference, &EMPTY).await.err().unwrap();
        assert!(error.to_string().ends_with("files of the home itself are never lent"));
    }
}

#[tokio::test]
async fn the_stamp_changes_with_the_file() {
    let (_folder, path) = file("slack", b"CANARY-8");
    let reference: SecretRef = format!("file:{}", path.display()).parse().unwrap();
    let source = File::new(Vec::new());
    let before = source.stamp(&reference).await.unwrap();
    assert_eq!(source.stamp(&reference).await.unwrap(), before);
    store::files::replace(&path, b"CANARY-9", 0o600).unwrap();
    assert_ne!(source.stamp(&reference).await.unwrap(), before);
}

#[tokio::test]
async fn a_file_that_everybody_may_read_is_doubtful() {
    let (_folder, path) = file("slack", b"CANARY-8");
    let reference: SecretRef = format!("file:{}", path.display()).parse().unwrap();
    let source = File::new(Vec::new());
    assert_eq!(source.probe(&reference, &EMPTY).await.unwrap().1, []);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(source.probe(&reference, &EMPTY).await.unwrap().1, [Doubt::WorldReadable]);
}
