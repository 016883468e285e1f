//! One block: what it is made of, from flags.

use crate::flags::{Error, Flag, Given};
use crate::yaml::Node;

use super::services::{Auth, Domain, Service};
use super::{general, reference, settings};

/// What flags are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    /// A new block.
    Add,
    /// One that is there.
    Update,
}

/// Every flag of a service.
pub(super) fn flags(service: &Service, purpose: For) -> Vec<Flag> {
    let mut flags =
        vec![Flag::new("name", "NAME", format!("what the block is called [default: {}]", service.name))];
    for secret in service.secrets() {
        let only = if secret.needed { "" } else { ": only for a block that nobody but they may call" };
        let help =
            format!("where {} is, such as `env:NAME`; again for more in rotation{only}", secret.meaning);
        let flag = Flag::new(&*secret.flag, "REFERENCE", help);
        flags.push(flag.required(secret.needed && purpose == For::Add).repeats());
    }
    flags.push(match &service.domain {
        Domain::Fixed => Flag::new("domain", "HOST", "another host of the service"),
        Domain::Usually(usual) => Flag::new("domain", "HOST", format!("the host [default: {usual}]")),
        Domain::Yours => Flag::new("domain", "HOST", "your host").required(purpose == For::Add),
    });
    flags.extend(of_any_block());
    if purpose == For::Update {
        flags.push(Flag::new(
            "service",
            "SERVICE",
            "which service the block is for, where its name does not say",
        ));
    }
    flags
}

/// The flags of a block of whatever service.
pub(super) fn of_any_block() -> Vec<Flag> {
    let mut flags = vec![Flag::new("destination", "URL", "the whole address of the service")];
    flags.extend(settings::flags());
    flags.extend(general());
    flags
}

/// The name of a block: the key by which it is routed and found, in lower case.
pub(super) fn name(text: &str) -> Result<String, Error> {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if text.is_empty() || text.len() > 64 || !text.chars().all(known) {
        return Err(Error::new("a name holds letters, digits, `.`, `_` and `-`, at most 64 of them"));
    }
    Ok(text.to_ascii_lowercase())
}

/// A new block.
pub(super) fn new(service: &Service, given: &Given) -> Result<Node, Error> {
    let mut entries =
        vec![("name".to_owned(), Node::Text(name(given.one("name").unwrap_or(&service.name))?))];
    let mut put = |key: &str, value: Node| entries.push((key.to_owned(), value));
    put("destination", Node::Text(address(service, given)?));
    let said = settings::given(given)?;
    for key in ["in_rate_limit", "out_rate_limit"] {
        let limit = said.iter().find(|(known, _)| *known == key).map(|(_, value)| value.clone());
        put(key, limit.unwrap_or(Node::Number(USUAL_LIMIT)));
    }
    for (key, value) in
        said.into_iter().filter(|(key, _)| !matches!(*key, "in_rate_limit" | "out_rate_limit"))
    {
        put(key, value);
    }
    for (key, auths) in [("incoming_auth", &service.incoming), ("outgoing_auth", &service.outgoing)] {
        let said = |auth: &&Auth| {
            auth.secret
                .as_ref()
                .is_none_or(|secret| secret.needed || given.all(&secret.flag).next().is_some())
        };
        let auths = auths.iter().filter(said).map(|auth| entry(auth, given));
        let auths = auths.collect::<Result<Vec<_>, _>>()?;
        if !auths.is_empty() {
            put(key, Node::List(auths));
        }
    }
    Ok(Node::Map(entries))
}

/// The address of a new block.
fn address(service: &Service, given: &Given) -> Result<String, Error> {
    if let Some(changed) = moved(Some(service), &service.destination, given)? {
        return Ok(changed);
    }
    let usual = match &service.domain {
        Domain::Usually(usual) => usual,
        Domain::Fixed | Domain::Yours => "",
    };
    Ok(service.destination.replace("{domain}", usual))
}

/// The address that flags say, where they say one. `now` is the one that it has.
pub(super) fn moved(service: Option<&Service>, now: &str, given: &Given) -> Result<Option<String>, Error> {
    let (whole, host) = (given.one("destination"), given.one("domain"));
    match (whole, host) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(Error::new("`-destination` and `-domain` say the same thing")),
        (Some(url), None) => {
            let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
            let (place, _) = rest
                .map(|rest| rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len())))
                .unwrap_or_default();
            let clean = !url.contains(|c: char| c.is_whitespace() || c.is_control() || c == '#');
            if !clean || !is_place(place.strip_prefix("*.").unwrap_or(place)) {
                return Err(Error::new(
                    "`-destination` takes an address such as `https://api.example.com/v1`",
                ));
            }
            Ok(Some(url.to_owned()))
        }
        (None, Some(domain)) => {
            let bare = domain.strip_prefix("https://").or_else(|| domain.strip_prefix("http://"));
            let (scheme, place) = match bare {
                Some(bare) => (
                    if domain.starts_with("https") { "https://" } else { "http://" },
                    bare.trim_end_matches('/'),
                ),
                None => ("https://", domain.trim_end_matches('/')),
            };
            if !is_place(place) {
                return Err(Error::new(
                    "`-domain` takes a host such as `example.com`, with a port if it has one",
                ));
            }
            let template = service.map_or(now, |service| &service.destination);
            let (_, rest) = template.split_once("://").unwrap_or(("", template));
            let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default();
            Ok(Some(format!("{scheme}{place}{path}")))
        }
    }
}

/// Whether this is a host, with a port or without.
fn is_place(text: &str) -> bool {
    let (host, port) = text.rsplit_once(':').unwrap_or((text, "443"));
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    host.len() <= 253 && host.split('.').all(label) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// One entry of `outgoing_auth` or `incoming_auth`.
fn entry(auth: &Auth, given: &Given) -> Result<Node, Error> {
    let mut params = Vec::new();
    if let Some(references) = references(auth, given)? {
        params.push(("secrets".to_owned(), references));
    }
    params.extend(auth.params.iter().map(|(key, value)| ((*key).to_owned(), Node::text(value.as_str()))));
    Ok(Node::map([("type", Node::text(auth.kind)), ("params", Node::Map(params))]))
}

/// Where the secrets of an entry are, where that was said.
pub(super) fn references(auth: &Auth, given: &Given) -> Result<Option<Node>, Error> {
    let Some(secret) = &auth.secret else { return Ok(None) };
    let mut references = Vec::new();
    for text in given.all(&secret.flag) {
        reference::check(&secret.flag, text)?;
        references.push(Node::text(text));
    }
    Ok((!references.is_empty()).then_some(Node::List(references)))
}

/// Calls in a window, for one caller and for all of them.
const USUAL_LIMIT: i64 = 100;
