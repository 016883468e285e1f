//! No spelling of a forbidden target reaches the upstream (promise A6).
//!
//! A capability allows exactly one operation, `GET /notes/{id}`. Raw requests ask for what it forbids in every way that
//! servers were seen to read differently: dot segments, escapes in layers, slashes that are none, case, Unicode's lookalikes,
//! parameters, absolute targets, strange hosts. Whatever arrives at the upstream is read as the most careless server would.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use testkit::{Upstream, canary};

use crate::names_readings::{allowed, readings};
use crate::network_wire::{Wire, answer, call, capability, gateway};
use crate::{home, rounds, write_integration};

#[test]
fn torture_names_never_bypass_a_rule() {
    let all = rounds(2_000);
    let (mut done, mut arrived) = (0, 0);
    while done < all {
        let share = ROUNDS_OF_A_HOME.min(all - done);
        arrived += torture_one_home(done, share);
        done += share;
    }
    println!("names: {done} requests, {arrived} arrived, all of them allowed");
}

/// So many requests to one broker; gives how many arrived at the upstream.
fn torture_one_home(first: u64, share: u64) -> usize {
    let upstream = Upstream::start();
    let doorward = home();
    write_integration(&doorward, &notes(&upstream.url()));
    let running = doorward.start_up(&["--threads", "2"]);
    let _ = answer(&running, "secret.put?name=notes/token", upstream.canary().as_bytes());
    let token = capability(&running, "&operations=notes/notes.show&expires=1d");
    let url = running.gateway_url.as_str();
    // What is allowed works; what is forbidden, said plainly, does not.
    assert_eq!(call(url, "GET", "/notes/notes/1", &token).unwrap().status, 404);
    assert_eq!(upstream.requests().len(), 1);
    for forbidden in FORBIDDEN {
        assert_eq!(
            call(url, "GET", &format!("/notes{forbidden}"), &token).unwrap().status,
            403,
            "{forbidden}"
        );
    }
    assert_eq!(upstream.requests().len(), 1);
    let host = url.trim_start_matches("http://").to_owned();
    let statuses = Arc::new(Mutex::new(BTreeMap::new()));
    let workers: Vec<_> = (0..THREADS)
        .map(|thread| {
            let (host, token, url) = (host.clone(), token.clone(), url.to_owned());
            let statuses = Arc::clone(&statuses);
            let mut random = Random::seeded(first ^ (thread << 48));
            std::thread::spawn(move || {
                let mut connection = None;
                for _ in 0..share / THREADS {
                    let status = ask(&mut connection, &url, &random.request(&host, &token));
                    *statuses.lock().unwrap().entry(status).or_insert(0_u64) += 1;
                }
            })
        })
        .collect();
    for worker in workers {
        worker.join().unwrap();
    }
    let requests = upstream.requests();
    for request in &requests {
        assert!(request.accepted, "{} arrived without its credential", request.target);
        assert!(matches!(request.method.as_str(), "GET"), "{} {}", request.method, request.target);
        for reading in readings(&request.target) {
            assert!(
                allowed(&reading),
                "`{}` arrived, which a server may read as `{reading}`",
                request.target
            );
        }
    }
    let statuses = statuses.lock().unwrap();
    println!("names: by status, 0 where the connection was closed: {statuses:?}");
    // Most spellings are refused, at the door or by the capability; if none were allowed, nothing would have been tried.
    let some = |status| share < 100 || statuses.get(&status).is_some_and(|count| *count > share / 100);
    assert!(some(400) && some(403) && some(404), "{statuses:?}");
    assert!(running.stop().success());
    canary::assert_absent(doorward.printed(), "what was printed");
    requests.len()
}

/// Sends one request; a connection that was closed for it is made again for the next.
fn ask(connection: &mut Option<Wire<TcpStream>>, url: &str, request: &[u8]) -> u16 {
    let mut wire = connection.take().unwrap_or_else(|| gateway(url).unwrap());
    let Ok(reply) = wire.ask(request) else { return 0 };
    if reply.open {
        *connection = Some(wire);
    }
    reply.status
}

// === asking in odd ways ===

/// SplitMix64: quick, and good enough to be odd.
struct Random(u64);

