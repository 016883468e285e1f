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
    Row {
        key: "tenants.validate",
        flag: "",
        variable: "",
        default: "`24h`",
        about: "How long after its last validation a credential of a tenant is validated again, up to a fifth later; `never` for not at all.",
    },
    Row {
        key: "tenants.pending",
        flag: "",
        variable: "",
        default: "`15m`",
        about: "How long after a validation that said nothing (429, 5xx, no answer) the provider is asked again; `never` for not at all.",
    },
    Row {
        key: "tenants.grace",
        flag: "",
        variable: "",
        default: "`24h`",
        about: "How long a credential that was replaced is kept, for callers that still hold it.",
    },
    Row {
        key: "",
        flag: "",
        variable: "CA_ROOT_API_KEY",
        default: "none",
        about: "A root key of at least 32 characters that `doorward serve` takes as `X-CA-Root-Key` besides those that were made here, as long as it runs.",
    },
];
