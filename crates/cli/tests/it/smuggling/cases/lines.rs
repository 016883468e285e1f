//! Ends of lines, folded lines, names and values with bytes that don't belong there.

use super::super::words::{Case, Must, Words};

pub(super) fn cases(words: &Words, cases: &mut Vec<Case>) {
    for (name, lines) in WRONG {
        let said = words.next();
        // What stands behind a line that one program takes for the end of the head is a request to it.
        let lines = lines.replace("SMUGGLED", &said.smuggled());
        let text = said.get(&lines);
        cases.push(said.http1(format!("lines/{name}"), Must::Refuse, vec![], &text));
    }
    for (name, lines) in RIGHT {
        let said = words.next();
        let text = said.get(lines);
        let requests = vec![said.expect("GET", "first", "")];
        cases.push(said.http1(format!("lines/{name}"), Must::Serve, requests, &text));
    }
    ends(words, cases);
}

/// The same head with other ends of lines, everywhere and in each place alone.
fn ends(words: &Words, cases: &mut Vec<Case>) {
    for (name, end) in [
        ("bare line feeds", "\n"),
        ("bare returns", "\r"),
        ("two returns and a line feed", "\r\r\n"),
        ("a line feed and a return", "\n\r"),
        ("a NUL and a line feed", "\0\n"),
        ("a space and a line end", " \r\n"),
        ("a next-line character", "\u{85}"),
        ("a line separator", "\u{e2}\u{80}\u{a8}"),
        ("a form feed and a line end", "\u{c}\r\n"),
    ] {
        for place in ["everywhere", "the request line", "a header", "the last header", "the empty line"] {
            let said = words.next();
            let head = [
                format!("GET {} HTTP/1.1", said.target("first")),
                format!("Host: {}", said.host()),
                "X-Before: x".to_owned(),
                format!("Authorization: Bearer {}", said.token()),
                String::new(),
            ];
            let mut text = String::new();
            for (at, line) in head.iter().enumerate() {
                let odd = match place {
                    "everywhere" => true,
                    "the request line" => at == 0,
                    "a header" => at == 2,
                    "the last header" => at == 3,
                    _ => at == 4,
                };
                text.push_str(line);
                text.push_str(if odd { end } else { "\r\n" });
            }
            let values_may_end_so =
                name == "a space and a line end" && matches!(place, "a header" | "the last header");
            let (must, requests) = if values_may_end_so {
                (Must::Serve, vec![said.expect("GET", "first", "")])
            } else {
                (Must::Refuse, vec![])
            };
            cases.push(said.http1(format!("ends/{name} at {place}"), must, requests, &text));
        }
    }
}

const WRONG: &[(&str, &str)] = &[
    ("a folded line", "X: a\r\n b\r\n"),
    ("a line folded by a tab", "X: a\r\n\tb\r\n"),
    ("a folded line of nothing", "X: a\r\n \r\n"),
    ("a folded first line", " X: a\r\n"),
    ("a folded line with a header in it", "X: a\r\n Content-Length: 5\r\n"),
    ("a folded line with a request in it", "X: a\r\n SMUGGLED"),
    ("a request behind two line feeds", "X: a\n\nSMUGGLED"),
    ("a request behind a line feed and a line end", "X: a\n\r\nSMUGGLED"),
    ("a request behind two returns", "X: a\r\rSMUGGLED"),
    ("a request behind a NUL", "X: a\0\r\n\r\nSMUGGLED"),
    ("a NUL in a value", "X: a\0b\r\n"),
    ("a NUL in a name", "X\0Y: a\r\n"),
    ("a NUL for a value", "X: \0\r\n"),
    ("a bell in a value", "X: a\u{7}b\r\n"),
    ("an escape in a value", "X: a\u{1b}b\r\n"),
    ("a backspace in a value", "X: a\u{8}b\r\n"),
    ("a delete in a value", "X: a\u{7f}b\r\n"),
    ("a vertical tab in a value", "X: a\u{b}b\r\n"),
    ("a line feed in a value", "X: a\nb: c\r\n"),
    ("a return in a value", "X: a\rb: c\r\n"),
    ("no colon", "X\r\n"),
    ("no colon but a space", "X a\r\n"),
    ("no name", ": a\r\n"),
    ("no name but a space", " : a\r\n"),
    ("a space in a name", "X Y: a\r\n"),
    ("a space behind a name", "X : a\r\n"),
    ("a tab behind a name", "X\t: a\r\n"),
    ("a byte beyond ASCII in a name", "X\u{ff}: a\r\n"),
    ("a letter beyond ASCII in a name", "X\u{c3}\u{a9}: a\r\n"),
    ("a parenthesis in a name", "X(Y): a\r\n"),
    ("a slash in a name", "X/Y: a\r\n"),
    ("a comma in a name", "X,Y: a\r\n"),
    ("a semicolon in a name", "X;Y: a\r\n"),
    ("an equals sign in a name", "X=Y: a\r\n"),
    ("an at sign in a name", "X@Y: a\r\n"),
    ("a quote in a name", "X\"Y: a\r\n"),
    ("a bracket in a name", "X[Y]: a\r\n"),
    ("a brace in a name", "X{Y}: a\r\n"),
    ("a backslash in a name", "X\\Y: a\r\n"),
    ("a delete in a name", "X\u{7f}: a\r\n"),
    ("a request line for a header", "GET /smuggled/x HTTP/1.1\r\n"),
];

const RIGHT: &[(&str, &str)] = &[
    ("an empty value", "X:\r\n"),
    ("a value of spaces", "X:    \r\n"),
    ("a tab in a value", "X: a\tb\r\n"),
    ("a colon in a value", "X: a: b: c\r\n"),
    ("bytes beyond ASCII in a value", "X: \u{e9}\u{ff}\u{80}\r\n"),
    ("a request in a value", "X: GET /smuggled/x HTTP/1.1\r\n"),
    ("every sign that a name may have", "X!#$%&'*+-.^_`|~9: a\r\n"),
    ("the same header three times", "X: a\r\nx: b\r\nX: c\r\n"),
];
