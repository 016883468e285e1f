//! Sign-in of people at an identity provider: OpenID Connect Core 1.0, the code flow (section 3.1) with PKCE (RFC 7636).
//!
//! A browser is sent to the provider with a state, a nonce and a challenge; it comes back with a code, which is exchanged for an ID
//! token over our own connection. What the token says is believed where its signature, issuer, audience, times and nonce hold. Then
//! its `sub`, `email` and `groups` say who that is, and the settings say which roles the groups have here. Where it has no groups or no
//! address, the provider's user info is asked with the access token that came along; that is for nothing else, and is let go.
//!
//! # Invariants
//!
//! - A state is good once, for ten minutes, and for the browser alone that was sent with it.
//! - Everything is asked at the one issuer that the settings name, and where its own document says.
//! - Who has no group that has a role here is not signed in.
//! - Neither a code nor a token is kept, shown or logged.

mod flows;
mod kept;
mod persons;
pub(crate) mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::HeaderValue;
use memory::Secret;
use model::{Code, Refusal, Timestamp};
use policy::{Known, OWNER, PrincipalKind};
use tenancy::sessions::Sessions;
use zeroize::Zeroizing;

use crate::path::identify::incoming::id_token::{self, Endpoints, Exchange};
use crate::path::identify::incoming::user_info;
use crate::{Broker, Worker, answering};
use flows::{Flow, Flows};
use kept::Kept;
use persons::Persons;

pub(crate) use persons::PREFIX;
pub use tokens::{Given, Issuer};

/// An identity provider, and what its groups may do here.
pub struct Provider {
    /// The issuer, such as `https://login.example.com`.
    pub issuer: String,
    /// Our name there.
    pub client: String,
    /// Our password there, where we have one.
    pub secret: Option<Secret>,
    /// What people call it.
    pub title: String,
    /// Where the API is for browsers, without a slash at the end.
    pub url: String,
    /// The roles of each group.
    pub roles: BTreeMap<String, BTreeSet<String>>,
    /// Whether the provider may be asked over plain http and at a private address.
    pub dangerous_allow_private: bool,
}

/// Everything about people of one broker.
#[derive(Default)]
pub(crate) struct People {
    sessions: Sessions,
    kept: Kept,
    provider: OnceLock<Provider>,
    /// Whose access tokens are taken.
    issuer: OnceLock<Issuer>,
    /// Where people answer approvals outside.
    answering: answering::Set,
    /// Held while the provider is asked.
    endpoints: tokio::sync::Mutex<Option<Found>>,
    flows: Flows,
    persons: Persons,
}

/// Where a provider is asked for what, or why that is not known; and until when that counts.
type Found = (Result<Arc<Endpoints>, &'static str>, Timestamp);

impl People {
    /// The sessions of whoever signed in, in whichever way.
    pub(crate) const fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Where people answer approvals outside.
    pub(crate) const fn answering(&self) -> &answering::Set {
        &self.answering
    }

    /// Whose access tokens are taken, where any are.
    pub(crate) fn issuer(&self) -> Option<&Issuer> {
        self.issuer.get()
    }
}

/// Where a browser goes to sign in.
pub struct Begun {
    /// The address.
    pub location: String,
    /// What binds the way back to this browser; it goes into a cookie.
    pub binding: Zeroizing<String>,
}

/// What a browser came back with.
pub struct Came<'a> {
    /// The code.
    pub code: &'a str,
    /// The state.
    pub state: &'a str,
    /// The cookie that it was sent away with.
    pub binding: &'a str,
    /// The issuer, where the provider says it (RFC 9207).
    pub issuer: Option<&'a str>,
}

/// Why nobody was signed in: a word for the page, which has a text for each. Details are in our log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failed(&'static str);

