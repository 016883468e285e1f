//! Tests of the module `lists`: capabilities of the catalogue, and the folder of a home.

use super::*;

/// Each ready-made capability that lists of this language know, with parameters it takes. (A table of the peers' data, by the
/// kind of integration.)
const CAPABILITIES: &[(&str, &str, &str)] = &[
    ("asana", "add_comment", ""),
    ("asana", "create_task", ""),
    ("asana", "update_status", ""),
    ("confluence", "add_comment", ""),
    ("confluence", "create_page", ""),
    ("confluence", "update_page", ""),
    ("datadog", "post_event", ""),
    ("datadog", "submit_metrics", ""),
    ("ghe", "comment", "repo: octo/hello"),
    ("ghe", "create_issue", "repo: octo/hello"),
    ("ghe", "update_issue", "repo: octo/hello"),
    ("github", "comment", "repo: octo/hello"),
    ("github", "create_issue", "repo: octo/hello"),
    ("github", "update_issue", "repo: octo/hello"),
    ("gitlab", "comment", "project: 42"),
    ("gitlab", "create_issue", "project: group/app"),
    ("gitlab", "update_issue", "project: '42'"),
    ("jira", "add_comment", ""),
    ("jira", "create_task", ""),
    ("jira", "update_status", ""),
    ("linear", "add_comment", ""),
    ("linear", "create_task", ""),
    ("linear", "update_status", ""),
    ("monday", "add_comment", "operationName: add_comment"),
    ("monday", "create_item", ""),
    ("monday", "update_status", ""),
    ("okta", "create_user", ""),
    ("okta", "deactivate_user", ""),
    ("okta", "update_user", ""),
    ("openai", "chat_completion", ""),
    ("openai", "create_embedding", ""),
    ("openai", "list_models", ""),
    ("pagerduty", "resolve_incident", ""),
    ("pagerduty", "trigger_incident", ""),
    ("sendgrid", "manage_contacts", ""),
    ("sendgrid", "send_email", "from: a@example.com, replyTo: b@example.com"),
    ("sendgrid", "update_template", ""),
    ("servicenow", "open_ticket", ""),
    ("servicenow", "query_status", ""),
    ("servicenow", "update_ticket", ""),
    ("slack", "post_as", "username: bot"),
    ("slack", "post_channels", "channels: [C1, C2]"),
    ("slack", "post_channels_as", "username: bot, channels: [C1]"),
    ("stripe", "create_charge", ""),
    ("stripe", "create_customer", ""),
    ("stripe", "refund_charge", ""),
    ("trufflehog", "get_results", ""),
    ("trufflehog", "list_scans", ""),
    ("trufflehog", "start_scan", ""),
    ("twilio", "make_call", ""),
    ("twilio", "query_message", ""),
    ("twilio", "send_sms", ""),
    ("zendesk", "open_ticket", ""),
    ("zendesk", "query_status", ""),
    ("zendesk", "update_ticket", ""),
];

/// A catalogue with the user's own of those services that live at an address of the user's.
fn catalog() -> (tempfile::TempDir, Catalog) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        store::files::replace(&folder.path().join(format!("{name}.yaml")), text.as_bytes(), 0o600).unwrap();
    };
    for name in ["servicenow", "zendesk", "okta"] {
        write(name, format!("name: {name}\nextends: {name}\ndomain: {name}.example.com\n"));
    }
    write("ghe", "name: ghe\nextends: github\nbase_url: https://ghe.example.com/api/v3\n".to_owned());
    write("slack-prod", "name: slack-prod\nextends: slack\n".to_owned());
    let catalog = Catalog::load(Some(folder.path())).unwrap();
    (folder, catalog)
}

fn read(catalog: &Catalog, integration: &str, capability: &str, params: &str) -> Result<Lists, String> {
    let text = format!(
        "- integration: {integration}\n  callers: [{{capabilities: [{{name: {capability}, params: {{{params}}}}}]}}]\n"
    );
    let file = File { side: Side::Allow, name: "allowlist.yaml", text: &text };
    read_lists(catalog, &[file]).map_err(|refusal| refusal.message)
}

