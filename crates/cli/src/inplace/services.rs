//! The catalogue as the foreign command lines want it: services with their flags, capabilities with their parameters.

use catalog::{AuthScheme, Basic, Catalog, Integration};
use foreign::allowlist::{Capabilities, Known};
use foreign::integrations::{Auth, Domain, More, Service, known};
use model::IntegrationName;

/// The built-in integrations.
pub(super) struct Catalogue {
    names: Vec<String>,
}

impl Catalogue {
    /// Their names; each is read when it is asked for.
    pub(super) fn load() -> Self {
        let internal = |name: &str| matches!(name, "doorward");
        let names = Catalog::builtin().names().into_iter().map(|name| name.to_string());
        Self { names: names.filter(|name| !internal(name)).collect() }
    }

    /// Those that have no builder of their own.
    pub(super) fn more(&self) -> More<'static> {
        let own = known();
        let beyond = self.names.iter().filter(|name| own.iter().all(|service| service.name != **name));
        More { names: beyond.cloned().collect(), find: &service }
    }

    /// The capabilities of all of them.
    pub(super) fn capabilities(&self) -> Known<'static> {
        Known { of: &capabilities, integrations: self.names.clone() }
    }
}

/// An integration with a placeholder for a domain of the user's own.
fn read(name: &str) -> Option<Integration> {
    catalog::cases::integration(&name.parse::<IntegrationName>().ok()?).ok()
}

fn capabilities(name: &str) -> Option<Capabilities> {
    let found = read(name)?;
    let named = found.capabilities().iter();
    Some(
        named.map(|(name, narrowing)| (name.clone(), narrowing.params().keys().cloned().collect())).collect(),
    )
}

/// A service, where a `config.yaml` can say how its credential is put on a request.
fn service(name: &str) -> Result<Service, String> {
    let unsaid =
        |how: &str| Err(format!("the credential of `{name}` {how}, which a `config.yaml` can't say"));
    let found = read(name).ok_or_else(|| format!("`{name}` can't be read"))?;
    let mut outgoing = Vec::new();
    for scheme in found.auth() {
        let field = scheme.fields().next().unwrap_or_default();
        outgoing.push(match scheme {
            AuthScheme::Bearer { .. } => token(&found, "Authorization", "Bearer ", field),
            AuthScheme::Header { name, prefix, .. } => token(&found, name, prefix, field),
            AuthScheme::Basic { name, .. } if name != "authorization" => {
                return unsaid("is Basic in another header");
            }
            AuthScheme::Basic { pair: Basic::Joined { .. }, .. } => {
                Auth::plain("basic", &flag(field), &title(&found, field))
            }
            AuthScheme::Basic { .. } => {
                Auth::plain("basic", "token", "user name and password, as `USER:PASSWORD`")
            }
            AuthScheme::Query { .. } => return unsaid("goes into the query"),
            AuthScheme::Path { .. } | AuthScheme::PathEnd { .. } => return unsaid("goes into the path"),
            AuthScheme::Cookie { .. } => return unsaid("is a cookie"),
            AuthScheme::Derived(_) => return unsaid("is a token that is made on the way"),
            _ => return unsaid("signs the request or stands in the place of something"),
        });
    }
    if !found.headers().is_empty() {
        // The other program has no key for them, and a caller can send them.
        let names = found.headers().keys().cloned().collect::<Vec<_>>().join("`, `");
        crate::print::Printer::say(&format!("note: callers of `{name}` have to send `{names}` themselves"));
    }
    let authority = found.authority().to_string().replace(PLACEHOLDER, "{domain}");
    let yours = authority.contains("{domain}");
    Ok(Service {
        name: name.to_owned(),
        title: found.title().to_owned(),
        destination: format!("{authority}{}", found.base_path()),
        domain: if yours { Domain::Yours } else { Domain::Fixed },
        outgoing,
        incoming: Vec::new(),
    })
}

fn token(found: &Integration, header: &str, prefix: &str, secret: &str) -> Auth {
    Auth::token(header, prefix, &flag(secret), &title(found, secret))
}

/// The flag of a field.
fn flag(field: &str) -> String {
    field.replace('_', "-")
}

fn title(found: &Integration, field: &str) -> String {
    found.secrets().get(field).map_or_else(|| "the secret".to_owned(), |secret| secret.title.clone())
}

/// What stands for a domain of the user's own in a file that is read for its cases.
const PLACEHOLDER: &str = "domain.example.com";

#[cfg(test)]
mod tests;