impl Random {
    fn seeded(seed: u64) -> Self {
        use std::hash::{BuildHasher, RandomState};
        Self(RandomState::new().hash_one(seed))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % most as u64).unwrap()
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    /// A whole request for something forbidden, said in an odd way.
    fn request(&mut self, host: &str, token: &str) -> Vec<u8> {
        let target = self.target();
        let (line, named) = match self.below(8) {
            0 => (format!("http://{host}/notes{target}"), String::new()),
            1 => (format!("http://notes.localhost{target}"), "notes.localhost".to_owned()),
            2 => (target, "notes.localhost".to_owned()),
            3 => (format!("{}/notes{target}", self.one(&["", "/", "/.", "/x/..", "/notes"])), String::new()),
            4 => (target, self.one(ODD_HOSTS).to_owned()),
            5 => (
                format!("{}{target}", self.one(&["/NOTES", "/%6eotes", "/notes%2F", "/n%6Ftes", "/notes;x"])),
                String::new(),
            ),
            _ => (format!("/notes{target}"), String::new()),
        };
        let shown = if named.is_empty() { host } else { &named };
        let method = if self.below(12) == 0 { self.one(ODD_METHODS) } else { "GET" };
        let header = if self.below(6) == 0 { self.one(ODD_HEADERS) } else { "" };
        let header = header.replace("TARGET", "/admin").replace("HOST", host);
        format!("{method} {line} HTTP/1.1\r\nHost: {shown}\r\nAuthorization: Bearer {token}\r\n{header}\r\n")
            .into_bytes()
    }

    fn target(&mut self) -> String {
        let mut text = match self.below(6) {
            // One separator that some server takes for a slash is all that stands between the allowed and the forbidden.
            3 => format!("/notes/1{}delete", self.one(SLASHES)),
            4 => format!("/notes/{}{}admin", self.one(DOTS), self.one(SLASHES)),
            5 => format!(
                "/notes/{}",
                self.one(&["1", "delete", "1%20", "%C3%A9", "admin", "a.b", "1~2", "%2561"])
            ),
            0 => self.one(FORBIDDEN).to_owned(),
            1 => format!(
                "/notes/{}{}",
                self.one(&["1", "x", "..", "1;", "%2e%2e", "1%00"]),
                self.one(FORBIDDEN)
            ),
            _ => format!("/notes/1{}{}{}", self.one(SLASHES), self.one(DOTS), self.one(FORBIDDEN)),
        };
        for _ in 0..self.below(4) {
            self.twist(&mut text);
        }
        // A head ends at a line end, so a target never has one.
        text.retain(|c| c != '\r' && c != '\n');
        text
    }

    /// One odd change somewhere.
    fn twist(&mut self, text: &mut String) {
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        if places.is_empty() {
            return;
        }
        let at = places[self.below(places.len())];
        let Some(c) = text[at..].chars().next() else { return };
        let end = at + c.len_utf8();
        match self.below(9) {
            0 => text.replace_range(at..end, &escaped(c, self.below(4))),
            1 if c == '/' => text.replace_range(at..end, self.one(SLASHES)),
            1 | 2 => text.insert_str(at, self.one(SLASHES)),
            3 => text.insert_str(at, self.one(DOTS)),
            4 => text.insert_str(at, self.one(INVISIBLE)),
            5 => text.replace_range(at..end, &c.to_uppercase().to_string()),
            6 => text.insert_str(
                at,
                self.one(&[";", ";a=b", ";/", "%3B", "?", "#", "%23", "%3F", "&", "?x=/../"]),
            ),
            7 => *text = text.replacen('/', self.one(SLASHES), 1 + self.below(3)),
            // Lookalikes of letters, digits and signs: they stand at the same distance from ASCII.
            _ if c.is_ascii_graphic() => {
                let wide = char::from_u32(u32::from(c) + 0xfee0).unwrap_or(c);
                text.replace_range(at..end, &escaped(wide, 1));
            }
            _ => text.push_str(self.one(DOTS)),
        }
        if !text.starts_with('/') && self.below(4) > 0 {
            text.insert(0, '/');
        }
    }
}

/// A character in escapes of so many layers.
fn escaped(c: char, layers: usize) -> String {
    let mut text = c.to_string();
    for _ in 0..layers {
        let bytes = if text.starts_with('%') {
            text.replace('%', "%25")
        } else {
            text.bytes().map(|byte| format!("%{byte:02x}")).collect()
        };
        text = bytes;
    }
    text
}

