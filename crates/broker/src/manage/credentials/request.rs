//! What comes with a credential, as a tenant's program writes it. Nothing that is wrong with it is repeated.

use catalog::Unkept;
use model::Code;
use serde_json::{Map, Value, json};
use zeroize::{Zeroize, Zeroizing};

use crate::Payload;
use crate::manage::Done;

/// A request to set up or change a credential.
pub(super) struct Asked {
    /// The credential; a document is written on one line.
    pub(super) credential: Option<Zeroizing<String>>,
    /// What it is called.
    pub(super) name: Option<String>,
    /// What is noted beside it.
    pub(super) metadata: Option<Map<String, Value>>,
    /// Whether its provider is not asked.
    pub(super) skip: bool,
}

/// What a request has to have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    Credential,
    Anything,
}

/// What is wrong with a request, as it is told to whoever sent it.
pub(super) struct Wrong {
    status: u16,
    detail: Value,
    code: Code,
}

impl Wrong {
    pub(super) fn bad(detail: String) -> Self {
        Self { status: 400, detail: detail.into(), code: Code::BadRequest }
    }

    pub(super) fn no_credential() -> Self {
        Self::field("credential", "Field required")
    }

    pub(super) fn nothing_there() -> Self {
        let detail = "No active integration found for the specified provider.".into();
        Self { status: 404, detail, code: Code::NotFound }
    }

    pub(super) fn metadata(unkept: &Unkept) -> Self {
        Self::bad(format!("Invalid metadata structure: {unkept}"))
    }

    pub(super) fn plan(most: usize) -> Self {
        let detail =
            format!("Integration limit reached. Your plan allows {most} integrations. Upgrade to add more.");
        Self { status: 429, detail: detail.into(), code: Code::Denied }
    }

    /// A set-up that took longer than what was done after it began.
    pub(super) fn outrun(code: &str, replaced: bool) -> Self {
        let by = if replaced { "another one was set up" } else { "the integration was deleted" };
        Self::meanwhile(format!(
            "{code} credential was not kept: {by} while its provider was asked about it."
        ))
    }

    /// What was to be changed is there no more.
    pub(super) fn changed(code: &str) -> Self {
        Self::meanwhile(format!("{code} credential was replaced meanwhile. Nothing was changed."))
    }

    fn meanwhile(detail: String) -> Self {
        Self { status: 409, detail: detail.into(), code: Code::Conflict }
    }

    fn large(what: &str, found: usize, most: usize) -> Self {
        let detail = format!("{what} size ({found} bytes) exceeds maximum allowed ({most} bytes)");
        Self { status: 413, detail: detail.into(), code: Code::TooLarge }
    }

    /// The body as a whole.
    pub(super) fn body(why: &str) -> Self {
        Self::at(&json!(["body"]), why)
    }

    pub(super) fn field(name: &str, why: &str) -> Self {
        Self::at(&json!(["body", name]), why)
    }

    fn at(place: &Value, why: &str) -> Self {
        let detail = json!([{ "type": "value_error", "loc": place, "msg": why }]);
        Self { status: 422, detail, code: Code::BadRequest }
    }

    pub(super) fn into_done(self) -> Done {
        let Self { status, detail, code } = self;
        let value = json!({ "problem": { "status": status, "detail": detail } });
        Done { value, fields: Vec::new(), code: Some(code) }
    }
}

