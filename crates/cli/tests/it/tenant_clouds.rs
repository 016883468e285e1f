//! Credentials of clouds, tried at their providers: tokens by signed assertions, signatures, and a role that is assumed.

use serde_json::{Value, json};
use testkit::Upstream;
use testkit::aws::{Fake, Options};
use testkit::vendor::{Azure, BigQuery, Oci};

use crate::credential_api::{Api, moved};

const AWS: &str = "auth: [{scheme: sigv4, access_key_id: access_key_id, secret_access_key: secret_access_key, region: us-east-1, service: sts}]\n";
const ROLE: &str = "arn:aws:iam::123456789012:role/acme-reader";

fn bigquery(url: &str) -> String {
    let auth = format!(
        "auth: [{{scheme: google_service_account, key: key, scope: \"https://www.googleapis.com/auth/bigquery\", token_url: \"{url}/token\"}}]\n"
    );
    moved("bigquery", url, &auth)
}

fn azure(url: &str) -> String {
    let auth = format!(
        "auth: [{{scheme: azure_service_principal, key: key, scope: \"https://management.azure.com/.default\", token_url: \"{url}\"}}]\n"
    );
    moved("azure", url, &auth)
}

/// A line from the middle of a private key, which nobody may show.
fn middle_of(document: &Value) -> String {
    document["private_key"].as_str().unwrap().lines().nth(5).unwrap().to_owned()
}

#[test]
fn a_service_account_signs_for_its_token_at_google_and_not_where_its_file_says() {
    let (google, elsewhere) = (BigQuery::start(), Upstream::start());
    let account =
        google.account("robot@acme-prod.example", "acme-prod", &format!("{}/token", elsewhere.url()));
    let api = Api::laid(&[bigquery(&google.url())], "", &[]);
    api.doorward.watch(&middle_of(&account));
    // The four fields that each has, and no more.
    let mut bare = account.clone();
    for beside in ["private_key_id", "token_uri"] {
        assert!(bare.as_object_mut().unwrap().remove(beside).is_some());
    }
    assert_eq!(api.set_up("gcp", &bare).0, "VALID");
    let shown = api.mine("GET", "integrations/acme_inc/gcp_sa", &Value::Null);
    assert_eq!(shown["credential_name"], "GCP SA (acme-prod)");
    let asked = google.calls().len();
    let (status, why, message) = api.set_up("gcp", &account);
    assert_eq!((status.as_str(), why.as_str()), ("VALID", ""));
    assert_eq!(message, "GCP_SA integration configured and validated successfully");
    assert!(elsewhere.requests().is_empty(), "the key file's own `token_uri` is not asked");
    let shown = api.mine("GET", "integrations/acme_inc/gcp_sa", &Value::Null);
    assert_eq!(shown["metadata"]["client_email"], "robot@acme-prod.example");
    let calls: Vec<String> = google.calls().into_iter().skip(asked).map(|call| call.path).collect();
    assert_eq!(calls, ["/token", "/bigquery/v2/projects/acme-prod/datasets"]);
    assert_eq!(google.calls()[1].query, "maxResults=1");

    let mut foreign = account.clone();
    foreign["project_id"] = "other-prod".into();
    let (status, why, _) = api.set_up("gcp", &foreign);
    assert_eq!(status, "INVALID");
    assert!(why.starts_with("API error: Access Denied: Project other-prod"), "{why}");
    let mut broken = account.clone();
    broken["private_key"] = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".into();
    let (status, why, _) = api.set_up("gcp", &broken);
    assert_eq!(status, "INVALID", "{why}");
    google.answer_instead(503, None);
    assert_eq!(api.set_up("gcp", &account).0, "PENDING", "a provider that is broken says nothing of a key");
    google.recover();
    assert_eq!(api.validated("gcp").0, "VALID", "the one that waited");
    google.delete("robot@acme-prod.example");
    let (status, why, _) = api.set_up("gcp", &account);
    assert_eq!(status, "INVALID");
    assert!(why.contains("invalid_grant"), "{why}");
    api.doorward.assert_no_canary();
}

