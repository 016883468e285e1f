//! Between a wish and the message that carries it.

use std::sync::Arc;

use aws::mfa;
use aws::oidc::{Registration, Token};
use keyring::Kind;
use model::{Code, Refusal};

use super::distant::{Distant, Line};
use super::letter::{Enclosed, Letter, Malformed};
use super::words::{Handed, Leased, SignedIn, Tooled, Wanted, Which};
use crate::Lease;
use crate::mint::{Given, Left, Reach, Seeds, Shelf, Tools, What, Words};

/// What a message needs of a wish. Secrets are enclosed in the order in which [`what`], [`tools`] and [`given`] take them.
pub(super) fn written<'a>(
    what: &'a What,
    (tools, given): (&'a Tools, &'a Given),
    enclosed: &mut Vec<Enclosed<'a>>,
) -> Result<(Wanted, Tooled, Handed), Refusal> {
    Ok((wanted(what, enclosed)?, tooled(tools, enclosed), handed(given, enclosed)))
}

fn wanted<'a>(what: &'a What, enclosed: &mut Vec<Enclosed<'a>>) -> Result<Wanted, Refusal> {
    Ok(match what {
        What::Lease(of) => Wanted::Lease(of.clone()),
        What::Assume { base, role } => Wanted::Assume { base: leased(base, enclosed), role: role.clone() },
        What::Console(of, console) => Wanted::Console(of.clone(), console.clone()),
        What::ConsoleOf(lease, profile, console) => {
            Wanted::ConsoleOf(leased(lease, enclosed), profile.clone(), console.clone())
        }
        What::Token { start_url } => Wanted::Token { start_url: start_url.clone() },
        What::Add { profile, key } => Wanted::Add { profile: profile.clone(), key: leased(key, enclosed) },
        What::Remove { profile } => Wanted::Remove { profile: profile.clone() },
        What::Clear { of } => Wanted::Clear { of: of.clone() },
        What::List => Wanted::List,
        What::Rotate(of, becomes, _) => Wanted::Rotate(of.clone(), *becomes),
        What::AddSeed { serial, seed } => {
            enclosed.push(Enclosed::Secret(seed));
            Wanted::AddSeed { serial: serial.clone() }
        }
        What::RemoveSeed { serial } => Wanted::RemoveSeed { serial: serial.clone() },
        What::OfCloud(_) => {
            let message = "a running broker does not give tokens of Google and Microsoft yet";
            return Err(Refusal::new(Code::BadRequest, message)
                .hint("stop the broker, or choose another home with `DOORWARD_HOME`"));
        }
        What::Migrate { profile, overwrite, delete_source } => {
            Wanted::Migrate { profile: profile.clone(), overwrite: *overwrite, delete_source: *delete_source }
        }
        What::Answered { .. } => {
            return Err(Refusal::new(Code::BadRequest, "answers of a server have a connection of their own"));
        }
    })
}

fn tooled<'a>(tools: &'a Tools, enclosed: &mut Vec<Enclosed<'a>>) -> Tooled {
    let kind = |shelf: &Shelf| shelf.kind().name().to_owned();
    let Reach { https, http, except, bundle } = &tools.reach;
    enclosed.extend(https.iter().chain(http).map(|text| Enclosed::Text(text)));
    Tooled {
        keys: kind(&tools.keys),
        keys_at: tools.keys.place().to_owned(),
        sessions: (!tools.sessions.is(&tools.keys)).then(|| kind(&tools.sessions)),
        other: tools.other.as_ref().map(kind),
        other_at: tools.other.as_ref().map(Shelf::place).unwrap_or_default().to_owned(),
        seeds: tools.seeds,
        https: https.is_some(),
        http: http.is_some(),
        except: except.clone(),
        bundle: bundle.clone(),
        compatible: tools.words.is_some(),
    }
}

fn handed<'a>(given: &'a Given, enclosed: &mut Vec<Enclosed<'a>>) -> Handed {
    let Given { codes, credentials, token, signed_in, left: _ } = given;
    enclosed.extend(codes.iter().map(|(_, code)| Enclosed::Text(code.digits())));
    let credentials = credentials.as_ref().map(|lease| leased(lease, enclosed));
    enclosed.extend(token.iter().map(Enclosed::Secret));
    let signed_in = signed_in.as_ref().map(|(token, registration)| {
        enclosed.push(Enclosed::Secret(&token.access));
        enclosed.extend(token.refresh.iter().map(Enclosed::Secret));
        enclosed.push(Enclosed::Secret(&registration.client_secret));
        SignedIn {
            expires: token.expires,
            refresh: token.refresh.is_some(),
            client_id: registration.client_id.clone(),
            registration_expires: registration.expires,
        }
    });
    let codes = codes.iter().map(|(serial, _)| serial.clone()).collect();
    Handed { codes, credentials, token: token.is_some(), signed_in }
}

/// A lease without its secrets, which are enclosed.
pub(super) fn leased<'a>(lease: &'a Lease, enclosed: &mut Vec<Enclosed<'a>>) -> Leased {
    enclosed.push(Enclosed::Secret(&lease.secret_access_key));
    enclosed.extend(lease.session_token.iter().map(Enclosed::Secret));
    Leased {
        access_key_id: lease.access_key_id.clone(),
        session_token: lease.session_token.is_some(),
        expiration: lease.expiration,
    }
}

