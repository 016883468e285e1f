//! Tests of the module `file`.

#![expect(clippy::disallowed_methods, reason = "tests write the file that they read")]

use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;

use super::*;

fn file(text: &str) -> File {
    File::parse(text, Path::new("/h/config")).unwrap()
}

fn value<'f>(file: &'f File, profile: &str, key: &str) -> &'f str {
    file.section(profile).unwrap().get(key).unwrap_or("(none)")
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn keys_are_separated_by_an_equals_sign_or_a_colon() {
    let file = file("[profile a]\nRegion : eu-west-1\noutput=json\n  indented = yes\n");
    assert_eq!(value(&file, "a", "region"), "eu-west-1");
    assert_eq!(value(&file, "a", "indented"), "yes");
    assert_eq!(file.section("a").unwrap().line("region"), Some(2));
}

#[test]
fn a_comment_needs_a_space_before_it() {
    let file = file(
        "# top\n[profile a] # header [x]\nsso_start_url = https://x/start#/\nregion = x ; y\n; all\nboth = a ; b # c\n",
    );
    assert_eq!(value(&file, "a", "sso_start_url"), "https://x/start#/");
    assert_eq!(value(&file, "a", "region"), "x");
    assert_eq!(value(&file, "a", "both"), "a ; b");
}

#[test]
fn two_sections_of_one_name_are_one_and_later_keys_win() {
    let file = file("[profile p]\nregion=a\noutput=o\n[x]\n[profile p]\nregion=b\n");
    assert_eq!((value(&file, "p", "region"), value(&file, "p", "output")), ("b", "o"));
    assert_eq!(file.profiles().collect::<Vec<_>>(), ["p"]);
}

#[test]
fn nested_blocks_belong_to_the_key_above() {
    let file = file(
        "[services s]\nsts =\n  endpoint_url = http://x ; c\n  # no\n\niam =\n\tENDPOINT_URL=http://y\n  odd\nregion=r\n",
    );
    let section = file.services("s").unwrap();
    assert_eq!(section.nested("sts", "endpoint_url"), Some("http://x"));
    assert_eq!(section.nested("iam", "endpoint_url"), Some("http://y"));
    assert_eq!((section.get("endpoint_url"), section.get("region")), (None, Some("r")));
}

#[test]
fn names_may_have_quotes_spaces_and_brackets() {
    let file = file(
        "[profile \"a b\"]\nregion=1\n[profile c d]\nregion=2\n[profile e]f]\nregion=3\n[sso-session \"s t\"]\na=b\n",
    );
    assert_eq!(file.profiles().collect::<Vec<_>>(), ["a b", "c d", "e]f"]);
    for (name, region) in [("a b", "1"), ("\"a b\"", "1"), ("c d", "2"), ("e]f", "3")] {
        assert_eq!(value(&file, name, "region"), region, "{name}");
    }
    assert!(file.sso_session("s t").is_some());
    assert!(file.sso_session("\"s t\"").is_some());
}

#[test]
fn quotes_around_a_value_go_and_lines_may_continue() {
    let file = file(
        "[profile a]\none = \"x y\"\ntwo = \"a\" \"b\"\nthree = a \\\n  b\\\n  c\nfour = `k # l`\nfive = \"\"\"m\nn\"\"\"\nsix=6",
    );
    let expected = [
        ("one", "x y"),
        ("two", "\"a\" \"b\""),
        ("three", "a bc"),
        ("four", "k # l"),
        ("five", "m\nn"),
        ("six", "6"),
    ];
    for (key, text) in expected {
        assert_eq!(value(&file, "a", key), text);
    }
}

#[test]
fn a_malformed_file_names_path_line_and_text() {
    let error = |text: &str| File::parse(text, Path::new("/h/config")).unwrap_err();
    let open = error("\n[profile a\nregion=x\n");
    assert_eq!(open.to_string(), "could not read /h/config: line 2: the `[` is not closed: `[profile a`");
    assert!(open.compatible().starts_with("Error parsing config file /h/config: line 2"));
    assert!(open.hint().is_some());
    assert!(matches!(error("[profile a]\n\nregion x\n"), Error::Malformed { line: 3, .. }));
    assert!(matches!(error("[profile a]\n= x\n"), Error::Malformed { line: 2, .. }));
    assert!(matches!(error("[profile a]\nx = `y\n\n"), Error::Malformed { line: 2, .. }));
}

#[test]
fn a_malformed_line_does_not_show_a_key() {
    let text = "[a]\naws_secret_access_key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY AKIAIOSFODNN7EXAMPLE\n";
    let error = File::parse(text, Path::new("c")).unwrap_err();
    assert_eq!(error.to_string(), "could not read c: line 2: there is no `=`: `… … …`");
}

