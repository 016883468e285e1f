//! Documents of service principals. The exchange itself is tested with Microsoft's own library.

use super::*;

fn read(text: &str) -> Result<Principal, Error> {
    Principal::read(&Secret::new(text.as_bytes().to_vec()).unwrap())
}

#[test]
fn documents_are_read_in_the_names_of_the_command_line_and_of_the_sdks() {
    for text in [
        r#"{"appId":"11-22","displayName":"x","password":"CANARY","tenant":"33-44"}"#,
        r#"{"clientId":"11-22","clientSecret":"CANARY","tenantId":"33-44","subscriptionId":"5"}"#,
        r#"{"client_id":"11-22","client_secret":"CANARY","tenant_id":"contoso.onmicrosoft.com"}"#,
        r#"{"clientId":"11-22","tenantId":"33-44","federated":true}"#,
    ] {
        let principal = read(text).unwrap();
        assert_eq!(principal.client(), "11-22", "{text}");
        assert_eq!(principal.is_federated(), text.contains("federated"));
    }
}

#[test]
fn what_is_no_principal_is_refused_without_being_repeated() {
    for text in [
        "xoxb-CANARY-1",
        r#"{"appId":"1","tenant":"2"}"#,
        r#"{"appId":"1","tenant":"2","password":""}"#,
        r#"{"appId":"1","tenant":"2/../CANARY","password":"CANARY"}"#,
        r#"{"appId":"","tenant":"2","password":"CANARY"}"#,
        r#"{"appId":"1","tenant":"2","password":"CANARY","federated":true}"#,
        r#"{"appId":"1","tenant":"2","certificate":"CANARY"}"#,
    ] {
        let error = read(text).err().unwrap();
        assert!(error.to_string().contains("service principal"), "{text}: {error}");
        assert!(!error.to_string().contains("CANARY"), "{error}");
    }
}

#[test]
fn a_form_escapes_what_would_end_a_value() {
    let mut form = Form::new();
    form.text("a", "x&b=y z/+").text("c", "~-._");
    assert_eq!(&**form.parts().0, b"a=x%26b%3Dy%20z%2F%2B&c=~-._");
}

#[test]
fn only_the_clouds_of_microsoft_have_a_name() {
    assert_eq!(authority_of("public"), Some("https://login.microsoftonline.com"));
    assert_eq!(authority_of("mars"), None);
}
