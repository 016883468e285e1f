//! Capabilities that do not hold: over, revoked, changed, of somebody else.

use std::time::Duration;

use model::{CapabilityId, Code, Door, GrantId, TenantName, Timestamp};
use policy::{Caveat, List, Token, mint};
use testkit::canary;

use crate::asking::Ask;
use crate::house::{House, OWNER, is};
use crate::service::Service;

async fn served(name: &str) -> (Service, House) {
    let service = Service::saying("{}");
    let house = House::at(&service.url(), &canary::plant(name)).await;
    (service, house)
}

#[tokio::test]
async fn a_capability_ends_when_it_says() {
    let (service, house) = served("expired").await;
    let short = house.capability(&[("integrations", "house"), ("expires", "15m")]).await;
    house.got(Ask::get("/a").with(&short)).await.unwrap();
    house.clock.advance(Duration::from_secs(16 * 60));
    let refusal = house.refused(Ask::get("/a").with(&short)).await;
    is(&refusal, Code::Expired);
    assert!(house.refusal(&refusal).await.rule.is_some_and(|rule| rule.starts_with("grt_")));
    assert_eq!(service.seen().len(), 1);
}

#[tokio::test]
async fn a_revoked_grant_and_a_revoked_narrowing_are_over_at_once_and_stay_so() {
    let (service, house) = served("revoked").await;
    let (pass, grant) = house.granted(&[("integrations", "house")]).await;
    let id = CapabilityId::from_bytes([7; 16]);
    let reads = Caveat::Access(model::Access::Read);
    let narrowed = Token::parse(&pass).unwrap().narrow(&[reads], id).unwrap().expose(ToOwned::to_owned);
    house.got(Ask::get("/a").with(&narrowed)).await.unwrap();
    is(&house.refused(Ask::post("/a", "x").with(&narrowed)).await, Code::Denied);
    house.manage("capability.revoke", &[("id", &id.to_string())]).await.unwrap();
    is(&house.refused(Ask::get("/a").with(&narrowed)).await, Code::Revoked);
    house.got(Ask::get("/a").with(&pass)).await.unwrap();
    house.manage("capability.revoke", &[("id", &grant)]).await.unwrap();
    is(&house.refused(Ask::get("/a").with(&pass)).await, Code::Revoked);
    let broker = house.broker.clone();
    tokio::task::spawn_blocking(move || broker.reload()).await.unwrap().unwrap();
    is(&house.refused(Ask::get("/a").with(&pass)).await, Code::Revoked);
    is(&house.refused(Ask::get("/a").with(&narrowed)).await, Code::Revoked);
    let listed = house.manage("capability.list", &[("holder", "agent")]).await.unwrap();
    assert_eq!(listed["grants"][0]["state"], "revoked");
    let unknown = Ask::named("doorward", "capability.revoke", &[("id", "grt_01j00000000000000000000000")]);
    is(&house.refused(unknown).await, Code::NotFound);
    assert_eq!(service.seen().len(), 2);
}

#[tokio::test]
async fn a_capability_that_was_changed_anywhere_proves_nothing() {
    let (service, house) = served("tampered").await;
    let pass = house.pass().await;
    let mut refused = 0;
    for at in (5..pass.len()).step_by(7) {
        let mut changed = pass.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        if changed != pass {
            is(&house.refused(Ask::get("/a").with(&changed)).await, Code::Unauthenticated);
            refused += 1;
        }
    }
    for text in ["cap1_", "cap1_x", "cap2_abc", "Bearer", &pass[..pass.len() - 1], &format!("{pass}x")] {
        is(&house.refused(Ask::get("/a").with(text)).await, Code::Unauthenticated);
    }
    assert!(refused > 10 && service.seen().is_empty());
}

#[tokio::test]
async fn a_capability_of_another_root_tenant_or_grant_is_not_one_of_this_house() {
    let (service, house) = served("foreign").await;
    let (other, grant) = (crypto_root(), GrantId::from_bytes([1; 16]));
    let everything = [Caveat::NotAfter(Timestamp::from_millis(u64::MAX / 2))];
    let mut messages = Vec::new();
    for tenant in ["local", "acme"] {
        let tenant: TenantName = tenant.parse().unwrap();
        let forged = mint(&other, &tenant, grant, &everything, CapabilityId::from_bytes([2; 16])).unwrap();
        let refusal = house.refused(Ask::get("/a").with(&forged.expose(ToOwned::to_owned))).await;
        is(&refusal, Code::Unauthenticated);
        messages.push(refusal.message);
    }
    assert_eq!(messages[0], messages[1], "which tenants there are is nobody's business");
    // The root of another home, whose grant has the same tenant.
    let (_service, elsewhere) = served("elsewhere").await;
    is(&house.refused(Ask::get("/a").with(&elsewhere.pass().await)).await, Code::Unauthenticated);
    assert!(service.seen().is_empty());
}

fn crypto_root() -> crypto::MacKey {
    crypto::MacKey::generate().unwrap()
}

