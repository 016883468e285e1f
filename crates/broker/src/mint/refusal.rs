//! What AWS, a keyring or a person said, as a refusal.

use keyring::Fault;
use model::{Code, Refusal, Retry};

use super::{Minting, Tools};

impl Minting {
    pub(super) fn keyring(&self, error: &keyring::Error) -> Refusal {
        self.tools.keyring(error)
    }

    pub(super) fn chain(&self, error: &aws::chain::Error) -> Refusal {
        let message = if self.tools.words.is_some() { error.compatible() } else { error.to_string() };
        hinted(Refusal::new(Code::SecretMissing, message), error.hint())
    }

    pub(super) fn wire(&self, error: &aws::wire::Error) -> Refusal {
        let refused = matches!(error, aws::wire::Error::Refused(_));
        let code = if refused { Code::UpstreamReply } else { Code::UpstreamUnreachable };
        let mut message = said(error);
        if self.tools.words.is_some() && matches!(error, aws::wire::Error::Region(_)) {
            // What programs look for that were written for aws-vault.
            message.push_str(": Invalid Configuration: Missing Region");
        }
        hinted(Refusal::new(code, message).retry(Retry::No), error.hint())
    }

    pub(super) fn form(&self, error: &aws::session::Error) -> Refusal {
        hinted(Refusal::new(Code::SourceUnavailable, said(error)), error.hint())
    }

    pub(super) fn process(&self, error: &aws::process::Error) -> Refusal {
        hinted(Refusal::new(Code::SourceUnavailable, said(error)), error.hint())
    }
}

impl Tools {
    pub(super) fn keyring(&self, error: &keyring::Error) -> Refusal {
        let code = match error.fault() {
            Fault::Missing => Code::SecretMissing,
            Fault::Name => Code::BadRequest,
            Fault::Else => Code::SourceUnavailable,
        };
        hinted(Refusal::new(code, self.said(error)), error.hint())
    }

    /// What a keyring says, in the words of the command line that is spoken.
    pub(super) fn said(&self, error: &keyring::Error) -> String {
        self.words.as_ref().and_then(|words| words(error)).unwrap_or_else(|| said(error))
    }
}

/// An error and its sources in one line.
fn said(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(one) = source {
        let more = one.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = one.source();
    }
    text
}

fn hinted(refusal: Refusal, hint: Option<impl ToString>) -> Refusal {
    match hint {
        Some(hint) => refusal.hint(hint.to_string()),
        None => refusal,
    }
}
