//! Several people who approve one call, or one plan.

use std::time::Duration;

use broker::answering::Answering;
use evidence::What;
use model::{ApprovalClaim, ApprovalId, Claims, Code, Refusal};
use serde_json::{Value, json};
use testkit::canary;

use crate::asking::Ask;
use crate::house::{House, is};
use crate::service::{Service, Step, reply};

/// Two people have to approve changes of the house.
const TWO: &str =
    r#"@approval("2") permit (principal, action == Doorward::Action::"house/change", resource);"#;

/// A house in which `agent` changes things, and the owner, `ada` and `bob` decide.
struct Office {
    house: House,
    service: Service,
    agent: String,
    ada: String,
    bob: String,
}

impl Office {
    async fn open(name: &str) -> Self {
        let answer = || vec![Step::Send(reply(200, &[("content-type", "application/json")], "{}"))];
        let service = Service::start(move |_| answer());
        let house = House::at(&service.url(), &canary::plant(name)).await;
        let long = ("expires", "12h");
        let agent = house.capability(&[("integrations", "house,doorward"), long]).await;
        let one = |who: &'static str| [("for", who), ("integrations", "doorward"), long];
        let (ada, bob) = (house.capability(&one("ada")).await, house.capability(&one("bob")).await);
        for who in ["ada", "bob", "agent"] {
            house.manage("role.grant", &[("principal", who), ("role", "manager")]).await.unwrap();
        }
        Self { house, service, agent, ada, bob }
    }

    async fn policy(&self, text: &str) {
        let put = Ask::named("doorward", "policy.put", &[("name", "several")]).payload(text);
        self.house.answer(put).await.unwrap();
    }

    fn change(&self) -> Ask {
        Ask::named("house", "change", &[("path", "a")]).with(&self.agent)
    }

    async fn waits(&self) -> (ApprovalId, Refusal) {
        let refusal = self.house.refused(self.change()).await;
        is(&refusal, Code::ApprovalRequired);
        (refusal.approval().unwrap(), refusal)
    }

    async fn decides(&self, pass: &str, id: ApprovalId, decision: &str) -> Result<Value, Refusal> {
        let inputs = [("id", &*id.to_string()), ("decision", decision)];
        let ask = Ask::named("doorward", "approval.decide", &inputs).with(pass);
        self.house.answer(ask).await.map(|(_, value)| value)
    }

    fn naming(&self, id: ApprovalId) -> Ask {
        let mut ask = self.change();
        let claims = Claims { approval: Some(ApprovalClaim::Approval(id)), break_glass: None };
        ask.facts.claims = Some(Box::new(claims));
        ask
    }
}

#[tokio::test]
async fn a_call_that_two_have_to_approve_waits_for_the_second_and_its_record_names_both() {
    let office = Office::open("two").await;
    office.policy(TWO).await;
    let (id, refusal) = office.waits().await;
    assert!(refusal.message.contains("0 of 2 people"), "{refusal:?}");
    // Whoever asked is none of them.
    let own = office.decides(&office.agent, id, "approve").await.unwrap_err();
    assert!(own.code == Code::Denied && own.message.contains("somebody else"), "{own:?}");

    let first = office.decides(&office.ada, id, "approve").await.unwrap();
    assert_eq!((&first["state"], &first["decided_by"]), (&json!("pending"), &Value::Null), "{first}");
    assert_eq!((&first["approvers"], &first["agreed"]), (&json!(2), &json!(["ada"])), "{first}");
    let twice = office.decides(&office.ada, id, "approve").await.unwrap_err();
    assert!(twice.code == Code::Conflict && twice.message.contains("`ada`"), "{twice:?}");
    let (same, refusal) = office.waits().await;
    assert!(same == id && refusal.message.contains("1 of 2 people approved it: ada"), "{refusal:?}");
    is(&office.house.refused(office.naming(id)).await, Code::ApprovalRequired);
    assert_eq!(office.service.seen().len(), 0);

    let second = office.decides(&office.bob, id, "approve").await.unwrap();
    assert_eq!((&second["state"], &second["agreed"]), (&json!("approved"), &json!(["ada", "bob"])));
    let (evidence, _) = office.house.answer(office.change()).await.unwrap();
    let entry = office.house.settled(evidence).await;
    let fields = entry.outcome.unwrap().fields;
    assert!(fields.contains(&("approved_by".to_owned(), "ada, bob".to_owned())), "{fields:?}");
    let What::Call(intent) = entry.what else { panic!("not a call") };
    assert_eq!(intent.uses.iter().map(|counted| counted.id).collect::<Vec<_>>(), [id.to_bytes()]);
    is(&office.house.refused(office.naming(id)).await, Code::Conflict);
    assert_eq!(office.service.seen().len(), 1);
    office.house.spotless();
}

