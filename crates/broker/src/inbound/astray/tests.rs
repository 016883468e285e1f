//! Where a capability is found, and what is none.

use super::*;

/// The shortest capability that there can be.
fn token() -> String {
    let root = crypto::MacKey::generate().unwrap();
    let (grant, narrowing) = (model::GrantId::from_bytes([1; 16]), model::CapabilityId::from_bytes([2; 16]));
    let token = policy::mint(&root, &"a".parse().unwrap(), grant, &[], narrowing).unwrap();
    token.expose(ToOwned::to_owned)
}

fn forward(target: &str, header: Option<(&'static str, &str)>) -> Forward {
    let mut headers = http::HeaderMap::new();
    for (name, value) in header {
        headers.insert(name, value.parse().unwrap());
    }
    let (integration, target) = ("slack".parse().unwrap(), target.parse().unwrap());
    Forward::new(integration, model::Method::Get, target, headers, net::Body::empty())
}

#[test]
fn the_shortest_capability_is_found_wherever_it_stands() {
    let token = token();
    let told = |forward: Forward| forward.none_astray().unwrap_err().message;
    assert!(told(forward(&format!("/a?token={token}&b=1"), None)).contains("the query"));
    assert!(told(forward(&format!("/a?token={}", token.replace('_', "%5F")), None)).contains("the query"));
    assert!(told(forward(&format!("/bot{token}/send"), None)).contains("the path"));
    assert!(told(forward("/a", Some(("cookie", &format!("s={token}"))))).contains("the header `cookie`"));
    assert!(told(forward("/a", Some(("x-token", &token)))).contains("the header `x-token`"));
    assert!(none_in_body(format!("{{\"text\":\"{token}\"}}").as_bytes()).is_err());
}

#[test]
fn where_capabilities_are_looked_for_they_may_stand() {
    let token = token();
    for name in ["authorization", "x-api-key", "private-token", "x-doorward-capability"] {
        assert!(forward("/a", Some((name, &format!("Bearer {token}")))).none_astray().is_ok(), "{name}");
    }
}

#[test]
fn what_only_speaks_of_capabilities_is_none() {
    let long = "x".repeat(200);
    for text in [
        "cap1_",
        "cap1_... goes into a header",
        &format!("cap1 {long}"),
        &format!("{long}cap1_ab"),
        &format!("cap1_{} {long}", "a".repeat(40)),
    ] {
        assert!(!is_in(text.as_bytes()), "{text}");
    }
}
