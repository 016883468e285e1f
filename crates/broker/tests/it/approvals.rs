//! Approvals: somebody else's yes to one exact call, once. And the roles and the broken glass that go with them.

use std::sync::Arc;
use std::time::Duration;

use evidence::What;
use model::{ApprovalClaim, ApprovalId, Claims, Code};
use serde_json::Value;
use store::{Batch, Storage, Table};
use testkit::canary;

use crate::asking::Ask;
use crate::house::{House, is};
use crate::service::{Service, Step};

/// A house, and a capability of `agent` whose writes need an approval.
async fn asking(name: &str, service: &Service) -> (House, String) {
    let house = House::at(&service.url(), &canary::plant(name)).await;
    let pass = house.capability(&[("integrations", "house"), ("approval", "writes")]).await;
    (house, pass)
}

/// The approval that a call waits for.
async fn waits(house: &House, ask: Ask) -> ApprovalId {
    let refusal = house.refused(ask).await;
    is(&refusal, Code::ApprovalRequired);
    refusal.approval().unwrap_or_else(|| panic!("nothing to wait for"))
}

async fn decide(house: &House, id: ApprovalId, decision: &str) -> Result<Value, model::Refusal> {
    house
        .manage("approval.decide", &[("id", &id.to_string()), ("decision", decision), ("reason", "ticket 7")])
        .await
}

fn named(ask: Ask, id: ApprovalId) -> Ask {
    claims(ask, Claims { approval: Some(ApprovalClaim::Approval(id)), break_glass: None })
}

fn claims(mut ask: Ask, claims: Claims) -> Ask {
    ask.facts.claims = Some(Box::new(claims));
    ask
}

#[tokio::test]
async fn a_write_waits_for_somebody_elses_yes_and_is_then_done_once() {
    let service = Service::saying("{}");
    let (house, pass) = asking("yes", &service).await;
    let change = || Ask::post("/a", "x").with(&pass);
    let id = waits(&house, change()).await;
    assert_eq!(waits(&house, change()).await, id, "the same question is asked once");
    let shown = house.manage("approval.show", &[("id", &id.to_string())]).await.unwrap();
    assert_eq!((shown["state"].as_str(), shown["principal"].as_str()), (Some("pending"), Some("agent")));
    assert_eq!(shown["what"]["request"], format!("POST {}/a", service.url()));
    assert_eq!(shown["what"]["body"]["text"], "x");
    assert_eq!(service.seen().len(), 0);
    let decided = decide(&house, id, "approve").await.unwrap();
    assert_eq!(
        (decided["state"].as_str(), decided["decided_by"].as_str()),
        (Some("approved"), Some("owner"))
    );
    let got = house.got(change()).await.unwrap();
    let entry = house.settled(got.id).await;
    let fields = entry.outcome.unwrap().fields;
    assert!(fields.contains(&("approval".to_owned(), id.to_string())), "{fields:?}");
    assert!(fields.contains(&("approved_by".to_owned(), "owner".to_owned())), "{fields:?}");
    let What::Call(intent) = entry.what else { panic!("not a call") };
    assert_eq!(intent.uses.iter().map(|counted| counted.id).collect::<Vec<_>>(), [id.to_bytes()]);
    is(&house.refused(named(change(), id)).await, Code::Conflict);
    let shown = house.manage("approval.show", &[("id", &id.to_string())]).await.unwrap();
    assert_eq!(shown["state"], "used");
    assert_ne!(waits(&house, change()).await, id, "the next time is asked anew");
    assert_eq!(service.seen().len(), 1);
    house.spotless();
}

#[tokio::test]
async fn the_refusal_of_a_call_that_waits_names_what_it_waits_for_in_the_evidence() {
    let service = Service::saying("{}");
    let (house, pass) = asking("waits", &service).await;
    let refusal = house.refused(Ask::post("/a", "x").with(&pass)).await;
    let recorded = house.refusal(&refusal).await;
    assert_eq!(recorded.rule, refusal.approval().map(|id| id.to_string()));
}

