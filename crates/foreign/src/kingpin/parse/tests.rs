//! Tests of the module `parse`: what is accepted, and the texts of what is not.

use std::ffi::OsStr;
use std::io::Write;
use std::time::Duration;

use super::super::tests::{mistake, parsed, read_with, said, words};
use super::*;

fn who(parsed: &Parsed) -> Option<&str> {
    parsed.arg("who").and_then(OsStr::to_str)
}

#[test]
fn flags_stand_anywhere_before_the_two_hyphens() {
    for line in [
        ["run", "--no-session", "alpha", "--region=here", "sh"].as_slice(),
        &["run", "alpha", "sh", "--region", "here", "-n"],
        &["r", "-nr", "here", "alpha", "--", "sh"],
        &["run", "-rhere", "-n", "--", "alpha", "sh"],
    ] {
        let parsed = parsed(line);
        assert_eq!(parsed.command.name, "run");
        assert_eq!(who(&parsed), Some("alpha"), "{line:?}");
        assert_eq!(parsed.arg("cmd"), Some(OsStr::new("sh")), "{line:?}");
        assert_eq!(parsed.text("region"), Some("here"), "{line:?}");
        assert!(parsed.switch("no-session"), "{line:?}");
    }
}

#[test]
fn flags_of_every_command_stand_before_the_command_as_well() {
    let parsed = parsed(&["--debug", "--form=rich", "run"]);
    assert!(parsed.switch("debug"));
    assert_eq!(parsed.text("form"), Some("rich"));
    assert_eq!(mistake(&["-n", "run"]), "sample: error: unknown short flag '-n', try --help");
}

#[test]
fn behind_the_two_hyphens_nothing_is_ours() {
    let parsed = parsed(&["run", "alpha", "--", "sh", "-c", "echo", "--region", "@file", "--", "--help"]);
    assert_eq!(parsed.rest("args"), words(&["-c", "echo", "--region", "@file", "--", "--help"]));
    assert_eq!(parsed.text("region"), None);
}

#[test]
fn without_the_two_hyphens_options_of_the_child_are_read_as_ours() {
    assert_eq!(
        mistake(&["run", "-n", "p", "sh", "-c", "x"]),
        "sample: error: unknown short flag '-c', try --help"
    );
}

#[test]
fn a_switch_has_a_form_that_turns_it_off() {
    assert!(parsed(&["run", "--quick"]).switch("quick"));
    assert!(parsed(&["run", "-qn"]).switch("quick"));
    assert!(!parsed(&["run", "--no-quick"]).switch("quick"));
    assert!(!parsed(&["run", "-q", "--no-quick"]).switch("quick"));
    assert!(!parsed(&["run", "--no-no-session"]).switch("no-session"));
    assert!(!parsed(&["run", "--quick=false"]).switch("quick"));
    assert!(parsed(&["run", "--no-quick=false"]).switch("quick"));
    assert!(!parsed(&["run"]).switch("quick"));
    assert_eq!(
        mistake(&["run", "--no-region"]),
        "sample: error: unknown long flag '--no-region', try --help"
    );
    assert_eq!(
        mistake(&["run", "--quick=yes"]),
        "sample: error: strconv.ParseBool: parsing \"yes\": invalid syntax, try --help"
    );
}

