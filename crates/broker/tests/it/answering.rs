//! Approvals that are answered elsewhere: fakes of Slack and Linear that refuse what those refuse and write down what they were asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use broker::answering::{Answering, Linear, Slack};
use crypto::MacKey;
use model::{Clock, Code};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use testkit::canary;

use crate::asking::Ask;
use crate::house::{House, described, is, moved};
use crate::service::{Seen, Service, Step, reply};

/// What Slack signs with in these tests.
const SIGNING: [u8; 32] = *b"CANARY-signing-secret-0123456789";

fn json_reply(value: &Value) -> Vec<Step> {
    vec![Step::Send(reply(200, &[("content-type", "application/json")], value.to_string()))]
}

/// Slack: wants its token, a channel that it knows, blocks within its limits.
fn slack(token: String) -> Service {
    Service::start(move |seen| {
        let said: Value = serde_json::from_slice(&seen.body).unwrap_or_default();
        let refused = |why: &str| json_reply(&json!({ "ok": false, "error": why }));
        if seen.all("authorization") != [format!("Bearer {token}")] {
            return refused("invalid_auth");
        }
        if said["channel"] != "C1" {
            return refused("channel_not_found");
        }
        let long = |block: &Value| {
            let most = if block["type"] == "header" { 150 } else { 3_000 };
            block["text"]["text"].as_str().is_some_and(|text| text.chars().count() > most || text.is_empty())
        };
        if said["blocks"].as_array().is_none_or(|blocks| blocks.is_empty() || blocks.iter().any(long)) {
            return refused("invalid_blocks");
        }
        match (seen.target.as_str(), said["ts"].as_str()) {
            ("/api/chat.postMessage", None) => {
                json_reply(&json!({ "ok": true, "channel": "C1", "ts": "17.1" }))
            }
            ("/api/chat.update", Some("17.1")) => {
                json_reply(&json!({ "ok": true, "channel": "C1", "ts": "17.1" }))
            }
            ("/api/chat.update", _) => refused("message_not_found"),
            _ => refused("unknown_method"),
        }
    })
}

/// Linear as far as approvals use it: labels, one issue, its history. It refuses a mutation that it would refuse.
#[derive(Default)]
struct Workspace {
    labels: BTreeMap<String, String>,
    issue: Option<Issue>,
}

#[derive(Default)]
struct Issue {
    title: String,
    description: String,
    labels: Vec<String>,
    history: Vec<Value>,
    comments: Vec<String>,
}

impl Workspace {
    fn label(&mut self, name: &str) -> String {
        let next = format!("label-{}", self.labels.len());
        self.labels.entry(name.to_owned()).or_insert(next).clone()
    }

    fn named(&self, id: &str) -> Option<String> {
        self.labels.iter().find(|(_, own)| *own == id).map(|(name, _)| name.clone())
    }

    /// What a person does in the page.
    fn labelled(&mut self, name: &str, actor: Option<&str>) {
        let id = self.label(name);
        let issue = self.issue.as_mut().unwrap();
        issue.labels.push(id.clone());
        let at = format!("2026-11-30T10:00:{:02}.000Z", issue.history.len());
        issue.history.insert(
            0,
            json!({
                "id": format!("h{}", issue.history.len()), "createdAt": at, "actor": actor.map(|id| json!({ "id": id, "email": "a@example.com" })),
                "fromTitle": null, "updatedDescription": false, "addedLabels": [{ "id": id, "name": name }], "removedLabels": [],
            }),
        );
    }

    fn shown(&self) -> Value {
        let issue = self.issue.as_ref().unwrap();
        let labels: Vec<Value> =
            issue.labels.iter().map(|id| json!({ "id": id, "name": self.named(id) })).collect();
        json!({ "id": "i1", "identifier": "OPS-1", "title": issue.title, "labels": { "nodes": labels } })
    }

