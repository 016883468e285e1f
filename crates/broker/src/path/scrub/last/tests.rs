//! What the end of a stream tells, however it is cut.

use super::*;

fn last(operation: &str) -> Last {
    let integration = catalog::Catalog::builtin().get(&"openai".parse().unwrap()).unwrap();
    let operation = operation.parse().unwrap();
    Last { integration, operation, line: Vec::new(), skips: false, kept: None }
}

fn seen(operation: &str, text: &str, size: usize) -> Vec<(String, String)> {
    let mut last = last(operation);
    text.as_bytes().chunks(size).for_each(|piece| last.sees(piece));
    last.fields(None)
}

const CHAT: &str = "data: {\"id\":\"c1\",\"model\":\"m\",\"usage\":null}\n\ndata: {\"id\":\"c1\",\"model\":\"m\",\"usage\":{\"total_tokens\":9}}\r\n\r\ndata: [DONE]\n\n";
const RESPONSE: &str = "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"r1\",\"model\":\"m\",\"usage\":{\"total_tokens\":7}}}\n\n";

#[test]
fn the_last_event_tells_what_was_used() {
    let pairs = |all: &[(&str, &str)]| {
        all.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>()
    };
    for size in [1, 10, 10_000] {
        let mut chat = seen("chat.complete", CHAT, size);
        chat.sort();
        assert_eq!(chat, pairs(&[("completion", "c1"), ("model", "m"), ("tokens", "9")]), "{size}");
        let mut response = seen("responses.create", RESPONSE, size);
        response.sort();
        assert_eq!(response, pairs(&[("model", "m"), ("response", "r1"), ("tokens", "7")]), "{size}");
    }
}

#[test]
fn what_tells_nothing_or_is_too_long_or_broken_gives_nothing() {
    let long = format!("data: {{\"usage\":{{\"total_tokens\":1}},\"x\":\"{}\"}}\n\n", "x".repeat(LONGEST));
    for text in [
        "",
        "data: {\"id\":\"c1\",\"usage\":null}\n\n",
        "data: \"total_tokens\"\n\n",
        "data: {\"total_tokens\"\n\n",
        &long,
    ] {
        assert!(seen("chat.complete", text, 64).is_empty());
    }
    let after = format!("{long}{CHAT}");
    assert_eq!(seen("chat.complete", &after, 4096).len(), 3, "a long event hides none that comes after it");
}
