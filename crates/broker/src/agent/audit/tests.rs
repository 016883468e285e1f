//! Tests of the module `audit`.

use super::*;

fn line(word: &str) -> Map<String, Value> {
    Map::from_iter([("type".to_owned(), word.into())])
}

fn at(folder: &Path, longest: u64) -> AuditFile {
    AuditFile { path: folder.join("audit.log"), longest, kept: 2 }
}

async fn written(settings: &AuditFile, words: &[&str]) {
    let log = Arc::new(AuditLog::open(settings.clone()).unwrap());
    for word in words {
        log.write(line(word), Timestamp::from_millis(1)).await.unwrap();
    }
}

#[tokio::test]
async fn a_log_goes_on_where_the_last_process_ended_and_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let settings = at(folder.path(), 1 << 20);
    written(&settings, &["a", "b"]).await;
    written(&settings, &["c"]).await;
    let found = verify_audit(&settings.path).unwrap();
    assert_eq!((found.lines, found.follows.as_str()), (3, ""));
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&settings.path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_changed_missing_or_added_line_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let settings = at(folder.path(), 1 << 20);
    written(&settings, &["a", "b", "c"]).await;
    let text = std::fs::read_to_string(&settings.path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let without = format!("{}\n{}\n", lines[0], lines[2]);
    let twice = format!("{}\n{}\n{}\n", lines[0], lines[0], lines[1]);
    for (changed, at_line, says) in [
        (text.replace("\"b\"", "\"x\""), 2, "changed"),
        (without, 2, "follow"),
        (twice, 2, "follow"),
        (text.replace("\"c\"}", "c"), 3, ""),
    ] {
        if changed == text {
            continue;
        }
        store::files::replace(&settings.path, changed.as_bytes(), 0o600).unwrap();
        let refusal = verify_audit(&settings.path).unwrap_err();
        assert!(
            refusal.message.contains(&format!(":{at_line}: ")) && refusal.message.contains(says),
            "{refusal:?}"
        );
    }
}

#[tokio::test]
async fn half_a_line_is_cut_off_before_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let settings = at(folder.path(), 1 << 20);
    written(&settings, &["a"]).await;
    let mut text = std::fs::read(&settings.path).unwrap();
    text.extend_from_slice(b"{\"type\":\"torn");
    store::files::replace(&settings.path, &text, 0o600).unwrap();
    written(&settings, &["b"]).await;
    assert_eq!(verify_audit(&settings.path).unwrap().lines, 2);
}

#[tokio::test]
async fn a_full_log_is_set_aside_and_the_next_one_follows_it() {
    let folder = tempfile::tempdir().unwrap();
    let settings = at(folder.path(), 1);
    written(&settings, &["a", "b", "c", "d"]).await;
    let former = verify_audit(&folder.path().join("audit.log.1")).unwrap();
    let now = verify_audit(&settings.path).unwrap();
    assert_eq!(now.follows, former.last);
    assert!(folder.path().join("audit.log.2").exists() && !folder.path().join("audit.log.3").exists());
}

#[tokio::test]
async fn a_log_that_takes_nothing_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = AuditLog::open(at(&folder.path().join("missing"), 1)).err().unwrap();
    assert_eq!(refusal.code, Code::EvidenceUnavailable);
}

#[test]
fn what_is_no_regular_file_is_no_log_and_stays_as_it_is() {
    use std::os::unix::fs::MetadataExt;
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("log");
    std::os::unix::fs::symlink("/dev/full", &link).unwrap();
    let before = std::fs::metadata("/dev/full").unwrap().mode();
    let settings = AuditFile { path: link, longest: 1, kept: 1 };
    let refusal = AuditLog::open(settings).err().unwrap();
    assert!(refusal.message.contains("no regular file"), "{refusal}");
    assert_eq!(std::fs::metadata("/dev/full").unwrap().mode(), before);
}