    fn answer(&mut self, query: &str, variables: &Value) -> Value {
        let input = &variables["input"];
        if query.contains("issueLabels(") {
            let name = variables["name"].as_str().unwrap();
            let found = self.labels.get(name).map(|id| json!({ "id": id, "name": name }));
            return json!({ "data": { "issueLabels": { "nodes": found.into_iter().collect::<Vec<_>>() } } });
        }
        if query.contains("issueLabelCreate(") {
            let name = input["name"].as_str().unwrap();
            if self.labels.contains_key(name) {
                return json!({ "errors": [{ "message": "duplicate label name" }] });
            }
            let id = self.label(name);
            return json!({ "data": { "issueLabelCreate": { "success": true, "issueLabel": { "id": id, "name": name } } } });
        }
        if query.contains("issueCreate(") {
            let text = |name: &str| input[name].as_str().unwrap_or_default().to_owned();
            let labels: Vec<String> = serde_json::from_value(input["labelIds"].clone()).unwrap();
            if input["teamId"] != "team-1" || labels.iter().any(|id| self.named(id).is_none()) {
                return json!({ "errors": [{ "message": "Entity not found" }] });
            }
            let (title, description) = (text("title"), text("description"));
            self.issue = Some(Issue { title, description, labels, ..Issue::default() });
            return json!({ "data": { "issueCreate": { "success": true, "issue": self.shown() } } });
        }
        if self.issue.is_none() || (variables["id"] != "i1" && input["issueId"] != "i1") {
            return json!({ "errors": [{ "message": "Entity not found: Issue" }] });
        }
        if query.contains("issueUpdate(") {
            let list = |name: &str| -> Vec<String> {
                serde_json::from_value(input[name].clone()).unwrap_or_default()
            };
            let issue = self.issue.as_mut().unwrap();
            issue.labels.retain(|id| !list("removedLabelIds").contains(id));
            for id in list("addedLabelIds") {
                if !issue.labels.contains(&id) {
                    issue.labels.push(id);
                }
            }
            return json!({ "data": { "issueUpdate": { "success": true, "issue": self.shown() } } });
        }
        if query.contains("commentCreate(") {
            self.issue.as_mut().unwrap().comments.push(input["body"].as_str().unwrap().to_owned());
            return json!({ "data": { "commentCreate": { "success": true, "comment": { "id": "c1", "url": "https://linear.example/c1" } } } });
        }
        let mut shown = self.shown();
        shown["history"] = json!({ "nodes": self.issue.as_ref().unwrap().history });
        json!({ "data": { "issue": shown } })
    }
}

fn linear(token: String) -> (Service, Arc<Mutex<Workspace>>) {
    let workspace = Arc::<Mutex<Workspace>>::default();
    let kept = Arc::clone(&workspace);
    let service = Service::start(move |seen| {
        if seen.all("authorization") != [token.clone()] {
            return vec![Step::Send(reply(
                401,
                &[("content-type", "application/json")],
                r#"{"errors":[{"message":"Authentication required"}]}"#,
            ))];
        }
        let said: Value = serde_json::from_slice(&seen.body).unwrap_or_default();
        json_reply(
            &kept.lock().unwrap().answer(said["query"].as_str().unwrap_or_default(), &said["variables"]),
        )
    });
    (service, workspace)
}

const SIGNED: &str = "name: slack-approvals\ntitle: Answers\nbase_url: https://slack.com\nsecrets: {signing: {title: S, default: \"store:slack/signing\"}}\n\
    auth: []\nlimits: {connect: 5s, head: 30s, total: 1m, idle: 30s}\nincoming:\n  - {scheme: slack_signature, secret: signing}\noperations:\n  \
    answer: {title: A, access: write, risk: high, match: {method: POST, path: /answer}}\n";

/// A house whose agent waits for an approval, with both places.
struct Office {
    house: House,
    upstream: Service,
    slack: Service,
    _linear: Service,
    workspace: Arc<Mutex<Workspace>>,
    pass: String,
}

impl Office {
    async fn open() -> Self {
        Self::with(1).await
    }

