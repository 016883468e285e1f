//! What comes back, in the words of the API.

use http::header::{self, HeaderName};
use http::{HeaderValue, Response, StatusCode};
use model::{Code, CredentialId, Refusal, Retry};
use net::Body;
use serde_json::{Value, json};

/// An answer that is not written yet.
pub(crate) struct Reply {
    status: StatusCode,
    value: Value,
    /// When to come back, in seconds.
    wait: Option<u64>,
    /// The methods that there are.
    allow: Option<&'static str>,
}

impl Reply {
    /// What an operation gave.
    pub(crate) fn of(result: Result<Value, Refusal>, tenant: &str) -> Self {
        match result {
            Ok(value) => match value.get("problem") {
                None => Self {
                    status: StatusCode::OK,
                    value: in_seconds(with_uuid(value)),
                    wait: None,
                    allow: None,
                },
                Some(problem) => {
                    let status = problem.get("status").and_then(Value::as_u64);
                    let status = status.and_then(|status| u16::try_from(status).ok());
                    let status = status.and_then(|status| StatusCode::from_u16(status).ok());
                    let detail = problem.get("detail").cloned().unwrap_or_default();
                    Self::wrong(status.unwrap_or(StatusCode::BAD_REQUEST), detail)
                }
            },
            Err(refusal) => Self::refused(&refusal, tenant),
        }
    }

    /// There is no such route.
    pub(crate) fn nothing() -> Self {
        Self::wrong(StatusCode::NOT_FOUND, "Not Found".into())
    }

    /// The path has other methods.
    pub(crate) fn method(methods: &'static str) -> Self {
        let wrong = Self::wrong(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed".into());
        Self { allow: Some(methods), ..wrong }
    }

    /// A name that no tenant can have.
    pub(crate) fn slug() -> Self {
        let detail = json!({
            "error": "validation_error", "field": "org_slug",
            "message": "Organization slug must be lowercase alphanumeric with underscores, 3-50 characters (^[a-z0-9_]{3,50}$)",
        });
        Self::wrong(StatusCode::BAD_REQUEST, detail)
    }

    pub(crate) const fn wrong(status: StatusCode, detail: Value) -> Self {
        Self { status, value: detail, wait: None, allow: None }
    }

    fn refused(refusal: &Refusal, tenant: &str) -> Self {
        if let Retry::After(wait) = refusal.retry {
            let wait = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            let detail = json!({
                "error": "Rate limit exceeded", "message": format!("Too many requests for org {tenant}"),
                "retry_after": wait,
            });
            return Self { wait: Some(wait), ..Self::wrong(StatusCode::TOO_MANY_REQUESTS, detail) };
        }
        let status = match refusal.code {
            // A key that is over is one that proves nothing.
            Code::Unauthenticated | Code::Expired | Code::Revoked => StatusCode::UNAUTHORIZED,
            code => net::problem::status(code),
        };
        Self::wrong(status, refusal.message.clone().into())
    }

    /// Writes it. `id` is the name of the request, which goes back in a header as well where the caller `named` it.
    pub(crate) fn into_response(self, id: Option<HeaderValue>, named: bool) -> Response<Body> {
        let Self { status, value, wait, allow } = self;
        let value = if status.is_success() {
            value
        } else {
            let id = id.as_ref().and_then(|id| id.to_str().ok());
            json!({ "detail": value, "request_id": id })
        };
        let mut reply = Response::new(Body::full(value.to_string()));
        *reply.status_mut() = status;
        let headers = reply.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("ApiKey"));
        }
        if let Some(methods) = allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(methods));
        }
        if let Some(wait) = wait {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait));
        }
        if let Some(id) = id.filter(|_| named) {
            headers.insert(HeaderName::from_static(super::REQUEST_ID), id);
        }
        reply
    }
}

/// The same with the id of a credential as these programs know it.
fn with_uuid(mut value: Value) -> Value {
    if let Some(Value::String(id)) = value.get_mut("credential_id")
        && let Ok(known) = id.parse::<CredentialId>()
    {
        *id = known.to_uuid();
    }
    value
}

/// The same with times as these programs know them, `2026-01-22T03:33:08Z`: some read them with a pattern that has no fraction.
fn in_seconds(mut value: Value) -> Value {
    let one = |status: &mut Value| {
        for name in ["last_validated_at", "created_at"] {
            if let Some(Value::String(time)) = status.get_mut(name)
                && let Some((seconds, _)) = time.split_once('.')
            {
                *time = format!("{seconds}Z");
            }
        }
    };
    one(&mut value);
    value
        .get_mut("integrations")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
        .for_each(|(_, status)| one(status));
    value
}