impl Asked {
    /// Reads a request.
    #[expect(
        clippy::disallowed_methods,
        reason = "takes the credential out of what came, into memory that is wiped"
    )]
    pub(super) fn read(payload: Payload, needs: Needs) -> Result<Self, Wrong> {
        let read = payload.into_secret().expose(crate::document::read);
        let mut read = read.map_err(|error| match crate::document::says_twice(&error) {
            true => Wrong::body("a key is written twice"),
            false => Wrong::body("the body is not valid JSON"),
        })?;
        let asked = match &mut read {
            Value::Object(members) => Self::of(members, needs),
            _ => Err(Wrong::body("a JSON object is expected")),
        };
        wipe(&mut read);
        asked
    }

    fn of(members: &mut Map<String, Value>, needs: Needs) -> Result<Self, Wrong> {
        if let Some(name) = members.keys().find(|name| !KNOWN.contains(&name.as_str())) {
            let name: String = name.chars().take(LONGEST_NAME).collect();
            return Err(Wrong::field(&name, "Extra inputs are not permitted"));
        }
        let credential = match members.get_mut("credential") {
            None | Some(Value::Null) if needs == Needs::Credential => return Err(Wrong::no_credential()),
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(trimmed(text)),
            Some(document @ Value::Object(_)) => Some(Zeroizing::new(document.to_string())),
            Some(_) => return Err(Wrong::field("credential", "a text or an object is expected")),
        };
        if let Some(credential) = &credential {
            if credential.len() < SHORTEST {
                return Err(Wrong::field("credential", "String should have at least 10 characters"));
            }
            if credential.len() > LARGEST {
                return Err(Wrong::large("Credential", credential.len(), LARGEST));
            }
            if credential.contains('\0') {
                return Err(Wrong::field("credential", "NUL is not allowed"));
            }
        }
        let name = text(members, "credential_name")?;
        let long = |name: &String| name.trim().chars().count() >= 3 && name.chars().count() <= 200;
        if !name.as_ref().is_none_or(long) {
            return Err(Wrong::field(
                "credential_name",
                "String should have 3 to 200 characters, without white space around them",
            ));
        }
        // It is shown in terminals and in tables.
        if name.as_ref().is_some_and(|name| name.chars().any(is_unseen)) {
            return Err(Wrong::field("credential_name", "String should have no control characters"));
        }
        for field in KNOWN.iter().filter(|field| field.starts_with("default_x_hierarchy_")) {
            let _tolerated = text(members, field)?;
        }
        let metadata = match members.remove("metadata") {
            None | Some(Value::Null) => None,
            Some(Value::Object(metadata)) => Some(metadata),
            Some(_) => return Err(Wrong::field("metadata", "an object is expected")),
        };
        if let Some(metadata) = &metadata {
            let size = serde_json::to_vec(metadata).map_or(0, |bytes| bytes.len());
            if size > MOST_METADATA {
                return Err(Wrong::large("Metadata", size, MOST_METADATA));
            }
        }
        let skip = match members.get("skip_validation") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(skip)) => *skip,
            Some(_) => return Err(Wrong::field("skip_validation", "a boolean is expected")),
        };
        Ok(Self { credential, name, metadata, skip })
    }
}

/// A pasted key has line ends and quotes around it.
fn trimmed(text: &str) -> Zeroizing<String> {
    let text = text.trim();
    let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    Zeroizing::new(bare.trim().to_owned())
}

fn text(members: &Map<String, Value>, field: &str) -> Result<Option<String>, Wrong> {
    match members.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Wrong::field(field, "a text is expected")),
    }
}

/// A character that is not there to be seen: controls, and those that turn the direction of a text.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Overwrites every text of a document.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(list) => list.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What is known, with what a request says; some members it does not change.
pub(super) fn merged(mut known: Map<String, Value>, given: Map<String, Value>) -> Map<String, Value> {
    known.extend(given.into_iter().filter(|(name, _)| !PROTECTED.contains(&name.as_str())));
    known
}

const PROTECTED: [&str; 4] = ["project_id", "client_email", "credential_type", "private_key_id"];
/// What a request may have in it. The last five are taken and not kept.
const KNOWN: [&str; 9] = [
    "credential",
    "credential_name",
    "metadata",
    "skip_validation",
    "default_x_hierarchy_entity_id",
    "default_x_hierarchy_entity_name",
    "default_x_hierarchy_level_code",
    "default_x_hierarchy_path",
    "default_x_hierarchy_path_names",
];
pub(crate) const SHORTEST: usize = 10;
/// What the store of secrets takes.
pub(crate) const LARGEST: usize = 100_000;
const MOST_METADATA: usize = 51_200;
const LONGEST_NAME: usize = 64;
