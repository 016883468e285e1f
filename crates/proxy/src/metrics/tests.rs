//! What the door for numbers answers to.

use super::*;

fn read(uri: &str, host: &str, more: &[(&'static str, &'static str)]) -> Result<Asked, u16> {
    let mut request = Request::get(uri).header("host", host);
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    asked(&request.body(()).unwrap().into_parts().0, Shows::Numbers)
        .map_err(|refused| refused.reply(Speech::Http).status().as_u16())
}

#[test]
fn three_paths_are_served() {
    assert_eq!(read("/metrics", "localhost:9090", &[]), Ok(Asked::Numbers));
    assert_eq!(read("/healthz", "127.0.0.1:9090", &[]), Ok(Asked::Health(Question::Alive)));
    assert_eq!(read("/readyz?x=y", "[::1]:9090", &[]), Ok(Asked::Health(Question::Ready)));
    assert_eq!(read("/", "localhost", &[]), Err(404));
    assert_eq!(read("/slack/", "localhost", &[]), Err(404));
}

#[test]
fn the_state_is_shown_where_it_was_asked_for_only() {
    let asked = |shows| {
        let request = Request::get("/status").header("host", "localhost").body(()).unwrap();
        asked(&request.into_parts().0, shows).map_err(|refused| refused.reply(Speech::Http).status().as_u16())
    };
    assert_eq!(asked(Shows::Status), Ok(Asked::Status));
    assert_eq!(asked(Shows::Numbers), Err(404));
}

#[test]
fn whoever_collects_them_asks_by_address_or_short_name() {
    for host in ["10.0.0.7", "10.0.0.7:9090", "[2001:db8::1]", "[2001:db8::1]:9090", "doorward:9090"] {
        assert!(read("/metrics", host, &[]).is_ok(), "{host}");
    }
}

#[test]
fn a_page_cannot_read_them() {
    for host in ["evil.example", "evil.example:9090", "", "[evil.example]", "::1"] {
        assert_eq!(read("/metrics", host, &[]), Err(421), "{host}");
    }
    assert_eq!(read("/metrics", "localhost", &[("origin", "https://evil.example")]), Err(403));
    assert_eq!(read("/metrics", "localhost", &[("sec-fetch-site", "cross-site")]), Err(403));
}
