//! Which keys an entry has, and which belong to its scheme.

use crate::file::{AuthEntry, AuthWord};

/// The keys that an entry has, besides `scheme`. Takes the structure apart whole, so that a new key can't be forgotten.
#[expect(clippy::too_many_lines, reason = "one line for each key")]
pub(super) fn given(entry: &AuthEntry) -> Vec<&'static str> {
    macro_rules! present {
        ($($key:ident),* $(,)?) => {{
            let AuthEntry { scheme: _, $($key),* } = entry;
            [$((stringify!($key), $key.is_some())),*]
        }};
    }
    let all = present![
        secret,
        rest,
        name,
        prefix,
        suffix,
        username,
        username_secret,
        password_secret,
        find,
        find_secret,
        within,
        algorithm,
        encoding,
        grant,
        token_url,
        client_id,
        client_secret,
        client_auth,
        refresh_token,
        scope,
        audience,
        resource,
        extra,
        key,
        key_id,
        issuer,
        subject,
        assertion_audience,
        claims,
        ttl,
        app_id,
        installation_id,
        mount,
        subject_token,
        subject_token_type,
        service_account,
        iam_url,
        metadata_url,
        identity_endpoint,
        identity_header,
        msi_endpoint,
        msi_secret,
        access_key_id,
        secret_access_key,
        session_token,
        region,
        service,
        role,
        session_name,
        external_id,
        sts_region,
        consumer_key,
        consumer_secret,
        token,
        token_secret,
        realm,
        certificate,
    ];
    all.into_iter().filter(|(_, given)| *given).map(|(key, _)| key).collect()
}

/// The keys of a scheme.
#[expect(clippy::too_many_lines, reason = "a table: the keys of each scheme")]
pub(super) const fn keys(scheme: AuthWord) -> &'static [&'static str] {
    match scheme {
        AuthWord::Bearer | AuthWord::PathEnd => &["secret", "rest"],
        AuthWord::Header => &["secret", "rest", "name", "prefix"],
        AuthWord::Query | AuthWord::Cookie => &["secret", "rest", "name"],
        AuthWord::Path => &["secret", "rest", "prefix", "suffix"],
        AuthWord::Basic => {
            &["secret", "rest", "name", "prefix", "username", "username_secret", "password_secret"]
        }
        AuthWord::Replace => &["secret", "rest", "find", "find_secret", "within"],
        AuthWord::Hmac => &["secret", "rest", "name", "prefix", "algorithm", "encoding"],
        AuthWord::Digest | AuthWord::ProxyBasic => {
            &["secret", "username", "username_secret", "password_secret"]
        }
        AuthWord::Sigv4 => &[
            "access_key_id",
            "secret_access_key",
            "session_token",
            "region",
            "service",
            "role",
            "session_name",
            "external_id",
            "sts_region",
            "ttl",
            "token_url",
        ],
        AuthWord::Oauth1 => {
            &["consumer_key", "consumer_secret", "token", "token_secret", "algorithm", "realm"]
        }
        AuthWord::Oci => &["key"],
        AuthWord::ClientCertificate => &["certificate", "key", "name"],
        AuthWord::Oauth2 => &[
            "name",
            "prefix",
            "grant",
            "token_url",
            "client_id",
            "client_secret",
            "client_auth",
            "refresh_token",
            "scope",
            "audience",
            "resource",
            "extra",
            "key",
            "key_id",
            "algorithm",
            "issuer",
            "subject",
            "assertion_audience",
        ],
        AuthWord::GithubApp => &["name", "prefix", "app_id", "installation_id", "key"],
        AuthWord::VaultApprole | AuthWord::VaultKubernetes => &["name", "prefix", "role", "key", "mount"],
        AuthWord::GoogleServiceAccount => &["name", "prefix", "key", "scope", "audience", "token_url"],
        AuthWord::GcpMetadata => &["name", "prefix", "scope", "audience", "metadata_url"],
        AuthWord::GcpWorkloadIdentity => &[
            "name",
            "prefix",
            "audience",
            "subject_token",
            "subject_token_type",
            "service_account",
            "scope",
            "token_url",
            "iam_url",
        ],
        AuthWord::AzureManagedIdentity => &[
            "name",
            "prefix",
            "resource",
            "client_id",
            "metadata_url",
            "identity_endpoint",
            "identity_header",
            "msi_endpoint",
            "msi_secret",
        ],
        AuthWord::AzureServicePrincipal => &["name", "prefix", "key", "scope", "token_url"],
        AuthWord::SignedIn => &["name", "prefix", "key", "token_url", "client_id"],
        AuthWord::JwtSigned => &[
            "name",
            "prefix",
            "algorithm",
            "key",
            "key_id",
            "issuer",
            "subject",
            "audience",
            "claims",
            "ttl",
        ],
    }
}