#[test]
fn mistakes_have_the_texts_that_scripts_know() {
    for (line, text) in [
        (["run", "--x"].as_slice(), "unknown long flag '--x'"),
        (&["run", "--x=1"], "unknown long flag '--x'"),
        (&["run", "-c"], "unknown short flag '-c'"),
        (&["run", "-qxn"], "unknown short flag '-x'"),
        (&["run", "-é"], "unknown short flag '-é'"),
        (&["run", "-"], "unknown short flag '-'"),
        (&["run", "--region"], "expected argument for flag '--region'"),
        (&["run", "-r"], "expected argument for flag '-r'"),
        (&["run", "--region", "--quick"], "expected argument for flag '--region'"),
        (&["run", "--region", "--", "x"], "expected argument for flag '--region'"),
        (&["run", "-qd"], "expected argument for flag '-d'"),
        (&["run", "-r", "a", "--region=b"], "flag 'region' cannot be repeated"),
        (&["nope"], "expected command but got \"nope\""),
        (&["copy", "--from=a", "--to=b"], "required argument 'what' not provided"),
        (&["copy", "x", "--from=a"], "required flag(s) '--to' not provided"),
        (&["copy", "x"], "required flag(s) '--from', '--to' not provided"),
        (&["copy", "--from=a", "--to=b", "x", "wJalrXUtnFEMI/K7MDENG"], "unexpected (not shown)"),
        (&["copy", "--from=a", "--to=b", "x", "y"], "unexpected y"),
        (&["copy", "--from=c", "--to=b", "x"], "enum value must be one of a,b, got 'c'"),
        (&["run", "-d", "10"], "time: missing unit in duration \"10\""),
        (&["run", "--duration=1x"], "time: unknown unit \"x\" in duration \"1x\""),
        (&["run", "-dh"], "time: invalid duration \"h\""),
        (&["help", "nope"], "expected command but got \"nope\""),
        (&["help", "run", "more"], "unexpected more"),
    ] {
        assert_eq!(mistake(line), format!("sample: error: {text}, try --help"), "{line:?}");
    }
}

#[test]
fn a_text_that_stands_alone_has_no_advice() {
    assert_eq!(Error::Plain("that is gone".to_owned()).line("sample"), "sample: error: that is gone");
}

#[test]
fn a_length_of_time_is_read() {
    for line in [
        ["run", "-d", "1h30m"].as_slice(),
        &["run", "-d1h30m"],
        &["run", "--duration=90m"],
        &["run", "-qd5400s"],
    ] {
        assert_eq!(parsed(line).duration("duration"), Some(Duration::from_secs(5400)), "{line:?}");
    }
    assert_eq!(parsed(&["run", "-d", "1w"]).duration("duration"), Some(Duration::from_secs(604_800)));
}

#[test]
fn what_is_typed_goes_before_the_environment_and_that_before_the_default() {
    let form = |line: &[&str], set: &[(&str, &str)]| match read_with(line, set) {
        Ok(Reading::Run(parsed)) => parsed.text("form").map(str::to_owned),
        other => panic!("{other:?}"),
    };
    assert_eq!(form(&["run"], &[]).as_deref(), Some("plain"));
    assert_eq!(form(&["run"], &[("SAMPLE_FORM", "rich")]).as_deref(), Some("rich"));
    assert_eq!(form(&["run", "--form=plain"], &[("SAMPLE_FORM", "rich")]).as_deref(), Some("plain"));
    assert_eq!(form(&["run"], &[("SAMPLE_FORM", "")]).as_deref(), Some("plain"));
}

#[test]
fn the_first_variable_that_is_set_counts() {
    let duration = |set: &[(&str, &str)]| match read_with(&["run"], set) {
        Ok(Reading::Run(parsed)) => parsed.duration("duration"),
        other => panic!("{other:?}"),
    };
    assert_eq!(duration(&[("SAMPLE_DURATION", "2h")]), Some(Duration::from_secs(7200)));
    assert_eq!(
        duration(&[("SAMPLE_DURATION", "2h"), ("SAMPLE_LONG", "1h")]),
        Some(Duration::from_secs(3600))
    );
    assert_eq!(duration(&[]), None);
}

