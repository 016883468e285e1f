//! What the tests of this crate share: a source of canaries, a clock that stands still, servers, a client that sends bytes.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use broker::Lease;
use memory::Secret;
use metadata::{
    Ask, Azure, Bearer, CloudToken, Ec2, Ecs, Gcp, Given, Instance, Leases, Project, Reach, Refreshing,
    RefreshingTokens, TokenAsk, Tokens, Version1, Want,
};
use model::{Clock, Code, EvidenceId, Refusal, Timestamp};
use net::{Drain, Listener, ServeLimits};
use zeroize::Zeroizing;

pub(crate) const KEY: &str = "AKIACANARY0000000001";
pub(crate) const SECRET: &str = "canary-secret/of+AKIACANARY0000000001==";
pub(crate) const SESSION: &str = "canary-session\"with\\quotes";
pub(crate) const TOKEN: &str = "canary.cloud-token.0001";
pub(crate) const SHOWN: &str = "canary-authorization-0000000000000000001";

/// An identity token of Google as far as its readers look: three parts, of which the middle one says when it ends.
pub(crate) fn identity() -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let claims = r#"{"aud":"https://audience.example","exp":4102444800,"iat":1795338000}"#;
    format!("{}.{}.canary", part(r#"{"alg":"RS256","typ":"JWT"}"#), part(claims))
}

/// A clock that tests move.
pub(crate) struct Still(AtomicU64);

impl Still {
    /// 2026-11-22T09:00:00Z.
    pub(crate) fn start() -> Arc<Self> {
        let start: Timestamp = "2026-11-22T09:00:00Z".parse().unwrap();
        Arc::new(Self(AtomicU64::new(start.millis())))
    }

    /// The time that the SDKs go by, who look at the machine's own clock.
    pub(crate) fn real() -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(broker::SystemClock::default().now().millis())))
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Gives canaries for an hour, or refuses; remembers what it was asked and what it recorded.
pub(crate) struct Source {
    clock: Arc<Still>,
    pub(crate) asks: Mutex<Vec<String>>,
    pub(crate) given: Mutex<Vec<String>>,
    pub(crate) refusal: Mutex<Option<Refusal>>,
    pub(crate) unrecordable: Mutex<bool>,
}

impl Source {
    pub(crate) fn new(clock: &Arc<Still>) -> Arc<Self> {
        Arc::new(Self {
            clock: Arc::clone(clock),
            asks: Mutex::default(),
            given: Mutex::default(),
            refusal: Mutex::default(),
            unrecordable: Mutex::default(),
        })
    }

    fn ends(&self) -> Timestamp {
        self.clock.now().after(Duration::from_secs(3600))
    }

    fn asked(&self, what: String) -> Result<(), Refusal> {
        self.asks.lock().unwrap().push(what);
        self.refusal.lock().unwrap().clone().map_or(Ok(()), Err)
    }

    fn recorded(&self, given: &Given<'_>) -> Result<EvidenceId, Refusal> {
        if *self.unrecordable.lock().unwrap() {
            return Err(Refusal::new(Code::EvidenceUnavailable, "the evidence could not be written"));
        }
        let Given { endpoint, role, id, .. } = given;
        let line = format!("{} {} {id}", endpoint.as_str(), role.unwrap_or("-"));
        self.given.lock().unwrap().push(line);
        Ok(EvidenceId::new(self.clock.now(), [7; 10]))
    }
}

impl Leases for Source {
    async fn lease(&self, ask: Ask) -> Result<Arc<Lease>, Refusal> {
        let role = ask.role.as_ref().map_or("-", metadata::RoleArn::as_str);
        self.asked(format!("{} {role} {}", ask.endpoint.as_str(), ask.region.unwrap_or_default()))?;
        Ok(Arc::new(Lease {
            access_key_id: if ask.role.is_some() {
                "ASIACANARY0000000002".to_owned()
            } else {
                KEY.to_owned()
            },
            secret_access_key: Secret::new(SECRET.into()).unwrap(),
            session_token: Some(Secret::new(SESSION.into()).unwrap()),
            expiration: Some(self.ends()),
        }))
    }

    async fn record(&self, given: Given<'_>) -> Result<EvidenceId, Refusal> {
        self.recorded(&given)
    }
}

impl Tokens for Source {
    async fn token(&self, ask: TokenAsk) -> Result<CloudToken, Refusal> {
        let TokenAsk { endpoint, account, want, .. } = ask;
        let text = if matches!(want, Want::Identity { .. }) { identity() } else { TOKEN.to_owned() };
        let want = match want {
            Want::Access { scopes } => format!("access {}", scopes.join(",")),
            Want::Identity { audience } => format!("identity {audience}"),
            Want::Resource { resource } => format!("resource {resource}"),
        };
        self.asked(format!("{} {account} {want}", endpoint.as_str()))?;
        let value = Bearer::given(Zeroizing::new(text.into_bytes())).unwrap();
        Ok(CloudToken { value, expiration: self.ends() })
    }

    async fn record(&self, given: Given<'_>) -> Result<EvidenceId, Refusal> {
        self.recorded(&given)
    }
}

