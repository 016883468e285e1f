//! Key files, and addresses that accounts are asked for at. The exchange itself is tested with Google's own library.

use super::*;

fn stored(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec()).unwrap()
}

#[test]
fn what_is_no_key_file_is_refused_without_being_repeated() {
    for text in [
        "xoxb-CANARY-1",
        "{}",
        r#"{"type":"authorized_user","private_key_id":"1","private_key":"CANARY","client_email":"a@b"}"#,
        r#"{"type":"service_account","private_key_id":"1","private_key":"CANARY","client_email":"a@b"}"#,
        r#"{"type":"service_account","private_key_id":"1","client_email":"a@b"}"#,
    ] {
        let error = Account::read(&stored(text)).err().unwrap();
        assert!(error.to_string().contains("key file of a service account"), "{text}: {error}");
        assert!(!error.to_string().contains("CANARY"), "{error}");
    }
}

#[test]
fn what_is_wrong_with_a_key_file_is_said_as_it_is_and_it_needs_no_id_of_its_key() {
    let pem = testkit::certificate::rsa_key().0;
    let mut file =
        json!({"type": "service_account", "project_id": "p", "private_key": pem, "client_email": "a@b"});
    let said = |file: &serde_json::Value| {
        Account::read(&stored(&file.to_string())).err().map(|error| error.to_string())
    };
    let head = |file: &serde_json::Value| {
        let account = Account::read(&stored(&file.to_string())).unwrap();
        let assertion =
            account.assertion("https://x", ("scope", "y".to_owned()), Timestamp::from_millis(0)).unwrap();
        let head = crypto::from_base64url(assertion.split('.').next().unwrap()).unwrap();
        serde_json::from_slice::<serde_json::Value>(&head).unwrap()
    };
    assert_eq!(said(&file), None);
    assert_eq!(head(&file), json!({"alg": "RS256", "typ": "JWT"}));
    file["private_key_id"] = "k1".into();
    assert_eq!(head(&file)["kid"], "k1");
    file["private_key"] = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".into();
    assert!(said(&file).unwrap().contains("its private key can't be read"), "{:?}", said(&file));
    file["client_email"] = 1.into();
    assert!(said(&file).unwrap().contains("a field that each has is missing in it, or is no text"));
    assert!(Account::read(&stored("{")).err().unwrap().to_string().contains("it is not the JSON of one"));
}

#[test]
fn an_account_can_not_change_the_path_that_it_is_asked_for_at() {
    let places = GcpPlaces::new(None, None).unwrap();
    let place =
        places.of_account("ops@canary-project.iam.gserviceaccount.com", "generateAccessToken").unwrap();
    assert_eq!(
        place.shown(),
        "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/ops@canary-project.iam.gserviceaccount.com:generateAccessToken"
    );
    for email in ["", "a/b@c", "a@b:generateIdToken?x", "a@b#", "a b@c", "%2e%2e"] {
        assert!(places.of_account(email, "generateAccessToken").is_err(), "{email}");
    }
}

#[test]
fn token_endpoints_are_addresses_of_hosts_and_nothing_more() {
    for address in ["ftp://x/token", "x", "https://user:CANARY@x/token", "https://x/token?key=1", "https://"]
    {
        assert!(GcpPlaces::new(Some(address), None).is_err(), "{address}");
    }
    assert!(GcpPlaces::new(Some("http://127.0.0.1:8080/token"), Some("http://127.0.0.1:8080")).is_ok());
}