#[tokio::test]
async fn whoever_asked_does_not_decide() {
    let service = Service::saying("{}");
    let (house, _) = asking("four-eyes", &service).await;
    let policy = r#"@approval("required") permit (principal in Doorward::Role::"owner",
        action == Doorward::Action::"house/change", resource);"#;
    let put = Ask::named("doorward", "policy.put", &[("name", "eyes")]).payload(policy);
    house.answer(put).await.unwrap();
    let change = || Ask::named("house", "change", &[("path", "a")]);
    let id = waits(&house, change()).await;
    for decision in ["approve", "deny"] {
        let refusal = decide(&house, id, decision).await.unwrap_err();
        assert_eq!(refusal.code, Code::Denied, "{refusal:?}");
        assert!(refusal.message.contains("somebody else"), "{refusal:?}");
    }
    // Somebody with the role decides, and with a capability as well as without.
    let ada = house.capability(&[("for", "ada"), ("operations", "doorward/approval.decide")]).await;
    let by_ada =
        Ask::named("doorward", "approval.decide", &[("id", &id.to_string()), ("decision", "approve")]);
    is(&house.refused(by_ada.with(&ada)).await, Code::Denied);
    house.manage("role.grant", &[("principal", "ada"), ("role", "manager")]).await.unwrap();
    let by_ada =
        Ask::named("doorward", "approval.decide", &[("id", &id.to_string()), ("decision", "approve")]);
    house.answer(by_ada.with(&ada)).await.unwrap();
    house.got(change()).await.unwrap();
    assert_eq!(service.seen().len(), 1);
}

#[tokio::test]
async fn one_changed_byte_is_another_call() {
    let service = Service::saying("{}");
    let (house, pass) = asking("changed", &service).await;
    let change = || Ask::post("/a?x=1", "body").with(&pass).header("content-type", "text/plain");
    let id = waits(&house, change()).await;
    decide(&house, id, "approve").await.unwrap();
    let others = [
        Ask::post("/b?x=1", "body").header("content-type", "text/plain"),
        Ask::post("/a?x=2", "body").header("content-type", "text/plain"),
        Ask::post("/a?x=1", "Body").header("content-type", "text/plain"),
        Ask::post("/a?x=1", "body").header("content-type", "text/html"),
        Ask::post("/a?x=1", "body").header("content-type", "text/plain").header("x-amz-target", "Other"),
    ];
    for other in others {
        let refusal = house.refused(named(other.with(&pass), id)).await;
        is(&refusal, Code::Denied);
        assert_eq!(refusal.reason.as_deref(), Some("changed after approval"), "{refusal:?}");
    }
    // The same by another grant of the same principal is another call as well.
    let second = house.capability(&[("integrations", "house"), ("approval", "writes")]).await;
    let by_second = Ask::post("/a?x=1", "body").with(&second).header("content-type", "text/plain");
    is(&house.refused(named(by_second, id)).await, Code::Denied);
    assert_eq!(service.seen().len(), 0);
    // What says nothing of what is done may differ.
    house.got(change().header("user-agent", "another/2").header("x-request-id", "7")).await.unwrap();
}

#[tokio::test]
async fn an_approval_of_somebody_else_is_none() {
    let service = Service::saying("{}");
    let (house, pass) = asking("else", &service).await;
    let id = waits(&house, Ask::post("/a", "x").with(&pass)).await;
    decide(&house, id, "approve").await.unwrap();
    let bob = house.capability(&[("for", "bob"), ("integrations", "house"), ("approval", "writes")]).await;
    let refusal = house.refused(named(Ask::post("/a", "x").with(&bob), id)).await;
    is(&refusal, Code::NotFound);
    assert_eq!(service.seen().len(), 0);
}

#[tokio::test]
async fn what_was_denied_is_denied_with_the_reason_and_can_be_asked_again_later() {
    let service = Service::saying("{}");
    let (house, pass) = asking("denied", &service).await;
    let change = || Ask::post("/a", "x").with(&pass);
    let id = waits(&house, change()).await;
    decide(&house, id, "deny").await.unwrap();
    let refusal = house.refused(change()).await;
    is(&refusal, Code::Denied);
    assert!(refusal.message.contains("ticket 7"), "{refusal:?}");
    let again = decide(&house, id, "approve").await.unwrap_err();
    assert_eq!(again.code, Code::Conflict, "{again:?}");
    house.clock.advance(Duration::from_secs(3_601));
    let pass = house.capability(&[("integrations", "house"), ("approval", "writes")]).await;
    assert_ne!(waits(&house, Ask::post("/a", "x").with(&pass)).await, id);
    assert_eq!(service.seen().len(), 0);
}

