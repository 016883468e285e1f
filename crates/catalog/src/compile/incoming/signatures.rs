//! Signatures over what came: of the services that people have webhooks from, and any other HMAC.

use std::time::Duration;

use model::{Authority, Target};

use super::{duration, header_name, place, plain_keys};
use crate::Incoming;
use crate::file::{GithubEntry, HmacEntry, SlackEntry, StripeEntry, TwilioEntry};
use crate::incoming::{Hmac, Manner, Once, Part, Signature};

pub(super) fn slack(entry: &SlackEntry) -> Result<Incoming, String> {
    let version = entry.version.as_deref().unwrap_or("v0");
    if version.is_empty() || version.len() > 8 || !version.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err("a version of the signature is letters and digits, such as `v0`".to_owned());
    }
    let tolerance = tolerance(entry.tolerance.as_ref())?;
    let manner = Manner::Slack {
        version: version.to_owned(),
        signature_header: header_name(entry.signature_header.as_deref().unwrap_or("x-slack-signature"))?,
        timestamp_header: header_name(
            entry.timestamp_header.as_deref().unwrap_or("x-slack-request-timestamp"),
        )?,
        tolerance,
    };
    let keys = plain_keys(entry.secret.as_ref(), entry.keys.as_deref())?;
    Ok(signature(Signature { keys, manner, once: entry.once.unwrap_or(Once::Sender), window: DAY }))
}

pub(super) fn github(entry: &GithubEntry) -> Result<Incoming, String> {
    let header = entry.header.as_deref().unwrap_or("x-hub-signature-256");
    let manner = Manner::Github(place(header, entry.prefix.as_deref().unwrap_or("sha256="))?);
    let keys = plain_keys(entry.secret.as_ref(), entry.keys.as_deref())?;
    let window = window(entry.window.as_ref())?;
    Ok(signature(Signature { keys, manner, once: entry.once.unwrap_or(Once::Sender), window }))
}

pub(super) fn stripe(entry: &StripeEntry) -> Result<Incoming, String> {
    let tolerance = tolerance(entry.tolerance.as_ref())?;
    let header = header_name(entry.header.as_deref().unwrap_or("stripe-signature"))?;
    let manner = Manner::Stripe { header, tolerance };
    let keys = plain_keys(entry.secret.as_ref(), entry.keys.as_deref())?;
    Ok(signature(Signature { keys, manner, once: entry.once.unwrap_or(Once::Sender), window: DAY }))
}

pub(super) fn twilio(entry: &TwilioEntry) -> Result<Incoming, String> {
    let base = entry.base.as_deref().map(base).transpose()?;
    let header = header_name(entry.header.as_deref().unwrap_or("x-twilio-signature"))?;
    let manner = Manner::Twilio { header, base };
    let keys = plain_keys(entry.secret.as_ref(), entry.keys.as_deref())?;
    let window = window(entry.window.as_ref())?;
    Ok(signature(Signature { keys, manner, once: entry.once.unwrap_or(Once::Sender), window }))
}

pub(super) fn hmac(entry: &HmacEntry) -> Result<Incoming, String> {
    let over = over(entry.over.as_deref().unwrap_or("{body}"))?;
    let signs_time = over.contains(&Part::Timestamp);
    let timestamp = match (&entry.timestamp_header, signs_time) {
        (Some(header), true) => Some((header_name(header)?, tolerance(entry.tolerance.as_ref())?)),
        (None, false) if entry.tolerance.is_none() => None,
        (None, false) => return Err("`tolerance` is for a time, which is not signed here".to_owned()),
        // A time that is not signed is whatever the sender of a copy writes.
        (Some(_), false) => return Err("the time is not signed: `over` has no `{timestamp}`".to_owned()),
        (None, true) => return Err("`timestamp_header` says where the time is".to_owned()),
    };
    let once = entry.once.unwrap_or(Once::Off);
    if once == Once::Sender {
        return Err("nothing is known of the sender's ids; `once` is `signature` or `off` here".to_owned());
    }
    let window = match (&timestamp, &entry.window) {
        (Some(_), Some(_)) => return Err("`tolerance` says how long a signature holds".to_owned()),
        // What is older is refused anyway, and what is as much ahead may come.
        (Some((_, tolerance)), None) => tolerance.saturating_mul(2),
        (None, given) => window(given.as_ref())?,
    };
    let manner = Manner::Hmac(Hmac {
        place: place(entry.header.as_deref().unwrap_or("x-signature"), &entry.prefix)?,
        algorithm: entry.algorithm,
        encoding: entry.encoding,
        over,
        timestamp,
    });
    let keys = plain_keys(entry.secret.as_ref(), entry.keys.as_deref())?;
    Ok(signature(Signature { keys, manner, once, window }))
}

fn signature(signature: Signature) -> Incoming {
    Incoming::Signature(Box::new(signature))
}

/// Reads `{timestamp}.{body}`.
fn over(text: &str) -> Result<Vec<Part>, String> {
    let wrong = || {
        "`over` is made of `{body}`, `{timestamp}`, `{method}`, `{target}` and text between them".to_owned()
    };
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let Some(at) = rest.find('{') else {
            parts.push(Part::Text(rest.to_owned()));
            break;
        };
        let (before, inner) = rest.split_at_checked(at).ok_or_else(wrong)?;
        if !before.is_empty() {
            parts.push(Part::Text(before.to_owned()));
        }
        let (word, behind) =
            inner.strip_prefix('{').and_then(|inner| inner.split_once('}')).ok_or_else(wrong)?;
        parts.push(match word {
            "body" => Part::Body,
            "timestamp" => Part::Timestamp,
            "method" => Part::Method,
            "target" => Part::Target,
            _ => return Err(wrong()),
        });
        rest = behind;
    }
    if !parts.contains(&Part::Body) {
        return Err("`over` has no `{body}`: the body could be anything".to_owned());
    }
    // Two parts without text between them could be cut in two ways.
    let glued = parts.windows(2).any(|pair| !pair.iter().any(|part| matches!(part, Part::Text(_))));
    if glued { Err("text has to stand between two parts of `over`".to_owned()) } else { Ok(parts) }
}

fn base(url: &str) -> Result<String, String> {
    let wrong =
        || "`base` is an address such as `https://hooks.example.com/twilio`, without a query".to_owned();
    let start = url.find("://").map(|at| at + 3).ok_or_else(wrong)?;
    let slash = url.get(start..).and_then(|rest| rest.find('/')).map_or(url.len(), |at| start + at);
    let (authority, path) = url.split_at_checked(slash).ok_or_else(wrong)?;
    let _: Authority = authority.parse().map_err(|_| wrong())?;
    let path = path.trim_end_matches('/');
    if !path.is_empty() {
        let read: Target = path.parse().map_err(|_| wrong())?;
        if read.query().is_some() {
            return Err(wrong());
        }
    }
    Ok(format!("{authority}{path}"))
}

fn tolerance(text: Option<&String>) -> Result<Duration, String> {
    duration(text, TOLERANCE, MOST_TOLERANCE)
}

fn window(text: Option<&String>) -> Result<Duration, String> {
    duration(text, DAY, MOST_WINDOW)
}

const TOLERANCE: Duration = Duration::from_secs(300);
const MOST_TOLERANCE: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
const MOST_WINDOW: Duration = Duration::from_secs(7 * 86_400);
