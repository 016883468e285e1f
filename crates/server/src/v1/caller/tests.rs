//! One proof, and a session only from a page of ours.

use http::Request;

use super::*;

fn parts(method: &str, headers: &[(&str, &str)]) -> Parts {
    let request = Request::builder().method(method).uri("/v1/session").header("host", "127.0.0.1:8000");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(()).unwrap().into_parts().0
}

fn code(method: &str, headers: &[(&str, &str)]) -> Option<Code> {
    presented(&parts(method, headers)).err().map(|refusal| refusal.code)
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
    let value = presented(&parts("GET", &[bearer])).unwrap().unwrap();
    assert!(value == "acme_api_1" && value.is_sensitive());
}

#[test]
fn a_session_reads_from_anywhere_and_writes_from_a_page_of_ours_with_its_token() {
    assert_eq!(code("GET", &[SESSION]), None);
    let own = ("sec-fetch-site", "same-origin");
    assert_eq!(code("POST", &[SESSION]), Some(Code::Denied), "nothing says which page");
    assert_eq!(code("POST", &[SESSION, own]), Some(Code::Denied), "no token");
    assert_eq!(code("POST", &[SESSION, own, ("x-csrf-token", "wrong")]), Some(Code::Denied));
    for foreign in
        [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "http://127.0.0.1:9")]
    {
        assert!(own_page(&parts("POST", &[foreign])).is_err());
    }
    assert!(own_page(&parts("POST", &[("origin", "http://127.0.0.1:8000")])).is_ok());
    let lied = [("origin", "http://127.0.0.1:8000"), ("sec-fetch-site", "cross-site")];
    assert!(own_page(&parts("POST", &lied)).is_err());
}
