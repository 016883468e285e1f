//! Events to bytes. `docs/concepts/evidence.md` describes the format for strangers.

use std::time::Duration;

use model::{Access, Door, Proof, Risk, Scheme};

use super::{
    Answered, Closed, CounterId, Deed, Disclosure, Ending, FIELD_NAME, FIELD_VALUE, FIELDS, Intent, Notice,
    Outcome, PATH, PURPOSE, REFERENCE, RESOURCE, RULE, Refused, Request, Settles,
};
use crate::codec::Encoder;
use crate::{Error, Kind};

impl Intent {
    pub(crate) fn encode(&self, to: &mut Vec<u8>) -> Result<(), Error> {
        let Self {
            id,
            tenant: _, // in the head of the record
            principal,
            proof,
            door,
            grant,
            narrowings,
            deed,
            inputs,
            secrets,
            policy,
            purpose,
            uses,
            disclosure,
        } = self;
        for (count, what) in
            [(narrowings.len(), "narrowings"), (secrets.len(), "secrets"), (uses.len(), "counted uses")]
        {
            if count > usize::from(u8::MAX) {
                return Err(Error::TooLarge(what));
            }
        }
        let mut to = Encoder(to);
        if let Some(disclosure) = disclosure {
            to.byte(match disclosure {
                Disclosure::Reveal => 1,
                Disclosure::NoSession => 2,
            });
        }
        to.fixed(&id.to_bytes());
        to.name(principal.as_str());
        proof.write(&mut to);
        door.write(&mut to);
        to.maybe(*grant, |to, grant| to.fixed(&grant.to_bytes()));
        to.count(narrowings.len());
        for narrowing in narrowings {
            to.fixed(&narrowing.to_bytes());
        }
        deed.write(&mut to);
        to.fixed(inputs);
        to.count(secrets.len());
        for secret in secrets {
            to.text(secret.as_str(), REFERENCE);
        }
        to.fixed(policy);
        to.maybe(purpose.as_deref(), |to, purpose| to.text(purpose, PURPOSE));
        to.count(uses.len());
        for counted in uses {
            to.fixed(&counted.id);
            to.long(counted.most);
        }
        Ok(())
    }
}

impl Refused {
    pub(crate) fn encode(&self, to: &mut Vec<u8>) {
        let Self { id, tenant: _, principal, proof, door, grant, deed, code, rule } = self;
        let mut to = Encoder(to);
        to.fixed(&id.to_bytes());
        to.maybe(principal.as_ref(), |to, principal| to.name(principal.as_str()));
        to.maybe(proof.as_ref(), |to, proof| proof.write(to));
        door.write(&mut to);
        to.maybe(*grant, |to, grant| to.fixed(&grant.to_bytes()));
        to.maybe(deed.as_ref(), |to, deed| deed.write(to));
        to.name(code.as_str());
        to.maybe(rule.as_deref(), |to, rule| to.text(rule, RULE));
    }
}

impl Answered {
    pub(crate) fn encode(&self, to: &mut Vec<u8>) -> Result<(), Error> {
        if !self.asked.is_question() {
            return Err(Error::NoQuestion);
        }
        self.asked.encode(to)?;
        self.outcome.write(&mut Encoder(to));
        Ok(())
    }
}

impl Outcome {
    pub(crate) fn encode(&self, settles: Settles, to: &mut Vec<u8>) {
        let mut to = Encoder(to);
        settles.write(&mut to);
        self.write(&mut to);
    }
}

impl Part for Outcome {
    fn write(&self, to: &mut Encoder<'_>) {
        let Self { ending, status, code, duration, bytes_in, bytes_out, fields } = self;
        ending.write(to);
        to.maybe(*status, Encoder::short);
        to.maybe(*code, |to, code| to.name(code.as_str()));
        to.long(micros(*duration));
        to.long(*bytes_in);
        to.long(*bytes_out);
        let kept = fields.len().min(FIELDS);
        to.count(kept);
        for (name, value) in fields.iter().take(kept) {
            to.text(name, FIELD_NAME);
            to.text(value, FIELD_VALUE);
        }
    }
}

