//! A request as rules see it.

use model::{IntegrationName, Method};

/// The headers of a request.
pub trait Headers {
    /// The lines of a header as the caller sent them, behind the proof of who it is. The name is in lower case.
    fn received(&self, name: &str) -> Vec<Vec<u8>>;

    /// The lines that will be sent to the service: without those that end at this house.
    fn sent(&self, name: &str) -> Vec<Vec<u8>>;

    /// Whether a header came that some services read as this one, and that is written otherwise: `x_team` for `x-team`.
    fn resembled(&self, name: &str) -> bool;
}

/// A request without headers.
#[derive(Debug, Clone, Copy)]
pub struct NoHeaders;

impl Headers for NoHeaders {
    fn received(&self, _: &str) -> Vec<Vec<u8>> {
        Vec::new()
    }

    fn sent(&self, _: &str) -> Vec<Vec<u8>> {
        Vec::new()
    }

    fn resembled(&self, _: &str) -> bool {
        false
    }
}

/// A request as it will be sent, but for its body.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The integration.
    pub integration: &'a IntegrationName,
    /// The id of the caller, where something proved one.
    pub caller: Option<&'a str>,
    /// The method.
    pub method: Method,
    /// The path behind the integration's root, canonical and percent-encoded; it begins with `/`.
    pub path: &'a str,
    /// The query, percent-encoded, where there is one.
    pub query: Option<&'a str>,
    /// The headers.
    pub headers: &'a dyn Headers,
}

impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("integration", self.integration)
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