#[test]
fn every_ready_made_capability_of_such_lists_is_known_here() {
    let (_folder, catalog) = catalog();
    assert_eq!(CAPABILITIES.len(), 55);
    for (integration, capability, params) in CAPABILITIES {
        let lists = read(&catalog, integration, capability, params).unwrap_or_else(|error| panic!("{error}"));
        assert_ne!(lists.counts().1, 0, "{integration} {capability}");
    }
    assert!(read(&catalog, "slack-prod", "post_as", "username: bot").is_ok(), "several of one kind");
    assert!(
        read(&catalog, "workday", "dangerously_allow_full_access", "").is_ok()
            || catalog.get(&"workday".parse().unwrap()).is_err()
    );
}

#[test]
fn parameters_are_typed_and_none_is_a_pattern() {
    let (_folder, catalog) = catalog();
    let cases = [
        ("slack", "post_as", "", "the parameter `username` is missing"),
        ("slack", "post_as", "username: [a, b]", "the parameter `username` is one text"),
        ("slack", "post_as", "usrname: bot", "is missing"),
        ("slack", "post_channels", "channels: C1", "the parameter `channels` is a list of texts"),
        ("slack", "post_channels", "channels: []", "the parameter `channels` is an empty list"),
        ("slack", "post_channels", "channels: ['C1,C2']", "has a comma in one of its texts"),
        ("slack", "post_as", "username: bot, path: x", "the parameter `path` is unknown"),
        ("github", "comment", "repo: '**'", "holds a wildcard"),
        ("github", "comment", "repo: 'octo/*'", "holds a wildcard"),
        ("gitlab", "comment", "project: '**'", "holds a wildcard"),
        ("sendgrid", "send_email", "from: a@example.com, replyTo: ''", "the parameter `replyTo` is empty"),
        ("asana", "create_task", "x: y", "`create_task` takes no parameter `x`"),
        ("linear", "create_task", "x: y", "takes no such parameter"),
        ("slack", "post_sa", "", "is unknown"),
        ("doorward", "post_as", "", "there is no integration `doorward`"),
    ];
    for (integration, capability, params, expected) in cases {
        let said = read(&catalog, integration, capability, params).map(|_| ()).unwrap_err();
        assert!(said.contains(expected), "{integration} {capability} {params}: {said}");
    }
    assert!(read(&catalog, "sendgrid", "send_email", "from: a@example.com, replyTo: null").is_ok());
}

#[test]
fn a_folder_holds_nothing_but_lists_of_the_right_names() {
    let (_layer, catalog) = catalog();
    let folder = tempfile::tempdir().unwrap();
    let read = || home_lists(folder.path(), &catalog).map(|lists| lists.counts());
    let write = |name: &str, text: &str| {
        store::files::replace(&folder.path().join(name), text.as_bytes(), 0o600).unwrap();
    };
    assert_eq!(read().unwrap(), (0, 0));
    assert!(home_lists(&folder.path().join("none"), &catalog).unwrap().is_empty());
    write("denylist.yaml", "- integration: slack\n  callers: [{rules: [{path: /a, methods: {GET: {}}}]}]\n");
    write(".swap", "x");
    assert_eq!(read().unwrap(), (1, 1));
    write("denylists.yaml", "");
    assert!(read().unwrap_err().message.ends_with("denylists.yaml` is no list"));
    std::fs::remove_file(folder.path().join("denylists.yaml")).unwrap();
    write("denylist.json", "[]");
    assert!(read().unwrap_err().message.contains("holds `denylist."));
    std::fs::remove_file(folder.path().join("denylist.json")).unwrap();
    write("allowlist.yml", "- integration: slakc\n  callers: []\n");
    let refusal = read().unwrap_err();
    assert_eq!(refusal.message, "allowlist.yml:1: there is no integration `slakc`");
    assert_eq!(refusal.hint.as_deref(), Some("did you mean `slack`?"));
}
