//! The allowlist and the denylist, through the whole path to a service that records what came.

use broker::read_lists;
use evidence::What;
use model::Code;
use net::Body;
use policy::lists::{File, Side};
use testkit::canary;

use crate::asking::Ask;
use crate::house::{House, is, write};
use crate::service::Service;

async fn house(service: &Service, plant: &str) -> House {
    House::at(&service.url(), &canary::plant(plant)).await
}

fn told() -> Service {
    Service::saying("{\"said\": \"hello\"}")
}

/// Puts lists in force: rules of the integration `house` for anybody.
fn enforce(house: &House, lists: &[(Side, &str)]) {
    let text = |rules: &str| format!("- integration: house\n  callers: [{{rules: [{rules}]}}]\n");
    let texts: Vec<_> = lists.iter().map(|(side, rules)| (*side, text(rules))).collect();
    let files: Vec<File<'_>> = texts
        .iter()
        .map(|(side, text)| File {
            side: *side,
            name: if *side == Side::Deny { "denylist.yaml" } else { "allowlist.yaml" },
            text,
        })
        .collect();
    house.broker.replace_lists(read_lists(&house.broker.catalog(), &files).unwrap());
}

fn json(body: &'static str) -> Ask {
    Ask::post("/post", body).header("content-type", "application/json")
}

#[tokio::test]
async fn what_the_denylist_denies_is_denied_to_the_holder_of_a_capability_and_on_record() {
    let service = told();
    let house = house(&service, "denied").await;
    let pass = house.pass().await;
    enforce(&house, &[(Side::Deny, "{path: /admin/**, methods: {GET: {}}}")]);
    let refusal = house.refused(Ask::get("/ADMIN/x").with(&pass)).await;
    is(&refusal, Code::Denied);
    assert_eq!(refusal.message, "a rule of the denylist denies `house/look`");
    assert_eq!(refusal.reason.as_deref(), Some("denylist matched caller * GET /admin/**"));
    assert_eq!(house.refusal(&refusal).await.rule.as_deref(), Some("denylist.yaml:2"));
    assert!(house.got(Ask::get("/other").with(&pass)).await.is_ok());
    assert_eq!(service.seen().len(), 1, "nothing was sent for what was denied");
    house.spotless();
}

#[tokio::test]
async fn a_rule_about_a_body_sees_the_bytes_that_are_sent_and_they_are_sent_unchanged() {
    let service = told();
    let house = house(&service, "body").await;
    let pass = house.pass().await;
    enforce(&house, &[(Side::Deny, "{path: /post, methods: {POST: {body: {to: evil}}}}")]);
    for body in [
        r#"{"to":"evil"}"#,
        r#"{"to":"good","to":"evil"}"#,
        r#"{"to":"\u0065vil"}"#,
        "not json",
        r#"{"to":["evil"]}"#,
    ] {
        is(&house.refused(json(body).with(&pass)).await, Code::Denied);
    }
    let other = Ask::post("/post", r#"{"to":"good"}"#).header("content-type", "text/plain").with(&pass);
    is(&house.refused(other).await, Code::Denied);
    let packed = json(r#"{"to":"good"}"#).header("content-encoding", "gzip").with(&pass);
    is(&house.refused(packed).await, Code::BadRequest);
    let spaced = "{ \"to\" : \"good\" ,\n\"n\":12345678901234567890 }";
    house.got(json(spaced).with(&pass)).await.unwrap();
    let seen = service.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].body, spaced.as_bytes());
    house.spotless();
}

#[tokio::test]
async fn a_body_that_is_too_large_to_look_into_is_refused_where_a_rule_wants_to_and_nowhere_else() {
    let service = told();
    let house = house(&service, "large").await;
    let pass = house.pass().await;
    enforce(&house, &[(Side::Deny, "{path: /post, methods: {POST: {body: {to: evil}}}}")]);
    let large = || {
        let filler = "x".repeat(9 << 20);
        Body::full(format!("{{\"to\":\"good\",\"filler\":\"{filler}\"}}"))
    };
    let ask =
        |path: &str| Ask::request("POST", path).body(large()).header("content-type", "application/json");
    is(&house.refused(ask("/post").with(&pass)).await, Code::TooLarge);
    assert!(service.seen().is_empty());
    house.spotless();
}

#[tokio::test]
async fn a_denylist_that_observes_lets_pass_and_leaves_a_mark_in_the_evidence() {
    let service = told();
    let house = house(&service, "observed").await;
    let pass = house.pass().await;
    let text =
        "- integration: house\n  mode: observe\n  callers: [{rules: [{path: /a, methods: {GET: {}}}]}]\n";
    let file = File { side: Side::Deny, name: "denylist.yaml", text };
    house.broker.replace_lists(read_lists(&house.broker.catalog(), &[file]).unwrap());
    let got = house.got(Ask::get("/a").with(&pass)).await.unwrap();
    let entry = house.settled(got.id).await;
    let outcome = entry.outcome.unwrap();
    assert!(
        outcome.fields.contains(&("rule_observed".to_owned(), "denylist.yaml:3".to_owned())),
        "{outcome:?}"
    );
    assert!(matches!(entry.what, What::Call(_)));
}

#[tokio::test]
async fn a_rule_for_one_caller_is_found_by_the_name_of_the_principal() {
    let service = told();
    let house = house(&service, "named").await;
    let pass = house.pass().await;
    let text = "- integration: house\n  callers: [{id: agent, rules: [{path: /a, methods: {GET: {}}}]}, {id: other, rules: [{path: /b, methods: {GET: {}}}]}]\n";
    let file = File { side: Side::Deny, name: "denylist.yaml", text };
    house.broker.replace_lists(read_lists(&house.broker.catalog(), &[file]).unwrap());
    let refusal = house.refused(Ask::get("/a").with(&pass)).await;
    assert_eq!(refusal.reason.as_deref(), Some("denylist matched caller agent GET /a"));
    assert!(house.got(Ask::get("/b").with(&pass)).await.is_ok());
}

