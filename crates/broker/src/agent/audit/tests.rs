//! Tests of the module `audit`.

use super::*;

fn line(word: &str) -> Map<String, Value> {
    Map::from_iter([("type".to_owned(), word.into())])
}

/// The log with the rows of a home that is not its folder.
fn opened_beside(settings: AuditFile, rows: &Path) -> Result<AuditLog, Refusal> {
    AuditLog::open(settings, Arc::new(store::Embedded::open(&rows.join("home.db")).unwrap()))
}

/// The log with rows that nobody wrote before.
fn opened(settings: AuditFile) -> Result<AuditLog, Refusal> {
    opened_beside(settings, tempfile::tempdir().unwrap().path())
}

fn at(folder: &Path, longest: u64) -> AuditFile {
    AuditFile { path: folder.join("audit.log"), longest, kept: 2 }
}

async fn written(settings: &AuditFile, words: &[&str]) {
    let log = Arc::new(opened(settings.clone()).unwrap());
    for word in words {
        log.write(line(word), (Deed::Undone, Timestamp::from_millis(1))).await.unwrap();
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
        (text.replace('\n', "\r\n"), 1, "changed"),
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
    let text = std::fs::read(&settings.path).unwrap();
    for torn in [&b"{\"type\":\"torn"[..], b"{", b"\0\0\0\0"] {
        let mut torn_text = text.clone();
        torn_text.extend_from_slice(torn);
        store::files::replace(&settings.path, &torn_text, 0o600).unwrap();
        written(&settings, &["b"]).await;
        assert_eq!(verify_audit(&settings.path).unwrap().lines, 2);
    }
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
    let refusal = opened(at(&folder.path().join("missing"), 1)).err().unwrap();
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
    let refusal = opened(settings).err().unwrap();
    assert!(refusal.message.contains("no regular file"), "{refusal}");
    assert_eq!(std::fs::metadata("/dev/full").unwrap().mode(), before);
}

#[tokio::test]
async fn a_log_that_was_renamed_removed_or_cut_is_begun_anew_and_its_chain_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let settings = at(folder.path(), 1 << 20);
    let log = Arc::new(opened(settings.clone()).unwrap());
    let write = |word: &'static str| {
        let log = Arc::clone(&log);
        async move { log.write(line(word), (Deed::Undone, Timestamp::from_millis(1))).await.unwrap() }
    };
    write("a").await;
    let aside = folder.path().join("aside");
    std::fs::rename(&settings.path, &aside).unwrap();
    write("b").await;
    let mut last = verify_audit(&aside).unwrap().last;
    for word in ["c", "d"] {
        let found = verify_audit(&settings.path).unwrap();
        assert_eq!((found.lines, &found.follows), (1, &last), "before {word}");
        last = found.last;
        match word {
            "c" => std::fs::remove_file(&settings.path).unwrap(),
            _ => cut_to_nothing(&settings.path),
        }
        write(word).await;
    }
    let found = verify_audit(&settings.path).unwrap();
    assert_eq!((found.lines, found.follows), (1, last));
}

/// What `: > audit.log` does.
fn cut_to_nothing(path: &Path) {
    drop(File::options().write(true).truncate(true).open(path).unwrap());
}

#[tokio::test]
async fn a_log_that_can_not_be_begun_anew_refuses_until_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    std::fs::create_dir(&inner).unwrap();
    let settings = at(&inner, 1 << 20);
    let log = Arc::new(opened(settings.clone()).unwrap());
    log.write(line("a"), (Deed::Undone, Timestamp::from_millis(1))).await.unwrap();
    let last = verify_audit(&settings.path).unwrap().last;
    std::fs::remove_dir_all(&inner).unwrap();
    let refusal = log.write(line("b"), (Deed::Undone, Timestamp::from_millis(1))).await.unwrap_err();
    assert_eq!((refusal.code, log.status()), (Code::EvidenceUnavailable, "Failing"));
    std::fs::create_dir(&inner).unwrap();
    store::files::replace(&settings.path, b"somebody's own file", 0o600).unwrap();
    assert!(log.write(line("c"), (Deed::Undone, Timestamp::from_millis(1))).await.is_err());
    assert_eq!(std::fs::read_to_string(&settings.path).unwrap(), "somebody's own file");
    std::fs::remove_file(&settings.path).unwrap();
    log.write(line("d"), (Deed::Undone, Timestamp::from_millis(1))).await.unwrap();
    let found = verify_audit(&settings.path).unwrap();
    assert_eq!((found.lines, found.follows, log.status()), (1, last, "Healthy"));
}

#[tokio::test]
async fn a_line_about_what_was_done_is_owed_until_it_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let settings = at(folder.path(), 1 << 20);
    let log = Arc::new(opened(settings.clone()).unwrap());
    let write = |word, deed| log.write(line(word), (deed, Timestamp::from_millis(1)));
    write("a", Deed::Done).await.unwrap();
    assert!(log.room().is_ok());
    let aside = folder.path().join("aside");
    std::fs::rename(&settings.path, &aside).unwrap();
    std::fs::create_dir(&settings.path).unwrap();
    assert_eq!(log.room().unwrap_err().code, Code::EvidenceUnavailable);
    assert!(write("b", Deed::Done).await.is_err());
    assert!(write("never", Deed::Undone).await.is_err());
    std::fs::remove_dir(&settings.path).unwrap();
    std::fs::rename(&aside, &settings.path).unwrap();
    log.write_down();
    write("c", Deed::Undone).await.unwrap();
    let text = std::fs::read_to_string(&settings.path).unwrap();
    let words: Vec<bool> =
        ["a", "b", "c"].iter().map(|word| text.contains(&format!("\"type\":\"{word}\""))).collect();
    assert_eq!((words, text.contains("never")), (vec![true; 3], false), "{text}");
    assert_eq!(verify_audit(&settings.path).unwrap().lines, 3);
}

