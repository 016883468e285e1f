//! Every built-in file is whole, and does what its cases say.

use std::collections::BTreeMap;

use model::{Access, IntegrationName};

use crate::cases::{self, Case};
use crate::{Catalog, Effect, Error, embedded, template};

fn name(text: &str) -> IntegrationName {
    text.parse().unwrap()
}

fn failures(of: &str) -> Vec<String> {
    let integration = cases::integration(&name(of)).unwrap();
    let cases = cases::load(cases::built_in(of).unwrap(), of).unwrap();
    let failed = |outcome: &cases::Outcome| !outcome.problems.is_empty();
    let outcomes = cases::run(&integration, &cases, &cases::canary);
    outcomes
        .iter()
        .filter(|o| failed(o))
        .map(|o| format!("{of} case {} ({}): {:?}", o.place, o.name, o.problems))
        .collect()
}

#[test]
fn every_case_of_every_built_in_integration_passes() {
    let failures: Vec<String> = embedded::ENTRIES.iter().flat_map(|entry| failures(entry.name)).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_operation_has_a_case() {
    for entry in embedded::ENTRIES {
        let integration = cases::integration(&name(entry.name)).unwrap();
        let cases = cases::load(entry.cases, entry.name).unwrap();
        let missing = cases::uncovered(&integration, &cases);
        assert!(missing.is_empty(), "add a case to cases/{}.yaml for {missing:?}", entry.name);
    }
}

#[test]
fn every_command_is_recorded() {
    for entry in embedded::ENTRIES {
        let integration = cases::integration(&name(entry.name)).unwrap();
        let cases = cases::load(entry.cases, entry.name).unwrap();
        let missing = cases::without_command(&integration, &cases);
        assert!(missing.is_empty(), "add a case with `cli` to cases/{}.yaml for {missing:?}", entry.name);
    }
}

#[test]
fn an_operation_without_a_case_is_named() {
    let integration = cases::integration(&name("slack")).unwrap();
    let cases: Vec<Case> = cases::load("- {request: GET /api/auth.test, operation: auth.test}", "x").unwrap();
    let missing = cases::uncovered(&integration, &cases);
    assert_eq!(missing.len(), integration.operations().len() - 1);
    assert!(missing.iter().any(|operation| operation.as_str() == "chat.post"));
}

#[test]
fn a_case_that_says_something_wrong_fails() {
    let integration = cases::integration(&name("slack")).unwrap();
    let text = "
- {request: GET /api/auth.test, operation: chat.post, access: write, resource: '*', sends: {url: 'https://x.example/'}}
- {request: GET /api/auth.test, operation: auth.test, access: read, resource: '*'}
- {request: GET /api/auth.test, refused: bad_request}
";
    let cases = cases::load(text, "x").unwrap();
    let outcomes = cases::run(&integration, &cases, &cases::canary);
    assert_eq!(outcomes.iter().map(|outcome| outcome.problems.len()).collect::<Vec<_>>(), [3, 1, 1]);
}

#[test]
fn every_built_in_file_names_the_exact_headers_of_one_request() {
    for entry in embedded::ENTRIES {
        let whole = entry.cases.contains("headers: {authorization:") || entry.cases.contains("CANARY-");
        assert!(whole || crate::layer::HOUSE.contains(&entry.name), "cases/{}.yaml", entry.name);
    }
}

#[test]
fn doorward_itself_has_no_requests_and_one_operation_that_shows_a_secret() {
    let own = Catalog::builtin().get(&name("doorward")).unwrap();
    assert!(own.internal() && own.auth().is_empty() && own.secrets().is_empty());
    for (operation, described) in own.operations() {
        assert!(described.method().is_none());
        // What asks for it is the agent's; what does it is a disclosure, which no default policy allows.
        let reveals = operation.as_str().contains("reveal");
        let discloses = operation.as_str() == "secret.reveal";
        assert_eq!(described.effect() == Effect::Disclose, discloses, "{operation}");
        assert!(!reveals || discloses || operation.as_str() == "agent.reveal", "{operation}");
        let looks = [
            "check",
            "checkpoint",
            "checkpoints",
            "counters",
            "deliveries",
            "list",
            "show",
            "validate",
            "explain",
            "verify",
            "export",
            "status",
            "metrics",
            "rotation",
            "survey",
        ];
        let last = operation.as_str().rsplit('.').next().unwrap();
        let wanted = if (looks.contains(&last) && operation.as_str() != "credential.validate") || discloses {
            Access::Read
        } else {
            Access::Write
        };
        assert_eq!(described.access(), wanted, "{operation}");
    }
}

#[test]
fn an_unknown_name_gets_the_nearest_one() {
    let error = Catalog::builtin().get(&name("slak")).unwrap_err();
    assert_eq!(error.to_string(), "there is no integration `slak`; did you mean `slack`");
    assert!(matches!(error, Error::Unknown { .. }) && error.hint().is_some());
}

#[test]
fn a_name_is_read_once_and_shared() {
    let catalog = Catalog::builtin();
    let (one, two) =
        (catalog.get(&name("github")).unwrap(), Catalog::builtin().get(&name("github")).unwrap());
    assert!(std::sync::Arc::ptr_eq(&one, &two));
    assert!(catalog.names().contains(&name("github")));
}

#[test]
fn the_ready_made_narrowings_of_the_first_catalogue_are_there() {
    let wanted = BTreeMap::from([
        ("github", vec!["comment", "create_issue", "update_issue"]),
        ("gitlab", vec!["comment", "create_issue", "update_issue"]),
        ("openai", vec!["chat_completion", "create_embedding", "list_models"]),
        ("slack", vec!["post_as", "post_channels", "post_channels_as"]),
        ("stripe", vec!["create_charge", "create_customer", "refund_charge"]),
    ]);
    for (integration, names) in wanted {
        let integration = Catalog::builtin().get(&name(integration)).unwrap();
        assert_eq!(integration.capabilities().keys().map(String::as_str).collect::<Vec<_>>(), names);
    }
}

#[test]
fn a_new_integration_loads_and_passes_as_it_is() {
    let (file, case_file) = template(&name("my-service"));
    let integration = crate::layer::integration(&file, "my-service.yaml", "my-service").unwrap();
    let cases = cases::load(&case_file, "cases").unwrap();
    for outcome in cases::run(&integration, &cases, &cases::canary) {
        assert!(outcome.problems.is_empty(), "{}: {:?}", outcome.name, outcome.problems);
    }
    assert!(cases::uncovered(&integration, &cases).is_empty());
    assert_eq!(integration.secrets()["token"].reference.as_str(), "store:my-service/token");
}

#[test]
fn a_probe_says_what_is_not_as_it_should_be() {
    let slack = Catalog::builtin().get(&name("slack")).unwrap();
    let probe = slack.probe().unwrap();
    assert_eq!(probe.unmet(200, br#"{"ok":true}"#), None);
    assert_eq!(probe.unmet(200, br#"{"ok":false}"#).unwrap(), "`ok` of the reply is not `true`");
    assert!(probe.unmet(401, b"").is_some() && probe.unmet(200, b"<html>").is_some());
}