#[test]
fn a_pair_of_keys_for_aws_is_tried_with_a_signed_request() {
    let sts = Fake::start(Options::default());
    let api = Api::laid(&[moved("aws", &sts.url(), AWS)], "", &[]);
    let id = "AKIACANARYCANARY0001";
    let secret = format!("secret-of-{id}");
    api.doorward.watch(&secret);
    let keys =
        |secret: &str| json!({"access_key_id": id, "secret_access_key": secret, "region": "eu-west-1"});
    let (status, why, _) = api.set_up("aws", &keys(&secret));
    assert_eq!((status.as_str(), why.as_str()), ("VALID", ""));
    let call = &sts.calls()[0];
    assert_eq!((call.api.as_str(), call.signed_by.as_deref()), ("sts.GetCallerIdentity", Some(id)));
    let (status, why, _) = api.set_up("aws_keys", &keys("another-secret-of-somebody"));
    assert_eq!(status, "INVALID");
    assert!(why.starts_with("API error: SignatureDoesNotMatch: "), "{why}");
    let shown = api.mine("GET", "integrations/acme_inc/aws", &Value::Null);
    assert_eq!(shown["status"], "VALID", "the one before stays");
    sts.set(&json!({"fail": {"sts.GetCallerIdentity": {"code": "Throttling", "status": 503}}}));
    let (status, why, _) = api.set_up("aws", &keys(&secret));
    assert_eq!((status.as_str(), why.as_str()), ("PENDING", "API error: 503"));
    let skewed = json!({"code": "RequestTimeTooSkewed", "status": 403});
    sts.set(&json!({"fail": {"sts.GetCallerIdentity": skewed}}));
    let (status, why, _) = api.set_up("aws", &keys(&secret));
    assert_eq!((status.as_str(), why.contains("clock")), ("PENDING", true), "{why}");
    let (status, why, _) = api.set_up("aws", &json!({"access_key_id": "nonsense", "secret_access_key": "s"}));
    assert_eq!(
        (status.as_str(), why.as_str()),
        ("FAILED", "Invalid credential: 'access_key_id' does not look like one")
    );
    api.doorward.assert_no_canary();
}

#[test]
fn a_role_is_assumed_with_the_houses_keys_or_with_those_that_come_with_it() {
    let sts = Fake::start(Options { external_id: Some("acme-7f3a".to_owned()), ..Options::default() });
    let api = Api::laid(&[moved("aws", &sts.url(), AWS)], "", &[]);
    let role = json!({"role_arn": ROLE, "external_id": "acme-7f3a", "region": "eu-west-1"});
    let (status, why, _) = api.set_up("aws", &role);
    assert_eq!(status, "PENDING", "without keys of the house nobody can be asked: {why}");
    assert!(sts.calls().is_empty());
    let put = |name: &str, text: &str| {
        let _ = api.doorward.run(&["secret", "put", name], text).succeeded();
    };
    put("aws/access_key_id", "AKIAHOUSEHOUSEHOUSE1");
    put("aws/secret_access_key", "secret-of-AKIAHOUSEHOUSEHOUSE1");
    let (status, why, _) = api.validated("aws");
    assert_eq!((status.as_str(), why.as_str()), ("VALID", ""));
    let call = sts.calls().pop().unwrap();
    assert_eq!(call.signed_by.as_deref(), Some("AKIAHOUSEHOUSEHOUSE1"));
    assert_eq!(call.param("RoleSessionName").as_deref(), Some("doorward-acme_inc"));
    assert_eq!(call.param("RoleArn").as_deref(), Some(ROLE));
    let mut wrong = role.clone();
    wrong["external_id"] = "somebody-else".into();
    let (status, why, _) = api.set_up("aws", &wrong);
    assert_eq!(status, "INVALID");
    assert!(why.starts_with("API error: AccessDenied: "), "{why}");
    let mut both = role;
    both["access_key_id"] = "AKIACANARYCANARY0002".into();
    both["secret_access_key"] = "secret-of-AKIACANARYCANARY0002".into();
    assert_eq!(api.set_up("aws", &both).0, "VALID");
    let call = sts.calls().pop().unwrap();
    assert_eq!(
        (call.api.as_str(), call.signed_by.as_deref()),
        ("sts.AssumeRole", Some("AKIACANARYCANARY0002"))
    );
    // What came of the session is nowhere.
    api.doorward.watch("secret-3");
    api.doorward.assert_no_canary();
}

#[test]
fn a_service_principal_gets_a_token_of_its_tenant_and_reads_its_subscription() {
    let cloud = Azure::start();
    let (tenant, client) = ("7a1d9b3c-1111-4222-8333-444455556666", "11112222-3333-4444-8555-666677778888");
    let subscription = "0b1f6471-1bf0-4dda-aec3-111122223333";
    // In the form of a token request, letters and digits stand as they are; the fake reads it undecoded.
    let secret = "CANARYentra0123456789secret".to_owned();
    cloud.know_client(tenant, client, &secret);
    let api = Api::laid(&[azure(&cloud.url())], "", &[]);
    api.doorward.watch(&secret);
    let principal = |secret: &str| json!({"tenant_id": tenant, "client_id": client, "client_secret": secret, "subscription_id": subscription});
    let (status, why, _) = api.set_up("azure", &principal(&secret));
    assert_eq!(
        (status.as_str(), why.as_str()),
        ("INVALID", "API error: AuthorizationFailed: CANARY-said-by-azure")
    );
    cloud.know_reader(client, subscription);
    assert_eq!(api.validated("azure").0, "VALID");
    let paths: Vec<String> = cloud.calls().into_iter().map(|call| call.path).collect();
    assert!(paths.contains(&format!("/{tenant}/oauth2/v2.0/token")), "{paths:?}");
    let (status, why, _) = api.set_up("azure", &principal("the-id-of-the-secret"));
    assert_eq!(status, "INVALID");
    assert!(why.contains("invalid_client"), "{why}");
    cloud.answer_instead(429, None);
    assert_eq!(api.set_up("azure", &principal(&secret)).0, "PENDING");
    api.doorward.assert_no_canary();
}