#[tokio::test]
async fn an_allowlist_proves_nobody_by_itself() {
    let service = told();
    let house = house(&service, "nobody").await;
    enforce(&house, &[(Side::Allow, "{path: /**, methods: {GET: {}}}")]);
    is(&house.refused(Ask::get("/a")).await, Code::Unauthenticated);
    assert!(service.seen().is_empty());
}

#[tokio::test]
async fn the_lists_of_the_home_are_read_again_with_everything_else_or_not_at_all() {
    let service = told();
    let house = house(&service, "reload").await;
    let pass = house.pass().await;
    let folder = house.folder.path().join("lists");
    store::files::private_folder(&folder).unwrap();
    let put = |text: &str| write(&folder.join("denylist.yaml"), text);
    put("- integration: house\n  callers: [{rules: [{path: /a, methods: {GET: {}}}]}]\n");
    house.broker.reload().unwrap();
    is(&house.refused(Ask::get("/a").with(&pass)).await, Code::Denied);
    put("- integration: hose\n  callers: [{rules: [{path: /b, methods: {GET: {}}}]}]\n");
    let refusal = house.broker.reload().unwrap_err();
    assert_eq!(refusal.message, "denylist.yaml:1: there is no integration `hose`");
    assert_eq!(refusal.hint.as_deref(), Some("did you mean `house`?"));
    is(&house.refused(Ask::get("/a").with(&pass)).await, Code::Denied);
    put("");
    house.broker.reload().unwrap();
    assert!(house.got(Ask::get("/a").with(&pass)).await.is_ok());
}

/// The integration `house`, which asks nobody who they are.
async fn open_house(service: &Service, plant: &str) -> House {
    let text = format!("{}anonymous: true\n", crate::house::plain(&service.url()));
    let house = House::start(&[("house", text)]).await;
    house.put("house/token", &canary::plant(plant)).await;
    house
}

#[tokio::test]
async fn whoever_proves_nothing_may_do_what_the_allowlist_allows_and_nothing_else() {
    let service = told();
    let house = open_house(&service, "anonymous").await;
    let refusal = house.refused(Ask::get("/open/1")).await;
    is(&refusal, Code::Denied);
    assert_eq!(refusal.reason.as_deref(), Some("no allowlist match"), "nothing is open without a list");
    enforce(
        &house,
        &[
            (
                Side::Allow,
                "{path: /open/*, methods: {GET: {}}}, {path: /post, methods: {POST: {body: {to: good}}}}",
            ),
            (Side::Deny, "{path: /open/secret, methods: {GET: {}}}"),
        ],
    );
    let got = house.got(Ask::get("/open/1")).await.unwrap();
    let outcome = house.settled(got.id).await.outcome.unwrap();
    assert_eq!(outcome.fields[0], ("rule".to_owned(), "allowlist.yaml:2".to_owned()));
    house.got(json("{\"to\":\"good\"}")).await.unwrap();
    let reason = |refusal: model::Refusal| {
        is(&refusal, Code::Denied);
        refusal.reason.unwrap().into_string()
    };
    let refused = [
        (Ask::get("/other"), "no allowlist match"),
        (Ask::get("/open/a%2Fb"), "no allowlist match"),
        (Ask::get("/open/SECRET"), "denylist matched caller * GET /open/secret"),
        (Ask::request("HEAD", "/open/secret"), "denylist matched caller * HEAD /open/secret"),
        (json("{\"to\":\"evil\"}"), "body field to value mismatch"),
        (json("{\"to\":\"good\",\"to\":\"evil\"}"), "invalid json"),
        (Ask::post("/post", "{\"to\":\"good\"}"), "unsupported content type"),
    ];
    for (ask, expected) in refused {
        assert_eq!(reason(house.refused(ask).await), expected);
    }
    assert_eq!(service.seen().len(), 2);
    house.spotless();
}

#[tokio::test]
async fn a_call_that_waits_for_its_body_while_everything_is_read_again_sees_one_reading() {
    let (first, second) = (told(), told());
    let house = house(&first, "editions").await;
    let pass = house.pass().await;
    house.got(Ask::get("/warm").with(&pass)).await.unwrap();
    enforce(&house, &[(Side::Deny, "{path: /post, methods: {POST: {body: {to: evil}}}}")]);
    let (sender, body) = Body::channel(4);
    let ask = Ask::request("POST", "/post").header("content-type", "application/json").body(body);
    let again = async {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        // The second reading is of another service, and denies nothing.
        write(&crate::house::layer(&house).join("house.yaml"), &crate::house::plain(&second.url()));
        let broker = house.broker.clone();
        tokio::task::spawn_blocking(move || broker.reload()).await.unwrap().unwrap();
        sender.send("{\"to\":\"evil\"}".into()).await.unwrap();
        sender.finish(None).await.unwrap();
    };
    let (refusal, ()) = tokio::join!(house.refused(ask.with(&pass)), again);
    is(&refusal, Code::Denied);
    assert_eq!((first.seen().len(), second.seen().len()), (1, 0));
    house.got(json(r#"{"to":"evil"}"#).with(&pass)).await.unwrap();
    assert_eq!((first.seen().len(), second.seen().len()), (1, 1));
}