#[tokio::test]
async fn the_caveats_of_a_capability_hold_at_every_door() {
    let (service, house) = served("caveats").await;
    for (word, value, within, beyond) in [
        ("operations", "house/look", Ask::get("/a"), Ask::post("/a", "x")),
        ("methods", "GET", Ask::get("/a"), Ask::post("/a", "x")),
        ("paths", "/a", Ask::get("/a/b"), Ask::get("/ab")),
        ("cidr", "203.0.113.0/24", Ask::get("/a"), from("198.51.100.1")),
        ("hosts", "127.0.0.1", Ask::get("/a"), Ask::get("/a").on("slack")),
        ("access", "read", Ask::get("/a"), Ask::request("DELETE", "/a")),
    ] {
        let capability = house.capability(&[(word, value)]).await;
        house.got(within.with(&capability)).await.unwrap();
        is(&house.refused(beyond.with(&capability)).await, Code::Denied);
    }
    for (word, value) in [("environment", "production"), ("purpose", "ticket-1"), ("holder", "uid=1")] {
        let capability = house.capability(&[("integrations", "house"), (word, value)]).await;
        is(&house.refused(Ask::get("/a").with(&capability)).await, Code::Denied);
    }
    let held = house.capability(&[("integrations", "house"), ("holder", &format!("uid={OWNER}"))]).await;
    let at_socket = Ask::named("house", "look", &[("path", "a")]).with(&held);
    house.ask(at_socket).await.unwrap();
    is(&house.refused(Ask::get("/a").with(&held)).await, Code::Denied);
    assert_eq!(service.seen().len(), 7);
}

fn from(address: &str) -> Ask {
    let mut ask = Ask::get("/a");
    ask.facts.address = Some(address.parse().unwrap());
    ask
}

#[tokio::test]
async fn a_capability_takes_away_from_the_owner_and_gives_no_management() {
    let (_service, house) = served("owner").await;
    let pass = house.capability(&[("for", "owner")]).await;
    for door in [Door::Socket, Door::Cli] {
        // The kernel would prove the owner; what is presented counts.
        let ask = Ask::named("doorward", "secret.list", &[]).through(door).with(&pass);
        is(&house.refused(ask).await, Code::Denied);
    }
}

#[tokio::test]
async fn a_forbid_denies_the_holder_of_a_capability_and_is_named_in_the_record() {
    let (service, house) = served("forbid").await;
    let pass = house.pass().await;
    house.got(Ask::post("/a", "x").with(&pass)).await.unwrap();
    let text =
        "@id(\"no-writes\") forbid (principal, action == Doorward::Action::\"house/change\", resource);";
    let put = Ask::named("doorward", "policy.put", &[("name", "freeze")]).payload(text);
    house.answer(put).await.unwrap();
    let refusal = house.refused(Ask::post("/a", "x").with(&pass)).await;
    is(&refusal, Code::Denied);
    assert_eq!(house.refusal(&refusal).await.rule.as_deref(), Some("no-writes"));
    house.got(Ask::get("/a").with(&pass)).await.unwrap();
    house.manage("policy.forget", &[("name", "freeze")]).await.unwrap();
    house.got(Ask::post("/a", "x").with(&pass)).await.unwrap();
    assert_eq!(service.seen().len(), 3);
}

#[tokio::test]
async fn what_nobody_described_is_a_write_that_a_narrow_capability_does_not_reach() {
    let (service, house) = served("unknown").await;
    let named = house.capability(&[("operations", "house/look,house/change")]).await;
    is(&house.refused(Ask::request("DELETE", "/a").with(&named)).await, Code::Denied);
    is(&house.refused(Ask::get("/a?q=1").with(&named)).await, Code::Denied);
    let all = house.pass().await;
    let got = house.got(Ask::request("DELETE", "/a").with(&all)).await.unwrap();
    let evidence::What::Call(intent) = house.settled(got.id).await.what else { panic!() };
    assert_eq!((intent.deed.operation.as_str(), intent.deed.access), ("unknown", model::Access::Write));
    assert_eq!(service.seen().len(), 1);
}

#[tokio::test]
async fn in_development_mode_loopback_needs_no_capability_and_nobody_else_is_let_in() {
    let service = Service::saying("{}");
    let files = vec![("house".to_owned(), crate::house::plain(&service.url()))];
    let house = House::opened(files, |settings| settings.development = true).await;
    house.put("house/token", &canary::plant("development")).await;
    for address in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
        house.got(from(address)).await.unwrap();
    }
    is(&house.refused(from("198.51.100.1")).await, Code::Unauthenticated);
    // What is presented counts, even where nothing would be asked for.
    is(&house.refused(from("127.0.0.1").with("cap1_x")).await, Code::Unauthenticated);
    let status = house.manage("broker.status", &[]).await.unwrap();
    assert!(status["warnings"].to_string().contains("development mode"), "{status}");
    assert_eq!(service.seen().len(), 3);
}

#[tokio::test]
async fn an_empty_list_in_a_caveat_is_refused_rather_than_read_as_everything() {
    let (_service, house) = served("empty").await;
    for words in
        [[("operations", "")], [("integrations", ",")], [("uses", "0")], [("operations", "house/nothing")]]
    {
        let words: Vec<_> = [("for", "agent")].into_iter().chain(words).collect();
        let refusal = house.refused(Ask::named("doorward", "capability.request", &words)).await;
        assert!(matches!(refusal.code, Code::BadRequest | Code::NotFound), "{refusal:?}");
    }
    assert!(List::<policy::OperationPattern>::new(Vec::new()).is_err());
}
