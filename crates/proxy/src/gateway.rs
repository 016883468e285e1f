//! The door itself: reads a request, hands it to the broker, prints what comes back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use broker::{Answer, Asked, Forward, Inbound, Outbound, Worker, presented};
use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Request, Response};
use hyper::body::Incoming;
use model::{Code, Door, Fact, IntegrationName, Method, ParseError, Refusal, Target};
use net::{Body, Drained, Draining, Listener, Peer, ServeLimits, problem, websocket};

use crate::dialect::{self, Dialect, Names, Numbers};
use crate::health::Question;
use crate::host::Addressed;
use crate::refused::{Refused, Speech};
use crate::route::{Naming, Route};
use crate::{browser, correlation, health, host, llm, metrics, operation, purpose, route, tools};

/// The reverse proxy: under which names it is reached, and by which pages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gateway {
    /// Names of the gateway besides `localhost`: under `gateway.example`, `slack.gateway.example` is the integration
    /// `slack`. Lower case.
    pub domains: Vec<String>,
    /// Origins of pages that may send requests, such as `https://console.example`.
    pub origins: Vec<String>,
    /// Whose words it speaks besides its own.
    pub dialect: Dialect,
    /// Who answers OpenAI clients under `/v1`, where anybody does.
    pub llm: Option<llm::Provider>,
    health: health::Place,
    /// What is counted for those who collect another gateway's counters.
    numbers: Numbers,
}

/// A domain or an origin that no request could ever name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unusable {
    /// A domain that is not a host name.
    #[error("`{0}` is not a domain")]
    Domain(String),
    /// An origin that is not scheme, host and port.
    #[error("`{0}` is not an origin")]
    Origin(String),
}

impl Unusable {
    /// What to write instead.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Domain(_) => {
                "write a host name in lower case, without scheme, port and trailing dot: `gateway.example`"
            }
            Self::Origin(_) => "write scheme, host and port as a browser does: `https://console.example`",
        }
    }
}

impl Gateway {
    /// A gateway under these domains, open to pages of these origins.
    ///
    /// # Errors
    /// When one of them is written in a way that no request could name.
    pub fn new(domains: Vec<String>, origins: Vec<String>) -> Result<Self, Unusable> {
        // The same reading as that of an upstream: lower case, no port, no user, nothing strange.
        let read = |text: String| text.parse::<model::Authority>().ok();
        for domain in &domains {
            if read(format!("https://{domain}"))
                .is_none_or(|read| read.port() != 443 || read.host_header() != *domain)
            {
                return Err(Unusable::Domain(domain.clone()));
            }
        }
        for origin in &origins {
            if read(origin.clone()).is_none_or(|read| read.to_string() != *origin) {
                return Err(Unusable::Origin(origin.clone()));
            }
        }
        let (dialect, health, numbers) = (Dialect::Own, health::Place::Here, Numbers::default());
        Ok(Self { domains, origins, dialect, llm: None, health, numbers })
    }

    /// The same, which speaks another gateway's words as well.
    #[must_use]
    pub fn speaking(self, dialect: Dialect) -> Self {
        Self { dialect, ..self }
    }

    /// The counters of the other gateway whose words it speaks.
    #[must_use]
    pub const fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// The same, which answers OpenAI clients under `/v1`.
    #[must_use]
    pub fn with_llm(self, llm: Option<llm::Provider>) -> Self {
        Self { llm, ..self }
    }

    /// The same gateway beside a door where health is asked; here it is not any more.
    #[must_use]
    pub fn beside_admin(self) -> Self {
        Self { health: health::Place::Elsewhere, ..self }
    }

    /// Serves the door until the house drains.
    pub async fn serve(
        &self,
        worker: Arc<Worker>,
        listener: Listener,
        limits: ServeLimits,
        draining: Draining,
    ) -> Drained {
        let (shared, whole) = (Arc::new((self.clone(), draining.clone())), limits.whole);
        let service = move |request, peer: Peer| {
            let (shared, worker) = (Arc::clone(&shared), Arc::clone(&worker));
            async move {
                let (gateway, draining) = &*shared;
                gateway.answer(&worker, (request, whole), &peer, draining).await
            }
        };
        net::serve(listener, service, limits, draining).await
    }

