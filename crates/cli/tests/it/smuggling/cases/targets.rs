//! Request lines, targets and hosts.

use super::super::words::{Case, Must, Words};

pub(super) fn cases(words: &Words, cases: &mut Vec<Case>) {
    for (name, line, read) in LINES {
        let said = words.next();
        let fill = |text: &str| {
            let text =
                text.replace("TARGET", &said.target("first")).replace("SMUGGLED", &said.target("smuggled"));
            text.replace("HOST", said.host())
        };
        let text = format!("{}\r\n{}\r\n", fill(line), said.usual());
        let (must, requests) = match read {
            Read::Nothing => (Must::Refuse, vec![]),
            Read::Get => (Must::Serve, vec![said.expect("GET", "first", "")]),
        };
        cases.push(said.http1(format!("request line/{name}"), must, requests, &text));
    }
    for (name, lines, read) in HOSTS {
        let said = words.next();
        let lines = lines.replace("HOST", said.host());
        let (target, token) = (said.target("first"), said.token());
        let text = format!("GET {target} HTTP/1.1\r\n{lines}Authorization: Bearer {token}\r\n\r\n");
        let (must, requests) = match read {
            Read::Nothing => (Must::Refuse, vec![]),
            Read::Get => (Must::Serve, vec![said.expect("GET", "first", "")]),
        };
        cases.push(said.http1(format!("host/{name}"), must, requests, &text));
    }
    for (name, before) in [
        ("an empty line", "\r\n"),
        ("a bare line feed", "\n"),
        ("two empty lines", "\r\n\r\n"),
        ("a space", " "),
        ("a NUL", "\0"),
        ("a return", "\r"),
        ("a byte order mark", "\u{ef}\u{bb}\u{bf}"),
        ("a hundred empty lines", HUNDRED),
    ] {
        let said = words.next();
        let text = format!("{before}{}", said.get(""));
        let (must, requests) = match name {
            // RFC 9112, section 2.2, asks for it.
            "an empty line" => (Must::Serve, vec![said.expect("GET", "first", "")]),
            _ => (Must::Refuse, vec![]),
        };
        cases.push(said.http1(format!("in front/{name}"), must, requests, &text));
    }
}

#[derive(Clone, Copy)]
enum Read {
    Nothing,
    Get,
}

const HUNDRED: &str = "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n";

