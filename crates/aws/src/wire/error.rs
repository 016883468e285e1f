//! What AWS refused and in which words, and what kept a request from being answered.

use std::fmt;

use http::{Response, StatusCode};
use zeroize::Zeroizing;

use super::{json, xml};

/// Why AWS did not do what it was asked for. No variant carries secret material.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// AWS answered with an error.
    #[error(transparent)]
    Refused(Box<Fault>),
    /// There was no answer.
    #[error("no answer to `{operation}`")]
    Net {
        /// What was asked for.
        operation: &'static str,
        /// What went wrong.
        #[source]
        source: net::Error,
    },
    /// The answer is not one that the service gives.
    #[error("the answer to `{operation}` {what}")]
    Reply {
        /// What was asked for.
        operation: &'static str,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The request cannot be made of what was given.
    #[error("`{operation}` cannot be asked for with {what}")]
    Input {
        /// What was to be asked for.
        operation: &'static str,
        /// What is wrong.
        what: &'static str,
    },
    /// The request could not be signed.
    #[error("the request `{operation}` could not be signed")]
    Sign {
        /// What was to be asked for.
        operation: &'static str,
        /// What was wrong.
        #[source]
        source: crypto::Error,
    },
    /// Nobody said which region.
    #[error("no region is set for {0}")]
    Region(&'static str),
    /// A region or an endpoint is not one.
    #[error("`{text}` is not {expected}")]
    Endpoint {
        /// As it was written.
        text: Box<str>,
        /// What it should be.
        expected: &'static str,
    },
    /// The sign-in service refused the credentials.
    #[error("Call to getSigninToken failed with {0}")]
    SignIn(StatusCode),
    /// It was asked for, and the answer is waited for elsewhere: nothing failed.
    #[error("the answer to `{0}` is waited for while others have their turn")]
    GoesOn(&'static str),
    /// There is no guarded memory or no randomness.
    #[error("the system has no {0}")]
    System(&'static str),
}

/// An error as AWS words it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    operation: &'static str,
    status: u16,
    code: Box<str>,
    message: Box<str>,
    request_id: Option<Box<str>>,
}

impl Error {
    /// AWS' code of the error, such as `AccessDenied`, where AWS answered.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(fault) => Some(fault.code()),
            _ => None,
        }
    }

    /// What the reader can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Refused(fault) => fault.hint(),
            Self::Net { source: net::Error::Address { .. }, .. } => {
                Some("plain http is for endpoints on this machine or in a private network; use `https://`")
            }
            Self::Net { source: net::Error::Tls { .. }, .. } => {
                Some("a company's own certificate authority goes into `ca_bundle` or `AWS_CA_BUNDLE`")
            }
            Self::Net { source, .. } => source.hint(),
            Self::Region(_) => Some("set `region` in the profile, `AWS_REGION`, or `--region`"),
            Self::SignIn(_) => Some(
                "the console accepts the credentials of a role or of a federated session, while they last",
            ),
            Self::Endpoint { .. }
            | Self::GoesOn(_)
            | Self::Reply { .. }
            | Self::Input { .. }
            | Self::Sign { .. }
            | Self::System(_) => None,
        }
    }
}

impl From<memory::Error> for Error {
    fn from(_: memory::Error) -> Self {
        Self::System("guarded memory left")
    }
}

impl From<crypto::Error> for Error {
    fn from(_: crypto::Error) -> Self {
        Self::System("random bytes")
    }
}

impl Fault {
    /// Reads an answer that is an error, whatever it is.
    pub(crate) fn read(operation: &'static str, reply: &Response<Zeroizing<Vec<u8>>>) -> Self {
        let header = |name: &str| reply.headers().get(name).and_then(|value| value.to_str().ok());
        let said = Said::of_xml(reply.body()).or_else(|| Said::of_json(reply.body())).unwrap_or_default();
        // `Code:http://...` and `namespace#Code` are the code with something around it.
        let named = header("x-amzn-errortype").map(ToOwned::to_owned).or(said.code);
        let code = named.as_deref().map(|code| code.split(':').next().unwrap_or(code));
        let code = code.map(|code| code.rsplit('#').next().unwrap_or(code));
        let id = header("x-amzn-requestid").or_else(|| header("x-amz-request-id")).map(ToOwned::to_owned);
        Self {
            operation,
            status: reply.status().as_u16(),
            code: shown(code.unwrap_or_default(), 128),
            message: shown(said.message.as_deref().unwrap_or_default(), 1024),
            request_id: id.or(said.request_id).map(|id| shown(&id, 128)),
        }
    }

