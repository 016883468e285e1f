//! What a rule wants of a body, against the body.

use std::borrow::Cow;

use super::fit::Fit;
use super::json::{self, Json};
use super::pairs::{self, Pair, Want, Words};
use super::rule::{Constraints, Fields, Wanted};
use super::{Request, graphql, rpc};

/// The body of a request, and its query; read when the first rule asks, and once.
pub(super) struct Body<'a> {
    request: &'a Request<'a>,
    bytes: Option<&'a [u8]>,
    read: Option<(Option<Pairs>, Content)>,
}

pub(super) type Pairs = Vec<(String, String)>;

/// What a body is.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// There is none.
    Empty,
    Json(Json),
    Form(Pairs),
    /// It can't be told, and why.
    Unclear(&'static str),
}

impl<'a> Body<'a> {
    pub(super) const fn new(request: &'a Request<'a>, bytes: Option<&'a [u8]>) -> Self {
        Self { request, bytes, read: None }
    }

    /// How it stands to all that a rule wants of it.
    pub(super) fn fit(&mut self, wants: &Constraints) -> Fit {
        if !wants.wants_body() {
            return Fit::Fits;
        }
        let (query, content) = self.read.get_or_insert_with(|| {
            let query = pairs::split(self.request.query.unwrap_or_default());
            (query, content(self.request, self.bytes))
        });
        let Some(query) = query else { return Fit::Doubt("the query can be read in two ways".to_owned()) };
        let fields = wants.body.as_ref().map_or(Fit::Fits, |fields| self::fields(fields, content, query));
        fields
            .and(|| wants.graphql.as_ref().map_or(Fit::Fits, |want| graphql::fit(want, content, query)))
            .and(|| wants.jsonrpc.as_ref().map_or(Fit::Fits, |want| rpc::methods(want, content, query)))
            .and(|| wants.aws_action.as_ref().map_or(Fit::Fits, |want| rpc::actions(want, content, query)))
    }
}

/// Reads a body as what its one content type says.
fn content(request: &Request<'_>, bytes: Option<&[u8]>) -> Content {
    let Some(bytes) = bytes else { return Content::Unclear("the body was not read") };
    let plain = |coding: &Vec<u8>| coding.trim_ascii().eq_ignore_ascii_case(b"identity");
    if !request.headers.received("content-encoding").iter().all(plain) {
        return Content::Unclear("the body is compressed");
    }
    if bytes.is_empty() {
        return Content::Empty;
    }
    let lines = request.headers.received("content-type");
    let [line] = lines.as_slice() else { return Content::Unclear("unsupported content type") };
    match std::str::from_utf8(line).ok().and_then(media_type).as_deref() {
        Some("application/json") => json::read(bytes).map_or(Content::Unclear("invalid json"), Content::Json),
        Some("application/x-www-form-urlencoded") => {
            match std::str::from_utf8(bytes).ok().and_then(pairs::split) {
                None => Content::Unclear("invalid form encoding"),
                // The content type that some clients say by themselves; many servers read the JSON all the same.
                Some(pairs) if is_json_as(&pairs) => Content::Unclear("the form may be read as JSON"),
                Some(pairs) => Content::Form(pairs),
            }
        }
        _ => Content::Unclear("unsupported content type"),
    }
}

/// Whether what was read as a form begins as an object or a list does, behind what a lenient reader skips: the white space of
/// any kind, a byte order mark, the zeroes of wider characters.
fn is_json_as(form: &Pairs) -> bool {
    let skipped = |c: char| c.is_whitespace() || matches!(c, '\0' | '\u{feff}' | '\u{b}');
    form.first().is_some_and(|(name, _)| name.trim_start_matches(skipped).starts_with(['{', '[']))
}

/// The media type in lower case, where its only parameter is that it is UTF-8.
fn media_type(line: &str) -> Option<Cow<'_, str>> {
    let (kind, parameters) = line.split_once(';').map_or((line, None), |(kind, rest)| (kind, Some(rest)));
    let utf8 = |rest: &str| {
        let (name, value) = rest.trim().split_once('=').unwrap_or((rest, ""));
        name.eq_ignore_ascii_case("charset")
            && matches!(value.trim_matches('"').to_ascii_lowercase().as_str(), "utf-8" | "utf8")
    };
    let plain = !kind.contains(',') && parameters.is_none_or(utf8);
    plain.then(|| Cow::Owned(kind.trim().to_ascii_lowercase()))
}

