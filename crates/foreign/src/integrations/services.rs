//! The services that have a builder: where they are and how a credential is put on a request.

/// A service, as it becomes a block of a `config.yaml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name, the default of the block's.
    pub name: String,
    /// The name for people.
    pub title: String,
    /// Where it is; `{domain}` stands for what `-domain` says.
    pub destination: String,
    /// What `-domain` says.
    pub domain: Domain,
    /// How its credential is put on a request, in this order.
    pub outgoing: Vec<Auth>,
    /// What callers have to prove, in this order.
    pub incoming: Vec<Auth>,
}

/// What stands for `{domain}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Domain {
    /// The address is always the same; `-domain` puts another host in its place.
    Fixed,
    /// This, if nothing is said.
    Usually(String),
    /// It has to be said.
    Yours,
}

/// One entry of `outgoing_auth` or `incoming_auth`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Auth {
    /// Its `type`.
    pub kind: &'static str,
    /// The secret that it takes; none for those of the machine itself.
    pub secret: Option<SecretFlag>,
    /// Other parameters, in their order.
    pub params: Vec<(&'static str, String)>,
}

/// The flag that says where a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFlag {
    /// Its name, without dashes.
    pub flag: String,
    /// What is to be found there.
    pub meaning: String,
    /// Whether a new block has to say it. One that need not be said has no entry where it is not.
    pub needed: bool,
}

impl Auth {
    /// A header with a secret behind a prefix.
    #[must_use]
    pub fn token(header: &str, prefix: &str, flag: &str, meaning: &str) -> Self {
        let mut params = vec![("header", header.to_owned())];
        if !prefix.is_empty() {
            params.push(("prefix", prefix.to_owned()));
        }
        Self { kind: "token", secret: Some(secret(flag, meaning, true)), params }
    }

    /// One that takes a secret and nothing else.
    #[must_use]
    pub fn plain(kind: &'static str, flag: &str, meaning: &str) -> Self {
        Self { kind, secret: Some(secret(flag, meaning, true)), params: Vec::new() }
    }

    /// What signs the webhooks of a service. Nobody but the service gets in where it is asked for, so it is not needed.
    fn of_webhooks(kind: &'static str, flag: &str, meaning: &str) -> Vec<Self> {
        vec![Self { kind, secret: Some(secret(flag, meaning, false)), params: Vec::new() }]
    }

    /// One that takes its credential from the machine.
    #[must_use]
    pub const fn of_the_machine(kind: &'static str) -> Self {
        Self { kind, secret: None, params: Vec::new() }
    }
}

fn secret(flag: &str, meaning: &str, needed: bool) -> SecretFlag {
    SecretFlag { flag: flag.to_owned(), meaning: meaning.to_owned(), needed }
}

impl Service {
    /// Every secret that it takes.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretFlag> {
        self.outgoing.iter().chain(&self.incoming).filter_map(|auth| auth.secret.as_ref())
    }
}

/// The services of that program, in the order of their names.
#[must_use]
pub fn known() -> Vec<Service> {
    let bearer = || vec![authorization("Bearer ")];
    let github = |name, title, destination, domain| Service {
        incoming: Auth::of_webhooks("github_signature", "webhook-secret", "the secret of its webhooks"),
        ..service(name, title, destination, domain, vec![authorization("token ")])
    };
    let usually = |domain: &str| Domain::Usually(domain.to_owned());
    let fixed = || Domain::Fixed;
    let yours = || Domain::Yours;
    let atlassian = "api.atlassian.com";
    let datadog = vec![
        Auth::token("DD-API-KEY", "", "api-key", "the API key"),
        Auth::token("DD-APPLICATION-KEY", "", "app-key", "the application key"),
    ];
    let slack = Service {
        incoming: Auth::of_webhooks(
            "slack_signature",
            "signing-secret",
            "the signing secret of its webhooks",
        ),
        ..service("slack", "Slack", "https://slack.com/api", fixed(), bearer())
    };
    let basic = Auth::plain("basic", "token", "account SID and auth token, as `SID:TOKEN`");
    vec![
        service("asana", "Asana", "https://app.asana.com/api/1.0", fixed(), bearer()),
        service("confluence", "Confluence", "https://{domain}", usually(atlassian), bearer()),
        service("datadog", "Datadog", "https://api.datadoghq.com", fixed(), datadog),
        service(
            "gdrive",
            "Google Drive",
            "https://www.googleapis.com/drive/v3",
            fixed(),
            vec![Auth::of_the_machine("gcp_token")],
        ),
        github("ghe", "GitHub Enterprise Server", "https://{domain}/api/v3", yours()),
        github("github", "GitHub", "https://api.github.com", fixed()),
        service("gitlab", "GitLab", "https://gitlab.com/api/v4", fixed(), vec![header("PRIVATE-TOKEN", "")]),
        service("jira", "Jira", "https://{domain}", usually(atlassian), bearer()),
        service("linear", "Linear", "https://api.linear.app", fixed(), bearer()),
        service("monday", "monday.com", "https://api.monday.com/v2", fixed(), vec![authorization("")]),
        service("okta", "Okta", "https://{domain}/api/v1", yours(), vec![authorization("SSWS ")]),
        service("openai", "OpenAI", "https://api.openai.com", fixed(), bearer()),
        service(
            "pagerduty",
            "PagerDuty",
            "https://api.pagerduty.com",
            fixed(),
            vec![authorization("Token token=")],
        ),
        service("sendgrid", "SendGrid", "https://api.sendgrid.com", fixed(), bearer()),
        service("servicenow", "ServiceNow", "https://{domain}", usually("api.servicenow.com"), bearer()),
        slack,
        service("stripe", "Stripe", "https://api.stripe.com", fixed(), bearer()),
        service("trufflehog", "TruffleHog", "https://trufflehog.cloud/api", fixed(), bearer()),
        service("twilio", "Twilio", "https://api.twilio.com", fixed(), vec![basic]),
        service("workday", "Workday", "https://{domain}/api", yours(), bearer()),
        service("zendesk", "Zendesk", "https://{domain}", usually("api.zendesk.com"), bearer()),
    ]
}

fn service(name: &str, title: &str, destination: &str, domain: Domain, outgoing: Vec<Auth>) -> Service {
    Service {
        name: name.to_owned(),
        title: title.to_owned(),
        destination: destination.to_owned(),
        domain,
        outgoing,
        incoming: Vec::new(),
    }
}

fn authorization(prefix: &str) -> Auth {
    header("Authorization", prefix)
}

fn header(name: &str, prefix: &str) -> Auth {
    Auth::token(name, prefix, "token", "the API token")
}
