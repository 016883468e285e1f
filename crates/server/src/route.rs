//! Which operation a path means.

use http::Method;
use model::Inputs;

/// What a request means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// Something about the credentials of a tenant.
    Credential(Asked),
    /// To make a tenant and its first key.
    Onboard,
}

/// An operation on credentials.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) operation: &'static str,
    /// As it was written.
    pub(crate) tenant: String,
    pub(crate) provider: Option<String>,
}

impl Route {
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        let rest = path.strip_prefix("/api/v1/")?;
        let parts: Vec<&str> = rest.split('/').collect();
        let asked = |operation, tenant: &str, provider: Option<&str>| {
            let (tenant, provider) = (tenant.to_owned(), provider.map(ToOwned::to_owned));
            Some(Self::Credential(Asked { operation, tenant, provider }))
        };
        match (method, parts.as_slice()) {
            (&Method::POST, ["organizations", "onboard"]) => Some(Self::Onboard),
            (&Method::GET, ["integrations", tenant]) => asked("credential.list", tenant, None),
            (&Method::GET, ["integrations", tenant, provider]) => {
                asked("credential.show", tenant, Some(provider))
            }
            (&Method::PUT, ["integrations", tenant, provider]) => {
                asked("credential.update", tenant, Some(provider))
            }
            (&Method::DELETE, ["integrations", tenant, provider]) => {
                asked("credential.delete", tenant, Some(provider))
            }
            (&Method::POST, ["integrations", tenant, provider, "setup"]) => {
                asked("credential.setup", tenant, Some(provider))
            }
            (&Method::POST, ["integrations", tenant, provider, "validate"]) => {
                asked("credential.validate", tenant, Some(provider))
            }
            _ => None,
        }
    }
}

impl Asked {
    pub(crate) fn inputs(&self) -> Inputs {
        let mut inputs = Inputs::from([("tenant".to_owned(), self.tenant.clone())]);
        inputs.extend(self.provider.iter().map(|provider| ("provider".to_owned(), provider.clone())));
        inputs
    }
}

/// Whether a tenant could have this name.
pub(crate) fn is_slug(text: &str) -> bool {
    (3..=50).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests;
