//! How callers prove themselves. All plugins of an integration have to accept, there as here.

use catalog::Error;
use serde_json::{Map, Value, json};

use super::outgoing::algorithm;
use super::unknown;
use crate::assemble::Draft;
use crate::params::Params;

/// Adds what one plugin of `incoming_auth` means.
pub(crate) fn add(
    draft: &mut Draft<'_>,
    (kind, line): (&str, u64),
    mut params: Params<'_>,
) -> Result<(), Error> {
    let entry = match kind {
        "token" => {
            let keys = keys(draft, &mut params, "caller_token")?;
            let (header, _) = params.required("header")?;
            let prefix = params.or("prefix", "")?;
            Some(
                json!({ "scheme": "token", "header": header.to_ascii_lowercase(), "prefix": prefix, "keys": keys }),
            )
        }
        "basic" => {
            let keys = keys(draft, &mut params, "caller_basic")?;
            let mut entry = scheme("basic", [("keys", keys)]);
            header(&mut entry, &mut params, ("Authorization", "Basic "))?;
            Some(Value::Object(entry))
        }
        "jwt" => Some(jwt(draft, &mut params)?),
        "google_oidc" => {
            let (audience, _) = params.required("audience")?;
            let mut entry = scheme("google_oidc", [("audience", json!(audience))]);
            header(&mut entry, &mut params, ("Authorization", "Bearer "))?;
            Some(Value::Object(entry))
        }
        "mtls" => Some(mtls(draft, &mut params)?),
        "envoy_xfcc" => Some(xfcc(draft, &mut params)?),
        "slack_signature" => Some(slack(draft, &mut params)?),
        "github_signature" => {
            let keys = keys(draft, &mut params, "webhook_secret")?;
            let mut entry = scheme("github_signature", [("keys", keys)]);
            header(&mut entry, &mut params, ("X-Hub-Signature-256", "sha256="))?;
            Some(Value::Object(entry))
        }
        "twilio_signature" => Some(twilio(draft, &mut params)?),
        "hmac_signature" => {
            let keys = keys(draft, &mut params, "webhook_secret")?;
            let algorithm = algorithm(&mut params)?;
            let mut entry = scheme("hmac", [("keys", keys), ("algorithm", json!(algorithm))]);
            header(&mut entry, &mut params, ("X-Signature", ""))?;
            Some(Value::Object(entry))
        }
        "url_path" => {
            let keys = keys(draft, &mut params, "caller_path")?;
            Some(Value::Object(scheme("url_path", [("keys", keys)])))
        }
        "passthrough" => None,
        _ => return Err(unknown(&params, kind, line, KNOWN)),
    };
    draft.incoming.extend(entry);
    params.finish()
}

fn scheme<const N: usize>(name: &str, more: [(&str, Value); N]) -> Map<String, Value> {
    let mut entry = Map::new();
    entry.insert("scheme".to_owned(), json!(name));
    entry.extend(more.into_iter().map(|(key, value)| (key.to_owned(), value)));
    entry
}

/// Secrets any of which is accepted. They name no caller there, so they name none here.
fn keys(draft: &mut Draft<'_>, params: &mut Params<'_>, wanted: &str) -> Result<Value, Error> {
    let written = params.some("secrets")?;
    let fields = draft.fields(wanted, &written)?;
    Ok(fields.into_iter().map(|field| json!({ "secret": field })).collect())
}

/// Header and prefix, where they are not the usual ones.
fn header(
    entry: &mut Map<String, Value>,
    params: &mut Params<'_>,
    (usual, usual_prefix): (&'static str, &'static str),
) -> Result<(), Error> {
    let (name, prefix) = (params.or("header", usual)?, params.or("prefix", usual_prefix)?);
    if !name.eq_ignore_ascii_case(usual) {
        entry.insert("header".to_owned(), json!(name.to_ascii_lowercase()));
    }
    if prefix != usual_prefix {
        entry.insert("prefix".to_owned(), json!(prefix));
    }
    Ok(())
}

