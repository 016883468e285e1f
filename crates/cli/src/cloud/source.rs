//! Where the tokens of a server come from: the one path, over the user's home.

use broker::mint::Place;
use metadata::{Bearer, CloudToken, Given, TokenAsk, Tokens, Want};
use model::{EvidenceId, Refusal};
use zeroize::Zeroizing;

use super::{input, wish};
use crate::aws::counter::{self, Counter};
use crate::aws::{Wrong, desk, serve};
use crate::failure::Failure;

/// Tokens of one key.
pub(super) struct Source {
    integration: &'static str,
    key: String,
    place: Box<Placing>,
    counter: Counter,
}

/// What a request of a program means for the cloud.
type Placing = dyn Fn(&Want) -> Result<Place, Wrong> + Send + Sync;

impl Source {
    /// Nothing is opened before somebody asks.
    pub(super) fn new(
        integration: &'static str,
        key: &str,
        place: impl Fn(&Want) -> Result<Place, Wrong> + Send + Sync + 'static,
    ) -> Result<Self, Wrong> {
        Ok(Self {
            integration,
            key: key.to_owned(),
            place: Box::new(place),
            counter: Counter::new(desk::bare_tools()?),
        })
    }

    async fn get(&self, ask: TokenAsk) -> Result<CloudToken, Wrong> {
        let mut inputs = input(&self.key);
        let (kind, what) = match &ask.want {
            Want::Access { scopes } => ("access", scopes.join(" ")),
            Want::Identity { audience } => ("identity", audience.clone()),
            Want::Resource { resource } => ("access", resource.clone()),
        };
        inputs.insert("kind".to_owned(), kind.to_owned());
        if !what.is_empty() {
            inputs.insert("for".to_owned(), what);
        }
        let place = (self.place)(&ask.want)?;
        if let Place::Gcp { impersonated: Some(email), .. } = &place {
            inputs.insert("impersonate".to_owned(), email.clone());
        }
        let (integration, wish) = (self.integration, wish(place)?);
        let call = move || counter::call_of(integration, "token.get", inputs, wish);
        let asked = tokio::task::spawn_blocking(call).await;
        let lost = |_| Wrong(Failure::new("the call broke off inside Doorward"));
        let lease = asked.map_err(lost)?.map_err(Wrong).and_then(desk::lease)?;
        let expiration =
            lease.expiration.ok_or_else(|| Wrong(Failure::new("the cloud gave a token without an end")))?;
        #[expect(
            clippy::disallowed_methods,
            reason = "the token goes to the program that asked the server for it"
        )]
        let text = lease.secret_access_key.expose(|bytes| Zeroizing::new(bytes.to_vec()));
        let value = Bearer::given(text).map_err(|error| Wrong(Failure::of(&error)))?;
        Ok(CloudToken { value, expiration })
    }
}

impl Tokens for Source {
    async fn token(&self, ask: TokenAsk) -> Result<CloudToken, Refusal> {
        self.get(ask).await.map_err(serve::refused)
    }

    async fn record(&self, given: Given<'_>) -> Result<EvidenceId, Refusal> {
        let mut inputs = input(&self.key);
        inputs.insert("endpoint".to_owned(), given.endpoint.as_str().to_owned());
        let fields = vec![
            ("account".to_owned(), given.role.unwrap_or_default().to_owned()),
            ("expiration".to_owned(), aws::session::rfc3339(given.expiration)),
        ];
        let recorded = self.counter.record(self.integration, inputs, fields).await;
        recorded.map_err(|failure| serve::refused(Wrong(failure)))
    }
}
