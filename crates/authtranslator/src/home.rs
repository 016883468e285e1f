//! Which built-in integration an entry is, so that policies and evidence know its operations.
//!
//! An entry is one by its name, or by the host that its destination has; and only where callers write paths as that
//! integration describes them.

use model::IntegrationName;

/// The built-in integration behind an entry.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) name: IntegrationName,
    /// Whether the destination holds more or less of the service's paths than the base there, as in `https://slack.com/api`.
    pub(crate) whole_paths: bool,
    /// Whether some of its operations are disabled here where nothing enables them.
    pub(crate) holds_back: bool,
}

/// The built-in integration behind a name and a destination; `None` where there is none, or where its paths would be others.
pub(crate) fn kind(name: &IntegrationName, host: &str, base_path: &str) -> Option<Kind> {
    let known = |kind: &&(&str, &str, &str, &str)| kind.0 == name.as_str();
    let by_host = |kind: &&(&str, &str, &str, &str)| match kind.2.strip_prefix('.') {
        Some(domain) => {
            host.strip_suffix(domain).is_some_and(|front| front.len() > 1 && front.ends_with('.'))
        }
        None => !kind.2.is_empty() && kind.2 == host,
    };
    let found = KINDS.iter().find(known).or_else(|| {
        // A name that is built in means that one, wherever it is.
        if catalog::Catalog::builtin().has(name) { None } else { KINDS.iter().find(by_host) }
    });
    match found {
        Some((_, kind, _, base)) if *base == base_path => {
            Some(Kind { name: kind.parse().ok()?, whole_paths: false, holds_back: false })
        }
        Some((_, kind, _, base)) => elsewhere(kind.parse().ok()?, Some(base), base_path),
        None => elsewhere(name.clone(), None, base_path),
    }
}

/// One whose destination has the base path that is built in, or another one above or below which all its operations are.
/// `base` is the one that a destination has there.
fn elsewhere(name: IntegrationName, base: Option<&str>, base_path: &str) -> Option<Kind> {
    // With a domain where it lives at one of the user's own: nothing but its paths is looked at.
    let found = catalog::cases::integration(&name).ok()?;
    if found.internal() || base.is_some_and(|base| base != found.base_path()) {
        return None;
    }
    // What only a program does is no request, and the program would want its own credential instead of the one of the file.
    if found.operations().values().all(|operation| operation.method().is_none()) {
        return None;
    }
    let holds_back = found.operations().values().any(catalog::Operation::is_held_back);
    if base_path == found.base_path() {
        return Some(Kind { name, whole_paths: false, holds_back });
    }
    found.may_be_behind(base_path).then_some(Kind { name, whole_paths: true, holds_back })
}

/// Name there, integration here, host, and the base path of destinations behind which callers' paths are those of the
/// integration here.
const KINDS: &[(&str, &str, &str, &str)] = &[
    ("asana", "asana", "app.asana.com", "/api/1.0"),
    ("confluence", "confluence", "", ""),
    ("datadog", "datadog", "api.datadoghq.com", ""),
    ("ghe", "github", "", "/api/v3"),
    ("github", "github", "api.github.com", ""),
    ("gitlab", "gitlab", "gitlab.com", "/api/v4"),
    ("jira", "jira", "", ""),
    ("linear", "linear", "api.linear.app", ""),
    ("monday", "monday", "api.monday.com", "/v2"),
    ("okta", "okta", ".okta.com", "/api/v1"),
    ("openai", "openai", "api.openai.com", ""),
    ("pagerduty", "pagerduty", "api.pagerduty.com", ""),
    ("sendgrid", "sendgrid", "api.sendgrid.com", ""),
    ("servicenow", "servicenow", ".service-now.com", ""),
    ("slack", "slack", "slack.com", ""),
    ("stripe", "stripe", "api.stripe.com", ""),
    ("trufflehog", "trufflehog", "trufflehog.cloud", "/api"),
    ("twilio", "twilio", "api.twilio.com", ""),
    ("workday", "workday", "", "/api"),
    ("zendesk", "zendesk", ".zendesk.com", ""),
];
