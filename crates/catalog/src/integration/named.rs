//! From a named operation to a request.

use model::{Authority, Call, EvidenceId, Inputs, Method, OperationName, Refusal, Target, Timestamp};

use super::requests::{self, is_absent, missing, refused};
use super::{Integration, referred};
use crate::input::Place;
use crate::{AuthScheme, Find, Message, Operation, body, nearest, path};

impl Integration {
    /// A named operation with its inputs: Doorward's own, or a request that is written from them.
    ///
    /// # Errors
    /// `bad_request` where there is no such operation, or the inputs are not what it takes.
    pub fn named(&self, id: EvidenceId, operation: &OperationName, inputs: Inputs) -> Result<Call, Refusal> {
        let (operation, inputs) = self.checked(operation, inputs)?;
        requests::check_on(&self.name, operation)?;
        let resource = operation.resource.resource(&inputs)?;
        let request = match self.written(operation, &inputs)? {
            Some((method, target)) => {
                Some((method, self.named_destination(operation, &inputs)?, self.sent(&target)?))
            }
            None => None,
        };
        Ok(self.found(id, Some(operation), (inputs, resource, request)))
    }

    /// What belongs to the request of [`Self::named`] with the same inputs, besides its target.
    ///
    /// # Errors
    /// As [`Self::named`].
    pub fn named_body(&self, operation: &OperationName, inputs: Inputs) -> Result<Message, Refusal> {
        let (operation, inputs) = self.checked(operation, inputs)?;
        Ok(if operation.rule.is_some() { body::write(operation, &inputs) } else { Message::default() })
    }

    /// The inputs of an operation for a request that is written now: what is the time of the call where nobody says it is there.
    #[must_use]
    pub fn timed(&self, operation: &OperationName, mut inputs: Inputs, now: Timestamp) -> Inputs {
        let fields = self.operations.get(operation).into_iter().flat_map(|operation| &operation.inputs);
        for (name, _) in fields.filter(|(_, field)| field.clock) {
            let _ = inputs.entry(name.clone()).or_insert_with(|| now.to_string());
        }
        inputs
    }

    /// Looks whether these inputs can be said in a request, and whether they are all that it needs. Where a program does the operation there is no request, so this is
    /// not for [`Self::named`].
    ///
    /// # Errors
    /// `bad_request` where one is for the program only, or one is missing without which only a program does.
    pub fn check_said(&self, operation: &OperationName, inputs: &Inputs) -> Result<(), Refusal> {
        let Some(operation) = self.operations.get(operation).filter(|found| found.rule.is_some()) else {
            return Ok(());
        };
        let in_host = |name: &str| operation.host.iter().any(|host| host.names().any(|one| one == name));
        let unsaid = operation.inputs.iter().find(|(name, field)| {
            field.place == Place::Named
                && field.default.is_none()
                && inputs.contains_key(*name)
                && !in_host(name)
        });
        let absent = operation.inputs.iter().find(|(name, field)| field.required && is_absent(inputs, name));
        if let Some((name, _)) = absent.filter(|(_, field)| field.default.is_none()) {
            return Err(missing(operation, name));
        }
        match unsaid {
            Some((name, _)) => Err(refused(format!("the input `{name}` can only be said to a program"))
                .hint("leave the input out, or install the program")),
            None => Ok(()),
        }
    }

    /// Where the request of a named operation goes.
    fn named_destination(&self, operation: &Operation, inputs: &Inputs) -> Result<Authority, Refusal> {
        let (Some(wildcard), Some(host)) = (&self.wildcard, &operation.host) else {
            return self.destination(None);
        };
        // Within one label, so that an input never says below which domain the request goes.
        let label = |name: &str| {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            inputs.get(name).filter(|value| !value.is_empty() && value.bytes().all(plain)).cloned()
        };
        let host =
            host.fill(label).ok_or_else(|| refused("an input that names the host is missing or odd"))?;
        wildcard.destination(Some(&host))
    }

    /// Whether a credential would be put into this text, where its service shows it to others.
    fn holds_placeholder(&self, text: &str) -> bool {
        self.auth.iter().any(|scheme| match scheme {
            AuthScheme::Replace(replace) => {
                matches!(&replace.find, Find::Text(find) if text.contains(find.as_str()))
            }
            _ => false,
        })
    }