impl Closed {
    pub(crate) fn encode(&self, settles: Settles, to: &mut Vec<u8>) {
        let Self { ending, code, duration, bytes_in, bytes_out, fields } = self;
        let mut to = Encoder(to);
        settles.write(&mut to);
        ending.write(&mut to);
        to.maybe(*code, |to, code| to.name(code.as_str()));
        to.long(micros(*duration));
        to.long(*bytes_in);
        to.long(*bytes_out);
        // Nothing where there are none, as it was written before ends had fields.
        let kept = fields.len().min(FIELDS);
        if kept > 0 {
            to.count(kept);
            for (name, value) in fields.iter().take(kept) {
                to.text(name, FIELD_NAME);
                to.text(value, FIELD_VALUE);
            }
        }
    }
}

impl Notice {
    pub(crate) const fn kind(self) -> Kind {
        match self {
            Self::Sealed => Kind::Sealed,
            Self::Unsealed => Kind::Unsealed,
        }
    }
}

/// The body of [`Event::Started`](super::Event::Started).
pub(crate) fn started(version: &str, to: &mut Vec<u8>) {
    Encoder(to).name(version);
}

/// The body of [`Event::Forgotten`](super::Event::Forgotten), for at most [`MOST_FORGOTTEN`] counters.
pub(crate) fn forgotten(counters: &[CounterId], to: &mut Vec<u8>) {
    let mut to = Encoder(to);
    let written = counters.len().min(MOST_FORGOTTEN);
    to.count(written);
    for id in counters.iter().take(written) {
        to.fixed(id);
    }
}

/// A part of several events.
trait Part {
    fn write(&self, to: &mut Encoder<'_>);
}

impl Part for Settles {
    fn write(&self, to: &mut Encoder<'_>) {
        to.fixed(&self.id.to_bytes());
        to.long(self.intent);
    }
}

impl Part for Ending {
    fn write(&self, to: &mut Encoder<'_>) {
        to.byte(match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Unknown => 2,
            Self::Abandoned => 3,
        });
    }
}

impl Part for Proof {
    fn write(&self, to: &mut Encoder<'_>) {
        match self {
            Self::Capability(grant) => {
                to.byte(1);
                to.fixed(&grant.to_bytes());
            }
            Self::Kernel => to.byte(2),
            Self::Loopback => to.byte(3),
            Self::Incoming => to.byte(4),
            Self::Anonymous => to.byte(5),
            Self::ApiKey(key) => {
                to.byte(6);
                to.fixed(&key.to_bytes());
            }
            Self::Led(call) => {
                to.byte(7);
                to.fixed(&call.to_bytes());
            }
            Self::Session(session) => {
                to.byte(8);
                to.fixed(&session.to_bytes());
            }
        }
    }
}

impl Part for Door {
    fn write(&self, to: &mut Encoder<'_>) {
        to.byte(match self {
            Self::Gateway => 1,
            Self::Socket => 2,
            Self::Cli => 3,
            Self::Metadata => 4,
            Self::Server => 5,
        });
    }
}

impl Part for Deed {
    fn write(&self, to: &mut Encoder<'_>) {
        let Self { integration, operation, access, risk, resource, request } = self;
        to.name(integration.as_str());
        to.name(operation.as_str());
        to.byte(match access {
            Access::Read => 0,
            Access::Write => 1,
        });
        to.byte(match risk {
            Risk::Low => 0,
            Risk::Medium => 1,
            Risk::High => 2,
        });
        to.text(resource.as_str(), RESOURCE);
        to.maybe(request.as_ref(), |to, request| request.write(to));
    }
}

impl Part for Request {
    fn write(&self, to: &mut Encoder<'_>) {
        let Self { method, authority, path, query } = self;
        to.name(method.as_str());
        to.byte(match authority.scheme() {
            Scheme::Http => 0,
            Scheme::Https => 1,
        });
        to.name(authority.host());
        to.short(authority.port());
        to.text(path, PATH);
        to.maybe(query.as_ref(), |to, query| to.fixed(query));
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Most counters of one record: their number is one byte.
pub(crate) const MOST_FORGOTTEN: usize = 255;