#[tokio::test]
async fn questions_and_answers_expire() {
    let service = Service::saying("{}");
    let house = House::at(&service.url(), &canary::plant("expiry")).await;
    let words = [("integrations", "house"), ("approval", "writes"), ("expires", "12h")];
    let pass = house.capability(&words).await;
    let (late, over) = (Ask::post("/late", "x").with(&pass), Ask::post("/over", "x").with(&pass));
    let (late, over) = (waits(&house, late).await, waits(&house, over).await);
    decide(&house, over, "approve").await.unwrap();
    house.clock.advance(Duration::from_secs(3_601));
    assert_eq!(decide(&house, late, "approve").await.unwrap_err().code, Code::Conflict);
    is(&house.refused(named(Ask::post("/over", "x").with(&pass), over)).await, Code::Expired);
    assert_ne!(waits(&house, Ask::post("/over", "x").with(&pass)).await, over);
    assert_eq!(service.seen().len(), 0);
}

#[tokio::test]
async fn of_two_uses_at_once_one_wins() {
    let service = Service::saying("{}");
    let (house, pass) = asking("race", &service).await;
    let house = Arc::new(house);
    for round in 0..8 {
        let path = format!("/r{round}");
        let id = waits(&house, Ask::post(&path, "x").with(&pass)).await;
        decide(&house, id, "approve").await.unwrap();
        let calls: Vec<_> = (0..16)
            .map(|_| {
                let (house, pass, path) = (Arc::clone(&house), pass.clone(), path.clone());
                tokio::spawn(async move { house.ask(named(Ask::post(&path, "x").with(&pass), id)).await })
            })
            .collect();
        let mut done = 0;
        for call in calls {
            match call.await.unwrap() {
                Ok(_) => done += 1,
                Err(refusal) => is(&refusal, Code::Conflict),
            }
        }
        assert_eq!((done, service.seen().len()), (1, round + 1));
    }
    house.spotless();
}

#[tokio::test]
async fn an_approval_that_may_have_been_used_is_used_also_behind_a_restart() {
    let service = Service::start(|_| vec![Step::Cut]);
    let (house, pass) = asking("cut", &service).await;
    let change = || Ask::post("/a", "x").with(&pass);
    let id = waits(&house, change()).await;
    decide(&house, id, "approve").await.unwrap();
    is(&house.refused(change()).await, Code::OutcomeUnknown);
    let house = house.restarted().await;
    is(&house.refused(named(change(), id)).await, Code::Conflict);
    assert_eq!(service.seen().len(), 1);
}

#[tokio::test]
async fn an_approval_that_nothing_came_of_can_be_used_still() {
    let service = Service::saying("{}");
    let (house, pass) = asking("nothing", &service).await;
    let url = service.url();
    let id = waits(&house, Ask::post("/a", "x").with(&pass)).await;
    decide(&house, id, "approve").await.unwrap();
    house.manage("secret.forget", &[("name", "house/token")]).await.unwrap();
    is(&house.refused(Ask::post("/a", "x").with(&pass)).await, Code::SecretMissing);
    house.put("house/token", &canary::plant("nothing-again")).await;
    house.got(Ask::post("/a", "x").with(&pass)).await.unwrap();
    assert_eq!((service.seen().len(), service.url()), (1, url));
}

