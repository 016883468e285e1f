//! Two lengths, two codings, one of each, and spellings of both.

use super::super::words::{Case, Must, Words};

pub(super) fn cases(words: &Words, cases: &mut Vec<Case>) {
    both(words, cases);
    codings(words, cases);
    lengths(words, cases);
}

/// A length and chunks in one head: whoever believes the length sees one request, whoever believes the chunks two.
fn both(words: &Words, cases: &mut Vec<Case>) {
    for (name, length_first) in [("length first", true), ("chunks first", false)] {
        for (kind, body_is_whole) in [("CL.TE", true), ("TE.CL", false)] {
            for method in ["POST", "GET", "PUT", "DELETE"] {
                let said = words.next();
                let smuggled = said.smuggled();
                let (length, body) = if body_is_whole {
                    let body = format!("0\r\n\r\n{smuggled}");
                    (body.len(), body)
                } else {
                    let size = format!("{:x}\r\n", smuggled.len());
                    (size.len(), format!("{size}{smuggled}\r\n0\r\n\r\n"))
                };
                let length = format!("Content-Length: {length}\r\n");
                let chunks = "Transfer-Encoding: chunked\r\n";
                let lines =
                    if length_first { format!("{length}{chunks}") } else { format!("{chunks}{length}") };
                let text = said.request(method, "first", &lines, &body);
                cases.push(said.http1(format!("{kind}/{name}, {method}"), Must::Refuse, vec![], &text));
            }
        }
    }
}

/// Every spelling of a coding: alone, before a length and behind one.
fn codings(words: &Words, cases: &mut Vec<Case>) {
    for (name, lines, reading) in CODINGS {
        let said = words.next();
        let text = said.post(lines, "5\r\nhello\r\n0\r\n\r\n");
        let (must, requests) = match reading {
            Reading::Chunked => (Must::Serve, vec![said.expect("POST", "first", "hello")]),
            Reading::Wrong => (Must::Refuse, vec![]),
            // Another header, so there is no body, and what stands there is no request.
            Reading::Other => (Must::Refuse, vec![said.expect("POST", "first", "")]),
        };
        cases.push(said.http1(format!("coding alone/{name}"), must, requests, &text));
        for (place, length_first) in [("behind a length", true), ("before a length", false)] {
            let said = words.next();
            let body = format!("0\r\n\r\n{}", said.smuggled());
            let length = format!("Content-Length: {}\r\n", body.len());
            let lines = if length_first { format!("{length}{lines}") } else { format!("{lines}{length}") };
            let text = said.post(&lines, &body);
            let (must, requests) = match reading {
                Reading::Chunked | Reading::Wrong => (Must::Refuse, vec![]),
                Reading::Other => (Must::Either, vec![said.expect("POST", "first", &body)]),
            };
            cases.push(said.http1(format!("coding {place}/{name}"), must, requests, &text));
        }
    }
}

/// Every spelling of a length that is right, and of two that are not.
fn lengths(words: &Words, cases: &mut Vec<Case>) {
    for (name, lines, reading) in LENGTHS {
        let said = words.next();
        let lines = format!("{lines}\r\n");
        let text = said.post(&lines, "hello!");
        let (must, requests) = match reading {
            Reading::Chunked => (Must::Serve, vec![said.expect("POST", "first", "hello!")]),
            Reading::Wrong => (Must::Refuse, vec![]),
            Reading::Other => (Must::Refuse, vec![said.expect("POST", "first", "")]),
        };
        cases.push(said.http1(format!("length/{name}"), must, requests, &text));
    }
    for (name, first, second) in
        [("long and none", true, false), ("none and long", false, true), ("both long", true, true)]
    {
        for joined in [false, true] {
            let said = words.next();
            let smuggled = said.smuggled();
            let length = |long: bool| if long { smuggled.len() } else { 0 };
            let lines = if joined {
                format!("Content-Length: {}, {}\r\n", length(first), length(second))
            } else {
                format!("Content-Length: {}\r\nContent-Length: {}\r\n", length(first), length(second))
            };
            let text = said.post(&lines, &smuggled);
            let shown = if joined { "in one line" } else { "in two lines" };
            cases.push(said.http1(format!("lengths/{name}, {shown}"), Must::Refuse, vec![], &text));
        }
    }
    for method in ["GET", "DELETE", "OPTIONS", "PATCH", "PUT"] {
        let said = words.next();
        let smuggled = said.smuggled();
        let text =
            said.request(method, "first", &format!("Content-Length: {}\r\n", smuggled.len()), &smuggled);
        let requests = vec![said.expect(method, "first", &smuggled)];
        cases.push(said.http1(
            format!("length/a request as the body of {method}"),
            Must::Either,
            requests,
            &text,
        ));
    }
    for (name, more) in [("shorter than the body", "GARBAGE"), ("shorter by a line end", "\r\n\r\n\r\n")] {
        let said = words.next();
        let text = said.post("Content-Length: 2\r\n", &format!("ok{more}"));
        let requests = vec![said.expect("POST", "first", "ok")];
        cases.push(said.http1(format!("length/{name}"), Must::Refuse, requests, &text));
    }
    for length in ["7", "100", "1000000"] {
        let said = words.next();
        let text = said.post(&format!("Content-Length: {length}\r\n"), "hello!");
        cases.push(said.http1(format!("length/{length} of which 6 come"), Must::Break, vec![], &text));
    }
}

