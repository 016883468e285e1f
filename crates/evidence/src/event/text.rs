//! Events as fields for people and exports: one order, one spelling.

use crypto::to_hex;
use model::{CapabilityId, Proof};

use super::{Closed, Deed, Disclosure, Event, Intent, Outcome, Refused, Settles, Use};

/// The value of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// Text.
    Text(String),
    /// A number.
    Number(u64),
    /// Several texts.
    List(Vec<String>),
}

/// The fields of an event in their order. Fields that are empty are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Said(Vec<(&'static str, Field)>);

impl Said {
    /// The fields.
    #[must_use]
    pub fn fields(&self) -> &[(&'static str, Field)] {
        &self.0
    }

    /// The fields as a JSON object without white space. Its bytes are fixed: a verification compares them.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::from("{");
        for (name, field) in &self.0 {
            if out.len() > 1 {
                out.push(',');
            }
            out.push_str(&quoted(name));
            out.push(':');
            match field {
                Field::Text(text) => out.push_str(&quoted(text)),
                Field::Number(number) => out.push_str(&number.to_string()),
                Field::List(items) => {
                    let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
                    out.push('[');
                    out.push_str(&items.join(","));
                    out.push(']');
                }
            }
        }
        out.push('}');
        out
    }

    pub(crate) fn text(&mut self, name: &'static str, value: &(impl ToString + ?Sized)) {
        self.0.push((name, Field::Text(value.to_string())));
    }

    fn maybe<T: ToString>(&mut self, name: &'static str, value: Option<T>) {
        if let Some(value) = value {
            self.text(name, &value);
        }
    }

    fn number(&mut self, name: &'static str, value: u64) {
        self.0.push((name, Field::Number(value)));
    }

    fn list(&mut self, name: &'static str, items: Vec<String>) {
        if !items.is_empty() {
            self.0.push((name, Field::List(items)));
        }
    }
}

/// A JSON string (RFC 8259, section 7), in the one spelling that we write: the two-character escapes where there is one, `\u00xx` for
/// the other control characters, everything else as it is.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

impl Event {
    /// Adds the fields of this event.
    pub(crate) fn say(&self, said: &mut Said) {
        match self {
            Self::Intent(intent) => intent.say(said),
            Self::Outcome(settles, outcome) | Self::Head(settles, outcome) => {
                settles.say(said);
                outcome.say(said);
            }
            Self::Close(settles, closed) => {
                settles.say(said);
                closed.say(said);
            }
            Self::Refused(refused) => refused.say(said),
            Self::Answered(answered) => {
                answered.asked.say(said);
                answered.outcome.say(said);
            }
            Self::Started(version) => said.text("version", version),
            Self::Notice(_) => {}
            Self::Forgotten(counters) => {
                said.list("counters", counters.iter().map(|id| to_hex(id)).collect());
            }
        }
    }
}

impl Intent {
    fn say(&self, said: &mut Said) {
        said.text("evidence", &self.id);
        said.text("principal", &self.principal);
        say_proof(&self.proof, said);
        said.text("door", self.door.as_str());
        said.maybe("grant", self.grant);
        said.list("narrowings", self.narrowings.iter().map(CapabilityId::to_string).collect());
        self.deed.say(said);
        said.text("inputs", &to_hex(&self.inputs));
        said.list("secrets", self.secrets.iter().map(ToString::to_string).collect());
        said.text("policy", &to_hex(&self.policy));
        said.maybe("purpose", self.purpose.as_ref());
        said.list(
            "uses",
            self.uses.iter().map(|Use { id, most }| format!("{} of {most}", to_hex(id))).collect(),
        );
        said.maybe(
            "disclosure",
            self.disclosure.map(|disclosure| match disclosure {
                Disclosure::Reveal => "reveal",
                Disclosure::NoSession => "no-session",
            }),
        );
    }
}

impl Refused {
    fn say(&self, said: &mut Said) {
        said.text("evidence", &self.id);
        said.maybe("principal", self.principal.as_ref());
        if let Some(proof) = &self.proof {
            say_proof(proof, said);
        }
        said.text("door", self.door.as_str());
        said.maybe("grant", self.grant);
        if let Some(deed) = &self.deed {
            deed.say(said);
        }
        said.text("code", &self.code);
        said.maybe("rule", self.rule.as_ref());
    }
}

impl Deed {
    fn say(&self, said: &mut Said) {
        said.text("integration", &self.integration);
        said.text("operation", &self.operation);
        said.text("access", &self.access);
        said.text("risk", &self.risk);
        said.text("resource", &self.resource);
        if let Some(request) = &self.request {
            said.text("method", &request.method);
            said.text("upstream", &request.authority);
            said.text("path", &request.path);
            said.maybe("query", request.query.as_ref().map(|query| to_hex(query)));
        }
    }
}

impl Settles {
    fn say(self, said: &mut Said) {
        said.text("evidence", &self.id);
        said.number("intent", self.intent);
    }
}

impl Outcome {
    fn say(&self, said: &mut Said) {
        said.text("result", self.ending.as_str());
        if let Some(status) = self.status {
            said.number("status", u64::from(status));
        }
        said.maybe("code", self.code);
        said.number("micros", u64::try_from(self.duration.as_micros()).unwrap_or(u64::MAX));
        said.number("bytes_in", self.bytes_in);
        said.number("bytes_out", self.bytes_out);
        said.list("fields", self.fields.iter().map(|(name, value)| format!("{name}={value}")).collect());
    }
}

impl Closed {
    fn say(&self, said: &mut Said) {
        said.text("result", self.ending.as_str());
        said.maybe("code", self.code);
        said.number("micros", u64::try_from(self.duration.as_micros()).unwrap_or(u64::MAX));
        said.number("bytes_in", self.bytes_in);
        said.number("bytes_out", self.bytes_out);
        said.list("fields", self.fields.iter().map(|(name, value)| format!("{name}={value}")).collect());
    }
}

fn say_proof(proof: &Proof, said: &mut Said) {
    said.text("proof", proof.as_str());
    match proof {
        Proof::Capability(grant) => said.text("proven_by", grant),
        Proof::ApiKey(key) => said.text("proven_by", key),
        Proof::Session(session) => said.text("proven_by", session),
        Proof::Led(call) => said.text("led_by", call),
        Proof::Kernel | Proof::Loopback | Proof::Incoming | Proof::Anonymous => {}
    }
}
