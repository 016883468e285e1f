//! Who signed in: by a session that is open, or, to open one, by a code.

use model::{Caller, Code, Fact, Proof, Refusal};
use tenancy::sessions::{How, SignedIn};

use super::{Identified, prove, unauthenticated};
use crate::broker::Broker;
use crate::inbound::{Asked, Inbound};

/// Whoever holds an open session. One that began with a key ends with the key.
pub(super) fn by_session(
    broker: &Broker,
    written: &[u8],
    inbound: &Inbound,
    facts: Fact,
) -> Result<Identified, Refusal> {
    let session = broker.sessions().find(written, broker.now())?;
    if let How::Key(key) = session.how {
        let kept = broker.awake().keys_of(&session.tenant);
        let good = kept.iter().any(|kept| kept.row.id == key && kept.row.state(broker.now()) == "active");
        if !good {
            broker.sessions().close(session.id);
            return Err(unauthenticated("the key that the session began with is over"));
        }
    }
    Ok(identified(session, inbound, facts))
}

/// Whoever holds a code that waits. It opens a session and does nothing else.
pub(super) fn by_code(
    broker: &Broker,
    written: &[u8],
    inbound: &Inbound,
    facts: Fact,
) -> Result<Identified, Refusal> {
    let opens = match &inbound.asked {
        Asked::Operate(operate) => {
            operate.integration.as_str() == "doorward" && operate.operation.as_str() == "session.open"
        }
        Asked::Forward(_) => false,
    };
    if !opens {
        return Err(Refusal::new(
            Code::Unauthenticated,
            "a code opens a session, and is good for nothing else",
        ));
    }
    let session = broker.sessions().waiting(written, broker.now())?;
    Ok(identified(session, inbound, facts))
}

fn identified(session: SignedIn, inbound: &Inbound, facts: Fact) -> Identified {
    let SignedIn { id, tenant, principal, subject, .. } = session;
    let caller: Caller = prove(tenant, principal, Proof::Session(id), inbound.door, facts);
    Identified { caller: caller.called(subject.map(Into::into)), verified: None, delivery: None }
}