const LINES: &[(&str, &str, Read)] = &[
    ("plain", "GET TARGET HTTP/1.1", Read::Get),
    ("absolute", "GET http://HOSTTARGET HTTP/1.1", Read::Get),
    ("two spaces before the target", "GET  TARGET HTTP/1.1", Read::Nothing),
    ("two spaces behind the target", "GET TARGET  HTTP/1.1", Read::Nothing),
    ("a tab before the target", "GET\tTARGET HTTP/1.1", Read::Nothing),
    ("a tab behind the target", "GET TARGET\tHTTP/1.1", Read::Nothing),
    ("a space in front", " GET TARGET HTTP/1.1", Read::Nothing),
    ("a space behind", "GET TARGET HTTP/1.1 ", Read::Nothing),
    ("a word behind", "GET TARGET HTTP/1.1 x", Read::Nothing),
    ("two versions", "GET TARGET HTTP/1.1 HTTP/1.1", Read::Nothing),
    ("another target behind the version", "GET TARGET HTTP/1.1SMUGGLED HTTP/1.1", Read::Nothing),
    ("a space in the target", "GET TARGET x HTTP/1.1", Read::Nothing),
    ("a request in the target", "GET TARGET HTTP/1.1\u{b}GET SMUGGLED HTTP/1.1", Read::Nothing),
    ("a return in the target", "GET TARGET\rx HTTP/1.1", Read::Nothing),
    ("a line feed in the target", "GET TARGET\nx HTTP/1.1", Read::Nothing),
    ("a NUL in the target", "GET TARGET\0 HTTP/1.1", Read::Nothing),
    ("a delete in the target", "GET TARGET\u{7f} HTTP/1.1", Read::Nothing),
    ("a byte beyond ASCII in the target", "GET TARGET\u{ff} HTTP/1.1", Read::Nothing),
    ("an escaped line end in the target", "GET TARGET%0d%0aX:%20y HTTP/1.1", Read::Nothing),
    ("an escaped NUL in the target", "GET TARGET%00 HTTP/1.1", Read::Nothing),
    ("a broken escape in the target", "GET TARGET%zz HTTP/1.1", Read::Nothing),
    ("a fragment", "GET TARGET#SMUGGLED HTTP/1.1", Read::Nothing),
    ("a backslash", "GET TARGET\\..\\x HTTP/1.1", Read::Nothing),
    ("dot segments", "GET /x/..TARGET HTTP/1.1", Read::Nothing),
    ("no slash", "GET x HTTP/1.1", Read::Nothing),
    ("an authority", "GET HOST:80 HTTP/1.1", Read::Nothing),
    ("an asterisk", "GET * HTTP/1.1", Read::Nothing),
    ("absolute with another host", "GET http://other.localhostTARGET HTTP/1.1", Read::Nothing),
    ("absolute with another port", "GET http://HOST:81TARGET HTTP/1.1", Read::Nothing),
    ("absolute with a user", "GET http://user@HOSTTARGET HTTP/1.1", Read::Nothing),
    ("absolute with a user and a password", "GET http://user:pass@HOSTTARGET HTTP/1.1", Read::Nothing),
    ("absolute with another scheme", "GET file://HOSTTARGET HTTP/1.1", Read::Nothing),
    ("absolute without a host", "GET http://TARGET HTTP/1.1", Read::Nothing),
    ("absolute with a host of spaces", "GET http:// TARGET HTTP/1.1", Read::Nothing),
    ("absolute with a backslash", "GET http:\\\\HOSTTARGET HTTP/1.1", Read::Nothing),
    ("no version", "GET TARGET", Read::Nothing),
    ("an empty version", "GET TARGET ", Read::Nothing),
    ("version 0.9", "GET TARGET HTTP/0.9", Read::Nothing),
    ("version 1.2", "GET TARGET HTTP/1.2", Read::Nothing),
    ("version 1.10", "GET TARGET HTTP/1.10", Read::Nothing),
    ("version 1.01", "GET TARGET HTTP/1.01", Read::Nothing),
    ("version 2", "GET TARGET HTTP/2", Read::Nothing),
    ("version 2.0", "GET TARGET HTTP/2.0", Read::Nothing),
    ("a version in lower case", "GET TARGET http/1.1", Read::Nothing),
    ("a version with a space", "GET TARGET HTTP/1. 1", Read::Nothing),
    ("another protocol", "GET TARGET ICY/1.1", Read::Nothing),
    ("no method", " TARGET HTTP/1.1", Read::Nothing),
    ("a method in lower case", "get TARGET HTTP/1.1", Read::Nothing),
    ("a method with a space", "GE T TARGET HTTP/1.1", Read::Nothing),
    ("two methods", "GET POST TARGET HTTP/1.1", Read::Nothing),
    ("a method with a colon", "GET: TARGET HTTP/1.1", Read::Nothing),
    ("a method with a NUL", "GET\0 TARGET HTTP/1.1", Read::Nothing),
    ("a method with a byte beyond ASCII", "G\u{c9}T TARGET HTTP/1.1", Read::Nothing),
    ("a method with a return", "GET\r TARGET HTTP/1.1", Read::Nothing),
    ("an unknown method", "SMUGGLE TARGET HTTP/1.1", Read::Nothing),
    ("the method of the preface", "PRI TARGET HTTP/1.1", Read::Nothing),
    ("the first line of the preface", "PRI * HTTP/2.0", Read::Nothing),
    ("CONNECT to the host", "CONNECT HOST:80 HTTP/1.1", Read::Nothing),
    ("CONNECT to a target", "CONNECT TARGET HTTP/1.1", Read::Nothing),
    ("CONNECT elsewhere", "CONNECT 127.0.0.1:22 HTTP/1.1", Read::Nothing),
    ("TRACE", "TRACE TARGET HTTP/1.1", Read::Nothing),
    ("TRACK", "TRACK TARGET HTTP/1.1", Read::Nothing),
    ("a header for a request line", "Host: HOST", Read::Nothing),
];

const HOSTS: &[(&str, &str, Read)] = &[
    ("a name in lower case", "host: HOST\r\n", Read::Get),
    ("a port", "Host: HOST:8080\r\n", Read::Get),
    ("none", "", Read::Nothing),
    ("empty", "Host:\r\n", Read::Nothing),
    ("twice", "Host: HOST\r\nHost: HOST\r\n", Read::Nothing),
    ("another behind", "Host: HOST\r\nHost: other.localhost\r\n", Read::Nothing),
    ("another before", "Host: other.localhost\r\nHost: HOST\r\n", Read::Nothing),
    ("two in one line", "Host: HOST, other.localhost\r\n", Read::Nothing),
    ("two without a comma", "Host: HOST other.localhost\r\n", Read::Nothing),
    ("a user", "Host: user@HOST\r\n", Read::Nothing),
    ("a path", "Host: HOST/smuggled\r\n", Read::Nothing),
    ("a query", "Host: HOST?x\r\n", Read::Nothing),
    ("a fragment", "Host: HOST#x\r\n", Read::Nothing),
    ("a scheme", "Host: http://HOST\r\n", Read::Nothing),
    ("a dot behind", "Host: HOST.\r\n", Read::Nothing),
    ("a dot before", "Host: .HOST\r\n", Read::Nothing),
    ("a port of nothing but a colon", "Host: HOST:x\r\n", Read::Nothing),
    ("a port that is none", "Host: HOST:99999\r\n", Read::Nothing),
    ("two ports", "Host: HOST:80:80\r\n", Read::Nothing),
    ("a NUL", "Host: HOST\0\r\n", Read::Nothing),
    ("a tab inside", "Host: HO\tHOST\r\n", Read::Nothing),
    ("a byte beyond ASCII", "Host: \u{e9}HOST\r\n", Read::Nothing),
    ("an escape", "Host: %6eHOST\r\n", Read::Nothing),
    ("a folded one", "Host:\r\n HOST\r\n", Read::Nothing),
    ("a space before the colon", "Host : HOST\r\n", Read::Nothing),
    ("brackets", "Host: [HOST]\r\n", Read::Nothing),
];
