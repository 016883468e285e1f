//! The JSON of keys, sessions and SSO tokens.
//!
//! Fields that are not known are left alone on purpose: the forms are another program's and have grown before. What is
//! missing or has another type is an error.
//!
//! # Invariants
//!
//! - What is written lies in one buffer that is large enough from the start, so no copy stays behind when it grows.

use std::fmt;

use crypto::Digest;
use memory::Secret;
use model::Timestamp;
use serde::de::{Deserialize, Deserializer, Visitor};
use zeroize::Zeroizing;

use super::Error;
use crate::Lease;
use crate::oidc::{Registration, Token};

/// A session as it was kept.
pub struct Kept {
    /// The credentials.
    pub lease: Lease,
    /// What they were made for; none where aws-vault wrote it.
    pub fingerprint: Option<Digest>,
}

/// A token of IAM Identity Center as it was stored.
pub struct KeptToken {
    /// The token.
    pub token: Token,
    /// As what it was asked for, which renewing it needs; none where aws-vault wrote it.
    pub registration: Option<Registration>,
}

/// Reads stored keys. Keys that aws-vault marks as expiring keep their end.
///
/// # Errors
/// When the bytes are something else, or key id or secret are missing.
pub fn keys_from_json(bytes: &[u8]) -> Result<Lease, Error> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Form {
        #[serde(rename = "AccessKeyID")]
        access_key_id: String,
        secret_access_key: Wiped,
        #[serde(default)]
        session_token: Option<Wiped>,
        #[serde(default)]
        can_expire: bool,
        #[serde(default)]
        expires: Option<String>,
    }
    let form: Form = read(bytes, KEYS)?;
    let expiration = match form.expires.filter(|_| form.can_expire) {
        Some(time) => Some(time.parse().map_err(|_| Error::Damaged(KEYS))?),
        None => None,
    };
    lease(form.access_key_id, form.secret_access_key, form.session_token, expiration, KEYS)
}

/// Writes keys as aws-vault stores them.
///
/// # Errors
/// When a secret is not text, or there is no guarded memory.
pub fn keys_to_json(lease: &Lease) -> Result<Secret, Error> {
    let mut json = Json::sized(&[&lease.access_key_id], &secrets(lease));
    json.text("AccessKeyID", &lease.access_key_id);
    json.secret("SecretAccessKey", &lease.secret_access_key)?;
    match &lease.session_token {
        Some(token) => json.secret("SessionToken", token)?,
        None => json.text("SessionToken", ""),
    }
    json.text("Source", "");
    json.raw("CanExpire", if lease.expiration.is_some() { "true" } else { "false" });
    json.text("Expires", &lease.expiration.map_or_else(|| NEVER.to_owned(), rfc3339));
    json.text("AccountID", "");
    json.done()
}

/// Reads a kept session.
///
/// # Errors
/// When the bytes are something else, or a field is missing.
pub fn session_from_json(bytes: &[u8]) -> Result<Kept, Error> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Form {
        access_key_id: String,
        secret_access_key: Wiped,
        session_token: Wiped,
        expiration: String,
        #[serde(default, rename = "DoorwardFingerprint")]
        fingerprint: Option<String>,
    }
    let form: Form = read(bytes, SESSION)?;
    let digest = |text: String| {
        let bytes = crypto::from_hex(&text).map_err(|_| Error::Damaged(SESSION))?;
        Digest::try_from(bytes).map_err(|_| Error::Damaged(SESSION))
    };
    let expiration = form.expiration.parse().map_err(|_| Error::Damaged(SESSION))?;
    if form.session_token.0.is_empty() {
        return Err(Error::Missing { what: SESSION, field: "session token" });
    }
    let lease = lease(
        form.access_key_id,
        form.secret_access_key,
        Some(form.session_token),
        Some(expiration),
        SESSION,
    )?;
    Ok(Kept { lease, fingerprint: form.fingerprint.map(digest).transpose()? })
}