/// A lease with the secrets that are enclosed.
pub(super) fn lease(leased: Leased, letter: &mut Letter) -> Result<Lease, Malformed> {
    let Leased { access_key_id, session_token, expiration } = leased;
    let secret_access_key = letter.secret()?;
    let session_token = session_token.then(|| letter.secret()).transpose()?;
    Ok(Lease { access_key_id, secret_access_key, session_token, expiration })
}

/// What is wanted, with what came enclosed.
pub(super) fn what(wanted: Wanted, line: &Line, letter: &mut Letter) -> Result<What, Malformed> {
    Ok(match wanted {
        Wanted::Lease(of) => What::Lease(of),
        Wanted::Assume { base, role } => What::Assume { base: Arc::new(lease(base, letter)?), role },
        Wanted::Console(of, console) => What::Console(of, console),
        Wanted::ConsoleOf(leased, profile, console) => {
            What::ConsoleOf(lease(leased, letter)?, profile, console)
        }
        Wanted::Token { start_url } => What::Token { start_url },
        Wanted::Add { profile, key } => What::Add { profile, key: lease(key, letter)? },
        Wanted::Remove { profile } => What::Remove { profile },
        Wanted::Clear { of } => What::Clear { of },
        Wanted::List => What::List,
        Wanted::Rotate(of, becomes) => What::Rotate(of, becomes, Arc::new(line.clone())),
        Wanted::AddSeed { serial } => What::AddSeed { serial, seed: letter.secret()? },
        Wanted::RemoveSeed { serial } => What::RemoveSeed { serial },
        Wanted::Migrate { profile, overwrite, delete_source } => {
            What::Migrate { profile, overwrite, delete_source }
        }
    })
}

/// Keyrings at the other end, and the way to AWS that is used there.
pub(super) fn tools(tooled: Tooled, line: &Line, letter: &mut Letter) -> Result<Tools, Malformed> {
    let Tooled { keys, keys_at, sessions, other, other_at, seeds, https, http, except, bundle, compatible } =
        tooled;
    let shelf = |which, kind: &str| {
        let kind: Kind = kind.parse().map_err(|error| Malformed::Form(format!("{error}")))?;
        Ok::<_, Malformed>(match kind {
            // It is here, and not with the program.
            Kind::Doorward => Shelf::own(),
            kind => Shelf::new(Box::new(Distant { which, kind, line: line.clone() })),
        })
    };
    let https = https.then(|| letter.text()).transpose()?;
    let http = http.then(|| letter.text()).transpose()?;
    let reach = Reach { https, http, except, bundle };
    let wire = reach.wire().map_err(|error| Malformed::Form(error.to_string()))?;
    let keys = shelf(Which::Keys, &keys)?.at(&keys_at);
    Ok(Tools {
        sessions: match sessions {
            Some(kind) => shelf(Which::Sessions, &kind)?,
            None => keys.clone(),
        },
        other: other.map(|kind| shelf(Which::Other, &kind)).transpose()?.map(|shelf| shelf.at(&other_at)),
        keys,
        seeds,
        wire: Arc::new(wire),
        reach,
        // What a keyring says comes in the words of the program already; this makes the others follow.
        words: compatible.then(|| Arc::new(|_: &keyring::Error| None) as Arc<Words>),
    })
}

/// What a call is done with that needs no keyring.
pub(super) fn nothing(line: &Line) -> Result<Tools, Malformed> {
    let reach = Reach::default();
    let wire = reach.wire().map_err(|error| Malformed::Form(error.to_string()))?;
    let keys = Shelf::new(Box::new(Distant { which: Which::Keys, kind: Kind::File, line: line.clone() }));
    let (sessions, wire) = (keys.clone(), Arc::new(wire));
    Ok(Tools { sessions, keys, other: None, seeds: Seeds::Leave, wire, reach, words: None })
}

/// What the program got because a call before lacked it.
pub(super) fn given(handed: Handed, letter: &mut Letter) -> Result<Given, Malformed> {
    let Handed { codes, credentials, token, signed_in } = handed;
    let mut read = Vec::new();
    for serial in codes {
        let code = mfa::Code::given(&letter.text()?).map_err(|error| Malformed::Form(error.to_string()))?;
        read.push((serial, code));
    }
    let credentials = credentials.map(|leased| lease(leased, letter)).transpose()?;
    let token = token.then(|| letter.secret()).transpose()?;
    let signed_in = signed_in.map(|told| {
        let SignedIn { expires, refresh, client_id, registration_expires } = told;
        let access = letter.secret()?;
        let refresh = refresh.then(|| letter.secret()).transpose()?;
        let registration =
            Registration { client_id, client_secret: letter.secret()?, expires: registration_expires };
        Ok::<_, Malformed>((Token { access, refresh, expires }, registration))
    });
    Ok(Given { codes: read, credentials, token, signed_in: signed_in.transpose()?, left: Left::default() })
}
