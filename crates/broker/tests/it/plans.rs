//! Plans: proposed by one, approved by another, run once, undone where that is said, gone on with behind a crash.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use evidence::What;
use model::{Claims, Code, Refusal};
use serde_json::Value;
use store::{Batch, Storage, Table};
use testkit::canary;

use crate::asking::Ask;
use crate::house::{House, is};
use crate::service::{Gate, Seen, Service, Step, reply};

const TWO: &str = "summary: Change two things
on_failure: rollback
steps:
  - id: one
    preconditions: [{operation: house/look, inputs: {path: before}, expect: {json: {ok: yes}}}]
    operation: house/change
    inputs: {path: one}
    rollback: {operation: house/change, inputs: {path: undo-one}}
  - id: two
    operation: house/change
    inputs: {path: two}
    verify: [{operation: house/look, inputs: {path: after}, expect: {json: {ok: yes}}}]
    rollback: {operation: house/change, inputs: {path: undo-two}}
";

fn fine(_: &Seen) -> Vec<Step> {
    vec![Step::Send(reply(200, &[("content-type", "application/json")], r#"{"ok": "yes"}"#))]
}

fn refusing(path: &'static str, status: u16) -> impl Fn(&Seen) -> Vec<Step> + Send + Sync + 'static {
    move |seen| match seen.target == path {
        true => vec![Step::Send(reply(status, &[("content-type", "application/json")], r#"{"ok": "no"}"#))],
        false => fine(seen),
    }
}

fn paths(service: &Service) -> Vec<String> {
    service.seen().iter().map(|seen| seen.target.trim_start_matches('/').to_owned()).collect()
}

/// A house in which `bob` (uid 2001) proposes and runs, and the owner decides.
async fn planning(name: &str, service: &Service) -> House {
    let house = House::at(&service.url(), &canary::plant(name)).await;
    let team = Ask::named("doorward", "policy.put", &[("name", "team")]).payload(policy::Source::TEAM.text);
    house.answer(team).await.unwrap();
    house.manage("role.grant", &[("principal", "uid-2001"), ("role", "operator")]).await.unwrap();
    house
}

async fn bob(house: &House, operation: &str, inputs: &[(&str, &str)]) -> Result<Value, Refusal> {
    house.answer(Ask::named("doorward", operation, inputs).uid(Some(2001))).await.map(|(_, value)| value)
}

/// The id and the digest of a plan that bob proposes.
async fn proposed(house: &House, text: &str) -> (String, String) {
    let ask = Ask::named("doorward", "plan.create", &[]).uid(Some(2001)).payload(text);
    let (_, value) = house.answer(ask).await.unwrap();
    assert_eq!(value["state"], "proposed", "{value}");
    (value["id"].as_str().unwrap().to_owned(), value["digest"].as_str().unwrap().to_owned())
}

async fn approved(house: &House, text: &str) -> String {
    let (id, digest) = proposed(house, text).await;
    decided(house, &id, &digest).await.unwrap();
    id
}

async fn decided(house: &House, id: &str, digest: &str) -> Result<Value, Refusal> {
    house.manage("plan.decide", &[("id", id), ("decision", "approve"), ("digest", digest)]).await
}

#[tokio::test]
async fn a_plan_runs_once_and_only_behind_somebody_elses_yes() {
    let service = Service::start(fine);
    let house = planning("plan", &service).await;
    let (id, digest) = proposed(&house, TWO).await;
    let inputs = [("id", id.as_str())];
    let run = || bob(&house, "plan.run", &inputs);
    assert_eq!(run().await.unwrap_err().code, Code::ApprovalRequired);
    let own = [("id", &*id), ("decision", "approve"), ("digest", &*digest)];
    house.manage("role.grant", &[("principal", "uid-2001"), ("role", "approver")]).await.unwrap();
    let refusal = bob(&house, "plan.decide", &own).await.unwrap_err();
    assert!(refusal.code == Code::Denied && refusal.message.contains("somebody else"), "{refusal:?}");
    assert_eq!(decided(&house, &id, "sha256:00").await.unwrap_err().code, Code::Denied);
    decided(&house, &id, &digest).await.unwrap();
    assert_eq!(service.seen().len(), 0);
    let ran = run().await.unwrap();
    assert_eq!(
        (ran["state"].as_str(), ran["steps"][1]["state"].as_str()),
        (Some("succeeded"), Some("done")),
        "{ran}"
    );
    assert_eq!(paths(&service), ["before", "one", "two", "after"]);
    assert_eq!(run().await.unwrap_err().code, Code::Conflict);
    assert_eq!(service.seen().len(), 4);
    // Each write is a record of its own, with the plan as its approval.
    let evidence = ran["steps"][0]["evidence"].as_str().unwrap().parse().unwrap();
    let entry = house.settled(evidence).await;
    let What::Call(intent) = &entry.what else { panic!("not a call") };
    assert_eq!((intent.principal.as_str(), intent.uses.len()), ("uid-2001", 1));
    let fields = &entry.outcome.as_ref().unwrap().fields;
    assert!(fields.contains(&("approval".to_owned(), format!("{id}/one"))), "{fields:?}");
    assert!(fields.contains(&("approved_by".to_owned(), "owner".to_owned())), "{fields:?}");
    house.spotless();
}

#[tokio::test]
async fn a_plan_is_not_a_way_around_policy() {
    let service = Service::start(fine);
    let house = planning("around", &service).await;
    let id = approved(&house, TWO).await;
    house.manage("role.revoke", &[("principal", "uid-2001"), ("role", "operator")]).await.unwrap();
    is(
        &house.refused(Ask::named("doorward", "plan.run", &[("id", &id)]).uid(Some(2001))).await,
        Code::Denied,
    );
    // Who may run plans and nothing else, does nothing by them.
    let policy = r#"permit (principal == Doorward::Principal::"local/uid-2001",
        action == Doorward::Action::"doorward/plan.run", resource);"#;
    house.answer(Ask::named("doorward", "policy.put", &[("name", "run")]).payload(policy)).await.unwrap();
    let ran = bob(&house, "plan.run", &[("id", &id)]).await.unwrap();
    assert_eq!((ran["state"].as_str(), service.seen().len()), (Some("rolled_back"), 0), "{ran}");
}

#[tokio::test]
async fn a_step_of_a_plan_is_nobody_elses_approval() {
    let service = Service::start(fine);
    let house = planning("claim", &service).await;
    let id = approved(&house, TWO).await;
    // As if a door could be talked into this claim: the plan does not run, so there is no such call.
    let mut ask = Ask::named("house", "change", &[("path", "one")]).uid(Some(2001));
    let claim = model::ApprovalClaim::Step(id.parse().unwrap(), 1);
    ask.facts.claims = Some(Box::new(Claims { approval: Some(claim), break_glass: None }));
    is(&house.refused(ask).await, Code::NotFound);
    assert_eq!(service.seen().len(), 0);
}

#[tokio::test]
async fn a_plan_that_was_changed_behind_its_approval_does_not_run() {
    let service = Service::start(fine);
    let house = planning("tamper", &service).await;
    let (id, other) =
        (approved(&house, TWO).await, approved(&house, &TWO.replace("path: two", "path: owt")).await);
    let run = |id: String, digest: Option<String>| {
        let house = &house;
        async move {
            let mut inputs = vec![("id", id.as_str())];
            inputs.extend(digest.as_deref().map(|digest| ("digest", digest)));
            bob(house, "plan.run", &inputs).await
        }
    };
    let check = Ask::named("doorward", "plan.check", &[])
        .uid(Some(2001))
        .payload(TWO.replace("path: one", "path: eno"));
    let (_, checked) = house.answer(check).await.unwrap();
    let another = checked["digest"].as_str().unwrap().to_owned();
    let refusal = run(id.clone(), Some(another)).await.unwrap_err();
    assert_eq!(refusal.code, Code::Denied);
    assert!(refusal.message.starts_with("plan modified after approval"), "{refusal:?}");
    let tenant = model::TenantName::local();
    let row = house.state.get(Table::Approvals, &tenant, other.as_bytes()).unwrap().unwrap();
    let batch = Batch::new().put(Table::Approvals, &tenant, id.as_bytes(), row);
    house.state.commit(&batch).unwrap();
    assert_eq!(run(id, None).await.unwrap_err().code, Code::SourceUnavailable);
    assert_eq!(service.seen().len(), 0);
}

#[tokio::test]
async fn what_was_done_is_undone_in_reverse_and_what_a_service_refused_is_not() {
    for (path, status, wanted) in [
        ("/two", 409, vec!["before", "one", "two", "undo-one"]),
        // Where nobody is signed in, some services lead to a page where that is done.
        ("/two", 302, vec!["before", "one", "two", "undo-one"]),
        ("/after", 200, vec!["before", "one", "two", "after", "undo-two", "undo-one"]),
        ("/before", 200, vec!["before"]),
    ] {
        let service = Service::start(refusing(path, status));
        let house = planning("undo", &service).await;
        let id = approved(&house, TWO).await;
        let ran = bob(&house, "plan.run", &[("id", &id)]).await.unwrap();
        assert_eq!(
            (ran["state"].as_str(), paths(&service)),
            (Some("rolled_back"), wanted.iter().map(ToString::to_string).collect()),
            "{ran}"
        );
        assert!(!ran["why"].as_str().unwrap().is_empty());
    }
    let service = Service::start(refusing("/two", 409));
    let house = planning("stop", &service).await;
    let id = approved(&house, &TWO.replace("on_failure: rollback", "on_failure: stop")).await;
    let ran = bob(&house, "plan.run", &[("id", &id)]).await.unwrap();
    assert_eq!((ran["state"].as_str(), paths(&service).len()), (Some("failed"), 3), "{ran}");
}

#[tokio::test]
async fn what_cannot_be_undone_keeps_nothing_before_it_from_being_undone() {
    let service = Service::start(|seen| match seen.target.as_str() {
        "/after" | "/undo-two" => vec![Step::Send(reply(409, &[("content-type", "application/json")], "{}"))],
        _ => fine(seen),
    });
    let house = planning("left", &service).await;
    let id = approved(&house, TWO).await;
    let ran = bob(&house, "plan.run", &[("id", &id)]).await.unwrap();
    assert_eq!(paths(&service), ["before", "one", "two", "after", "undo-two", "undo-one"], "{ran}");
    assert_eq!(
        (ran["state"].as_str(), ran["steps"][0]["state"].as_str(), ran["steps"][1]["state"].as_str()),
        (Some("failed"), Some("rolled_back"), Some("not_undone")),
        "{ran}"
    );
    assert!(ran["why"].as_str().unwrap().starts_with("step `two` was not undone: "), "{ran}");
}

#[tokio::test]
async fn a_step_of_which_nobody_knows_is_not_repeated_but_asked_about() {
    for (outcome, wanted, more) in
        [("done", "succeeded", vec!["after"]), ("failed", "rolled_back", vec!["undo-one"])]
    {
        let service = Service::start(|seen| if seen.target == "/two" { vec![Step::Cut] } else { fine(seen) });
        let house = planning("unknown", &service).await;
        let id = approved(&house, TWO).await;
        let ran = bob(&house, "plan.run", &[("id", &id)]).await.unwrap();
        assert_eq!(
            (ran["state"].as_str(), ran["steps"][1]["state"].as_str()),
            (Some("asking"), Some("unknown")),
            "{ran}"
        );
        let house = house.restarted().await;
        let refusal = bob(&house, "plan.resume", &[("id", &id)]).await.unwrap_err();
        assert_eq!(refusal.code, Code::Conflict);
        assert!(refusal.hint.as_ref().unwrap().contains("--step two"), "{refusal:?}");
        let wrong = [("id", &*id), ("step", "one"), ("outcome", outcome)];
        assert_eq!(bob(&house, "plan.resume", &wrong).await.unwrap_err().code, Code::Conflict);
        let said = [("id", &*id), ("step", "two"), ("outcome", outcome)];
        let ran = bob(&house, "plan.resume", &said).await.unwrap();
        assert_eq!(ran["state"], wanted, "{ran}");
        let all: Vec<String> =
            ["before", "one", "two"].iter().chain(&more).map(ToString::to_string).collect();
        assert_eq!(paths(&service), all);
    }
}

#[tokio::test]
async fn an_undoing_of_which_nobody_knows_is_not_repeated_but_asked_about() {
    for (outcome, wanted, step) in
        [("done", "rolled_back", "rolled_back"), ("failed", "failed", "not_undone")]
    {
        let service = Service::start(|seen| match seen.target.as_str() {
            "/two" => vec![Step::Send(reply(500, &[], ""))],
            "/undo-one" => vec![Step::Cut],
            _ => fine(seen),
        });
        let house = planning("undoing", &service).await;
        let id = approved(&house, TWO).await;
        let ran = bob(&house, "plan.run", &[("id", &id)]).await.unwrap();
        assert_eq!(
            (ran["state"].as_str(), ran["steps"][0]["state"].as_str()),
            (Some("asking"), Some("undo_unknown")),
            "{ran}"
        );
        let house = house.restarted().await;
        let refusal = bob(&house, "plan.resume", &[("id", &id)]).await.unwrap_err();
        assert!(refusal.hint.as_ref().unwrap().contains("--step one"), "{refusal:?}");
        let said = [("id", &*id), ("step", "one"), ("outcome", outcome)];
        let ran = bob(&house, "plan.resume", &said).await.unwrap();
        assert_eq!(
            (ran["state"].as_str(), ran["steps"][0]["state"].as_str()),
            (Some(wanted), Some(step)),
            "{ran}"
        );
        let undone = paths(&service).iter().filter(|path| *path == "undo-one").count();
        assert_eq!(undone, 1, "{ran}");
    }
}

#[tokio::test]
async fn of_two_runs_at_once_one_runs() {
    let service = Service::start(fine);
    let house = Arc::new(planning("runs", &service).await);
    let id = approved(&house, TWO).await;
    let runs: Vec<_> = (0..8)
        .map(|_| {
            let (house, id) = (Arc::clone(&house), id.clone());
            tokio::spawn(async move { bob(&house, "plan.run", &[("id", &id)]).await })
        })
        .collect();
    let mut done = 0;
    for run in runs {
        match run.await.unwrap() {
            Ok(_) => done += 1,
            Err(refusal) => assert_eq!(refusal.code, Code::Conflict, "{refusal:?}"),
        }
    }
    assert_eq!((done, service.seen().len()), (1, 4));
}

#[tokio::test]
async fn a_plan_can_be_cancelled_before_and_while_it_runs_and_expires() {
    let held = Arc::new(AtomicBool::new(false));
    let reached = Arc::clone(&held);
    let gate = Gate::default();
    let shut = gate.clone();
    let service = Service::start(move |seen| {
        let mut steps = fine(seen);
        if seen.target == "/one" {
            reached.store(true, Ordering::SeqCst);
            steps.insert(0, Step::Until(shut.clone()));
        }
        steps
    });
    let house = Arc::new(planning("cancel", &service).await);
    let id = approved(&house, TWO).await;
    assert_eq!(bob(&house, "plan.cancel", &[("id", &id)]).await.unwrap()["state"], "cancelled");
    assert_eq!(bob(&house, "plan.run", &[("id", &id)]).await.unwrap_err().code, Code::Conflict);
    let id = approved(&house, TWO).await;
    let (running, ran) = (Arc::clone(&house), id.clone());
    let running = tokio::spawn(async move { bob(&running, "plan.run", &[("id", &ran)]).await });
    crate::house::eventually("the step is under way", || held.load(Ordering::SeqCst)).await;
    assert_eq!(bob(&house, "plan.cancel", &[("id", &id)]).await.unwrap()["state"], "running");
    gate.open();
    let ran = running.await.unwrap().unwrap();
    assert_eq!(
        (ran["state"].as_str(), paths(&service)),
        (Some("cancelled"), vec!["before".to_owned(), "one".to_owned()]),
        "{ran}"
    );
    let late = approved(&house, TWO).await;
    house.clock.advance(Duration::from_secs(25 * 3_600));
    assert_eq!(bob(&house, "plan.run", &[("id", &late)]).await.unwrap_err().code, Code::Expired);
}

#[tokio::test]
async fn plans_that_are_over_are_forgotten_and_those_that_may_go_on_are_not() {
    let service = Service::start(fine);
    let house = planning("forgotten", &service).await;
    let done = approved(&house, TWO).await;
    bob(&house, "plan.run", &[("id", &done)]).await.unwrap();
    let (waiting, _) = proposed(&house, TWO).await;
    let tenant = model::TenantName::local();
    let gone = |id: &str| house.state.get(Table::Approvals, &tenant, id.as_bytes()).unwrap().is_none();
    house.clock.advance(Duration::from_secs(89 * 86_400));
    house.broker.tidy();
    assert_eq!(bob(&house, "plan.show", &[("id", &done)]).await.unwrap()["state"], "succeeded");
    house.clock.advance(Duration::from_secs(3 * 86_400));
    let (fresh, _) = proposed(&house, TWO).await;
    house.broker.tidy();
    crate::house::eventually("both are gone", || gone(&done) && gone(&waiting)).await;
    for id in [&done, &waiting] {
        assert_eq!(bob(&house, "plan.show", &[("id", id)]).await.unwrap_err().code, Code::NotFound);
    }
    assert_eq!(bob(&house, "plan.show", &[("id", &fresh)]).await.unwrap()["state"], "proposed");
}