#[tokio::test]
async fn a_row_that_somebody_else_wrote_is_not_believed() {
    let service = Service::saying("{}");
    let (house, pass) = asking("forged", &service).await;
    let first = waits(&house, Ask::post("/a", "x").with(&pass)).await;
    let second = waits(&house, Ask::post("/b", "x").with(&pass)).await;
    decide(&house, first, "approve").await.unwrap();
    let tenant = model::TenantName::local();
    let row = house.state.get(Table::Approvals, &tenant, first.to_string().as_bytes()).unwrap().unwrap();
    assert!(!String::from_utf8_lossy(&row).contains("approved"), "the row is in the clear");
    // The approved row in place of the one that waits, and one with a changed byte.
    let mut changed = row.clone();
    *changed.last_mut().unwrap() ^= 1;
    for forged in [row, changed] {
        let batch = Batch::new().put(Table::Approvals, &tenant, second.to_string().as_bytes(), forged);
        house.state.commit(&batch).unwrap();
        is(&house.refused(named(Ask::post("/b", "x").with(&pass), second)).await, Code::SourceUnavailable);
    }
    assert_eq!(service.seen().len(), 0);
}

#[tokio::test]
async fn what_cannot_be_seen_beforehand_cannot_be_approved() {
    let service = Service::saying("{}");
    let (house, _) = asking("unseen", &service).await;
    let policy = r#"@approval("required") permit (principal in Doorward::Role::"owner",
        action == Doorward::Action::"doorward/secret.put", resource);"#;
    house.answer(Ask::named("doorward", "policy.put", &[("name", "p")]).payload(policy)).await.unwrap();
    // A payload may be a secret: its digest counts, and nothing of it is shown.
    let secret = canary::plant("unseen-payload");
    let put = |material: &str| Ask::named("doorward", "secret.put", &[("name", "a/b")]).payload(material);
    let id = waits(&house, put(&secret)).await;
    let shown = house.manage("approval.show", &[("id", &id.to_string())]).await.unwrap();
    canary::assert_absent(shown.to_string(), "what is shown");
    assert_ne!(waits(&house, put("another")).await, id);
}

#[tokio::test]
async fn roles_are_durable_hold_at_once_and_have_to_be_known() {
    let service = Service::saying("{}");
    let (house, _) = asking("roles", &service).await;
    let unknown = house.manage("role.grant", &[("principal", "ada"), ("role", "aprover")]).await.unwrap_err();
    assert_eq!(unknown.code, Code::BadRequest, "{unknown:?}");
    for reserved in ["holder", "proven", "listed", "development"] {
        let refusal = house.manage("role.grant", &[("principal", "ada"), ("role", reserved)]).await;
        assert_eq!(refusal.unwrap_err().code, Code::BadRequest, "{reserved}");
    }
    let ada = house.capability(&[("for", "ada"), ("operations", "doorward/secret.list")]).await;
    let list = || Ask::named("doorward", "secret.list", &[]).with(&ada);
    is(&house.refused(list()).await, Code::Denied);
    house
        .manage("role.grant", &[("principal", "ada"), ("role", "manager"), ("kind", "person")])
        .await
        .unwrap();
    house.answer(list()).await.unwrap();
    let house = house.restarted().await;
    house.answer(list()).await.unwrap();
    let listed = house.manage("role.list", &[]).await.unwrap();
    assert_eq!(listed["principals"][0]["roles"][0], "manager", "{listed}");
    house.manage("role.revoke", &[("principal", "ada"), ("role", "manager")]).await.unwrap();
    is(&house.refused(list()).await, Code::Denied);
    let owner = house.manage("role.revoke", &[("principal", "owner"), ("role", "owner")]).await;
    assert_eq!(owner.unwrap_err().code, Code::BadRequest);
    // A role of one's own is known as soon as a policy names it.
    let policy = r#"permit (principal in Doorward::Role::"night-shift", action == Doorward::Action::"doorward/secret.list", resource);"#;
    house.answer(Ask::named("doorward", "policy.put", &[("name", "p")]).payload(policy)).await.unwrap();
    house.manage("role.grant", &[("principal", "ada"), ("role", "night-shift")]).await.unwrap();
    house.answer(list()).await.unwrap();
}