    /// Where so many people have to approve.
    async fn with(approvers: u8) -> Self {
        let (token, key) = (canary::plant("slack-bot"), canary::plant("linear-key"));
        let upstream = Service::saying("{}");
        let slack = slack(token.clone());
        let (linear, workspace) = linear(key.clone());
        let files = vec![
            ("house", described(&upstream.url(), "", "", "")),
            ("slack", moved("slack", &slack.url())),
            ("linear", moved("linear", &linear.url())),
            ("slack-approvals", SIGNED.to_owned()),
        ];
        let files = files.into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
        let house = House::opened(files, |_| {}).await;
        house.put("slack/token", &token).await;
        house.put("linear/token", &key).await;
        house.put("slack/signing", std::str::from_utf8(&SIGNING).unwrap()).await;
        let people = |ids: [&str; 3]| {
            let names = ids.into_iter().zip(["ada", "agent", "bob"]);
            names.map(|(id, name)| (id.to_owned(), name.parse().unwrap())).collect()
        };
        let slack_place = Slack {
            integration: "slack".parse().unwrap(),
            signed: "slack-approvals".parse().unwrap(),
            channel: "C1".to_owned(),
            team: Some("T1".to_owned()),
            people: people(["U1", "U2", "U3"]),
        };
        let linear_place = Linear {
            integration: "linear".parse().unwrap(),
            team: "team-1".to_owned(),
            people: people(["user-1", "user-2", "user-3"]),
        };
        let approvers = std::num::NonZeroU8::new(approvers);
        let answering = Answering { approvers, slack: Some(slack_place), linear: Some(linear_place) };
        house.broker.answered_at(answering).unwrap();
        let pass = house.capability(&[("integrations", "house"), ("approval", "writes")]).await;
        Self { house, upstream, slack, _linear: linear, workspace, pass }
    }

    fn change(&self) -> Ask {
        Ask::post("/a", "x").with(&self.pass)
    }

    async fn asked(&self) -> String {
        let refusal = self.house.refused(self.change()).await;
        is(&refusal, Code::ApprovalRequired);
        refusal.approval().unwrap().to_string()
    }

    async fn roles(&self) {
        for who in ["ada", "agent", "bob"] {
            self.house.manage("role.grant", &[("principal", who), ("role", "manager")]).await.unwrap();
        }
    }

    async fn told(&self, via: &str, id: &str, at: Option<&str>) -> Value {
        let mut inputs = vec![("id", id), ("via", via)];
        inputs.extend(at.map(|at| ("at", at)));
        self.house.manage("approval.tell", &inputs).await.unwrap()
    }

    /// The last thing that Slack was told.
    fn said(&self) -> (Seen, Value) {
        let seen = self.slack.seen().pop().unwrap();
        let said = serde_json::from_slice(&seen.body).unwrap();
        (seen, said)
    }

    async fn state(&self, id: &str) -> Value {
        self.house.manage("approval.show", &[("id", id)]).await.unwrap()
    }
}

/// What Slack sends when somebody presses a button.
struct Press {
    user: &'static str,
    team: &'static str,
    action: String,
    value: String,
    signed: [u8; 32],
    ago: u64,
}

impl Press {
    fn of(message: &Value, nth: usize) -> Self {
        let button = &message["blocks"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["type"] == "actions")
            .unwrap()["elements"][nth];
        let text = |name: &str| button[name].as_str().unwrap().to_owned();
        Self {
            user: "U1",
            team: "T1",
            action: text("action_id"),
            value: text("value"),
            signed: SIGNING,
            ago: 0,
        }
    }

    fn ask(&self, house: &House) -> Ask {
        let Self { user, team, action, value, signed, ago } = self;
        let said = json!({
            "type": "block_actions", "user": { "id": user, "name": "ada" }, "team": { "id": team }, "channel": { "id": "C1" },
            "message": { "ts": "17.1" }, "actions": [{ "action_id": action, "value": value, "type": "button" }],
        });
        let body = format!("payload={}", utf8_percent_encode(&said.to_string(), NON_ALPHANUMERIC));
        let time = (house.clock.now().millis() / 1_000 - ago).to_string();
        let tag = MacKey::new(*signed).tag(&[b"v0:", time.as_bytes(), b":", body.as_bytes()]);
        let headers = json!({ "x-slack-signature": format!("v0={}", crypto::to_hex(&tag)), "x-slack-request-timestamp": time });
        let came = json!({ "headers": headers, "body": body }).to_string();
        Ask::named("doorward", "approval.answer", &[("via", "slack")]).payload(came)
    }
}

