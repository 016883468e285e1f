//! Requests that have something done on behalf of somebody else than whose the credential is.

use model::{Call, Refusal};

use super::Integration;
use crate::body;

impl Integration {
    /// The call of a request that has these headers. One that has it done on behalf of somebody else is no operation of the file.
    ///
    /// # Errors
    /// `bad_request` where an operation would be done on behalf of somebody else.
    pub fn by_itself<'a>(
        &self,
        call: Call,
        mut headers: impl Iterator<Item = &'a str>,
    ) -> Result<Call, Refusal> {
        if self.on_behalf.is_empty() || self.is_unknown(&call) {
            return Ok(call);
        }
        match headers.find(|name| self.names_another(name)) {
            Some(name) => Err(body::on_behalf(&format!("header `{name}`"))),
            None => Ok(call),
        }
    }

    /// Whether a header of this name is one of those, in which a `*` at the end is any rest.
    fn names_another(&self, name: &str) -> bool {
        let name = name.replace('_', "-");
        self.on_behalf.iter().any(|one| match one.strip_suffix('*') {
            Some(lead) => name.starts_with(lead),
            None => *one == name,
        })
    }
}