/// Writes a session as aws-vault keeps it, and what it was made for in a field of our own.
///
/// # Errors
/// When the credentials have no token or no end, a secret is not text, or there is no guarded memory.
pub fn session_to_json(lease: &Lease, fingerprint: &Digest) -> Result<Secret, Error> {
    let expiration = lease.expiration.ok_or(Error::NoSession("end"))?;
    let token = lease.session_token.as_ref().ok_or(Error::NoSession("session token"))?;
    let mut json = Json::sized(&[&lease.access_key_id], &secrets(lease));
    json.text("AccessKeyId", &lease.access_key_id);
    json.text("Expiration", &rfc3339(expiration));
    json.secret("SecretAccessKey", &lease.secret_access_key)?;
    json.secret("SessionToken", token)?;
    json.text("DoorwardFingerprint", &crypto::to_hex(fingerprint));
    json.done()
}

/// Reads a stored SSO token.
///
/// # Errors
/// When the bytes are something else, or the access token is missing.
pub fn token_from_json(bytes: &[u8]) -> Result<KeptToken, Error> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Inner {
        access_token: Wiped,
        #[serde(default)]
        refresh_token: Option<Wiped>,
    }
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Registered {
        id: String,
        secret: Wiped,
        expires: String,
    }
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Form {
        token: Inner,
        expiration: String,
        #[serde(default, rename = "DoorwardRegistration")]
        registration: Option<Registered>,
    }
    let form: Form = read(bytes, TOKEN)?;
    let missing = |field| Error::Missing { what: TOKEN, field };
    let registration = |form: Registered| -> Result<Registration, Error> {
        let client_secret = form.secret.guarded()?.ok_or(missing("registration"))?;
        let expires = form.expires.parse().map_err(|_| Error::Damaged(TOKEN))?;
        Ok(Registration { client_id: form.id, client_secret, expires })
    };
    let token = Token {
        access: form.token.access_token.guarded()?.ok_or(missing("access token"))?,
        refresh: form.token.refresh_token.map(Wiped::guarded).transpose()?.flatten(),
        expires: form.expiration.parse().map_err(|_| Error::Damaged(TOKEN))?,
    };
    Ok(KeptToken { token, registration: form.registration.map(registration).transpose()? })
}

/// Writes an SSO token as aws-vault stores it, and as what it was asked for in a field of our own, so that it can be
/// renewed. How long it was good for is left at zero: the end is what counts, for aws-vault as well.
///
/// # Errors
/// When a secret is not text, or there is no guarded memory.
pub fn token_to_json(token: &Token, registration: Option<&Registration>) -> Result<Secret, Error> {
    let secrets = [Some(&token.access), token.refresh.as_ref(), registration.map(|one| &one.client_secret)];
    let id = registration.map_or("", |one| &one.client_id);
    let mut json = Json::sized(&[id], &secrets.into_iter().flatten().collect::<Vec<_>>());
    json.open("Token");
    json.secret("AccessToken", &token.access)?;
    json.raw("ExpiresIn", "0");
    json.raw("IdToken", "null");
    match &token.refresh {
        Some(refresh) => json.secret("RefreshToken", refresh)?,
        None => json.raw("RefreshToken", "null"),
    }
    json.text("TokenType", "Bearer");
    json.raw("ResultMetadata", "{}");
    json.close();
    json.text("Expiration", &rfc3339(token.expires));
    if let Some(registration) = registration {
        json.open("DoorwardRegistration");
        json.text("Id", &registration.client_id);
        json.secret("Secret", &registration.client_secret)?;
        json.text("Expires", &rfc3339(registration.expires));
        json.close();
    }
    json.done()
}

/// Writes an SSO token as the AWS CLI keeps it in its own cache.
///
/// # Errors
/// When a secret is not text, or there is no guarded memory.
pub fn cli_token_json(token: &Token) -> Result<Secret, Error> {
    let secrets: Vec<&Secret> = std::iter::once(&token.access).chain(&token.refresh).collect();
    let mut json = Json::sized(&[], &secrets);
    json.secret("accessToken", &token.access)?;
    json.text("expiresAt", &rfc3339(token.expires));
    if let Some(refresh) = &token.refresh {
        json.secret("refreshToken", refresh)?;
    }
    json.done()
}

/// A time as AWS writes it: RFC 3339, UTC, whole seconds.
#[must_use]
pub fn rfc3339(time: Timestamp) -> String {
    let shown = time.to_string();
    shown.split_once('.').map_or_else(|| shown.clone(), |(seconds, _)| format!("{seconds}Z"))
}

