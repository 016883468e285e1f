//! Each scheme with the keys that it has, and what is wrong with others.

use super::*;
use crate::layer::integration;

/// An integration with this auth; every secret that a test names is there, and those that nothing uses are left out.
fn file(auth: &str, secrets: &[&str]) -> String {
    let secrets: Vec<String> = secrets.iter().map(|name| format!("{name}: {{title: T}}")).collect();
    format!(
        "name: x\ntitle: X\ndocs: https://example.com\nbase_url: https://api.example.com\nsecrets: {{{}}}\n\
         auth: [{auth}]\nlimits: {{connect: 5s, head: 30s, total: 2m, idle: 30s}}\n\
         operations:\n  look: {{title: Look, access: read, risk: low, match: {{method: GET, path: /look}}}}\n",
        secrets.join(", ")
    )
}

fn schemes(auth: &str, secrets: &[&str]) -> Vec<AuthScheme> {
    let read = integration(&file(auth, secrets), "x.yaml", "x");
    read.unwrap_or_else(|error| panic!("{auth}: {error}")).auth().to_vec()
}

fn problem(auth: &str, secrets: &[&str]) -> String {
    let error = integration(&file(auth, secrets), "x.yaml", "x").unwrap_err().to_string();
    error.strip_prefix("x.yaml:6: ").unwrap_or(&error).to_owned()
}

#[test]
fn every_scheme_can_be_written() {
    for (auth, secrets) in GOOD {
        assert_eq!(schemes(auth, secrets).len(), 1, "{auth}");
    }
}

const GOOD: &[(&str, &[&str])] = &[
    ("{scheme: cookie, name: session, secret: s}", &["s"]),
    ("{scheme: path_end, secret: s}", &["s"]),
    ("{scheme: basic, name: x-a, prefix: \"Token \", secret: s}", &["s"]),
    ("{scheme: replace, find: \"{{ACCESS_TOKEN}}\", secret: s}", &["s"]),
    ("{scheme: replace, find_secret: f, secret: [a, b], within: [header, body]}", &["f", "a", "b"]),
    ("{scheme: hmac, name: x-s, algorithm: sha512, encoding: base64, prefix: \"v1=\", secret: s}", &["s"]),
    ("{scheme: bearer, secret: [a, b], rest: 5m}", &["a", "b"]),
    ("{scheme: oauth2, token_url: \"https://i.example.com/token\", client_id: c, client_secret: s}", &["s"]),
    ("{scheme: oauth2, token_url: \"https://i.example.com/t\", client_id: c, refresh_token: r}", &["r"]),
    (
        "{scheme: oauth2, grant: jwt_bearer, token_url: \"https://i.example.com/t\", issuer: a, subject: b, key: k}",
        &["k"],
    ),
    (
        "{scheme: oauth2, token_url: \"https://i.example.com/t\", client_id: c, client_auth: private_key_jwt, key: k, \
         algorithm: ES256, key_id: \"1\", extra: {organization: o}}",
        &["k"],
    ),
    ("{scheme: github_app, app_id: \"12\", installation_id: \"34\", key: k}", &["k"]),
    ("{scheme: vault_approle, role: 0f5c, key: k}", &["k"]),
    ("{scheme: vault_kubernetes, role: ops, key: k, mount: clusters/one}", &["k"]),
    ("{scheme: google_service_account, key: k, scope: a b}", &["k"]),
    ("{scheme: gcp_metadata}", &[]),
    ("{scheme: gcp_metadata, audience: \"https://x.run.app\"}", &[]),
    ("{scheme: gcp_workload_identity, audience: \"//iam.googleapis.com/p\", subject_token: t}", &["t"]),
    ("{scheme: azure_managed_identity, resource: \"https://vault.azure.net\"}", &[]),
    ("{scheme: azure_managed_identity, resource: r, identity_endpoint: a, identity_header: b}", &["a", "b"]),
    ("{scheme: jwt_signed, algorithm: EdDSA, key: k, claims: {role: r, n: 1}, ttl: 5m}", &["k"]),
    ("{scheme: signed_in, key: k, token_url: \"https://a.example/oauth/token\", client_id: app}", &["k"]),
    (
        "{scheme: sigv4, access_key_id: a, secret_access_key: b, session_token: c, region: eu-west-1, service: s3}",
        &["a", "b", "c"],
    ),
    (
        "{scheme: oauth1, consumer_key: a, consumer_secret: b, token: c, token_secret: d}",
        &["a", "b", "c", "d"],
    ),
    ("{scheme: digest, username: u, password_secret: p}", &["p"]),
    ("{scheme: client_certificate, certificate: a, key: b}", &["a", "b"]),
    ("{scheme: oci, key: k}", &["k"]),
    ("{scheme: azure_service_principal, key: k, scope: \"https://management.azure.com/.default\"}", &["k"]),
];

