//! One canary: where it comes from, who demands it, how it is sent back, and where it is shown by mistake.

use testkit::{Demand, Running, Upstream, canary};

use crate::canaries::free_of_all;
use crate::network_wire::{Reply, call, gateway};

/// A canary, where it comes from, and who demands it.
pub(crate) struct Planted {
    pub(crate) name: String,
    pub(crate) canary: String,
    pub(crate) source: Source,
    upstream: Upstream,
    /// What the upstream does with `/echo`.
    base: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Store,
    Variable,
    File,
}

impl Planted {
    pub(crate) fn new(nth: usize) -> Self {
        let canary = canary::plant(&format!("c{nth}"));
        let demand = match nth % 5 {
            0 => Demand::Bearer(canary.clone()),
            1 => Demand::Header("x-api-key".to_owned(), canary.clone()),
            2 => Demand::Basic("ada".to_owned(), canary.clone()),
            3 => Demand::Query("key".to_owned(), canary.clone()),
            _ => Demand::Nothing(canary.clone()),
        };
        let source = [Source::Store, Source::Variable, Source::File][nth % 3];
        // A credential in the path hides the route behind it, so the route is in front of it.
        let base = if nth % 5 == 4 {
            ["/echo", "/gzip", "/br", "/zstd", "/deflate", "/sse"][nth / 5 % 6]
        } else {
            ""
        };
        Self { name: format!("c{nth}"), canary, source, upstream: Upstream::demanding(demand), base }
    }

    pub(crate) fn integration(&self, nth: usize, reference: &str) -> String {
        let scheme = match nth % 5 {
            0 => "scheme: bearer, secret: token",
            1 => "scheme: header, name: x-api-key, secret: token",
            2 => "scheme: basic, username: ada, password_secret: token",
            3 => "scheme: query, name: key, secret: token",
            _ => "scheme: path, prefix: bot, secret: token",
        };
        let (name, url, base) = (&self.name, self.upstream.url(), self.base);
        format!(
            "name: {name}\ntitle: Planted\ndocs: https://example.com/\nbase_url: {url}{base}\ndangerous_allow_private: true\n\
             secrets:\n  token: {{title: Token, default: '{reference}'}}\nauth:\n  - {{{scheme}}}\n\
             limits: {{connect: 30s, head: 60s, total: 2m, idle: 60s, body: 1MiB}}\noperations:\n\
             \x20 any.show: {{title: Show, access: read, risk: low, match: {{method: GET, path: '/{{rest...}}'}}}}\n\
             \x20 any.add: {{title: Add, access: write, risk: low, match: {{method: POST, path: '/{{rest...}}'}}, body: any}}\n"
        )
    }

    /// The random end, of which a mask that slips would leave something.
    pub(crate) fn tail(&self) -> &[u8] {
        &self.canary.as_bytes()[self.canary.len() - 14..]
    }

    /// Every way in which the upstream sends it back.
    pub(crate) fn send_back(&self, running: &Running, token: &str) -> usize {
        let routes = [
            "echo",
            "gzip",
            "br",
            "zstd",
            "deflate",
            "sse",
            "chunks/3",
            "header-echo",
            "trailers",
            "set-cookie",
            "redirect",
            "status/404",
            "status/500",
            "big/70000",
        ];
        for (nth, route) in routes.iter().enumerate() {
            let method = if nth == 0 { "POST" } else { "GET" };
            let before = self.upstream.requests().len();
            let reply =
                call(&running.gateway_url, method, &format!("/{}/{route}", self.name), token).unwrap();
            self.free(&reply, &format!("the reply of /{route}"));
            let requests = self.upstream.requests();
            assert_eq!(requests.len(), before + 1, "/{route} of {}: {}", self.name, reply.text());
            assert!(requests[before].accepted, "/{route} of {} did not show the credential", self.name);
            let sent_back =
                self.base.is_empty() && matches!(*route, "echo" | "gzip" | "br" | "zstd" | "deflate" | "sse");
            if sent_back {
                assert_eq!(reply.status, 200, "/{route} of {}: {}", self.name, reply.text());
                assert!(reply.text().contains("[masked"), "/{route} of {}: {}", self.name, reply.text());
            }
        }
        // A reply that breaks off breaks off for the caller as well; there is nothing whole to search.
        drop(call(&running.gateway_url, "GET", &format!("/{}/close", self.name), token));
        routes.len()
    }

