//! Sessions: a link to sign in by, begun, shown, ended. Each is the caller's own.

use std::sync::Arc;

use model::{Code, Proof, Refusal, SessionId, Timestamp};
use policy::PrincipalKind;
use serde_json::{Value, json};
use tenancy::sessions::{CODE_LIVES, How, SignedIn, is_code, is_session};

use super::{Managing, waiting};

/// The answer holds a code: it opens one session, as whoever asks, within two minutes.
pub(super) fn link(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let broker = managing.worker.broker();
    let now = broker.now();
    let _person = a_person(managing)?;
    let code = broker.sessions().code(fresh(managing, How::Link)?, now)?;
    Ok(json!({ "code": code.as_str(), "expires": now.after(CODE_LIVES) }))
}

/// The answer holds the session: a bearer, of which one half goes into a cookie and the other to the page, each once.
pub(super) async fn open(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let broker = managing.worker.broker();
    let now = broker.now();
    let session = match managing.admitted.identified.caller.proof() {
        Proof::Session(_) => {
            let code = presented(managing).filter(|written| is_code(written));
            broker.sessions().spend(code.unwrap_or_default(), now)?
        }
        Proof::ApiKey(key) => fresh(managing, How::Key(key))?,
        _ => {
            let _person = a_person(managing)?;
            fresh(managing, How::Link)?
        }
    };
    let token = broker.sessions().open(session.clone(), now)?;
    if let Err(refusal) = kept(managing).await {
        broker.sessions().close(session.id);
        return Err(refusal);
    }
    let mut shown = described(managing, Some(&session));
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("session".to_owned(), token.as_str().into());
    }
    Ok(shown)
}

pub(super) fn show(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let written = presented(managing).filter(|written| is_session(written));
    let broker = managing.worker.broker();
    let session = written.map(|written| broker.sessions().find(written, broker.now())).transpose()?;
    Ok(described(managing, session.as_ref()))
}

/// One that has no session has none afterwards.
pub(super) async fn close(managing: &Managing<'_>) -> Result<Value, Refusal> {
    let closed = match managing.admitted.identified.caller.proof() {
        Proof::Session(id) => managing.worker.broker().sessions().close(id),
        _ => false,
    };
    kept(managing).await?;
    Ok(json!({ "closed": closed }))
}

/// Has the rows of sessions say what is open now.
async fn kept(managing: &Managing<'_>) -> Result<(), Refusal> {
    let broker = Arc::clone(managing.worker.broker());
    waiting(move || broker.keep_sessions()).await
}

/// Proof that nobody lends himself more time than he was given: a capability ends, and a session with its grant's roles would
/// go on.
#[must_use]
struct APerson(());

fn a_person(managing: &Managing<'_>) -> Result<APerson, Refusal> {
    match managing.admitted.identified.caller.proof() {
        Proof::Kernel => Ok(APerson(())),
        _ => {
            let message =
                "a session begins with a link from the broker's socket, a key of the API, or a sign-in";
            Err(Refusal::new(Code::Denied, message).hint("`doorward console`"))
        }
    }
}

fn fresh(managing: &Managing<'_>, how: How) -> Result<SignedIn, Refusal> {
    let (broker, permit) = (managing.worker.broker(), &managing.admitted.permit);
    let id = SessionId::new(broker.now(), broker.random()?);
    let whose = (permit.tenant().clone(), permit.principal().clone());
    Ok(SignedIn::new(id, whose, how, broker.now()))
}

fn presented<'a>(managing: &'a Managing<'_>) -> Option<&'a [u8]> {
    managing.admitted.inbound.capability.as_ref().map(http::HeaderValue::as_bytes)
}

/// When a session ends: with the key that it began with, if not before.
fn ends(managing: &Managing<'_>, session: &SignedIn) -> Timestamp {
    let own = session.expires();
    let How::Key(key) = session.how else { return own };
    let keys = managing.worker.broker().awake().keys_of(&session.tenant);
    let kept = keys.iter().find(|kept| kept.row.id == key);
    kept.and_then(|kept| kept.row.expires).map_or(own, |end| end.min(own))
}

fn described(managing: &Managing<'_>, session: Option<&SignedIn>) -> Value {
    let (broker, permit) = (managing.worker.broker(), &managing.admitted.permit);
    let known = broker.principals().find(permit.tenant(), permit.principal());
    let kind = match known.kind() {
        PrincipalKind::Unknown => None,
        kind => Some(kind.as_str()),
    };
    let how = match (session, managing.admitted.identified.caller.proof()) {
        (Some(session), _) => session.how.as_str(),
        (None, proof) => proof.as_str(),
    };
    json!({
        "principal": permit.principal(), "subject": session.and_then(|session| session.subject.clone()),
        "kind": kind, "tenant": permit.tenant(), "house": *permit.tenant() == broker.settings().tenant,
        "roles": known.roles().collect::<Vec<_>>(), "how": how,
        // It goes to the page with the answer that begins the session, and never again.
        "csrf": Value::Null,
        "created": session.map(|session| session.began),
        "expires": session.map(|session| ends(managing, session)),
        "idle": session.map(SignedIn::idle),
    })
}