#[test]
fn what_is_doubtful_is_an_error_with_its_line() {
    for (auth, secrets, wanted) in BAD {
        let problem = problem(auth, secrets);
        assert!(problem.starts_with(wanted), "{auth}\n  {problem}\n  {wanted}");
    }
}

const BAD: &[(&str, &[&str], &str)] = &[
    ("{scheme: bearer, secret: [], rest: 5m}", &[], "`secret` names at least one"),
    ("{scheme: bearer, secret: s, rest: 5m}", &["s"], "`rest` is for several"),
    ("{scheme: bearer, secret: [a, a]}", &["a"], "`a` takes turns"),
    ("{scheme: bearer, secret: [a, b]}, {scheme: query, name: k, secret: a}", &["a", "b"], "`a` takes turns"),
    ("{scheme: bearer, secret: [a, c]}", &["a"], "there is no secret `c`"),
    ("{scheme: bearer, secret: a, name: x}", &["a"], "this auth scheme has no `name`"),
    ("{scheme: cookie, name: \"a b\", secret: s}", &["s"], "the name of a cookie"),
    (
        "{scheme: cookie, name: a, secret: s}, {scheme: header, name: Cookie, secret: t}",
        &["s", "t"],
        "two auth schemes",
    ),
    ("{scheme: replace, find: short, secret: s}", &["s"], "a placeholder is 8 to 128"),
    ("{scheme: replace, find: \"a/b/c/d/e\", secret: s}", &["s"], "a placeholder is 8 to 128"),
    ("{scheme: replace, secret: s}", &["s"], "`replace` has either `find`"),
    ("{scheme: replace, find_secret: s, secret: s}", &["s"], "the placeholder is the credential"),
    ("{scheme: replace, find: PLACEHOLDER, secret: s, within: []}", &["s"], "`within` is empty"),
    ("{scheme: hmac, secret: s}", &["s"], "the key `name` is missing"),
    ("{scheme: hmac, name: host, secret: s}", &["s"], "a credential cannot be put"),
    ("{scheme: hmac, name: x-s, algorithm: RS256, secret: s}", &["s"], "`algorithm` is `sha1`"),
    ("{scheme: hmac, name: x-s, algorithm: md5, secret: s}", &["s"], "`md5` is none of"),
    (
        "{scheme: oauth2, token_url: \"http://i.example.com/t\", client_id: c, client_secret: s}",
        &["s"],
        "`token_url` is https",
    ),
    (
        "{scheme: oauth2, token_url: \"https://u:p@i.example.com/t\", client_id: c, client_secret: s}",
        &["s"],
        "`token_url` is an address",
    ),
    ("{scheme: oauth2, client_id: c, client_secret: s}", &["s"], "the key `token_url` is missing"),
    (
        "{scheme: oauth2, token_url: \"https://i.example.com/t\", client_id: c}",
        &[],
        "a client without a credential",
    ),
    (
        "{scheme: oauth2, token_url: \"https://i.example.com/t\", client_secret: s}",
        &["s"],
        "the key `client_id` is missing",
    ),
    (
        "{scheme: oauth2, token_url: \"https://i.example.com/t\", client_id: c, client_secret: s, extra: {scope: x}}",
        &["s"],
        "`extra` can't set `scope`",
    ),
    (
        "{scheme: oauth2, token_url: \"https://i.example.com/t\", client_id: c, client_secret: s, key: k}",
        &["s", "k"],
        "a `key` is for the grant",
    ),
    ("{scheme: vault_approle, key: k}", &["k"], "the key `role` is missing"),
    ("{scheme: vault_approle, role: a, key: k, mount: ../sys}", &["k"], "`mount` is the path"),
    ("{scheme: github_app, app_id: \"1/2\", installation_id: \"3\", key: k}", &["k"], "`app_id` is letters"),
    ("{scheme: google_service_account, key: k}", &["k"], "the key `scope` is missing"),
    ("{scheme: gcp_metadata, scope: a, audience: b}", &[], "`scope` is for access tokens"),
    (
        "{scheme: azure_managed_identity, resource: r, identity_endpoint: a}",
        &["a"],
        "`identity_endpoint` comes with",
    ),
    ("{scheme: jwt_signed, key: k}", &["k"], "the key `algorithm` is missing"),
    ("{scheme: signed_in, key: k, client_id: app}", &["k"], "the key `token_url` is missing"),
    (
        "{scheme: signed_in, key: k, token_url: \"https://a.example/t\"}",
        &["k"],
        "the key `client_id` is missing",
    ),
    ("{scheme: jwt_signed, algorithm: HS256, key: k, claims: {exp: 1}}", &["k"], "`claims` can't set `exp`"),
    ("{scheme: jwt_signed, algorithm: HS256, key: k, ttl: 2d}", &["k"], "a token that is signed here lasts"),
    (
        "{scheme: sigv4, access_key_id: a, secret_access_key: b, region: \"eu west\"}",
        &["a", "b"],
        "`region` is lower-case",
    ),
    (
        "{scheme: oauth1, consumer_key: a, consumer_secret: b, token: c}",
        &["a", "b", "c"],
        "`token` and `token_secret`",
    ),
    ("{scheme: digest, username_secret: u}", &["u"], "the key `password_secret` is missing"),
    ("{scheme: client_certificate, certificate: a}", &["a"], "the key `key` is missing"),
    ("{scheme: oci}", &[], "the key `key` is missing"),
    ("{scheme: azure_service_principal, key: k}", &["k"], "the key `scope` is missing"),
    (
        "{scheme: azure_service_principal, key: k, scope: s, token_url: \"http://i.example.com\"}",
        &["k"],
        "`token_url` is https",
    ),
    (
        "{scheme: sigv4, access_key_id: a, secret_access_key: b}, {scheme: bearer, secret: s}",
        &["a", "b", "s"],
        "two auth schemes",
    ),
];

#[test]
fn what_the_caller_wrote_is_replaced_first_and_signatures_come_last() {
    let auth = "{scheme: sigv4, access_key_id: a, secret_access_key: b}, {scheme: query, name: k, secret: s}, \
                {scheme: replace, find: PLACEHOLDER, secret: t}";
    let all = schemes(auth, &["a", "b", "s", "t"]);
    assert!(matches!(all[..], [AuthScheme::Replace(_), AuthScheme::Query { .. }, AuthScheme::SigV4(_)]));
}

#[test]
fn only_what_writes_one_secret_into_one_place_is_plain() {
    let plain = |auth: &str, secrets: &[&str]| schemes(auth, secrets).iter().all(AuthScheme::is_plain);
    assert!(plain("{scheme: bearer, secret: a}, {scheme: cookie, name: c, secret: b}", &["a", "b"]));
    assert!(!plain("{scheme: bearer, secret: [a, b]}", &["a", "b"]));
    assert!(!plain("{scheme: hmac, name: x-s, secret: s}", &["s"]));
    assert!(!plain("{scheme: gcp_metadata}", &[]));
}
