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

/// Why a request means nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// There is no such path.
    Path,
    /// The path has other methods: these.
    Method(&'static str),
}

impl Route {
    pub(crate) fn of(method: &Method, path: &str) -> Result<Self, Missing> {
        let rest = path.strip_prefix("/api/v1/").ok_or(Missing::Path)?;
        let parts: Vec<&str> = rest.split('/').collect();
        let (tenant, provider, operation, methods) = match parts.as_slice() {
            [.., ""] | ["integrations", "", ..] | ["integrations", _, "", ..] => return Err(Missing::Path),
            ["organizations", "onboard"] => {
                return if method == Method::POST { Ok(Self::Onboard) } else { Err(Missing::Method("POST")) };
            }
            ["integrations", tenant] => {
                (tenant, None, (method == Method::GET).then_some("credential.list"), "GET")
            }
            ["integrations", tenant, provider] => {
                let operation = match *method {
                    Method::GET => Some("credential.show"),
                    Method::PUT => Some("credential.update"),
                    Method::DELETE => Some("credential.delete"),
                    _ => None,
                };
                (tenant, Some(*provider), operation, "DELETE, GET, PUT")
            }
            ["integrations", tenant, provider, verb @ ("setup" | "validate")] => {
                let operation = if *verb == "setup" { "credential.setup" } else { "credential.validate" };
                (tenant, Some(*provider), (method == Method::POST).then_some(operation), "POST")
            }
            _ => return Err(Missing::Path),
        };
        let operation = operation.ok_or(Missing::Method(methods))?;
        let (tenant, provider) = ((*tenant).to_owned(), provider.map(ToOwned::to_owned));
        Ok(Self::Credential(Asked { operation, tenant, provider }))
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