    pub(crate) fn checked(
        &self,
        operation: &OperationName,
        inputs: Inputs,
    ) -> Result<(&Operation, Inputs), Refusal> {
        let Some(operation) = self.operations.get(operation) else {
            let near = nearest::suffix(operation.as_str(), self.operations.keys().map(OperationName::as_str));
            let message = format!("`{}` has no operation `{operation}`{near}", self.name);
            return Err(refused(message));
        };
        let mut kept = Inputs::new();
        for (name, value) in inputs {
            let Some(field) = operation.inputs.get(&name) else {
                let near = nearest::suffix(&name, operation.inputs.keys().map(String::as_str));
                let message = format!("`{}` has no input {}{near}", operation.name, nearest::shown(&name));
                return Err(refused(message));
            };
            let value = field.accept(&name, &value)?;
            if self.holds_placeholder(&value) {
                let message = format!("the input `{name}` holds what the credential is put in the place of");
                return Err(refused(message));
            }
            kept.insert(name, value);
        }
        for (name, field) in &operation.inputs {
            if let Some(default) = field.default.as_ref().filter(|_| !kept.contains_key(name)) {
                kept.insert(name.clone(), default.clone());
            }
        }
        imply(operation, &mut kept);
        body::check_rest(operation, &kept)?;
        referred::check(operation, &kept)?;
        check_rivals(operation, &kept)?;
        match operation.inputs.keys().find(|name| operation.requires(name) && is_absent(&kept, name)) {
            Some(name) => Err(missing(operation, name)),
            None => Ok((operation, kept)),
        }
    }

    /// The request that these inputs make. It is matched again, so that it can only be the operation that was named.
    fn written(&self, operation: &Operation, inputs: &Inputs) -> Result<Option<(Method, Target)>, Refusal> {
        let Some(rule) = &operation.rule else { return Ok(None) };
        let (template, path) = operation.path(inputs).ok_or_else(|| {
            refused("the inputs that stand in the path make no path: one is empty, missing or holds a `/`")
        })?;
        let mut query: Vec<String> = Vec::new();
        for (name, field) in &operation.inputs {
            if let (Place::Query(key), Some(value)) = (&field.place, inputs.get(name)) {
                query.extend(body::texts(field, value).iter().map(|text| body::form::pair(key, text)));
            }
        }
        let mark = if query.is_empty() { "" } else { "?" };
        let target: Target = format!("{path}{mark}{}", query.join("&"))
            .parse()
            .map_err(|error: model::ParseError| refused(error.to_string()))?;
        let wrong = || refused(format!("the inputs do not make a request of `{}`", operation.name));
        if !operation.is_placed() {
            operation.read(template, &path::segments(&target)).ok_or_else(wrong)?;
            return Ok(Some((rule.method, target)));
        }
        let segments = path::segments(&target);
        let first = self.order.iter().find_map(|(name, place)| {
            let found = self.operations.get(name)?;
            found.matches(rule.method, *place, &segments)?;
            found.rule.as_ref().and_then(|rule| rule.paths.get(*place)).map(|path| (found, path))
        });
        match first {
            Some((found, path)) if found.name == operation.name || path == template => {
                Ok(Some((rule.method, target)))
            }
            _ => Err(wrong()),
        }
    }
}

/// Looks whether a program is told one thing only: of two options that say where it looks, the program chooses one.
fn check_rivals(operation: &Operation, inputs: &Inputs) -> Result<(), Refusal> {
    let said = |name: &str| inputs.get(name).is_some_and(|value| !value.is_empty() && value != "false");
    for (name, field) in &operation.inputs {
        let mut rivals = field.rivals.iter().flatten().filter(|_| field.place == Place::Named && said(name));
        if let Some(rival) = rivals.find(|rival| said(rival)) {
            let message = format!("the input `{name}` says in place of the input `{rival}`");
            return Err(refused(message).hint("say one of them"));
        }
    }
    Ok(())
}

/// Adds what follows from the inputs that are there, where nothing of it is said.
fn imply(operation: &Operation, inputs: &mut Inputs) {
    for (name, field) in operation.inputs.iter().filter(|(_, field)| !field.implies.is_empty()) {
        let Some(implied) = inputs.get(name).and_then(|value| field.implies.get(value)) else { continue };
        if implied.keys().all(|other| is_absent(inputs, other)) {
            inputs.extend(implied.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
    }
}
