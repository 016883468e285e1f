//! Every operation of every integration, at every door: who proves nothing is refused, who may not is denied, who may leaves
//! an intent before anything is done and an outcome behind it; and all of it is on record.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock};

use broker::MANAGED;
use broker::answering::{Answering, Linear};
use catalog::Catalog;
use evidence::{Ending, Entry, Filter, Reader, What};
use model::{Code, Door, EvidenceId, TenantName};
use serde_json::Value;
use testkit::canary;

use crate::access_tokens::{believed, claims};
use crate::asking::{Ask, What as Wanted};
use crate::cases;
use crate::house::{House, OWNER, id_of, moved, unseen};
use crate::incoming_tokens::eddsa;
use crate::service::{Service, Step, reply};

/// What is not tried, and why. One that is never needed fails the test.
const EXCEPTIONS: &[(&str, Door, Check, &str)] = &[
    (
        "*",
        Door::Cli,
        Check::Unproven,
        "the process that holds the home's lock is its owner's own; it needs no other proof",
    ),
    (
        "doorward",
        Door::Gateway,
        Check::Unproven,
        "Doorward itself is not a service: there is no request to forward",
    ),
    (
        "doorward",
        Door::Gateway,
        Check::Denied,
        "Doorward itself is not a service: there is no request to forward",
    ),
    (
        "doorward",
        Door::Gateway,
        Check::Allowed,
        "Doorward itself is not a service: there is no request to forward",
    ),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Check {
    Unproven,
    Denied,
    Allowed,
}

/// One call that was made, and what has to be on record.
struct Made {
    about: String,
    integration: String,
    operation: String,
    door: Door,
    check: Check,
    id: EvidenceId,
}

#[derive(Default)]
struct Tally {
    made: Vec<Made>,
    excused: BTreeSet<usize>,
}

impl Tally {
    /// Whether this is tried.
    fn tries(&mut self, integration: &str, door: Door, check: Check) -> bool {
        let excuse = EXCEPTIONS.iter().position(|(name, other, what, _)| {
            (*name == "*" || *name == integration) && *other == door && *what == check
        });
        self.excused.extend(excuse);
        excuse.is_none()
    }

    fn note(&mut self, about: (&str, &str), door: Door, check: Check, id: EvidenceId) {
        let (integration, operation) = about;
        self.made.push(Made {
            about: format!("{integration}/{operation} at the {} ({check:?})", door.as_str()),
            integration: integration.to_owned(),
            operation: operation.to_owned(),
            door,
            check,
            id,
        });
    }
}

const DOORS: [Door; 3] = [Door::Gateway, Door::Socket, Door::Cli];
const CHECKS: [Check; 3] = [Check::Unproven, Check::Denied, Check::Allowed];

/// What the services look into when a request arrives.
type Watch = Arc<OnceLock<Arc<Reader>>>;
/// Paths of requests whose intent was not durable when they arrived.
type Early = Arc<Mutex<Vec<String>>>;

/// In batches: each call looks into the log, which stays short so.
#[tokio::test]
async fn every_operation_of_every_door_is_authorised_and_recorded() {
    let (mut made, mut excused) = (0, BTreeSet::new());
    for names in cases::services().chunks(6) {
        let tally = batch_of_services(names, names.iter().any(|name| name == "github")).await;
        made += tally.made.len();
        excused.extend(tally.excused);
    }
    let unused: Vec<_> = EXCEPTIONS.iter().enumerate().filter(|(at, _)| !excused.contains(at)).collect();
    assert!(unused.is_empty(), "exceptions that nothing needs: {unused:?}");
    let names = Catalog::builtin().names();
    // Those that mint have a test of their own.
    let minting = [broker::mint::AWS, broker::mint::AZURE, broker::mint::GCP];
    let names = names.iter().filter(|name| !minting.contains(&name.as_str()));
    let integrations: Vec<_> = names.map(|name| cases::built_in(name.as_str())).collect();
    let services = integrations.iter().filter(|one| !one.internal());
    let operations: Vec<_> = services.flat_map(|one| one.operations().values()).collect();
    // Three doors and three checks, without what the exceptions say; two doors where a request is not taken for the operation.
    let checks = |operation: &&catalog::Operation| match operation.method() {
        None => 0,
        Some(_) if operation.by_name_only() => 8 - gateway_checks(),
        Some(_) => 8,
    };
    assert_eq!(made, operations.iter().map(checks).sum::<usize>() + MANAGED.len() * 5);
}

/// How many checks there are at the gateway.
fn gateway_checks() -> usize {
    let excused = EXCEPTIONS.iter().filter(|(name, door, ..)| *name == "*" && *door == Door::Gateway).count();
    CHECKS.len() - excused
}

/// All operations of some services, and of Doorward itself where `with_own`, in a house of their own.
async fn batch_of_services(names: &[String], with_own: bool) -> Tally {
    let (watch, early) = (Watch::default(), Early::default());
    let (mut services, mut files) = (Vec::new(), Vec::new());
    for name in names {
        let service = watching(&watch, &early);
        let base = cases::built_in(name);
        files.push((name.clone(), moved(name, &format!("{}{}", service.url(), base.base_path()))));
        services.push(service);
    }
    if with_own && !names.iter().any(|name| name == "linear") {
        let service = watching(&watch, &early);
        files.push(("linear".to_owned(), moved("linear", &service.url())));
        services.push(service);
    }
    let house = House::opened(files, |_| {}).await;
    watch.set(Arc::clone(&house.reader)).unwrap_or_else(|_| panic!("set twice"));
    let secret = canary::plant("coverage");
    for name in names {
        for field in cases::built_in(name).secrets().keys() {
            house.put(&format!("{name}/{field}"), &cases::planted(field, || secret.clone())).await;
        }
    }
    house.manage("role.grant", &[("principal", "agent"), ("role", "break-glass")]).await.unwrap();
    let mut tally = Tally::default();
    for name in names {
        for operation in cases::built_in(name).operations().keys() {
            one_service(&house, &mut tally, (name, operation.as_str())).await;
        }
    }
    if with_own {
        let (issuer, key) = believed(&house);
        house.put("linear/token", &cases::planted("token", || secret.clone())).await;
        answered_in_linear(&house);
        for door in DOORS {
            let access = eddsa("one", &claims(&house, &issuer), &key);
            own(&house, &mut tally, door, (&secret, &access)).await;
        }
    }
    assert_eq!(*early.lock().unwrap(), Vec::<String>::new(), "arrived before their intents were durable");
    check_all(&house, &tally).await;
    house.spotless();
    tally
}

/// Lets somebody answer in issues. There, nobody has.
fn answered_in_linear(house: &House) {
    let people = [("user-1".to_owned(), "ada".parse().unwrap())].into();
    let linear = Linear { integration: "linear".parse().unwrap(), team: "team-1".to_owned(), people };
    house.broker.answered_at(Answering { linear: Some(linear), ..Answering::default() }).unwrap();
}

/// A service that looks for the intent of what it is asked.
fn watching(watch: &Watch, early: &Early) -> Service {
    let (watch, early) = (Arc::clone(watch), Arc::clone(early));
    Service::start(move |seen| {
        let reader = watch.get().unwrap();
        // A read that a write leads to comes between its intent and itself.
        let filter = Filter { limit: 4, ..Filter::of(TenantName::local()) };
        let newest = reader.list(&filter).unwrap();
        // Where the credential is a segment of the path, the record has the path without it.
        let path = seen.target.split('?').next().unwrap();
        let kept: Vec<&str> = path.split('/').filter(|segment| !segment.contains("CANARY")).collect();
        let path = kept.join("/");
        let intended = newest.iter().any(|entry| {
            let What::Call(intent) = &entry.what else { return false };
            entry.outcome.is_none()
                && intent.deed.request.as_ref().is_some_and(|request| *request.path == *path)
        });
        if !intended {
            early.lock().unwrap().push(seen.target.clone());
        }
        vec![Step::Send(reply(200, &[("content-type", "application/json")], "{}"))]
    })
}

async fn one_service(house: &House, tally: &mut Tally, about: (&str, &str)) {
    let (name, operation) = about;
    let described = cases::built_in(name);
    let described = &described.operations()[operation];
    // Only a program does it: the tests of those that are run are elsewhere.
    if described.method().is_none() {
        return;
    }
    let all = cases::of(name);
    let case = all.iter().find(|case| case.is_sent() && case.about() == operation).unwrap();
    let allowed = house.capability(&[("operations", &format!("{name}/{operation}"))]).await;
    let other = if operation == "user.show" { "repos.list" } else { "user.show" };
    let other = house.capability(&[("operations", &format!("github/{other}"))]).await;
    for door in DOORS {
        for check in CHECKS {
            let by_name = door != Door::Gateway;
            if !tally.tries(name, door, check) || (described.by_name_only() && !by_name) {
                continue;
            }
            let ask = match door {
                Door::Gateway => case.ask(name).unwrap(),
                Door::Socket | Door::Cli | Door::Metadata | Door::Server => {
                    let ask = named(name, operation, case).through(door);
                    // What never comes here is waited for in vain.
                    described.poll().into_iter().fold(ask, |ask, poll| ask.saying(poll.within(), "1"))
                }
            };
            let ask = ask.breaking_glass_for(described);
            let ask = match (check, door) {
                (Check::Unproven, _) => ask.uid(None),
                // At the socket another user of this machine; elsewhere the holder of something else.
                (Check::Denied, Door::Socket) => ask.uid(Some(OWNER + 1)),
                (Check::Denied, _) => ask.with(&other),
                (Check::Allowed, Door::Gateway) => ask.with(&allowed),
                (Check::Allowed, _) => ask,
            };
            made(house, tally, about, (door, check), ask).await;
        }
    }
}

/// The same operation by its name: the inputs that the catalogue reads in the case's request.
fn named(name: &str, operation: &str, case: &cases::Case) -> Ask {
    if let Some(ask) = case.named(name) {
        return ask;
    }
    let integration = cases::built_in(name);
    let (method, target) = case.request.as_deref().unwrap().split_once(' ').unwrap();
    let broker::Asked::Forward(forward) = case.ask(name).unwrap().inbound().asked else { unreachable!() };
    let types: Vec<_> =
        forward.headers.get_all("content-type").iter().map(|value| value.to_str().unwrap()).collect();
    let body = case.bytes();
    let target = target.parse().unwrap();
    let asked = catalog::Asked {
        method: method.parse().unwrap(),
        target: &target,
        content_types: &types,
        body: Some(&body),
    };
    let call = integration.call(EvidenceId::from_bytes([0; 16]), &asked).unwrap();
    let inputs: Vec<_> = call.inputs().iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Ask::named(name, operation, &inputs)
}

/// Makes a call, and notes the record that it names.
async fn made(
    house: &House,
    tally: &mut Tally,
    about: (&str, &str),
    (door, check): (Door, Check),
    ask: Ask,
) -> Option<Value> {
    let result = match ask.what {
        Wanted::Forward { .. } => house.got(ask).await.map(|got| (got.id, Value::Null)),
        Wanted::Operate { .. } => match house.ask(ask).await {
            Ok(broker::Outbound::Answer(answer) | broker::Outbound::Lease(answer, _)) => {
                Ok((answer.evidence, answer.value))
            }
            Ok(broker::Outbound::Reply(id, _)) => Ok((id, Value::Null)),
            Err(refusal) => Err(refusal),
        },
    };
    let wanted = match check {
        Check::Unproven => Some(Code::Unauthenticated),
        Check::Denied => Some(Code::Denied),
        Check::Allowed => None,
    };
    let got = result.as_ref().err().map(|refusal| refusal.code);
    assert_eq!(got, wanted, "{about:?} at {door:?}: {result:?}");
    let (id, value) = match result {
        Ok((id, value)) => (id, Some(value)),
        Err(refusal) => {
            (refusal.evidence.unwrap_or_else(|| panic!("{about:?} at {door:?} has no record")), None)
        }
    };
    tally.note(about, door, check, id);
    value
}

/// An operation, its inputs, and what comes with them.
type Managed<'a> = (&'a str, Vec<(&'a str, &'a str)>, Option<Vec<u8>>);

