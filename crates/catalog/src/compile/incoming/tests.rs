//! Of each scheme: what is read, and what is refused because it would let somebody in by mistake.

use crate::incoming::{JwtKeys, Manner, Once, Part, Wanted};
use crate::{Error, Incoming, Integration, layer};

/// An integration of the user's own with these lines.
fn read(lines: &str) -> Result<Integration, Error> {
    let text = format!(
        "name: hooks\nbase_url: https://app.example.com\nauth: []\n\
         limits: {{connect: 5s, head: 5s, total: 5s, idle: 5s}}\n\
         operations: {{take: {{title: Take, access: write, risk: low, match: {{method: POST, path: /}}}}}}\n{lines}\n"
    );
    layer::integration(&text, "hooks.yaml", "hooks")
}

fn one(entry: &str) -> Result<Incoming, String> {
    let secrets: String = ["a", "b"]
        .iter()
        .filter(|name| entry.contains(&format!("secret: {name}")))
        .map(|name| format!("  {name}: {{title: T}}\n"))
        .collect();
    let secrets = if secrets.is_empty() { String::new() } else { format!("secrets:\n{secrets}") };
    let found = read(&format!("{secrets}incoming:\n  - {entry}")).map_err(|error| error.to_string())?;
    Ok(found.incoming()[0].clone())
}

#[track_caller]
fn refused(entry: &str, because: &str) {
    let problem = one(entry).unwrap_err();
    assert!(problem.contains(because), "{entry}\n{problem}");
}

#[test]
fn every_scheme_is_read_with_the_defaults_of_its_service() {
    let all = [
        ("{scheme: token, header: X-Api-Key, secret: a}", "token"),
        ("{scheme: basic, keys: [{secret: a}, {user: ann, secret: b}]}", "basic"),
        ("{scheme: jwt, issuer: i, audience: a, keys: [{algorithm: HS256, secret: a}]}", "jwt"),
        ("{scheme: jwt, issuer: any, audience: any, jwks_url: \"https://id.example.com/keys\"}", "jwt"),
        ("{scheme: oidc, issuer: \"https://id.example.com/realm\", audience: [a, b]}", "oidc"),
        ("{scheme: google_oidc, audience: a, hosted_domain: example.com}", "google_oidc"),
        ("{scheme: client_certificate, uris: [\"spiffe://example.org/billing\"]}", "client_certificate"),
        ("{scheme: envoy_xfcc, allowed_uri_prefixes: [\"spiffe://example.org/\"]}", "envoy_xfcc"),
        ("{scheme: slack_signature, secret: a}", "slack_signature"),
        ("{scheme: github_signature, keys: [{id: org, secret: a}, {secret: b}]}", "github_signature"),
        ("{scheme: stripe_signature, secret: a}", "stripe_signature"),
        (
            "{scheme: twilio_signature, secret: a, base: \"https://hooks.example.com/twilio/\"}",
            "twilio_signature",
        ),
        ("{scheme: hmac, secret: a, header: X-Sum, algorithm: sha512, encoding: base64}", "hmac"),
        ("{scheme: url_path, secret: a}", "url_path"),
    ];
    for (entry, word) in all {
        let found = one(entry).unwrap_or_else(|problem| panic!("{entry}\n{problem}"));
        assert_eq!(found.word(), word);
    }
}

#[test]
fn what_is_signed_is_read_in_order() {
    let entry = "{scheme: hmac, secret: a, over: \"v1:{timestamp}.{method} {target}:{body}\", timestamp_header: x-time}";
    let found = one(entry).unwrap();
    let Incoming::Signature(signature) = &found else { panic!("{found:?}") };
    let Manner::Hmac(hmac) = &signature.manner else { panic!("{found:?}") };
    let text = |text: &str| Part::Text(text.to_owned());
    let parts = [
        text("v1:"),
        Part::Timestamp,
        text("."),
        Part::Method,
        text(" "),
        Part::Target,
        text(":"),
        Part::Body,
    ];
    assert_eq!(hmac.over, parts);
    assert_eq!((signature.once, signature.window.as_secs()), (Once::Off, 600));
}

#[test]
fn a_time_that_is_not_signed_is_refused() {
    refused("{scheme: hmac, secret: a, timestamp_header: x-time}", "the time is not signed");
    refused("{scheme: hmac, secret: a, over: \"{timestamp}.{body}\"}", "`timestamp_header`");
    refused("{scheme: hmac, secret: a, over: \"{method}\"}", "has no `{body}`");
    refused("{scheme: hmac, secret: a, over: \"{method}{body}\"}", "text has to stand between");
    refused("{scheme: hmac, secret: a, over: \"{query}{body}\"}", "`over` is made of");
    refused("{scheme: hmac, secret: a, once: sender}", "nothing is known of the sender's ids");
}

