//! Tests of the module `authorise`.

use crypto::MacKey;
use model::{Access, Refusal, Risk, TenantName};

use super::*;
use crate::cedar::{Policies, Source};
use crate::lists::{self, Lists, Services, Side};
use crate::principal::{Known, PrincipalKind};
use crate::tests::{Ask, NOON, caveat, grant, grant_id, narrowing, specs};
use crate::{Token, mint, verify};

struct House {
    rules: Rules,
    grants: Grants,
    principals: Principals,
}

impl House {
    fn new() -> Self {
        Self::with(Source::DEFAULT)
    }

    fn with(source: Source<'_>) -> Self {
        let policies = Policies::compile(&[source], &specs()).unwrap();
        let (grants, principals) = (Grants::new(), Principals::new());
        grants.put(grant(1, "bot"));
        Self { rules: Rules::ready(Arc::new(policies)), grants, principals }
    }

    fn role(&self, principal: &str, role: &str) {
        let known = Known::new(PrincipalKind::Person, [role]).unwrap();
        self.principals.put(&TenantName::local(), &principal.parse().unwrap(), known);
    }

    fn authority(&self) -> Authority<'_> {
        Authority { rules: &self.rules, grants: &self.grants, principals: &self.principals }
    }

    /// What somebody with this capability of grant 1 is told.
    fn hold(&self, token: &Token, ask: &Ask) -> Result<Permit, Denial> {
        let verified = verify(token, &root()).unwrap();
        let caller = ask.caller("bot", Proof::Capability(grant_id(1)));
        self.authority().authorise(&caller, ask.call(), Some(&verified), Verdict::silent(), ask.now())
    }

    fn plain(&self, principal: &str, proof: Proof, ask: &Ask) -> Result<Permit, Denial> {
        self.authority().authorise(
            &ask.caller(principal, proof),
            ask.call(),
            None,
            Verdict::silent(),
            ask.now(),
        )
    }
}

fn root() -> MacKey {
    MacKey::new([3; 32])
}

fn token(caveats: &[&str]) -> Token {
    let caveats: Vec<_> = caveats.iter().map(|json| caveat(json)).collect();
    mint(&root(), &TenantName::local(), grant_id(1), &caveats, narrowing(1)).unwrap()
}

fn code(result: Result<Permit, Denial>) -> Code {
    result.map(|permit| format!("{permit:?}")).unwrap_err().code()
}

