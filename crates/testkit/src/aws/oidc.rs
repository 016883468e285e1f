//! SSO OIDC: a client, the device flow (RFC 8628), the authorization code with PKCE (RFC 7636), refresh tokens.
//!
//! `GET /authorize` stands for the page on which a person says yes: it redirects at once with a code.

use http::{HeaderValue, header};
use serde_json::{Map, Value, json};

use super::Inner;
use super::answer::{self, Refused, Reply};
use super::options::Rule;
use super::server::{Asked, Family, Heard};

/// The name of the call.
pub(super) fn named(heard: &Heard) -> (String, Map<String, Value>, Family) {
    let (action, params) = match heard.path.as_str() {
        "/client/register" => ("RegisterClient", heard.json()),
        "/device_authorization" => ("StartDeviceAuthorization", heard.json()),
        "/authorize" => ("Authorize", heard.query_params()),
        _ => ("CreateToken", heard.json()),
    };
    (format!("oidc.{action}"), params, Family::Oidc)
}

/// Answers one call.
///
/// # Errors
/// What AWS refuses, and what [`super::Options::oidc_sequence`] says.
pub(super) fn answered(inner: &mut Inner, heard: &Heard, asked: &Asked<'_>) -> Result<Reply, Refused> {
    match asked.action {
        "RegisterClient" => {
            let issued = heard.now.millis() / 1_000;
            Ok(answer::json(
                200,
                &json!({"clientId": CLIENT, "clientSecret": CLIENT_SECRET, "clientIdIssuedAt": issued,
                        "clientSecretExpiresAt": issued + 7_776_000}),
            ))
        }
        "StartDeviceAuthorization" => {
            the_client(inner, asked)?;
            Ok(answer::json(
                200,
                &json!({"deviceCode": DEVICE_CODE, "userCode": USER_CODE, "verificationUri": PAGE,
                        "verificationUriComplete": format!("{PAGE}?user_code={USER_CODE}"), "expiresIn": 600,
                        "interval": inner.options.oidc_interval}),
            ))
        }
        "Authorize" => Ok(authorized(inner, asked)),
        _ => token(inner, asked),
    }
}

fn authorized(inner: &mut Inner, asked: &Asked<'_>) -> Reply {
    let code = format!("auth-{}", asked.n);
    let challenge = asked.text("code_challenge").unwrap_or_default();
    inner.ledger.challenges.insert(code.clone(), challenge.to_owned());
    let to = asked.text("redirect_uri").unwrap_or_default();
    let to = format!("{to}?code={code}&state={}", asked.text("state").unwrap_or_default());
    let mut reply = answer::send(302, "text/html", String::new());
    if let Ok(to) = HeaderValue::from_str(&to) {
        reply.headers_mut().insert(header::LOCATION, to);
    }
    reply
}

fn token(inner: &mut Inner, asked: &Asked<'_>) -> Result<Reply, Refused> {
    the_client(inner, asked)?;
    let strict = inner.options.demands(Rule::Bearer);
    let bad_grant = || Refused::new(400, "InvalidGrantException", "invalid_grant");
    match asked.text("grantType").unwrap_or_default() {
        "urn:ietf:params:oauth:grant-type:device_code" => {
            if strict && asked.text("deviceCode") != Some(DEVICE_CODE) {
                return Err(bad_grant());
            }
            polled(inner)?;
        }
        "refresh_token" => {
            if strict && asked.text("refreshToken") != Some(REFRESH) {
                return Err(bad_grant());
            }
        }
        "authorization_code" => {
            let challenge = inner.ledger.challenges.remove(asked.text("code").unwrap_or_default());
            let verifier = asked.text("codeVerifier").unwrap_or_default();
            let fits = crypto::to_base64url(&crypto::sha256(&[verifier.as_bytes()]));
            if strict && challenge.as_deref() != Some(&fits) {
                return Err(bad_grant());
            }
        }
        _ => return Err(Refused::new(400, "UnsupportedGrantTypeException", "unsupported_grant_type")),
    }
    let access = format!("oidc-{}", asked.n);
    inner.ledger.bearers.insert(access.clone());
    let mut body =
        json!({"accessToken": access, "tokenType": "Bearer", "expiresIn": inner.options.oidc_expires});
    if inner.options.oidc_refresh
        && let Some(body) = body.as_object_mut()
    {
        body.insert("refreshToken".to_owned(), Value::from(REFRESH));
    }
    Ok(answer::json(200, &body))
}

/// What the poll says that is due, counted.
fn polled(inner: &mut Inner) -> Result<(), Refused> {
    let due = inner.options.oidc_sequence.get(inner.ledger.polls).map(String::as_str);
    inner.ledger.polls += 1;
    let (code, error) = match due {
        Some("pending") => ("AuthorizationPendingException", "authorization_pending"),
        Some("slow_down") => ("SlowDownException", "slow_down"),
        Some("expired") => ("ExpiredTokenException", "expired_token"),
        Some("denied") => ("AccessDeniedException", "access_denied"),
        Some("ok") | None => return Ok(()),
        Some(other) => panic!("`{other}` is nothing that a poll says"),
    };
    Err(Refused::new(400, code, error))
}

fn the_client(inner: &Inner, asked: &Asked<'_>) -> Result<(), Refused> {
    let ours = asked.text("clientId") == Some(CLIENT) && asked.text("clientSecret") == Some(CLIENT_SECRET);
    if ours || !inner.options.demands(Rule::Bearer) {
        return Ok(());
    }
    Err(Refused::new(401, "InvalidClientException", "invalid_client"))
}

const CLIENT: &str = "cid";
const CLIENT_SECRET: &str = "csec";
const DEVICE_CODE: &str = "dev-code";
const USER_CODE: &str = "ABCD-EFGH";
const PAGE: &str = "https://device.sso.example/";
const REFRESH: &str = "refresh-1";
