//! How a credential is put on a request.

use catalog::Error;
use serde_json::{Map, Value, json};

use super::unknown;
use crate::assemble::{Draft, one_or_more};
use crate::params::Params;
use crate::translate::ManagedIdentity;

/// Adds what one plugin of `outgoing_auth` means.
pub(crate) fn add(
    draft: &mut Draft<'_>,
    (kind, line): (&str, u64),
    mut params: Params<'_>,
) -> Result<(), Error> {
    match kind {
        "token" => token(draft, &mut params)?,
        "basic" => basic(draft, &mut params)?,
        "jwt" => jwt(draft, &mut params)?,
        "hmac_signature" => hmac(draft, &mut params)?,
        "mtls" => mtls(draft, &mut params)?,
        "google_oidc" => google_oidc(draft, &mut params)?,
        "gcp_token" => gcp_token(draft, &mut params)?,
        "azure_managed_identity" | "azure_oidc" => azure(draft, &mut params)?,
        "oauth2" => oauth2(draft, &mut params)?,
        "aws_imds" | "aws_oidc" => return Err(params.wrong(AWS)),
        "url_path" => {
            let secret = secrets(draft, &mut params)?;
            draft.auth.push(json!({ "scheme": "path_end", "secret": secret }));
        }
        "find_replace" => find_replace(draft, &mut params)?,
        "passthrough" => {}
        _ => return Err(unknown(&params, kind, line, KNOWN)),
    }
    params.finish()
}

fn secrets(draft: &mut Draft<'_>, params: &mut Params<'_>) -> Result<Value, Error> {
    let written = params.some("secrets")?;
    Ok(one_or_more(&draft.fields("token", &written)?))
}

/// `authorization: Bearer …` has a scheme of its own.
fn header(draft: &mut Draft<'_>, name: &str, prefix: &str, secret: Value) {
    if name.eq_ignore_ascii_case("authorization") && prefix == "Bearer " {
        draft.auth.push(json!({ "scheme": "bearer", "secret": secret }));
    } else {
        let mut entry = Map::new();
        entry.insert("scheme".to_owned(), json!("header"));
        entry.insert("name".to_owned(), json!(name.to_ascii_lowercase()));
        if !prefix.is_empty() {
            entry.insert("prefix".to_owned(), json!(prefix));
        }
        entry.insert("secret".to_owned(), secret);
        draft.auth.push(Value::Object(entry));
    }
}

fn token(draft: &mut Draft<'_>, params: &mut Params<'_>) -> Result<(), Error> {
    let secret = secrets(draft, params)?;
    let (name, _) = params.required("header")?;
    let prefix = params.or("prefix", "")?;
    header(draft, name, prefix, secret);
    Ok(())
}

fn basic(draft: &mut Draft<'_>, params: &mut Params<'_>) -> Result<(), Error> {
    let written = params.some("secrets")?;
    let secret = one_or_more(&draft.fields("basic", &written)?);
    let mut entry = json!({ "scheme": "basic", "secret": secret });
    with_header(&mut entry, params, "Basic ")?;
    draft.auth.push(entry);
    Ok(())
}

/// The token is sent as it is: nothing is signed.
fn jwt(draft: &mut Draft<'_>, params: &mut Params<'_>) -> Result<(), Error> {
    let secret = secrets(draft, params)?;
    let (name, prefix) = (params.or("header", "Authorization")?, params.or("prefix", "Bearer ")?);
    header(draft, name, prefix, secret);
    Ok(())
}

fn hmac(draft: &mut Draft<'_>, params: &mut Params<'_>) -> Result<(), Error> {
    let written = params.some("secrets")?;
    let secret = one_or_more(&draft.fields("signing_key", &written)?);
    let (name, prefix) = (params.or("header", "X-Signature")?, params.or("prefix", "")?);
    let algorithm = algorithm(params)?;
    draft.auth.push(json!({
        "scheme": "hmac", "name": name.to_ascii_lowercase(), "prefix": prefix, "algorithm": algorithm, "secret": secret,
    }));
    Ok(())
}

/// The hash of an HMAC.
pub(super) fn algorithm<'a>(params: &mut Params<'a>) -> Result<&'a str, Error> {
    match params.text("algo")? {
        None => Ok("sha256"),
        Some((name @ ("sha1" | "sha256" | "sha512"), _)) => Ok(name),
        Some((_, line)) => Err(params.wrong_at(line, "`algo` is `sha256`, `sha1` or `sha512`")),
    }
}

fn mtls(draft: &mut Draft<'_>, params: &mut Params<'_>) -> Result<(), Error> {
    let (certificate, at) = params.required("cert")?;
    let certificate = draft.field("client_certificate", certificate, at)?;
    let (key, at) = params.required("key")?;
    let key = draft.field("client_key", key, at)?;
    let scheme = "client_certificate";
    draft
        .auth
        .push(json!({ "scheme": scheme, "certificate": certificate, "key": key, "name": "X-TLS-Client-CN" }));
    Ok(())
}

fn google_oidc(draft: &mut Draft<'_>, params: &mut Params<'_>) -> Result<(), Error> {
    let (audience, _) = params.required("audience")?;
    let mut entry = json!({ "scheme": "gcp_metadata", "audience": audience });
    with_header(&mut entry, params, "Bearer ")?;
    draft.auth.push(entry);
    Ok(())
}