#[tokio::test]
async fn a_button_in_slack_decides_once_for_the_member_who_pressed_it() {
    let office = Office::open().await;
    let (house, id) = (&office.house, office.asked().await);
    let told = office.told("slack", &id, None).await;
    assert_eq!(told["at"], "C1/17.1");
    let (seen, message) = office.said();
    assert_eq!(seen.target, "/api/chat.postMessage");
    let digest = office.state(&id).await["digest"].as_str().unwrap().to_owned();
    for wanted in [id.as_str(), &digest, "house/change", "agent"] {
        assert!(message.to_string().contains(wanted), "{wanted}: {message}");
    }
    let press = Press::of(&message, 0);
    is(&house.refused(press.ask(house)).await, Code::Denied);
    assert_eq!(
        office.state(&id).await["state"],
        "pending",
        "a member without the role is nobody who decides"
    );
    office.roles().await;
    let (_, decided) = house.answer(press.ask(house)).await.unwrap();
    assert_eq!((&decided["decided"]["decided_by"], &decided["at"]), (&json!("ada"), &json!("C1/17.1")));
    house.got(office.change()).await.unwrap();
    assert_eq!(office.upstream.seen().len(), 1);
    // The same bytes again, and another press: neither counts.
    is(&house.refused(press.ask(house)).await, Code::Replayed);
    house.clock.advance(Duration::from_secs(1));
    is(&house.refused(press.ask(house)).await, Code::Conflict);

    office.told("slack", &id, Some("C1/17.1")).await;
    let (seen, message) = office.said();
    assert_eq!((seen.target.as_str(), &message["ts"]), ("/api/chat.update", &json!("17.1")));
    assert!(
        message.to_string().contains("Approved by") && !message.to_string().contains("action_id"),
        "{message}"
    );
    house.spotless();
}

#[tokio::test]
async fn where_two_have_to_approve_a_button_says_who_did_and_waits_for_another_member() {
    let office = Office::with(2).await;
    office.roles().await;
    let (house, id) = (&office.house, office.asked().await);
    office.told("slack", &id, None).await;
    let (_, message) = office.said();
    assert!(message.to_string().contains("0 of 2 people"), "{message}");
    let (_, first) = house.answer(Press::of(&message, 0).ask(house)).await.unwrap();
    assert_eq!(first["decided"]["state"], "pending", "{first}");
    let (seen, message) = office.said();
    assert_eq!((seen.target.as_str(), &message["ts"]), ("/api/chat.update", &json!("17.1")));
    assert!(message.to_string().contains("1 of 2 people approved it: ada"), "{message}");
    house.clock.advance(Duration::from_secs(1));
    is(&house.refused(Press::of(&message, 0).ask(house)).await, Code::Conflict);
    is(&house.refused(office.change()).await, Code::ApprovalRequired);
    let second = Press { user: "U3", ..Press::of(&message, 0) };
    let (_, second) = house.answer(second.ask(house)).await.unwrap();
    assert_eq!(second["decided"]["state"], "approved", "{second}");
    house.got(office.change()).await.unwrap();
    office.told("slack", &id, Some("C1/17.1")).await;
    assert!(office.said().1.to_string().contains("Approved by `ada`, `bob`"));
}

