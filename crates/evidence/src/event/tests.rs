//! Tests of the module `event`.

use model::Timestamp;
use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::*;

pub(crate) fn id(n: u64) -> EvidenceId {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&n.to_be_bytes());
    EvidenceId::new(Timestamp::from_millis(1_760_000_000_000 + n), random)
}

pub(crate) fn deed() -> Deed {
    let authority = "https://slack.com".parse().unwrap();
    let target = "/api/chat.postMessage?as=bot".parse().unwrap();
    Deed {
        integration: "slack".parse().unwrap(),
        operation: "chat.post".parse().unwrap(),
        access: Access::Write,
        risk: Risk::Medium,
        resource: "channel:C1".parse().unwrap(),
        request: Some(Request::new(Method::Post, &authority, &target)),
    }
}

pub(crate) fn intent(tenant: &TenantName, n: u64) -> Intent {
    let grant = GrantId::from_bytes([7; 16]);
    Intent {
        id: id(n),
        tenant: tenant.clone(),
        principal: "ci-bot".parse().unwrap(),
        proof: Proof::Capability(grant),
        door: Door::Gateway,
        grant: Some(grant),
        narrowings: vec![CapabilityId::from_bytes([8; 16])],
        deed: deed(),
        inputs: [1; 32],
        secrets: vec!["store:slack/token".parse().unwrap()],
        policy: [2; 32],
        purpose: Some("run 4711".to_owned()),
        uses: Vec::new(),
        disclosure: None,
    }
}

/// A question and its answer.
pub(crate) fn answered(tenant: &TenantName, n: u64) -> Answered {
    let mut asked = intent(tenant, n);
    asked.secrets.clear();
    asked.deed.access = Access::Read;
    let fields = vec![("valid".to_owned(), "true".to_owned())];
    Answered { asked, outcome: Outcome { fields, ..Outcome::bare(Ending::Done) } }
}

pub(crate) fn refused(tenant: &TenantName, n: u64) -> Refused {
    Refused {
        id: id(n),
        tenant: tenant.clone(),
        principal: None,
        proof: None,
        door: Door::Socket,
        grant: None,
        deed: Some(deed()),
        code: Code::Denied,
        rule: Some("policy0".to_owned()),
    }
}

fn optional<T: Clone + std::fmt::Debug + 'static>(value: T) -> impl Strategy<Value = Option<T>> {
    prop_oneof![Just(None), Just(Some(value))]
}

fn a_request() -> impl Strategy<Value = Request> {
    let host = prop_oneof![Just("https://api.example.com"), Just("http://[::1]:8080"), Just("https://a:1")];
    (host, "/[ -~]{0,1200}", optional([3; 32])).prop_map(|(host, path, query)| Request {
        method: Method::Patch,
        authority: host.parse().unwrap(),
        path: path.into(),
        query,
    })
}

fn an_intent() -> impl Strategy<Value = Intent> {
    let texts = (
        "[^\\s\\pC]{1,170}",
        prop::option::of(".{0,400}"),
        prop::collection::vec("[^\\s\\pC#]{1,300}", 0..3),
    );
    let flags = (
        prop_oneof![
            Just(Proof::Kernel),
            Just(Proof::Loopback),
            Just(Proof::Incoming),
            Just(Proof::Anonymous),
            any::<[u8; 16]>().prop_map(|id| Proof::ApiKey(model::KeyId::from_bytes(id))),
            any::<[u8; 16]>().prop_map(|id| Proof::Session(model::SessionId::from_bytes(id))),
            any::<[u8; 16]>().prop_map(|id| Proof::Led(model::EvidenceId::from_bytes(id)))
        ],
        proptest::sample::select(Door::ALL.to_vec()),
        prop_oneof![Just(None), Just(Some(Disclosure::Reveal)), Just(Some(Disclosure::NoSession))],
        prop::option::of(a_request()),
    );
    let uses = prop::collection::vec((any::<[u8; 16]>(), any::<u64>()), 0..4);
    (texts, flags, uses).prop_map(|(texts, flags, uses)| {
        let (resource, purpose, secrets) = texts;
        let (proof, door, disclosure, request) = flags;
        let mut intent = intent(&TenantName::local(), 1);
        intent.deed.resource = resource.parse().unwrap_or(Resource::any());
        intent.deed.request = request;
        intent.secrets = secrets.iter().filter_map(|path| format!("file:{path}").parse().ok()).collect();
        (intent.purpose, intent.proof, intent.door, intent.disclosure) = (purpose, proof, door, disclosure);
        intent.uses = uses.into_iter().map(|(id, most)| Use { id, most }).collect();
        intent
    })
}

