//! What the tests of this crate ask with: a call, a caller, a catalogue, dice.
#![expect(clippy::disallowed_methods, reason = "tests stand in for the broker and the catalogue")]

use std::net::IpAddr;

use model::{
    Access, Call, CallParts, Caller, CapabilityId, Door, EvidenceId, Fact, GrantId, Holder, Method, Proof,
    Risk, TenantName, Timestamp,
};

use crate::cedar::{ActionEffect, ActionSpec};
use crate::{Caveat, Grant, GrantState, List};

/// A call as it is asked for, with everything in plain sight.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) integration: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) access: Access,
    pub(crate) risk: Risk,
    pub(crate) resource: &'static str,
    pub(crate) request: Option<(&'static str, &'static str, &'static str)>,
    pub(crate) inputs: Vec<(&'static str, &'static str)>,
    pub(crate) now: u64,
    pub(crate) address: Option<IpAddr>,
    pub(crate) environment: Option<&'static str>,
    pub(crate) purpose: Option<&'static str>,
    pub(crate) uid: Option<u32>,
    pub(crate) cgroup: Option<&'static str>,
    pub(crate) key: Option<[u8; 32]>,
    pub(crate) secrets: Vec<&'static str>,
}

impl Default for Ask {
    fn default() -> Self {
        Self {
            integration: "slack",
            operation: "chat.post",
            access: Access::Write,
            risk: Risk::Medium,
            resource: "channel:C1",
            request: Some(("POST", "slack.com", "/api/chat.postMessage")),
            inputs: vec![("channel", "C1")],
            now: NOON,
            address: Some([10, 1, 2, 3].into()),
            environment: Some("production"),
            purpose: Some("run-7"),
            uid: Some(1000),
            cgroup: Some("/user.slice/agent.scope"),
            key: Some([7; 32]),
            secrets: vec!["store:slack/token"],
        }
    }
}

impl Ask {
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    pub(crate) fn call(&self) -> Call {
        let request = self.request.map(|(method, host, path)| {
            let method: Method = method.parse().unwrap();
            (method, format!("https://{host}").parse().unwrap(), path.parse().unwrap())
        });
        Call::found(CallParts {
            id: EvidenceId::new(self.now(), [0; 10]),
            integration: self.integration.parse().unwrap(),
            kind: self.integration.parse().unwrap(),
            operation: self.operation.parse().unwrap(),
            access: self.access,
            risk: self.risk,
            resource: self.resource.parse().unwrap(),
            inputs: self.inputs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            request,
            secrets: self.secrets.iter().map(|text| text.parse().unwrap()).collect(),
        })
    }

    pub(crate) fn caller(&self, principal: &str, proof: Proof) -> Caller {
        self.caller_of("local", principal, proof)
    }

    pub(crate) fn caller_of(&self, tenant: &str, principal: &str, proof: Proof) -> Caller {
        let holder = Holder {
            uid: self.uid,
            cgroup: self.cgroup.map(str::to_owned),
            key: self.key,
            ..Holder::default()
        };
        let facts = Fact {
            address: self.address,
            holder,
            environment: self.environment.map(str::to_owned),
            purpose: self.purpose.map(str::to_owned),
            ..Fact::default()
        };
        Caller::proven(tenant.parse().unwrap(), principal.parse().unwrap(), proof, Door::Gateway, facts)
    }
}

/// A Wednesday, 12:00 UTC.
pub(crate) const NOON: u64 = 1_700_049_600_000 + 86_400_000 * 735;

pub(crate) fn specs() -> Vec<ActionSpec> {
    let spec = |integration: &str, operation: &str, access, risk, effect| ActionSpec {
        integration: integration.parse().unwrap(),
        operation: operation.parse().unwrap(),
        access,
        risk,
        effect,
    };
    vec![
        spec("slack", "chat.post", Access::Write, Risk::Medium, ActionEffect::Use),
        spec("slack", "chat.delete", Access::Write, Risk::High, ActionEffect::Use),
        spec("slack", "users.list", Access::Read, Risk::Low, ActionEffect::Use),
        spec("slack-prod", "chat.post", Access::Write, Risk::Medium, ActionEffect::Use),
        spec("github", "issue.create", Access::Write, Risk::Medium, ActionEffect::Use),
        spec("doorward", "secret.put", Access::Write, Risk::Medium, ActionEffect::Manage),
        spec("doorward", "secret.reveal", Access::Read, Risk::High, ActionEffect::Disclose),
        spec("aws", "key.show", Access::Write, Risk::High, ActionEffect::NoSession),
    ]
}

