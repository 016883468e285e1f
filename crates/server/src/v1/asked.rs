//! What a request asks for: path, query and body, read against the table. Whatever the table does not name is refused, with the
//! name that was probably meant.

use std::collections::BTreeMap;

use broker::Payload;
use http::HeaderMap;
use model::{Code, Inputs, Refusal};
use serde_json::{Map, Value};
use zeroize::Zeroize;

use super::openapi;
use super::problem::{Problem, Wrong};
use super::route::{Carries, Kind, Need, Place, Route, Take, To};

/// A request that was read.
pub(crate) struct Asked {
    /// The inputs of the operation.
    pub(crate) inputs: Inputs,
    /// What goes along.
    pub(crate) payload: Option<Payload>,
    /// Members that items of a list must have, and their values.
    pub(crate) filters: Vec<(&'static str, String)>,
    /// A text that has to stand in an item, in lower case.
    pub(crate) search: Option<String>,
    /// How many items a page has.
    pub(crate) limit: usize,
    /// Where the page goes on.
    pub(crate) cursor: Option<String>,
}

impl Asked {
    /// Reads a request against its route.
    pub(crate) fn read(
        route: &Route,
        places: &BTreeMap<&'static str, String>,
        (query, headers): (Option<&str>, &HeaderMap),
        body: &[u8],
    ) -> Result<Self, Problem> {
        let mut body = members(route, body)?;
        let read = Self::of(route, places, (query, headers), &mut body);
        wipe(&mut body);
        read
    }

    fn of(
        route: &Route,
        places: &BTreeMap<&'static str, String>,
        (query, headers): (Option<&str>, &HeaderMap),
        body: &mut Value,
    ) -> Result<Self, Problem> {
        let query = pairs(route, query)?;
        let mut asked = Self {
            inputs: Inputs::new(),
            payload: None,
            filters: Vec::new(),
            search: None,
            limit: USUAL,
            cursor: None,
        };
        let mut wrong = Vec::new();
        // Whoever says it counts on it.
        for name in ["If-Match", "If-None-Match", "Idempotency-Key"] {
            let once = name == "Idempotency-Key" && openapi::takes_key(route);
            let heeds = once || route.takes.iter().any(|take| take.name == name);
            if route.method != "GET" && !heeds && headers.contains_key(name) {
                wrong.push(Wrong::field(name, "is not heeded here; leave it out"));
            }
        }
        for take in route.takes {
            if let To::Fixed(name, value) = take.to {
                asked.inputs.insert(name.to_owned(), value.to_owned());
                continue;
            }
            let given = match take.place {
                Place::Path => places.get(take.name).cloned().map(Value::String),
                Place::Query => query.get(take.name).cloned().map(Value::String),
                Place::Head => lines(headers, take.name).map(Value::String),
                Place::Body => body.get(take.name).filter(|value| !value.is_null()).cloned(),
            };
            match given {
                None if take.need == Need::Must => wrong.push(Wrong::field(take.name, "is missing")),
                None => {}
                Some(mut given) => {
                    match text(take, &given) {
                        Ok(text) => {
                            if let Err(why) = asked.keep(take, text, places) {
                                wrong.push(Wrong::field(take.name, why));
                            }
                        }
                        Err(why) => wrong.push(Wrong::field(take.name, why)),
                    }
                    wipe(&mut given);
                }
            }
        }
        if !wrong.is_empty() {
            return Err(Problem::wrong(wrong));
        }
        asked.payload = carried(route, body)?;
        Ok(asked)
    }

    fn keep(
        &mut self,
        take: &Take,
        text: String,
        places: &BTreeMap<&'static str, String>,
    ) -> Result<(), String> {
        match take.to {
            To::Input(name) => drop(self.inputs.insert(name.to_owned(), text)),
            To::Along => {
                let mut text = text;
                text.zeroize();
            }
            To::Filter(member) => self.filters.push((member, text)),
            To::Search => self.search = Some(text.to_lowercase()),
            To::Same(place) => {
                if places.get(place) != Some(&text) {
                    return Err(format!("has to be the same as `{place}` in the path"));
                }
            }
            To::Paging if take.name == "limit" => {
                let limit = text.parse().ok().filter(|limit| (1..=MOST).contains(limit));
                self.limit = limit.ok_or_else(|| format!("is a number from 1 to {MOST}"))?;
            }
            To::Paging => self.cursor = Some(text),
            To::Fixed(..) => {}
        }
        Ok(())
    }
}

/// The lines of a header as the list that they are together.
fn lines(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines: Vec<&str> =
        headers.get_all(name).iter().filter_map(|line| line.to_str().ok()).map(str::trim).collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}

/// The members of the body; nothing but those that the route takes.
pub(crate) fn members(route: &Route, body: &[u8]) -> Result<Value, Problem> {
    let known: Vec<&str> =
        route.takes.iter().filter(|take| take.place == Place::Body).map(|take| take.name).collect();
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let mut read = broker::document::read(body).map_err(|error| {
        // The error itself may repeat what stands there.
        let (line, column) = (error.line(), error.column());
        let twice = broker::document::says_twice(&error);
        let what = if twice { "the body has a key twice" } else { "the body is not JSON" };
        Problem::of(Refusal::new(Code::BadRequest, format!("{what}: line {line}, column {column}")))
    })?;
    let Value::Object(members) = &read else {
        wipe(&mut read);
        return Err(Problem::of(Refusal::new(Code::BadRequest, "the body is not a JSON object")));
    };
    let unknown: Vec<Wrong> = members
        .keys()
        .filter(|name| !known.contains(&name.as_str()))
        .map(|name| unknown(name, &known))
        .collect();
    if unknown.is_empty() {
        return Ok(read);
    }
    wipe(&mut read);
    Err(Problem::wrong(unknown))
}

/// The words of the query, each once.
fn pairs(route: &Route, query: Option<&str>) -> Result<BTreeMap<String, String>, Problem> {
    let known: Vec<&str> = route
        .takes
        .iter()
        .filter(|take| take.place == Place::Query && !take.name.is_empty())
        .map(|take| take.name)
        .collect();
    let mut found = BTreeMap::new();
    let mut wrong = Vec::new();
    for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = |text: &str| {
            let spaced = text.replace('+', " ");
            percent_encoding::percent_decode_str(&spaced).decode_utf8().ok().map(|text| text.into_owned())
        };
        let (Some(name), Some(value)) = (decoded(name), decoded(value)) else {
            return Err(Problem::of(Refusal::new(Code::BadRequest, "the query is not UTF-8")));
        };
        if !known.contains(&name.as_str()) {
            wrong.push(unknown(&name, &known));
        } else if found.insert(name.clone(), value).is_some() {
            wrong.push(Wrong::field(&name, "is there twice"));
        }
    }
    if wrong.is_empty() { Ok(found) } else { Err(Problem::wrong(wrong)) }
}

