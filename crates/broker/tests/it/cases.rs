//! The case files of the catalogue, sent through the whole path to a service that compares every byte.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use catalog::{Catalog, Integration, cases};
use http::HeaderName;
use model::{Access, Code, Refusal};
use net::Body;
use serde::Deserialize;
use serde_json::Value;
use testkit::canary;

use crate::asking::{Ask, What};
use crate::house::{House, moved};
use crate::service::{Seen, reply};

mod script;
use script::Script;

/// One case as its file has it. `catalog` has its own reading of it; this one must not know less.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    title: Option<String>,
    pub(crate) request: Option<String>,
    named: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, Lines>,
    body: Option<Value>,
    pub(crate) operation: Option<String>,
    access: Option<String>,
    resource: Option<String>,
    inputs: Option<BTreeMap<String, String>>,
    sends: Option<Sends>,
    reply: Option<Reply>,
    evidence: Option<BTreeMap<String, String>>,
    // What `catalog` itself compares: nothing of it is sent.
    #[serde(rename = "shown")]
    _shown: Option<Value>,
    #[serde(rename = "unmet")]
    _unmet: Option<String>,
    // What is not there yet is asked for again.
    waits: Option<String>,
    #[serde(rename = "cli")]
    _cli: Option<Value>,
    pub(crate) refused: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Lines {
    One(String),
    Several(Vec<String>),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sends {
    #[serde(default)]
    url: String,
    headers: Option<BTreeMap<String, String>>,
    with: Option<BTreeMap<String, String>>,
    body: Option<Value>,
    refused: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reply {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
}

/// The cases of a built-in integration.
pub(crate) fn of(name: &str) -> Vec<Case> {
    serde_saphyr::from_str(cases::built_in(name).unwrap()).unwrap()
}

/// The names of all built-in integrations that are services.
pub(crate) fn services() -> Vec<String> {
    let names = Catalog::builtin().names().into_iter().map(|name| name.to_string());
    names
        .filter(|name| {
            !["aws-credentials", "azure-credentials", "doorward", "gcp-credentials"].contains(&name.as_str())
        })
        .collect()
}

/// A built-in integration; one that lives at an address of the user's own has one for its cases.
pub(crate) fn built_in(name: &str) -> Integration {
    cases::integration(&name.parse().unwrap()).unwrap()
}

/// A secret for a field. The id of a key for AWS has a form, and is in every request.
pub(crate) fn planted(field: &str, canary: impl FnOnce() -> String) -> String {
    if field == "access_key_id" { "AKIACANARYOFTHECASES".to_owned() } else { canary() }
}

impl Case {
    fn name(&self) -> &str {
        self.title.as_deref().or(self.request.as_deref()).or(self.named.as_deref()).unwrap()
    }

    /// The operation that it is about.
    pub(crate) fn about(&self) -> &str {
        self.operation.as_deref().or(self.named.as_deref()).unwrap_or_default()
    }

    /// Whether it ends in one request: it is not refused, nor only for a program, nor asked again.
    pub(crate) fn is_sent(&self) -> bool {
        self.refused.is_none()
            && self.waits.is_none()
            && self.sends.as_ref().is_some_and(|sends| sends.refused.is_none())
    }

    /// The code with which it is refused.
    fn refusal(&self) -> Option<&str> {
        self.refused.as_deref().or_else(|| self.sends.as_ref()?.refused.as_deref())
    }

    /// The operation by its name.
    pub(crate) fn named(&self, integration: &str) -> Option<Ask> {
        let inputs = self.inputs.clone().unwrap_or_default();
        let inputs: Vec<_> = inputs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.named.as_deref().map(|named| Ask::named(integration, named, &inputs))
    }

    /// The request that the operation makes by its name: method, target behind the base path, message.
    fn written(&self, integration: &str) -> Option<(String, String, catalog::Message)> {
        let integration = built_in(integration);
        let (name, inputs) =
            (self.named.as_deref()?.parse().unwrap(), self.inputs.clone().unwrap_or_default());
        let call = integration.named(model::EvidenceId::from_bytes([0; 16]), &name, inputs.clone()).unwrap();
        let (method, _, target) = call.request()?;
        let target = target.as_str().strip_prefix(integration.base_path()).unwrap().to_owned();
        Some((method.to_string(), target, integration.named_body(&name, inputs).unwrap()))
    }

    /// The request, as the gateway would read it; an error where its target has no canonical form.
    pub(crate) fn ask(&self, integration: &str) -> Result<Ask, model::ParseError> {
        if let Some((method, target, message)) = self.written(integration) {
            let ask = Ask::request(&method, &target).on(integration);
            let mut ask = ask.body(Body::full(message.body.unwrap_or_default()));
            let What::Forward { headers, .. } = &mut ask.what else { unreachable!() };
            for (name, value) in message.headers {
                headers.append(HeaderName::try_from(name).unwrap(), value.parse().unwrap());
            }
            return Ok(ask);
        }
        let (method, target) = self.request.as_deref().unwrap().split_once(' ').unwrap();
        target.parse::<model::Target>()?;
        let mut ask = Ask::request(method, target).on(integration).body(Body::full(self.bytes()));
        let What::Forward { headers, .. } = &mut ask.what else { unreachable!() };
        for (name, lines) in &self.headers {
            let name = HeaderName::try_from(name).unwrap();
            let lines = match lines {
                Lines::One(line) => std::slice::from_ref(line),
                Lines::Several(lines) => lines,
            };
            for line in lines {
                headers.append(&name, line.parse().unwrap());
            }
        }
        Ok(ask)
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        text(self.body.as_ref()).into_bytes()
    }

    /// What the service is to answer.
    fn answers(&self) -> Vec<u8> {
        let Some(Reply { status, headers, body }) = &self.reply else { return reply(200, &[], "") };
        let json = ("content-type", "application/json");
        let typed = body.is_some().then_some(json);
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(typed).collect();
        reply(*status, &headers, text(body.as_ref()))
    }
}

fn text(body: Option<&Value>) -> String {
    match body {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}

#[tokio::test]
async fn every_case_of_every_integration_is_sent_as_its_file_says() {
    for name in services() {
        let sent = of(&name).iter().filter(|case| case.is_sent()).count();
        assert_eq!(run(&name).await, sent, "{name}");
        let integration = built_in(&name);
        let operations = integration.operations().values().filter(|one| one.method().is_some()).count();
        assert!(sent >= operations, "{sent} cases for the {operations} operations of {name}");
    }
}

async fn run(name: &str) -> usize {
    let answers = Arc::<Mutex<VecDeque<Script>>>::default();
    let service = script::service(Arc::clone(&answers));
    let base = built_in(name);
    let house = House::start(&[(name, moved(name, &format!("{}{}", service.url(), base.base_path())))]).await;
    let mut secrets = BTreeMap::new();
    for field in base.secrets().keys() {
        let secret = planted(field, || canary::plant(&format!("{name}-{field}")));
        house.put(&format!("{name}/{field}"), &secret).await;
        secrets.insert(field.clone(), secret);
    }
    if ["azure", "bigquery"].contains(&name) {
        // What is made of the key is the key itself here: see `moved`.
        secrets.insert("minted".to_owned(), secrets["key"].clone());
    }
    let capability = house.capability(&[("integrations", name)]).await;
    house.manage("role.grant", &[("principal", "agent"), ("role", "break-glass")]).await.unwrap();
    let (mut sent, mut before) = (0, 0);
    for case in of(name).into_iter().filter(|case| case.is_sent() || case.refusal().is_some()) {
        let about = format!("{name}: {}", case.name());
        let script = Script::of(name, &case, &secrets);
        let ask = case.named(name).map_or_else(|| case.ask(name), Ok);
        let result = match ask {
            Ok(ask) => {
                answers.lock().unwrap().push_back(script.clone());
                let ask = match base.operations().get(case.about()) {
                    Some(operation) => ask.breaking_glass_for(operation),
                    None if base.guards_undescribed() => ask.breaking_glass(),
                    None => ask,
                };
                house.got(ask.with(&capability)).await
            }
            Err(error) => Err(Refusal::new(Code::BadRequest, error.to_string())),
        };
        if let Some(code) = case.refusal() {
            assert_eq!(result.unwrap_err().code.as_str(), code, "{about}");
            assert_eq!(service.seen().len(), before, "{about} reached the service");
            answers.lock().unwrap().clear();
            continue;
        }
        let got = result.unwrap_or_else(|refusal| panic!("{about}: {refusal:?}"));
        sent += 1;
        assert!(answers.lock().unwrap().is_empty(), "{about} did not reach the service");
        let seen = service.seen();
        compare(name, &case, script.own(&seen[before..], &about), &secrets, &about);
        before = seen.len();
        let wanted = case.reply.as_ref().map_or(200, |reply| reply.status);
        assert_eq!(got.status, wanted, "{about}");
        // By its name it is within an answer, without what is hidden; `told.rs` makes that.
        let apart = case.named.is_some()
            || case.request.as_deref().is_some_and(|request| request.starts_with("HEAD"));
        if !apart {
            let body = case.reply.as_ref().and_then(|reply| reply.body.as_ref());
            assert_eq!(got.text(), text(body), "{about}");
        }
        let entry = house.settled(got.id).await;
        recorded(&case, &entry, &about);
    }
    house.spotless();
    sent
}

/// The path and query that a case says are sent, with the credentials in it.
fn sent_path(case: &Case, secrets: &BTreeMap<String, String>) -> String {
    let url = &case.sends.as_ref().unwrap().url;
    let after = url.find("://").unwrap() + 3;
    let path = url[after..].find('/').map(|at| &url[after + at..]).unwrap();
    let encoded = |secret: &String| percent_encoding::utf8_percent_encode(secret, UNRESERVED).to_string();
    with_secrets(path, &secrets.iter().map(|(field, it)| (field.clone(), encoded(it))).collect())
}

/// A body with the credential where its placeholder was, as JSON where it is JSON.
fn body_with(name: &str, body: &[u8], secrets: &BTreeMap<String, String>) -> Result<Value, String> {
    let mut text = String::from_utf8(body.to_vec()).unwrap();
    for scheme in built_in(name).auth() {
        if let catalog::AuthScheme::Replace(replace) = scheme
            && let catalog::Find::Text(find) = &replace.find
        {
            text = text.replace(find.as_str(), &secrets[replace.secret.fields().next().unwrap()]);
        }
    }
    serde_json::from_str(&text).map_err(|_| text)
}

fn compare(name: &str, case: &Case, seen: &Seen, secrets: &BTreeMap<String, String>, about: &str) {
    let sends = case.sends.as_ref().unwrap();
    let path = &sent_path(case, secrets);
    let (method, body, with) = match case.written(name) {
        Some((method, _, message)) => {
            let body = sends.body.as_ref().map(|body| text(Some(body)).into_bytes());
            let with = sends.with.clone().unwrap_or_else(|| message.headers.into_iter().collect());
            (method, body.or(message.body).unwrap_or_default(), with)
        }
        None => {
            let (method, _) = case.request.as_deref().unwrap().split_once(' ').unwrap();
            (method.to_owned(), case.bytes(), BTreeMap::new())
        }
    };
    assert_eq!((seen.method.as_str(), seen.target.as_str()), (method.as_str(), path.as_str()), "{about}");
    let replaces = |scheme: &catalog::AuthScheme| matches!(scheme, catalog::AuthScheme::Replace(_));
    if case.named.is_none() && !built_in(name).auth().iter().any(replaces) {
        assert_eq!(seen.body, body, "{about}");
    }
    let parsed =
        serde_json::from_slice(&seen.body).map_err(|_| String::from_utf8(seen.body.clone()).unwrap());
    assert_eq!(parsed, body_with(name, &body, secrets), "{about}");
    for (name, value) in &with {
        let sent = seen.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
        assert_eq!(sent, Some(value.as_str()), "{about}: {name}");
    }
    let Some(wanted) = &sends.headers else { return };
    // What the case names, with the credential in the place of its canary; what the caller wrote; and the hop's own.
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in &seen.headers {
        all.entry(name.clone()).or_default().push(value.clone());
    }
    for (name, value) in wanted {
        let value = match with_secrets(value, secrets) {
            basic if basic.starts_with("Basic ") => {
                format!("Basic {}", crypto::to_base64(&basic.as_bytes()["Basic ".len()..]))
            }
            value => value,
        };
        assert_eq!(all.remove(name), Some(vec![value]), "{about}: {name}");
    }
    for (name, lines) in &case.headers {
        let Lines::One(line) = lines else { panic!("{about}: a header that is there twice is refused") };
        assert_eq!(all.remove(name), Some(vec![line.clone()]), "{about}: {name}");
    }
    for name in ["host", "content-length", "user-agent"].into_iter().chain(with.keys().map(String::as_str)) {
        all.remove(name);
    }
    assert!(all.is_empty(), "{about}: {all:?} is sent as well");
}

/// A text of a case file with the secrets in the places of their canaries.
fn with_secrets(text: &str, secrets: &BTreeMap<String, String>) -> String {
    secrets
        .iter()
        .fold(text.to_owned(), |text, (field, secret)| text.replace(&format!("CANARY-{field}"), secret))
}

/// How many secrets the schemes of an integration put on a request.
fn built_in_secrets(integration: &model::IntegrationName) -> usize {
    built_in(integration.as_str()).auth().iter().map(|scheme| scheme.fields().count()).sum()
}

/// RFC 3986, section 2.3.
const UNRESERVED: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn recorded(case: &Case, entry: &evidence::Entry, about: &str) {
    let evidence::What::Call(intent) = &entry.what else { panic!("{about}: {entry:?}") };
    let deed = &intent.deed;
    assert_eq!(deed.operation.as_str(), case.about(), "{about}");
    assert_eq!(Some(deed.access.as_str()), case.access.as_deref(), "{about}");
    assert_eq!(Some(deed.resource.as_str()), case.resource.as_deref(), "{about}");
    assert_eq!(intent.secrets.len(), built_in_secrets(&deed.integration), "{about}");
    // Those of a named operation have their defaults besides.
    if let Some(inputs) = case.inputs.as_ref().filter(|_| case.named.is_none()) {
        let mut digest = crypto::Hasher::new();
        for text in inputs.iter().flat_map(|(name, value)| [name, value]) {
            digest.update(&(text.len() as u64).to_be_bytes());
            digest.update(text.as_bytes());
        }
        assert_eq!(intent.inputs, digest.finish(), "{about}: the digest of the inputs");
    }
    let outcome = entry.outcome.as_ref().unwrap();
    if case.named.is_none() {
        assert_eq!(outcome.bytes_in, case.bytes().len() as u64, "{about}");
    }
    let mut fields: BTreeMap<String, String> = outcome.fields.iter().cloned().collect();
    // Whose sign-in served, and which way it was done, is ours to say, not the service's.
    fields.remove("profile");
    fields.remove("break_glass");
    if case.named.is_some() {
        assert_eq!(fields.remove("used").as_deref(), Some("http"), "{about}");
    }
    if case.reply.is_some() {
        assert_eq!(fields, case.evidence.clone().unwrap_or_default(), "{about}");
        assert_eq!(outcome.status, case.reply.as_ref().map(|reply| reply.status), "{about}");
    }
    assert_eq!(outcome.code, None, "{about}");
    assert!(deed.access == Access::Write || deed.operation.as_str() != "unknown", "{about}");
}
