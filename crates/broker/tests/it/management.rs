//! Doorward's own operations: what they keep, and what they never show.

use model::Code;
use serde_json::Value;
use testkit::canary;

use crate::asking::Ask;
use crate::house::{House, is, layer, plain};
use crate::service::Service;

#[tokio::test]
async fn no_answer_of_the_management_shows_a_secret_or_an_earlier_capability() {
    let upstream = testkit::Upstream::start();
    let house = House::at(&upstream.url(), upstream.canary()).await;
    let (pass, grant) = house.granted(&[("integrations", "house"), ("label", "tests")]).await;
    let got = house.got(Ask::get("/echo").with(&pass)).await.unwrap();
    house.settled(got.id).await;
    let id = got.id.to_string();
    let validate = Ask::named("doorward", "capability.validate", &[]).payload(pass.clone());
    let (_, valid) = house.answer(validate).await.unwrap();
    assert_eq!((&valid["valid"], &valid["grant"]), (&Value::Bool(true), &Value::String(grant.clone())));
    let mut answers = vec![valid];
    for (operation, inputs) in [
        ("secret.list", vec![]),
        ("capability.list", vec![]),
        ("integration.list", vec![]),
        ("integration.show", vec![("name", "house")]),
        ("policy.list", vec![]),
        ("policy.explain", vec![("for", "agent"), ("operation", "house/look")]),
        ("evidence.list", vec![]),
        ("evidence.show", vec![("id", id.as_str())]),
        ("evidence.verify", vec![]),
        ("evidence.export", vec![]),
        ("broker.status", vec![]),
        ("broker.metrics", vec![]),
        ("capability.revoke", vec![("id", grant.as_str())]),
        ("secret.forget", vec![("name", "house/token")]),
    ] {
        answers.push(house.manage(operation, &inputs).await.unwrap());
    }
    for answer in answers {
        canary::assert_absent(answer.to_string(), "an answer");
        assert!(!answer.to_string().contains("cap1_"), "{answer}");
    }
    house.spotless();
}

#[tokio::test]
async fn a_policy_that_does_not_compile_leaves_the_former_set_in_force_and_in_the_store() {
    let service = Service::saying("{}");
    let house = House::at(&service.url(), &canary::plant("policy")).await;
    let pass = house.pass().await;
    let put = |name: &'static str, text: &str| {
        Ask::named("doorward", "policy.put", &[("name", name)]).payload(text.to_owned())
    };
    let freeze =
        "@id(\"freeze\") forbid (principal, action == Doorward::Action::\"house/change\", resource);";
    house.answer(put("freeze", freeze)).await.unwrap();
    let before = house.manage("policy.list", &[]).await.unwrap();
    for wrong in [
        "forbid (principal, action",
        "permit (principal, action == Doorward::Action::\"house/nothing\", resource);",
        "permit (principal, action, resource) when { principal.colour == \"red\" };",
        freeze,
    ] {
        is(&house.refused(put("other", wrong)).await, Code::BadRequest);
    }
    is(&house.refused(put("freeze", "nonsense")).await, Code::BadRequest);
    let after = house.manage("policy.list", &[]).await.unwrap();
    assert_eq!((&before["version"], &before["policies"]), (&after["version"], &after["policies"]));
    is(&house.refused(Ask::post("/a", "x").with(&pass)).await, Code::Denied);
    let broker = house.broker.clone();
    tokio::task::spawn_blocking(move || broker.reload()).await.unwrap().unwrap();
    is(&house.refused(Ask::post("/a", "x").with(&pass)).await, Code::Denied);
    is(&house.refused(Ask::named("doorward", "policy.forget", &[("name", "other")])).await, Code::NotFound);
}

#[tokio::test]
async fn a_policy_counts_even_where_the_users_files_are_damaged_meanwhile() {
    let service = Service::saying("{}");
    let house = House::at(&service.url(), &canary::plant("layer")).await;
    let pass = house.pass().await;
    crate::house::write(&layer(&house).join("broken.yaml"), "name: broken\nno: such key\n");
    assert!(house.broker.reload().is_err());
    let freeze = "forbid (principal, action == Doorward::Action::\"house/change\", resource);";
    let put = Ask::named("doorward", "policy.put", &[("name", "freeze")]).payload(freeze);
    house.answer(put).await.unwrap();
    is(&house.refused(Ask::post("/a", "x").with(&pass)).await, Code::Denied);
    house.got(Ask::get("/a").with(&pass)).await.unwrap();
}

