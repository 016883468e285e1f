//! Tests of the module `cedar`.

use model::{Access, Proof, Risk, Timestamp};

use super::cache::Key;
use super::*;
use crate::Error;
use crate::principal::{Glass, Known, PrincipalKind, Standing};
use crate::tests::{Ask, specs};

fn compile(text: &str) -> Result<Policies, Error> {
    Policies::compile(&[Source { name: "mine.cedar", text }], &specs())
}

fn compiled(text: &str) -> Policies {
    compile(text).unwrap_or_else(|error| panic!("{error}"))
}

fn subject(
    known: &Arc<Known>,
    standing: Standing,
) -> (model::TenantName, model::PrincipalName, Arc<Known>, Standing) {
    ("local".parse().unwrap(), "ada".parse().unwrap(), Arc::clone(known), standing)
}

fn outcome(policies: &Policies, roles: &[&str], ask: &Ask) -> Outcome {
    decision(policies, roles, Standing::Proven, ask).outcome
}

fn decision(policies: &Policies, roles: &[&str], standing: Standing, ask: &Ask) -> Arc<Decision> {
    let known = Arc::new(Known::new(PrincipalKind::Person, roles.iter().copied()).unwrap());
    let (tenant, principal, known, standing) = subject(&known, standing);
    let subject =
        Subject { tenant: &tenant, principal: &principal, known, standing, glass: Glass::Whole, grant: None };
    policies.decide(&subject, &ask.caller("ada", Proof::Kernel), &ask.call(), ask.now())
}

fn permit_all() -> &'static str {
    r#"@id("all") permit (principal, action, resource);"#
}

const ALLOWED: Outcome = Outcome::Allow { approvers: 0 };

#[test]
fn nothing_is_allowed_without_a_permit() {
    assert_eq!(outcome(&compiled(""), &["owner"], &Ask::default()), Outcome::NotPermitted);
}

#[test]
fn a_forbid_wins_over_every_permit() {
    let text = format!(
        "{}\n@id(\"no-deletes\") forbid (principal, action == Doorward::Action::\"slack/chat.delete\", resource);",
        permit_all()
    );
    let policies = compiled(&text);
    assert_eq!(outcome(&policies, &[], &Ask::default()), ALLOWED);
    let delete = Ask { operation: "chat.delete", risk: Risk::High, ..Ask::default() };
    let decision = decision(&policies, &[], Standing::Proven, &delete);
    assert_eq!(decision.outcome, Outcome::Forbidden);
    assert_eq!(&*decision.determining, &[Arc::from("no-deletes")]);
}

#[test]
fn a_forbid_that_cannot_be_evaluated_denies() {
    let text = format!(
        "{}\n@id(\"broken\") forbid (principal, action, resource) when {{ 9223372036854775807 + 1 == 0 }};",
        permit_all()
    );
    let policies = compiled(&text);
    let decision = decision(&policies, &[], Standing::Proven, &Ask::default());
    assert_eq!(decision.outcome, Outcome::Failed);
    assert_eq!(&*decision.determining, &[Arc::from("broken")]);
    assert_eq!(decision.errors.len(), 1);
}

#[test]
fn a_permit_that_cannot_be_evaluated_denies_although_another_one_permits() {
    let text = format!(
        "{}\npermit (principal, action, resource) when {{ 9223372036854775807 + 1 == 0 }};",
        permit_all()
    );
    assert_eq!(outcome(&compiled(&text), &[], &Ask::default()), Outcome::Failed);
}

#[test]
fn a_policy_that_fails_strict_validation_is_not_loaded() {
    for (text, line) in [
        ("\n\nforbid (principal, action, resource) when { context.environment == \"x\" };", 3),
        ("forbid (principal, action, resource) when { context.nonsense == 1 };", 1),
        ("permit (principal, action, resource)\nwhen { principal.name == 1 };", 2),
        ("permit (principal == Doorward::User::\"x\", action, resource);", 1),
        ("permit (principal, action == Doorward::Action::\"slack/chat.pots\", resource);", 1),
        ("permit (principal, action, resource);\npermit (principal, action, rescource);", 2),
        ("permit (principal == ?principal, action, resource);", 1),
        (
            "\n@id(\"a\") permit (principal, action, resource);\n\n@id(\"a\") permit (principal, action, resource);",
            4,
        ),
        ("@aproval(\"required\") permit (principal, action, resource);", 1),
        ("@approval(\"maybe\") permit (principal, action, resource);", 1),
        ("@approval(\"1\") permit (principal, action, resource);", 1),
        ("@approval(\"0\") permit (principal, action, resource);", 1),
        ("@approval(\"10\") permit (principal, action, resource);", 1),
        ("@approval(\"two\") permit (principal, action, resource);", 1),
        ("@approval(\"required\") forbid (principal, action, resource);", 1),
        ("permit (principal, action, resource) when { principal.name == \"\u{430}da\" };", 1),
    ] {
        match compile(text) {
            Err(Error::Policy { source_name, line: found, message, .. }) => {
                assert_eq!((source_name.as_str(), found), ("mine.cedar", line), "{text}: {message}");
            }
            Err(other) => panic!("{text}: {other}"),
            Ok(_) => panic!("{text} was loaded"),
        }
    }
}