/// What a spelling means.
#[derive(Clone, Copy)]
enum Reading {
    /// What it looks like: the header, well written.
    Chunked,
    /// Nothing; no two programs agree.
    Wrong,
    /// Another header with no meaning for the framing.
    Other,
}

const CODINGS: &[(&str, &str, Reading)] = &[
    ("plain", "Transfer-Encoding: chunked\r\n", Reading::Chunked),
    ("upper case", "TRANSFER-ENCODING: CHUNKED\r\n", Reading::Chunked),
    ("lower case", "transfer-encoding: chunked\r\n", Reading::Chunked),
    ("no space", "Transfer-Encoding:chunked\r\n", Reading::Chunked),
    ("a tab before", "Transfer-Encoding:\tchunked\r\n", Reading::Chunked),
    ("a space behind", "Transfer-Encoding: chunked \r\n", Reading::Chunked),
    ("a tab behind", "Transfer-Encoding: chunked\t\r\n", Reading::Chunked),
    ("a space before the colon", "Transfer-Encoding : chunked\r\n", Reading::Wrong),
    ("a tab before the colon", "Transfer-Encoding\t: chunked\r\n", Reading::Wrong),
    ("a space before the name", " Transfer-Encoding: chunked\r\n", Reading::Wrong),
    ("a tab before the name", "\tTransfer-Encoding: chunked\r\n", Reading::Wrong),
    ("a NUL in the name", "Transfer-Encoding\0: chunked\r\n", Reading::Wrong),
    ("a vertical tab before", "Transfer-Encoding:\u{b}chunked\r\n", Reading::Wrong),
    ("a form feed before", "Transfer-Encoding: \u{c}chunked\r\n", Reading::Wrong),
    ("a vertical tab behind", "Transfer-Encoding: chunked\u{b}\r\n", Reading::Wrong),
    ("a NUL behind", "Transfer-Encoding: chunked\0\r\n", Reading::Wrong),
    ("a NUL before", "Transfer-Encoding: \0chunked\r\n", Reading::Wrong),
    ("a folded line", "Transfer-Encoding:\r\n chunked\r\n", Reading::Wrong),
    ("a line folded by a tab", "Transfer-Encoding:\r\n\tchunked\r\n", Reading::Wrong),
    ("a bare line feed in front", "X: x\nTransfer-Encoding: chunked\r\n", Reading::Wrong),
    ("a bare return in front", "X: x\rTransfer-Encoding: chunked\r\n", Reading::Wrong),
    ("a bare line feed behind", "Transfer-Encoding: chunked\n", Reading::Wrong),
    ("a bare line feed before", "Transfer-Encoding:\n chunked\r\n", Reading::Wrong),
    ("a bare return behind", "Transfer-Encoding: chunked\rX: x\r\n", Reading::Wrong),
    ("twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", Reading::Wrong),
    ("twice in one line", "Transfer-Encoding: chunked, chunked\r\n", Reading::Wrong),
    ("then identity", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", Reading::Wrong),
    ("identity before", "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", Reading::Wrong),
    ("then a cow", "Transfer-Encoding: chunked\r\nTransfer-encoding: cow\r\n", Reading::Wrong),
    ("identity", "Transfer-Encoding: identity\r\n", Reading::Wrong),
    ("identity and chunked", "Transfer-Encoding: identity, chunked\r\n", Reading::Wrong),
    ("chunked and identity", "Transfer-Encoding: chunked, identity\r\n", Reading::Wrong),
    ("gzip and chunked", "Transfer-Encoding: gzip, chunked\r\n", Reading::Wrong),
    ("chunked and gzip", "Transfer-Encoding: chunked, gzip\r\n", Reading::Wrong),
    ("nothing and chunked", "Transfer-Encoding: , chunked\r\n", Reading::Wrong),
    ("chunked and nothing", "Transfer-Encoding: chunked,\r\n", Reading::Wrong),
    ("a parameter", "Transfer-Encoding: chunked;q=1\r\n", Reading::Wrong),
    ("a letter before", "Transfer-Encoding: xchunked\r\n", Reading::Wrong),
    ("a letter behind", "Transfer-Encoding: chunkedx\r\n", Reading::Wrong),
    ("a letter less", "Transfer-Encoding: chunke\r\n", Reading::Wrong),
    ("in quotes", "Transfer-Encoding: \"chunked\"\r\n", Reading::Wrong),
    ("in single quotes", "Transfer-Encoding: 'chunked'\r\n", Reading::Wrong),
    ("a wide letter", "Transfer-Encoding: ch\u{fc}nked\r\n", Reading::Wrong),
    ("a byte beyond ASCII before", "Transfer-Encoding: \u{ff}chunked\r\n", Reading::Wrong),
    ("a no-break space before", "Transfer-Encoding:\u{c2}\u{a0}chunked\r\n", Reading::Wrong),
    ("a word before", "Transfer-Encoding: x chunked\r\n", Reading::Wrong),
    ("twice without a comma", "Transfer-Encoding: chunked chunked\r\n", Reading::Wrong),
    ("empty", "Transfer-Encoding:\r\n", Reading::Wrong),
    ("an underscore", "Transfer_Encoding: chunked\r\n", Reading::Other),
    ("another name", "X-Transfer-Encoding: chunked\r\n", Reading::Other),
    ("a name that begins so", "Transfer-Encoding-X: chunked\r\n", Reading::Other),
    ("a value of another", "X: Transfer-Encoding: chunked\r\n", Reading::Other),
];

const LENGTHS: &[(&str, &str, Reading)] = &[
    ("plain", "Content-Length: 6", Reading::Chunked),
    ("lower case", "content-length: 6", Reading::Chunked),
    ("spaces around", "Content-Length:   6  ", Reading::Chunked),
    ("tabs around", "Content-Length:\t6\t", Reading::Chunked),
    ("a zero before", "Content-Length: 06", Reading::Chunked),
    ("a plus", "Content-Length: +6", Reading::Wrong),
    ("a minus", "Content-Length: -6", Reading::Wrong),
    ("minus nothing", "Content-Length: -0", Reading::Wrong),
    ("hexadecimal", "Content-Length: 0x6", Reading::Wrong),
    ("octal", "Content-Length: 0o6", Reading::Wrong),
    ("a fraction", "Content-Length: 6.0", Reading::Wrong),
    ("an exponent", "Content-Length: 6e0", Reading::Wrong),
    ("an underscore inside", "Content-Length: 0_6", Reading::Wrong),
    ("a comma", "Content-Length: 6,", Reading::Wrong),
    ("a comma before", "Content-Length: ,6", Reading::Wrong),
    ("twice in one line", "Content-Length: 6, 6", Reading::Wrong),
    ("twice without a comma", "Content-Length: 6 6", Reading::Wrong),
    ("twice", "Content-Length: 6\r\nContent-Length: 6", Reading::Wrong),
    ("another behind", "Content-Length: 6\r\nContent-Length: 5", Reading::Wrong),
    ("another before", "Content-Length: 0\r\nContent-Length: 6", Reading::Wrong),
    ("an empty one behind", "Content-Length: 6\r\nContent-Length:", Reading::Wrong),
    ("a parameter", "Content-Length: 6;a=b", Reading::Wrong),
    ("in quotes", "Content-Length: \"6\"", Reading::Wrong),
    ("a wide digit", "Content-Length: \u{ef}\u{bc}\u{96}", Reading::Wrong),
    ("a superscript digit", "Content-Length: \u{b2}", Reading::Wrong),
    ("a NUL behind", "Content-Length: 6\0", Reading::Wrong),
    ("a vertical tab behind", "Content-Length: 6\u{b}", Reading::Wrong),
    ("a form feed before", "Content-Length:\u{c}6", Reading::Wrong),
    ("more than 64 bits", "Content-Length: 18446744073709551622", Reading::Wrong),
    ("as much as fits in 64 bits", "Content-Length: 18446744073709551615", Reading::Wrong),
    ("many digits", "Content-Length: 66666666666666666666666666666666666666666", Reading::Wrong),
    ("nothing", "Content-Length:", Reading::Wrong),
    ("a word", "Content-Length: six", Reading::Wrong),
    ("a space before the colon", "Content-Length : 6", Reading::Wrong),
    ("a space before the name", " Content-Length: 6", Reading::Wrong),
    ("a folded line", "Content-Length:\r\n 6", Reading::Wrong),
    ("folded digits", "Content-Length: 6\r\n 0", Reading::Wrong),
    ("a bare line feed in front", "X: x\nContent-Length: 6", Reading::Wrong),
    ("a bare return in front", "X: x\rContent-Length: 6", Reading::Wrong),
    ("an underscore", "Content_Length: 6", Reading::Other),
    ("another name", "X-Content-Length: 6", Reading::Other),
];