#[test]
fn a_variable_that_cannot_be_read_is_a_mistake() {
    for (name, value, text) in [
        ("SAMPLE_DEBUG", "yes", "strconv.ParseBool: parsing \"yes\": invalid syntax"),
        ("SAMPLE_FORM", "odd", "enum value must be one of plain,rich, got 'odd'"),
        ("SAMPLE_DURATION", "3600", "time: missing unit in duration \"3600\""),
    ] {
        let error = read_with(&["run"], &[(name, value)]).unwrap_err();
        assert_eq!(error.line("sample"), format!("sample: error: {text}, try --help"));
    }
    let Ok(Reading::Run(on)) = read_with(&["run"], &[("SAMPLE_DEBUG", "1")]) else { panic!() };
    assert!(on.switch("debug"));
    let Ok(Reading::Run(off)) = read_with(&["run", "--no-debug"], &[("SAMPLE_DEBUG", "1")]) else { panic!() };
    assert!(!off.switch("debug"));
}

#[test]
fn a_variable_stands_in_for_an_argument() {
    let Ok(Reading::Run(parsed)) = read_with(&["run"], &[("SAMPLE_WHO", "beta")]) else { panic!() };
    assert_eq!(who(&parsed), Some("beta"));
    let Ok(Reading::Run(parsed)) = read_with(&["run", "--", "cmd"], &[("SAMPLE_WHO", "beta")]) else {
        panic!()
    };
    assert_eq!(who(&parsed), Some("cmd"), "as in the programs whose words these are");
    let Ok(Reading::Run(parsed)) = read_with(&["run"], &[("SAMPLE_WHO", "")]) else { panic!() };
    assert_eq!(who(&parsed), None);
}

#[test]
fn a_file_of_arguments_is_put_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
        format!("@{}", path.display())
    };
    let args = file("args", "# a comment\nalpha\n--region\nover there\nsh\n-q\n");
    let parsed = parsed(&["run", &args, "last"]);
    assert_eq!(who(&parsed), Some("alpha"));
    assert_eq!(parsed.text("region"), Some("over there"));
    assert!(parsed.switch("quick"));
    assert_eq!(parsed.rest("args"), words(&["last"]));

    let own = format!("{}/loop", folder.path().display());
    let looped = file("loop", &format!("@{own}\n"));
    assert_eq!(mistake(&["run", &looped]), "sample: error: too many files of arguments, try --help");
    let missing = mistake(&["run", "@/nonexistent/file"]);
    assert!(
        missing.starts_with("sample: error: failed to open arguments file \"/nonexistent/file\": "),
        "{missing}"
    );
}

#[cfg(unix)]
#[test]
fn a_word_that_is_no_text_is_an_argument() {
    use std::os::unix::ffi::OsStringExt;
    let odd = OsString::from_vec(vec![b'-', 0xff]);
    let line = [OsString::from("run"), OsString::from("p"), odd.clone()];
    let Ok(Reading::Run(parsed)) = read(&super::super::tests::SAMPLE, &line, &|_| None, &Vec::new) else {
        panic!()
    };
    assert_eq!(parsed.arg("cmd"), Some(odd.as_os_str()));
}

#[test]
fn help_and_version_go_before_what_is_missing() {
    assert_eq!(said(&["--version"]), Saying { to: Stream::Stderr, text: "1.2.3\n".to_owned() });
    assert_eq!(said(&["-v"]), said(&["--version"]));
    assert_eq!(said(&["copy", "--help"]), said(&["help", "copy"]));
    assert_eq!(said(&["--help"]), said(&["help"]));
    assert_eq!(said(&["help", "copy"]).to, Stream::Stdout);
    assert_eq!(said(&["help"]).to, Stream::Stdout);
    assert_eq!(said(&[]).to, Stream::Stderr);
    for (flag, text) in [
        ("--help-long", "usage: sample"),
        ("--help-man", ".TH sample 1"),
        ("--completion-script-bash", "complete -o default -F _sample_complete sample"),
        ("--completion-script-zsh", "#compdef sample"),
        ("--completion-script-fish", "complete -c sample"),
    ] {
        let saying = said(&[flag]);
        assert_eq!(saying.to, Stream::Stdout);
        assert!(saying.text.contains(text), "{}", saying.text);
    }
}
