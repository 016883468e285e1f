//! From a request to a call.

use std::sync::Arc;

use model::{
    Access, Authority, Call, CallParts, Code, EvidenceId, Inputs, IntegrationName, Method, OperationName,
    Refusal, Resource, Risk, Target,
};

use super::{Asked, Integration, Route};
use crate::input::{Kind, Place};
use crate::{AuthScheme, Operation, body, path, reply};

impl Integration {
    /// Which operation a request could be, before its body is read.
    #[must_use]
    pub fn route(&self, method: Method, target: &Target) -> Route<'_> {
        let found = self.find(method, &self.stripped(target));
        match found {
            Some((operation, _)) if operation.needs_look() => {
                Route { operation: Some(operation), looks: true }
            }
            Some((operation, _)) if !operation.conceals() && operation.knows_query(target) => {
                Route { operation: Some(operation), looks: false }
            }
            _ => Route { operation: None, looks: false },
        }
    }

    /// The call that a request is. What no operation describes is `unknown`: a write of high risk.
    /// So is the request of an operation that hides something of its reply.
    ///
    /// # Errors
    /// `bad_request` where the request can be read in two ways, or its inputs are not what the operation takes.
    pub fn call(&self, id: EvidenceId, asked: &Asked<'_>) -> Result<Call, Refusal> {
        self.call_to(id, asked, None)
    }

    /// The same, where the call names its host as far as it may.
    ///
    /// # Errors
    /// As [`Self::call`], and `bad_request` where the host is missing or none of those that a call may name.
    pub fn call_to(
        &self,
        id: EvidenceId,
        asked: &Asked<'_>,
        destination: Option<&str>,
    ) -> Result<Call, Refusal> {
        if self.internal {
            let message = format!("`{}` has operations, but no requests that could be forwarded", self.name);
            return Err(Refusal::new(Code::NotFound, message));
        }
        let target = self.stripped(asked.target);
        self.check_credential_names(&target)?;
        let request = Some((asked.method, self.destination(destination)?, self.sent(&target)?));
        let Some((operation, mut inputs)) = self.chosen(asked, &target)? else {
            return Ok(self.found(id, None, (Inputs::new(), Resource::any(), request)));
        };
        check_on(&self.name, operation)?;
        for (name, value) in &mut inputs {
            // A path input without an entry was given one by the compiler of the file.
            let field =
                operation.inputs.get(name).ok_or_else(|| refused("an input of the path is not described"))?;
            *value = field.accept(name, value)?;
        }
        read_query(operation, &target, &mut inputs)?;
        body::read(operation, asked, &mut inputs)?;
        check_required(operation, &inputs)?;
        let resource = operation.resource.resource(&inputs)?;
        Ok(self.found(id, Some(operation), (inputs, resource, request)))
    }

    /// The call of a request that nobody can look into, because another protocol follows it: `unknown`, whatever is described.
    ///
    /// # Errors
    /// `bad_request` where the target can be read in two ways.
    pub fn opaque(
        &self,
        id: EvidenceId,
        (method, target): (Method, &Target),
        destination: Option<&str>,
    ) -> Result<Call, Refusal> {
        if self.internal {
            let message = format!("`{}` has operations, but no requests that could be forwarded", self.name);
            return Err(Refusal::new(Code::NotFound, message));
        }
        let target = self.stripped(target);
        self.check_credential_names(&target)?;
        let request = Some((method, self.destination(destination)?, self.sent(&target)?));
        Ok(self.found(id, None, (Inputs::new(), Resource::any(), request)))
    }

    /// Whether a call is none of the operations of the file.
    #[must_use]
    pub fn is_unknown(&self, call: &Call) -> bool {
        *call.operation() == self.unknown
    }

    /// The operations that a request may be by its method and path, whatever stands in its query and body; none where nothing
    /// describes it.
    ///
    /// # Errors
    /// `denied` where one of them is disabled.
    pub fn meant(&self, method: Method, target: &Target) -> Result<Vec<OperationName>, Refusal> {
        let target = self.stripped(target);
        let segments = path::segments(&target);
        let meant = self.alike(method, &segments);
        meant.map(|operation| check_on(&self.name, operation).map(|()| operation.name.clone())).collect()
    }

    /// The operations that a request which is none of them to us may be to its service: those of [`Self::meant`], else those whose path
    /// it has but for letter case and a slash at the end, else those to which the file says that it may amount. The last are not asked for
    /// a plain read: one that takes no other protocol.
    ///
    /// # Errors
    /// `denied` where one of them is disabled.
    pub fn resembled(
        &self,
        method: Method,
        target: &Target,
        is_plain: bool,
    ) -> Result<Vec<OperationName>, Refusal> {
        let meant = self.meant(method, target)?;
        if !meant.is_empty() {
            return Ok(meant);
        }
        let target = self.stripped(target);
        let segments = path::segments(&target);
        let resembles = |one: &&Operation| one.resembles(method, &segments) && !self.is_told(one);
        let alike: Vec<&Operation> = self.operations.values().filter(resembles).collect();
        let reads = is_plain && matches!(method, Method::Get | Method::Head | Method::Options);
        let more = alike.is_empty() && !reads;
        let more = self.undescribed.iter().filter(|_| more).filter_map(|name| self.operations.get(name));
        alike
            .into_iter()
            .chain(more)
            .map(|operation| check_on(&self.name, operation).map(|()| operation.name.clone()))
            .collect()
    }

    /// What keeps a request that resembles an operation from being it.
    #[must_use]
    pub fn surplus(&self, operation: &OperationName, target: &Target) -> String {
        let known = self.operations.get(operation);
        match known.and_then(|known| known.stranger(&self.stripped(target))) {
            Some(name) if name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_graphic()) => {
                format!("query parameter {name} is not known to {operation}")
            }
            Some(_) => format!("a query parameter is not known to {operation}"),
            None => format!("the request resembles {operation} and is not read as it"),
        }
    }

    /// The evidence fields of a reply: bounded, control characters escaped.
    #[must_use]
    pub fn fields(
        &self,
        operation: &OperationName,
        headers: &dyn Fn(&str) -> Option<String>,
        body: &[u8],
    ) -> Vec<(String, String)> {
        self.operations
            .get(operation)
            .map(|found| match found.output {
                crate::Output::Lines => reply::fields_of_lines(&found.evidence, headers, body),
                crate::Output::Json | crate::Output::Text => reply::fields(&found.evidence, headers, body),
            })
            .unwrap_or_default()
    }

    /// The operation whose path it is, before query and body are read.
    fn find(&self, method: Method, target: &Target) -> Option<(&Operation, Inputs)> {
        let segments = path::segments(target);
        self.order.iter().find_map(|(name, place)| {
            let operation = self.operations.get(name)?;
            operation.matches(method, *place, &segments).map(|inputs| (operation, inputs))
        })
    }

    /// The operation that a request is. Where several have the same path, what stands in the body decides.
    fn chosen(&self, asked: &Asked<'_>, target: &Target) -> Result<Option<(&Operation, Inputs)>, Refusal> {
        let Some((first, inputs)) = self.find(asked.method, target) else { return Ok(None) };
        let operation = if first.needs_look() { self.looked_at(asked, target)? } else { Some(first) };
        // Not the next wider operation: this is the one that the service will perform, with something we do not know.
        // Nor one that promises less of its reply than a forwarded request is given.
        let taken = |found: &&Operation| !found.conceals() && found.knows_query(target);
        Ok(operation.filter(taken).map(|found| (found, inputs)))
    }

    /// The operations of the narrowest path that fits. Wider paths are other operations.
    fn alike<'a>(&'a self, method: Method, segments: &[&str]) -> impl Iterator<Item = &'a Operation> {
        let mut first: Option<&path::Template> = None;
        let all = self.order.iter().filter_map(move |(name, place)| {
            let operation = self.operations.get(name)?;
            let template = operation.rule.as_ref()?.paths.get(*place)?;
            operation.matches(method, *place, segments).map(|_| (operation, template))
        });
        all.take_while(move |(_, template)| *first.get_or_insert(template) == *template)
            .map(|(operation, _)| operation)
    }

    fn looked_at(&self, asked: &Asked<'_>, target: &Target) -> Result<Option<&Operation>, Refusal> {
        let segments = path::segments(target);
        let mut general = None;
        let mut unread = None;
        for operation in self.alike(asked.method, &segments) {
            if operation.fixed.is_empty() {
                general = Some(operation);
                continue;
            }
            match body::has_fixed(operation, asked) {
                Ok(true) => return Ok(Some(operation)),
                Ok(false) => {}
                Err(refusal) => unread = Some(refusal),
            }
        }
        match (general, unread) {
            // It refuses what it cannot read, unless it takes anything.
            (Some(general), _) => Ok(Some(general)),
            (None, Some(refusal)) => Err(refusal),
            (None, None) => Ok(None),
        }
    }

    /// Where a call goes.
    pub(super) fn destination(&self, named: Option<&str>) -> Result<Authority, Refusal> {
        match &self.wildcard {
            None => Ok(self.authority.clone()),
            Some(wildcard) => wildcard.destination(named),
        }
    }

    /// The target as it is sent: behind the base path, its query behind the pairs that are always there.
    pub(super) fn sent(&self, target: &Target) -> Result<Target, Refusal> {
        let sent = target.under(&self.base_path).map_err(|error| refused(error.to_string()))?;
        if self.query.is_empty() {
            return Ok(sent);
        }
        let own = sent.query().filter(|own| !own.is_empty());
        let text = match own {
            None => format!("{}?{}", sent.path(), self.query),
            Some(own) => format!("{}?{}&{own}", sent.path(), self.query),
        };
        let fixed: Target = format!("/?{}", self.query)
            .parse()
            .map_err(|error: model::ParseError| refused(error.to_string()))?;
        if let Some((name, _)) =
            fixed.pairs().find(|(name, _)| target.pairs().any(|(key, _)| key.eq_ignore_ascii_case(name)))
        {
            let message = format!("the query parameter `{name}` is always the one of `{}`", self.name);
            return Err(refused(message).hint("leave it out"));
        }
        text.parse().map_err(|error: model::ParseError| refused(error.to_string()))
    }

    /// The target without the segment that stands for a credential in the path, where the caller wrote one.
    #[must_use]
    pub fn stripped(&self, target: &Target) -> Target {
        let stands = self.auth.iter().find_map(|scheme| match scheme {
            AuthScheme::Path { prefix, suffix, .. } => target.segments().next().filter(|first| {
                first.len() >= prefix.len() + suffix.len()
                    && first.starts_with(prefix)
                    && first.ends_with(suffix)
            }),
            _ => None,
        });
        stands
            .and_then(|segment| target.strip_prefix(&format!("/{segment}")))
            .unwrap_or_else(|| target.clone())
    }

    /// A caller's own `?key=` beside ours would leave it to the service which of the two counts.
    fn check_credential_names(&self, target: &Target) -> Result<(), Refusal> {
        for scheme in &self.auth {
            let own: &dyn Fn(&str) -> bool = match scheme {
                AuthScheme::Query { name, .. } => &|key| key.eq_ignore_ascii_case(name),
                // A presigned request is somebody else's credential, with an end that nobody here set.
                AuthScheme::SigV4(_) => &|key| PRESIGNED.iter().any(|one| key.eq_ignore_ascii_case(one)),
                AuthScheme::OAuth1(_) => &|key| key.to_ascii_lowercase().starts_with("oauth_"),
                _ => continue,
            };
            if let Some((key, _)) = target.pairs().find(|(key, _)| own(key)) {
                let key = key.chars().filter(|c| !c.is_control()).take(64).collect::<String>();
                let message = format!("the query parameter `{key}` is where the credential goes");
                return Err(refused(message).hint("leave it out"));
            }
        }
        Ok(())
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place where a request becomes a call")]
    pub(super) fn found(
        &self,
        id: EvidenceId,
        operation: Option<&Operation>,
        (inputs, resource, request): (Inputs, Resource, Option<(Method, Authority, Target)>),
    ) -> Call {
        Call::found(CallParts {
            id,
            integration: self.name.clone(),
            kind: self.kind.clone(),
            operation: operation.map_or_else(|| self.unknown.clone(), |found| found.name.clone()),
            access: operation.map_or(Access::Write, |found| found.access),
            risk: operation.map_or(Risk::High, |found| found.risk),
            resource,
            inputs,
            request,
            secrets: Arc::clone(&self.lent),
        })
    }
}