fn notes(url: &str) -> String {
    format!(
        "name: notes\ntitle: Notes\ndocs: https://example.com/\nbase_url: {url}\ndangerous_allow_private: true\n\
         secrets:\n  token: {{title: Token}}\nauth:\n  - {{scheme: bearer, secret: token}}\n\
         limits: {{connect: 30s, head: 60s, total: 2m, idle: 60s, body: 1MiB}}\noperations:\n\
         \x20 notes.show: {{title: Show, access: read, risk: low, match: {{method: GET, path: '/notes/{{id}}'}}}}\n\
         \x20 notes.delete: {{title: Delete, access: write, risk: high, match: {{method: GET, path: '/notes/{{id}}/delete'}}}}\n\
         \x20 admin.show: {{title: Rule, access: write, risk: high, match: {{method: GET, path: /admin}}}}\n"
    )
}

const FORBIDDEN: &[&str] =
    &["/admin", "/notes/1/delete", "/notes/1/2/3", "/notes", "/Notes/1", "/other/1", "/"];
const SLASHES: &[&str] = &[
    "/",
    "//",
    "%2f",
    "%2F",
    "%252f",
    "%25252F",
    "\\",
    "%5c",
    "%5C",
    "%255c",
    "%c0%af",
    "%e0%80%af",
    "%ef%bc%8f",
    "%e2%81%84",
    "%e2%88%95",
    "/./",
    "/;/",
    "/%20/",
    "/%09/",
    "%2f%2f",
    "/%2f",
    "%00/",
    "%0d%0a/",
    "%2%66",
    "%u002f",
    "\u{2215}",
    "\u{ff0f}",
];
const DOTS: &[&str] = &[
    "..",
    ".",
    "../",
    "/..",
    "/../",
    "%2e%2e",
    "%2E.",
    ".%2e",
    "%252e%252e",
    "%25252e%25252e",
    "..;",
    "..;/",
    "%2e%2e%2f",
    "..%2f",
    "..%5c",
    "%c0%ae%c0%ae",
    "%ef%bc%8e%ef%bc%8e",
    "%e2%80%a5",
    "%e2%80%a4%e2%80%a4",
    "...",
    "....//",
    "..%00/",
    "%2e%2e;",
    "/..%20/",
    "\u{ff0e}\u{ff0e}",
    "%uff0e%uff0e",
];
const INVISIBLE: &[&str] = &[
    "%e2%80%8b",
    "%ef%bb%bf",
    "%c2%ad",
    "%00",
    "%09",
    "%20",
    "%0a",
    "+",
    "%cc%81",
    "e%cc%81",
    "%e2%80%ae",
    "%7f",
];
const ODD_HOSTS: &[&str] = &[
    "NOTES.localhost",
    "notes.localhost.",
    "notes.localhost:80:80",
    "notes.localhost@other",
    "notes",
    "Notes",
    "notes.localhost/admin",
    "[notes.localhost]",
    "other.localhost",
    "169.254.169.254",
    "notes.localhost\t",
    "n\u{f6}tes.localhost",
    "localhost",
    "",
    "127.1",
];
const ODD_METHODS: &[&str] =
    &["get", "POST", "DELETE", "GET/notes", "G\u{c9}T", "OPTIONS", "TRACE", "PUT", "X-GET"];
const ODD_HEADERS: &[&str] = &[
    "X-Original-URL: TARGET\r\n",
    "X-Rewrite-URL: TARGET\r\n",
    "X-HTTP-Method-Override: DELETE\r\n",
    "X-Forwarded-Host: other\r\n",
    "X-Doorward-Integration: notes\r\n",
    "X-Doorward-Integration: Notes\r\n",
    "X-AT-Int: notes\r\nX-Doorward-Integration: slack\r\n",
    "Host: HOST\r\n",
    "Connection: authorization\r\n",
    "Forwarded: host=other;path=TARGET\r\n",
    "X_Original_URL: TARGET\r\n",
    "Transfer-Encoding: identity\r\n",
    "Upgrade: h2c\r\nConnection: upgrade\r\n",
    "Content-Length: 0\r\nContent-Length: 0\r\n",
];
const THREADS: u64 = 4;
/// The upstream keeps a bounded number of requests, so the home is a new one before that is reached.
const ROUNDS_OF_A_HOME: u64 = 50_000;