    /// What was asked for, such as `sts:AssumeRole`.
    #[must_use]
    pub const fn operation(&self) -> &'static str {
        self.operation
    }

    /// The status of HTTP.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// AWS' code, such as `AccessDenied`; empty where the answer had none.
    #[must_use]
    pub const fn code(&self) -> &str {
        &self.code
    }

    /// AWS' message, on one line.
    #[must_use]
    pub const fn message(&self) -> &str {
        &self.message
    }

    /// The id by which AWS finds the request.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// Whether the clock may be the reason.
    pub(super) fn may_be_about_time(&self) -> bool {
        const CODES: &[&str] = &[
            "RequestTimeTooSkewed",
            "RequestExpired",
            "RequestInTheFuture",
            "SignatureDoesNotMatch",
            "InvalidSignatureException",
        ];
        CODES.contains(&self.code())
    }

    fn hint(&self) -> Option<&'static str> {
        match self.code() {
            "ExpiredToken" | "ExpiredTokenException" => {
                Some("the session has ended; clear it and ask for a new one")
            }
            "InvalidClientTokenId" | "UnrecognizedClientException" => Some(
                "AWS does not know this access key: it was deleted, is inactive, or belongs to another partition",
            ),
            "SignatureDoesNotMatch" | "InvalidSignatureException" => Some(
                "the secret key does not belong to the access key id, or the clock of this machine is wrong",
            ),
            "RequestTimeTooSkewed" | "RequestExpired" | "RequestInTheFuture" => {
                Some("the clock of this machine is wrong")
            }
            "AccessDenied" if self.message.contains("MultiFactorAuthentication failed") => {
                Some("the MFA code was wrong, or was used before: wait for the next one")
            }
            "RegionDisabledException" => Some("AWS STS is not activated in this region for the account"),
            "UnauthorizedException" if self.operation.starts_with("sso:") => {
                Some("the sign-in has ended; sign in again")
            }
            _ => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, status, code, message, request_id } = self;
        write!(f, "AWS refused `{operation}`: ")?;
        match (code.is_empty(), message.is_empty()) {
            (false, false) => write!(f, "{code}: {message} ")?,
            (false, true) => write!(f, "{code} ")?,
            (true, false) => write!(f, "{message} ")?,
            (true, true) => {}
        }
        write!(f, "(status {status}")?;
        if let Some(id) = request_id {
            write!(f, ", request {id}")?;
        }
        f.write_str(")")
    }
}

impl std::error::Error for Fault {}

/// What the body of an error says.
#[derive(Default)]
struct Said {
    code: Option<String>,
    message: Option<String>,
    request_id: Option<String>,
}

impl Said {
    /// `<ErrorResponse><Error><Code/><Message/></Error><RequestId/></ErrorResponse>`, or with `<Errors>` around it.
    fn of_xml(body: &[u8]) -> Option<Self> {
        let root = xml::Element::parse(body)?;
        let error = root.child("Error").or_else(|| root.child("Errors")?.child("Error")).unwrap_or(&root);
        let text = |element: &xml::Element, name| element.child(name).map(|child| child.text().to_owned());
        Some(Self {
            code: text(error, "Code"),
            message: text(error, "Message"),
            request_id: text(&root, "RequestId").or_else(|| text(&root, "RequestID")),
        })
    }

    /// `{"__type": .., "message": ..}`, or `{"error": .., "error_description": ..}` (RFC 6749, section 5.2).
    fn of_json(body: &[u8]) -> Option<Self> {
        let json::ErrorBody { kind, code, error, message, capital, description } =
            serde_json::from_slice(body).ok()?;
        Some(Self {
            code: kind.or(code).or(error),
            message: message.or(capital).or(description),
            request_id: None,
        })
    }
}

/// Text of somebody else, on one line and not too long, without what a terminal would obey.
fn shown(text: &str, most: usize) -> Box<str> {
    let invisible = |sign: char| {
        sign.is_control()
            || matches!(sign, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let clean: String =
        text.chars().map(|sign| if invisible(sign) { ' ' } else { sign }).take(most).collect();
    clean.trim().into()
}
