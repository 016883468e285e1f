//! Every setting in one list, from which the reference page is made. A test holds it equal to what is read.

/// One setting.
#[derive(Debug)]
pub(crate) struct Row {
    /// The key in `settings.toml`; empty where the file can't say it.
    pub(crate) key: &'static str,
    /// The flag.
    pub(crate) flag: &'static str,
    /// The variable of the environment.
    pub(crate) variable: &'static str,
    /// The default, in words.
    pub(crate) default: &'static str,
    /// What it is.
    pub(crate) about: &'static str,
}

/// A setting that only the file says.
const fn in_the_file(key: &'static str, default: &'static str, about: &'static str) -> Row {
    Row { key, flag: "", variable: "", default, about }
}

/// Every setting.
pub(crate) const TABLE: &[Row] = &[
    Row {
        key: "",
        flag: "--home DIR",
        variable: "DOORWARD_HOME",
        default: "`$XDG_DATA_HOME/doorward`, else `~/.local/share/doorward`",
        about: "The folder that holds everything.",
    },
    Row {
        key: "",
        flag: "--log FORMAT",
        variable: "DOORWARD_LOG",
        default: "`text`",
        about: "How the log is written on stderr: `text` or `json`.",
    },
    Row {
        key: "gateway",
        flag: "--gateway ADDR",
        variable: "DOORWARD_GATEWAY",
        default: "`127.0.0.1:8080`",
        about: "Where the gateway listens.",
    },
    Row {
        key: "domains",
        flag: "--domain NAME",
        variable: "DOORWARD_DOMAINS",
        default: "none",
        about: "Names under which the gateway is called, besides `localhost`; `slack.NAME` is the integration `slack`.",
    },
    Row {
        key: "origins",
        flag: "--origin URL",
        variable: "DOORWARD_ORIGINS",
        default: "none",
        about: "Origins whose browser pages may call the gateway.",
    },
    Row {
        key: "threads",
        flag: "--threads N",
        variable: "DOORWARD_THREADS",
        default: "one for each core",
        about: "How many threads serve the gateway.",
    },
    Row {
        key: "api.listen",
        flag: "--api ADDR",
        variable: "DOORWARD_API",
        default: "nowhere",
        about: "Where the API and the console listen beside the gateway. `doorward serve` opens them also without.",
    },
    Row {
        key: "metrics",
        flag: "--metrics ADDR",
        variable: "DOORWARD_METRICS",
        default: "nowhere",
        about: "Where the counters are shown in Prometheus' format; a loopback address.",
    },
    Row {
        key: "admin",
        flag: "--admin ADDR",
        variable: "DOORWARD_ADMIN",
        default: "nowhere",
        about: "Where `/healthz`, `/readyz`, `/metrics` and `/status` are shown. With such a door the gateway itself shows no health.",
    },
    Row {
        key: "development",
        flag: "--development",
        variable: "DOORWARD_DEVELOPMENT",
        default: "`false`",
        about: "Lets callers on this machine in without a capability; only on a loopback address.",
    },
    Row {
        key: "environment",
        flag: "--environment NAME",
        variable: "DOORWARD_ENVIRONMENT",
        default: "none",
        about: "The environment that this broker serves, which capabilities and policies may ask for.",
    },
    Row {
        key: "llm.provider",
        flag: "--llm PROVIDER",
        variable: "DOORWARD_LLM",
        default: "nobody",
        about: "Who answers OpenAI clients under `/v1` of the gateway: `openai` or `openai-codex`.",
    },
    Row {
        key: "tls.cert",
        flag: "--tls-cert FILE",
        variable: "DOORWARD_TLS_CERT",
        default: "none",
        about: "The gateway's certificate chain, in PEM; without one it speaks plain HTTP.",
    },
    Row {
        key: "tls.key",
        flag: "--tls-key FILE",
        variable: "DOORWARD_TLS_KEY",
        default: "none",
        about: "The key of that certificate, in PEM, readable by its owner only.",
    },
    Row {
        key: "tls.client_ca",
        flag: "--tls-client-ca FILE",
        variable: "DOORWARD_TLS_CLIENT_CA",
        default: "none",
        about: "The authorities that callers' certificates come from, in PEM; with it, callers show certificates.",
    },
    Row {
        key: "tls.client_auth",
        flag: "--tls-client-auth WORD",
        variable: "DOORWARD_TLS_CLIENT_AUTH",
        default: "`required`",
        about: "Whether a caller has to show a certificate: `required` or `optional`.",
    },
    Row {
        key: "rates.redis",
        flag: "",
        variable: "",
        default: "nowhere",
        about: "A Redis in which several processes count their rates together: `redis://[USER@]HOST[:PORT][/DATABASE]`, or `rediss://` for TLS.",
    },
    Row {
        key: "rates.password",
        flag: "",
        variable: "",
        default: "none",
        about: "Where its password is: `env:VARIABLE` or `file:PATH`.",
    },
    Row {
        key: "rates.ca",
        flag: "",
        variable: "",
        default: "what the system trusts",
        about: "The authorities of its certificate, in PEM; with a file, only those.",
    },
    Row {
        key: "rates.prefix",
        flag: "",
        variable: "",
        default: "`doorward:`",
        about: "What stands before every key, so that others may use the same database.",
    },
    Row {
        key: "rates.timeout",
        flag: "",
        variable: "",
        default: "`250ms`",
        about: "How long one question may take, connecting included.",
    },
    Row {
        key: "rates.on_failure",
        flag: "",
        variable: "",
        default: "`local`",
        about: "What holds while Redis does not answer: `local` (each process counts for itself), `refuse` (calls with a rate), `allow` (nothing is counted, which the log says).",
    },
    in_the_file(
        "api.public_url",
        "where the API listens",
        "Where browsers find the API, such as `https://doorward.example` behind a proxy with TLS: for links, for the way back from an identity provider, and as a name by which it may be asked. With `https://` cookies go by TLS only.",
    ),
    in_the_file(
        "api.hosts",
        "",
        "A list of more names by which programs ask the API, such as `doorward.apps.svc`; with a port where only that one counts. Those of this machine and `public_url` are known; a request by any other name is refused.",
    ),
    in_the_file(
        "api.sign_in.issuer",
        "nobody",
        "The identity provider at which people sign in to the console (OpenID Connect).",
    ),
    Row { key: "api.sign_in.client_id", flag: "", variable: "", default: "", about: "Our name there." },
    in_the_file(
        "api.sign_in.client_secret",
        "none",
        "Our password there, as `env:VARIABLE` or `file:PATH`; without one the sign-in is protected by PKCE alone.",
    ),
    in_the_file("api.sign_in.title", "the host of the issuer", "What people call it."),
    in_the_file(
        "api.sign_in.roles",
        "",
        "A table of groups, each with the roles that it gives: `platform = [\"admin\"]`. Who is in none of them does not get in.",
    ),
    in_the_file(
        "api.sign_in.dangerous_allow_private",
        "`false`",
        "Lets the provider be asked over plain http and at private addresses; for trying things out.",
    ),
    in_the_file(
        "api.webhooks.retry",
        "`5s`",
        "How long after a webhook's first try that failed there is another one; each further one comes three times as late, nine in all.",
    ),
    in_the_file(
        "api.webhooks.dangerous_allow_private",
        "`false`",
        "Lets webhooks be told over plain http and at private addresses. Whoever may make one then reaches what this machine reaches.",
    ),
    in_the_file(
        "approvals.slack.channel",
        "nowhere",
        "The id of the channel of Slack where questions are written that wait for an approval (`doorward approval relay`).",
    ),
    in_the_file(
        "approvals.slack.people",
        "",
        "Who members of Slack are here, by their ids: `U0123456789 = \"ada\"`. What they may decide is said by their roles.",
    ),
    in_the_file(
        "approvals.slack.team",
        "any",
        "The id of the workspace, where only answers from that one count.",
    ),
    in_the_file(
        "approvals.slack.signing_secret",
        "`store:slack/signing`",
        "Where the signing secret of the Slack app is.",
    ),
    in_the_file("approvals.slack.integration", "`slack`", "The integration that messages go through."),
    in_the_file(
        "approvals.linear.team",
        "nowhere",
        "The id of the team of Linear where issues are opened for questions that wait for an approval.",
    ),
    in_the_file("approvals.linear.people", "", "Who users of Linear are here, by their ids."),
    in_the_file("approvals.linear.integration", "`linear`", "The integration that issues go through."),
    in_the_file(
        "mcp.resource",
        "",
        "The address of `doorward mcp --listen` as its clients write it, such as `https://mcp.gateway.example/mcp`: access tokens have to be made for it.",
    ),
    in_the_file(
        "mcp.issuer",
        "nobody",
        "Whose access tokens are taken there; its discovery document says where its keys are.",
    ),
    in_the_file(
        "mcp.algorithms",
        "`RS256`, `ES256`, `EdDSA`",
        "Which signatures are taken. Each has a public key.",
    ),
    in_the_file(
        "mcp.grants",
        "",
        "A list of what tokens give: a `scope`, `groups`, or both, and the limits of a capability (`integrations`, `operations`, `resources`, `access`, `environment`, `hours`, `rate`, `approval`).",
    ),
    in_the_file(
        "mcp.dangerous_allow_private",
        "`false`",
        "Lets the issuer be asked over plain http and at private addresses; for trying things out.",
    ),
    Row {
        key: "operations.path",
        flag: "",
        variable: "",
        default: "the `PATH` of whoever starts Doorward",
        about: "Folders in which the programs of operations are looked up.",
    },
    Row {
        key: "operations.sandbox",
        flag: "",
        variable: "",
        default: "`auto`",
        about: "What they run in: `bwrap`, `landlock`, `auto` (the first of these that works), or `none`, which each record says.",
    },
    Row {
        key: "operations.readable",
        flag: "",
        variable: "",
        default: "none",
        about: "What they may read and start besides what every system has.",
    },
    Row {
        key: "operations.folders",
        flag: "",
        variable: "",
        default: "none",
        about: "Folders of yours that they may work in and change, such as clones of repositories.",
    },
    in_the_file(
        "tenants.validate",
        "`24h`",
        "How long after its last validation a credential of a tenant is validated again, up to a fifth later; `never` for not at all.",
    ),
    in_the_file(
        "tenants.pending",
        "`15m`",
        "How long after a validation that said nothing (429, 5xx, no answer) the provider is asked again; `never` for not at all.",
    ),
    in_the_file(
        "tenants.grace",
        "`24h`",
        "How long a credential that was replaced is kept, for callers that still hold it.",
    ),
    Row {
        key: "",
        flag: "",
        variable: "CA_ROOT_API_KEY",
        default: "none",
        about: "A root key of at least 32 characters that `doorward serve` takes as `X-CA-Root-Key` besides those that were made here, as long as it runs.",
    },
    Row {
        key: "store.url",
        flag: "--store URL",
        variable: "DOORWARD_STORE",
        default: "the folder of the home",
        about: "A PostgreSQL in which the home keeps its rows and its evidence: `postgres://ROLE@HOST[:PORT]/DATABASE[?sslmode=verify-full]`, never with a password.",
    },
    in_the_file(
        "store.password",
        "`~/.pgpass`",
        "Where the password of that role is: `env:VARIABLE` or `file:PATH`; read anew for each connection.",
    ),
    in_the_file(
        "store.ca",
        "what the system trusts",
        "The authorities of the server's certificate, in PEM; with a file, only those.",
    ),
    in_the_file(
        "store.owner",
        "nobody",
        "The role that owns the schema, in the same form: brings it up to date at the start.",
    ),
    in_the_file("store.owner_password", "`~/.pgpass`", "Where the password of that one is."),
    in_the_file(
        "store.credentials.url",
        "the store itself",
        "A table of BigQuery in which credentials of tenants are kept: `bigquery://PROJECT/DATASET?location=EU`.",
    ),
    in_the_file(
        "store.credentials.key",
        "`[gcp]` of `sources.toml`, or the machine's account",
        "The reference of the key file of the account that reads and writes it.",
    ),
    in_the_file(
        "store.credentials.endpoint",
        "`https://bigquery.googleapis.com`",
        "Another address of the API.",
    ),
    in_the_file("store.connections", "`8`", "The most connections, besides one that holds the lead."),
    in_the_file("store.timeout", "`5s`", "How long one question may take, connecting included."),
    in_the_file(
        "store.wait",
        "`2s`; with `listen` without end",
        "How long a broker stands by while another one has the store.",
    ),
    in_the_file(
        "store.listen",
        "nowhere",
        "Where other brokers of this store hand on what comes to them, while this one leads.",
    ),
    in_the_file(
        "store.announced",
        "`listen`",
        "Under which `HOST:PORT` they reach it, where that is another one.",
    ),
];
