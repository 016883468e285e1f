//! Requests that have the path of an operation and can't be read as it: a rule of a list about the request itself may allow them,
//! and nothing else.

use broker::read_lists;
use model::Code;
use net::Body;
use policy::lists::{File, Side};
use testkit::canary;

use crate::asking::Ask;
use crate::house::{House, is, moved};
use crate::service::Service;

const FORM: &str = "application/x-www-form-urlencoded";

/// A built-in integration at the address of a service, which asks nobody who they are.
async fn open(name: &str, service: &Service) -> House {
    let house = House::start(&[(name, format!("{}anonymous: true\n", moved(name, &service.url())))]).await;
    house.put(&format!("{name}/token"), &canary::plant(name)).await;
    house
}

/// Puts the rules and capabilities of anybody in force.
fn enforce(house: &House, name: &str, allow: &str, deny: Option<&str>) {
    let entry = |said: &str| format!("- integration: {name}\n  callers: [{{{said}}}]\n");
    let (allow, deny) = (entry(allow), deny.map(entry));
    let mut files = vec![File { side: Side::Allow, name: "allowlist.yaml", text: &allow }];
    files.extend(deny.as_ref().map(|text| File { side: Side::Deny, name: "denylist.yaml", text }));
    house.broker.replace_lists(read_lists(&house.broker.catalog(), &files).unwrap());
}

fn told() -> Service {
    Service::saying("{\"said\": \"hello\"}")
}

fn send(method: &str, target: &str, kind: &str, body: &'static str) -> Ask {
    let ask = Ask::request(method, target);
    if body.is_empty() { ask } else { ask.header("content-type", kind).body(Body::full(body)) }
}

/// Each of them stands against making an issue.
const ABOUT_ISSUES: [&str; 3] = [
    "forbid (principal, action == Doorward::Action::\"github/issues.create\", resource);",
    "forbid (principal, action in Doorward::Action::\"write\", resource) when { resource.name == \"repo:o/r\" };",
    "@approval(\"required\") permit (principal, action == Doorward::Action::\"github/issues.create\", resource);",
];
const EVERYTHING: &str = "capabilities: [{name: dangerously_allow_full_access}]";
const ANY_PATH: &str = "rules: [{path: /**, methods: {GET: {}, POST: {}, PUT: {}}}]";

#[tokio::test]
async fn a_rule_of_the_users_own_lets_pass_what_cannot_be_read_as_an_operation() {
    let asked = [
        ("github", "POST", "/repos/o/r/issues", FORM, "{\"title\":\"written as curl writes it\"}"),
        ("github", "POST", "/repos/o/r/issues", "application/json", "{\"title\":\"twice\",\"title\":\"x\"}"),
        ("gitlab", "PUT", "/projects/4/issues/85?state_event=close", "", ""),
        ("gitlab", "POST", "/projects/4/issues", FORM, "title=hello&labels=a"),
        ("zendesk", "GET", "/api/v2/tickets/recent", "", ""),
        ("twilio", "POST", "/2010-04-01/Accounts/AC1/Messages.json", FORM, "To=%2B1&From=%2B2&Body=a&Body=b"),
        ("stripe", "POST", "/v1/refunds", FORM, "charge=ch_1&reason=duplicate&reason=fraudulent"),
        ("slack", "POST", "/api/chat.postMessage?channel=C1&text=hello", "", ""),
        ("asana", "POST", "/tasks", FORM, "name=hello&workspace=1"),
    ];
    for (name, method, target, kind, body) in asked {
        let service = told();
        let house = open(name, &service).await;
        for list in [EVERYTHING, ANY_PATH] {
            enforce(&house, name, list, None);
            let got = house.got(send(method, target, kind, body).on(name)).await;
            let got = got.unwrap_or_else(|refusal| panic!("{name} {target}: {refusal:?}"));
            let entry = house.settled(got.id).await;
            let evidence::What::Call(intent) = &entry.what else { panic!("{entry:?}") };
            assert_eq!(intent.deed.resource.to_string(), "*", "{name}");
            assert_eq!(intent.deed.operation.as_str(), "unknown", "{name}");
        }
        let seen = service.seen();
        assert_eq!(seen.len(), 2, "{name}");
        assert_eq!(seen[0].body, body.as_bytes(), "what was matched is what is sent");
        house.spotless();
    }
}

#[tokio::test]
async fn what_is_allowed_by_its_operation_still_has_to_be_readable_as_it() {
    let service = told();
    let house = open("github", &service).await;
    let issue = || send("POST", "/repos/o/r/issues", FORM, "{\"title\":\"hello\"}").on("github");
    enforce(&house, "github", "capabilities: [{name: create_issue, params: {repo: o/r}}]", None);
    let refusal = house.refused(issue()).await;
    is(&refusal, Code::BadRequest);
    assert_eq!(refusal.message, "the body has a content type that this operation does not take");
    enforce(&house, "github", "rules: [{path: /repos/o/other/**, methods: {POST: {}}}]", None);
    is(&house.refused(issue()).await, Code::BadRequest);
    // A capability is for operations, whatever a list says.
    enforce(&house, "github", EVERYTHING, None);
    let pass = house.capability(&[("integrations", "github")]).await;
    is(&house.refused(issue().with(&pass)).await, Code::BadRequest);
    house.got(issue()).await.unwrap();
    assert_eq!(service.seen().len(), 1);
}

