//! What is wrong with a request, as problem details (RFC 9457).

use http::header::{self, HeaderName};
use http::{HeaderValue, Response, StatusCode};
use model::{Code, EvidenceId, Fault, Refusal, Retry};
use net::Body;
use serde_json::{Map, Value, json};

/// A refusal with the status that HTTP has for it, and the fields that are wrong.
pub(crate) struct Problem {
    refusal: Box<Refusal>,
    status: StatusCode,
    errors: Vec<Wrong>,
    allow: Option<String>,
}

/// One thing that is wrong.
pub(crate) struct Wrong(Value);

impl Wrong {
    /// A field of the request, and why.
    pub(crate) fn field(name: &str, why: impl Into<String>) -> Self {
        Self(json!({ "field": name, "message": why.into() }))
    }
}

impl Problem {
    /// A refusal of the broker, with the status of its code.
    pub(crate) fn of(refusal: Refusal) -> Self {
        // Whoever asks about somebody else's gets the answer of what is not there.
        if refusal.code == Code::Denied && refusal.reason.as_deref() == Some(FOREIGN) {
            let missing = Refusal::new(Code::NotFound, "there is no such tenant");
            let evidence = refusal.evidence;
            return Self::of(Refusal { evidence, ..missing });
        }
        let status = match refusal.reason.as_deref() {
            Some(broker::once::OTHER) if refusal.code == Code::BadRequest => StatusCode::UNPROCESSABLE_ENTITY,
            Some(CHANGED) if refusal.code == Code::Conflict => StatusCode::PRECONDITION_FAILED,
            _ => net::problem::status(refusal.code),
        };
        Self { refusal: Box::new(refusal), status, errors: Vec::new(), allow: None }
    }

