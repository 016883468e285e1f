//! From a condition as it is written to one that can be tested.

use std::net::IpAddr;

use ipnet::IpNet;
use regex::{Regex, RegexBuilder};

use super::{Compared, Computed, Condition, Subject, Test, Zone};
use crate::files::node::{Node, Value};
use crate::files::rule::Wildcard;
use crate::files::strict::{self, Fields, Mistake};
use crate::files::{Action, ProcessFact, ResourceName};

/// A condition's operator with its value, before it is known what is compared.
#[derive(Clone, Copy)]
pub(in crate::files) struct Written<'a> {
    pub(super) operator: Operator,
    pub(super) value: &'a Node,
}

/// How it is compared. `ne` and `not_in` are `eq` and `in` with the answer turned round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::files) enum Operator {
    Eq,
    Ne,
    In,
    NotIn,
    Regex,
    Gt,
    Lt,
    Contains,
}

impl Operator {
    pub(in crate::files) const WORDS: [(&'static str, Self); 8] = [
        ("eq", Self::Eq),
        ("ne", Self::Ne),
        ("in", Self::In),
        ("not_in", Self::NotIn),
        ("regex", Self::Regex),
        ("gt", Self::Gt),
        ("lt", Self::Lt),
        ("contains", Self::Contains),
    ];

    pub(super) const fn compared(self) -> Compared {
        match self {
            Self::Lt => Compared::Below,
            _ => Compared::Above,
        }
    }
}

/// What a condition is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Ip,
    Time,
    Environment,
    Identity,
    Resource,
    Action,
}

const TYPES: [(&str, Type); 6] = [
    ("ip", Type::Ip),
    ("time", Type::Time),
    ("environment", Type::Environment),
    ("identity", Type::Identity),
    ("resource", Type::Resource),
    ("action", Type::Action),
];

/// Reads one condition.
pub(in crate::files) fn read(node: &Node) -> Result<Condition, Mistake> {
    let fields =
        Fields::of(node, "a condition", &["type", "operator", "key", "value", "negate", "timezone"])?;
    let kind = strict::word(fields.need("type")?, "type", &TYPES)?;
    let operator = strict::word(fields.need("operator")?, "operator", &Operator::WORDS)?;
    let written = Written { operator, value: fields.need("value")? };
    let key = fields.text("key")?.unwrap_or_default();
    let key_line = fields.find("key").map_or(fields.line, |key| key.line);
    let negate = match fields.find("negate").map(|node| (&node.value, node.line)) {
        None => false,
        Some((Value::Bool(negate), _)) => *negate,
        Some((_, line)) => return Err(Mistake::new(line, "`negate` is `true` or `false`")),
    };
    let zone = zone(&fields, kind)?;
    let test = match kind {
        Type::Ip => address(key, key_line, written)?,
        Type::Time => super::clock_read::read(key, key_line, zone, written)?,
        Type::Environment | Type::Identity | Type::Resource | Type::Action => {
            texts(subject(kind, key, key_line)?, written)?
        }
    };
    let turned = matches!(operator, Operator::Ne | Operator::NotIn);
    Ok(Condition { test, inverted: turned != negate, shown: shown(&fields, key) })
}

fn zone(fields: &Fields<'_>, kind: Type) -> Result<Zone, Mistake> {
    let Some(node) = fields.find("timezone") else { return Ok(Zone::UTC) };
    if kind != Type::Time {
        return Err(Mistake::new(node.line, "`timezone` belongs to conditions of type `time`"));
    }
    let name = strict::text(node, "timezone")?;
    let wrong = || {
        Mistake::new(
            node.line,
            format!("the time zone `{name}` is unknown; use a name such as `Europe/Berlin`"),
        )
    };
    Zone::named(name).ok_or_else(wrong)
}

