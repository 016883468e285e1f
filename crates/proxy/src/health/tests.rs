//! Health, and the paths that belong to the house.

use super::*;
use crate::refused::Speech;

#[test]
fn two_paths_belong_to_the_house_and_nothing_beside_them_is_served() {
    assert_eq!(reserved("/_doorward/healthz", Place::Here).unwrap().unwrap(), Question::Alive);
    assert_eq!(reserved("/_doorward/readyz", Place::Here).unwrap().unwrap(), Question::Ready);
    for path in
        ["/_doorward", "/_doorward/", "/_doorward/metrics", "/_doorward/healthz/", "/_doorward//healthz"]
    {
        assert_eq!(
            reserved(path, Place::Here).unwrap().unwrap_err().refusal().code.as_str(),
            "not_found",
            "{path}"
        );
    }
    for path in ["/_doorward/healthz", "/_doorward/readyz", "/_doorward"] {
        assert!(reserved(path, Place::Elsewhere).unwrap().is_err(), "{path}");
    }
    for path in ["/", "/slack/_doorward/healthz", "/_doorwardx/healthz", "/healthz"] {
        assert!(reserved(path, Place::Here).is_none(), "{path}");
    }
}

#[test]
fn a_sealed_broker_is_alive_but_not_ready() {
    let status = |question, readiness| answer(question, &Method::GET, readiness).unwrap().status().as_u16();
    assert_eq!(status(Question::Alive, Readiness::Sealed), 200);
    assert_eq!(status(Question::Alive, Readiness::Ready), 200);
    assert_eq!(status(Question::Ready, Readiness::Sealed), 503);
    assert_eq!(status(Question::Ready, Readiness::Ready), 200);
    assert_eq!(status(Question::Ready, Readiness::Unrecorded), 503);
}

#[test]
fn health_is_asked_by_reading_only() {
    use http_body::Body as _;
    let head = answer(Question::Alive, &Method::HEAD, Readiness::Sealed).unwrap();
    assert!(head.body().is_end_stream());
    let refused = answer(Question::Alive, &Method::POST, Readiness::Sealed).unwrap_err().reply(Speech::Http);
    assert_eq!(refused.status(), 405);
    assert_eq!(refused.headers()["allow"], "GET, HEAD");
}
