//! Signing in and out: the cookie of a session and the word of its page, made and taken away.

use http::{HeaderValue, StatusCode, header};
use hyper::body::Incoming;
use model::{Code, Inputs, Refusal};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::caller::{self, COOKIE, SIGN_IN};
use super::oidc::sign_in_cookie;
use super::problem::{Problem, Wrong};
use super::reply::Reply;
use super::route::Route;
use super::{Asking, asked, call, collected, welcomed};

/// How one can sign in.
pub(crate) fn ways(asking: &Asking<'_>) -> Reply {
    let oidc = asking.worker.broker().signs_in_at().map(|(title, url)| json!({ "title": title, "url": url }));
    Reply::json(StatusCode::OK, json!({ "link": true, "key": true, "oidc": oidc }))
}

/// Opens a session, with the code of a link or a key of the API.
pub(crate) async fn sign_in(
    asking: &Asking<'_>,
    route: &'static Route,
    body: Incoming,
) -> Result<Reply, Problem> {
    // Another page must not sign its visitor in as somebody else.
    if caller::is_browser(&asking.parts.headers) {
        let _ours = caller::own_page(asking.parts, asking.known).map_err(Problem::of)?;
    }
    let bytes = collected(asking.parts, body).await?;
    let Shown { mut proof, bound } = shown(asking, route, &bytes)?;
    let _welcome = welcomed(asking, Some(&proof), "session.open").await?;
    proof.set_sensitive(true);
    let answer =
        call(asking, Some(proof), ("session.open", Inputs::new(), None)).await.map_err(Problem::of)?;
    let mut value = answer.value;
    let none = || Problem::of(Refusal::new(Code::OutcomeUnknown, "no session was begun"));
    let fields = value.as_object_mut().ok_or_else(none)?;
    let Some(Value::String(session)) = fields.remove("session") else { return Err(none()) };
    let session = Zeroizing::new(session);
    let (cookie, word) = broker::sessions::halves(&session).ok_or_else(none)?;
    // The only answer that holds it: whoever has the cookie alone must not get it by asking.
    let _null = fields.insert("csrf".to_owned(), word.into());
    let cookie = cookie_of(asking, cookie, "")?;
    let reply = Reply::json(StatusCode::CREATED, value).recorded(answer.evidence);
    let reply = reply.with(header::SET_COOKIE, cookie);
    Ok(if bound { reply.with(header::SET_COOKIE, sign_in_cookie(asking, "", 0)?) } else { reply })
}

/// Ends the session; also one that is over already loses its cookie.
pub(crate) async fn sign_out(asking: &Asking<'_>, body: Incoming) -> Result<Reply, Problem> {
    let proof = caller::presented(asking.parts, asking.known).map_err(Problem::of)?;
    let welcome = welcomed(asking, proof.as_ref(), "session.close").await?;
    let bytes = collected(asking.parts, body).await?;
    if !bytes.is_empty() {
        return Err(Problem::of(Refusal::new(Code::BadRequest, "nothing is taken along here")));
    }
    let answer = call(asking, proof, ("session.close", Inputs::new(), None)).await.map_err(Problem::of)?;
    let reply = Reply::json(StatusCode::OK, Value::Null).nothing().recorded(answer.evidence);
    Ok(reply.within(welcome.quota()).with(header::SET_COOKIE, cookie_of(asking, "", "; Max-Age=0")?))
}

/// What somebody signs in with.
struct Shown {
    /// The code, or the key.
    proof: HeaderValue,
    /// Whether half of the code was in the cookie of a sign-in.
    bound: bool,
}

/// The code or the key in the body; one of them.
fn shown(asking: &Asking<'_>, route: &Route, bytes: &[u8]) -> Result<Shown, Problem> {
    let mut body = asked::members(route, bytes)?;
    let given: Vec<(&str, &str)> =
        ["code", "key"].into_iter().filter_map(|name| Some((name, body.get(name)?.as_str()?))).collect();
    let bound = matches!(given.as_slice(), [("code", code)] if code.ends_with('.'));
    let rest = if bound { Some(rest_of_code(asking)?) } else { None };
    let proof = match given.as_slice() {
        [("code", code)] if !code.starts_with("dwc1.") => {
            Err(Problem::of(Refusal::new(Code::Unauthenticated, "this is not the code of a link")))
        }
        [("key", key)] if key.starts_with("dwc1.") || key.starts_with("dws1.") => {
            Err(Problem::of(Refusal::new(Code::Unauthenticated, "this is not a key")))
        }
        [(_, text)] => HeaderValue::from_str(&written(text, rest)).map_err(|_| {
            Problem::of(Refusal::new(Code::Unauthenticated, "this is neither a code nor a key"))
        }),
        _ => Err(Problem::wrong(vec![Wrong::field("code", "or `key` has to be there, one of them")])),
    };
    asked::wipe(&mut body);
    Ok(Shown { proof: proof?, bound })
}

/// The half of a code that the cookie of the sign-in has, where the page was given the other.
fn rest_of_code<'a>(asking: &'a Asking<'_>) -> Result<&'a str, Problem> {
    let name = asking.known.cookie(SIGN_IN).0;
    caller::cookie(&asking.parts.headers, &name)
        .map_err(Problem::of)?
        .ok_or_else(|| Problem::of(Refusal::new(Code::Unauthenticated, "another browser began this sign-in")))
}

/// A key, or a code with both halves.
fn written(text: &str, rest: Option<&str>) -> Zeroizing<String> {
    Zeroizing::new(match rest {
        Some(rest) => format!("{}{rest}", text.trim_end_matches('.')),
        None => text.trim().to_owned(),
    })
}

/// A cookie that no script reads and no page of another site sends. A browser sends it to other ports of this host, so it is half
/// of a session only.
fn cookie_of(asking: &Asking<'_>, session: &str, more: &str) -> Result<HeaderValue, Problem> {
    let (name, secure) = asking.known.cookie(COOKIE);
    let text = format!("{name}={session}; Path=/; HttpOnly; SameSite=Strict{secure}{more}");
    let mut value = HeaderValue::try_from(text)
        .map_err(|error| Problem::of(Refusal::new(Code::OutcomeUnknown, error.to_string())))?;
    value.set_sensitive(true);
    Ok(value)
}
