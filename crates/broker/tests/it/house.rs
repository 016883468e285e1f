//! A broker over a home of its own, and the reader of its evidence.
//!
//! Every request and answer that passes here is looked at for canaries, and [`House::spotless`] looks at what stays.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use broker::agent::{Config, Mode};
use broker::{Broker, Outbound, Settings, Stores, SystemClock, Worker};
use bytes::Bytes;
use evidence::{Entry, Filter, Reader, Refused, What};
use http::{HeaderMap, Response};
use http_body_util::BodyExt;
use model::{Clock, Code, EvidenceId, Refusal, TenantName, Timestamp};
use net::tls::{Outbound as Tls, Trust};
use net::{Body, Upstream, UpstreamConfig};
use secrets::{KeyFile, Setup};
use serde_json::Value;
use store::{Embedded, Journal, Storage};
use tempfile::TempDir;
use testkit::canary;

use crate::asking::{self, Ask};
use crate::storage::Evidence;

/// The user id of the home's owner.
pub(crate) const OWNER: u32 = 1000;

/// A clock that begins at the system's time and stands still until a test sets it ahead: nothing ends because the machine is slow.
pub(crate) struct Ahead(AtomicU64);

impl Default for Ahead {
    fn default() -> Self {
        Self(AtomicU64::new(SystemClock::default().now().millis()))
    }
}

impl Ahead {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// A home with an unsealed broker and one worker on the test's runtime.
pub(crate) struct House {
    pub(crate) folder: TempDir,
    pub(crate) broker: Arc<Broker>,
    pub(crate) worker: Arc<Worker>,
    pub(crate) clock: Arc<Ahead>,
    pub(crate) state: Arc<Embedded>,
    pub(crate) disk: Arc<Evidence>,
    pub(crate) reader: Arc<Reader>,
}

/// A reply as the caller has it.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) id: EvidenceId,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
    /// The text behind the status, where it is another one than usual.
    pub(crate) phrase: Option<Vec<u8>>,
}

impl Got {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

impl House {
    /// A home whose layer holds these files, by name.
    pub(crate) async fn start(files: &[(&str, String)]) -> Self {
        let files: Vec<_> = files.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect();
        Self::opened(files, |_| {}).await
    }

    /// The integration `house` alone, with its credential stored.
    pub(crate) async fn at(url: &str, secret: &str) -> Self {
        let house = Self::start(&[("house", plain(url))]).await;
        house.put("house/token", secret).await;
        house
    }

    pub(crate) async fn opened(files: Vec<(String, String)>, change: fn(&mut Settings)) -> Self {
        tokio::task::spawn_blocking(move || Self::open(&files, change)).await.unwrap()
    }

