//! One proof, and a session only from a page of ours.

use http::Request;

use super::*;

fn parts(method: &str, headers: &[(&str, &str)]) -> Parts {
    let request = Request::builder().method(method).uri("/v1/session").header("host", "127.0.0.1:8000");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(()).unwrap().into_parts().0
}

fn near() -> Known {
    Known::at("127.0.0.1:8000", None)
}

fn code(method: &str, headers: &[(&str, &str)]) -> Option<Code> {
    presented(&parts(method, headers), &near()).err().map(|refusal| refusal.code)
}

const SESSION: (&str, &str) = ("cookie", "a=b; doorward_session=dws1.x");

#[test]
fn several_proofs_are_none() {
    let (key, bearer) = (("x-api-key", "acme_api_1"), ("authorization", "Bearer acme_api_1"));
    for both in [[key, bearer], [key, SESSION], [bearer, SESSION]] {
        assert_eq!(code("GET", &both), Some(Code::BadRequest));
    }
    assert_eq!(code("GET", &[key, key]), Some(Code::BadRequest));
    assert_eq!(code("GET", &[SESSION, ("cookie", "doorward_session=dws1.y")]), Some(Code::BadRequest));
    assert_eq!(code("GET", &[("authorization", "Basic eDp5")]), Some(Code::Unauthenticated));
    for session in [("authorization", "Bearer dws1.x"), ("x-api-key", "dws1.x"), ("x-api-key", "dwc1.x")] {
        assert_eq!(code("POST", &[session]), Some(Code::Unauthenticated), "a session goes in its cookie");
    }
    let value = presented(&parts("GET", &[bearer]), &near()).unwrap().unwrap();
    assert!(value == "acme_api_1" && value.is_sensitive());
}

#[test]
fn a_session_is_asked_with_by_its_page_alone_and_writes_from_a_page_of_ours() {
    let word = ("x-csrf-token", "word");
    assert_eq!(
        code("GET", &[SESSION]),
        Some(Code::Unauthenticated),
        "every server of this host has the cookie"
    );
    assert!(presented(&parts("GET", &[SESSION, word]), &near()).unwrap().unwrap() == "dws1.x.word");
    assert_eq!(code("GET", &[SESSION, word, word]), Some(Code::BadRequest));
    let own = ("sec-fetch-site", "same-origin");
    assert_eq!(code("POST", &[SESSION, word]), Some(Code::Denied), "nothing says which page");
    assert_eq!(code("POST", &[SESSION, own]), Some(Code::Unauthenticated), "no word");
    assert_eq!(code("POST", &[SESSION, own, word]), None);
    for foreign in
        [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "http://127.0.0.1:9")]
    {
        assert!(own_page(&parts("POST", &[foreign]), &near()).is_err());
    }
    assert!(own_page(&parts("POST", &[("origin", "http://127.0.0.1:8000")]), &near()).is_ok());
    let lied = [("origin", "http://127.0.0.1:8000"), ("sec-fetch-site", "cross-site")];
    assert!(own_page(&parts("POST", &lied), &near()).is_err());
}

#[test]
fn behind_tls_only_the_guarded_cookie_is_a_session_and_only_its_origin_is_a_page_of_ours() {
    let known = Known::at("doorward.example", Some("https://doorward.example".parse().unwrap()));
    let guarded = ("cookie", "__Host-doorward_session=dws1.x");
    let word = ("x-csrf-token", "word");
    let said = |headers: &[(&str, &str)]| presented(&parts("GET", headers), &known).unwrap();
    assert!(said(&[guarded, word]).is_some());
    assert!(said(&[SESSION, word]).is_none(), "a neighbour could have written it");
    let page = |origin| own_page(&parts("POST", &[("origin", origin)]), &known);
    assert!(page("https://doorward.example").is_ok());
    assert!(page("http://doorward.example").is_err() && page("https://a.doorward.example").is_err());
    assert!(presented(&parts("GET", &[guarded]), &near()).unwrap().is_none(), "it is of another name");
}
