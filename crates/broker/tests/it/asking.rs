//! What a door would make of a request.

use broker::{Asked, Forward, Inbound, Operate, Payload};
use http::{HeaderMap, HeaderName, HeaderValue};
use model::{Claims, Door, Fact, Holder, Inputs};
use net::Body;

use crate::house::OWNER;

/// A request before it is an [`Inbound`].
pub(crate) struct Ask {
    pub(crate) integration: String,
    pub(crate) capability: Option<HeaderValue>,
    pub(crate) door: Door,
    pub(crate) facts: Fact,
    pub(crate) what: What,
}

pub(crate) enum What {
    Forward { method: String, target: String, headers: HeaderMap, body: Body },
    Operate { operation: String, inputs: Inputs, payload: Option<Vec<u8>> },
}

impl Ask {
    /// A request at the gateway for the integration `house`.
    pub(crate) fn request(method: &str, target: &str) -> Self {
        let what = What::Forward {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: HeaderMap::new(),
            body: Body::empty(),
        };
        let facts = Fact { address: Some("203.0.113.9".parse().unwrap()), ..Fact::default() };
        Self { integration: "house".to_owned(), capability: None, door: Door::Gateway, facts, what }
    }

    pub(crate) fn get(target: &str) -> Self {
        Self::request("GET", target)
    }

    pub(crate) fn post(target: &str, body: &'static str) -> Self {
        Self::request("POST", target).body(Body::full(body))
    }

    /// A named operation at the socket, asked by the owner.
    pub(crate) fn named(integration: &str, operation: &str, inputs: &[(&str, &str)]) -> Self {
        let inputs = inputs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let what = What::Operate { operation: operation.to_owned(), inputs, payload: None };
        let ask = Self {
            integration: integration.to_owned(),
            capability: None,
            door: Door::Socket,
            facts: Fact::default(),
            what,
        };
        ask.uid(Some(OWNER))
    }

    /// The same, breaking the glass where the operation is for emergencies.
    pub(crate) fn breaking_glass_for(self, operation: &catalog::Operation) -> Self {
        if operation.effect() == catalog::Effect::BreakGlass { self.breaking_glass() } else { self }
    }

    /// The same, breaking the glass.
    pub(crate) fn breaking_glass(mut self) -> Self {
        let break_glass = Some("it is a test".to_owned());
        self.facts.claims = Some(Box::new(Claims { approval: None, break_glass }));
        self
    }

    pub(crate) fn on(mut self, integration: &str) -> Self {
        integration.clone_into(&mut self.integration);
        self
    }

    pub(crate) fn with(mut self, capability: &str) -> Self {
        self.capability = Some(HeaderValue::from_str(capability).unwrap());
        self
    }

    pub(crate) fn through(mut self, door: Door) -> Self {
        self.door = door;
        self
    }

    pub(crate) fn uid(mut self, uid: Option<u32>) -> Self {
        self.facts.holder = Holder { uid, ..Holder::default() };
        self
    }

    pub(crate) fn held_by(mut self, holder: Holder) -> Self {
        self.facts.holder = holder;
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let What::Forward { headers, .. } = &mut self.what {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        self
    }

    pub(crate) fn body(mut self, given: Body) -> Self {
        if let What::Forward { body, .. } = &mut self.what {
            *body = given;
        }
        self
    }

    /// With one more input, or another value of one.
    pub(crate) fn saying(mut self, name: &str, value: &str) -> Self {
        if let What::Operate { inputs, .. } = &mut self.what {
            inputs.insert(name.to_owned(), value.to_owned());
        }
        self
    }

    pub(crate) fn payload(mut self, given: impl Into<Vec<u8>>) -> Self {
        if let What::Operate { payload, .. } = &mut self.what {
            *payload = Some(given.into());
        }
        self
    }

    pub(crate) fn inbound(self) -> Inbound {
        let integration = self.integration.parse().unwrap();
        let asked = match self.what {
            What::Forward { method, target, headers, body } => {
                let (method, target) = (method.parse().unwrap(), target.parse().unwrap());
                Asked::Forward(Box::new(Forward::new(integration, method, target, headers, body)))
            }
            What::Operate { operation, inputs, payload } => {
                let payload = payload.map(|bytes| Payload::new(bytes).unwrap());
                let operate = Operate::new(integration, operation.parse().unwrap(), inputs);
                Asked::Operate(operate.with(payload))
            }
        };
        Inbound { door: self.door, facts: self.facts, capability: self.capability, asked }
    }
}