#[test]
fn a_capability_allows_what_it_says_and_the_permit_says_why() {
    let house = House::new();
    let token = token(&[r#"{"operations": ["slack/*"]}"#, r#"{"not_after": "2040-01-01T00:00:00Z"}"#])
        .narrow(&[caveat(r#"{"operations": ["slack/chat.post"]}"#)], narrowing(2))
        .unwrap();
    let permit = house.hold(&token, &Ask::default()).unwrap();
    assert_eq!(permit.grant(), Some(grant_id(1)));
    assert_eq!(permit.narrowings(), [narrowing(1), narrowing(2)]);
    assert_eq!(permit.expires(), Some("2040-01-01T00:00:00Z".parse().unwrap()));
    assert_eq!(permit.policy_version(), house.rules.policies().unwrap().version());
    assert_eq!(permit.determining(), [Arc::from("holder-of-a-capability")]);
    assert_eq!((permit.tenant().as_str(), permit.principal().as_str()), ("local", "bot"));
    assert_eq!(permit.limits().approvers(), None);
}

#[test]
fn a_denial_names_the_capability_and_what_it_allows_instead() {
    let house = House::new();
    let narrow = token(&[]).narrow(&[caveat(r#"{"operations": ["slack/users.*"]}"#)], narrowing(2)).unwrap();
    let denial = house.hold(&narrow, &Ask::default()).unwrap_err();
    let id = narrowing(2);
    assert_eq!(denial.message(), format!("capability `{id}` does not allow `slack/chat.post`"));
    assert_eq!(denial.advice(), Some("it is limited to operations slack/users.*"));
    assert_eq!(denial.decided_by(), Some(id.to_string().as_str()));
    assert_eq!(denial.call().unwrap().operation().as_str(), "chat.post");
    let refusal = Refusal::from(denial);
    assert_eq!((refusal.code, refusal.hint.is_some()), (Code::Denied, true));
}

#[test]
fn the_caveats_of_the_grant_hold_whatever_its_tokens_say() {
    let house = House::new();
    let mut row = grant(1, "bot");
    row.caveats = vec![caveat(r#"{"access": "read"}"#)];
    house.grants.put(row);
    let denial = house.hold(&token(&[]), &Ask::default()).unwrap_err();
    assert!(denial.message().starts_with(&format!("grant `{}` allows no write", grant_id(1))), "{denial}");
}

#[test]
fn revocations_reach_the_grant_and_every_narrowing() {
    let house = House::new();
    let parent = token(&[]);
    let child = parent.narrow(&[], narrowing(2)).unwrap();
    let grandchild = child.narrow(&[], narrowing(3)).unwrap();
    house.grants.revoke_narrowing(narrowing(2));
    assert!(house.hold(&parent, &Ask::default()).is_ok());
    assert_eq!(code(house.hold(&child, &Ask::default())), Code::Revoked);
    let denial = house.hold(&grandchild, &Ask::default()).unwrap_err();
    assert_eq!(denial.message(), format!("capability `{}` was revoked", narrowing(2)));
    house.grants.revoke(grant_id(1), Timestamp::from_millis(NOON));
    assert_eq!(code(house.hold(&parent, &Ask::default())), Code::Revoked);
}

#[test]
fn a_suspended_expired_or_missing_grant_allows_nothing() {
    let house = House::new();
    let mut row = grant(1, "bot");
    row.state = GrantState::Suspended;
    house.grants.put(row.clone());
    assert_eq!(code(house.hold(&token(&[]), &Ask::default())), Code::Revoked);
    row.state = GrantState::Active;
    row.expires = Some(Timestamp::from_millis(NOON));
    house.grants.put(row);
    assert_eq!(code(house.hold(&token(&[]), &Ask::default())), Code::Expired);
    assert!(house.hold(&token(&[]), &Ask { now: NOON - 1, ..Ask::default() }).is_ok());
    house.grants.replace([], []);
    assert_eq!(code(house.hold(&token(&[]), &Ask::default())), Code::Unauthenticated);
}

#[test]
fn another_tenant_or_principal_cannot_use_it() {
    let house = House::new();
    let ask = Ask::default();
    let verified = verify(&token(&[]), &root()).unwrap();
    let ask_as = |tenant: &str, principal: &str| {
        let caller = ask.caller_of(tenant, principal, Proof::Capability(grant_id(1)));
        house.authority().authorise(&caller, ask.call(), Some(&verified), Verdict::silent(), ask.now())
    };
    assert_eq!(code(ask_as("acme", "bot")), Code::Unauthenticated);
    assert_eq!(code(ask_as("local", "ada")), Code::Denied);
    assert!(ask_as("local", "bot").is_ok());
    // The token says `acme`, made with the same key: the row says otherwise.
    let foreign = mint(&root(), &"acme".parse().unwrap(), grant_id(1), &[], narrowing(1)).unwrap();
    let foreign = verify(&foreign, &root()).unwrap();
    for tenant in ["acme", "local"] {
        let caller = ask.caller_of(tenant, "bot", Proof::Capability(grant_id(1)));
        assert_eq!(
            code(house.authority().authorise(
                &caller,
                ask.call(),
                Some(&foreign),
                Verdict::silent(),
                ask.now()
            )),
            Code::Unauthenticated
        );
    }
}

#[test]
fn a_claimed_capability_that_was_not_verified_is_no_proof() {
    let house = House::new();
    house.role("bot", "owner");
    assert_eq!(
        code(house.plain("bot", Proof::Capability(grant_id(1)), &Ask::default())),
        Code::Unauthenticated
    );
    let verified = verify(&token(&[]), &root()).unwrap();
    let ask = Ask::default();
    let caller = ask.caller("bot", Proof::Capability(grant_id(2)));
    let result =
        house.authority().authorise(&caller, ask.call(), Some(&verified), Verdict::silent(), ask.now());
    assert_eq!(code(result), Code::Unauthenticated);
}

#[test]
fn the_owner_acts_with_the_kernels_proof_and_hands_out_less() {
    let house = House::new();
    house.role("bot", "owner");
    let manage =
        Ask { integration: "doorward", operation: "secret.put", resource: "secret:/a", ..Ask::default() };
    assert!(house.plain("bot", Proof::Kernel, &manage).is_ok());
    assert_eq!(code(house.hold(&token(&[]), &manage)), Code::Denied);
    assert!(house.hold(&token(&[]), &Ask::default()).is_ok());
    let reveal = Ask {
        integration: "doorward",
        operation: "secret.reveal",
        access: Access::Read,
        risk: Risk::High,
        ..Ask::default()
    };
    assert_eq!(code(house.plain("bot", Proof::Kernel, &reveal)), Code::Denied);
    assert_eq!(code(house.plain("bot", Proof::Loopback, &Ask::default())), Code::Unauthenticated);
}

#[test]
fn a_capability_only_takes_away_from_a_proven_caller() {
    let house = House::new();
    house.role("bot", "owner");
    let ask = Ask::default();
    let caller = ask.caller("bot", Proof::Kernel);
    let verified = verify(&token(&[r#"{"access": "read"}"#]), &root()).unwrap();
    assert!(house.plain("bot", Proof::Kernel, &ask).is_ok());
    assert_eq!(
        code(house.authority().authorise(&caller, ask.call(), Some(&verified), Verdict::silent(), ask.now())),
        Code::Denied
    );
}

#[test]
fn an_unproven_caller_needs_the_role_development() {
    let house = House::new();
    assert_eq!(code(house.plain("dev", Proof::Loopback, &Ask::default())), Code::Unauthenticated);
    house.role("dev", "development");
    assert!(house.plain("dev", Proof::Loopback, &Ask::default()).is_ok());
    house.principals.forget(&TenantName::local(), &"dev".parse().unwrap());
    assert_eq!(code(house.plain("dev", Proof::Loopback, &Ask::default())), Code::Unauthenticated);
}

#[test]
fn roles_that_are_taken_away_count_no_longer() {
    let house = House::new();
    house.role("ada", "owner");
    assert!(house.plain("ada", Proof::Kernel, &Ask::default()).is_ok());
    house.role("ada", "guest");
    assert_eq!(code(house.plain("ada", Proof::Kernel, &Ask::default())), Code::Denied);
    assert!(Known::new(PrincipalKind::Person, ["holder"]).is_err());
    assert!(Known::new(PrincipalKind::Person, ["Owner"]).is_err());
}

#[test]
fn limits_are_collected_from_the_grant_and_all_narrowings() {
    let house = House::new();
    let mut row = grant(1, "bot");
    row.caveats = vec![caveat(r#"{"uses": 100}"#), caveat(r#"{"uses": 90}"#)];
    row.expires = Some("2035-01-01T00:00:00Z".parse().unwrap());
    house.grants.put(row);
    let token = token(&[r#"{"rate": {"calls": 9, "per": "1m"}}"#])
        .narrow(&[caveat(r#"{"uses": 5}"#), caveat(r#"{"approval": "writes"}"#)], narrowing(2))
        .unwrap();
    let permit = house.hold(&token, &Ask::default()).unwrap();
    let limits = permit.limits();
    assert_eq!(
        limits.uses(),
        [(Counter::Grant(grant_id(1)), 90), (Counter::Narrowing(grant_id(1), narrowing(2)), 5)]
    );
    assert_eq!(limits.rates().len(), 1);
    assert_eq!(limits.rates()[0].0, Counter::Narrowing(grant_id(1), narrowing(1)));
    assert_eq!(limits.approvers(), std::num::NonZeroU8::new(1));
    assert_eq!(permit.expires(), Some("2035-01-01T00:00:00Z".parse().unwrap()));
    let read = Ask { operation: "users.list", access: Access::Read, risk: Risk::Low, ..Ask::default() };
    assert_eq!(house.hold(&token, &read).unwrap().limits().approvers(), None);
}

#[test]
fn a_policy_that_forbids_is_named() {
    let text = "@id(\"all\") permit (principal, action, resource);
        @id(\"freeze\") forbid (principal, action in Doorward::Action::\"write\", resource);";
    let house = House::with(Source { name: "mine.cedar", text });
    let denial = house.hold(&token(&[]), &Ask::default()).unwrap_err();
    assert_eq!(denial.message(), "policy `freeze` forbids `slack/chat.post` on `channel:C1`");
    assert_eq!(denial.decided_by(), Some("freeze"));
}

#[test]
fn explaining_says_what_authorising_would_say() {
    let house = House::new();
    let ask = Ask::default();
    let explain = |token: &Token| {
        let verified = verify(token, &root()).unwrap();
        let caller = ask.caller("bot", Proof::Capability(grant_id(1)));
        house.authority().explain(&caller, &ask.call(), Some(&verified), &Verdict::silent(), ask.now())
    };
    let allowed = explain(&token(&[r#"{"approval": "all"}"#]));
    assert_eq!((allowed.answer, allowed.approval), (Answer::Allow, true));
    let denied = explain(&token(&[r#"{"access": "read"}"#]));
    assert_eq!(denied.answer, Answer::Deny);
    assert!(denied.reason.contains("allows no write"), "{denied:?}");
}

#[test]
fn an_expired_capability_stays_expired_at_every_later_time() {
    let house = House::new();
    let token = token(&[&format!(r#"{{"not_after": "{}"}}"#, Timestamp::from_millis(NOON))]);
    for later in [0, 1, 3_600_000, 86_400_000 * 365 * 10, u64::MAX - NOON] {
        assert_eq!(code(house.hold(&token, &Ask { now: NOON + later, ..Ask::default() })), Code::Expired);
    }
    assert!(house.hold(&token, &Ask { now: NOON - 1, ..Ask::default() }).is_ok());
}

/// What the lists say about a call of slack at `/a`, with this list.
fn listed(side: Side, call: &Call) -> Verdict {
    struct Slack;
    impl Services for Slack {
        fn names(&self) -> Vec<model::IntegrationName> {
            vec!["slack".parse().unwrap(), "doorward".parse().unwrap()]
        }
        fn kind(&self, _: &model::IntegrationName) -> Option<model::IntegrationName> {
            None
        }
        fn capability(
            &self,
            _: &model::IntegrationName,
            _: &str,
            _: &lists::Params,
        ) -> Result<Vec<lists::Condition>, lists::Unready> {
            Err(lists::Unready::Unknown(Vec::new()))
        }
    }
    let rule = "callers: [{rules: [{path: /a, methods: {GET: {}}}]}]";
    let text = format!("- {{integration: slack, {rule}}}\n- {{integration: doorward, {rule}}}\n");
    let lists = Lists::read(&[lists::File { side, name: "list.yaml", text: &text }], &Slack).unwrap();
    let request = lists::Request {
        integration: call.integration(),
        caller: None,
        method: model::Method::Get,
        path: "/a",
        query: None,
        headers: &lists::NoHeaders,
    };
    lists.check(&request, call, None)
}

fn with(house: &House, proof: Proof, ask: &Ask, side: Side) -> Result<Permit, Denial> {
    let (caller, call) = (ask.caller("in.slack.billing", proof), ask.call());
    let verdict = listed(side, &call);
    house.authority().authorise(&caller, call, None, verdict, ask.now())
}

#[test]
fn what_the_allowlist_allows_is_permitted_to_who_stands_by_it_and_names_the_rule() {
    let house = House::new();
    for proof in [Proof::Incoming, Proof::Anonymous] {
        let permit = with(&house, proof, &Ask::default(), Side::Allow).unwrap();
        assert_eq!(permit.listed(), Some("list.yaml:1"));
        assert_eq!(permit.determining(), [Arc::from("listed")]);
        let denial = house.plain("in.slack.billing", proof, &Ask::default()).unwrap_err();
        assert_eq!(denial.code(), Code::Denied);
        assert_eq!(denial.message(), "the allowlist of `slack` does not allow this request");
        assert_eq!(Refusal::from(denial).reason.as_deref(), Some("no allowlist match"));
    }
    for proof in [Proof::Loopback, Proof::Kernel] {
        assert!(
            with(&house, proof, &Ask::default(), Side::Allow).is_err(),
            "{proof:?} does not stand by a list"
        );
    }
}

#[test]
fn what_the_denylist_denies_is_denied_to_the_owner_and_to_the_holder_of_a_capability() {
    let house = House::new();
    house.role("ada", crate::OWNER);
    let (ask, token) = (Ask::default(), token(&[r#"{"operations": ["slack/*"]}"#]));
    let owner = house.authority().authorise(
        &ask.caller("ada", Proof::Kernel),
        ask.call(),
        None,
        listed(Side::Deny, &ask.call()),
        ask.now(),
    );
    let denial = owner.unwrap_err();
    assert_eq!((denial.code(), denial.decided_by()), (Code::Denied, Some("list.yaml:1")));
    let verified = verify(&token, &root()).unwrap();
    let caller = ask.caller("bot", Proof::Capability(grant_id(1)));
    let verdict = listed(Side::Deny, &ask.call());
    let held = house.authority().authorise(&caller, ask.call(), Some(&verified), verdict, ask.now());
    assert_eq!(held.unwrap_err().message(), "a rule of the denylist denies `slack/chat.post`");
    assert!(house.hold(&token, &ask).is_ok());
}

#[test]
fn a_forbid_wins_over_an_allowlist_and_a_list_reaches_no_management() {
    let forbids = "forbid (principal, action, resource) when { resource.integration == \"slack\" };";
    let text = format!("{}\n@id(\"no-slack\") {forbids}", crate::DEFAULT);
    let house = House::with(Source { name: "own", text: &text });
    let denial = with(&house, Proof::Incoming, &Ask::default(), Side::Allow).unwrap_err();
    assert_eq!(denial.decided_by(), Some("no-slack"));
    let house = House::new();
    for operation in ["secret.put", "secret.reveal"] {
        let (access, risk) = match operation {
            "secret.put" => (Access::Write, Risk::Medium),
            _ => (Access::Read, Risk::High),
        };
        let ask = Ask { integration: "doorward", operation, access, risk, ..Ask::default() };
        assert!(with(&house, Proof::Anonymous, &ask, Side::Allow).is_err(), "{operation}");
    }
}

#[test]
fn a_proof_about_one_call_is_none_about_another() {
    let house = House::new();
    let (ask, later) = (Ask::default(), Ask { now: NOON + 1, ..Ask::default() });
    let verdict = listed(Side::Allow, &ask.call());
    let caller = later.caller("in.slack.billing", Proof::Incoming);
    assert!(house.authority().authorise(&caller, later.call(), None, verdict, later.now()).is_err());
}