#[tokio::test]
async fn the_denylist_sees_the_request_however_it_is_written() {
    let service = told();
    let house = open("github", &service).await;
    let denied = "rules: [{path: /repos/*/*/issues, methods: {POST: {body: {title: evil}}}}]";
    enforce(&house, "github", EVERYTHING, Some(denied));
    for (kind, body) in [(FORM, "title=evil"), ("text/plain", "{\"title\":\"good\"}")] {
        let refusal = house.refused(send("POST", "/repos/o/r/issues", kind, body).on("github")).await;
        is(&refusal, Code::Denied);
        assert_eq!(refusal.reason.as_deref(), Some("denylist matched caller * POST /repos/*/*/issues"));
    }
    house.got(send("POST", "/repos/o/r/issues", FORM, "title=good").on("github")).await.unwrap();
    assert_eq!(service.seen().len(), 1);
}

#[tokio::test]
async fn a_policy_on_the_operation_is_not_escaped_by_a_request_that_cannot_be_read() {
    for policy in ABOUT_ISSUES {
        let service = told();
        let house = open("github", &service).await;
        enforce(&house, "github", EVERYTHING, None);
        let put = Ask::named("doorward", "policy.put", &[("name", "p")]).payload(policy);
        house.answer(put).await.unwrap();
        let json = "application/json";
        let issue = |kind| send("POST", "/repos/o/r/issues", kind, "{\"title\":\"hello\"}").on("github");
        let known = house.refused(issue(json)).await;
        assert!(matches!(known.code, Code::Denied | Code::ApprovalRequired), "{known:?}");
        is(&house.refused(issue(FORM)).await, Code::BadRequest);
        is(&house.refused(issue(json).header("content-encoding", "br")).await, Code::BadRequest);
        assert!(service.seen().is_empty(), "{policy}");
        // Of another operation nothing is said by the policies that name this one.
        let close = house.got(send("PATCH", "/repos/o/r/issues/1", FORM, "state=closed").on("github")).await;
        assert_eq!(close.is_ok(), policy.contains("issues.create"), "{policy}");
    }
}

#[tokio::test]
async fn a_compressed_body_passes_by_a_rule_that_does_not_look_into_it() {
    let service = told();
    let house = open("github", &service).await;
    let packed = || {
        send("POST", "/repos/o/r/issues", "application/json", "packed")
            .header("content-encoding", "br")
            .on("github")
    };
    enforce(&house, "github", ANY_PATH, None);
    house.got(packed()).await.unwrap();
    assert_eq!(service.seen()[0].body, b"packed");
    enforce(
        &house,
        "github",
        ANY_PATH,
        Some("rules: [{path: /repos/**, methods: {POST: {body: {title: evil}}}}]"),
    );
    is(&house.refused(packed()).await, Code::BadRequest);
    assert_eq!(service.seen().len(), 1);
}

#[tokio::test]
async fn a_sender_that_a_capability_is_bound_to_is_not_said_another_time() {
    let service = told();
    let house = open("sendgrid", &service).await;
    enforce(
        &house,
        "sendgrid",
        "capabilities: [{name: send_email, params: {from: a@example.com, replyTo: r@example.com}}]",
        None,
    );
    let mail = |body| send("POST", "/v3/mail/send", "application/json", body).on("sendgrid");
    for body in [
        r#"{"from":{"email":"a@example.com"},"reply_to":{"email":"r@example.com"},"personalizations":[{"from":{"email":"ceo@example.com"}}]}"#,
        r#"{"from":{"email":"a@example.com"},"reply_to":{"email":"r@example.com"},"personalizations":[{},{"reply_to":{"email":"x@example.com"}}]}"#,
        r#"{"from":{"email":"a@example.com"},"reply_to":{"email":"r@example.com"},"reply_to_list":[{"email":"x@example.com"}]}"#,
        r#"{"from":{"email":"a@example.com"},"reply_to":{"email":"r@example.com"},"Reply_To_List":[{"email":"x@example.com"}]}"#,
    ] {
        let refusal = house.refused(mail(body)).await;
        is(&refusal, Code::BadRequest);
        assert!(refusal.message.contains("in place of the input"), "{refusal:?}");
    }
    let plain = r#"{"from":{"email":"a@example.com"},"reply_to":{"email":"r@example.com"},"personalizations":[{"to":[{"email":"t@example.com"}],"from":null}]}"#;
    house.got(mail(plain)).await.unwrap();
    let elsewhere = house.refused(mail(plain).header("on-behalf-of", "subuser")).await;
    is(&elsewhere, Code::BadRequest);
    assert_eq!(service.seen().len(), 1);
    house.spotless();
}