fn fields(fields: &Fields, content: &Content, query: &Pairs) -> Fit {
    let fit = match content {
        Content::Empty => Fit::all(fields.json.iter().map(|(name, wanted)| entry(&[], name, name, wanted))),
        Content::Unclear(why) => Fit::Doubt((*why).to_owned()),
        Content::Json(Json::Map(entries)) => {
            Fit::all(fields.json.iter().map(|(name, wanted)| entry(entries, name, name, wanted)))
        }
        Content::Json(_) => Fit::Doubt("invalid json".to_owned()),
        Content::Form(found) => match &fields.form {
            Some(form) => Fit::all(form.iter().map(|pair| pair.fit(found, Words::Form))),
            None => Fit::Doubt("invalid rule".to_owned()),
        },
    };
    beside(fields, query, fit)
}

/// Some services take what belongs into the body from the query as well.
fn beside(fields: &Fields, query: &Pairs, fit: Fit) -> Fit {
    let near = |name: &str| query.iter().any(|(found, _)| pairs::alike(found, name));
    let Some((name, _)) = fields.json.iter().find(|(name, _)| near(name)) else { return fit };
    let why = format!("body field {name} is in the query too");
    let might = match &fields.form {
        Some(form) => {
            let there = |pair: &&Pair| query.iter().any(|(found, _)| pairs::alike(found, &pair.name));
            form.iter().filter(there).all(|pair| !matches!(pair.fit(query, Words::Query), Fit::Fails(_)))
        }
        None => true,
    };
    if might { Fit::Doubt(why) } else { fit.doubted(&why) }
}

/// One key of an object. Servers differ in whether `Name` is `name`, so a key beside a similar one is in doubt.
fn entry(entries: &[(String, Json)], name: &str, path: &str, wanted: &Wanted) -> Fit {
    let near: Vec<&(String, Json)> =
        entries.iter().filter(|(key, _)| pairs::same_letters(key, name)).collect();
    let exact = near.iter().all(|(key, _)| key == name);
    if let Wanted::Absent = wanted {
        return match (near.is_empty(), exact) {
            (true, _) => Fit::Fits,
            (false, true) => Fit::Fails(format!("body field {path} value mismatch")),
            (false, false) => Fit::Doubt(format!("body field {path} is ambiguous")),
        };
    }
    let readings: Vec<Fit> = near.iter().map(|(_, value)| self::value(value, path, wanted)).collect();
    let unsure = format!("body field {path} is ambiguous");
    match readings.is_empty() {
        true => Fit::Fails(format!("missing body field {path}")),
        false if exact => Fit::any(&readings, &unsure),
        false => Fit::any(&readings, &unsure).doubted(&unsure),
    }
}

fn value(found: &Json, path: &str, wanted: &Wanted) -> Fit {
    let mismatch = || Fit::Fails(format!("body field {path} value mismatch"));
    let same = |same: bool| if same { Fit::Fits } else { mismatch() };
    match (wanted, found) {
        (Wanted::Map(wanted), Json::Map(entries)) => Fit::all(
            wanted.iter().map(|(name, wanted)| entry(entries, name, &format!("{path}.{name}"), wanted)),
        ),
        // Some services take the first of a list for the object, and one value for a list of it.
        (Wanted::Map(_), Json::List(inner)) => {
            let none = inner.iter().all(|one| matches!(value(one, path, wanted), Fit::Fails(_)));
            let why = format!("body field {path} not object");
            if none { Fit::Fails(why) } else { Fit::Doubt(why) }
        }
        (Wanted::Map(_), _) => Fit::Fails(format!("body field {path} not object")),
        (Wanted::List(wanted), Json::List(found)) => {
            Fit::all(wanted.iter().map(|wanted| element(found, path, wanted)))
        }
        (Wanted::List(wanted), _) => {
            let some = wanted.iter().any(|wanted| matches!(value(found, path, wanted), Fit::Fails(_)));
            let why = format!("body field {path} not array");
            if some { Fit::Fails(why) } else { Fit::Doubt(why) }
        }
        (Wanted::OneOf(choices), _) => {
            choices.iter().map(|wanted| value(found, path, wanted)).fold(mismatch(), |best, fit| {
                match (&best, &fit) {
                    (Fit::Fits, _) | (Fit::Doubt(_), Fit::Fails(_)) => best,
                    _ => fit,
                }
            })
        }
        (Wanted::Null, Json::Null) => Fit::Fits,
        (Wanted::Bool(wanted), Json::Bool(found)) => same(wanted == found),
        (Wanted::Number(wanted, _), Json::Number(found, _)) => same(wanted == found),
        (Wanted::Text(wanted), Json::Text(found)) => same(**wanted == **found),
        (Wanted::Test(test), Json::Text(found)) => same(test.matches(found)),
        // Many services take `"5"` for 5, and some the first of a list for the value.
        (_, Json::List(inner)) => {
            match inner.iter().all(|one| matches!(value(one, path, wanted), Fit::Fails(_))) {
                true => mismatch(),
                false => Fit::Doubt(format!("body field {path} value mismatch")),
            }
        }
        (wanted, found) => match (said(wanted), text(found)) {
            (Some(wanted), Some(found)) if wanted.matches(&found) => {
                Fit::Doubt(format!("body field {path} value mismatch"))
            }
            (None, Some(_)) | (_, None) if matches!(wanted, Wanted::Test(_)) => {
                Fit::Doubt(format!("body field {path} value mismatch"))
            }
            _ => mismatch(),
        },
    }
}