#[tokio::test]
async fn policies_that_are_written_at_the_same_time_are_all_in_force() {
    let service = Service::saying("{}");
    let house = std::sync::Arc::new(House::at(&service.url(), &canary::plant("at-once")).await);
    let writers: Vec<_> = (0..8)
        .map(|nth| {
            let house = std::sync::Arc::clone(&house);
            tokio::spawn(async move {
                let text = format!(
                    "@id(\"p{nth}\") forbid (principal in Doorward::Role::\"r{nth}\", action, resource);"
                );
                let name = format!("p{nth}");
                house
                    .answer(Ask::named("doorward", "policy.put", &[("name", &name)]).payload(text))
                    .await
                    .unwrap();
                house.granted(&[("integrations", "house")]).await
            })
        })
        .collect();
    let mut passes = Vec::new();
    for writer in writers {
        passes.push(writer.await.unwrap().0);
    }
    let listed = house.manage("policy.list", &[]).await.unwrap()["rules"].to_string();
    for (nth, pass) in passes.iter().enumerate() {
        assert!(listed.contains(&format!("\"p{nth}\"")), "{nth}: {listed}");
        house.got(Ask::get("/a").with(pass)).await.unwrap();
    }
}

#[tokio::test]
async fn a_file_that_breaks_the_catalogue_is_not_kept() {
    let service = Service::saying("{}");
    let house = House::at(&service.url(), &canary::plant("add")).await;
    let add = |name: &'static str, text: String| {
        Ask::named("doorward", "integration.add", &[("name", name)]).payload(text)
    };
    is(&house.refused(add("desk", plain("http://127.0.0.1:9"))).await, Code::BadRequest);
    is(&house.refused(add("doorward", plain("http://127.0.0.1:9"))).await, Code::BadRequest);
    is(&house.refused(add("house", plain("http://127.0.0.1:9"))).await, Code::Conflict);
    assert!(!layer(&house).join("desk.yaml").exists() && !layer(&house).join("doorward.yaml").exists());
    house.got(Ask::get("/a").with(&house.pass().await)).await.unwrap();
    assert_eq!(service.seen().len(), 1);
}

#[tokio::test]
async fn a_layer_that_cannot_be_looked_at_is_not_read_as_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("not-a-folder");
    crate::house::write(&file, "x");
    let house = House::start(&[]).await;
    let mut settings = house.broker.settings().clone();
    for (layer, opens) in [(file, false), (folder.path().join("nothing"), true)] {
        settings.layer = layer;
        let state: std::sync::Arc<dyn store::Storage> = house.state.clone();
        let stores = broker::Stores { evidence: house.disk.clone(), state };
        let opened =
            broker::Broker::open(stores, house.clock.clone(), settings.clone(), secrets::Setup::default());
        assert_eq!(opened.is_ok(), opens);
    }
}

#[tokio::test]
async fn a_policy_that_could_never_be_taken_back_takes_no_effect() {
    let service = Service::saying("{}");
    let house = House::at(&service.url(), &canary::plant("locked")).await;
    let put = |text: &str| Ask::named("doorward", "policy.put", &[("name", "lock")]).payload(text.to_owned());
    let locks = [
        "forbid (principal, action, resource);",
        r#"forbid (principal, action in Doorward::Action::"risk:high", resource);"#,
        r#"forbid (principal, action in Doorward::Action::"write", resource);"#,
        r#"forbid (principal in Doorward::Role::"owner", action in Doorward::Action::"manage", resource);"#,
    ];
    for text in locks {
        let refusal = house.refused(put(text)).await;
        is(&refusal, Code::BadRequest);
        assert!(refusal.message.contains("could never take the policy `lock` back"), "{refusal:?}");
        assert!(refusal.hint.as_deref().is_some_and(|hint| hint.contains("unless")), "{refusal:?}");
        assert_eq!(house.manage("policy.list", &[]).await.unwrap()["policies"].as_array().unwrap().len(), 0);
    }
    let kept = [
        r#"forbid (principal, action, resource) unless { action in Doorward::Action::"manage" };"#,
        r#"forbid (principal, action in Doorward::Action::"risk:high", resource) when { context.door == "gateway" };"#,
    ];
    for text in kept {
        house.answer(put(text)).await.unwrap();
        house.manage("policy.forget", &[("name", "lock")]).await.unwrap();
    }
}

#[tokio::test]
async fn a_shown_call_proves_itself_and_the_chain_verifies() {
    let service = Service::saying("{}");
    let house = House::at(&service.url(), &canary::plant("shown")).await;
    let got = house.got(Ask::get("/a").with(&house.pass().await)).await.unwrap();
    house.settled(got.id).await;
    let shown = house.manage("evidence.show", &[("id", &got.id.to_string())]).await.unwrap();
    assert_eq!(shown["records"].as_array().unwrap().len(), 2);
    assert!(shown["checkpoint"]["note"].as_str().unwrap().contains("doorward/test"));
    assert_eq!(house.manage("evidence.verify", &[]).await.unwrap()["verified"], true);
    let listed = house.manage("evidence.list", &[("integration", "house")]).await.unwrap();
    assert_eq!(listed["evidence"][0]["result"], "done");
    let part = Ask::named("doorward", "evidence.export", &[("since", "1h")]);
    is(&house.refused(part).await, Code::BadRequest);
    for (operation, input) in [
        ("evidence.show", ("id", "evd_01j00000000000000000000000")),
        ("integration.show", ("name", "nothing")),
    ] {
        is(&house.refused(Ask::named("doorward", operation, &[input])).await, Code::NotFound);
    }
}