#[tokio::test]
async fn one_no_ends_it_also_from_somebody_who_said_yes() {
    let office = Office::open("no").await;
    office.policy(TWO).await;
    let (id, _) = office.waits().await;
    office.decides(&office.ada, id, "approve").await.unwrap();
    let ended = office.decides(&office.bob, id, "deny").await.unwrap();
    assert_eq!((&ended["state"], &ended["decided_by"]), (&json!("denied"), &json!("bob")));
    is(&office.house.refused(office.change()).await, Code::Denied);
    assert_eq!(office.decides(&office.ada, id, "approve").await.unwrap_err().code, Code::Conflict);

    office.house.clock.advance(Duration::from_secs(3_601));
    let (other, _) = office.waits().await;
    assert_ne!(other, id);
    office.decides(&office.ada, other, "approve").await.unwrap();
    let ended = office.decides(&office.ada, other, "deny").await.unwrap();
    assert_eq!((&ended["state"], &ended["decided_by"]), (&json!("denied"), &json!("ada")));
    assert_eq!(office.service.seen().len(), 0);
}

#[tokio::test]
async fn answers_that_come_at_the_same_time_all_count() {
    let office = Office::open("at-once").await;
    office.policy(TWO).await;
    for round in 0..6 {
        let (id, _) = office.waits().await;
        let (one, other) = tokio::join!(
            office.decides(&office.ada, id, "approve"),
            office.decides(&office.bob, id, "approve")
        );
        let said = [one.unwrap(), other.unwrap()];
        assert!(said.iter().any(|said| said["state"] == "approved"), "round {round}: {said:?}");
        office.house.answer(office.change()).await.unwrap();
    }
    for round in 0..6 {
        let (id, _) = office.waits().await;
        let (yes, no) =
            tokio::join!(office.decides(&office.ada, id, "approve"), office.decides(&office.bob, id, "deny"));
        // The yes comes in time to be counted, or is told that it is over. The no ends it either way.
        assert_eq!(no.unwrap()["state"], "denied", "round {round}");
        assert!(yes.as_ref().map_or_else(|late| late.message.contains("denied"), |_| true), "{yes:?}");
        is(&office.house.refused(office.change()).await, Code::Denied);
        office.house.clock.advance(Duration::from_secs(3_601));
    }
}

#[tokio::test]
async fn a_role_that_is_revoked_between_two_answers_takes_the_first_back() {
    let office = Office::open("revoked").await;
    office.policy(TWO).await;
    let (id, _) = office.waits().await;
    office.decides(&office.ada, id, "approve").await.unwrap();
    office.house.manage("role.revoke", &[("principal", "ada"), ("role", "manager")]).await.unwrap();
    let second = office.decides(&office.bob, id, "approve").await.unwrap();
    assert_eq!((&second["state"], &second["agreed"]), (&json!("pending"), &json!(["bob"])), "{second}");
    is(&office.house.refused(office.naming(id)).await, Code::ApprovalRequired);
    office.house.manage("role.grant", &[("principal", "ada"), ("role", "manager")]).await.unwrap();
    let last = office.decides(&office.ada, id, "approve").await.unwrap();
    assert_eq!((&last["state"], &last["agreed"]), (&json!("approved"), &json!(["bob", "ada"])), "{last}");
    office.house.answer(office.change()).await.unwrap();
    assert_eq!(office.service.seen().len(), 1);
}

#[tokio::test]
async fn the_first_yes_does_not_make_a_question_last_longer() {
    let office = Office::open("late").await;
    office.policy(TWO).await;
    let (id, _) = office.waits().await;
    office.house.clock.advance(Duration::from_secs(3_500));
    office.decides(&office.ada, id, "approve").await.unwrap();
    office.house.clock.advance(Duration::from_secs(101));
    assert_eq!(office.decides(&office.bob, id, "approve").await.unwrap_err().code, Code::Conflict);
    is(&office.house.refused(office.naming(id)).await, Code::Expired);
    let (other, refusal) = office.waits().await;
    assert!(other != id && refusal.message.contains("0 of 2"), "{refusal:?}");
    assert_eq!(office.service.seen().len(), 0);
}