fn unknown(name: &str, known: &[&str]) -> Wrong {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    let nearest = known
        .iter()
        .map(|one| (strsim::damerau_levenshtein(one, &shown), one))
        .min()
        .filter(|(distance, one)| *distance <= 1 + one.len() / 3);
    match nearest {
        Some((_, one)) => Wrong::field(&shown, format!("is not known here; did you mean `{one}`?")),
        None if known.is_empty() => Wrong::field(&shown, "is not known here; nothing is taken"),
        None => Wrong::field(&shown, format!("is not known here; known are {}", known.join(", "))),
    }
}

/// A value as the text of an input.
fn text(take: &Take, given: &Value) -> Result<String, String> {
    let plain = |text: &str, most: usize| {
        if text.is_empty() {
            return Err("is empty".to_owned());
        }
        if text.chars().count() > most {
            return Err(format!("has more than {most} characters"));
        }
        Ok(text.to_owned())
    };
    match (take.kind, given) {
        (Kind::Text(most), Value::String(text)) => plain(text, most),
        (Kind::Id(_), Value::String(text)) => plain(text, LONGEST_NAME),
        (Kind::Word(words), Value::String(text)) => match words.contains(&text.as_str()) {
            true => Ok(text.clone()),
            false => Err(format!("is one of {}", words.join(", "))),
        },
        (Kind::List, Value::Array(items)) => {
            let texts = items.iter().map(|item| match item {
                Value::String(text) if !text.contains(',') => plain(text, LONGEST_ITEM),
                _ => Err("is a list of texts without commas".to_owned()),
            });
            let texts = texts.collect::<Result<Vec<_>, _>>()?;
            if texts.is_empty() { Err("is empty".to_owned()) } else { Ok(texts.join(",")) }
        }
        (Kind::List, Value::String(text)) if take.place == Place::Query => plain(text, LONGEST_LIST),
        (Kind::Flag, Value::Bool(flag)) => Ok(flag.to_string()),
        (Kind::Flag, Value::String(text)) if take.place == Place::Query => match text.as_str() {
            "true" | "false" => Ok(text.clone()),
            _ => Err("is `true` or `false`".to_owned()),
        },
        (Kind::Number, Value::Number(number)) if number.is_u64() => Ok(number.to_string()),
        (Kind::Number, Value::String(text)) if take.place == Place::Query => plain(text, 20),
        (Kind::Object, Value::Object(_)) if matches!(take.to, To::Input(_)) => Ok(given.to_string()),
        // What goes along is taken where the body lies.
        (Kind::Object, Value::Object(_))
        | (Kind::Secret, Value::String(_) | Value::Object(_))
        | (Kind::Lines, Value::String(_)) => Ok(String::new()),
        (kind, _) => Err(match kind {
            Kind::Text(_) | Kind::Id(_) | Kind::Word(_) | Kind::Lines => "is a text".to_owned(),
            Kind::List => "is a list of texts".to_owned(),
            Kind::Flag => "is `true` or `false`".to_owned(),
            Kind::Number => "is a whole number".to_owned(),
            Kind::Object => "is an object".to_owned(),
            Kind::Secret => "is a text or an object".to_owned(),
        }),
    }
}

/// What goes along with the operation, in guarded memory.
fn carried(route: &Route, body: &mut Value) -> Result<Option<Payload>, Problem> {
    let bytes = match route.carries {
        Carries::Nothing => return Ok(None),
        Carries::Text(name) => match body.get_mut(name) {
            Some(Value::String(text)) => std::mem::take(text).into_bytes(),
            _ => return Err(Problem::wrong(vec![Wrong::field(name, "is a text")])),
        },
        Carries::Json(names) => {
            let mut members = Map::new();
            for (name, known) in names {
                if let Some(value) = body.get_mut(*name).filter(|value| !value.is_null()) {
                    members.insert((*known).to_owned(), value.take());
                }
            }
            let mut document = Value::Object(members);
            let bytes = serde_json::to_vec(&document);
            wipe(&mut document);
            bytes.map_err(|error| Problem::of(Refusal::new(Code::BadRequest, error.to_string())))?
        }
    };
    Payload::new(bytes).map(Some).map_err(Problem::of)
}

/// Overwrites every text of a document.
pub(crate) fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(list) => list.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Items of a page where nobody says, and at most.
const USUAL: usize = 100;
const MOST: usize = 1_000;
const LONGEST_NAME: usize = 64;
const LONGEST_ITEM: usize = 512;
const LONGEST_LIST: usize = 4_096;