/// A secret is a symmetric key or a public one, which shows only when it is read; a public one is never taken as the other.
fn jwt(draft: &mut Draft<'_>, params: &mut Params<'_>) -> Result<Value, Error> {
    let written = params.some("secrets")?;
    let fields = draft.fields("jwt_key", &written)?;
    let keys: Vec<Value> = fields
        .iter()
        .flat_map(|field| ALGORITHMS.map(|algorithm| json!({ "algorithm": algorithm, "secret": field })))
        .collect();
    let (issuer, audience) = (params.or("issuer", "any")?, params.or("audience", "any")?);
    let mut entry =
        scheme("jwt", [("issuer", json!(issuer)), ("audience", json!(audience)), ("keys", json!(keys))]);
    // There a token without `sub` is one of a caller without a name.
    entry.insert("unnamed".to_owned(), json!(true));
    header(&mut entry, params, ("Authorization", "Bearer "))?;
    draft.notes.push("`jwt`: a token without `exp` is refused".to_owned());
    Ok(Value::Object(entry))
}

fn mtls(draft: &mut Draft<'_>, params: &mut Params<'_>) -> Result<Value, Error> {
    let (subjects, _) = params.list("subjects")?;
    let rule = if subjects.is_empty() { ("any", json!(true)) } else { ("common_names", json!(subjects)) };
    if !draft.options.asks_for_certificates {
        draft.notes.push("`mtls`: the door has to ask for certificates: `--tls-client-ca FILE`".to_owned());
    }
    Ok(Value::Object(scheme("client_certificate", [rule])))
}

fn xfcc(draft: &mut Draft<'_>, params: &mut Params<'_>) -> Result<Value, Error> {
    let mut entry = scheme("envoy_xfcc", []);
    for name in ["allowed_uris", "allowed_uri_prefixes", "ignored_uris"] {
        let (uris, _) = params.list(name)?;
        if !uris.is_empty() {
            entry.insert(name.to_owned(), json!(uris));
        }
    }
    if let Some((name, _)) = params.text("header")? {
        entry.insert("header".to_owned(), json!(name.to_ascii_lowercase()));
    }
    draft.notes.push(
        "`envoy_xfcc`: the header is believed from loopback only; name the proxies with `from: [10.0.0.0/8]` in a file of your own"
            .to_owned(),
    );
    Ok(Value::Object(entry))
}

fn slack(draft: &mut Draft<'_>, params: &mut Params<'_>) -> Result<Value, Error> {
    let keys = keys(draft, params, "signing_secret")?;
    let mut entry = scheme("slack_signature", [("keys", keys)]);
    let named = [
        ("version", "version", "v0"),
        ("sig_header", "signature_header", "x-slack-signature"),
        ("ts_header", "timestamp_header", "x-slack-request-timestamp"),
    ];
    for (theirs, ours, usual) in named {
        if let Some((text, _)) = params.text(theirs)?
            && !text.eq_ignore_ascii_case(usual)
        {
            let text = if ours == "version" { text.to_owned() } else { text.to_ascii_lowercase() };
            entry.insert(ours.to_owned(), json!(text));
        }
    }
    if let Some(seconds) = params.number("tolerance")?
        && seconds != 300
    {
        entry.insert("tolerance".to_owned(), json!(format!("{seconds}s")));
    }
    Ok(Value::Object(entry))
}

fn twilio(draft: &mut Draft<'_>, params: &mut Params<'_>) -> Result<Value, Error> {
    let keys = keys(draft, params, "webhook_secret")?;
    let mut entry = scheme("twilio_signature", [("keys", keys)]);
    if let Some((name, _)) = params.text("header")?
        && !name.eq_ignore_ascii_case("x-twilio-signature")
    {
        entry.insert("header".to_owned(), json!(name.to_ascii_lowercase()));
    }
    draft.notes.push(
        "`twilio_signature`: the whole address is signed; name yours with `base: https://...` in a file of your own, where the \
         gateway is called under another one"
            .to_owned(),
    );
    Ok(Value::Object(entry))
}

const KNOWN: &[&str] = &[
    "token",
    "basic",
    "jwt",
    "google_oidc",
    "mtls",
    "envoy_xfcc",
    "slack_signature",
    "github_signature",
    "twilio_signature",
    "hmac_signature",
    "url_path",
    "passthrough",
];
/// What the secret of a `jwt` may be a key for: each fits one of them at most, which its kind and its curve say. They know the first two.
const ALGORITHMS: [&str; 6] = ["HS256", "RS256", "ES256", "ES384", "ES512", "EdDSA"];