    fn open(files: &[(String, String)], change: fn(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let layer = folder.path().join("integrations");
        store::files::private_folder(&layer).unwrap();
        for (name, text) in files {
            write(&layer.join(format!("{name}.yaml")), text);
        }
        let state = Arc::new(Embedded::open(&folder.path().join("state.db")).unwrap());
        let key = KeyFile::create(folder.path().join("key")).unwrap();
        let (_keyring, _recovery) =
            secrets::init(&*state, &key, &TenantName::local(), |_| Ok::<_, secrets::Error>(())).unwrap();
        let disk = Arc::new(Evidence::new(Journal::open(&folder.path().join("evidence")).unwrap()));
        Self::over(folder, state, disk, Arc::new(Ahead::default()), change)
    }

    /// The same home after the process has ended and another one has begun.
    pub(crate) async fn restarted(self) -> Self {
        let Self { folder, broker, state, disk, clock, .. } = self;
        let again = move || {
            broker.close().unwrap();
            Self::over(folder, state, disk, clock, |_| {})
        };
        tokio::task::spawn_blocking(again).await.unwrap()
    }

    fn over(
        folder: TempDir,
        state: Arc<Embedded>,
        disk: Arc<Evidence>,
        clock: Arc<Ahead>,
        change: fn(&mut Settings),
    ) -> Self {
        let key = KeyFile::at(folder.path().join("key"));
        let (layer, lists) = (folder.path().join("integrations"), folder.path().join("lists"));
        let mut settings = Settings {
            tenant: TenantName::local(),
            owner_uid: OWNER,
            environment: Some("test".to_owned()),
            development: false,
            sessions_stay: false,
            layer,
            overlay: Arc::default(),
            origin: "doorward/test".to_owned(),
            threads: 1,
            lists,
            reading: broker::Reading::AtOnce,
        };
        change(&mut settings);
        let stores = Stores {
            state: Arc::clone(&state) as Arc<dyn Storage>,
            evidence: Arc::clone(&disk) as Arc<dyn Storage>,
        };
        let setup = Setup { reserved: vec![folder.path().join("state.db")], ..Setup::default() };
        let broker =
            Arc::new(Broker::open(stores, Arc::clone(&clock) as Arc<dyn Clock>, settings, setup).unwrap());
        broker.unseal(&key).unwrap();
        let development = Mode::Development;
        broker.configure_agent(Config { mode: development, ..Config::default() }).unwrap();
        let public = secrets::evidence_public_key(&*state).unwrap();
        let reader = Arc::new(Reader::new(Arc::clone(&disk) as Arc<dyn Storage>, public));
        let upstream = Upstream::new(UpstreamConfig::new(tls())).unwrap();
        let worker = Arc::new(Worker::new(Arc::clone(&broker), upstream, 0));
        Self { folder, broker, worker, clock, state, disk, reader }
    }

    /// Unseals as whoever starts the broker does: on a thread that may block.
    pub(crate) async fn unseal(&self) -> Result<(), Refusal> {
        let (broker, key) = (Arc::clone(&self.broker), self.folder.path().join("key"));
        tokio::task::spawn_blocking(move || broker.unseal(&KeyFile::at(key))).await.unwrap()
    }

    // === asking ===

    /// Asks, and looks for canaries in everything that somebody might print.
    pub(crate) async fn ask(&self, ask: Ask) -> Result<Outbound, Refusal> {
        let inbound = ask.inbound();
        let shown = format!("{inbound:?}");
        unseen(&shown, "the debug text of a request");
        assert!(!shown.contains("cap1_"), "a capability is in {shown}");
        let result = self.worker.call(inbound).await;
        unseen(&format!("{result:?}"), "the debug text of an answer");
        result
    }

    /// A reply, read to its end.
    pub(crate) async fn got(&self, ask: Ask) -> Result<Got, Refusal> {
        let head = matches!(&ask.what, asking::What::Forward { method, .. } if method == "HEAD");
        match self.ask(ask).await? {
            Outbound::Reply(id, reply) => {
                let got = collected(id, *reply).await.unwrap();
                if let Some(length) = got.headers.get("content-length").filter(|_| !head) {
                    assert_eq!(length.to_str().unwrap(), got.body.len().to_string());
                }
                Ok(got)
            }
            // An operation of a service by its name: the reply is within its answer.
            Outbound::Answer(answer) if answer.value.get("used").is_some() => {
                let status = answer.value["status"].as_u64().unwrap().try_into().unwrap();
                let body = Bytes::from(answer.value["output"].to_string());
                Ok(Got {
                    id: answer.evidence,
                    status,
                    headers: HeaderMap::new(),
                    body,
                    trailers: None,
                    phrase: None,
                })
            }
            other @ (Outbound::Answer(_) | Outbound::Lease(..)) => panic!("not a reply: {other:?}"),
        }
    }

    /// The refusal that this gets.
    pub(crate) async fn refused(&self, ask: Ask) -> Refusal {
        match self.ask(ask).await {
            Err(refusal) => refusal,
            Ok(answer) => panic!("it was not refused: {answer:?}"),
        }
    }

    /// The answer of an operation of Doorward itself.
    pub(crate) async fn answer(&self, ask: Ask) -> Result<(EvidenceId, Value), Refusal> {
        match self.ask(ask).await? {
            Outbound::Answer(answer) => Ok((answer.evidence, answer.value)),
            other @ (Outbound::Reply(..) | Outbound::Lease(..)) => panic!("not an answer: {other:?}"),
        }
    }

    /// Doorward's own operation, as the owner.
    pub(crate) async fn manage(&self, operation: &str, inputs: &[(&str, &str)]) -> Result<Value, Refusal> {
        self.answer(Ask::named("doorward", operation, inputs)).await.map(|(_, value)| value)
    }

    /// Stores a secret, which from now on must not be seen anywhere.
    pub(crate) async fn put(&self, name: &str, secret: &str) {
        known().add(secret);
        let ask = Ask::named("doorward", "secret.put", &[("name", name)]).payload(secret);
        self.answer(ask).await.unwrap();
    }

    /// A new capability, and its grant.
    pub(crate) async fn granted(&self, words: &[(&str, &str)]) -> (String, String) {
        let words: Vec<_> = [("for", "agent")].into_iter().chain(words.iter().copied()).collect();
        let answer = self.manage("capability.request", &words).await.unwrap();
        (answer["token"].as_str().unwrap().to_owned(), answer["grant"].as_str().unwrap().to_owned())
    }

    pub(crate) async fn capability(&self, words: &[(&str, &str)]) -> String {
        self.granted(words).await.0
    }

    /// A capability for everything on the integration `house`.
    pub(crate) async fn pass(&self) -> String {
        self.capability(&[("integrations", "house")]).await
    }

    // === the agent ===

    /// What the agent answers to a message of the owner.
    pub(crate) async fn agent(&self, operation: &str, payload: &str) -> Result<Value, Refusal> {
        self.agent_as(OWNER, operation, payload).await
    }

    /// What the agent answers to a message of this user.
    pub(crate) async fn agent_as(&self, uid: u32, operation: &str, payload: &str) -> Result<Value, Refusal> {
        let ask = Ask::named("doorward", operation, &[]).uid(Some(uid)).payload(payload);
        self.answer(ask).await.map(|(_, value)| value)
    }

    /// The name of a capability that the owner asks for.
    pub(crate) async fn name(&self, request: &str) -> String {
        let answer = self.agent("agent.request", request).await.unwrap();
        assert_eq!(answer["status"], "granted", "{answer}");
        answer["capability"]["id"].as_str().unwrap().to_owned()
    }

    // === evidence ===

    /// Everything that is recorded, the newest first.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let filter = Filter { limit: 100_000, ..Filter::of(TenantName::local()) };
        self.reader.list(&filter).unwrap()
    }

