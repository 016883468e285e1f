//! Sizes, extensions, ends and trailers of chunks.

use super::super::words::{Case, Must, Words};

pub(super) fn cases(words: &Words, cases: &mut Vec<Case>) {
    for (name, size) in WRONG_SIZES {
        let said = words.next();
        let text = said.post(CHUNKED, &format!("{size}\r\nhello\r\n0\r\n\r\n"));
        cases.push(said.http1(format!("chunk size/{name}"), Must::Refuse, vec![], &text));
    }
    for (name, size) in RIGHT_SIZES {
        let said = words.next();
        let text = said.post(CHUNKED, &format!("{size}\r\nhello\r\n0\r\n\r\n"));
        let requests = vec![said.expect("POST", "first", "hello")];
        cases.push(said.http1(format!("chunk size/{name}"), Must::Serve, requests, &text));
    }
    for (name, body) in WRONG_BODIES {
        let said = words.next();
        let body = body.replace("SMUGGLED", &said.smuggled());
        let text = said.post(CHUNKED, &body);
        cases.push(said.http1(format!("chunks/{name}"), Must::Refuse, vec![], &text));
    }
    for (name, trailers) in WRONG_TRAILERS {
        let said = words.next();
        let trailers = trailers.replace("SMUGGLED", &said.smuggled());
        let text = said.post(CHUNKED, &format!("5\r\nhello\r\n0\r\n{trailers}\r\n"));
        cases.push(said.http1(format!("trailer/{name}"), Must::Refuse, vec![], &text));
    }
    for (name, trailers) in ODD_TRAILERS {
        let said = words.next();
        let trailers = trailers.replace("TOKEN", said.token());
        let text = said.post(CHUNKED, &format!("5\r\nhello\r\n0\r\n{trailers}\r\n"));
        let requests = vec![said.expect("POST", "first", "hello")];
        cases.push(said.http1(format!("trailer/{name}"), Must::Either, requests, &text));
    }
    for (name, body, read) in RIGHT {
        let said = words.next();
        let (body, read) = (body.replace("NONCE", &said.nonce), read.replace("NONCE", &said.nonce));
        let text = said.post(CHUNKED, &body);
        let requests = vec![said.expect("POST", "first", &read)];
        cases.push(said.http1(format!("chunks/{name}"), Must::Serve, requests, &text));
    }
    for (name, body) in BROKEN {
        let said = words.next();
        let text = said.post(CHUNKED, body);
        cases.push(said.http1(format!("chunks/{name}"), Must::Break, vec![], &text));
    }
    request_in_chunks(words, cases);
}

/// A request as the data of a chunk, with a size that says one byte too few or too many.
fn request_in_chunks(words: &Words, cases: &mut Vec<Case>) {
    for (name, off) in [("as it is", 0_i64), ("one too few", -1), ("one too many", 1), ("two too many", 2)] {
        let said = words.next();
        let smuggled = said.smuggled();
        let size = i64::try_from(smuggled.len()).unwrap() + off;
        let text = said.post(CHUNKED, &format!("{size:x}\r\n{smuggled}\r\n0\r\n\r\n"));
        let (must, requests) = match off {
            0 => (Must::Serve, vec![said.expect("POST", "first", &smuggled)]),
            _ => (Must::Refuse, vec![]),
        };
        cases.push(said.http1(format!("chunks/a request, its size {name}"), must, requests, &text));
    }
}

const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";

const WRONG_SIZES: &[(&str, &str)] = &[
    ("an empty extension", "5;"),
    ("an extension with an empty value", "5;a="),
    ("two words in an extension", "5;a b"),
    ("more behind the quotes of an extension", "5;a=\"b\"c"),
    ("an extension with an open quote", "5;a=\"b"),
    ("an extension with a line feed", "5;a\nb"),
    ("an extension with a return", "5;a\rb"),
    ("an extension with a NUL", "5;a\0b"),
    ("an extension with a line end in quotes", "5;a=\"\r\n\""),
    ("a space before", " 5"),
    ("a space behind", "5 "),
    ("a tab before", "\t5"),
    ("a tab behind", "5\t"),
    ("a space and an extension", "5 ;a=b"),
    ("a vertical tab behind", "5\u{b}"),
    ("a NUL behind", "5\0"),
    ("a plus", "+5"),
    ("a minus", "-5"),
    ("a prefix", "0x5"),
    ("an underscore", "0_5"),
    ("a dot", "5.0"),
    ("a comma", "5,"),
    ("nothing", ""),
    ("a letter beyond f", "g"),
    ("a letter beyond f behind", "5g"),
    ("a wide digit", "\u{ef}\u{bc}\u{95}"),
    ("64 bits and five", "10000000000000005"),
    ("as much as 64 bits hold", "ffffffffffffffff"),
    ("half of 64 bits", "7fffffffffffffff"),
    ("seventeen digits", "00000000000000005"),
    ("a thousand zeros", ZEROS),
    ("a return alone", "5\r"),
];

