//! Bytes to events. Only what the encoder writes is read.

use std::time::Duration;

use model::{
    Access, Authority, CapabilityId, Code, Door, EvidenceId, GrantId, KeyId, Method, Proof, Risk, SessionId,
    TenantName,
};

use super::{
    Answered, Closed, CounterId, Deed, Disclosure, Ending, Event, FIELD_NAME, FIELD_VALUE, FIELDS, Intent,
    Notice, Outcome, PATH, PURPOSE, REFERENCE, RESOURCE, RULE, Refused, Request, Settles, Use,
};
use crate::codec::Decoder;
use crate::{Kind, Wrong};

impl Kind {
    pub(crate) fn decode(byte: u8) -> Result<Self, Wrong> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == byte).ok_or(Wrong::Format("an unknown kind"))
    }
}

impl Event {
    pub(crate) fn decode(kind: Kind, tenant: &TenantName, body: &[u8]) -> Result<Self, Wrong> {
        let mut from = Decoder(body);
        let event = match kind {
            Kind::Intent => Self::Intent(Box::new(intent(&mut from, tenant, None)?)),
            Kind::Disclosed => {
                let disclosure = match from.byte()? {
                    1 => Disclosure::Reveal,
                    2 => Disclosure::NoSession,
                    _ => return Err(Wrong::Format("an unknown disclosure")),
                };
                Self::Intent(Box::new(intent(&mut from, tenant, Some(disclosure))?))
            }
            Kind::Outcome => Self::Outcome(settles(&mut from)?, outcome(&mut from)?),
            Kind::Head => Self::Head(settles(&mut from)?, outcome(&mut from)?),
            Kind::Close => Self::Close(settles(&mut from)?, closed(&mut from)?),
            Kind::Refused => Self::Refused(Box::new(refused(&mut from, tenant)?)),
            Kind::Started => Self::Started(from.name()?),
            Kind::Sealed => Self::Notice(Notice::Sealed),
            Kind::Unsealed => Self::Notice(Notice::Unsealed),
            Kind::Answered => Self::Answered(Box::new(answered(&mut from, tenant)?)),
            Kind::Forgotten => Self::Forgotten(forgotten(&mut from)?),
        };
        from.end()?;
        Ok(event)
    }
}

/// Which intent a body of [`Kind::Outcome`], [`Kind::Head`] or [`Kind::Close`] settles.
pub(crate) fn settles(from: &mut Decoder<'_>) -> Result<Settles, Wrong> {
    Ok(Settles { id: EvidenceId::from_bytes(from.fixed()?), intent: from.long()? })
}

fn intent(
    from: &mut Decoder<'_>,
    tenant: &TenantName,
    disclosure: Option<Disclosure>,
) -> Result<Intent, Wrong> {
    Ok(Intent {
        id: EvidenceId::from_bytes(from.fixed()?),
        tenant: tenant.clone(),
        principal: from.name()?,
        proof: proof(from)?,
        door: door(from)?,
        grant: from.maybe(|from| from.fixed().map(GrantId::from_bytes))?,
        narrowings: from.list(|from| from.fixed().map(CapabilityId::from_bytes))?,
        deed: deed(from)?,
        inputs: from.fixed()?,
        secrets: from.list(|from| {
            from.text(REFERENCE)?.parse().map_err(|_| Wrong::Format("an invalid secret reference"))
        })?,
        policy: from.fixed()?,
        purpose: from.maybe(|from| from.text(PURPOSE).map(str::to_owned))?,
        uses: from.list(|from| Ok(Use { id: from.fixed()?, most: from.long()? }))?,
        disclosure,
    })
}

fn answered(from: &mut Decoder<'_>, tenant: &TenantName) -> Result<Answered, Wrong> {
    let answered = Answered { asked: intent(from, tenant, None)?, outcome: outcome(from)? };
    if answered.asked.is_question() {
        Ok(answered)
    } else {
        Err(Wrong::Format("an answer to something that is no question"))
    }
}

fn forgotten(from: &mut Decoder<'_>) -> Result<Vec<CounterId>, Wrong> {
    let counters = from.list(|from| from.fixed())?;
    if counters.is_empty() { Err(Wrong::Format("a record of nothing")) } else { Ok(counters) }
}

fn refused(from: &mut Decoder<'_>, tenant: &TenantName) -> Result<Refused, Wrong> {
    Ok(Refused {
        id: EvidenceId::from_bytes(from.fixed()?),
        tenant: tenant.clone(),
        principal: from.maybe(Decoder::name)?,
        proof: from.maybe(proof)?,
        door: door(from)?,
        grant: from.maybe(|from| from.fixed().map(GrantId::from_bytes))?,
        deed: from.maybe(deed)?,
        code: code(from)?,
        rule: from.maybe(|from| from.text(RULE).map(str::to_owned))?,
    })
}