#[test]
fn a_missing_file_is_empty_and_is_not_made() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("aws/config");
    assert_eq!(File::load(&path).unwrap().profiles().count(), 0);
    assert!(!path.exists() && !home.path().join("aws").exists());
    assert!(matches!(File::load(home.path()), Err(Error::Read { .. })));
}

#[test]
fn a_file_that_is_no_text_names_the_line() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config");
    std::fs::write(&path, b"[default]\nregion=\xff\n").unwrap();
    assert!(matches!(File::load(&path), Err(Error::NotText { line: 2, .. })));
}

#[test]
fn a_mark_at_the_start_is_no_part_of_the_first_line() {
    assert_eq!(value(&file("\u{feff}[default]\r\nregion=x\r\n"), "default", "region"), "x");
}

#[test]
fn adding_a_profile_appends_one_section() {
    let nested = "[default]\n\n[profile testing]\nregion=us-west-2\ns3=\n  max_concurrent_requests=10\n";
    assert_eq!(file(nested).with_profile("llamas", &[]).unwrap(), format!("{nested}\n[profile llamas]\n"));
    let odd = "# top\n[default]\nregion = us-east-1 ; inline\noutput   =  json\n\n[profile a] # hdr\nregion : eu-west-1";
    assert_eq!(file(odd).with_profile("new", &[]).unwrap(), format!("{odd}\n\n[profile new]\n"));
    assert_eq!(file("").with_profile("default", &[]).unwrap(), "[default]\n");
    assert_eq!(file("[a]\n\n").with_profile("p", &[("k", "v")]).unwrap(), "[a]\n\n[profile p]\nk=v\n");
    assert_eq!(file("[a]\r\nb=c\r\n").with_profile("p", &[]).unwrap(), "[a]\r\nb=c\r\n\r\n[profile p]\r\n");
    assert_eq!(file(odd).with_profile("a", &[("k", "v")]).unwrap(), odd);
}

#[test]
fn what_would_not_read_back_is_not_written() {
    let file = file("[profile a]\nregion=x\n[profile b]\n");
    for name in ["x]\n[profile b", "x\ny=z", "", " x", "x] # y", "a\r"] {
        assert!(matches!(file.with_profile(name, &[]), Err(Error::Unwritable { .. })), "{name:?}");
    }
    for value in ["x\nregion=y", "x\n[profile b]\nr=1", "x # y", "\"x\"", " x", "x\\", "`", "", "x\r"] {
        assert!(file.with_setting("a", "region", value).is_err(), "{value:?}");
        assert!(file.with_setting("a", "mfa_serial", value).is_err(), "{value:?}");
    }
    assert!(file.with_setting("a", "b=c", "d").is_err());
}

#[test]
fn setting_a_key_touches_its_value_alone() {
    let text = "[profile a]\nRegion  =  x y  ; why\ns3 =\n  a = b\n# end\n\n[profile b]\n";
    let set = |key, value| file(text).with_setting("a", key, value);
    assert_eq!(set("region", "z").unwrap(), text.replace("x y", "z"));
    assert_eq!(set("output", "json").unwrap(), text.replace("a = b\n", "a = b\noutput=json\n"));
    assert!(set("s3", "x").is_err());
    assert_eq!(file("[profile a]").with_setting("a", "k", "v").unwrap(), "[profile a]\nk=v\n");
    assert_eq!(file("").with_setting("a", "k", "v").unwrap(), "[profile a]\nk=v\n");
    let empty = file("[profile a]\nregion =\noutput=x\n").with_setting("a", "region", "r").unwrap();
    assert_eq!(value(&file(&empty), "a", "region"), "r");
}

#[test]
fn taking_out_a_key_or_a_profile_leaves_the_rest() {
    let text = "[profile a]\nregion=x\ns3 =\n  a = b\n\n  c = d\noutput=o\n\n# about b\n[profile b]\nk=v\n";
    assert_eq!(
        file(text).without_setting("a", "S3"),
        "[profile a]\nregion=x\noutput=o\n\n# about b\n[profile b]\nk=v\n"
    );
    assert_eq!(file(text).without_setting("a", "no"), text);
    assert_eq!(file(text).without_profile("a"), "# about b\n[profile b]\nk=v\n");
    assert_eq!(file(text).without_profile("no"), text);
    assert_eq!(file("k=v\n[profile a]\n\n[profile a]").without_profile("a"), "k=v\n");
    let added = file(text).with_profile("new", &[("k", "v")]).unwrap();
    assert_eq!(file(&added).without_profile("new"), text);
}