#[tokio::test]
async fn slack_is_believed_only_where_it_signed_and_only_about_known_members() {
    let office = Office::open().await;
    office.roles().await;
    let (house, id) = (&office.house, office.asked().await);
    office.told("slack", &id, None).await;
    let (_, message) = office.said();
    let press = |change: fn(&mut Press)| {
        let mut press = Press::of(&message, 0);
        change(&mut press);
        press.ask(house)
    };
    type Case = (&'static str, fn(&mut Press), Code);
    let cases: [Case; 8] = [
        ("another secret", |one| one.signed = [7; 32], Code::Unauthenticated),
        ("too old", |one| one.ago = 301, Code::Unauthenticated),
        ("a member that nobody knows", |one| one.user = "U9", Code::Denied),
        ("another workspace", |one| one.team = "T9", Code::Denied),
        ("whoever asked", |one| one.user = "U2", Code::Denied),
        ("another digest", |one| one.value.push('0'), Code::Denied),
        ("another button", |one| one.action = "other".to_owned(), Code::BadRequest),
        ("no approval", |one| one.value = "apr_1".to_owned(), Code::BadRequest),
    ];
    for (about, change, code) in cases {
        assert_eq!(house.refused(press(change)).await.code, code, "{about}");
        assert_eq!(office.state(&id).await["state"], "pending", "{about}");
    }
    // The button of a denial.
    let (_, decided) = house.answer(Press::of(&message, 1).ask(house)).await.unwrap();
    assert_eq!(decided["decided"]["state"], "denied");
    is(&house.refused(office.change()).await, Code::Denied);
    assert_eq!(office.upstream.seen().len(), 0);
}

#[tokio::test]
async fn a_label_in_linear_decides_for_the_user_who_put_it_and_other_labels_stay() {
    let office = Office::open().await;
    office.roles().await;
    let (house, id) = (&office.house, office.asked().await);
    let told = office.told("linear", &id, None).await;
    assert_eq!(told["at"], "i1");
    let answer =
        || Ask::named("doorward", "approval.answer", &[("via", "linear"), ("id", &id), ("at", "i1")]);
    {
        let workspace = office.workspace.lock().unwrap();
        let issue = workspace.issue.as_ref().unwrap();
        assert!(
            issue.title.contains(&id) && issue.description.contains("house/change"),
            "{}",
            issue.description
        );
        assert_eq!(workspace.named(&issue.labels[0]).as_deref(), Some("approval:pending"));
    }
    let (_, nothing) = house.answer(answer()).await.unwrap();
    assert_eq!(nothing["decided"], Value::Null, "nobody answered yet");
    office.workspace.lock().unwrap().labelled("customer:acme", Some("user-9"));
    office.workspace.lock().unwrap().labelled("approval:approved", Some("user-1"));
    let (evidence, decided) = house.answer(answer()).await.unwrap();
    assert_eq!(decided["decided"]["decided_by"], "ada");
    let fields = house.settled(evidence).await.outcome.unwrap().fields;
    for (name, value) in [("linear_user", "user-1"), ("by", "ada"), ("history", "h1 h0")] {
        assert!(fields.contains(&(name.to_owned(), value.to_owned())), "{fields:?}");
    }
    house.got(office.change()).await.unwrap();
    office.told("linear", &id, Some("i1")).await;
    let workspace = office.workspace.lock().unwrap();
    let issue = workspace.issue.as_ref().unwrap();
    let mut labels: Vec<String> = issue.labels.iter().map(|id| workspace.named(id).unwrap()).collect();
    labels.sort();
    assert_eq!(labels, ["approval:approved", "customer:acme"]);
    assert!(issue.comments[0].contains("Approved by `ada`"), "{:?}", issue.comments);
}

#[tokio::test]
async fn where_two_have_to_approve_the_label_is_taken_away_for_the_second_one_to_put_it() {
    let office = Office::with(2).await;
    office.roles().await;
    let (house, id) = (&office.house, office.asked().await);
    office.told("linear", &id, None).await;
    let answer =
        || Ask::named("doorward", "approval.answer", &[("via", "linear"), ("id", &id), ("at", "i1")]);
    let labels = || {
        let workspace = office.workspace.lock().unwrap();
        let issue = workspace.issue.as_ref().unwrap();
        issue.labels.iter().map(|id| workspace.named(id).unwrap()).collect::<Vec<_>>()
    };
    office.workspace.lock().unwrap().labelled("approval:approved", Some("user-1"));
    let (_, first) = house.answer(answer()).await.unwrap();
    assert_eq!(first["decided"]["state"], "pending", "{first}");
    assert_eq!(labels(), ["approval:pending"]);
    assert!(
        office.workspace.lock().unwrap().issue.as_ref().unwrap().comments[0].contains("1 of 2 people"),
        "it says who approved until now"
    );
    // The same person again counts for nothing, and makes room for another one.
    office.workspace.lock().unwrap().labelled("approval:approved", Some("user-1"));
    let (_, again) = house.answer(answer()).await.unwrap();
    assert_eq!((&again["decided"], labels()), (&Value::Null, vec!["approval:pending".to_owned()]));
    is(&house.refused(office.change()).await, Code::ApprovalRequired);
    office.workspace.lock().unwrap().labelled("approval:approved", Some("user-3"));
    let (_, second) = house.answer(answer()).await.unwrap();
    assert_eq!(second["decided"]["state"], "approved", "{second}");
    house.got(office.change()).await.unwrap();
}

#[tokio::test]
async fn a_label_approves_nothing_where_nobody_is_known_or_the_issue_was_changed() {
    let office = Office::open().await;
    office.roles().await;
    let (house, id) = (&office.house, office.asked().await);
    let answer =
        || Ask::named("doorward", "approval.answer", &[("via", "linear"), ("id", &id), ("at", "i1")]);
    type Case = (&'static str, fn(&mut Workspace));
    let cases: [Case; 6] = [
        ("a user that nobody knows", |one| one.labelled("approval:approved", Some("user-9"))),
        ("whoever asked", |one| one.labelled("approval:approved", Some("user-2"))),
        ("an integration", |one| one.labelled("approval:approved", None)),
        ("another title", |one| {
            one.labelled("approval:approved", Some("user-1"));
            one.issue.as_mut().unwrap().title = "Approval required: something else".to_owned();
        }),
        ("a description that was changed", |one| {
            one.labelled("approval:approved", Some("user-1"));
            let edited = json!({ "id": "h9", "createdAt": "2026-11-30T09:00:00.000Z", "actor": { "id": "user-2" }, "updatedDescription": true });
            one.issue.as_mut().unwrap().history.push(edited);
        }),
        ("a label without a history", |one| {
            one.labelled("approval:approved", Some("user-1"));
            one.issue.as_mut().unwrap().history.clear();
        }),
    ];
    for (about, change) in cases {
        office.told("linear", &id, None).await;
        change(&mut office.workspace.lock().unwrap());
        assert_eq!(house.refused(answer()).await.code, Code::Denied, "{about}");
        assert_eq!(office.state(&id).await["state"], "pending", "{about}");
    }
    // Whoever says no wins, also in an issue that was changed.
    office.told("linear", &id, None).await;
    office.workspace.lock().unwrap().labelled("approval:denied", Some("user-1"));
    office.workspace.lock().unwrap().labelled("approval:approved", Some("user-1"));
    let (_, decided) = house.answer(answer()).await.unwrap();
    assert_eq!(decided["decided"]["state"], "denied");
}

#[tokio::test]
async fn what_slack_and_linear_refuse_is_no_question_that_was_told() {
    let office = Office::open().await;
    let id = office.asked().await;
    office.house.manage("secret.rotate", &[("name", "slack/token")]).await.unwrap_err();
    let elsewhere = [("id", id.as_str()), ("via", "slack"), ("at", "C1/99.9")];
    let refusal = office.house.manage("approval.tell", &elsewhere).await.unwrap_err();
    assert!(refusal.message.contains("message_not_found"), "{refusal:?}");
    let nowhere = [("id", id.as_str()), ("via", "linear"), ("at", "i7")];
    let refusal = office.house.manage("approval.answer", &nowhere).await.unwrap_err();
    assert_eq!(refusal.code, Code::UpstreamReply);
    let owner = |id: &str| [(id.to_owned(), "owner".parse().unwrap())].into();
    let place =
        Linear { integration: "linear".parse().unwrap(), team: "t".to_owned(), people: owner("user-1") };
    let refusal = office
        .house
        .broker
        .answered_at(Answering { linear: Some(place), ..Answering::default() })
        .unwrap_err();
    assert!(refusal.message.contains("owner"), "{refusal:?}");
}