fn outcome(from: &mut Decoder<'_>) -> Result<Outcome, Wrong> {
    let outcome = Outcome {
        ending: ending(from)?,
        status: from.maybe(Decoder::short)?,
        code: from.maybe(code)?,
        duration: Duration::from_micros(from.long()?),
        bytes_in: from.long()?,
        bytes_out: from.long()?,
        fields: from
            .list(|from| Ok((from.text(FIELD_NAME)?.to_owned(), from.text(FIELD_VALUE)?.to_owned())))?,
    };
    if outcome.fields.len() > FIELDS { Err(Wrong::Format("too many fields")) } else { Ok(outcome) }
}

fn closed(from: &mut Decoder<'_>) -> Result<Closed, Wrong> {
    let closed = Closed {
        ending: ending(from)?,
        code: from.maybe(code)?,
        duration: Duration::from_micros(from.long()?),
        bytes_in: from.long()?,
        bytes_out: from.long()?,
        fields: Vec::new(),
    };
    if from.is_at_end() {
        return Ok(closed);
    }
    let fields =
        from.list(|from| Ok((from.text(FIELD_NAME)?.to_owned(), from.text(FIELD_VALUE)?.to_owned())))?;
    // One form only: no fields are no list.
    if fields.is_empty() || fields.len() > FIELDS {
        return Err(Wrong::Format("a wrong number of fields"));
    }
    Ok(Closed { fields, ..closed })
}

fn deed(from: &mut Decoder<'_>) -> Result<Deed, Wrong> {
    Ok(Deed {
        integration: from.name()?,
        operation: from.name()?,
        access: match from.byte()? {
            0 => Access::Read,
            1 => Access::Write,
            _ => return Err(Wrong::Format("an unknown access")),
        },
        risk: match from.byte()? {
            0 => Risk::Low,
            1 => Risk::Medium,
            2 => Risk::High,
            _ => return Err(Wrong::Format("an unknown risk")),
        },
        resource: from.text(RESOURCE)?.parse().map_err(|_| Wrong::Format("an invalid resource"))?,
        request: from.maybe(request)?,
    })
}

fn request(from: &mut Decoder<'_>) -> Result<Request, Wrong> {
    let method: Method = from.name()?;
    let scheme = match from.byte()? {
        0 => "http",
        1 => "https",
        _ => return Err(Wrong::Format("an unknown scheme")),
    };
    let host: String = from.name()?;
    let port = from.short()?;
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let authority: Authority =
        format!("{scheme}://{host}:{port}").parse().map_err(|_| Wrong::Format("an invalid upstream"))?;
    Ok(Request { method, authority, path: from.text(PATH)?.into(), query: from.maybe(|from| from.fixed())? })
}

fn ending(from: &mut Decoder<'_>) -> Result<Ending, Wrong> {
    let byte = usize::from(from.byte()?);
    Ending::ALL.get(byte).copied().ok_or(Wrong::Format("an unknown ending"))
}

fn proof(from: &mut Decoder<'_>) -> Result<Proof, Wrong> {
    match from.byte()? {
        1 => Ok(Proof::Capability(GrantId::from_bytes(from.fixed()?))),
        2 => Ok(Proof::Kernel),
        3 => Ok(Proof::Loopback),
        4 => Ok(Proof::Incoming),
        5 => Ok(Proof::Anonymous),
        6 => Ok(Proof::ApiKey(KeyId::from_bytes(from.fixed()?))),
        7 => Ok(Proof::Led(EvidenceId::from_bytes(from.fixed()?))),
        8 => Ok(Proof::Session(SessionId::from_bytes(from.fixed()?))),
        _ => Err(Wrong::Format("an unknown proof")),
    }
}

fn door(from: &mut Decoder<'_>) -> Result<Door, Wrong> {
    match from.byte()? {
        1 => Ok(Door::Gateway),
        2 => Ok(Door::Socket),
        3 => Ok(Door::Cli),
        4 => Ok(Door::Metadata),
        5 => Ok(Door::Server),
        _ => Err(Wrong::Format("an unknown door")),
    }
}

fn code(from: &mut Decoder<'_>) -> Result<Code, Wrong> {
    let word: String = from.name()?;
    Code::from_word(&word).ok_or(Wrong::Format("an unknown code"))
}