/// Which text a condition of this type reads.
fn subject(kind: Type, key: &str, line: usize) -> Result<Subject, Mistake> {
    let unknown = |known: &[&str]| Mistake::unknown(line, "the key", key, known.iter().copied());
    match (kind, key) {
        (Type::Resource, "" | "name" | "resource") => Ok(Subject::Resource),
        (Type::Resource, "type" | "kind") => Ok(Subject::ResourceKind),
        (Type::Resource, "path") => Ok(Subject::ResourcePath),
        (Type::Resource, _) => Err(unknown(&["name", "type", "path"])),
        (Type::Action, "" | "name" | "action") => Ok(Subject::Action),
        (Type::Action, _) => Err(unknown(&["name"])),
        (Type::Identity, "" | "name" | "identity") => Ok(Subject::Identity),
        (Type::Identity, _) => {
            let fact = ProcessFact::ALL.into_iter().find(|fact| fact.as_str() == key);
            let known: Vec<&str> =
                ["name"].into_iter().chain(ProcessFact::ALL.map(ProcessFact::as_str)).collect();
            fact.map(Subject::Process).ok_or_else(|| unknown(&known))
        }
        (Type::Environment, "") => {
            Err(Mistake::new(line, "the key `key` is missing: which fact of the environment?"))
        }
        (Type::Environment, _) => Ok(Subject::Environment(key.to_owned())),
        (Type::Ip | Type::Time, _) => Err(Mistake::new(line, "this type reads no text")),
    }
}

fn texts(subject: Subject, written: Written<'_>) -> Result<Test, Mistake> {
    let value = written.value;
    Ok(match written.operator {
        Operator::Eq | Operator::Ne => Test::Texts(subject.clone(), vec![wildcard(&subject, value)?]),
        Operator::In | Operator::NotIn => {
            let entries = strict::list(value, "value")?.iter().map(|entry| wildcard(&subject, entry));
            Test::Texts(subject.clone(), entries.collect::<Result<_, _>>()?)
        }
        Operator::Contains => Test::Contains(subject, parts(value)?),
        Operator::Regex => Test::Computed(Computed::Regex(subject, regex(value)?)),
        Operator::Gt | Operator::Lt => {
            let compared = written.operator.compared();
            Test::Computed(match &value.value {
                Value::Whole(number) => Computed::Number(subject, compared, *number),
                _ => Computed::Bytes(subject, compared, strict::text(value, "value")?.to_owned()),
            })
        }
    })
}

/// A text to compare with, in the one spelling that the subject has.
fn wildcard(subject: &Subject, node: &Node) -> Result<Wildcard, Mistake> {
    let text = match &node.value {
        Value::Whole(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => strict::text(node, "value")?.to_owned(),
    };
    let wrong = |error: String| Mistake::new(node.line, error);
    let text = match subject {
        _ if text == "*" => text,
        Subject::Resource => {
            text.parse::<ResourceName>().map_err(|error| wrong(error.to_string()))?.as_str().to_owned()
        }
        Subject::Action => {
            let words = Action::WORDS.map(|(word, _)| word);
            let action: Result<Action, _> = text.parse();
            action.map_err(|_| Mistake::unknown(node.line, "the action", &text, words))?.as_str().to_owned()
        }
        Subject::Process(ProcessFact::Sha256) if !is_digest(&text) => {
            return Err(wrong("a SHA-256 is 64 hexadecimal digits".to_owned()));
        }
        Subject::Process(ProcessFact::Sha256) => text.to_lowercase(),
        Subject::Process(ProcessFact::Executable) if !text.starts_with('/') => {
            return Err(wrong(format!("`{text}` is no path of a program: it begins with `/`")));
        }
        _ => text,
    };
    Wildcard::read(&text).map_err(|problem| wrong(problem.to_owned()))
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// One text or several, none of them empty.
pub(super) fn parts(node: &Node) -> Result<Vec<String>, Mistake> {
    let one = |node: &Node| match strict::text(node, "value")? {
        "" => Err(Mistake::new(node.line, "an empty text is part of every text")),
        text => Ok(text.to_owned()),
    };
    match &node.value {
        Value::List(_) => strict::list(node, "value")?.iter().map(one).collect(),
        _ => Ok(vec![one(node)?]),
    }
}

/// A regular expression for the whole text. Where it begins and ends has to be written, since a rule that somebody
/// believes to be about the whole is a hole where it is about a part, and the other way round.
pub(super) fn regex(node: &Node) -> Result<Regex, Mistake> {
    let text = strict::text(node, "value")?;
    let begins = text.starts_with('^') || text.starts_with(".*");
    let ends = (text.ends_with('$') && !text.ends_with("\\$")) || text.ends_with(".*");
    if !begins || !ends {
        let problem =
            "a regular expression says where it begins and ends: `^…$`, with `.*` where anything may stand";
        return Err(Mistake::new(node.line, problem));
    }
    let built = RegexBuilder::new(&format!("^(?:{text})$"))
        .nest_limit(REGEX_NESTING)
        .size_limit(REGEX_SIZE)
        .dfa_size_limit(REGEX_SIZE)
        .build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => Mistake::new(node.line, "this regular expression is too large"),
        error => {
            let said = error.to_string();
            let last = said.lines().last().unwrap_or_default().trim_start_matches("error: ");
            Mistake::new(node.line, format!("this is not a regular expression: {last}"))
        }
    })
}