impl Failed {
    /// The sign-in took too long, was used, or never began.
    pub const LATE: Self = Self("late");
    /// Another browser began it.
    pub const BROWSER: Self = Self("browser");
    /// What the browser came back with is not the answer of the provider.
    pub const ANSWER: Self = Self("answer");
    /// The provider did not let the person in.
    pub const REFUSED: Self = Self("refused");
    /// The provider can't be asked.
    pub const UNREACHABLE: Self = Self("unreachable");
    /// What the provider says of the person does not hold.
    pub const TOKEN: Self = Self("token");
    /// The provider does not say all that has to be known.
    pub const CLAIMS: Self = Self("claims");
    /// None of the person's groups has a role here.
    pub const GROUPS: Self = Self("groups");
    /// Too many sign in at this moment.
    pub const BUSY: Self = Self("busy");
    /// No session can be begun now.
    pub const CLOSED: Self = Self("closed");
    /// There is no provider.
    pub const NOWHERE: Self = Self("nowhere");

    /// The word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        self.0
    }

    /// The same, with a line in the log. The reason holds nothing of what came.
    fn because(self, why: &'static str) -> Self {
        tracing::warn!(why, "a sign-in was refused");
        self
    }
}

impl Broker {
    /// Signs people in at this provider from now on. Before any door opens, and once.
    ///
    /// # Errors
    /// `bad_request` where a group has a role that nobody may be given so, or the address is none.
    pub fn sign_in_at(&self, provider: Provider) -> Result<(), Refusal> {
        if provider.roles.values().all(BTreeSet::is_empty) {
            return Err(Refusal::new(Code::BadRequest, "no group has a role, so nobody could sign in")
                .hint("`[api.sign_in.roles]`, such as `platform = [\"admin\"]`"));
        }
        for (group, roles) in &provider.roles {
            let wrong = |why: String| Refusal::new(Code::BadRequest, format!("the group `{group}`: {why}"));
            if roles.contains(OWNER) {
                let why = format!("`{OWNER}` is the role of the home's own user, and nobody else's");
                return Err(wrong(why));
            }
            let known = Known::new(PrincipalKind::Person, roles.iter().map(String::as_str));
            let _ = known.map_err(|error| wrong(error.to_string()))?;
            for role in roles {
                self.known_role(&self.settings().tenant, role)?;
            }
        }
        let _ = id_token::discovery(&provider.issuer, provider.dangerous_allow_private)
            .ok_or_else(|| Refusal::new(Code::BadRequest, "the issuer is not an `https://` address"))?;
        let _ = self.people().provider.set(provider);
        Ok(())
    }

    /// What people call the place where they sign in, and where browsers begin it.
    #[must_use]
    pub fn signs_in_at(&self) -> Option<(&str, String)> {
        let provider = self.people().provider.get()?;
        Some((provider.title.as_str(), format!("{}{BEGINS}", provider.url)))
    }

    /// Forgets what is over: sessions, sign-ins that were not finished, and who is not signed in any more.
    pub(crate) fn forget_people(&self) {
        self.sessions().tidy(self.now());
        self.people().flows.tidy(self.now());
        self.people().persons.tidy(self);
    }
}

