//! The console's files, as they were built in: one page under every address of the console, and what it needs under an address
//! that changes with its contents.
//!
//! Nothing here depends on who asks. What a person sees, the page asks for under `/v1`, as the person who signed in.
//!
//! # Invariants
//!
//! - No file is read while Doorward runs, and no part of an address is used as a path.
//! - Each answer carries the policy that lets the page run its own files only: no inline script or style, no other host, no frame,
//!   no form, and no text that becomes markup.
//! - Files with another version's address are not there, so that a page never mixes two versions.

use http::header::{self, HeaderName};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use net::Body;

/// A file.
struct Asset {
    name: &'static str,
    bytes: &'static [u8],
    /// The same in gzip.
    packed: &'static [u8],
}

/// Answers what is the console's; gives nothing where the address is somebody else's.
pub(crate) fn answer(parts: &Parts) -> Option<Response<Body>> {
    let path = parts.uri.path();
    let inside = match path {
        "/" if wants_page(&parts.headers) => return Some(moved(StatusCode::FOUND, parts)),
        "/console" => return Some(moved(StatusCode::PERMANENT_REDIRECT, parts)),
        _ => path.strip_prefix("/console/")?,
    };
    if parts.method != Method::GET && parts.method != Method::HEAD {
        let mut reply = empty(StatusCode::METHOD_NOT_ALLOWED);
        reply.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return Some(reply);
    }
    let Some(versioned) = inside.strip_prefix("a/") else {
        return Some(found(&PAGE, PAGE_CACHED, parts));
    };
    let asset = versioned
        .strip_prefix(VERSION)
        .and_then(|rest| rest.strip_prefix('/'))
        .and_then(|name| ASSETS.iter().find(|asset| asset.name == name));
    Some(match asset {
        Some(asset) => found(asset, ASSET_CACHED, parts),
        None => empty(StatusCode::NOT_FOUND),
    })
}

/// Whether a browser asks, for something to look at.
fn wants_page(headers: &HeaderMap) -> bool {
    let accepts = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accepts.is_some_and(|accept| accept.contains("text/html"))
}

/// Leads to the page. Words behind `?` are not taken along: the console has none at its beginning.
fn moved(status: StatusCode, parts: &Parts) -> Response<Body> {
    let reads = parts.method == Method::GET || parts.method == Method::HEAD;
    let mut reply = empty(if reads { status } else { StatusCode::METHOD_NOT_ALLOWED });
    let (name, value) = if reads { (header::LOCATION, "/console/") } else { (header::ALLOW, "GET, HEAD") };
    reply.headers_mut().insert(name, HeaderValue::from_static(value));
    reply
}

/// One file, or that the browser has it already.
fn found(asset: &Asset, cached: &'static str, parts: &Parts) -> Response<Body> {
    let packed = takes_gzip(&parts.headers);
    let (bytes, tag) = if packed { (asset.packed, PACKED_ETAG) } else { (asset.bytes, ETAG) };
    let mut reply = if has_it(&parts.headers, tag) {
        empty(StatusCode::NOT_MODIFIED)
    } else {
        let body = if parts.method == Method::HEAD { Body::empty() } else { Body::full(bytes) };
        let mut reply = Response::new(body);
        reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(asset.name)));
        if packed {
            reply.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        reply.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        guard(&mut reply);
        reply
    };
    let headers = reply.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cached));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(header::ETAG, HeaderValue::from_static(tag));
    reply
}

/// Whether a browser says that it takes gzip, and not that it takes none of it.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, "q=1"));
        let none = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case("gzip") && none.is_some_and(|weight| weight > 0.0)
    })
}

/// All files are of one version, so one tag stands for each of them, and one for each in gzip.
fn has_it(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    known.is_some_and(|tags| tags.split(',').any(|one| one.trim().trim_start_matches("W/") == tag))
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut reply = Response::new(Body::empty());
    *reply.status_mut() = status;
    guard(&mut reply);
    reply.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

fn guard(reply: &mut Response<Body>) {
    for (name, value) in GUARDS {
        reply.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}

fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("html") => "text/html; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

/// What a browser may do with what is answered here.
const GUARDS: [(&str, &str); 8] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'none'; \
         frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("origin-agent-cluster", "?1"),
    (
        "permissions-policy",
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), \
         payment=(), publickey-credentials-get=(), screen-wake-lock=(), serial=(), usb=(), xr-spatial-tracking=()",
    ),
];
/// Asked for each time; the tag answers where nothing has changed.
const PAGE_CACHED: &str = "no-cache";
/// The address changes with the contents.
const ASSET_CACHED: &str = "public, max-age=31536000, immutable";
const VERSION: &str = env!("DOORWARD_CONSOLE");
const ETAG: &str = concat!("\"", env!("DOORWARD_CONSOLE"), "\"");
const PACKED_ETAG: &str = concat!("\"", env!("DOORWARD_CONSOLE"), "-gzip\"");
const PAGE: Asset = Asset {
    name: "page.html",
    bytes: include_bytes!(concat!(env!("OUT_DIR"), "/page.html")),
    packed: include_bytes!(concat!(env!("OUT_DIR"), "/page.html.gz")),
};
const ASSETS: &[Asset] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

#[cfg(test)]
mod tests;