    /// What an operation on a credential says is wrong with what came.
    pub(crate) fn told(problem: &Value, evidence: EvidenceId) -> Self {
        let status =
            problem.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
        let status =
            status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::BAD_REQUEST);
        let code = match status {
            StatusCode::NOT_FOUND => Code::NotFound,
            StatusCode::CONFLICT => Code::Conflict,
            StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge,
            // There is no more room in the plan of the tenant: waiting does not help.
            StatusCode::TOO_MANY_REQUESTS => Code::Denied,
            _ => Code::BadRequest,
        };
        let (mut said, mut errors) = (Vec::new(), Vec::new());
        match problem.get("detail") {
            Some(Value::Array(all)) => {
                for one in all {
                    let field = one.pointer("/loc/1").and_then(Value::as_str).unwrap_or("body");
                    let why = one.get("msg").and_then(Value::as_str).unwrap_or_default();
                    // The operation knows it under another name.
                    let field = if field == "credential_name" { "name" } else { field };
                    said.push(format!("`{field}`: {why}"));
                    errors.push(Wrong::field(field, why));
                }
            }
            Some(Value::String(text)) => said.push(text.clone()),
            _ => {}
        }
        let refusal = Refusal::new(code, said.join("; ")).recorded(evidence);
        let status = net::problem::status(code);
        Self { refusal: Box::new(refusal), status, errors, allow: None }
    }

    /// Fields that are wrong.
    pub(crate) fn wrong(errors: Vec<Wrong>) -> Self {
        let said: Vec<String> = errors
            .iter()
            .filter_map(|Wrong(one)| {
                Some(format!("`{}` {}", one.get("field")?.as_str()?, one.get("message")?.as_str()?))
            })
            .collect();
        let refusal = Refusal::new(Code::BadRequest, said.join("; "));
        Self { errors, ..Self::of(refusal) }
    }

    /// The same with another status, where HTTP has a closer one.
    pub(crate) const fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same, where what is refused is a text of many lines and the refusal says where: `name:line:column: why`.
    pub(crate) fn placed(mut self, field: &str) -> Self {
        let mut parts = self.refusal.message.splitn(4, ':').skip(1);
        let (line, column, why) = (parts.next(), parts.next(), parts.next());
        let number = |text: Option<&str>| text.and_then(|text| text.parse::<u64>().ok());
        if let (Some(line), Some(column), Some(why)) = (number(line), number(column), why) {
            let why = why.trim();
            self.errors =
                vec![Wrong(json!({ "field": field, "line": line, "column": column, "message": why }))];
        }
        self
    }

    /// The refusal in it.
    pub(crate) fn into_refusal(self) -> Refusal {
        *self.refusal
    }

    /// The name under which it was asked is not ours.
    pub(crate) fn misdirected() -> Self {
        let refusal = Refusal::new(Code::Denied, "this is not known here by the name that was asked for")
            .hint("`public_url` and `hosts` of `[api]` in `settings.toml` say by which names it is");
        Self::of(refusal).status(StatusCode::MISDIRECTED_REQUEST)
    }

    /// There is no such path.
    pub(crate) fn nothing() -> Self {
        Self::of(
            Refusal::new(Code::NotFound, "there is no such path").hint("`GET /v1/openapi.json` lists them"),
        )
    }

    /// The path has other methods.
    pub(crate) fn method(methods: &[&str]) -> Self {
        let refusal = Refusal::new(Code::BadRequest, format!("this path knows {}", methods.join(", ")));
        let problem = Self::of(refusal).status(StatusCode::METHOD_NOT_ALLOWED);
        Self { allow: Some(methods.join(", ")), ..problem }
    }

    /// Writes it.
    pub(crate) fn into_response(self) -> Response<Body> {
        let Self { refusal, status, errors, allow } = self;
        let mut reply = Response::new(Body::full(document(&refusal, status, errors).to_string()));
        *reply.status_mut() = status;
        let headers = reply.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(net::problem::REFUSAL, HeaderValue::from_static(refusal.code.as_str()));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"doorward\""));
        }
        if let Retry::After(wait) = refusal.retry {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds(wait)));
        }
        if let Some(quota) = &refusal.quota {
            net::quota::mark(headers, quota);
        }
        if let Some(evidence) = refusal.evidence {
            net::problem::mark(headers, evidence);
        }
        let mut text = |name: HeaderName, text: Option<String>| {
            if let Some(value) = text.and_then(|text| HeaderValue::from_str(&text).ok()) {
                headers.insert(name, value);
            }
        };
        text(net::problem::APPROVAL, refusal.approval().map(|id| id.to_string()));
        text(header::ALLOW, allow);
        reply
    }
}

fn document(refusal: &Refusal, status: StatusCode, errors: Vec<Wrong>) -> Value {
    let word = refusal.code.as_str();
    let fault = match refusal.code.fault() {
        Fault::Caller => "caller",
        Fault::Operator => "operator",
        Fault::Upstream => "upstream",
    };
    let (retry, after) = match refusal.retry {
        Retry::No => ("no", None),
        Retry::Safe => ("safe", None),
        Retry::After(wait) => ("after", Some(seconds(wait))),
    };
    let all = [
        ("type", json!(format!("urn:doorward:refusal:{word}"))),
        ("title", json!(word.replace('_', " "))),
        ("status", json!(status.as_u16())),
        ("detail", json!(refusal.message)),
        ("code", json!(word)),
        ("fault", json!(fault)),
        ("retry", json!(retry)),
        ("retry_after", json!(after)),
        ("hint", json!(refusal.hint)),
        ("approval", json!(refusal.approval())),
        ("evidence", json!(refusal.evidence)),
        (
            "errors",
            if errors.is_empty() { Value::Null } else { errors.into_iter().map(|Wrong(one)| one).collect() },
        ),
    ];
    let said: Map<String, Value> = all
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    Value::Object(said)
}

/// Whole seconds, rounded up.
fn seconds(wait: std::time::Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0))
}

/// The finer reason of a refusal to who asks about another tenant.
const FOREIGN: &str = "foreign";
/// The finer reason of a refusal to who saw another version.
const CHANGED: &str = "changed";