#[test]
fn a_token_needs_an_audience_and_an_issuer_in_words() {
    refused("{scheme: oidc, issuer: \"https://id.example.com\"}", "audience");
    refused("{scheme: jwt, audience: a, jwks_url: \"https://id.example.com\"}", "issuer");
    refused(
        "{scheme: jwt, issuer: \"\", audience: a, jwks_url: \"https://id.example.com\"}",
        "`issuer` is empty",
    );
    refused("{scheme: oidc, issuer: \"https://id.example.com\", audience: []}", "`audience` is empty");
    refused("{scheme: oidc, issuer: \"https://id.example.com\", audience: [a, any]}", "not both");
    let found = one("{scheme: oidc, issuer: \"https://id.example.com/\", audience: any}").unwrap();
    let Incoming::Jwt(jwt) = &found else { panic!("{found:?}") };
    assert_eq!(jwt.audience, Wanted::Any);
    assert_eq!(jwt.issuer, Wanted::OneOf(vec!["https://id.example.com/".to_owned()]));
    let JwtKeys::Discovered(issuer, address) = &jwt.keys else { panic!("{found:?}") };
    assert_eq!(issuer, "https://id.example.com/");
    assert_eq!(address.target, "/.well-known/openid-configuration");
}

#[test]
fn a_public_key_is_never_the_secret_of_an_hmac() {
    let key = "public_key: \"-----BEGIN PUBLIC KEY-----\"";
    let jwt = |key: &str| format!("{{scheme: jwt, issuer: i, audience: a, keys: [{{{key}}}]}}");
    refused(&jwt(&format!("algorithm: HS256, {key}")), "everybody knows it");
    refused(&jwt("algorithm: ES256, public_key: \"-----BEGIN EC PRIVATE KEY-----\""), "is a public key");
    refused(&jwt("algorithm: none, secret: a"), "is none of");
    refused(&jwt("algorithm: ES256"), "either `secret` or `public_key`");
    let set = "{scheme: jwt, issuer: i, audience: a, jwks: {keys: [{kty: oct, k: AAAA}]}}";
    refused(set, "a secret or private key");
    let set = "{scheme: oidc, issuer: \"https://id.example.com\", audience: a, algorithms: [RS256, HS256]}";
    refused(set, "none of the HMACs");
}

#[test]
fn keys_are_asked_for_over_https_only() {
    refused("{scheme: oidc, issuer: \"http://127.0.0.1:9\", audience: a}", "over https only");
    let own = "dangerous_allow_private: true\nincoming:\n  - {scheme: oidc, issuer: \"http://127.0.0.1:9\", audience: a}";
    assert!(read(own).is_ok());
    refused(
        "{scheme: oidc, issuer: \"https://ann:CANARY@id.example.com\", audience: a}",
        "is an address such as",
    );
    let problem =
        one("{scheme: oidc, issuer: \"https://ann:CANARY@id.example.com\", audience: a}").unwrap_err();
    assert!(!problem.contains("CANARY"), "{problem}");
}

#[test]
fn who_is_accepted_is_named() {
    refused("{scheme: client_certificate}", "names whom it accepts");
    refused("{scheme: client_certificate, any: true, common_names: [a]}", "names whom it accepts");
    refused("{scheme: envoy_xfcc}", "nobody is accepted");
    refused("{scheme: envoy_xfcc, allowed_uris: [\"spiffe://a\"], from: [\"0.0.0.0/0\"]}", "every address");
    refused("{scheme: envoy_xfcc, allowed_uris: [\"spiffe://a\"], from: []}", "names no address");
}

#[test]
fn a_scheme_without_a_secret_is_refused() {
    refused("{scheme: token, header: x-api-key}", "`secret` is missing");
    refused("{scheme: token, header: x-api-key, keys: []}", "at least one");
    refused("{scheme: token, header: x-api-key, secret: a, keys: [{secret: b}]}", "not both");
    refused("{scheme: token, header: content-length, secret: a}", "nobody can be proven");
    refused(
        "{scheme: token, header: x-api-key, keys: [{id: \"two words\", secret: a}]}",
        "visible characters",
    );
    refused("{scheme: token, header: x-api-key, keys: [{user: ann, secret: a}]}", "only keys of `basic`");
    refused("{scheme: slack_signature, keys: [{secret: a, imprint: true}]}", "an imprint of its secret");
    refused("{scheme: basic, keys: [{secret: a, imprint: true}]}", "whose password");
    refused("{scheme: token, headr: x, secret: a}", "the key `headr` is unknown");
    refused("{scheme: tokn, header: x, secret: a}", "`tokn` is none of");
}

#[test]
fn anonymous_and_incoming_exclude_each_other() {
    let both = "anonymous: true\nsecrets: {a: {title: T}}\nincoming: [{scheme: url_path, secret: a}]";
    assert!(read(both).unwrap_err().to_string().contains("an integration has one of them"));
    let nobody = read("incoming: []").unwrap();
    assert!(nobody.incoming().is_empty() && !nobody.anonymous());
    assert!(read("anonymous: true").unwrap().anonymous());
    assert!(!read("").unwrap().anonymous());
}

#[test]
fn a_file_that_extends_a_built_in_one_asks_only_what_it_says_itself() {
    let text = "name: gh\nextends: github\nsecrets: {hook: env:HOOK}\nincoming: [{scheme: github_signature, secret: hook}]\n";
    let own = layer::integration(text, "gh.yaml", "gh").unwrap();
    assert_eq!(own.incoming().len(), 1);
    let plain = layer::integration("name: gh\nextends: github\n", "gh.yaml", "gh").unwrap();
    assert!(plain.incoming().is_empty() && !plain.anonymous());
}
