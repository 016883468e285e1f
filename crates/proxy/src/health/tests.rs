//! Health, and the paths that belong to the house.

use super::*;
use crate::refused::Speech;

#[test]
fn two_paths_belong_to_the_house_and_nothing_beside_them_is_served() {
    assert_eq!(reserved("/_doorward/healthz").unwrap().unwrap(), Question::Alive);
    assert_eq!(reserved("/_doorward/readyz").unwrap().unwrap(), Question::Ready);
    for path in
        ["/_doorward", "/_doorward/", "/_doorward/metrics", "/_doorward/healthz/", "/_doorward//healthz"]
    {
        assert_eq!(reserved(path).unwrap().unwrap_err().refusal().code.as_str(), "not_found", "{path}");
    }
    for path in ["/", "/slack/_doorward/healthz", "/_doorwardx/healthz", "/healthz"] {
        assert!(reserved(path).is_none(), "{path}");
    }
}

#[test]
fn a_sealed_broker_is_alive_but_not_ready() {
    let status = |question, state| answer(question, &Method::GET, state).unwrap().status().as_u16();
    assert_eq!(status(Question::Alive, State::Sealed), 200);
    assert_eq!(status(Question::Alive, State::Unsealed), 200);
    assert_eq!(status(Question::Ready, State::Sealed), 503);
    assert_eq!(status(Question::Ready, State::Unsealed), 200);
}

#[test]
fn health_is_asked_by_reading_only() {
    use http_body::Body as _;
    let head = answer(Question::Alive, &Method::HEAD, State::Sealed).unwrap();
    assert!(head.body().is_end_stream());
    let refused = answer(Question::Alive, &Method::POST, State::Sealed).unwrap_err().reply(Speech::Http);
    assert_eq!(refused.status(), 405);
    assert_eq!(refused.headers()["allow"], "GET, HEAD");
}