    async fn answer(
        &self,
        worker: &Arc<Worker>,
        (request, whole): (Request<Incoming>, Option<Duration>),
        peer: &Peer,
        draining: &Draining,
    ) -> Response<Body> {
        let began = Instant::now();
        let (parts, body) = request.into_parts();
        let broker = worker.broker();
        let short = tools::long_for(parts.uri.path(), |name| broker.has_integration(name));
        let speech = Speech::of(&parts);
        let is_client = self.llm.is_some() && speech == Speech::Http && is_client(parts.uri.path());
        let named = self.named(&parts);
        let request_id;
        let names = Names { aliased: &|name| broker.aliased(name), known: &|name| broker.knows(name) };
        let (read, named) = match self.read(parts, peer, draining, names, short) {
            Ok(Read::Call(mut call)) => {
                request_id = call.request_id.take();
                let named =
                    named.map(|written| Named { written, integration: call.forward.integration.clone() });
                (call.with_body_of(body, whole), named)
            }
            Ok(Read::Client(turn, call)) => return Box::pin(llm::answer(worker, *call, turn, body)).await,
            Ok(Read::Operate(ordered)) => {
                return Box::pin(operation::answer(worker, *ordered, body))
                    .await
                    .unwrap_or_else(|refusal| Refused::from(refusal).reply(speech));
            }
            Ok(Read::Tools(called)) => {
                return Box::pin(tools::answer(worker, called, body))
                    .await
                    .unwrap_or_else(|refusal| Refused::from(refusal).reply(speech));
            }
            Ok(Read::Health(question, method)) => {
                return health::answer_of(question, &method, (worker.broker(), &|| self.numbers.text()))
                    .unwrap_or_else(|refused| refused.reply(speech));
            }
            // The libraries that ask there show nothing but an error in the vendor's shape.
            Err(refused) if is_client => return llm::refused(refused.refusal()),
            Err(refused) => return self.unread(&refused, speech, &named.unwrap_or_default(), began),
        };
        let label = named.as_ref().and_then(|named| named.label(worker));
        let mut reply = match worker.call(read).await {
            Ok(Outbound::Reply(evidence, mut reply)) => {
                problem::mark(reply.headers_mut(), evidence);
                if self.dialect.is_foreign() {
                    dialect::mark_upstream(&mut reply);
                    self.numbers.replied(label.as_deref(), reply.status(), began.elapsed());
                }
                *reply
            }
            // Nothing that a proxy forwards mints a lease; one that came all the same stays here.
            Ok(Outbound::Answer(answer) | Outbound::Lease(answer, _)) => told(&answer),
            Err(refusal) => {
                let (refusal, named) = Named::told(named, refusal, worker);
                if self.dialect.is_foreign() {
                    let status = dialect::status(&refusal);
                    self.numbers.refused(label.as_deref(), (status, &refusal), began.elapsed());
                }
                Refused::from(refusal).reply_in(speech, &self.dialect, &named)
            }
        };
        correlation::echo(reply.headers_mut(), request_id);
        reply
    }

    /// The reply to a request that could not be read; `name` is what it named.
    fn unread(&self, refused: &Refused, speech: Speech, name: &str, began: Instant) -> Response<Body> {
        let reply = refused.reply_in(speech, &self.dialect, name);
        if self.dialect.is_foreign() {
            self.numbers.refused(None, (reply.status(), refused.refusal()), began.elapsed());
        }
        reply
    }

    /// What a request names, for another gateway's words only: its header where that counts, else its host.
    fn named(&self, parts: &Parts) -> Option<String> {
        if !self.dialect.is_foreign() {
            return None;
        }
        let header = parts.headers.get("x-at-int").filter(|_| self.dialect.honours(parts));
        let host = || host::written(parts).ok();
        let named = header.and_then(|value| value.to_str().ok()).or_else(host).unwrap_or_default();
        // It is said again to whoever sent it, so only what can be a name is.
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
        Some(named.chars().take(LONGEST_NAME).filter(|c| plain(*c)).collect())
    }

    /// What is asked about this door itself, where something is.
    fn question(&self, parts: &Parts, target: &Target) -> Result<Option<Question>, Refused> {
        let internal = || match self.health {
            health::Place::Here => dialect::internal(&self.dialect, target.path()),
            health::Place::Elsewhere => None,
        };
        let asked = health::reserved(target.path(), self.health).or_else(internal).transpose()?;
        if asked == Some(Question::Numbers) {
            let browser::Guarded { .. } = browser::guard(&parts.headers, &self.origins)?;
            let metrics::Near { .. } = metrics::near(parts)?;
        }
        Ok(asked)
    }