fn address(key: &str, key_line: usize, written: Written<'_>) -> Result<Test, Mistake> {
    if !ADDRESS_KEYS.contains(&key) {
        return Err(Mistake::unknown(key_line, "the key", key, ["address"]));
    }
    let value = written.value;
    Ok(match written.operator {
        Operator::Eq | Operator::Ne => Test::Networks(vec![network(value)?]),
        Operator::In | Operator::NotIn => {
            Test::Networks(strict::list(value, "value")?.iter().map(network).collect::<Result<_, _>>()?)
        }
        // A network contains an address; a part of an address as text says nothing, and would let `110.1.2.3` pass for `10.1`.
        Operator::Contains => match &value.value {
            Value::List(_) => {
                Test::Networks(strict::list(value, "value")?.iter().map(network).collect::<Result<_, _>>()?)
            }
            _ => Test::Networks(vec![network(value)?]),
        },
        Operator::Regex => Test::Computed(Computed::AddressRegex(regex(value)?)),
        Operator::Gt | Operator::Lt => {
            let text = strict::text(value, "value")?;
            let than: IpAddr = text.parse().map_err(|_| not_an_address(value, text))?;
            Test::Computed(Computed::Address(written.operator.compared(), than.to_canonical()))
        }
    })
}

/// A network, or an address as the smallest one. Bits behind the prefix are a slip of the finger.
fn network(node: &Node) -> Result<IpNet, Mistake> {
    let text = strict::text(node, "value")?;
    let network: IpNet = match text.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().into(),
        Err(_) => text.parse().map_err(|_| not_an_address(node, text))?,
    };
    if network.trunc() != network {
        return Err(Mistake::new(
            node.line,
            format!("`{text}` has bits behind its prefix; did you mean `{}`", network.trunc()),
        ));
    }
    if network.addr() != network.addr().to_canonical() {
        return Err(Mistake::new(node.line, format!("`{text}` is IPv4 inside IPv6; write it as IPv4")));
    }
    Ok(network)
}

fn not_an_address(node: &Node, text: &str) -> Mistake {
    Mistake::new(
        node.line,
        format!("`{text}` is no address and no network, such as `10.1.2.3` or `10.0.0.0/8`"),
    )
}

/// The condition as one line for people.
fn shown(fields: &Fields<'_>, key: &str) -> String {
    let word = |key: &str| fields.text(key).ok().flatten().unwrap_or_default().to_owned();
    let negated = fields.find("negate").is_some_and(|node| matches!(node.value, Value::Bool(true)));
    let value = fields.find("value").map(value_shown).unwrap_or_default();
    let zone = word("timezone");
    let mut parts = vec![word("type")];
    parts.extend((!key.is_empty()).then(|| key.to_owned()));
    parts.extend(negated.then(|| "not".to_owned()));
    parts.extend([word("operator"), value]);
    parts.extend((!zone.is_empty()).then_some(zone));
    parts.join(" ")
}

fn value_shown(node: &Node) -> String {
    match &node.value {
        Value::Text(text) => format!("`{text}`"),
        Value::Whole(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::List(entries) => entries.iter().map(value_shown).collect::<Vec<_>>().join(", "),
        Value::Null | Value::Broken(_) | Value::Map(_) => String::new(),
    }
}

const ADDRESS_KEYS: [&str; 6] = ["", "address", "ip", "source_ip", "sourceIP", "sourceIp"];
/// The most memory that one compiled expression may take, in bytes.
const REGEX_SIZE: usize = 1 << 18;
/// The most groups within groups.
const REGEX_NESTING: u32 = 32;
