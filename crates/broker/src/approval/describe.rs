//! What a call would do, for its digest and for whoever decides about it.

use bytes::Bytes;
use catalog::{Command, Integration};
use model::{Call, Code, Refusal};
use policy::Permit;

use super::row::{Body, What};
use crate::inbound::{Asked, Inbound};

/// A call, described to the last byte.
pub(super) struct Described {
    what: What,
    /// Headers and body as they are; what [`What`] has of them may be cut.
    headers: Vec<(String, Vec<u8>)>,
    body: Bytes,
    /// The digest of what came with an operation: it may be a secret, and is not kept.
    payload: Option<crypto::Digest>,
    /// How the program would be run: its files may be changed between the question and the answer.
    command: Option<Command>,
}

/// Describes a call, reading its body where it has one.
///
/// # Errors
/// Where something is asked that nobody can look at before it is done.
pub(super) async fn what(
    permit: &Permit,
    integration: &Integration,
    inbound: &mut Inbound,
) -> Result<Described, Refusal> {
    let call = permit.call();
    let unseen = |what: &str| {
        let message = format!("`{}` needs an approval, and {what}", call.operation());
        Refusal::new(Code::ApprovalRequired, message)
    };
    match &mut inbound.asked {
        Asked::Forward(forward) => {
            if forward.upgrade.is_some() {
                return Err(unseen("nobody can approve beforehand what is said over a WebSocket"));
            }
            let body = forward.whole(integration.limits()).await?;
            Ok(described((call, integration), super::counts(&forward.headers), body, (None, None)))
        }
        Asked::Operate(operate) => {
            if operate.wish.is_some() {
                return Err(unseen("what a credential is made from can't be approved"));
            }
            let payload = operate.payload.as_ref().map(|payload| (payload.len(), payload.digest()));
            let operation = integration.operations().get(call.operation());
            // What it can't be told, its request may say: the program is not chosen then.
            let command = operation.and_then(catalog::Operation::cli).and_then(|cli| {
                Some((cli.program().to_owned(), cli.command(&integration.as_if_read(call)).ok()?))
            });
            Ok(described((call, integration), Vec::new(), Bytes::new(), (payload, command)))
        }
    }
}

/// The length and the digest of what came with an operation.
type Brought = (usize, crypto::Digest);

fn described(
    (call, integration): (&Call, &Integration),
    headers: Vec<(String, Vec<u8>)>,
    body: Bytes,
    (payload, command): (Option<Brought>, Option<(String, Command)>),
) -> Described {
    // Any other one may be a credential that the caller has for something else.
    let text = |name: &str, value: &[u8]| match std::str::from_utf8(value) {
        Ok(text) if PLAIN.contains(&name) => text.to_owned(),
        _ => "(not shown)".to_owned(),
    };
    let what = What {
        integration: call.integration().clone(),
        operation: call.operation().clone(),
        access: call.access(),
        risk: call.risk(),
        resource: call.resource().clone(),
        inputs: integration.shown_inputs(call.operation(), call.inputs()).into_owned(),
        request: call.request().map(|(method, authority, target)| format!("{method} {authority}{target}")),
        program: command.as_ref().map(|(program, command)| {
            let args = command.args.iter().map(ToString::to_string);
            std::iter::once(program.clone()).chain(args).collect()
        }),
        headers: headers.iter().map(|(name, value)| (name.clone(), text(name, value))).collect(),
        body: match &payload {
            Some((length, _)) => {
                Some(Body { bytes: wide(*length), sha256: None, text: None, cut: *length > 0 })
            }
            None if body.is_empty() => None,
            None if integration.has_secret(call.operation(), call.inputs()) => {
                Some(Body { text: None, cut: true, ..excerpt(&body) })
            }
            None => Some(excerpt(&body)),
        },
    };
    let command = command.map(|(_, command)| command);
    Described { what, headers, body, payload: payload.map(|(_, digest)| digest), command }
}

fn excerpt(body: &Bytes) -> Body {
    let whole = std::str::from_utf8(body).ok();
    let text = whole.map(|text| text.chars().take(SHOWN).collect::<String>());
    let cut = text.as_ref().is_none_or(|text| text.len() < body.len());
    Body { bytes: wide(body.len()), sha256: Some(crypto::to_hex(&crypto::sha256(&[body]))), text, cut }
}

impl Described {
    /// Everything that makes it this call and no other.
    pub(super) fn parts(&self, part: &mut impl FnMut(&[u8])) {
        let Self { what, headers, body, payload, command } = self;
        let What {
            integration,
            operation,
            access,
            risk,
            resource,
            inputs,
            request,
            program,
            headers: _,
            body: _,
        } = what;
        for text in
            [integration.as_str(), operation.as_str(), access.as_str(), risk.as_str(), resource.as_str()]
        {
            part(text.as_bytes());
        }
        part(&wide(inputs.len()).to_be_bytes());
        for text in inputs.iter().flat_map(|(name, value)| [name, value]) {
            part(text.as_bytes());
        }
        part(request.as_deref().unwrap_or_default().as_bytes());
        part(&wide(headers.len()).to_be_bytes());
        for (name, value) in headers {
            part(name.as_bytes());
            part(value);
        }
        part(body);
        part(payload.as_ref().map_or(&[][..], |digest| &digest[..]));
        part(&wide(program.as_ref().map_or(0, Vec::len)).to_be_bytes());
        for text in program.iter().flatten() {
            part(text.as_bytes());
        }
        let Some(Command { args: _, stdin, files, folder }) = command else { return };
        for text in [stdin, folder] {
            part(text.as_deref().unwrap_or_default().as_bytes());
        }
        for text in files.iter().flat_map(|(name, value)| [name, value]) {
            part(text.as_bytes());
        }
    }

    /// What is stored of it.
    pub(super) fn shown(self) -> What {
        self.what
    }
}

fn wide(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Headers whose values say what is done, and are no credential.
const PLAIN: &[&str] = &[
    "accept",
    "content-encoding",
    "content-type",
    "if-match",
    "if-none-match",
    "idempotency-key",
    "prefer",
    "x-amz-target",
];
/// How many characters of a body are kept for whoever decides.
const SHOWN: usize = 16 * 1024;