    /// Reads the head of a request. Nothing here believes it.
    fn read(
        &self,
        mut parts: Parts,
        peer: &Peer,
        draining: &Draining,
        Names { aliased, known }: Names<'_>,
        short: Option<&'static str>,
    ) -> Result<Read, Refused> {
        let target: Target = match parts.uri.path_and_query() {
            Some(written) => written.as_str().parse()?,
            None => return Err(Refused::bad("the request has no target")),
        };
        if let Some(question) = self.question(&parts, &target)? {
            return Ok(Read::Health(question, parts.method));
        }
        let unserved = |error: ParseError| Refused::method(error.to_string(), net::SERVED);
        let method: Method = parts.method.as_str().parse().map_err(unserved)?;
        let addressed = self.dialect.served(host::addressed(&parts, &self.domains, aliased))?;
        let guarded = browser::guard(&parts.headers, &self.origins)?;
        if addressed == Addressed::Gateway && operation::is_one(target.path()) {
            let capability = presented::capability(&parts.headers)?;
            return operation::read(guarded, &parts, &target, peer, capability)
                .map(Box::new)
                .map(Read::Operate);
        }
        if addressed == Addressed::Gateway && tools::is_one(target.path()) {
            return Ok(Read::Tools(tools::read(guarded, &parts, target.path(), peer)?));
        }
        let naming = Naming { compatible: self.dialect.honours(&parts), aliased };
        let named = self.dialect.unknown(route::named(&parts.headers, naming))?;
        let addressed = self.dialect.beside(named.as_ref(), addressed, known)?;
        if let (Addressed::Gateway, None, Some(long)) = (&addressed, &named, short) {
            return Ok(Read::Tools(tools::read(guarded, &parts, long, peer)?));
        }
        let whole = target.clone();
        let client = self.llm.filter(|_| named.is_none() && addressed == Addressed::Gateway);
        let (Route { integration, target }, turn) = match client.filter(|_| llm::is_ours(target.path())) {
            Some(provider) => {
                let (route, turn) = provider.route(&parts.method, target)?;
                (route, Some(turn))
            }
            None => (self.dialect.unknown(route::choose(guarded, named, addressed, target))?, None),
        };
        let purpose = purpose::given(&parts.headers)?;
        let capability = presented::capability(&parts.headers)?;
        let claims = presented::claims(&parts.headers)?;
        let asked =
            websocket::asked(&mut parts, draining).map_err(|error| Refused::bad(error.to_string()))?;
        let request_id = correlation::request_id(&mut parts.headers);
        let headers = std::mem::take(&mut parts.headers);
        let facts = Fact {
            address: peer.address,
            purpose,
            certificate: peer.certificate.clone(),
            claims,
            ..Fact::default()
        };
        let mut forward = Forward::new(integration, method, target, headers, Body::empty());
        forward.written = route::written(&parts.uri, &whole, &forward.target);
        forward.upgrade = asked.map(Box::new);
        let call = Box::new(Call { facts, capability, request_id, forward: Box::new(forward) });
        Ok(match turn {
            Some(turn) => Read::Client(turn, call),
            None => Read::Call(call),
        })
    }
}

/// Whether a path is one that clients of a vendor's API ask for.
fn is_client(path: &str) -> bool {
    llm::is_ours(path) && !operation::is_one(path) && !tools::is_one(path)
}

/// What a request named, for another gateway's words.
struct Named {
    written: String,
    integration: IntegrationName,
}

impl Named {
    /// What the integration is called in the counters: as in the configuration. `None` for what is in none.
    fn label(&self, worker: &Worker) -> Option<String> {
        let broker = worker.broker();
        broker.knows(&self.integration).then(|| broker.called(&self.integration))
    }

    /// The refusal and the name in it: there, whoever asks for an integration that is none is told so before anybody is asked
    /// who he is.
    fn told(named: Option<Self>, refusal: Refusal, worker: &Worker) -> (Refusal, String) {
        let Some(Self { written, integration }) = named else { return (refusal, String::new()) };
        if worker.broker().knows(&integration) {
            return (refusal, worker.broker().called(&integration));
        }
        let message = format!("integration for host {written} not found");
        let unknown = Refusal { code: Code::NotFound, reason: None, message, hint: None, ..refusal };
        (unknown, written)
    }
}

/// What a request was read as.
#[derive(Debug)]
enum Read {
    /// A question about health.
    Health(health::Question, http::Method),
    /// A call of an integration.
    Call(Box<Call>),
    /// A call of an OpenAI client.
    Client(llm::Turn, Box<Call>),
    /// An operation by name.
    Operate(Box<operation::Ordered>),
    /// A tool router's words for one.
    Tools(tools::Called),
}

/// A call of an integration, still without its body.
#[derive(Debug)]
pub(crate) struct Call {
    facts: Fact,
    capability: Option<HeaderValue>,
    /// Its name in the caller's own log.
    pub(crate) request_id: Option<HeaderValue>,
    pub(crate) forward: Box<Forward>,
}

impl Call {
    /// The same with its body, which has to be whole in time where there is such a time.
    fn with_body_of(self, body: Incoming, whole: Option<Duration>) -> Inbound {
        let body = Body::of_request(body, &self.forward.headers);
        self.with(whole.into_iter().fold(body, Body::within))
    }

    pub(crate) fn with(self, body: Body) -> Inbound {
        let Self { facts, capability, request_id: _, mut forward } = self;
        forward.body = body;
        Inbound { door: Door::Gateway, facts, capability, asked: Asked::Forward(forward) }
    }
}

/// The answer of an operation of the house itself.
pub(crate) fn told(answer: &Answer) -> Response<Body> {
    let mut reply = Response::new(Body::full(answer.value.to_string()));
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    problem::mark(headers, answer.evidence);
    reply
}

/// Longest name that is said again.
const LONGEST_NAME: usize = 255;

#[cfg(test)]
mod tests;