    /// What is recorded of one call, as soon as it holds.
    pub(crate) async fn entry_when(&self, id: EvidenceId, holds: impl Fn(&Entry) -> bool) -> Entry {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let found = self.entries().into_iter().find(|entry| id_of(entry) == Some(id));
            match found {
                Some(entry) if holds(&entry) => return entry,
                found => assert!(Instant::now() < until, "waited too long for the record of {id}: {found:?}"),
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// A call with its outcome.
    pub(crate) async fn settled(&self, id: EvidenceId) -> Entry {
        self.entry_when(id, |entry| entry.outcome.is_some()).await
    }

    /// The record of a refusal.
    pub(crate) async fn refusal(&self, refusal: &Refusal) -> Refused {
        let id = refusal.evidence.unwrap_or_else(|| panic!("not recorded: {refusal:?}"));
        let entry = self.entry_when(id, |_| true).await;
        let What::Refused(refused) = entry.what else { panic!("not a refusal: {entry:?}") };
        assert_eq!(refused.code, refusal.code);
        *refused
    }

    /// What an auditor gets.
    pub(crate) fn export(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.reader.export(&TenantName::local(), &mut out).unwrap();
        out
    }

    /// Neither a canary nor a capability is in anything that stays or is shown; and the chain verifies.
    pub(crate) fn spotless(&self) {
        let export = self.export();
        canary::assert_absent(&export, "the evidence");
        assert!(!String::from_utf8_lossy(&export).contains("cap1_"), "a capability is in the evidence");
        canary::assert_absent(self.broker.metrics_text(), "the metrics");
        let key = secrets::evidence_public_key(&*self.state).unwrap();
        evidence::verify_export(&mut &*export, &key).unwrap();
    }
}

pub(crate) fn id_of(entry: &Entry) -> Option<EvidenceId> {
    match &entry.what {
        What::Call(intent) => Some(intent.id),
        What::Refused(refused) => Some(refused.id),
        What::House(_) => None,
    }
}

/// Reads a reply to its end.
pub(crate) async fn collected(id: EvidenceId, reply: Response<Body>) -> Result<Got, net::body::Error> {
    let (parts, body) = reply.into_parts();
    let collected = body.collect().await?;
    let trailers = collected.trailers().cloned();
    let body = collected.to_bytes();
    let phrase = parts.extensions.get::<hyper::ext::ReasonPhrase>().map(|said| said.as_bytes().to_vec());
    Ok(Got { id, status: parts.status.as_u16(), headers: parts.headers, body, trailers, phrase })
}

/// Waits for something, with a limit.
pub(crate) async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while Instant::now() < until {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("waited too long until {what}");
}

/// The integration `house`: any GET is the read `look`, any POST the write `change`.
pub(crate) fn plain(url: &str) -> String {
    described(url, "token: {title: T}", "{scheme: bearer, secret: token}", "")
}

/// The same with other secrets, auth and limits.
pub(crate) fn described(url: &str, secrets: &str, auth: &str, limits: &str) -> String {
    format!(
        "name: house\ntitle: House\nbase_url: {url}\nsecrets: {{{secrets}}}\nauth: [{auth}]\n\
         limits: {{connect: 30s, head: 60s, total: 2m, idle: 60s{limits}}}\ndangerous_allow_private: true\noperations:\n  \
         look: {{title: Look, access: read, risk: low, match: {{method: GET, path: \"/{{path...}}\"}}, \
         evidence: {{said: said, request: \"header:x-request-id\"}}}}\n  \
         change: {{title: Change, access: write, risk: low, match: {{method: POST, path: \"/{{path...}}\"}}, \
         evidence: {{said: said}}}}\n"
    )
}

/// A built-in integration that lives at another address, with room for many calls.
pub(crate) fn moved(name: &str, url: &str) -> String {
    let many = "{calls: 1000000, per: 1m}";
    // At another address, a signature says for which service it is.
    let auth = match name {
        "aws" => {
            "auth: [{scheme: sigv4, access_key_id: access_key_id, secret_access_key: secret_access_key, \
             region: eu-west-1, service: tests}]\n"
        }
        // A token that is made, or a signature, is a secret that is there already.
        "azure" | "bigquery" | "oci" => "auth: [{scheme: bearer, secret: key}]\n",
        _ => "",
    };
    format!(
        "name: {name}\nextends: {name}\nenable: ['*']\nbase_url: {url}\ndangerous_allow_private: true\n{auth}\
         limits: {{rate: {many}, caller_rate: {many}}}\n"
    )
}

pub(crate) fn write(path: &Path, text: &str) {
    store::files::replace(path, text.as_bytes(), 0o600).unwrap();
}

/// Where the layer of a house lies.
pub(crate) fn layer(house: &House) -> PathBuf {
    house.folder.path().join("integrations")
}

/// A refusal with this code, which is on record.
#[track_caller]
pub(crate) fn is(refusal: &Refusal, code: Code) {
    assert_eq!(refusal.code, code, "{refusal:?}");
    assert!(refusal.evidence.is_some(), "not recorded: {refusal:?}");
}

/// Fails the test when a secret that was stored by [`House::put`] is in a text, in any encoding.
#[track_caller]
pub(crate) fn unseen(text: &str, what: &str) {
    assert!(known().found_in(text.as_bytes()).is_none(), "a secret is in {what}");
}

fn known() -> MutexGuard<'static, canary::Forms> {
    static KNOWN: Mutex<canary::Forms> = Mutex::new(canary::Forms::new());
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tls() -> Tls {
    static TLS: OnceLock<Tls> = OnceLock::new();
    TLS.get_or_init(|| Tls::new(&Trust::default()).unwrap()).clone()
}