#[test]
fn names_that_nothing_has_are_pointed_out() {
    for (text, says) in [
        ("forbid (principal, action, resource in Doorward::Integration::\"slak\");", "did you mean `slack`?"),
        ("forbid (principal, action, resource == Doorward::Resource::\"slak/channel:C1\");", "`slak`"),
        ("forbid (principal in Doorward::Role::\"local/mangaer\", action, resource);", "nobody can have"),
        ("forbid (principal in Doorward::Role::\"mangaer\", action, resource);", "did you mean `manager`?"),
    ] {
        let policies = compiled(text);
        let [warning] = policies.warnings() else { panic!("{text}: {:?}", policies.warnings()) };
        assert!(warning.starts_with("mine.cedar:1:") && warning.contains(says), "{warning}");
    }
    let own = "forbid (principal in Doorward::Role::\"shop-keepers\", action, resource in Doorward::Integration::\"slack\");";
    assert!(compiled(own).warnings().is_empty(), "{:?}", compiled(own).warnings());
}

#[test]
fn a_policy_that_can_never_apply_is_pointed_out() {
    let policies =
        compiled("forbid (principal, action, resource) when { principal.name == \"a\" && false };");
    assert!(policies.warnings()[0].starts_with("mine.cedar:1:"), "{:?}", policies.warnings());
}

#[test]
fn operations_that_nobody_described_are_denied() {
    let policies = compiled(permit_all());
    assert_eq!(outcome(&policies, &[], &Ask { operation: "unknown", ..Ask::default() }), ALLOWED);
    for ask in [
        Ask { operation: "chat.invent", ..Ask::default() },
        Ask { integration: "nowhere", ..Ask::default() },
        Ask { operation: "users.list", access: Access::Write, ..Ask::default() },
        Ask { access: Access::Read, ..Ask::default() },
        Ask { risk: Risk::High, ..Ask::default() },
    ] {
        assert_eq!(outcome(&policies, &[], &ask), Outcome::NotDescribed, "{ask:?}");
    }
}

#[test]
fn groups_of_actions_cover_their_operations_and_the_unknown_ones() {
    let policies = compiled(&format!(
        "{} forbid (principal, action in [Doorward::Action::\"risk:high\", Doorward::Action::\"slack-prod/*\"], resource);",
        permit_all()
    ));
    assert_eq!(outcome(&policies, &[], &Ask::default()), ALLOWED);
    assert_eq!(
        outcome(&policies, &[], &Ask { integration: "slack-prod", ..Ask::default() }),
        Outcome::Forbidden
    );
    let unknown = Ask { operation: "unknown", ..Ask::default() };
    assert_eq!(outcome(&policies, &[], &unknown), Outcome::Forbidden);
    let writes = compiled(r#"permit (principal, action in Doorward::Action::"read", resource);"#);
    assert_eq!(outcome(&writes, &[], &unknown), Outcome::NotPermitted);
    let read = Ask { operation: "users.list", access: Access::Read, risk: Risk::Low, ..Ask::default() };
    assert_eq!(outcome(&writes, &[], &read), ALLOWED);
}

#[test]
fn an_operation_described_twice_differently_is_refused() {
    let mut twice = specs();
    twice.push(ActionSpec { access: Access::Read, ..twice[0].clone() });
    assert!(matches!(Policies::compile(&[], &twice), Err(Error::Operation(_))));
    let mut same = specs();
    same.push(same[0].clone());
    assert!(Policies::compile(&[Source::DEFAULT], &same).is_ok());
    assert!(Policies::compile(&[Source::DEFAULT], &[]).is_ok());
}

#[test]
fn policies_read_every_fact_of_the_context() {
    let text = r#"permit (principal, action, resource) when {
        context.now > datetime("2024-01-01T00:00:00Z") && context.door == "gateway" && context.proof == "kernel"
        && context has environment && context.environment == "production"
        && context has address && context.address.isInRange(ip("10.0.0.0/8"))
        && context has purpose && context.purpose == "run-7" && context has method && context.method == "POST"
        && context has host && context.host == "slack.com" && context has path && context.path like "/api/*"
        && context.inputs.contains("channel=C1") && context.risk == "medium"
        && resource in Doorward::Integration::"slack" && resource.kind == "slack" && resource.name == "channel:C1"
        && resource == Doorward::Resource::"slack/channel:C1" && principal == Doorward::Principal::"local/ada"
        && principal.kind == "person" && principal.name == "ada" && principal in Doorward::Tenant::"local"
    };"#;
    let policies = compiled(text);
    assert_eq!(outcome(&policies, &[], &Ask::default()), ALLOWED);
    let mapped = Ask { address: Some("::ffff:10.0.0.9".parse().unwrap()), ..Ask::default() };
    assert_eq!(outcome(&policies, &[], &mapped), ALLOWED);
    for other in [
        Ask { environment: None, ..Ask::default() },
        Ask { address: Some([11, 0, 0, 1].into()), ..Ask::default() },
        Ask { address: None, ..Ask::default() },
        Ask { request: None, ..Ask::default() },
        Ask { inputs: vec![], ..Ask::default() },
        Ask { resource: "channel:C2", ..Ask::default() },
        Ask { now: 0, ..Ask::default() },
    ] {
        assert_eq!(outcome(&policies, &[], &other), Outcome::NotPermitted, "{other:?}");
    }
}

