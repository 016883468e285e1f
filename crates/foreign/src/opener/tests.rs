//! Tests of the module `opener`.

use super::*;

const URL: &str = "https://device.sso.eu-west-1.amazonaws.com/?user_code=AAAA-BBBB";

fn tried(template: Option<&str>, variable: Option<&str>) -> Vec<Argv> {
    candidates(URL, Browsers { template, variable }, &["xdg-open"]).unwrap()
}

#[test]
fn without_anything_the_system_opens_it() {
    assert_eq!(tried(None, None), [["xdg-open", URL]]);
}

#[test]
fn the_variable_names_browsers_in_order_and_then_the_system() {
    assert_eq!(
        tried(None, Some("firefox -P work:w3m %s:")),
        [vec!["firefox", "-P", "work", URL], vec!["w3m", URL], vec!["xdg-open", URL]]
    );
}

#[test]
fn the_command_of_a_profile_is_the_only_one() {
    let container = format!("ext+container:name=prod&url={URL}");
    assert_eq!(
        tried(Some("firefox 'ext+container:name=prod&url={url}'"), Some("w3m")),
        [vec!["firefox", container.as_str()]]
    );
    assert_eq!(
        tried(Some(r#""/opt/My Browser/run" --profile=a\ b"#), None),
        [vec!["/opt/My Browser/run", "--profile=a b", URL]]
    );
}

#[test]
fn a_command_that_is_none_is_an_error() {
    for (template, text) in [
        ("", "the browser command of the profile is empty"),
        ("'firefox", "the browser command of the profile has a quote without end"),
        ("firefox \\", "the browser command of the profile ends with a backslash"),
    ] {
        let browsers = Browsers { template: Some(template), variable: None };
        assert_eq!(candidates(URL, browsers, SYSTEM).unwrap_err().to_string(), text);
    }
}

#[test]
fn only_pages_are_opened() {
    for url in [
        "file:///etc/passwd",
        "-P",
        "http://example.com/",
        "https://a b",
        "javascript:alert(1)",
        "https://a\n",
    ] {
        assert!(matches!(open(url, Browsers::default()), Err(NotOpened::Address)), "{url}");
    }
    assert!(candidates("http://127.0.0.1:8080/callback", Browsers::default(), SYSTEM).is_ok());
}

#[test]
fn a_browser_that_is_not_there_is_an_error() {
    let browsers = Browsers { template: Some("/nonexistent/browser"), variable: None };
    assert!(matches!(open(URL, browsers), Err(NotOpened::Start(_))));
}

#[cfg(unix)]
#[test]
fn the_address_is_one_argument() {
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen");
    // Written aside and renamed, so that what is seen is whole.
    let script = format!("printf '%s|' \"$@\" >'{0}.new' && mv '{0}.new' '{0}'", seen.display());
    let template =
        format!("/bin/sh -c \"{}\" sh --new {{url}}", script.replace('$', "\\$").replace('"', "\\\""));
    open(URL, Browsers { template: Some(&template), variable: None }).unwrap();
    let wait = || {
        (0..12_000)
            .any(|_| seen.exists() || (std::thread::sleep(std::time::Duration::from_millis(10)), false).1)
    };
    assert!(wait());
    assert_eq!(std::fs::read_to_string(seen).unwrap(), format!("--new|{URL}|"));
}

#[test]
fn a_browser_that_ends_with_a_failure_has_opened_nothing() {
    let hang = Duration::from_secs(60);
    let of = |variable, system: &[&str]| {
        opened(URL, Browsers { template: None, variable: Some(variable) }, system, hang)
    };
    let refused = of("false", &["false", "-x"]).unwrap_err();
    assert_eq!(refused.to_string(), "the browser `false` ended with exit status: 1");
    assert!(of("false:true", &["/nonexistent/opener"]).is_ok(), "the next one is tried");
    assert!(of("false", &["true"]).is_ok());
    assert!(matches!(of("/nonexistent/b", &["/nonexistent/opener"]), Err(NotOpened::Start(_))));
    let own = Browsers { template: Some("false {url}"), variable: Some("true") };
    assert!(matches!(opened(URL, own, &["true"], hang), Err(NotOpened::Ended { .. })));
}