#[test]
fn an_endpoint_of_tokens_that_repeats_what_it_was_sent_tells_nobody() {
    let (entra, google) = (Azure::start(), BigQuery::start());
    entra.repeat();
    google.repeat();
    let api = Api::laid(&[azure(&entra.url()), bigquery(&google.url())], "", &[]);
    let secret = api.doorward.plant("Entra8Q~repeated");
    let id = "0b1f6471-1bf0-4dda-aec3-111122223333";
    let principal = json!({"tenant_id": id, "client_id": id, "client_secret": secret, "subscription_id": id});
    let (status, why, _) = api.set_up("azure", &principal);
    assert_eq!(status, "INVALID");
    assert!(why.contains("client_secret=[masked") && why.contains("grant_type=client_credentials"), "{why}");
    assert!(String::from_utf8_lossy(&entra.calls()[0].body).contains("client_secret="));

    let account =
        google.account("robot@acme-prod.example", "acme-prod", "https://oauth2.googleapis.com/token");
    let (status, why, _) = api.set_up("gcp", &account);
    assert_eq!(status, "INVALID");
    let sent = String::from_utf8(google.calls()[0].body.to_vec()).unwrap();
    let assertion = sent.split("assertion=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    assert!(assertion.starts_with("eyJ") && why.contains("assertion=[masked"), "{why}");
    api.doorward.watch(assertion.rsplit('.').next().unwrap());
    for provider in ["azure", "gcp"] {
        let shown = api.mine("GET", &format!("integrations/acme_inc/{provider}"), &Value::Null);
        assert!(shown["last_error"].as_str().unwrap().contains("[masked"), "{shown}");
        let _ = api.doorward.run(&["integration", "debug", "acme_inc"], "").succeeded();
    }
    api.doorward.assert_no_canary();
}

#[test]
fn a_key_for_oracle_signs_the_request_and_another_fingerprint_is_refused() {
    let cloud = Oci::start();
    let key = cloud.user("ocid1.tenancy.oc1..aaaa", "ocid1.user.oc1..bbbb", "eu-frankfurt-1");
    let api = Api::laid(&[moved("oci", &cloud.url(), "")], "", &[]);
    api.doorward.watch(&middle_of(&key));
    let (status, why, _) = api.set_up("oci", &key);
    assert_eq!((status.as_str(), why.as_str()), ("VALID", ""));
    assert_eq!(cloud.calls()[0].path, "/20160918/tenancies/ocid1.tenancy.oc1..aaaa");
    let mut other = key.clone();
    other["fingerprint"] = "00:3b:97:13:55:1c:5b:0d:d3:37:d8:50:4e:c5:3a:34".into();
    let (status, why, _) = api.set_up("oci", &other);
    assert_eq!(status, "FAILED");
    assert_eq!(why, "Invalid credential: 'fingerprint' is not that of 'private_key'");
    let mut stranger = key.clone();
    stranger["user_ocid"] = "ocid1.user.oc1..cccc".into();
    let (status, why, _) = api.set_up("oci", &stranger);
    assert_eq!(status, "INVALID");
    assert!(why.starts_with("API error: NotAuthenticated: "), "{why}");
    let mut locked = key.clone();
    locked["private_key"] =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----".into();
    let (status, why, _) = api.set_up("oci", &locked);
    assert_eq!((status.as_str(), why.contains("without a passphrase")), ("INVALID", true), "{why}");
    let mut elsewhere = key.clone();
    elsewhere["region"] = "eu-frankfurt-1.evil.example".into();
    assert_eq!(api.set_up("oci", &elsewhere).0, "FAILED");
    cloud.answer_instead(500, None);
    assert_eq!(api.set_up("oci", &key).0, "PENDING");
    api.doorward.assert_no_canary();
}

/// What a person gave for a provider of the real world, for whoever has one: the path of a file.
#[expect(clippy::disallowed_methods, reason = "live credentials are named by whoever runs the test")]
fn live(provider: &str) -> Option<String> {
    let path = std::env::var_os(format!("DOORWARD_LIVE_{provider}"))?;
    Some(std::fs::read_to_string(path).unwrap())
}

#[test]
#[ignore = "asks the real providers, with the files that DOORWARD_LIVE_OPENAI and the like name"]
fn real_credentials_are_valid_at_the_real_providers() {
    let api = Api::laid(&[], "", &[]);
    let mut asked = 0;
    for provider in ["OPENAI", "ANTHROPIC", "GEMINI", "DEEPSEEK", "GCP_SA", "AWS_IAM", "AZURE", "OCI"] {
        let Some(text) = live(provider) else { continue };
        let credential = serde_json::from_str(&text).unwrap_or_else(|_| Value::from(text.trim()));
        let (status, why, _) = api.set_up(provider, &credential);
        assert_eq!(status, "VALID", "{provider}: {why}");
        asked += 1;
    }
    assert!(asked > 0, "no DOORWARD_LIVE_PROVIDER names a file");
}