impl Worker {
    /// Where a browser goes to sign in.
    ///
    /// # Errors
    /// Where there is no provider, it does not answer, or this broker is sealed.
    pub async fn sign_in_begins(&self) -> Result<Begun, Failed> {
        let provider = self.broker().people().provider.get().ok_or(Failed::NOWHERE)?;
        let _open = self.broker().unsealed().map_err(|_| Failed::CLOSED)?;
        let endpoints = self.endpoints(provider).await?;
        let (state, nonce, binding, verifier) = (random()?, random()?, random()?, random()?);
        let challenge = crypto::to_base64url(&crypto::sha256(&[verifier.as_bytes()]));
        let redirect = redirect(provider);
        let pairs = [
            ("response_type", "code"),
            ("client_id", &provider.client),
            ("redirect_uri", &redirect),
            ("scope", endpoints.scope()),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let mark = if endpoints.authorization().contains('?') { '&' } else { '?' };
        let location = format!("{}{mark}{}", endpoints.authorization(), id_token::form(&pairs));
        let now = self.broker().now();
        let binding_hash = crypto::sha256(&[binding.as_bytes()]);
        let flow = Flow { nonce, verifier, binding: binding_hash, until: now.after(LASTS), endpoints };
        self.broker().people().flows.begin(&state, flow, now);
        Ok(Begun { location, binding })
    }

    /// The code that opens a session for whoever signed in.
    ///
    /// # Errors
    /// Where what came does not hold, or no group has a role here.
    pub async fn sign_in_ends(&self, came: Came<'_>) -> Result<HeaderValue, Failed> {
        let provider = self.broker().people().provider.get().ok_or(Failed::NOWHERE)?;
        let now = self.broker().now();
        // Whatever comes of it, this was its one time.
        let flow = self.broker().people().flows.take(came.state, now).ok_or(Failed::LATE)?;
        let bound = crypto::sha256(&[came.binding.as_bytes()]);
        let _same = crypto::same(&bound, &flow.binding).map_err(|_| Failed::BROWSER)?;
        let from = flow.endpoints.answered_by(&provider.issuer, came.issuer);
        let _from = from.map_err(|why| Failed::ANSWER.because(why))?;
        let exchange = Exchange {
            endpoints: &flow.endpoints,
            client: &provider.client,
            secret: provider.secret.as_ref(),
            code: came.code,
            verifier: &flow.verifier,
            redirect: &redirect(provider),
            private: provider.dangerous_allow_private,
        };
        let tokens = id_token::exchanged(self, exchange).await.map_err(|why| Failed::TOKEN.because(why))?;
        let expected = id_token::Expected {
            issuer: &provider.issuer,
            audience: &provider.client,
            nonce: &flow.nonce,
            private: provider.dangerous_allow_private,
        };
        let claims = id_token::claims(self, &tokens.id, expected, self.broker().now()).await;
        let claims = claims.map_err(|why| Failed::TOKEN.because(why))?;
        let asked = (&*flow.endpoints, &tokens);
        let claims = user_info::completed(self, asked, claims, provider.dangerous_allow_private).await;
        let claims = claims.map_err(|why| Failed::CLAIMS.because(why))?;
        persons::signed_in(self.broker(), provider, &claims)
    }

    /// Where the provider is asked for what. It is asked once for all who wait, and not again at once where it fails.
    async fn endpoints(&self, provider: &Provider) -> Result<Arc<Endpoints>, Failed> {
        let mut kept = self.broker().people().endpoints.lock().await;
        let now = self.broker().now();
        if let Some((known, until)) = kept.as_ref()
            && now < *until
        {
            return known.clone().map_err(|_| Failed::UNREACHABLE);
        }
        let asked = id_token::endpoints(self, &provider.issuer, provider.dangerous_allow_private);
        let found = match tokio::time::timeout(PATIENCE, asked).await {
            Ok(found) => found.map(Arc::new),
            Err(_) => Err("it did not answer in time"),
        };
        if let Err(why) = found {
            tracing::warn!(issuer = %provider.issuer, why, "the identity provider can't be asked");
        }
        let until = now.after(if found.is_ok() { FRESH } else { PAUSE });
        *kept = Some((found.clone(), until));
        drop(kept);
        found.map_err(|_| Failed::UNREACHABLE)
    }
}

fn redirect(provider: &Provider) -> String {
    format!("{}{BEGINS}/callback", provider.url)
}

fn random() -> Result<Zeroizing<String>, Failed> {
    let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(crypto::array().map_err(|_| Failed::CLOSED)?);
    Ok(Zeroizing::new(crypto::to_base64url(&*bytes)))
}

/// Where a browser begins.
const BEGINS: &str = "/v1/session/oidc";
/// How long somebody may take to sign in.
const LASTS: Duration = Duration::from_secs(600);
/// How long it counts where the provider is asked for what, and how long it is left alone where it did not answer.
const FRESH: Duration = Duration::from_secs(600);
const PAUSE: Duration = Duration::from_secs(5);
/// How long a browser waits for the provider's document.
const PATIENCE: Duration = Duration::from_secs(10);
