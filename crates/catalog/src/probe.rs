//! A read that tells whether a credential works.

use std::collections::BTreeMap;

use model::{Method, Target};

use crate::body::json;

/// A read that tells whether a credential works, and what its reply has to be.
#[derive(Debug, Clone)]
pub struct Probe {
    pub(crate) method: Method,
    pub(crate) target: Target,
    pub(crate) status: u16,
    pub(crate) body: BTreeMap<String, String>,
}

impl Probe {
    /// The method.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.method
    }

    /// The target, relative to the service root.
    #[must_use]
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// What in the reply is not as it should be; `None` where the credential works.
    #[must_use]
    pub fn unmet(&self, status: u16, body: &[u8]) -> Option<String> {
        if status != self.status {
            return Some(format!("the service answered {status}, not {}", self.status));
        }
        if self.body.is_empty() {
            return None;
        }
        let Ok(body) = json::read(body) else {
            return Some("the service answered something else than JSON".to_owned());
        };
        self.body
            .iter()
            .find(|(path, wanted)| body.at(path).and_then(json::Json::text).as_ref() != Some(*wanted))
            .map(|(path, wanted)| format!("`{path}` of the reply is not `{wanted}`"))
    }
}