    /// Shown where it does not belong, by somebody who has it.
    pub(crate) fn present_by_mistake(&self, running: &Running, token: &str) {
        let (name, canary, url) = (&self.name, &self.canary, &running.gateway_url);
        let host = url.trim_start_matches("http://");
        let escaped = canary.replace('/', "%2F").replace('+', "%2B");
        let plain = canary.replace(['/', '+'], "-");
        let mine = format!("Authorization: Bearer {token}\r\n");
        let requests = [
            format!("GET /{name}/echo HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {canary}\r\n\r\n"),
            format!("GET /{name}/echo HTTP/1.1\r\nHost: {host}\r\nAuthorization: {canary}\r\n\r\n"),
            format!(
                "GET /{name}/echo HTTP/1.1\r\nHost: {host}\r\nX-Doorward-Capability: cap1_{plain}\r\n\r\n"
            ),
            format!(
                "GET /{name}/echo HTTP/1.1\r\nHost: {host}\r\n{mine}X-Api-Key: {canary}\r\nX-Other: {canary}\r\n\r\n"
            ),
            format!("GET /{name}/echo?key={escaped} HTTP/1.1\r\nHost: {host}\r\n{mine}\r\n"),
            format!("GET /{name}/echo?key={escaped} HTTP/1.1\r\nHost: {host}\r\n\r\n"),
            format!(
                "GET /{name}/echo HTTP/1.1\r\nHost: {host}\r\n{mine}X-Doorward-Integration: {canary}\r\n\r\n"
            ),
            format!("GET /echo HTTP/1.1\r\nHost: {plain}.localhost\r\n{mine}\r\n"),
            format!("GET /echo HTTP/1.1\r\nHost: {canary}\r\n{mine}\r\n"),
            format!("GET /{plain}/echo HTTP/1.1\r\nHost: {host}\r\n{mine}\r\n"),
            format!("GET /{escaped}/echo HTTP/1.1\r\nHost: {host}\r\n{mine}\r\n"),
            format!("GET /{name}/echo HTTP/1.1\r\nHost: {host}\r\n{mine}Origin: https://{canary}\r\n\r\n"),
            format!("{plain} /{name}/echo HTTP/1.1\r\nHost: {host}\r\n{mine}\r\n"),
            format!("GET /{name}/echo HTTP/1.1\r\nHost: {host}\r\n{mine}Content-Length: {canary}\r\n\r\n"),
        ];
        // A program that was written for the service puts the credential into the path itself.
        let own = self.base.is_empty().then(String::new);
        let own = own
            .unwrap_or_else(|| format!("GET /{name}/bot{escaped}/x HTTP/1.1\r\nHost: {host}\r\n{mine}\r\n"));
        for (nth, request) in requests.iter().chain([&own]).filter(|request| !request.is_empty()).enumerate()
        {
            // A head that has no reading may end the connection without a word.
            let Ok(reply) = gateway(url).unwrap().ask(request.as_bytes()) else { continue };
            self.free(&reply, &format!("the reply to mistake {nth}"));
        }
    }

    pub(crate) fn free(&self, reply: &Reply, what: &str) {
        for bytes in [&reply.raw, &reply.body] {
            canary::assert_free_of(bytes, &self.canary, what);
            free_of_all(bytes, what);
            assert!(!holds(bytes, self.tail()), "the end of {} is in {what}", self.name);
        }
    }
}

/// Whether these bytes are among those.
pub(crate) fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    // Comparing whole windows everywhere takes minutes without optimisation.
    let mut places = bytes.iter().enumerate().filter(|(_, byte)| **byte == needle[0]);
    places.any(|(at, _)| bytes[at..].starts_with(needle))
}
