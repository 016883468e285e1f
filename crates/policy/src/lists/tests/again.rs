//! Lists of which most was read before.

use std::cell::RefCell;

use super::*;

/// The catalogue of the other tests; says which capabilities were asked for, and whether its files are as they were.
struct Asked(RefCell<Vec<String>>, bool);

impl Services for Asked {
    fn names(&self) -> Vec<IntegrationName> {
        Catalogue.names()
    }

    fn kind(&self, integration: &IntegrationName) -> Option<IntegrationName> {
        Catalogue.kind(integration)
    }

    fn is_as_before(&self, _: &IntegrationName) -> bool {
        self.1
    }

    fn capability(
        &self,
        name: &IntegrationName,
        word: &str,
        params: &Params,
    ) -> Result<Vec<Condition>, Unready> {
        self.0.borrow_mut().push(name.to_string());
        Catalogue.capability(name, word, params)
    }
}

fn read_after(text: &str, former: &Lists, same: bool) -> (Result<Lists, Error>, Vec<String>) {
    let services = Asked(RefCell::default(), same);
    let file = File { side: Side::Allow, name: "allowlist.yaml", text };
    (Lists::read_after(&[file], &services, former), services.0.into_inner())
}

const SLACK: &str = "- integration: slack\n  callers:\n  - capabilities: [{name: post_as, params: {username: ada}}]\n    rules:\n    - {path: /a, methods: {GET: {}}}\n";
const GITHUB: &str = "- integration: github\n  callers:\n  - rules:\n    - {path: /b, methods: {GET: {}}}\n";

fn place(lists: &Lists, integration: &'static str, line: &str) -> Option<String> {
    asks(line).to(integration).verdict(lists).allowed_by().map(ToOwned::to_owned)
}

#[test]
fn an_entry_that_says_the_same_is_not_read_again_and_its_rules_are_where_they_stand_now() {
    let (first, asked) = read_after(&format!("{SLACK}{GITHUB}"), &Lists::new(), true);
    let first = first.unwrap();
    assert_eq!(asked, ["slack"]);
    assert_eq!(place(&first, "slack", "GET /a").as_deref(), Some("allowlist.yaml:5"));

    let moved = format!("# moved\n\n{GITHUB}{SLACK}");
    let (second, asked) = read_after(&moved, &first, true);
    let second = second.unwrap();
    assert_eq!(asked, [""; 0]);
    assert_eq!(second.counts(), (2, 3));
    assert_eq!(place(&second, "slack", "GET /a").as_deref(), Some("allowlist.yaml:11"));
    assert_eq!(place(&second, "github", "GET /b").as_deref(), Some("allowlist.yaml:6"));
    assert_eq!(place(&second, "github", "GET /a"), None);
}

#[test]
fn capabilities_are_asked_for_again_where_the_integration_changed() {
    let (first, _) = read_after(&format!("{SLACK}{GITHUB}"), &Lists::new(), true);
    let (second, asked) = read_after(&format!("{SLACK}{GITHUB}"), &first.unwrap(), false);
    assert_eq!((second.unwrap().counts(), asked), ((2, 3), vec!["slack".to_owned()]));
}

#[test]
fn what_was_taken_away_allows_nothing() {
    let (first, _) = read_after(&format!("{SLACK}{GITHUB}"), &Lists::new(), true);
    let (second, _) = read_after(&GITHUB.replace("/b", "/c"), &first.unwrap(), true);
    let second = second.unwrap();
    assert_eq!(second.counts(), (1, 1));
    for (integration, line) in [("slack", "GET /a"), ("github", "GET /b")] {
        assert_eq!(place(&second, integration, line), None);
    }
}

#[test]
fn a_mistake_is_told_with_its_line_whatever_was_read_before() {
    let (first, _) = read_after(&format!("{SLACK}{GITHUB}"), &Lists::new(), true);
    let first = first.unwrap();
    for (text, line) in [
        (format!("{SLACK}{GITHUB}{GITHUB}"), "10"),
        (format!("{SLACK}- integration: nobody\n  callers: []\n"), "6"),
        (format!("{SLACK}{GITHUB}- integration: linear\n  callrs: []\n"), "11"),
        (format!("{SLACK}- integration: 'github\n{GITHUB}"), "6"),
    ] {
        let (read, _) = read_after(&text, &first, true);
        let (whole, _) = read_after(&text, &Lists::new(), true);
        let (read, whole) = (read.unwrap_err().to_string(), whole.unwrap_err().to_string());
        assert_eq!(read, whole);
        assert!(read.contains(&format!("allowlist.yaml:{line}")), "{read}");
    }
}

#[test]
fn what_can_t_be_read_item_by_item_is_read_whole_and_means_the_same() {
    let flow = "[{integration: slack, callers: [{rules: [{path: /a, methods: {GET: {}}}]}]}]\n";
    for text in
        [flow.to_owned(), SLACK.replace('\n', "\r\n"), format!("---\n{SLACK}"), format!("---\n{SLACK}...\n")]
    {
        let (read, _) = read_after(&text, &Lists::new(), true);
        let read = read.unwrap_or_else(|error| panic!("{error}: {text}"));
        assert!(place(&read, "slack", "GET /a").is_some(), "{text}");
        assert_eq!(place(&read, "slack", "GET /b"), None, "{text}");
    }
}
