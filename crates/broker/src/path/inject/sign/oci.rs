//! The signature of Oracle Cloud Infrastructure over the request as it will be sent.
//!
//! Source: "Request Signatures" (docs.oracle.com/iaas/Content/API/Concepts/signingrequests.htm), version 1: RSA with SHA-256 over
//! the date, the target and the host, and over hash, type and length of a body.

use catalog::{Integration, OciSignature};
use crypto::RsaKey;
use http::header::{CONTENT_TYPE, HeaderValue};
use memory::Secret;
use model::{Code, Method, Refusal, Timestamp};
use serde::Deserialize;

use super::super::{Draft, bytes_of, put};
use super::authority;
use crate::path::resolve::Lent;

/// A signing key as tenants keep it; the private key is PEM without a passphrase.
#[derive(Deserialize)]
struct Document {
    tenancy_ocid: String,
    user_ocid: String,
    fingerprint: String,
    private_key: String,
}

/// Signs a draft.
pub(in crate::path::inject) fn sign(
    draft: &mut Draft,
    oci: &OciSignature,
    (integration, lent): (&Integration, &Lent),
    (method, target): (Method, &str),
    at: Timestamp,
) -> Result<(), Refusal> {
    let document = serde_json::from_slice::<Document>(&bytes_of(lent.find(integration, &oci.key)?));
    let Document { tenancy_ocid, user_ocid, fingerprint, private_key } =
        document.map_err(|_| unusable("is not the document of one"))?;
    let key_id = format!("{tenancy_ocid}/{user_ocid}/{fingerprint}");
    if !key_id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-:/".contains(&b)) {
        return Err(unusable("has an id with odd characters"));
    }
    let pem = Secret::new(private_key.into_bytes()).map_err(|_| unusable("does not fit into memory"))?;
    let key = RsaKey::from_pem(&pem).map_err(|_| {
        unusable("has a private key that can't be read: it is PEM, RSA, without a passphrase")
    })?;
    let date = at.http_date();
    let host = authority(integration, lent).host_header();
    let mut names = vec!["date", "(request-target)", "host"];
    let mut lines = vec![
        format!("date: {date}"),
        format!("(request-target): {} {target}", method.as_str().to_ascii_lowercase()),
        format!("host: {host}"),
    ];
    if matches!(method, Method::Post | Method::Put | Method::Patch) {
        let body = draft.whole.clone().unwrap_or_default();
        let hash = crypto::to_base64(&crypto::sha256(&[&body]));
        let kind = draft.headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        let kind = kind.to_str().map_err(|_| {
            Refusal::new(Code::BadRequest, "the content type is not text, so it can't be signed")
        })?;
        lines.push(format!("x-content-sha256: {hash}"));
        lines.push(format!("content-type: {kind}"));
        lines.push(format!("content-length: {}", body.len()));
        names.extend(["x-content-sha256", "content-type", "content-length"]);
        put(&mut draft.headers, "x-content-sha256", hash.into_bytes())?;
    }
    let signature = key.sign_rs256(lines.join("\n").as_bytes());
    let signature = signature.map_err(|_| unusable("can't sign"))?;
    let written = format!(
        "Signature version=\"1\",keyId=\"{key_id}\",algorithm=\"rsa-sha256\",headers=\"{}\",signature=\"{}\"",
        names.join(" "),
        crypto::to_base64(&signature),
    );
    put(&mut draft.headers, "date", date.into_bytes())?;
    put(&mut draft.headers, "authorization", written.into_bytes())
}

fn unusable(why: &str) -> Refusal {
    Refusal::new(Code::SecretMissing, format!("the stored key for Oracle Cloud {why}"))
        .hint("store `{\"tenancy_ocid\", \"user_ocid\", \"fingerprint\", \"private_key\"}` as one document")
}
