//! Compares what the servers saw and what the caller was told with the honest reading of each case.

use std::collections::BTreeMap;
use std::fmt;

use super::back_ends::Record;
use super::send::Reply;
use super::words::{Case, Expected, Must};

/// A case that was sent, and what came back.
pub(super) struct Trial {
    pub(super) case: Case,
    pub(super) replies: Vec<Reply>,
}

/// What must not be.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) case: String,
    back_end: &'static str,
    must: Must,
    pub(super) what: What,
    replies: Vec<Reply>,
}

#[derive(Debug)]
pub(super) enum What {
    /// A server parsed a request that only a misreading has.
    Smuggled(Record),
    /// A server saw a message that had to be refused, or was altered.
    NotRefused(Record),
    /// The server behind refused what the gateway passed on.
    PassedOn,
    /// No answer says that it was refused.
    NoRefusal,
    /// Answers and requests don't belong together.
    Answer { seen: Vec<String>, recorded: Vec<String> },
    /// Something of the honest reading is missing.
    NotServed(Vec<String>),
    /// A request without the credential, with two, or with the caller's own.
    Credential(Record),
    /// The connection stayed open and nothing came.
    Hangs,
    /// A record that belongs to no case.
    Stray(Record),
}

impl What {
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Smuggled(_) => "smuggled",
            Self::NotRefused(_) | Self::PassedOn | Self::NoRefusal => "not refused",
            Self::Answer { .. } => "answer",
            Self::NotServed(_) => "not served",
            Self::Credential(_) => "credential",
            Self::Hangs => "hangs",
            Self::Stray(_) => "stray",
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Smuggled(record) => write!(out, "parsed what only a misreading has: {record:?}"),
            Self::NotRefused(record) => write!(out, "parsed what had to be refused: {record:?}"),
            Self::PassedOn => out.write_str("refused what was passed on to it"),
            Self::NoRefusal => out.write_str("no answer is a refusal"),
            Self::Answer { seen, recorded } => {
                write!(out, "answers to {seen:?}, but parsed were {recorded:?}")
            }
            Self::NotServed(seen) => write!(out, "no more was served than {seen:?}"),
            Self::Credential(record) => write!(out, "another credential than the right one: {record:?}"),
            Self::Hangs => out.write_str("the connection stayed open and nothing came"),
            Self::Stray(record) => write!(out, "belongs to no case: {record:?}"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { case, back_end, must, what, replies } = self;
        write!(out, "{case} at {back_end} ({must:?}): {what}; answered {replies:?}")
    }
}

/// Every fault of these trials. `shown` is the credential that a server has to be shown, and the capability that it must not.
pub(super) fn all(
    back_end: &'static str,
    trials: &[Trial],
    records: &[Record],
    shown: (&str, &str),
) -> Vec<Fault> {
    let mut of_case: BTreeMap<&str, Vec<Record>> =
        trials.iter().map(|trial| (trial.case.nonce.as_str(), Vec::new())).collect();
    let mut faults = Vec::new();
    for record in records {
        match nonce(record) {
            Some(nonce) => {
                // Those of an earlier pass were judged then.
                if let Some(list) = of_case.get_mut(nonce.as_str()) {
                    list.push(record.clone());
                }
            }
            None => faults.push(Fault {
                case: String::new(),
                back_end,
                must: Must::Refuse,
                what: What::Stray(record.clone()),
                replies: Vec::new(),
            }),
        }
    }
    for Trial { case, replies } in trials {
        let records = of_case.remove(case.nonce.as_str()).unwrap_or_default();
        let found = one(case, replies, &records, shown);
        faults.extend(found.into_iter().map(|what| Fault {
            case: case.name.clone(),
            back_end,
            must: case.must,
            what,
            replies: replies.clone(),
        }));
    }
    faults
}

/// `n`, three digits, `x`, five digits, wherever it stands.
fn nonce(record: &Record) -> Option<String> {
    [&record.target, &record.body, &record.authorization].into_iter().find_map(|text| {
        let bytes = text.as_bytes();
        let found = bytes.windows(10).find(|ten| {
            ten[0] == b'n'
                && ten[4] == b'x'
                && ten[1..4].iter().all(u8::is_ascii_digit)
                && ten[5..].iter().all(u8::is_ascii_digit)
        });
        found.map(|nonce| String::from_utf8_lossy(nonce).into_owned())
    })
}

fn one(case: &Case, replies: &[Reply], records: &[Record], (credential, token): (&str, &str)) -> Vec<What> {
    let mut faults = Vec::new();
    let mut expected = case.requests.clone();
    if case.must != Must::Break {
        let (method, target) = ("GET".to_owned(), format!("/canary/{}", case.nonce));
        expected.push(Expected { method, target, body: String::new() });
    }
    // Whoever leaves, or gets a reset, is not told of what was served, and what comes next does not wait for it.
    let told = case.must != Must::Break && !replies.iter().any(|reply| reply.reset);
    let mut left = expected.clone();
    for record in records {
        let fits = |expected: &Expected| {
            expected.method == record.method
                && expected.target == record.target
                && (!record.whole || expected.body == record.body)
        };
        let here = left.iter().position(fits);
        match here {
            Some(at) if record.whole => drop(left.drain(if told { 0 } else { at }..=at)),
            // A message that broke off: its head was passed on before anybody could know.
            Some(_) => {}
            None if !record.whole && record.target == format!("/first/{}", case.nonce) => {}
            None if record.target.starts_with("/smuggled/") => faults.push(What::Smuggled(record.clone())),
            None => faults.push(What::NotRefused(record.clone())),
        }
        if record.whole && record.authorization != credential || record.authorization.contains(token) {
            faults.push(What::Credential(record.clone()));
        }
    }
    let recorded: Vec<String> = records
        .iter()
        .filter(|record| record.whole)
        .map(|record| format!("{} {}", record.method, record.target))
        .collect();
    let seen: Vec<String> = replies.iter().filter_map(|reply| reply.seen.clone()).collect();
    let belong = if told { seen == recorded } else { seen.iter().all(|one| recorded.contains(one)) };
    if !belong {
        faults.push(What::Answer { seen: seen.clone(), recorded });
    }
    if replies.iter().any(|reply| reply.passed) {
        faults.push(What::PassedOn);
    }
    if replies.iter().any(|reply| reply.hangs) {
        faults.push(What::Hangs);
    }
    let refused = replies.iter().any(|reply| reply.refusal.is_some());
    let served = |expected: &Expected| seen.contains(&format!("{} {}", expected.method, expected.target));
    match case.must {
        // A connection that is closed without a word is a refusal in HTTP/1 only where the head was never whole.
        Must::Refuse if !refused && !replies.is_empty() => faults.push(What::NoRefusal),
        Must::Refuse | Must::Either | Must::Break => {}
        Must::Serve if !expected.iter().all(served) => faults.push(What::NotServed(seen)),
        Must::Serve => {}
    }
    faults
}
