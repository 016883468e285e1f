//! Where credentials come from, and what happens where there is none.

use model::Code;
use testkit::canary;

use crate::asking::Ask;
use crate::house::{House, described, is, write};
use crate::service::Service;

#[tokio::test]
async fn a_missing_secret_is_named_with_the_command_that_stores_it() {
    let service = Service::saying("{}");
    let house = House::start(&[("house", crate::house::plain(&service.url()))]).await;
    let once = house.capability(&[("integrations", "house"), ("uses", "1")]).await;
    let refusal = house.refused(Ask::get("/a").with(&once)).await;
    is(&refusal, Code::SecretMissing);
    assert_eq!(refusal.code.http_status(), 503);
    assert!(refusal.message.contains("store:house/token"), "{refusal:?}");
    assert!(refusal.hint.as_deref().is_some_and(|hint| hint.contains("doorward secret put")), "{refusal:?}");
    assert!(service.seen().is_empty());
    // Nothing was sent, so the one use is still there.
    house.put("house/token", &canary::plant("late")).await;
    house.got(Ask::get("/a").with(&once)).await.unwrap();
}

#[tokio::test]
async fn a_rotated_secret_is_used_at_once_and_a_forgotten_one_never_again() {
    let service = Service::saying("{}");
    let (first, second) = (canary::plant("first"), canary::plant("second"));
    let house = House::at(&service.url(), &first).await;
    let pass = house.pass().await;
    house.got(Ask::get("/a").with(&pass)).await.unwrap();
    let rotate = Ask::named("doorward", "secret.rotate", &[("name", "house/token"), ("overlap", "1h")]);
    let (_, answer) = house.answer(rotate.payload(second.clone())).await.unwrap();
    assert_eq!(answer["version"], 2);
    house.got(Ask::get("/a").with(&pass)).await.unwrap();
    let sent: Vec<_> = service.seen().iter().map(|seen| seen.all("authorization")[0].to_owned()).collect();
    assert_eq!(sent, [format!("Bearer {first}"), format!("Bearer {second}")]);
    house.manage("secret.forget", &[("name", "house/token")]).await.unwrap();
    is(&house.refused(Ask::get("/a").with(&pass)).await, Code::SecretMissing);
    let again = Ask::named("doorward", "secret.put", &[("name", "house/token")]).payload("short");
    let refusal = house.refused(again).await;
    is(&refusal, Code::BadRequest);
    assert!(!format!("{refusal:?}").contains("`short`"), "{refusal:?}");
    assert_eq!(service.seen().len(), 2);
    house.spotless();
}

#[tokio::test]
async fn a_secret_of_the_environment_is_lent_and_one_of_doorwards_own_is_not() {
    let service = Service::saying("{}");
    for (variable, lent) in [("PATH", true), ("DOORWARD_PASSPHRASE", false), ("NOT_THERE_AT_ALL", false)] {
        let secrets = format!("token: \"env:{variable}\"");
        let text = described(&service.url(), &secrets, "{scheme: bearer, secret: token}", "");
        let house = House::start(&[("house", text)]).await;
        let result = house.got(Ask::get("/a").with(&house.pass().await)).await;
        assert_eq!(result.is_ok(), lent, "{variable}: {result:?}");
    }
    let seen = service.seen();
    assert_eq!(seen.len(), 1);
    #[expect(clippy::disallowed_methods, reason = "a test looks at what was lent")]
    let path = std::env::var("PATH").unwrap();
    assert_eq!(seen[0].all("authorization"), [format!("Bearer {path}")]);
}

#[tokio::test]
async fn a_secret_of_a_file_is_lent_read_again_when_it_changes_and_never_one_of_the_home() {
    let service = Service::saying("{}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.env");
    let (first, second) = (canary::plant("file"), canary::plant("file-again"));
    write(&path, &format!("OTHER=x\nTOKEN={first}\n"));
    let secrets = format!("token: \"file:{}#TOKEN\"", path.display());
    let text = described(&service.url(), &secrets, "{scheme: bearer, secret: token}", "");
    let house = House::start(&[("house", text)]).await;
    let pass = house.pass().await;
    house.got(Ask::get("/a").with(&pass)).await.unwrap();
    write(&path, &format!("TOKEN={second}\n"));
    house.clock.advance(std::time::Duration::from_secs(2));
    house.got(Ask::get("/a").with(&pass)).await.unwrap();
    let sent: Vec<_> = service.seen().iter().map(|seen| seen.all("authorization")[0].to_owned()).collect();
    assert_eq!(sent, [format!("Bearer {first}"), format!("Bearer {second}")]);
    let key = house.folder.path().join("key");
    let secrets = format!("token: \"file:{}\"", key.display());
    let text = described(&service.url(), &secrets, "{scheme: bearer, secret: token}", "");
    write(&crate::house::layer(&house).join("house.yaml"), &text);
    let broker = house.broker.clone();
    tokio::task::spawn_blocking(move || broker.reload()).await.unwrap().unwrap();
    is(&house.refused(Ask::get("/a").with(&pass)).await, Code::SourceUnavailable);
    assert_eq!(service.seen().len(), 2);
    house.spotless();
}

#[tokio::test]
async fn a_secret_that_no_header_can_carry_is_refused_without_being_shown() {
    let service = Service::saying("{}");
    let house = House::at(&service.url(), "xoxb-CANARY-line").await;
    let rotate = Ask::named("doorward", "secret.rotate", &[("name", "house/token")]);
    let refusal = house.refused(rotate.payload("xoxb-CANARY-line\nbreak")).await;
    is(&refusal, Code::BadRequest);
    assert!(!format!("{refusal:?}").contains("CANARY") && service.seen().is_empty());
}