/// A server on a thread of its own, stopped when this is dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) source: Arc<Source>,
    pub(crate) clock: Arc<Still>,
    drain: Drain,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Running {
    fn start<F>(clock: Arc<Still>, serve: F) -> Self
    where
        F: AsyncFnOnce(Arc<Source>, Arc<Still>, Listener, net::Draining) + Send + 'static,
    {
        let source = Source::new(&clock);
        let (drain, draining) = net::drain::channel();
        let bound = net::bind_tcp((Ipv4Addr::LOCALHOST, 0).into(), NonZeroUsize::MIN).unwrap().remove(0);
        let address = bound.address().unwrap();
        let (served, time) = (Arc::clone(&source), Arc::clone(&clock));
        let (ready, started) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = bound.listener().unwrap();
                ready.send(()).unwrap();
                serve(served, time, listener, draining).await;
            });
        });
        started.recv_timeout(Duration::from_secs(120)).unwrap();
        Self { address, source, clock, drain, thread: Some(thread) }
    }

    pub(crate) fn ec2(version1: Version1) -> Self {
        Self::ec2_at(Still::start(), version1)
    }

    pub(crate) fn ec2_at(clock: Arc<Still>, version1: Version1) -> Self {
        Self::ec2_of(clock, Ec2::new(Instance::local(Some("eu-central-1".to_owned()), version1)))
    }

    pub(crate) fn ec2_of(clock: Arc<Still>, server: Ec2) -> Self {
        Self::start(clock, async move |source, clock, listener, draining| {
            let leases = Arc::new(Refreshing::new(source, clock));
            server.serve(listener, leases, limits(), draining).await.unwrap();
        })
    }

    pub(crate) fn ecs(reach: Reach) -> Self {
        Self::ecs_at(Still::start(), reach)
    }

    pub(crate) fn ecs_at(clock: Arc<Still>, reach: Reach) -> Self {
        Self::start(clock, async move |source, clock, listener, draining| {
            let leases = Arc::new(Refreshing::new(source, clock));
            let token = Bearer::given(Zeroizing::new(SHOWN.into())).unwrap();
            let server = Ecs::new(token, reach, Some("eu-central-1".to_owned()));
            server.serve(listener, leases, limits(), draining).await.unwrap();
        })
    }

    pub(crate) fn gcp(clock: Arc<Still>) -> Self {
        Self::start(clock, async move |source, clock, listener, draining| {
            let tokens = Arc::new(RefreshingTokens::new(source, clock));
            let server = Gcp::new(Project {
                id: "canary-project".to_owned(),
                number: Some(123_456),
                email: "canary@canary-project.iam.gserviceaccount.com".to_owned(),
                scopes: vec!["https://www.googleapis.com/auth/cloud-platform".to_owned()],
                universe: "googleapis.com".to_owned(),
            });
            server.serve(listener, tokens, limits(), draining).await.unwrap();
        })
    }

    pub(crate) fn azure(clock: Arc<Still>) -> Self {
        Self::start(clock, async move |source, clock, listener, draining| {
            let tokens = Arc::new(RefreshingTokens::new(source, clock));
            let server = Azure::new("00000000-0000-0000-0000-00000000cafe".to_owned());
            server.serve(listener, tokens, limits(), draining).await.unwrap();
        })
    }

    /// Sends a request with the host that a program of this machine would write, and these header lines.
    pub(crate) fn ask(&self, method: &str, target: &str, headers: &[&str]) -> Reply {
        self.ask_as(&format!("127.0.0.1:{}", self.address.port()), method, target, headers)
    }

    pub(crate) fn ask_as(&self, host: &str, method: &str, target: &str, headers: &[&str]) -> Reply {
        speak(self.address, host, method, target, headers)
    }

    pub(crate) fn asks(&self) -> Vec<String> {
        self.source.asks.lock().unwrap().clone()
    }

    pub(crate) fn given(&self) -> Vec<String> {
        self.source.given.lock().unwrap().clone()
    }

    pub(crate) fn refuse(&self, code: Code) {
        *self.source.refusal.lock().unwrap() =
            Some(Refusal::new(code, "the profile `p` gives nothing").hint("type `doorward aws login p`"));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.drain.start();
        if let Some(thread) = self.thread.take() {
            // A test that failed already says more than this.
            let _ = thread.join();
        }
    }
}

/// Sends one request with these header lines and reads the answer to its end.
pub(crate) fn speak(address: SocketAddr, host: &str, method: &str, target: &str, headers: &[&str]) -> Reply {
    let mut request = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for header in headers {
        request.push_str(header);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    Reply::parse(&answer)
}

/// Doors that close at once.
pub(crate) fn limits() -> ServeLimits {
    ServeLimits { grace: Duration::ZERO, ..ServeLimits::default() }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Reply {
    fn parse(answer: &str) -> Self {
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (other, value) = line.split_once(": ")?;
            other.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.body))
    }

    /// Fails the test when anything secret is in the reply.
    pub(crate) fn has_no_secret(&self) -> &Self {
        for canary in [SECRET, "canary-session", TOKEN, SHOWN] {
            assert!(!self.body.contains(canary) && !self.head.contains(canary), "{self:?}");
        }
        self
    }
}