proptest! {
    #[test]
    fn what_was_written_is_read_back_and_written_the_same(intent in an_intent()) {
        let mut bytes = Vec::new();
        intent.encode(&mut bytes).unwrap();
        let Event::Intent(read) = Event::decode(intent.kind(), &intent.tenant, &bytes).unwrap() else { panic!() };
        let mut again = Vec::new();
        read.encode(&mut again).unwrap();
        prop_assert_eq!(&bytes, &again);
        prop_assert_eq!(&read.uses, &intent.uses);
        prop_assert!(read.purpose.is_none_or(|purpose| purpose.len() <= PURPOSE));
        // Nothing may stand behind an event, and nothing may be missing.
        bytes.push(0);
        prop_assert!(Event::decode(intent.kind(), &intent.tenant, &bytes).is_err());
        bytes.truncate(bytes.len() - 2);
        prop_assert!(Event::decode(intent.kind(), &intent.tenant, &bytes).is_err());
    }

    #[test]
    fn any_bytes_are_read_or_refused_but_written_the_same(kind in 0_u8..12, bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(kind) = Kind::decode(kind)
            && let Ok(Event::Outcome(settles, outcome)) = Event::decode(kind, &TenantName::local(), &bytes)
        {
            let mut again = Vec::new();
            outcome.encode(settles, &mut again);
            prop_assert_eq!(bytes, again);
        }
    }
}

#[test]
fn an_answer_is_read_back_as_it_was_written() {
    let mut bytes = Vec::new();
    answered(&TenantName::local(), 1).encode(&mut bytes).unwrap();
    let event = Event::decode(Kind::Answered, &TenantName::local(), &bytes).unwrap();
    assert_eq!(event, Event::Answered(Box::new(answered(&TenantName::local(), 1))));
    assert_eq!((event.kind(), event.id()), (Kind::Answered, Some(id(1))));
    bytes.push(0);
    assert!(Event::decode(Kind::Answered, &TenantName::local(), &bytes).is_err());
}

#[test]
fn what_lends_counts_shows_or_changes_something_is_no_answer() {
    type Change = fn(&mut Intent);
    let changes: [Change; 4] = [
        |asked| asked.secrets = vec!["store:slack/token".parse().unwrap()],
        |asked| asked.uses = vec![Use { id: [1; 16], most: 2 }],
        |asked| asked.disclosure = Some(Disclosure::Reveal),
        |asked| asked.deed.access = Access::Write,
    ];
    for (nth, change) in changes.into_iter().enumerate() {
        let mut wrong = answered(&TenantName::local(), 1);
        change(&mut wrong.asked);
        assert!(matches!(wrong.encode(&mut Vec::new()), Err(crate::Error::NoQuestion)), "{nth}");
        if wrong.asked.disclosure.is_some() {
            continue;
        }
        // Somebody else wrote it: it is not read either.
        let mut bytes = Vec::new();
        wrong.asked.encode(&mut bytes).unwrap();
        let settles = Settles { id: id(1), intent: 0 };
        let mut outcome = Vec::new();
        wrong.outcome.encode(settles, &mut outcome);
        bytes.extend_from_slice(&outcome[24..]);
        assert!(Event::decode(Kind::Answered, &TenantName::local(), &bytes).is_err(), "{nth}");
    }
}

#[test]
fn a_reply_cannot_flood_an_outcome() {
    let mut outcome = Outcome::bare(Ending::Done);
    outcome.fields = (0..40).map(|n| (format!("f{n}"), "x".repeat(10_000))).collect();
    let settles = Settles { id: id(1), intent: 0 };
    let mut bytes = Vec::new();
    outcome.encode(settles, &mut bytes);
    assert!(bytes.len() < 16 * 2_130 + 100);
    let Event::Outcome(_, read) = Event::decode(Kind::Outcome, &TenantName::local(), &bytes).unwrap() else {
        panic!()
    };
    assert_eq!(read.fields.len(), FIELDS);
}

#[test]
fn a_query_is_never_in_the_evidence() {
    let mut bytes = Vec::new();
    intent(&TenantName::local(), 1).encode(&mut bytes).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("/api/chat.postMessage") && !text.contains("as=bot"));
}

#[test]
fn an_intent_with_too_many_parts_is_refused() {
    let mut intent = intent(&TenantName::local(), 1);
    intent.narrowings = vec![CapabilityId::from_bytes([8; 16]); 256];
    assert!(matches!(intent.encode(&mut Vec::new()), Err(crate::Error::TooLarge("narrowings"))));
}

#[test]
fn the_text_of_an_event_is_fixed() {
    let mut said = Said::default();
    Event::Refused(Box::new(refused(&TenantName::local(), 1))).say(&mut said);
    assert_eq!(
        said.to_json(),
        format!(
            "{{\"evidence\":\"{}\",\"door\":\"socket\",\"integration\":\"slack\",\"operation\":\"chat.post\",\
             \"access\":\"write\",\"risk\":\"medium\",\"resource\":\"channel:C1\",\"method\":\"POST\",\
             \"upstream\":\"https://slack.com\",\"path\":\"/api/chat.postMessage\",\"query\":\"{}\",\
             \"code\":\"denied\",\"rule\":\"policy0\"}}",
            id(1),
            crypto::to_hex(&crypto::sha256(&[b"as=bot"])),
        )
    );
    assert_eq!(quoted("a\"\\\n\u{1}ä"), "\"a\\\"\\\\\\n\\u0001ä\"");
}