/// Doorward's own operations, in an order in which each has something to work on.
#[expect(clippy::too_many_lines, reason = "one list, in an order in which each has something to work on")]
async fn own(house: &House, tally: &mut Tally, door: Door, (material, access): (&str, &str)) {
    let word = door.as_str();
    let (secret, desk, shelf) = (format!("{word}/one"), format!("desk-{word}"), format!("shelf-{word}"));
    let named =
        |operation: &str, inputs: &[(&str, &str)]| Ask::named("doorward", operation, inputs).through(door);
    let request: &[(&str, &str)] = &[("for", "ada"), ("operations", "github/user.show")];
    let (token, grant) = house.granted(request).await;
    let name = house.name(r#"{"resource": "secret:/db/primary", "actions": ["read"]}"#).await;
    let log = house.name(r#"{"resource": "log:/deploy", "actions": ["write"]}"#).await;
    let github = house.name(r#"{"resource": "op:/github/user.show", "actions": ["read"]}"#).await;
    let wanted = r#"{"integration": "github", "method": "GET", "path": "/user"}"#;
    let used = format!(r#"{{"capability_id": "{github}", "request": {wanted}}}"#);
    let open = format!("{word}/open");
    let put = Ask::named("doorward", "secret.put", &[("name", &open), ("disclosable", "true")]);
    house.answer(put.payload(material)).await.unwrap();
    let shown = house.name(&format!(r#"{{"resource": "secret:/{open}", "actions": ["read"]}}"#)).await;
    let (tenant, keyed) = (format!("new_{word}"), format!("keyed_{word}"));
    house.answer(Ask::named("doorward", "tenant.create", &[("name", &keyed)])).await.unwrap();
    let (_, key) = house.answer(Ask::named("doorward", "key.create", &[("tenant", &keyed)])).await.unwrap();
    let first_key = key["id"].as_str().unwrap().to_owned();
    let openai = vec![("tenant", keyed.as_str()), ("provider", "openai")];
    let azure = vec![("tenant", keyed.as_str()), ("provider", "azure")];
    let listed = house.entries().iter().find_map(id_of).unwrap().to_string();
    let file = crate::house::plain("http://127.0.0.1:9").replace("name: house", &format!("name: {desk}"));
    let profile = format!(r#"{{"id": "{shelf}", "provider": "openai-codex", "access_token": "{material}"}}"#);
    let waiting = house.capability(&[("operations", "github/user.show"), ("approval", "all")]).await;
    let waiting = house.refused(Ask::named("github", "user.show", &[]).with(&waiting)).await;
    let approval = waiting.approval().unwrap().to_string();
    let role = [("principal", "ada"), ("role", "caller")];
    // Somebody else's plan, so that the owner can decide about it.
    let plan = "summary: Look\nsteps:\n  - {id: look, operation: github/user.show}\n";
    house.manage("role.grant", &[("principal", "eve"), ("role", "manager")]).await.unwrap();
    let eve = house.capability(&[("for", "eve"), ("operations", "doorward/plan.create")]).await;
    let proposing = || Ask::named("doorward", "plan.create", &[]).with(&eve).payload(plan);
    let (_, proposal) = house.answer(proposing()).await.unwrap();
    let (proposed, digest) = (proposal["id"].as_str().unwrap(), proposal["digest"].as_str().unwrap());
    let (_, dropped) = house.answer(proposing()).await.unwrap();
    let dropped = dropped["id"].as_str().unwrap();
    let receiver = testkit::vendor::Receiver::start();
    house
        .broker
        .tell_webhooks(broker::Telling { dangerous_allow_private: true, ..broker::Telling::default() });
    let taken = receiver.url();
    let (_, hook) = house.answer(Ask::named("doorward", "webhook.create", &[("url", &taken)])).await.unwrap();
    let hook = hook["id"].as_str().unwrap();
    let (_, told) = house.answer(Ask::named("doorward", "webhook.test", &[("id", hook)])).await.unwrap();
    let told = vec![("id", hook), ("delivery", told["id"].as_str().unwrap())];
    let policy = "forbid (principal in Doorward::Role::\"nobody\", action, resource);";
    // The key that opens it already, so that it opens again.
    let key = format!("key-file:{}", house.folder.path().join("key").display());
    let steps: Vec<Managed<'_>> = vec![
        (
            "agent.request",
            vec![],
            Some(br#"{"resource": "secret:/db/primary", "actions": ["read"]}"#.to_vec()),
        ),
        ("agent.validate", vec![], Some(format!(r#"{{"capability_id": "{name}"}}"#).into_bytes())),
        ("agent.list", vec![], Some(b"{}".to_vec())),
        ("agent.counters", vec![], None),
        ("agent.narrow", vec![], Some(format!(r#"{{"capability_id": "{name}"}}"#).into_bytes())),
        (
            "agent.append",
            vec![],
            Some(format!(r#"{{"capability_id": "{log}", "message": "x"}}"#).into_bytes()),
        ),
        ("agent.use", vec![], Some(used.into_bytes())),
        ("agent.reveal", vec![], Some(format!(r#"{{"capability_id": "{shown}"}}"#).into_bytes())),
        ("agent.revoke", vec![], Some(format!(r#"{{"capability_id": "{name}"}}"#).into_bytes())),
        ("approval.list", vec![], None),
        ("approval.show", vec![("id", &approval)], None),
        ("approval.tell", vec![("id", &approval), ("via", "linear"), ("at", "i1")], None),
        ("approval.answer", vec![("id", &approval), ("via", "linear"), ("at", "i1")], None),
        ("approval.decide", vec![("id", &approval), ("decision", "deny")], None),
        ("plan.check", vec![], Some(plan.as_bytes().to_vec())),
        ("plan.create", vec![], Some(plan.as_bytes().to_vec())),
        ("plan.list", vec![], None),
        ("plan.show", vec![("id", proposed)], None),
        ("plan.decide", vec![("id", proposed), ("decision", "approve"), ("digest", digest)], None),
        ("plan.run", vec![("id", proposed)], None),
        // There is nothing left to go on with, so it says how it ended.
        ("plan.resume", vec![("id", proposed)], None),
        ("plan.cancel", vec![("id", dropped)], None),
        ("role.grant", role.to_vec(), None),
        ("role.list", vec![], None),
        ("role.revoke", role.to_vec(), None),
        ("secret.put", vec![("name", &secret), ("disclosable", "true")], Some(material.into())),
        ("secret.reveal", vec![("name", &secret)], None),
        ("log.append", vec![("stream", word)], Some(br#"{"message": "hello"}"#.to_vec())),
        ("secret.list", vec![], None),
        ("secret.rotate", vec![("name", &secret)], Some(format!("{material}2").into_bytes())),
        ("secret.forget", vec![("name", &secret)], None),
        ("capability.request", request.to_vec(), None),
        ("capability.exchange", vec![], Some(access.into())),
        ("capability.narrow", vec![("expires", "5m")], Some(token.clone().into_bytes())),
        ("capability.validate", vec![], Some(token.into_bytes())),
        ("capability.list", vec![], None),
        ("capability.revoke", vec![("id", &grant)], None),
        ("integration.list", vec![], None),
        ("integration.show", vec![("name", "slack")], None),
        ("integration.add", vec![("name", &desk)], Some(file.into_bytes())),
        ("llm.import", vec![("id", &shelf), ("provider", "openai-codex")], Some(profile.into_bytes())),
        ("llm.list", vec![], None),
        ("llm.use", vec![("id", &shelf)], None),
        ("llm.remove", vec![("id", &shelf)], None),
        ("policy.put", vec![("name", &shelf)], Some(policy.as_bytes().to_vec())),
        ("policy.check", vec![("name", &shelf)], Some(policy.as_bytes().to_vec())),
        ("policy.list", vec![], None),
        ("policy.show", vec![("name", &shelf)], None),
        ("policy.explain", vec![("for", "ada"), ("operation", "slack/auth.test")], None),
        ("policy.forget", vec![("name", &shelf)], None),
        ("evidence.list", vec![("limit", "5")], None),
        ("evidence.show", vec![("id", &listed)], None),
        ("evidence.checkpoints", vec![("limit", "5")], None),
        ("evidence.checkpoint", vec![("number", "latest")], None),
        ("evidence.verify", vec![], None),
        ("evidence.admit_loss", vec![("reason", "nothing is")], None),
        ("evidence.export", vec![], None),
        ("broker.status", vec![], None),
        ("broker.metrics", vec![], None),
        ("session.link", vec![], None),
        ("session.open", vec![], None),
        ("session.show", vec![], None),
        ("session.close", vec![], None),
        ("provider.list", vec![], None),
        ("provider.show", vec![("name", "openai")], None),
        ("tenant.create", vec![("name", &tenant)], None),
        ("tenant.list", vec![], None),
        ("tenant.show", vec![("name", &tenant)], None),
        ("key.create", vec![("tenant", &tenant)], None),
        ("key.list", vec![("tenant", &tenant)], None),
        ("key.rotate", vec![("tenant", &keyed), ("id", &first_key)], None),
        ("key.revoke", vec![("tenant", &keyed), ("id", &first_key)], None),
        (
            "credential.setup",
            openai.clone(),
            Some(br#"{"credential": "sk-0123456789", "skip_validation": true}"#.to_vec()),
        ),
        ("credential.validate", azure.clone(), None),
        ("credential.show", openai.clone(), None),
        ("credential.list", vec![("tenant", &keyed)], None),
        ("credential.survey", vec![], None),
        ("credential.update", openai.clone(), Some(br#"{"credential_name": "Production"}"#.to_vec())),
        ("credential.delete", openai.clone(), None),
        ("tenant.rotate", vec![("name", &tenant)], None),
        ("tenant.rotation", vec![("name", &tenant)], None),
        ("tenant.erase", vec![("name", &tenant)], None),
        ("webhook.create", vec![("url", &taken), ("events", "tenant.created")], None),
        ("webhook.list", vec![], None),
        ("webhook.show", vec![("id", hook)], None),
        ("webhook.deliveries", vec![("id", hook)], None),
        ("webhook.redeliver", told.clone(), None),
        ("webhook.deliver", told, None),
        ("webhook.test", vec![("id", hook)], None),
        ("webhook.rotate", vec![("id", hook)], None),
        ("webhook.enable", vec![("id", hook)], None),
        ("webhook.forget", vec![("id", hook)], None),
        ("broker.rewrap", vec![("choice", &key)], None),
        ("broker.seal", vec![], None),
    ];
    let tried: BTreeSet<&str> = steps.iter().map(|(operation, ..)| *operation).collect();
    assert_eq!(tried, MANAGED.into_iter().collect(), "every operation is tried, and no other");
    let holder = house.capability(&[("integrations", "github")]).await;
    for (operation, inputs, payload) in steps {
        for check in CHECKS {
            if !tally.tries("doorward", door, check) {
                continue;
            }
            let ask = named(operation, &inputs);
            let ask = match (check, door, &payload) {
                (Check::Unproven, ..) => ask.uid(None),
                // Whoever the kernel proves may ask the agent; whoever presents a capability may not.
                (Check::Denied, Door::Socket, _) if !operation.starts_with("agent.") => {
                    ask.uid(Some(OWNER + 1))
                }
                (Check::Denied, ..) => ask.with(&holder),
                (Check::Allowed, _, Some(payload)) => ask.payload(payload.clone()),
                (Check::Allowed, _, None) => ask,
            };
            let value = made(house, tally, ("doorward", operation), (door, check), ask).await;
            // Some of them are there to show something.
            if ![
                "capability.exchange",
                "capability.narrow",
                "capability.request",
                "secret.reveal",
                "agent.reveal",
            ]
            .contains(&operation)
            {
                unseen(&value.unwrap_or_default().to_string(), operation);
            }
        }
    }
    house.unseal().await.unwrap();
}

/// Looks everything up, in one go.
async fn check_all(house: &House, tally: &Tally) {
    let last = tally.made.last().unwrap().id;
    house.settled(last).await;
    let entries = house.entries();
    let find = |id: EvidenceId| -> &Entry {
        let mut found = entries.iter().filter(|entry| id_of(entry) == Some(id));
        let one = found.next().unwrap_or_else(|| panic!("{id} is not on record"));
        assert!(found.next().is_none(), "{id} is on record twice");
        one
    };
    for Made { about, integration, operation, door, check, id } in &tally.made {
        let entry = find(*id);
        match (&entry.what, check) {
            (What::Refused(refused), Check::Unproven) => {
                assert_eq!((refused.code, refused.door), (Code::Unauthenticated, *door), "{about}");
                assert!(refused.principal.is_none() && refused.deed.is_none(), "{about}");
            }
            (What::Refused(refused), Check::Denied) => {
                assert_eq!((refused.code, refused.door), (Code::Denied, *door), "{about}");
                let deed = refused.deed.as_ref().unwrap();
                assert_eq!(
                    (deed.integration.as_str(), deed.operation.as_str()),
                    (&**integration, &**operation)
                );
                assert!(refused.principal.is_some(), "{about}");
            }
            (What::Call(intent), Check::Allowed) => {
                let deed = &intent.deed;
                assert_eq!(
                    (deed.integration.as_str(), deed.operation.as_str()),
                    (&**integration, &**operation)
                );
                assert_eq!(intent.door, *door, "{about}");
                let outcome = entry.outcome.as_ref().unwrap_or_else(|| panic!("{about} has no outcome"));
                // Done by its name, a reply that does not say what the operation expects is a failure, whatever its status is.
                let by_name = outcome.fields.iter().any(|(name, value)| name == "used" && value == "http");
                let done = !by_name || !expects(house, integration, operation);
                let ending = if done { Ending::Done } else { Ending::Failed };
                assert_eq!((outcome.ending, outcome.code), (ending, None), "{about}");
            }
            (what, _) => panic!("{about} is recorded as {what:?}"),
        }
    }
}

/// Whether the service's reply in this test, which says nothing, does not mean that it was done.
fn expects(house: &House, integration: &str, operation: &str) -> bool {
    let found = house.broker.catalog().get(&integration.parse().unwrap()).unwrap();
    let name: model::OperationName = operation.parse().unwrap();
    let fails = |one: &catalog::Operation| one.unmet(b"{}").is_some() || one.poll().is_some();
    found.operations().get(&name).is_some_and(fails)
}

/// Operations that mint are asked for by name; without a wish they are recorded and refused, like everything else.
#[tokio::test]
async fn every_operation_that_mints_is_authorised_and_recorded() {
    let own = Catalog::builtin().get(&broker::mint::AWS.parse().unwrap()).unwrap();
    let described: Vec<String> = own.operations().keys().map(ToString::to_string).collect();
    assert_eq!(described, broker::mint::MINTED);
    let house = House::opened(Vec::new(), |_| {}).await;
    for operation in &described {
        let inputs =
            [("profile", "prod"), ("from", "file"), ("to", "pass"), ("endpoint", "ecs"), ("serial", "1")];
        let name: model::OperationName = operation.parse().unwrap();
        let known = |input: &&(&str, &str)| own.operations()[&name].inputs().contains_key(input.0);
        let inputs: Vec<(&str, &str)> = inputs.iter().filter(known).copied().collect();
        let ask = |door| Ask::named(broker::mint::AWS, operation, &inputs).through(door);
        let stranger = house.refused(ask(Door::Socket).uid(Some(OWNER + 1))).await;
        assert_eq!(stranger.code, Code::Denied, "{operation}");
        assert!(stranger.evidence.is_some(), "{operation}");
        let owner = house.refused(ask(Door::Cli)).await;
        assert_eq!(owner.code, Code::BadRequest, "{operation}: {}", owner.message);
        assert!(owner.evidence.is_some(), "{operation}");
    }
}

/// The same for tokens of the clouds, whose operations are the same two.
#[tokio::test]
async fn every_operation_of_a_cloud_is_authorised_and_recorded() {
    let house = House::opened(Vec::new(), |_| {}).await;
    for integration in [broker::mint::GCP, broker::mint::AZURE] {
        let own = Catalog::builtin().get(&integration.parse().unwrap()).unwrap();
        let described: Vec<String> = own.operations().keys().map(ToString::to_string).collect();
        assert_eq!(described, broker::mint::MINTED_OF_CLOUDS);
        for operation in &described {
            let known = own.operations()[&operation.parse::<model::OperationName>().unwrap()].inputs();
            let inputs: Vec<(&str, &str)> = [("key", "ci"), ("endpoint", "gcp")]
                .into_iter()
                .filter(|(name, _)| known.contains_key(*name))
                .collect();
            let ask = |door| Ask::named(integration, operation, &inputs).through(door);
            let stranger = house.refused(ask(Door::Socket).uid(Some(OWNER + 1))).await;
            assert_eq!(stranger.code, Code::Denied, "{operation}");
            assert!(stranger.evidence.is_some(), "{operation}");
            let owner = house.refused(ask(Door::Cli)).await;
            assert_eq!(owner.code, Code::BadRequest, "{operation}: {}", owner.message);
            assert!(owner.evidence.is_some(), "{operation}");
        }
    }
}

#[test]
fn what_is_managed_is_what_the_catalogue_says() {
    let own = Catalog::builtin().get(&"doorward".parse().unwrap()).unwrap();
    assert!(own.internal());
    let described: Vec<String> = own.operations().keys().map(ToString::to_string).collect();
    assert_eq!(described, MANAGED);
}
