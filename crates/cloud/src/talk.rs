//! One form or document sent, one JSON document read.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use memory::Secret;
use model::{Authority, Timestamp};
use net::egress::{Egress, EgressConfig};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::error::Fault;
use crate::{Error, Sent, Token};

/// How clouds are reached. Belongs to one runtime.
pub struct Talk {
    egress: Egress,
    hide: Hide,
}

/// What a service said, without the secrets that it was sent: whoever talks brings how they are found.
pub type Hide = fn(&str, &Sent) -> String;

/// Where something is asked: scheme, host, port, and the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) authority: Authority,
    pub(crate) path: String,
}

/// What is sent.
pub(crate) struct Asked<'a> {
    pub(crate) place: &'a Place,
    pub(crate) kind: &'static str,
    pub(crate) body: Zeroizing<Vec<u8>>,
    /// The secrets in the body.
    pub(crate) sent: Sent,
    /// The token of whoever asks.
    pub(crate) bearer: Option<&'a Secret>,
}

impl Talk {
    /// Nothing is read or opened yet.
    #[must_use]
    pub fn new(config: EgressConfig, hide: Hide) -> Self {
        Self { egress: Egress::new(config), hide }
    }

    /// Sends it, and reads the document of the answer.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, asked: Asked<'_>) -> Result<T, Error> {
        let place = asked.place;
        let (reply, sent) = self.reply(asked).await?;
        if reply.status() != StatusCode::OK {
            let hide = |text: &str| self.hidden(text, &sent);
            return Err(Error::Refused(fault(place.shown(), reply.status().as_u16(), reply.body(), &hide)));
        }
        let what = "is not what the cloud documents";
        serde_json::from_slice(reply.body()).map_err(|_| Error::Reply { place: place.shown(), what })
    }

    /// What a service said, without what it was sent.
    pub(crate) fn hidden(&self, text: &str, sent: &Sent) -> String {
        (self.hide)(text, sent)
    }

    /// Sends it, and gives the whole answer, and which secrets were sent for it.
    pub(crate) async fn reply(
        &self,
        asked: Asked<'_>,
    ) -> Result<(Response<Zeroizing<Vec<u8>>>, Sent), Error> {
        let Asked { place, kind, body, mut sent, bearer } = asked;
        let wrong = |what| Error::Reply { place: place.shown(), what };
        let mut request = Request::new(Bytes::from_owner(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = place.path.parse().map_err(|_| wrong("could not be asked for"))?;
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        if let Some(bearer) = bearer {
            headers.insert(header::AUTHORIZATION, authorization(bearer, &mut sent)?);
        }
        let reply = self.egress.send(&place.authority, request).await;
        reply.map(|reply| (reply, sent)).map_err(|source| Error::Net { place: place.shown(), source })
    }
}

impl Place {
    /// Reads an address. Plain http is for this machine, which is where the tests are; `net` holds that too.
    pub(crate) fn of(address: &str) -> Result<Self, Error> {
        let wrong = |why| Error::Address { address: address.to_owned(), why };
        let (scheme, rest) = address.split_once("://").ok_or_else(|| wrong("it is no address"))?;
        let (host, path) = rest.find('/').and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, "/"));
        if host.contains('@')
            || path.contains(['?', '#'])
            || !path.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(wrong("it holds more than host and path"));
        }
        if scheme != "https" && scheme != "http" {
            return Err(wrong("it is neither http nor https"));
        }
        let authority = format!("{scheme}://{host}").parse().map_err(|_| wrong("its host is none"))?;
        Ok(Self { authority, path: path.to_owned() })
    }

    /// As people read it.
    pub(crate) fn shown(&self) -> String {
        format!("{}{}", self.authority, self.path)
    }
}

fn authorization(bearer: &Secret, sent: &mut Sent) -> Result<HeaderValue, Error> {
    #[expect(clippy::disallowed_methods, reason = "puts the access token on the request")]
    let value = bearer.expose(|token| {
        sent.push(token);
        let text = Zeroizing::new([b"Bearer ".as_slice(), token].concat());
        HeaderValue::from_bytes(&text)
    });
    let mut value = value.map_err(|_| crypto::Error::Malformed("the access token"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// What a refusal says, in the words of OAuth 2 or of Google's APIs. Nothing else of the body is kept. Secrets are hidden before it is
/// cut: half of one would not be found.
pub(crate) fn fault(place: String, status: u16, body: &[u8], hide: &dyn Fn(&str) -> String) -> Fault {
    let read: Refused = serde_json::from_slice(body).unwrap_or_default();
    let (code, message) = match read.error {
        Some(Told::Code(code)) => (code, read.error_description.unwrap_or_default()),
        Some(Told::Status { status, code, message }) => {
            let code = code.and_then(|code| code.as_str().map(ToOwned::to_owned));
            (status.or(code).unwrap_or_default(), message.unwrap_or_default())
        }
        None => (String::new(), String::new()),
    };
    Fault { place, status, code: line(&hide(&code), 64), message: line(&hide(&message), 300) }
}

/// The first line of a text, without what a terminal would act on.
fn line(text: &str, most: usize) -> String {
    let first = text.lines().next().unwrap_or_default();
    first.chars().filter(|c| !c.is_control()).take(most).collect()
}

#[derive(Default, Deserialize)]
struct Refused {
    error: Option<Told>,
    error_description: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Told {
    /// RFC 6749, section 5.2.
    Code(String),
    /// Google's API errors (AIP-193), whose code is a number; OpenAI's, whose code is a word.
    Status { status: Option<String>, code: Option<serde_json::Value>, message: Option<String> },
}

/// A text that goes from the reply into guarded memory.
pub(crate) struct SecretText(pub(crate) Secret);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = SecretText;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<SecretText, E> {
                if text.is_empty() {
                    return Err(E::custom("the text is empty"));
                }
                Secret::new(text.as_bytes().to_vec()).map(SecretText).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text).map_err(|_| D::Error::custom("a text was expected"))
    }
}

/// A token of OAuth 2 as both clouds answer it.
#[derive(Deserialize)]
pub(crate) struct Answer {
    pub(crate) access_token: Option<SecretText>,
    pub(crate) id_token: Option<SecretText>,
    pub(crate) expires_in: Option<u64>,
}

impl Answer {
    /// The access token, which ends so many seconds after it was asked for.
    pub(crate) fn access(self, place: &Place, asked: Timestamp) -> Result<Token, Error> {
        let wrong = |what| Error::Reply { place: place.shown(), what };
        let value = self.access_token.ok_or_else(|| wrong("has no access token in it"))?.0;
        let seconds = self.expires_in.ok_or_else(|| wrong("does not say how long its token lasts"))?;
        Ok(Token { value, ends: asked.after(std::time::Duration::from_secs(seconds.min(LONGEST))) })
    }
}

const USER_AGENT: &str = concat!("doorward/", env!("CARGO_PKG_VERSION"));
/// No token of a cloud lasts longer than a day; what says so is not believed.
const LONGEST: u64 = 24 * 3600;
