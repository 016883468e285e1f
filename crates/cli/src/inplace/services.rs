//! The catalogue as the foreign command lines want it: services with their flags, capabilities with their parameters.

use broker::Operations;
use catalog::{AuthScheme, Basic, Catalog, Integration, Written};
use foreign::allowlist::{Capabilities, Grant, Known};
use foreign::integrations::{Auth, Domain, More, Service, known};
use foreign::yaml::Node;
use model::IntegrationName;
use policy::lists::{Param, Params, Services, Unready};

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
        Known { of: &capabilities, problem: &problem, integrations: self.names.clone() }
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

/// Why a gateway would not read the parameters of a grant: the same that it says, before it is written.
fn problem(grant: &Grant) -> Option<String> {
    let name: IntegrationName = grant.integration.parse().ok()?;
    let params = match params(&grant.params) {
        Ok(params) => params,
        Err(problem) => return Some(problem),
    };
    match Operations(somewhere(&name)?).capability(&name, &grant.capability, &params) {
        Err(Unready::Wrong(problem)) => Some(problem),
        Ok(_) | Err(Unready::Unknown(_)) => None,
    }
}

/// The catalogue, with a domain for an integration that lives at one of the user's own.
fn somewhere(name: &IntegrationName) -> Option<Catalog> {
    let built_in = Catalog::builtin();
    match built_in.get(name) {
        Ok(_) => return Some(built_in),
        Err(catalog::Error::Domain { .. }) => {}
        // One of the user's own: which service it is stands in another file.
        Err(_) => return None,
    }
    let text = format!("name: {name}\nextends: {name}\ndomain: {PLACEHOLDER}\n");
    let written = Written { name: name.clone(), text: text.into(), file: "a domain".into(), line: 0 };
    Catalog::layered(None, &[written], &[]).ok()
}

/// Parameters as lists read them.
fn params(node: &Node) -> Result<Params, String> {
    let Node::Map(entries) = node else { return Ok(Params::new()) };
    let text = |name: &str, node: &Node| match node {
        Node::Text(text) => Ok(text.clone()),
        Node::Number(number) => Ok(number.to_string()),
        Node::Flag(flag) => Ok(flag.to_string()),
        Node::Nothing | Node::List(_) | Node::Map(_) => {
            Err(format!("the parameter `{name}` is one text, or a list of texts"))
        }
    };
    let mut params = Params::new();
    for (name, node) in entries {
        let param = match node {
            Node::Nothing => continue,
            Node::List(items) => {
                Param::List(items.iter().map(|item| text(name, item)).collect::<Result<_, _>>()?)
            }
            one => Param::Text(text(name, one)?),
        };
        params.insert(name.clone(), param);
    }
    Ok(params)
}

/// A service, where a `config.yaml` can say how its credential is put on a request.
fn service(name: &str) -> Result<Service, String> {
    let unsaid =
        |how: &str| Err(format!("the credential of `{name}` {how}, which a `config.yaml` can't say"));
    let found = read(name).ok_or_else(|| format!("`{name}` can't be read"))?;
    if found.internal() {
        return unsaid("is Doorward's own affair, which mints it when it is asked");
    }
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