fn gcp_token(draft: &mut Draft<'_>, params: &mut Params<'_>) -> Result<(), Error> {
    let mut entry = json!({ "scheme": "gcp_metadata" });
    with_header(&mut entry, params, "Bearer ")?;
    draft.auth.push(entry);
    Ok(())
}

fn azure(draft: &mut Draft<'_>, params: &mut Params<'_>) -> Result<(), Error> {
    let (resource, at) = params.required("resource")?;
    let mut entry = json!({ "scheme": "azure_managed_identity", "resource": resource });
    let said: &[(&str, &str)] = match draft.options.managed_identity {
        ManagedIdentity::Machine => &[],
        ManagedIdentity::App => {
            &[("identity_endpoint", "env:IDENTITY_ENDPOINT"), ("identity_header", "env:IDENTITY_HEADER")]
        }
        ManagedIdentity::OldApp => &[("msi_endpoint", "env:MSI_ENDPOINT"), ("msi_secret", "env:MSI_SECRET")],
    };
    for (key, place) in said {
        let field = draft.field(key, place, at)?;
        if let Some(fields) = entry.as_object_mut() {
            fields.insert((*key).to_owned(), json!(field));
        }
    }
    if let (Some((client, _)), Some(fields)) = (params.text("client_id")?, entry.as_object_mut()) {
        fields.insert("client_id".to_owned(), json!(client));
    }
    with_header(&mut entry, params, "Bearer ")?;
    draft.auth.push(entry);
    if said.is_empty() {
        draft.notes.push(
            "`azure_managed_identity`: the metadata service of the machine is asked, as the environment has neither \
             `IDENTITY_ENDPOINT` with `IDENTITY_HEADER` nor `MSI_ENDPOINT` with `MSI_SECRET`"
                .to_owned(),
        );
    }
    Ok(())
}

/// A plugin of theirs that is not released yet.
fn oauth2(draft: &mut Draft<'_>, params: &mut Params<'_>) -> Result<(), Error> {
    let mut entry = Map::new();
    entry.insert("scheme".to_owned(), json!("oauth2"));
    let (url, _) = params.required("token_url")?;
    entry.insert("token_url".to_owned(), json!(url));
    if let Some((grant, line)) = params.text("grant_type")? {
        if !matches!(grant, "client_credentials" | "refresh_token") {
            return Err(params.wrong_at(line, "`grant_type` is `client_credentials` or `refresh_token`"));
        }
        entry.insert("grant".to_owned(), json!(grant));
    }
    for name in ["client_id", "scope", "audience", "client_auth"] {
        if let Some((text, _)) = params.text(name)? {
            entry.insert(name.to_owned(), json!(text));
        }
    }
    for name in ["client_secret", "refresh_token"] {
        if let Some((written, line)) = params.text(name)? {
            let field = draft.field(name, written, line)?;
            entry.insert(name.to_owned(), json!(field));
        }
    }
    if let Some((mut extra, line)) = params.texts("extra_params")? {
        // A parameter like any other there, and one with a key of its own here.
        if let Some(resource) = extra.remove("resource") {
            entry.insert("resource".to_owned(), resource);
        }
        if let Some(name) = extra.keys().find(|name| catalog::OAuth2::STANDARD.contains(&name.as_str())) {
            let problem =
                format!("`extra_params` can't set `{name}`, which has a key of its own or is never set");
            return Err(params.wrong_at(line, problem));
        }
        entry.insert("extra".to_owned(), Value::Object(extra));
    }
    let mut entry = Value::Object(entry);
    // The only one whose prefix may be empty.
    let prefix = params.even_empty("prefix")?.unwrap_or("Bearer ");
    in_header(&mut entry, params.or("header", "Authorization")?, prefix, "Bearer ");
    draft.auth.push(entry);
    Ok(())
}

fn find_replace(draft: &mut Draft<'_>, params: &mut Params<'_>) -> Result<(), Error> {
    let (find, at) = params.required("find_secret")?;
    let find = draft.field("placeholder", find, at)?;
    let (replace, at) = params.required("replace_secret")?;
    let replace = draft.field("replacement", replace, at)?;
    draft.auth.push(json!({ "scheme": "replace", "find_secret": find, "secret": replace }));
    draft.notes.push("`find_replace`: never in the host or in names of headers".to_owned());
    Ok(())
}

/// Header and prefix, where they are not the usual ones.
fn with_header(entry: &mut Value, params: &mut Params<'_>, usual: &'static str) -> Result<(), Error> {
    let name = params.or("header", "Authorization")?;
    let prefix = params.or("prefix", usual)?;
    in_header(entry, name, prefix, usual);
    Ok(())
}

fn in_header(entry: &mut Value, name: &str, prefix: &str, usual: &str) {
    let Some(fields) = entry.as_object_mut() else { return };
    if !name.eq_ignore_ascii_case("authorization") {
        fields.insert("name".to_owned(), json!(name.to_ascii_lowercase()));
    }
    if prefix != usual {
        fields.insert("prefix".to_owned(), json!(prefix));
    }
}

const AWS: &str = "credentials of the machine's role sign nothing here yet; use `scheme: sigv4` with secrets in a file of your own";
const KNOWN: &[&str] = &[
    "token",
    "basic",
    "jwt",
    "hmac_signature",
    "mtls",
    "google_oidc",
    "gcp_token",
    "azure_managed_identity",
    "url_path",
    "find_replace",
    "passthrough",
    "oauth2",
];