#[tokio::test]
async fn a_broken_glass_takes_the_role_a_reason_and_an_approval_and_is_loud() {
    let service = Service::saying("{}");
    let house = House::at(&service.url(), &canary::plant("glass")).await;
    let team = Ask::named("doorward", "policy.put", &[("name", "team")]).payload(policy::Source::TEAM.text);
    house.answer(team).await.unwrap();
    // Another user of this machine, whom the kernel proves. What nobody described is a write of high risk.
    let bob = |broken: Option<&str>| {
        let ask = Ask::request("DELETE", "/everything").through(model::Door::Socket).uid(Some(1234));
        let break_glass = broken.map(ToOwned::to_owned);
        claims(ask, Claims { approval: None, break_glass })
    };
    let grant = |role: &'static str| [("principal", "uid-1234"), ("role", role)];
    house.manage("role.grant", &grant("operator")).await.unwrap();
    is(&house.refused(bob(None)).await, Code::Denied);
    let without = house.refused(bob(Some("the site is down"))).await;
    is(&without, Code::Denied);
    assert!(without.message.contains("break-glass"), "{without:?}");
    house.manage("role.grant", &grant("break-glass")).await.unwrap();
    is(&house.refused(bob(None)).await, Code::Denied);
    let id = waits(&house, bob(Some("the site is down"))).await;
    assert!(house.broker.metrics_text().contains("doorward_break_glass_total 0"));
    decide(&house, id, "approve").await.unwrap();
    // The reason is a part of what was approved.
    assert_ne!(waits(&house, bob(Some("another reason"))).await, id);
    let got = house.got(bob(Some("the site is down"))).await.unwrap();
    let entry = house.settled(got.id).await;
    let fields = entry.outcome.unwrap().fields;
    assert!(fields.contains(&("break_glass".to_owned(), "the site is down".to_owned())), "{fields:?}");
    let What::Call(intent) = entry.what else { panic!("not a call") };
    assert_eq!(intent.purpose.as_deref(), Some("break-glass: the site is down"));
    assert!(house.broker.metrics_text().contains("doorward_break_glass_total 1"));
    assert_eq!(service.seen().len(), 1);
}

#[tokio::test]
async fn the_set_for_a_team_lets_each_role_do_its_part_and_no_more() {
    let service = Service::saying("{}");
    let house = House::at(&service.url(), &canary::plant("team")).await;
    let team = Ask::named("doorward", "policy.put", &[("name", "team")]).payload(policy::Source::TEAM.text);
    house.answer(team).await.unwrap();
    for (uid, role) in
        [(2001, "operator"), (2002, "approver"), (2003, "auditor"), (2004, "caller"), (2005, "admin")]
    {
        let name = format!("uid-{uid}");
        house.manage("role.grant", &[("principal", &name), ("role", role)]).await.unwrap();
    }
    let by = |uid: u32, ask: Ask| ask.through(model::Door::Socket).uid(Some(uid));
    let read = || Ask::get("/a");
    let write = || Ask::post("/a", "x");
    let id = waits(&house, by(2001, write())).await;
    house.got(by(2001, read())).await.unwrap();
    house.got(by(2004, read())).await.unwrap();
    for uid in [2002, 2003, 2005] {
        is(&house.refused(by(uid, read())).await, Code::Denied);
    }
    for uid in [2002, 2003, 2004, 2005] {
        is(&house.refused(by(uid, write())).await, Code::Denied);
    }
    let shown = id.to_string();
    let decide = || Ask::named("doorward", "approval.decide", &[("id", &shown), ("decision", "approve")]);
    for uid in [2001, 2003, 2004] {
        is(&house.refused(decide().uid(Some(uid))).await, Code::Denied);
    }
    house.answer(decide().uid(Some(2002))).await.unwrap();
    house.got(by(2001, write())).await.unwrap();
    let audit = || Ask::named("doorward", "evidence.verify", &[]);
    house.answer(audit().uid(Some(2003))).await.unwrap();
    is(&house.refused(audit().uid(Some(2001))).await, Code::Denied);
    let policies = || Ask::named("doorward", "role.grant", &[("principal", "eve"), ("role", "caller")]);
    is(&house.refused(policies().uid(Some(2003))).await, Code::Denied);
    house.answer(policies().uid(Some(2005))).await.unwrap();
    assert_eq!(service.seen().len(), 3);
}