fn lease(
    access_key_id: String,
    secret: Wiped,
    token: Option<Wiped>,
    expiration: Option<Timestamp>,
    what: &'static str,
) -> Result<Lease, Error> {
    if access_key_id.is_empty() {
        return Err(Error::Missing { what, field: "access key id" });
    }
    Ok(Lease {
        access_key_id,
        secret_access_key: secret.guarded()?.ok_or(Error::Missing { what, field: "secret access key" })?,
        session_token: token.map(Wiped::guarded).transpose()?.flatten(),
        expiration,
    })
}

fn secrets(lease: &Lease) -> Vec<&Secret> {
    std::iter::once(&lease.secret_access_key).chain(&lease.session_token).collect()
}

/// What serde says of a mistake is dropped: it repeats values.
fn read<'a, T: serde::Deserialize<'a>>(bytes: &'a [u8], what: &'static str) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|_| Error::Damaged(what))
}

/// A secret between JSON and guarded memory. Read from a slice, it is copied once, out of the slice; only a value with
/// escapes passes through a buffer of the JSON reader, and no credential of AWS has characters that are escaped.
struct Wiped(Zeroizing<String>);

impl Wiped {
    /// None where it is empty.
    fn guarded(mut self) -> Result<Option<Secret>, Error> {
        let bytes = std::mem::take(&mut *self.0).into_bytes();
        if bytes.is_empty() { Ok(None) } else { Ok(Some(Secret::new(bytes)?)) }
    }
}

impl<'de> Deserialize<'de> for Wiped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Wiped;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Wiped, E> {
                Ok(Wiped(Zeroizing::new(text.to_owned())))
            }
            fn visit_string<E: serde::de::Error>(self, text: String) -> Result<Wiped, E> {
                Ok(Wiped(Zeroizing::new(text)))
            }
            fn visit_unit<E: serde::de::Error>(self) -> Result<Wiped, E> {
                Ok(Wiped(Zeroizing::new(String::new())))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

/// JSON that is written into one buffer that never grows.
struct Json(Zeroizing<Vec<u8>>);

impl Json {
    /// Room for these texts and secrets with every byte escaped, and for the names of the fields.
    fn sized(texts: &[&str], secrets: &[&Secret]) -> Self {
        let texts: usize = texts.iter().map(|text| text.len()).sum();
        let secrets: usize = secrets.iter().map(|secret| secret.len()).sum();
        let mut bytes = Vec::with_capacity((texts + secrets) * LONGEST_ESCAPE + FIELDS);
        bytes.push(b'{');
        Self(Zeroizing::new(bytes))
    }

    fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        self.value(value);
    }

    #[expect(clippy::disallowed_methods, reason = "writes the secret into the item of the keyring")]
    fn secret(&mut self, name: &'static str, secret: &Secret) -> Result<(), Error> {
        self.name(name);
        secret.expose(|bytes| {
            self.value(std::str::from_utf8(bytes).map_err(|_| Error::NotText(name))?);
            Ok(())
        })
    }

    /// A value that is JSON already.
    fn raw(&mut self, name: &str, json: &str) {
        self.name(name);
        self.0.extend_from_slice(json.as_bytes());
    }

    fn open(&mut self, name: &str) {
        self.raw(name, "{");
    }

    fn close(&mut self) {
        self.0.push(b'}');
    }

    fn done(mut self) -> Result<Secret, Error> {
        self.close();
        Ok(Secret::new(std::mem::take(&mut *self.0))?)
    }

    fn name(&mut self, name: &str) {
        if self.0.last() != Some(&b'{') {
            self.0.push(b',');
        }
        self.value(name);
        self.0.push(b':');
    }

    fn value(&mut self, text: &str) {
        // Escapes are written piece by piece into the buffer; writing to memory can't fail.
        let _ = serde_json::to_writer(&mut *self.0, text);
    }
}

const KEYS: &str = "keys";
const SESSION: &str = "session";
const TOKEN: &str = "SSO token";
/// What Go writes for a time that was never set.
const NEVER: &str = "0001-01-01T00:00:00Z";
/// `\u0000`.
const LONGEST_ESCAPE: usize = 6;
/// Room for all names, times and the fingerprint.
const FIELDS: usize = 512;