/// A list has to hold one element that fits.
fn element(found: &[Json], path: &str, wanted: &Wanted) -> Fit {
    let mut best = Fit::Fails(format!("body field {path} missing element"));
    for fit in found.iter().map(|found| value(found, path, wanted)) {
        match fit {
            Fit::Fits => return Fit::Fits,
            Fit::Doubt(why) => best = Fit::Doubt(why),
            Fit::Fails(_) => {}
        }
    }
    best
}

/// A value as the text that another kind of it would be written with.
fn text(found: &Json) -> Option<Cow<'_, str>> {
    match found {
        Json::Null => Some("null".into()),
        Json::Bool(is) => Some(if *is { "true" } else { "false" }.into()),
        Json::Number(_, text) => Some(Cow::Borrowed(text)),
        Json::Text(text) => Some(Cow::Borrowed(text)),
        Json::List(_) | Json::Map(_) => None,
    }
}

/// What is wanted as a test of a text.
fn said(wanted: &Wanted) -> Option<super::test::Test> {
    use super::test::Test;
    match wanted {
        Wanted::Null => Some(Test::Is("null".into())),
        Wanted::Bool(is) => Some(Test::Is(if *is { "true" } else { "false" }.into())),
        Wanted::Number(_, text) | Wanted::Text(text) => Some(Test::Is(text.clone())),
        Wanted::Test(test) => Some(test.clone()),
        Wanted::OneOf(choices) => {
            let texts: Option<Box<[Box<str>]>> = choices
                .iter()
                .map(|wanted| match said(wanted) {
                    Some(Test::Is(text)) => Some(text),
                    _ => None,
                })
                .collect();
            texts.map(Test::OneOf)
        }
        Wanted::Absent | Wanted::List(_) | Wanted::Map(_) => None,
    }
}

/// The fields as those of a form: `a: {b: x}` is `a[b]=x`. `None` where a form can't say it.
pub(super) fn as_form(fields: &[(Box<str>, Wanted)]) -> Option<Vec<Pair>> {
    let mut pairs = Vec::new();
    for (name, wanted) in fields {
        form_of(name, wanted, &mut pairs)?;
    }
    Some(pairs)
}

fn form_of(name: &str, wanted: &Wanted, pairs: &mut Vec<Pair>) -> Option<()> {
    let want = match wanted {
        Wanted::Map(inner) => {
            return inner
                .iter()
                .try_for_each(|(key, wanted)| form_of(&format!("{name}[{key}]"), wanted, pairs));
        }
        Wanted::Null => return None,
        Wanted::Absent => Want::Absent,
        Wanted::List(list) if list.is_empty() => Want::Present,
        Wanted::List(list) => Want::Values(list.iter().map(said).collect::<Option<_>>()?),
        one => Want::Values([said(one)?].into()),
    };
    pairs.push(Pair { name: name.into(), shown: name.into(), want });
    Some(())
}