pub(crate) fn grant_id(number: u8) -> GrantId {
    GrantId::new(Timestamp::from_millis(1), [number; 10])
}

pub(crate) fn narrowing(number: u8) -> CapabilityId {
    CapabilityId::new(Timestamp::from_millis(1), [number; 10])
}

pub(crate) fn grant(number: u8, principal: &str) -> Grant {
    Grant {
        id: grant_id(number),
        tenant: TenantName::local(),
        principal: principal.parse().unwrap(),
        caveats: Vec::new(),
        created: Timestamp::from_millis(1),
        expires: None,
        state: GrantState::Active,
        label: None,
        giver: None,
    }
}

/// The caveat of a JSON text, as in files.
pub(crate) fn caveat(json: &str) -> Caveat {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

/// How many rounds the long tests run.
pub(crate) fn rounds() -> u64 {
    std::env::var("DOORWARD_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(10_000)
}

/// Reproducible dice (xorshift64*).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides as u64).unwrap()
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())]
    }

    fn some<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        if self.roll(5) == 0 { None } else { Some(self.pick(from)) }
    }

    fn list<T: std::str::FromStr<Err = model::ParseError> + Ord>(&mut self, from: &[&str]) -> List<T> {
        let count = 1 + self.roll(3);
        List::new((0..count).map(|_| self.pick(from).parse().unwrap())).unwrap()
    }

    pub(crate) fn ask(&mut self) -> Ask {
        let (integration, operation) = self.pick(&OPERATIONS);
        Ask {
            integration,
            operation,
            access: self.pick(&[Access::Read, Access::Write]),
            risk: Risk::Low,
            resource: self.pick(&["channel:C1", "channel:C2", "repo:octo/hello", "*"]),
            request: self.some(&[
                ("POST", "slack.com", "/api/chat"),
                ("GET", "slack.com", "/api/chat/x"),
                ("GET", "api.github.com", "/apis"),
                ("DELETE", "api.github.com", "/repos/a%2Fb"),
            ]),
            inputs: self
                .pick(&[vec![], vec![("as", "bot")], vec![("as", "ada"), ("to", "C1")]].each_ref())
                .clone(),
            now: NOON + 1_800_000 * self.roll(400) as u64,
            address: self
                .some(&["10.1.2.3", "192.168.1.9", "::ffff:10.1.2.3", "fd00::1"])
                .map(|a| a.parse().unwrap()),
            environment: self.some(&["production", "staging"]),
            purpose: self.some(&["run-7", "run-8"]),
            uid: self.some(&[1000, 0]),
            cgroup: self.some(&["/user.slice", "/user.slice/agent.scope", "/user.slices", "/system.slice"]),
            key: self.some(&[[7; 32], [8; 32]]),
            secrets: vec!["store:slack/token"],
        }
    }

    pub(crate) fn caveat(&mut self) -> Caveat {
        let time = Timestamp::from_millis(NOON + 3_600_000 * self.roll(200) as u64);
        match self.roll(20) {
            0 => Caveat::Integrations(self.list(&["slack", "github", "slack-prod"])),
            1 => Caveat::Operations(self.list(&PATTERNS)),
            2 => Caveat::Access(self.pick(&[Access::Read, Access::Write])),
            3 => Caveat::Resources(self.list(&[
                "channel:C1",
                "channel:*",
                "repo:octo/*",
                "repo:octo/hello",
                "*",
            ])),
            4 => Caveat::Hosts(self.list(&["slack.com", "api.github.com"])),
            5 => Caveat::Methods(crate::Methods(self.list(&["GET", "POST", "DELETE"]))),
            6 => Caveat::PathPrefix(self.list(&["/", "/api", "/api/chat", "/repos"])),
            7 => Caveat::NotBefore(time),
            8 => Caveat::NotAfter(time),
            9 => self.hours(),
            10 => Caveat::Cidr(self.list(&["10.0.0.0/8", "10.1.2.0/24", "0.0.0.0/0", "fd00::/8"])),
            11 => Caveat::Environment(self.list(&["production", "staging"])),
            12 => {
                let per = self.pick(&["60s", "1h"]);
                caveat(&format!(r#"{{"rate": {{"calls": {}, "per": "{per}"}}}}"#, 1 + self.roll(9)))
            }
            13 => caveat(&format!(r#"{{"uses": {}}}"#, 1 + self.roll(9))),
            14 => Caveat::Purpose(self.pick(&["run-7", "run-8"]).parse().unwrap()),
            15 => caveat(self.pick(&[
                r#"{"holder": {"uid": 1000}}"#,
                r#"{"holder": {"uid": 0, "cgroup": "/user.slice"}}"#,
                r#"{"holder": {"cgroup": "/user.slice"}}"#,
                r#"{"holder": {"key": "0707070707070707070707070707070707070707070707070707070707070707"}}"#,
            ])),
            16 => caveat(self.pick(&[r#"{"approval": "all"}"#, r#"{"approval": "writes"}"#])),
            17 => self.window(),
            18 => {
                let start = |dice: &mut Self| NOON + 1_800_000 * dice.roll(300) as u64;
                let spans: Vec<_> = (0..1 + self.roll(2))
                    .map(|_| {
                        let start = start(self);
                        let end = start + 1_800_000 * (1 + self.roll(40) as u64);
                        crate::Span::new(Timestamp::from_millis(start), Timestamp::from_millis(end)).unwrap()
                    })
                    .collect();
                Caveat::Blackout(List::new(spans).unwrap())
            }
            _ => caveat(self.pick(&[
                r#"{"inputs": {"as": ["bot"]}}"#,
                r#"{"inputs": {"as": ["ada", "bot"]}}"#,
                r#"{"inputs": {"as": ["ada"], "to": ["C1", "C2"]}}"#,
            ])),
        }
    }

    fn window(&mut self) -> Caveat {
        let hours: Vec<u8> = (0..1 + self.roll(14)).map(|_| u8::try_from(self.roll(24)).unwrap()).collect();
        let days: Vec<&str> =
            (0..self.roll(5)).map(|_| self.pick(&["mon", "tue", "wed", "thu", "sun"])).collect();
        let zones = self.pick(&[r#"["UTC"]"#, r#"["Asia/Tokyo"]"#, r#"["Asia/Tokyo", "UTC"]"#]);
        caveat(&format!(r#"{{"window": {{"hours": {hours:?}, "days": {days:?}, "zones": {zones}}}}}"#))
    }

    fn hours(&mut self) -> Caveat {
        let days = self.pick(&[r#""mon","tue","wed""#, r#""sat","sun""#, r#""wed""#, r#""sun","mon""#]);
        let (from, to) =
            self.pick(&[("09:00", "17:00"), ("22:00", "06:00"), ("00:00", "24:00"), ("10:00", "11:30")]);
        let zone = self.pick(&["UTC", "Asia/Tokyo"]);
        caveat(&format!(
            r#"{{"hours": {{"days": [{days}], "from": "{from}", "to": "{to}", "zone": "{zone}"}}}}"#
        ))
    }
}

const OPERATIONS: [(&str, &str); 6] = [
    ("slack", "chat.post"),
    ("slack", "chat"),
    ("slack", "chat.post.thread"),
    ("slack", "chats.list"),
    ("slack-prod", "chat.post"),
    ("github", "issue.create"),
];
const PATTERNS: [&str; 6] =
    ["slack/chat.post", "slack/chat.*", "slack/*", "slack/chat.post.*", "github/*", "slack-prod/chat.post"];