#[test]
fn the_entities_of_a_request_fit_the_schema() {
    let policies = compiled(permit_all());
    let known = Known::new(PrincipalKind::Agent, ["ops", "owner"]).unwrap();
    let call = Ask::default().call();
    for standing in [Standing::Proven, Standing::Holder, Standing::Unproven] {
        let (tenant, principal) = ("local".parse().unwrap(), "ada".parse().unwrap());
        let who = policies.types.principal(&tenant, &principal, &known, (standing, Glass::Whole)).unwrap();
        let what = policies.types.resource(call.integration(), call.kind(), call.resource()).unwrap();
        let action = policies.action(call.integration(), call.operation()).unwrap().entity.clone();
        cedar_policy::Entities::from_entities([who, what, action], Some(&policies.schema)).unwrap();
    }
}

#[test]
fn names_with_quotes_are_names_and_nothing_else() {
    let policies = compiled(r#"permit (principal, action, resource == Doorward::Resource::"slack/C1");"#);
    let odd = Ask { resource: "C1\"||true", ..Ask::default() };
    assert_eq!(outcome(&policies, &[], &odd), Outcome::NotPermitted);
}

fn kept(policies: &Policies, standing: Standing, ask: &Ask) -> bool {
    let known = Arc::new(Known::default());
    let (tenant, principal, known, standing) = subject(&known, standing);
    let subject =
        Subject { tenant: &tenant, principal: &principal, known, standing, glass: Glass::Whole, grant: None };
    let call = ask.call();
    let first = policies.decide(&subject, &ask.caller("ada", Proof::Kernel), &call, ask.now());
    let action = policies.action(call.integration(), call.operation()).unwrap();
    let key = Key { subject: &subject, action: &action, kind: call.kind(), resource: call.resource() };
    let found = policies.cache.find(&key);
    assert!(found.as_ref().is_none_or(|decision| Arc::ptr_eq(decision, &first)));
    found.is_some()
}

#[test]
fn a_decision_is_kept_only_where_no_policy_of_its_slice_reads_the_context() {
    let text = format!(
        "{}\nforbid (principal, action == Doorward::Action::\"slack/chat.delete\", resource) unless \
         {{ context.now < datetime(\"2030-01-01T00:00:00Z\") }};",
        permit_all()
    );
    let policies = compiled(&text);
    assert!(kept(&policies, Standing::Proven, &Ask::default()));
    let delete = Ask { operation: "chat.delete", risk: Risk::High, ..Ask::default() };
    assert!(!kept(&policies, Standing::Proven, &delete));
    assert_eq!(outcome(&policies, &[], &delete), ALLOWED);
    let late: Timestamp = "2031-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(outcome(&policies, &[], &Ask { now: late.millis(), ..delete }), Outcome::Forbidden);
}

#[test]
fn a_kept_decision_is_not_given_to_anybody_else() {
    let policies = compiled(
        r#"permit (principal in Doorward::Role::"ops", action, resource == Doorward::Resource::"slack/channel:C1");"#,
    );
    assert_eq!(outcome(&policies, &["ops"], &Ask::default()), ALLOWED);
    assert_eq!(outcome(&policies, &[], &Ask::default()), Outcome::NotPermitted);
    assert_eq!(
        outcome(&policies, &["ops"], &Ask { resource: "channel:C2", ..Ask::default() }),
        Outcome::NotPermitted
    );
    let unproven = decision(&policies, &["ops"], Standing::Unproven, &Ask::default());
    assert_eq!(unproven.outcome, Outcome::NotPermitted);
}

#[test]
fn a_failed_decision_is_not_kept() {
    let policies = compiled("permit (principal, action, resource) when { 9223372036854775807 + 1 == 0 };");
    assert!(!kept(&policies, Standing::Proven, &Ask::default()));
}

#[test]
fn the_version_changes_with_every_text() {
    let one = compiled(permit_all()).version();
    assert_eq!(one, compiled(permit_all()).version());
    assert_ne!(one, compiled("").version());
    let fewer =
        Policies::compile(&[Source { name: "mine.cedar", text: permit_all() }], &specs()[..2]).unwrap();
    assert_ne!(one, fewer.version());
}

#[test]
fn a_policy_may_ask_for_an_approval() {
    let policies = compiled(r#"@approval("required") permit (principal, action, resource);"#);
    assert_eq!(outcome(&policies, &[], &Ask::default()), Outcome::Allow { approvers: 1 });
    let policies = compiled(
        r#"permit (principal, action, resource);
        @approval("3") permit (principal, action, resource);
        @approval("required") permit (principal, action, resource);"#,
    );
    assert_eq!(outcome(&policies, &[], &Ask::default()), Outcome::Allow { approvers: 3 });
}

fn question(json: &str) -> Question {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

#[test]
fn the_default_policies_say_what_the_page_says() {
    let policies = Policies::compile(&[Source::DEFAULT], &specs()).unwrap();
    assert!(policies.warnings().is_empty(), "{:?}", policies.warnings());
    for (roles, tenant, proof, operation, expected) in [
        ("owner", "local", "kernel", "slack/chat.post", Answer::Allow),
        ("owner", "local", "kernel", "doorward/secret.put", Answer::Allow),
        ("owner", "local", "kernel", "doorward/secret.reveal", Answer::Deny),
        ("owner", "local", "kernel", "doorward/unknown", Answer::Deny),
        ("owner", "acme", "kernel", "slack/chat.post", Answer::Deny),
        ("owner", "local", "loopback", "slack/chat.post", Answer::Deny),
        ("holder", "acme", "capability", "slack/chat.post", Answer::Allow),
        ("holder", "acme", "capability", "slack/unknown", Answer::Allow),
        ("holder", "acme", "capability", "doorward/secret.put", Answer::Deny),
        ("holder", "acme", "capability", "doorward/secret.reveal", Answer::Deny),
        ("manager", "acme", "kernel", "doorward/secret.put", Answer::Allow),
        ("manager", "acme", "kernel", "slack/chat.post", Answer::Deny),
        ("manager", "acme", "kernel", "doorward/secret.reveal", Answer::Deny),
        ("development", "local", "loopback", "slack/chat.post", Answer::Allow),
        ("development", "local", "loopback", "doorward/secret.put", Answer::Deny),
        ("development", "local", "kernel", "slack/chat.post", Answer::Deny),
        ("nobody", "local", "kernel", "slack/users.list", Answer::Deny),
    ] {
        let asked = question(&format!(
            r#"{{"tenant": "{tenant}", "principal": "ada", "roles": ["{roles}"], "operation": "{operation}",
                 "resource": "channel:C1", "context": {{"proof": "{proof}"}}, "expect": "allow"}}"#
        ));
        let explained = policies.evaluate(&asked).unwrap();
        assert_eq!(explained.answer, expected, "{roles} {tenant} {proof} {operation}: {explained:?}");
    }
}

#[test]
fn an_explanation_names_policy_place_and_reason() {
    let policies = Policies::compile(&[Source::DEFAULT], &specs()).unwrap();
    let asked = question(r#"{"principal": "ada", "roles": ["owner"], "operation": "slack/chat.post"}"#);
    let explained = policies.evaluate(&asked).unwrap();
    assert_eq!(explained.policies[0].id, "owner-of-local");
    assert!(explained.policies[0].place.starts_with("default.cedar:"), "{explained:?}");
    assert!(explained.reason.contains("may do everything but disclosures"), "{explained:?}");
    let other = question(r#"{"principal": "ada", "operation": "slack/chat.invent"}"#);
    assert_eq!(policies.evaluate(&other).unwrap().answer, Answer::Deny);
    assert!(policies.evaluate(&question(r#"{"principal": "ada", "operation": "slack"}"#)).is_err());
    assert!(
        serde_json::from_str::<Question>(r#"{"principal": "ada", "operation": "a/b", "role": "x"}"#).is_err()
    );
    assert!(
        serde_json::from_str::<Question>(
            r#"{"principal": "ada", "operation": "a/b", "context": {"tme": 1}}"#
        )
        .is_err()
    );
}

#[test]
fn policies_without_an_id_are_named_by_file_and_number() {
    let policies = compiled("forbid (principal, action, resource);\n\npermit (principal, action, resource);");
    assert_eq!(policies.rules(), vec![("mine.cedar#1", "mine.cedar:1"), ("mine.cedar#2", "mine.cedar:3")]);
    assert_eq!(
        &*decision(&policies, &[], Standing::Proven, &Ask::default()).determining,
        &[Arc::from("mine.cedar#1")]
    );
}

#[test]
fn a_shared_action_is_nothing_that_a_policy_may_name() {
    let text = r#"permit (principal, action == Doorward::Action::"shared::write:medium:use", resource);"#;
    let error = Policies::compile(&[Source { name: "mine.cedar", text }], &specs()).err().unwrap();
    assert!(error.to_string().contains("is not the name of an operation"), "{error}");
}

#[test]
fn operations_that_no_policy_names_are_told_apart_by_what_policies_may_say() {
    // `chat.post` has an action of its own here, `chat.delete` shares one; both are in the group.
    let policies = compiled(
        r#"permit (principal, action in Doorward::Action::"slack/*", resource);
           forbid (principal, action, resource) when { action == Doorward::Action::"slack/chat.post" };"#,
    );
    assert_eq!(outcome(&policies, &[], &Ask::default()), Outcome::Forbidden);
    let delete = Ask { operation: "chat.delete", risk: Risk::High, ..Ask::default() };
    assert_eq!(outcome(&policies, &[], &delete), ALLOWED);
    let other = Ask { integration: "slack-prod", ..Ask::default() };
    assert_eq!(outcome(&policies, &[], &other), Outcome::NotPermitted);
    let unknown = Ask { integration: "slack-prod", operation: "unknown", risk: Risk::High, ..Ask::default() };
    assert_eq!(outcome(&policies, &[], &unknown), Outcome::NotPermitted);
}

/// Counts how often each integration is read.
struct Counting(std::sync::Mutex<Vec<String>>);

impl super::Descriptions for Counting {
    fn digest(&self) -> crypto::Digest {
        [0; 32]
    }

    fn names(&self) -> Vec<IntegrationName> {
        ["slack", "github"].iter().map(|name| name.parse().unwrap()).collect()
    }

    fn operations(&self, integration: &IntegrationName) -> Result<Vec<ActionSpec>, Error> {
        self.0.lock().unwrap().push(integration.to_string());
        Ok(specs().into_iter().filter(|spec| spec.integration == *integration).collect())
    }
}

#[test]
fn an_integration_is_read_when_a_policy_names_one_of_its_operations_or_a_call_comes() {
    let counting = std::sync::Arc::new(Counting(std::sync::Mutex::default()));
    let text = r#"permit (principal, action == Doorward::Action::"github/issue.create", resource);
                  permit (principal, action in Doorward::Action::"slack/*", resource);"#;
    let sources = [Source { name: "mine.cedar", text }];
    let policies = Policies::compile_for(&sources, std::sync::Arc::clone(&counting) as _).unwrap();
    assert!(counting.0.lock().unwrap().iter().all(|name| name == "github"));
    assert_eq!(outcome(&policies, &[], &Ask::default()), ALLOWED);
    assert_eq!(outcome(&policies, &[], &Ask::default()), ALLOWED);
    assert_eq!(counting.0.lock().unwrap().iter().filter(|name| *name == "slack").count(), 1);
}

#[test]
fn no_policy_that_comes_with_doorward_forbids_what_a_list_allows() {
    let parsed = source::parse(0, &Source::DEFAULT).unwrap();
    assert!(parsed.iter().all(|one| one.rule.standard && one.rule.approvers == 0));
    for one in parsed.iter().filter(|one| one.rule.forbids) {
        let text = one.policy.to_string();
        let (_, exception) = text.split_once("unless {").unwrap();
        assert!(exception.contains("|| principal in Doorward::Role::\"listed\" }"), "{text}");
    }
}