#[tokio::test]
async fn whoever_may_comment_does_not_do_it_as_another_user() {
    let service = told();
    let house = open("gitlab", &service).await;
    enforce(&house, "gitlab", "capabilities: [{name: comment, params: {project: '4'}}]", None);
    let note = |body| send("POST", "/projects/4/issues/1/notes", "application/json", body).on("gitlab");
    is(&house.refused(note(r#"{"body":"hello","sudo":"root"}"#)).await, Code::BadRequest);
    is(&house.refused(note(r#"{"body":"hello"}"#).header("sudo", "root")).await, Code::BadRequest);
    let in_the_query =
        send("POST", "/projects/4/issues/1/notes?sudo=root", "application/json", r#"{"body":"hello"}"#);
    is(&house.refused(in_the_query.on("gitlab")).await, Code::Denied);
    house.got(note(r#"{"body":"hello"}"#)).await.unwrap();
    // A rule of the user's own is about the request as it is.
    enforce(&house, "gitlab", EVERYTHING, None);
    house.got(note(r#"{"body":"hello"}"#).header("sudo", "root")).await.unwrap();
    let seen = service.seen();
    assert_eq!((seen.len(), seen[1].all("sudo")), (2, vec!["root"]));
    house.spotless();
}

#[tokio::test]
async fn what_is_disabled_is_not_enabled_by_a_request_that_cannot_be_read() {
    let service = told();
    let text =
        format!("{}anonymous: true\n", moved("grafana", &service.url()).replace("enable: ['*']\n", ""));
    let house = House::start(&[("grafana", text)]).await;
    house.put("grafana/token", &canary::plant("grafana")).await;
    enforce(&house, "grafana", EVERYTHING, None);
    let json = "application/json";
    let save = |kind, body| send("POST", "/api/dashboards/db", kind, body).on("grafana");
    for ask in [
        save(json, r#"{"dashboard":{}}"#),
        save(FORM, "dashboard=x"),
        save(json, r#"{"dashboard":{},"dashboard":{}}"#),
        save(json, "packed").header("content-encoding", "br"),
    ] {
        is(&house.refused(ask).await, Code::Denied);
    }
    assert!(service.seen().is_empty());
}

#[tokio::test]
async fn a_word_more_in_the_request_takes_no_operation_out_of_a_policys_sight() {
    for policy in ABOUT_ISSUES {
        let service = told();
        let house = open("github", &service).await;
        let pass = house.capability(&[("integrations", "github")]).await;
        let put = Ask::named("doorward", "policy.put", &[("name", "p")]).payload(policy);
        house.answer(put).await.unwrap();
        let issue = |target| {
            send("POST", target, "application/json", "{\"title\":\"hello\"}").on("github").with(&pass)
        };
        let known = house.refused(issue("/repos/o/r/issues")).await;
        assert!(matches!(known.code, Code::Denied | Code::ApprovalRequired), "{known:?}");
        for written in [
            "/repos/o/r/issues?undescribed=1",
            "/repos/o/r/Issues",
            "/repos/o/r/issues/",
            "/repos/o/r/issue%53",
        ] {
            let refusal = house.refused(issue(written)).await;
            is(&refusal, Code::Denied);
            assert!(refusal.message.contains("`github/issues.create`"), "{refusal:?}");
        }
        assert!(service.seen().is_empty(), "{policy}");
        // What nobody speaks of may say more than is described.
        house.got(Ask::get("/repos/o/r/issues?undescribed=1").on("github").with(&pass)).await.unwrap();
    }
}

#[tokio::test]
async fn a_word_more_in_the_request_breaks_no_glass() {
    let service = told();
    let house = open("kubernetes", &service).await;
    let pass = house.capability(&[("integrations", "kubernetes")]).await;
    let named = "/api/v1/namespaces/prod/configmaps/settings";
    let patch = |method, target: &str| {
        send(method, target, "application/merge-patch+json", "{}").on("kubernetes").with(&pass)
    };
    for (method, more) in
        [("PATCH", ""), ("PATCH", "?undescribed=1"), ("PATCH", "/"), ("PATCH", "/status"), ("PUT", "")]
    {
        let refusal = house.refused(patch(method, &format!("{named}{more}"))).await;
        assert!(matches!(refusal.code, Code::Denied | Code::BadRequest), "{method} {more}: {refusal:?}");
    }
    assert!(service.seen().is_empty());
    house.got(Ask::get("/apis/example.com/v1/things/a/status").on("kubernetes").with(&pass)).await.unwrap();
    house.manage("role.grant", &[("principal", "agent"), ("role", "break-glass")]).await.unwrap();
    house.got(patch("PUT", named).breaking_glass()).await.unwrap();
    house.got(patch("PATCH", &format!("{named}?undescribed=1")).breaking_glass()).await.unwrap();
    assert_eq!(service.seen().len(), 3);
    house.spotless();
}
