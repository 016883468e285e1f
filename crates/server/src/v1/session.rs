//! Signing in and out: the cookie of a session, made and taken away.

use http::{HeaderValue, StatusCode, header};
use hyper::body::Incoming;
use model::{Code, Inputs, Refusal};
use serde_json::{Value, json};
use zeroize::Zeroize;

use super::caller::{self, COOKIE};
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
    let mut proof = shown(route, &bytes)?;
    let _welcome = welcomed(asking, Some(&proof), "session.open").await?;
    proof.set_sensitive(true);
    let answer =
        call(asking, Some(proof), ("session.open", Inputs::new(), None)).await.map_err(Problem::of)?;
    let mut value = answer.value;
    let session = value.as_object_mut().and_then(|fields| fields.remove("session"));
    let Some(Value::String(mut session)) = session else {
        return Err(Problem::of(Refusal::new(Code::OutcomeUnknown, "no session was begun")));
    };
    let cookie = cookie_of(asking, &session, "");
    session.zeroize();
    let reply = Reply::json(StatusCode::CREATED, value).recorded(answer.evidence);
    Ok(reply.with(header::SET_COOKIE, cookie?))
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

/// The code or the key in the body; one of them.
fn shown(route: &Route, bytes: &[u8]) -> Result<HeaderValue, Problem> {
    let mut body = asked::members(route, bytes)?;
    let given: Vec<(&str, &str)> =
        ["code", "key"].into_iter().filter_map(|name| Some((name, body.get(name)?.as_str()?))).collect();
    let proof = match given.as_slice() {
        [("code", code)] if !code.starts_with("dwc1.") => {
            Err(Problem::of(Refusal::new(Code::Unauthenticated, "this is not the code of a link")))
        }
        [("key", key)] if key.starts_with("dwc1.") || key.starts_with("dws1.") => {
            Err(Problem::of(Refusal::new(Code::Unauthenticated, "this is not a key")))
        }
        [(_, text)] => HeaderValue::from_str(text.trim()).map_err(|_| {
            Problem::of(Refusal::new(Code::Unauthenticated, "this is neither a code nor a key"))
        }),
        _ => Err(Problem::wrong(vec![Wrong::field("code", "or `key` has to be there, one of them")])),
    };
    asked::wipe(&mut body);
    proof
}

/// A cookie that no script reads and no other page sends.
pub(crate) fn cookie_of(asking: &Asking<'_>, session: &str, more: &str) -> Result<HeaderValue, Problem> {
    let (name, secure) = asking.known.cookie(COOKIE);
    let text = format!("{name}={session}; Path=/; HttpOnly; SameSite=Strict{secure}{more}");
    let mut value = HeaderValue::try_from(text)
        .map_err(|error| Problem::of(Refusal::new(Code::OutcomeUnknown, error.to_string())))?;
    value.set_sensitive(true);
    Ok(value)
}