#[test]
fn a_file_with_something_else_in_it_is_no_log_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let settings = at(folder.path(), 1 << 20);
    let short = "{\"chain_hash\":\"ab\"}\n";
    for other in [
        "line one\nimportant",
        "important",
        "{\"key\": 1}\n",
        "{\"key\":1}",
        "{\n}\n",
        "\n",
        "[]\n{\"a",
        short,
    ] {
        store::files::replace(&settings.path, other.as_bytes(), 0o644).unwrap();
        let refusal = opened(settings.clone()).err().unwrap();
        assert!(refusal.message.contains("something else"), "{other:?}: {refusal}");
        assert_eq!(std::fs::read_to_string(&settings.path).unwrap(), other);
        let mode = std::fs::metadata(&settings.path).unwrap().permissions();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o644);
    }
}

#[tokio::test]
async fn something_else_behind_the_lines_of_a_log_is_not_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let settings = at(folder.path(), 1 << 20);
    written(&settings, &["a"]).await;
    let mut text = std::fs::read_to_string(&settings.path).unwrap();
    text.push_str("a remark");
    store::files::replace(&settings.path, text.as_bytes(), 0o600).unwrap();
    assert!(opened(settings.clone()).is_err());
    assert_eq!(std::fs::read_to_string(&settings.path).unwrap(), text);
}

/// Takes lines from the end of a file, as `sed -i` or as an editor does.
fn cut_at_the_end(path: &Path, lines: usize, in_place: bool) {
    let text = std::fs::read_to_string(path).unwrap();
    let left: Vec<&str> = text.lines().take(text.lines().count() - lines).collect();
    let left = left.join("\n") + "\n";
    if in_place {
        File::options().write(true).open(path).unwrap().set_len(left.len() as u64).unwrap();
    } else {
        store::files::replace(path, left.as_bytes(), 0o600).unwrap();
    }
}

#[tokio::test]
async fn lines_that_were_taken_from_the_end_are_missed_for_good() {
    for in_place in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let settings = at(folder.path(), 1 << 20);
        let log = Arc::new(opened(settings.clone()).unwrap());
        let write = |word: &'static str| {
            let log = Arc::clone(&log);
            async move { log.write(line(word), (Deed::Undone, Timestamp::from_millis(1))).await.unwrap() }
        };
        for word in ["a", "b", "c"] {
            write(word).await;
        }
        let last = verify_audit(&settings.path).unwrap().last;
        cut_at_the_end(&settings.path, 1, in_place);
        for word in ["d", "e"] {
            write(word).await;
            let refusal = verify_audit(&settings.path).unwrap_err();
            assert!(refusal.message.contains(":3: ") && refusal.message.contains(&last), "{refusal}");
        }
        assert_eq!(log.status(), "Broken");
        let text = std::fs::read_to_string(&settings.path).unwrap();
        let types: Vec<String> = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["type"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(types, ["a", "b", "chain_broken", "d", "e"]);
    }
}

#[tokio::test]
async fn lines_that_were_taken_while_nothing_ran_are_missed() {
    let (folder, rows) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let settings = at(folder.path(), 1 << 20);
    let writes = |word: &'static str| {
        let log = Arc::new(opened_beside(settings.clone(), rows.path()).unwrap());
        async move {
            log.write(line(word), (Deed::Undone, Timestamp::from_millis(1))).await.unwrap();
            log.remembered.write_down();
        }
    };
    writes("a").await;
    writes("b").await;
    assert_eq!(verify_audit(&settings.path).unwrap().lines, 2);
    // A file that was set aside whole is followed.
    let last = verify_audit(&settings.path).unwrap().last;
    std::fs::rename(&settings.path, folder.path().join("aside")).unwrap();
    writes("c").await;
    writes("d").await;
    assert_eq!(verify_audit(&settings.path).unwrap().follows, last);
    cut_at_the_end(&settings.path, 1, false);
    writes("e").await;
    let refusal = verify_audit(&settings.path).unwrap_err();
    assert!(refusal.message.contains("removed or replaced"), "{refusal}");
}

#[tokio::test]
async fn what_a_killed_process_wrote_last_is_no_break() {
    let (folder, rows) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let settings = at(folder.path(), 1 << 20);
    let log = Arc::new(opened_beside(settings.clone(), rows.path()).unwrap());
    log.write(line("a"), (Deed::Undone, Timestamp::from_millis(1))).await.unwrap();
    log.remembered.write_down();
    drop(log);
    // Written, and not written down in these rows.
    written(&settings, &["b"]).await;
    let log = opened_beside(settings.clone(), rows.path()).unwrap();
    assert_eq!(log.status(), "Healthy");
}