#[test]
fn the_conditions_in_the_guide_say_what_the_guide_says() {
    let guide = include_str!("../../../../docs/guide/approvals.md");
    let text: String =
        guide.split("```cedar\n").skip(3).filter_map(|block| block.split("```").next()).collect();
    let sources = [policy::Source::DEFAULT, policy::Source { name: "guide", text: &text }];
    let operations = broker::Operations(catalog::Catalog::builtin());
    let policies = policy::Policies::compile_for(&sources, Arc::new(operations)).unwrap();
    let asked = |hour: u64, environment: &str, inputs: Value, operation: &str| {
        let question = serde_json::json!({
            "principal": "ada", "roles": ["operator", "manager"], "operation": operation,
            "context": {"now": format!("2026-03-03T{hour:02}:30:00Z"), "environment": environment, "inputs": inputs, "risk": "low"},
        });
        policies.evaluate(&serde_json::from_value(question).unwrap()).unwrap()
    };
    let allowed = |hour, environment, inputs, operation| {
        asked(hour, environment, inputs, operation).answer == policy::Answer::Allow
    };
    let few = || serde_json::json!({"ids": "[1, 2, 3]"});
    assert!(allowed(12, "staging", few(), "slack/chat.post"));
    assert!(!allowed(12, "production", few(), "slack/chat.post"));
    assert!(allowed(12, "production", few(), "doorward/secret.put"), "management has no window");
    assert!(!allowed(23, "production", few(), "slack/chat.post"), "nothing permits it there");
    let reason = asked(23, "production", few(), "slack/chat.post").reason;
    assert!(reason.contains("no policy permits"), "the window is open: {reason}");
    let many = serde_json::json!({"ids": "[1,2,3,4,5,6,7,8,9,10,11]"});
    assert!(!allowed(12, "staging", many, "slack/chat.post"));
    assert!(!allowed(12, "staging", serde_json::json!({"ids": "[broken"}), "slack/chat.post"));
    // Also within a body; what only begins like one is text.
    let within = serde_json::json!({"body": r#"{"to": {"ids": [1,2,3,4,5,6,7,8,9,10,11]}}"#});
    assert!(!allowed(12, "staging", within, "slack/chat.post"));
    assert!(allowed(12, "staging", serde_json::json!({"text": "{job=\"x\"}"}), "slack/chat.post"));
}

/// An integration whose write is done by a program with these arguments, where it is here.
fn by_program(url: &str, args: &str) -> String {
    format!(
        "name: house\ntitle: House\nbase_url: {url}\ndangerous_allow_private: true\nsecrets: {{}}\nauth: []\n\
         limits: {{connect: 30s, head: 60s, total: 2m, idle: 60s}}\ncli: {{program: no-such-changer}}\noperations:\n  \
         change: {{title: Change, access: write, risk: low, match: {{method: POST, path: \"/things/{{thing}}\"}}, \
         inputs: {{thing: {{in: path, pattern: \"[a-z]+\", max: 20}}}}, cli: {{args: [{args}]}}}}\n"
    )
}

#[tokio::test]
async fn other_arguments_of_the_program_are_another_call() {
    let service = Service::saying("{}");
    let house = House::start(&[("house", by_program(&service.url(), "scale, \"{thing}\""))]).await;
    let pass = house.capability(&[("integrations", "house"), ("approval", "writes")]).await;
    let change = || Ask::named("house", "change", &[("thing", "web")]).with(&pass);
    let id = waits(&house, change()).await;
    let shown = house.manage("approval.show", &[("id", &id.to_string())]).await.unwrap();
    assert_eq!(shown["what"]["program"], serde_json::json!(["no-such-changer", "scale", "web"]));
    decide(&house, id, "approve").await.unwrap();
    let file = crate::house::layer(&house).join("house.yaml");
    crate::house::write(&file, &by_program(&service.url(), "delete, \"{thing}\""));
    let broker = Arc::clone(&house.broker);
    tokio::task::spawn_blocking(move || broker.reload()).await.unwrap().unwrap();
    let refusal = house.refused(named(change(), id)).await;
    assert!(refusal.message.contains("changed after"), "{refusal:?}");
    assert_ne!(waits(&house, change()).await, id, "it is asked anew");
    assert_eq!(service.seen().len(), 0);
}
