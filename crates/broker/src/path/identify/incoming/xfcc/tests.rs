//! The header in both of its forms, and everything that has two readings.

use model::{Fact, Method, Target};
use proptest::prelude::*;

use super::*;

fn rules() -> Xfcc {
    Xfcc {
        header: "x-forwarded-client-cert".to_owned(),
        from: vec!["127.0.0.0/8".parse().unwrap()],
        allowed_uris: vec!["spiffe://a/one".to_owned()],
        allowed_uri_prefixes: vec!["spiffe://a/ns/".to_owned()],
        ignored_uris: vec!["spiffe://a/proxy".to_owned()],
    }
}

fn checked(lines: &[&str]) -> Result<String, &'static str> {
    checked_from("127.0.0.1", lines)
}

fn checked_from(address: &str, lines: &[&str]) -> Result<String, &'static str> {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append("x-forwarded-client-cert", line.parse().unwrap());
    }
    let facts = Fact { address: Some(address.parse().unwrap()), ..Fact::default() };
    let target: Target = "/".parse().unwrap();
    let body = bytes::Bytes::new();
    let came = Came {
        method: Method::Get,
        target: &target,
        written: target.as_str(),
        headers: &headers,
        facts: &facts,
        body,
    };
    match check(&rules(), &came) {
        Ok(accepted) => Ok(accepted.id.unwrap()),
        Err(No::Wrong(why)) => Err(why),
        Err(No::Ours(refusal)) => panic!("{refusal:?}"),
    }
}

#[test]
fn one_uri_that_is_allowed_names_the_caller() {
    for (lines, id) in [
        (&["URI=spiffe://a/one"][..], "spiffe://a/one"),
        (
            &["By=spiffe://a/proxy;Hash=00;Subject=\"CN=x,OU=\\\"y\\\";URI=z\";URI=spiffe://a/ns/b"],
            "spiffe://a/ns/b",
        ),
        (&["URI=spiffe://a/proxy", "uri=\"spiffe://a/one\""], "spiffe://a/one"),
        (&["Hash=1;URI=,Hash=2;URI=spiffe://a/one"], "spiffe://a/one"),
        (&["[{\"Hash\": \"1\", \"URI\": \"spiffe://a/one\"}]"], "spiffe://a/one"),
        (&["{\"URI\": [\"spiffe://a/proxy\", \"spiffe://a/ns/b\"]}"], "spiffe://a/ns/b"),
        (&["{\"URI\": \"spiffe://a/proxy\"}", "{\"URI\": \"spiffe://a/one\"}"], "spiffe://a/one"),
    ] {
        assert_eq!(checked(lines), Ok(id.to_owned()), "{lines:?}");
    }
}

#[test]
fn what_has_two_readings_or_none_is_refused() {
    for lines in [
        &[][..],
        &[""],
        &["Hash=1"],
        &["URI=spiffe://b/one"],
        &["URI=spiffe://a/one/two"],
        &["URI=spiffe://a/proxy"],
        &["URI=spiffe://a/ns/../evil"],
        &["URI=spiffe://a/ns/%2E%2e/evil"],
        &["URI=spiffe://a/ns/x/./y"],
        &["URI=spiffe://a/ns/..%2fevil"],
        &["URI=spiffe://a/one,URI=spiffe://a/ns/b"],
        &["URI=spiffe://a/one", "URI=spiffe://a/one"],
        &["URI=spiffe://a/one;URI=spiffe://a/one"],
        &["URI=spiffe://a/one,"],
        &[",URI=spiffe://a/one"],
        &["URI=spiffe://a/one;"],
        &["URI=\"spiffe://a/one"],
        &["URI=spiffe://a/one\""],
        &["URI=\"spiffe://a\"/one\""],
        &["Subject=\"\\\";URI=spiffe://a/one"],
        &["URI spiffe://a/one"],
        &["URI=spiffe://a/one,{\"URI\": \"spiffe://a/proxy\"}"],
        &["{\"URI\": \"spiffe://a/proxy\"}", "URI=spiffe://a/one"],
        &["[]"],
        &["[{}]"],
        &["{\"URI\": \"spiffe://a/proxy\", \"URI\": \"spiffe://a/one\"}"],
        &["{\"URI\": \"spiffe://a/proxy\", \"uri\": \"spiffe://a/one\"}"],
        &["{\"URI\": 7}"],
        &["{\"URI\": \"spiffe://a/one\"} x"],
    ] {
        assert!(checked(lines).is_err(), "{lines:?}: {:?}", checked(lines));
    }
}

#[test]
fn an_address_of_ipv6_that_wraps_one_of_ipv4_is_that_one() {
    assert!(checked_from("::ffff:127.0.0.1", &["URI=spiffe://a/one"]).is_ok());
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in "[\\x20-\\x7e]{0,80}") {
        let _ = read(&text);
    }

    /// Whoever chooses the subject of a certificate must not choose its URI.
    #[test]
    fn what_stands_in_quotes_adds_no_uri(subject in "[a-zA-Z0-9=,; :/]{0,40}") {
        let header = format!("Subject=\"{subject}\";URI=spiffe://a/one");
        prop_assert_eq!(checked(&[&header]), Ok("spiffe://a/one".to_owned()));
    }
}