/// Refuses what is disabled until the user's file enables it.
pub(super) fn check_on(integration: &IntegrationName, operation: &Operation) -> Result<(), Refusal> {
    if !operation.is_disabled() {
        return Ok(());
    }
    let name = &operation.name;
    let message = format!("`{integration}/{name}` is disabled until the file of the integration enables it");
    Err(Refusal::new(Code::Denied, message)
        .hint(format!("`enable: [{name}]` in `integrations/{integration}.yaml` of the home")))
}

/// The inputs of the query. One that is there twice, or belongs into the body, could be read in two ways.
fn read_query(operation: &Operation, target: &Target, inputs: &mut Inputs) -> Result<(), Refusal> {
    let Some(query) = target.query() else { return Ok(()) };
    if query.contains(';') {
        return Err(refused("a bare `;` in a query separates pairs for some servers and not for others"));
    }
    for (name, field) in &operation.inputs {
        match &field.place {
            Place::Query(key) => {
                let mut values = target.pairs().filter(|(pair, _)| *pair == *key);
                if field.kind == Kind::List {
                    let all: Vec<String> = values.map(|(_, value)| value.into_owned()).collect();
                    if !all.is_empty() {
                        let all = serde_json::Value::from(all).to_string();
                        inputs.insert(name.clone(), field.accept(name, &all)?);
                    }
                    continue;
                }
                let Some((_, value)) = values.next() else { continue };
                if values.next().is_some() {
                    return Err(refused(format!("the query parameter `{key}` is written twice")));
                }
                inputs.insert(name.clone(), field.accept(name, &value)?);
            }
            Place::Body(path) => {
                let Some(first) = path.first() else { continue };
                if target.pairs().any(|(pair, _)| *pair == **name || *pair == **first) {
                    return Err(refused(format!(
                        "the input `{name}` belongs into the body, not into the query"
                    )));
                }
            }
            Place::Path | Place::Whole | Place::Named => {}
        }
    }
    Ok(())
}

fn check_required(operation: &Operation, inputs: &Inputs) -> Result<(), Refusal> {
    match operation.inputs.iter().find(|(name, field)| field.required && is_absent(inputs, name)) {
        Some((name, _)) => Err(missing(operation, name)),
        None => Ok(()),
    }
}

pub(super) fn is_absent(inputs: &Inputs, name: &str) -> bool {
    inputs.get(name).is_none_or(String::is_empty)
}

pub(super) fn missing(operation: &Operation, name: &str) -> Refusal {
    refused(format!("the input `{name}` of `{}` is missing", operation.name))
        .because(format!("{name} required"))
}

pub(super) fn refused(message: impl Into<String>) -> Refusal {
    Refusal::new(Code::BadRequest, message)
}

/// What a presigned request for AWS has in its query.
const PRESIGNED: [&str; 7] = [
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
];

#[cfg(test)]
mod tests;
