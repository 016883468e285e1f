//! The program's side of a call, on a thread that may wait.

use std::io::{Read, Write};

use keyring::Fault;
use model::{Code, Inputs, Refusal};
use zeroize::Zeroizing;

use super::distant;
use super::letter::{Enclosed, Letter, Malformed, sealed};
use super::wish;
use super::words::{Calling, Deed, Kept, Opening, Said, Which};
use crate::mint::{Shelf, Tools, What, Wish};
use crate::{Answer, Outbound};

/// Has a call performed by the broker at the other end of a connection that speaks [`PROTOCOL`](super::PROTOCOL). What it
/// needs of the wish's keyrings is done here, and people are asked here.
///
/// # Errors
/// The broker's refusal; `outcome_unknown` where the connection breaks.
pub fn ask(
    stream: &mut (impl Read + Write),
    (integration, operation): (&str, &str),
    inputs: Inputs,
    wish: &Wish,
) -> Result<Outbound, Refusal> {
    let Wish { what, tools, given } = wish;
    let mut enclosed = Vec::new();
    let (wanted, tooled, handed) = wish::written(what, (tools, given), &mut enclosed)?;
    let (integration, operation) = (integration.to_owned(), operation.to_owned());
    let calling = Calling { integration, operation, inputs, what: wanted, tools: tooled, given: handed };
    let opening = sealed(&Opening::Call(Box::new(calling)), &enclosed)
        .map_err(|error| Refusal::new(Code::BadRequest, format!("the call can't be written: {error}")))?;
    stream.write_all(&opening).map_err(|error| broken(&error.into()))?;
    drop(opening);
    loop {
        let mut letter = Letter::read(stream).map_err(|error| broken(&error))?;
        match letter.head().map_err(|error| broken(&error))? {
            Said::Ask(which, deed) => {
                let reply = kept(tools, (which, deed), letter).map_err(|error| broken(&error))?;
                stream.write_all(&reply).map_err(|error| broken(&error.into()))?;
            }
            Said::Stage(staged) => {
                if let What::Rotate(_, _, progress) = what {
                    progress.say(staged.stage());
                }
            }
            Said::Answer { evidence, value, lease } => {
                let answer = Answer { evidence, value, failed: false };
                let Some(lease) = lease else { return Ok(Outbound::Answer(answer)) };
                let lease = wish::lease(lease, &mut letter).map_err(|error| broken(&error))?;
                return Ok(Outbound::Lease(answer, Box::new(lease)));
            }
            Said::Refused(refused) => {
                return Err(refused.try_into().unwrap_or_else(|error| broken(&error)));
            }
        }
    }
}

/// What a keyring of ours does, as a message.
pub(super) fn kept(
    tools: &Tools,
    (which, deed): (Which, Deed),
    letter: Letter,
) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    let shelf = match which {
        Which::Keys => Some(&tools.keys),
        Which::Sessions => Some(&tools.sessions),
        Which::Other => tools.other.as_ref(),
    };
    let Some(shelf) = shelf else {
        let message = "there is no such keyring".to_owned();
        return sealed(&Kept::Failed { fault: Fault::Else, message, hint: None }, &[]);
    };
    let failed = |error: keyring::Error| {
        let (fault, hint) = (error.fault(), error.hint().map(ToOwned::to_owned));
        sealed(&Kept::Failed { fault, message: tools.said(&error), hint }, &[])
    };
    match deed {
        Deed::Names => match shelf.with(|keyring| keyring.names()) {
            Ok(names) => sealed(&Kept::Names(names), &[]),
            Err(error) => failed(error),
        },
        Deed::Get { name } => match read(shelf, &name) {
            Ok(item) => sealed(&Kept::Entry(distant::entry(&item)), &[Enclosed::Secret(&item.secret)]),
            Err(error) => failed(error),
        },
        Deed::Set(entry) => {
            let item = distant::item(entry, letter)?;
            shelf.with(|keyring| keyring.set(item)).map_or_else(failed, |()| sealed(&Kept::Done, &[]))
        }
        Deed::Remove { name } => {
            shelf.with(|keyring| keyring.remove(&name)).map_or_else(failed, |()| sealed(&Kept::Done, &[]))
        }
    }
}

/// One entry for the broker, which asks only with the permit and the receipt of the call in its hands.
fn read(shelf: &Shelf, name: &str) -> Result<keyring::Item, keyring::Error> {
    shelf.with(|keyring| keyring.get(name))
}

fn broken(error: &Malformed) -> Refusal {
    let message = format!("the running broker broke off during the call: {error}");
    Refusal::new(Code::OutcomeUnknown, message).hint("`doorward evidence list` says what came of it")
}