#[test]
fn saving_makes_a_private_file_and_keeps_the_permissions_of_an_old_one() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("aws/config");
    let fresh = File::load(&path).unwrap();
    fresh.save("[default]\n").unwrap();
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o664)).unwrap();
    File::load(&path).unwrap().save("[profile a]\n").unwrap();
    assert_eq!(mode(&path), 0o664);
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn saving_follows_a_link_also_to_a_file_that_is_not_there_yet() {
    let home = tempfile::tempdir().unwrap();
    let (link, real) = (home.path().join("config"), home.path().join("dotfiles"));
    std::os::unix::fs::symlink("dotfiles", &link).unwrap();
    File::load(&link).unwrap().save("[default]\n").unwrap();
    File::load(&link).unwrap().save("[profile a]\n").unwrap();
    assert_eq!(std::fs::read_to_string(&real).unwrap(), "[profile a]\n");
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[test]
fn saving_over_what_another_program_wrote_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config");
    let ours = File::load(&path).unwrap();
    std::fs::write(&path, "[profile theirs]\n").unwrap();
    assert!(matches!(ours.save("[profile ours]\n"), Err(Error::Changed { .. })));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "[profile theirs]\n");
    let folder = File { path: home.path().to_owned(), ..ours };
    assert!(matches!(folder.save("x"), Err(Error::NotAFile { .. })));
}

#[test]
fn an_edit_sees_what_another_program_wrote_before_it_and_in_the_midst_of_it() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("aws").join("config");
    let asked = std::cell::Cell::new(0);
    let added = |file: &File| {
        asked.set(asked.get() + 1);
        if asked.get() == 1 {
            std::fs::write(&path, "[profile theirs]\n").unwrap();
        }
        file.with_profile("ours", &[]).map(Some)
    };
    File::edit(&path, added).unwrap();
    let read = File::load(&path).unwrap();
    assert_eq!(read.profiles().collect::<Vec<_>>(), ["theirs", "ours"]);
    File::edit(&path, |_| Ok(None)).unwrap();
    assert_eq!(File::load(&path).unwrap().text(), read.text());
}

/// Texts that look like profile files, broken ones as well.
fn texts() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "[",
        "]",
        "profile ",
        "[profile a]",
        "[profile b]",
        "[default]",
        "[services s]",
        "region",
        "key",
        "=",
        " = ",
        ":",
        " ",
        "\t",
        "\n",
        "\r\n",
        "#",
        " ;",
        "\"",
        "\"\"\"",
        "`",
        "'",
        "\\",
        "\\\n",
        "é",
        "x",
        "k=v\n",
        "s3 =\n  a = b\n",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn reading_never_panics(text in texts(), any in ".*") {
        let _ = File::parse(text, Path::new("c"));
        let _ = File::parse(any, Path::new("c"));
    }

    #[test]
    fn adding_a_profile_keeps_every_byte(text in texts(), name in "[a-z]{1,3}") {
        if let Ok(file) = File::parse(text.as_str(), Path::new("c")) && let Ok(added) = file.with_profile(&name, &[("k", "v")]) {
            prop_assert!(added.starts_with(&text));
            prop_assert!(File::parse(added, Path::new("c")).unwrap().section(&name).is_some());
        }
    }

    #[test]
    fn setting_a_key_changes_one_place_and_no_other_value(text in texts(), name in "[ab]", key in "region|key|k", to in "[a-z]{1,4}") {
        let Ok(file) = File::parse(text.as_str(), Path::new("c")) else { return Ok(()) };
        let Ok(edited) = file.with_setting(&name, &key, &to) else { return Ok(()) };
        let read = File::parse(edited.as_str(), Path::new("c")).unwrap();
        prop_assert_eq!(read.section(&name).unwrap().get(&key), Some(to.as_str()));
        let all = |file: &File| -> Vec<(Title, String, String)> {
            let of = |block: &Block| {
                let title = block.title.clone();
                let entry = move |entry: &parse::Entry| (title.clone(), entry.key.clone(), entry.value.clone());
                block.entries.iter().map(entry).collect::<Vec<_>>()
            };
            file.blocks.iter().flat_map(of).filter(|(title, found, _)| !(title.profile() == Some(&name) && *found == key)).collect()
        };
        prop_assert_eq!(all(&file), all(&read));
        let same = |a: &mut dyn Iterator<Item = u8>, b: &mut dyn Iterator<Item = u8>| a.zip(b).take_while(|(a, b)| a == b).count();
        let head = same(&mut text.bytes(), &mut edited.bytes());
        let tail = same(&mut text.bytes().rev(), &mut edited.bytes().rev());
        let old = file.section(&name).and_then(|section| section.entry(&key).map(|entry| entry.value_span.len()));
        prop_assert!(head + tail + old.unwrap_or(0) >= text.len());
    }

    #[test]
    fn taking_a_profile_out_takes_it_out(text in texts()) {
        let Ok(file) = File::parse(text, Path::new("c")) else { return Ok(()) };
        let Ok(read) = File::parse(file.without_profile("a"), Path::new("c")) else { return Ok(()) };
        prop_assert!(read.section("a").is_none());
        prop_assert_eq!(file.section("b").map(|b| b.keys().count()), read.section("b").map(|b| b.keys().count()));
    }
}