/// Extensions among them: nobody knows any, so they are ignored (RFC 9112, section 7.1.1), and none goes on.
const RIGHT_SIZES: &[(&str, &str)] = &[
    ("a zero before", "05"),
    ("many zeros before", "00000000005"),
    ("an extension", "5;a=b"),
    ("an extension without a value", "5;a"),
    ("an extension in quotes", "5;a=\"b;c\\\"d\""),
    ("two extensions", "5;a=b;c"),
];

const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000005";

const WRONG_BODIES: &[(&str, &str)] = &[
    ("a bare line feed behind the size", "5\nhello\r\n0\r\n\r\n"),
    ("a bare return behind the size", "5\rhello\r\n0\r\n\r\n"),
    ("a bare line feed behind the data", "5\r\nhello\n0\r\n\r\n"),
    ("a bare return behind the data", "5\r\nhello\r0\r\n\r\n"),
    ("nothing behind the data", "5\r\nhello0\r\n\r\n"),
    ("two bytes in place of the line end", "5\r\nhelloXX0\r\n\r\n"),
    ("more data than the size says", "5\r\nhello!\r\n0\r\n\r\n"),
    ("less data than the size says", "6\r\nhello\r\n0\r\n\r\n"),
    ("bare line feeds everywhere", "5\nhello\n0\n\n"),
    ("a bare line feed behind the last size", "5\r\nhello\r\n0\n\r\n"),
    ("a bare line feed at the end", "5\r\nhello\r\n0\r\n\n"),
    ("a request in an extension", "5;\nxx\r\n4c\r\n0\r\n\r\nSMUGGLED\r\n0\r\n\r\n"),
    ("a request behind an extension", "2;\nxx\r\n0\r\n\r\nSMUGGLED"),
    ("a request behind a bare end", "0\n\nSMUGGLED"),
    ("a request behind a wrong end", "0\r\n\rSMUGGLED"),
    ("an empty line before the size", "\r\n5\r\nhello\r\n0\r\n\r\n"),
    ("a minus nothing at the end", "5\r\nhello\r\n-0\r\n\r\n"),
    ("a request where a size should be", "SMUGGLED"),
    ("a NUL where a size should be", "\0\r\n\r\n"),
];

const WRONG_TRAILERS: &[(&str, &str)] = &[
    ("a folded line", "X: a\r\n b\r\n"),
    ("a bare line feed", "X: a\n"),
    ("a bare return", "X: a\rY: b\r\n"),
    ("a NUL", "X: a\0\r\n"),
    ("no colon", "X\r\n"),
    ("no name", ": a\r\n"),
    ("a space in a name", "X Y: a\r\n"),
    ("a space behind a name", "X : a\r\n"),
    ("a request", "SMUGGLED"),
    ("a request behind a line feed", "X: a\n\nSMUGGLED"),
];

const ODD_TRAILERS: &[(&str, &str)] = &[
    ("one", "X-Trailer: a\r\n"),
    ("a length", "Content-Length: 0\r\n"),
    ("a coding", "Transfer-Encoding: chunked\r\n"),
    ("a host", "Host: other.localhost\r\n"),
    ("an authorization", "Authorization: Bearer TOKEN\r\n"),
    ("an integration", "X-Doorward-Integration: other\r\n"),
    ("a connection", "Connection: close\r\n"),
    ("a content type", "Content-Type: text/plain\r\n"),
    ("an expectation", "Expect: 100-continue\r\n"),
    ("the same twice", "X: a\r\nX: b\r\n"),
];

const RIGHT: &[(&str, &str, &str)] = &[
    ("none but the last", "0\r\n\r\n", ""),
    ("one", "5\r\nhello\r\n0\r\n\r\n", "hello"),
    ("of one byte each", "1\r\nh\r\n1\r\ne\r\n1\r\ny\r\n0\r\n\r\n", "hey"),
    ("a size in upper case", "A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
    ("the last size with zeros", "5\r\nhello\r\n000\r\n\r\n", "hello"),
    ("line ends as data", "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n"),
    ("an end as data", "5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n"),
    ("a head as data", "14\r\nGET / NONCE\r\n\r\n\r\n0\r\n\r\n", "GET / NONCE\r\n\r\n"),
];

const BROKEN: &[(&str, &str)] = &[
    ("that break off far from the size, which has more than 32 bits", "100000005\r\nhello\r\n0\r\n\r\n"),
    ("that break off before the size", ""),
    ("that break off in the size", "5"),
    ("that break off behind the size", "5\r\n"),
    ("that break off in the data", "5\r\nhel"),
    ("that break off behind the data", "5\r\nhello\r\n"),
    ("that break off in the last size", "5\r\nhello\r\n0"),
    ("that break off before the end", "5\r\nhello\r\n0\r\n"),
    ("that break off in the end", "5\r\nhello\r\n0\r\n\r"),
    ("that break off in a trailer", "5\r\nhello\r\n0\r\nX: a"),
    ("that break off behind a trailer", "5\r\nhello\r\n0\r\nX: a\r\n"),
];
