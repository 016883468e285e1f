//! Which file is under which address, with which headers.

use std::io::Read as _;

use http::Request;

use super::*;

fn asked(method: &str, path: &str, headers: &[(&str, &str)]) -> Option<Response<Body>> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    answer(&request.body(()).unwrap().into_parts().0)
}

fn header<'r>(reply: &'r Response<Body>, name: &str) -> &'r str {
    reply.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[test]
fn every_address_of_the_console_is_the_page_and_its_files_never_change_under_theirs() {
    for path in ["/console/", "/console/tenants/acme_inc", "/console/evidence?q=x", "/console/../x"] {
        let reply = asked("GET", path, &[]).unwrap();
        assert_eq!(
            (reply.status(), header(&reply, "content-type")),
            (StatusCode::OK, "text/html; charset=utf-8"),
            "{path}"
        );
        assert_eq!(header(&reply, "cache-control"), "no-cache");
    }
    for (file, kind) in [
        ("app.js", "text/javascript; charset=utf-8"),
        ("style.css", "text/css; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ] {
        let reply = asked("GET", &format!("/console/a/{VERSION}/{file}"), &[]).unwrap();
        assert_eq!((reply.status(), header(&reply, "content-type")), (StatusCode::OK, kind));
        assert!(header(&reply, "cache-control").contains("immutable"));
    }
    for path in [
        "/console/a/-/app.js",
        "/console/a/",
        "/console/a/0000000000000000/app.js",
        &format!("/console/a/{VERSION}/../Cargo.toml"),
    ] {
        let reply = asked("GET", path, &[]).unwrap();
        assert_eq!(
            (reply.status(), header(&reply, "cache-control")),
            (StatusCode::NOT_FOUND, "no-store"),
            "{path}"
        );
    }
    for path in ["/v1/session", "/api/v1/integrations/acme_inc", "/consoles", "/metrics"] {
        assert!(asked("GET", path, &[("accept", "text/html")]).is_none(), "{path}");
    }
}

#[test]
fn a_browser_at_the_root_is_led_to_the_console_and_a_program_is_not() {
    let reply = asked("GET", "/", &[("accept", "text/html,application/xhtml+xml")]).unwrap();
    assert_eq!((reply.status(), header(&reply, "location")), (StatusCode::FOUND, "/console/"));
    assert!(asked("GET", "/", &[("accept", "application/json")]).is_none());
    assert!(asked("GET", "/", &[]).is_none());
    let reply = asked("GET", "/console", &[]).unwrap();
    assert_eq!((reply.status(), header(&reply, "location")), (StatusCode::PERMANENT_REDIRECT, "/console/"));
}

#[test]
fn what_a_browser_has_is_not_sent_again_and_what_writes_is_refused() {
    let reply = asked("GET", "/console/", &[("if-none-match", &format!("\"x\", W/{ETAG}"))]).unwrap();
    assert_eq!((reply.status(), header(&reply, "etag")), (StatusCode::NOT_MODIFIED, ETAG));
    let reply = asked("HEAD", "/console/", &[]).unwrap();
    assert_eq!(
        (reply.status(), header(&reply, "content-length")),
        (StatusCode::OK, &*PAGE.bytes.len().to_string())
    );
    for path in ["/console/", "/console"] {
        let reply = asked("POST", path, &[]).unwrap();
        assert_eq!((reply.status(), header(&reply, "allow")), (StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD"));
    }
}

#[test]
fn who_takes_gzip_is_sent_less_of_the_same() {
    let path = format!("/console/a/{VERSION}/app.js");
    for (path, asset) in
        [("/console/", &PAGE), (&path, ASSETS.iter().find(|one| one.name == "app.js").unwrap())]
    {
        for takes in ["gzip", "br;q=1.0, GZIP;q=0.8, *;q=0.1"] {
            let reply = asked("GET", path, &[("accept-encoding", takes)]).unwrap();
            assert_eq!(
                (header(&reply, "content-encoding"), header(&reply, "vary")),
                ("gzip", "accept-encoding")
            );
            assert_eq!(header(&reply, "content-length"), asset.packed.len().to_string());
            assert_eq!(header(&reply, "etag"), PACKED_ETAG);
        }
        for takes in ["", "identity", "br", "gzip;q=0", "gzip; q=0.0", "gzip;q=x"] {
            let reply = asked("GET", path, &[("accept-encoding", takes)]).unwrap();
            assert_eq!(
                (header(&reply, "content-encoding"), header(&reply, "vary")),
                ("", "accept-encoding"),
                "{takes}"
            );
            assert_eq!(
                (header(&reply, "content-length"), header(&reply, "etag")),
                (&*asset.bytes.len().to_string(), ETAG)
            );
        }
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(asset.packed).read_to_end(&mut text).unwrap();
        assert_eq!(text, asset.bytes);
    }
    let has = [("accept-encoding", "gzip"), ("if-none-match", PACKED_ETAG)];
    assert_eq!(asked("GET", "/console/", &has).unwrap().status(), StatusCode::NOT_MODIFIED);
    let other = [("accept-encoding", "gzip"), ("if-none-match", ETAG)];
    assert_eq!(asked("GET", "/console/", &other).unwrap().status(), StatusCode::OK);
}

#[test]
fn each_answer_says_what_a_browser_may_do_with_it() {
    for path in ["/console/", "/console", "/console/a/-/nothing", &format!("/console/a/{VERSION}/app.js")] {
        let reply = asked("GET", path, &[]).unwrap();
        let policy = header(&reply, "content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"),
            "{path}: {policy}"
        );
        for wanted in [
            "form-action 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.contains(wanted), "{path}: {wanted}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(
            (header(&reply, "x-content-type-options"), header(&reply, "x-frame-options")),
            ("nosniff", "DENY")
        );
    }
}

#[test]
fn the_page_has_nothing_inline_and_names_only_files_that_are_there() {
    let page = std::str::from_utf8(PAGE.bytes).unwrap();
    for word in ["<style", "style=", "onclick", "javascript:", "://"] {
        assert!(!page.contains(word), "{word}");
    }
    assert_eq!(
        page.matches("<script").count(),
        page.matches("<script src=").count() + page.matches("<script type=\"module\" src=").count()
    );
    let named: Vec<&str> =
        page.split('"').filter_map(|text| text.strip_prefix(&format!("/console/a/{VERSION}/"))).collect();
    for asset in ASSETS {
        assert!(named.contains(&asset.name), "{} is not asked for by the page", asset.name);
    }
    assert_eq!(named.len(), ASSETS.len(), "{named:?}");
}

#[test]
fn the_files_are_small_enough_to_be_read_and_to_be_sent() {
    let sum = |of: fn(&Asset) -> usize| ASSETS.iter().chain([&PAGE]).map(of).sum::<usize>();
    let (read, sent) = (sum(|asset| asset.bytes.len()), sum(|asset| asset.packed.len()));
    assert!(read < 225_000 && sent < 100_000, "{read} bytes to be read, {sent} to be sent");
    for asset in ASSETS.iter().filter(|asset| asset.name.ends_with(".js")) {
        let text = std::str::from_utf8(asset.bytes).unwrap();
        assert!(text.starts_with("// "), "{} says at its beginning what it is", asset.name);
        assert!(text.lines().count() <= 400, "{} is split by subject", asset.name);
        for word in [
            "localStorage",
            "sessionStorage",
            "indexedDB",
            "innerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
        ] {
            // The word of a session, which belongs to our origin alone (docs/decisions/0063).
            let of_session = asset.name == "core/session.js" && word == "localStorage";
            assert!(of_session || !text.contains(word), "{}: {word}", asset.name);
        }
    }
}