#[tokio::test]
async fn what_fewer_people_approved_does_not_count_where_more_are_asked_for_since() {
    let office = Office::open("more").await;
    office.policy(&TWO.replace("\"2\"", "\"required\"")).await;
    let (id, _) = office.waits().await;
    office.decides(&office.ada, id, "approve").await.unwrap();
    office.policy(&TWO.replace("\"2\"", "\"3\"")).await;
    let refusal = office.house.refused(office.naming(id)).await;
    assert_eq!((refusal.code, refusal.reason.as_deref()), (Code::Denied, Some("changed after approval")));
    let (other, refusal) = office.waits().await;
    assert!(other != id && refusal.message.contains("0 of 3"), "{refusal:?}");
    assert_eq!(office.service.seen().len(), 0);
}

#[tokio::test]
async fn the_settings_ask_for_more_people_than_a_capability_does() {
    let office = Office::open("settings").await;
    let two = Answering { approvers: std::num::NonZeroU8::new(2), ..Answering::default() };
    office.house.broker.answered_at(two).unwrap();
    let words = [("integrations", "house"), ("approval", "writes")];
    let agent = office.house.capability(&words).await;
    let change = || Ask::post("/a", "x").with(&agent);
    let refusal = office.house.refused(change()).await;
    is(&refusal, Code::ApprovalRequired);
    let id = refusal.approval().unwrap();
    office.decides(&office.ada, id, "approve").await.unwrap();
    is(&office.house.refused(change()).await, Code::ApprovalRequired);
    office.decides(&office.bob, id, "approve").await.unwrap();
    office.house.got(change()).await.unwrap();
    assert_eq!(office.service.seen().len(), 1);
}

const PLAN: &str = "summary: Change a thing
approvers: 2
steps:
  - {id: one, operation: house/change, inputs: {path: one}}
";

impl Office {
    async fn plan(&self, operation: &str, inputs: &[(&str, &str)], pass: &str) -> Result<Value, Refusal> {
        let ask = Ask::named("doorward", operation, inputs).with(pass);
        self.house.answer(ask).await.map(|(_, value)| value)
    }

    /// A plan that the agent proposes, with what it takes to decide about it.
    async fn proposed(&self, text: &str) -> [(&'static str, String); 3] {
        let ask = Ask::named("doorward", "plan.create", &[]).with(&self.agent).payload(text);
        let (_, value) = self.house.answer(ask).await.unwrap();
        let text = |name: &str| value[name].as_str().unwrap().to_owned();
        [("id", text("id")), ("digest", text("digest")), ("decision", "approve".to_owned())]
    }
}

#[tokio::test]
async fn a_plan_that_two_have_to_approve_runs_behind_the_second_yes_only() {
    let office = Office::open("plan-two").await;
    office.policy(TWO).await;
    let words = office.proposed(PLAN).await;
    let decide: Vec<_> = words.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let run = [decide[0]];
    let first = office.plan("plan.decide", &decide, &office.ada).await.unwrap();
    assert_eq!((&first["state"], &first["agreed"]), (&json!("proposed"), &json!(["ada"])), "{first}");
    assert_eq!(
        office.plan("plan.decide", &decide, &office.ada).await.unwrap_err().code,
        Code::Conflict,
        "one person once"
    );
    assert_eq!(office.plan("plan.decide", &decide, &office.agent).await.unwrap_err().code, Code::Denied);
    assert_eq!(office.plan("plan.run", &run, &office.agent).await.unwrap_err().code, Code::ApprovalRequired);
    office.plan("plan.decide", &decide, &office.bob).await.unwrap();
    let ran = office.plan("plan.run", &run, &office.agent).await.unwrap();
    assert_eq!(ran["state"], "succeeded", "{ran}");
    let evidence = ran["steps"][0]["evidence"].as_str().unwrap().parse().unwrap();
    let fields = office.house.settled(evidence).await.outcome.unwrap().fields;
    assert!(fields.contains(&("approved_by".to_owned(), "ada, bob".to_owned())), "{fields:?}");
    assert_eq!(office.service.seen().len(), 1);
}

#[tokio::test]
async fn a_plan_that_one_approved_does_no_step_that_two_have_to_approve() {
    let office = Office::open("plan-one").await;
    office.policy(TWO).await;
    let words = office.proposed(&PLAN.replace("approvers: 2\n", "")).await;
    let decide: Vec<_> = words.iter().map(|(name, text)| (*name, text.as_str())).collect();
    office.plan("plan.decide", &decide, &office.ada).await.unwrap();
    let ran = office.plan("plan.run", &[decide[0]], &office.agent).await.unwrap();
    assert_eq!((&ran["state"], office.service.seen().len()), (&json!("failed"), 0), "{ran}");
    assert!(ran.to_string().contains("fewer people"), "{ran}");
}
